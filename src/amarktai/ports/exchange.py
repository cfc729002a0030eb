"""Exchanges as ports: what an exchange says of its markets, and one account there.

Everything is the exchange's own word, in exact decimals read from the strings that it sent. Reads may
be repeated; the writes (``TradingVenue.create_order`` and ``cancel_order``) are never retried by any
layer. A list is complete or the call raises: no method returns a first page as if it were all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from amarktai.domain.bar import Bars
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderReport, TradingVenue, VenueStatus


class ClientIdScope(StrEnum):
    """Among which orders of an account a client order id must be unique."""

    FOREVER = "forever"
    OPEN = "open orders"
    NONE = "no client order id"
    UNKNOWN = "unknown"


class Support(StrEnum):
    """How a capability is there."""

    NATIVE = "native"  # the exchange does it
    EMULATED = "emulated"  # the platform does it instead
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of an exchange's capability table. ``note`` says what the platform does, or what is unknown."""

    support: Support
    note: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an exchange can do, as data: the order path and ``docs/venues`` read the same table.

    ``request_ttl_ms`` bounds how late a create that was sent can still become an order: the exchange
    refuses it afterwards. None where the exchange has no such limit. ``table`` names each capability
    once, in the order of the documentation.
    """

    order_types: frozenset[OrderType]
    post_only: bool
    client_id_scope: ClientIdScope
    request_ttl_ms: int | None
    private_stream: bool
    table: Mapping[str, Capability] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with their quantities, None where the exchange tells none."""

    instrument_id: str
    bid: Decimal
    ask: Decimal
    bid_quantity: Decimal | None
    ask_quantity: Decimal | None
    last: Decimal | None
    at: datetime | None
    is_indicative: bool = False


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """Price levels, best first, as (price, quantity). ``sequence`` is the exchange's own counter."""

    instrument_id: str
    bids: Sequence[tuple[Decimal, Decimal]]
    asks: Sequence[tuple[Decimal, Decimal]]
    sequence: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A trade of the market. ``taker_side`` is None where the exchange does not tell it."""

    instrument_id: str
    trade_id: str
    price: Decimal
    quantity: Decimal
    taker_side: Side | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FetchedBars:
    """Closed bars. ``built_from_trades`` marks those that the exchange does not offer itself."""

    bars: Bars
    built_from_trades: bool = False


class ExchangeMarket(Protocol):
    """The public side of an exchange; one per process and exchange, under its shared budget.

    Every method raises Unavailable (with a plain sentence) when the exchange does not answer, and
    InvalidInput for what it does not have.
    """

    platform: Platform

    async def fetch_instruments(self) -> Sequence[Instrument]:
        """Return every tradable spot market with its steps and minimums."""

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]: ...

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot: ...

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        """Return the latest public trades, oldest first."""

    async def fetch_bars(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> FetchedBars:
        """Return up to ``count`` closed bars from ``since_ts`` (ns UTC) on."""

    async def fetch_clock_offset_ns(self) -> int | None:
        """Return the exchange's time minus ours, halfway through the call; None where it has no clock."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Balance:
    """An asset in the account. ``total`` includes ``reserved``; all wallets of the asset are summed."""

    asset: str
    total: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        return self.total - self.reserved


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order of the account as the exchange keeps it, whoever placed it.

    ``order_id`` is ours when the client order id is one that we make, else None: a manual order.
    ``type`` is None for kinds that we do not place. Units: quantity and filled_quantity base.
    """

    order_id: UUID | None
    client_order_id: str
    venue_order_id: str
    instrument_id: str
    side: Side
    type: OrderType | None
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    status: VenueStatus
    filled_quantity: Decimal
    created_at: datetime
    updated_at: datetime | None

    def report(
        self, order_id: UUID, fills: Iterable[AccountFill], origin: Origin = Origin.LIVE
    ) -> OrderReport:
        """Return the record and the order's executions as the order path wants them."""
        return OrderReport(
            order_id, self.venue_order_id, self.status, self.filled_quantity,
            tuple(fill.of_order(order_id, origin) for fill in fills), self.updated_at or self.created_at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountFill:
    """An execution of the account, whoever placed its order.

    Units: quantity base, price quote per base, fee_amount in fee_asset (positive is a cost).
    ``client_order_id`` is None where the exchange's fills do not carry it.
    """

    venue_trade_id: str
    venue_order_id: str
    client_order_id: str | None
    instrument_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee_amount: Decimal
    fee_asset: str
    liquidity: Liquidity
    executed_at: datetime

    def of_order(self, order_id: UUID, origin: Origin = Origin.LIVE) -> Fill:
        """Return the fill as one of an order of ours."""
        return Fill(
            order_id, self.venue_trade_id, self.side, self.quantity, self.price, self.fee_amount,
            self.fee_asset, self.liquidity, self.executed_at, origin,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """The stream says that an order changed; ``record`` when it says how, else fetch it."""

    venue_order_id: str
    client_order_id: str | None
    record: OrderRecord | None


@dataclass(frozen=True, slots=True)
class FillReported:
    fill: AccountFill


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """The stream's word on one asset; a hint to fetch, never the truth for booking."""

    asset: str
    total: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class StreamGap:
    """What happened before now may be missing: reconcile before anything that adds risk (O8)."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What an order of ours asked for, by our own records.

    ``venue_order_id`` is None where the exchange's answer to it was never heard. Units: quantity base.
    """

    side: Side
    quantity: Decimal
    venue_order_id: str | None = None


#: Tells the terms of an order of an earlier process; None when nobody knows them.
Recall = Callable[[UUID], Awaitable[OrderTerms | None]]


async def recall_nothing(order_id: UUID) -> OrderTerms | None:
    """Recall no order: for an account whose orders are all of this process."""
    return None


AccountEvent = OrderChanged | FillReported | BalanceChanged | StreamGap


class ExchangeAccount(TradingVenue, Protocol):
    """One account on one exchange: the trading venue of live orders, and everything to reconcile with.

    ``fetch_order`` finds by the client order id wherever the exchange can, with its fills; it returns
    None only when the exchange's complete records lack the order. Reads raise Unavailable when the
    exchange does not answer, and Forbidden when it refuses the key.
    """

    capabilities: Capabilities

    async def fetch_balances(self) -> Mapping[str, Balance]:
        """Return every asset that is not zero, by our asset code."""

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        """Return this account's own fees on a market, with their source."""

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        """Return an order by the exchange's id; None when its records lack it."""

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        """Return every open order, also those placed by hand, all pages."""

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        """Return every order created or changed since ``ts`` (ns UTC), all pages, oldest first."""

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        """Return every execution since ``ts`` (ns UTC), all pages, oldest first."""

    def events(self) -> AsyncIterator[AccountEvent]:
        """Yield what the account's stream says until the task is canceled; the first is a StreamGap.

        It reconnects by itself with growing pauses and yields a StreamGap each time something may be
        missing. Exchanges without a private stream poll and yield what differs.
        """

    async def close(self) -> None: ...
