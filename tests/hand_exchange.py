"""An exchange account that a test moves by hand, at the port: orders, executions, money, and silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from amarktai.domain.errors import Unavailable
from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import (
    AccountEvent,
    AccountFill,
    Balance,
    Capabilities,
    ClientIdScope,
    OrderChanged,
    OrderRecord,
)
from amarktai.ports.live_accounts import WorkingKey
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueStatus
from tests.fakes import HandClock
from tests.trading import FEES

FEE = Decimal("0.001")


class HandExchange:
    """One account. ``silent`` names the reads that get no answer; ``is_deaf`` loses the answers to creates.

    Money moves with executions; nothing is reserved. Implements ports.exchange.ExchangeAccount.
    """

    def __init__(
        self,
        clock: HandClock,
        balances: Mapping[str, Decimal],
        platform: Platform = Platform.LUNO,
        scope: ClientIdScope = ClientIdScope.FOREVER,
    ) -> None:
        self.platform = platform
        self.account = "main"
        self.capabilities = Capabilities(frozenset(OrderType), True, scope, 5_000, True)
        self.clock = clock
        self.money = dict(balances)
        self.price = Decimal(1_000_000)
        self.orders: dict[str, OrderRecord] = {}
        self.fills: list[AccountFill] = []
        self.created: dict[UUID, int] = {}
        self.looks = 0
        self.told: asyncio.Queue[AccountEvent] = asyncio.Queue()
        self.silent: set[str] = set()
        self.is_deaf = False
        self.is_closed = False
        self.trades_while_read = 0

    # -- what people and markets do ------------------------------------------------------------------

    def trade_by_hand(self, market: Instrument, side: Side, quantity: Decimal) -> OrderRecord:
        """Let the owner trade at the market, outside the platform."""
        record = self._open(None, "by hand", market.id, side, OrderType.MARKET, quantity, None)
        self.fill(record.venue_order_id, quantity)
        return self.orders[record.venue_order_id]

    def rest_by_hand(self, market: Instrument, side: Side, quantity: Decimal, price: Decimal) -> OrderRecord:
        return self._open(None, "by hand", market.id, side, OrderType.LIMIT, quantity, price)

    def fill(self, venue_order_id: str, quantity: Decimal) -> AccountFill:
        """Execute part of an order at its price, or at the market's; the fee is in what comes in."""
        record = self.orders[venue_order_id]
        base, _, quote = record.instrument_id.partition(":")[2].partition("/")
        price = record.price or self.price
        is_buy = record.side is Side.BUY
        amount = quantity if is_buy else quantity * price
        fill = AccountFill(
            f"t{len(self.fills) + 1}", venue_order_id, record.client_order_id or None, record.instrument_id,
            record.side, quantity, price, amount * FEE, base if is_buy else quote, Liquidity.TAKER,
            to_datetime(self.clock.now_ns()),
        )  # fmt: skip
        self.fills.append(fill)
        sign = 1 if is_buy else -1
        self.pay(base, sign * quantity)
        self.pay(quote, -sign * quantity * price)
        self.pay(fill.fee_asset, -fill.fee_amount)
        filled = record.filled_quantity + quantity
        status = VenueStatus.FILLED if filled == record.quantity else record.status
        self.orders[venue_order_id] = replace(record, filled_quantity=filled, status=status)
        return fill

    def pay(self, asset: str, amount: Decimal) -> None:
        self.money[asset] = self.money.get(asset, ZERO) + amount

    def tell(self, event: AccountEvent) -> None:
        self.told.put_nowait(event)

    def order_of(self, order_id: UUID) -> OrderRecord:
        return next(record for record in self.orders.values() if record.order_id == order_id)

    # -- the port ------------------------------------------------------------------------------------

    async def create_order(self, request: OrderRequest) -> OrderReport:
        self.created[request.order_id] = self.created.get(request.order_id, 0) + 1
        if "create" in self.silent:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", "Luno did not answer.")
        record = self._open(
            request.order_id, request.client_order_id, request.instrument_id, request.side, request.type,
            request.quantity, request.price,
        )  # fmt: skip
        if request.type is OrderType.MARKET:
            self.fill(record.venue_order_id, request.quantity)
        if self.is_deaf:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", "Luno did not answer.")
        return self._report(self.orders[record.venue_order_id])

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        if "cancel" in self.silent:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", "Luno did not answer.")
        record = self.order_of(order_id)
        if record.status is VenueStatus.OPEN:
            record = self.orders[record.venue_order_id] = replace(record, status=VenueStatus.CANCELED)
        return self._report(record)

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        self.looks += 1
        if "order" in self.silent:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", "Luno did not answer.")
        found = [record for record in self.orders.values() if record.order_id == order_id]
        return self._report(found[0]) if found else None

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        return [self._report(record) for record in await self.fetch_open_records() if record.order_id]

    async def fetch_balances(self) -> Mapping[str, Balance]:
        self._answer("balances")
        return {asset: Balance(asset, total, ZERO) for asset, total in self.money.items() if total}

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        return FEES

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        return self.orders.get(venue_order_id)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        self._answer("open records")
        return [record for record in self.orders.values() if record.status is VenueStatus.OPEN]

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        self._answer("records")
        return [record for record in self.orders.values() if to_ns(record.created_at) >= ts]

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        self._answer("fills")
        if self.trades_while_read:
            self.trades_while_read -= 1
            market = next(iter(self.orders.values())).instrument_id
            record = self._open(None, "by hand", market, Side.BUY, OrderType.MARKET, Decimal("0.001"), None)
            self.fill(record.venue_order_id, Decimal("0.001"))
        return [fill for fill in self.fills if to_ns(fill.executed_at) >= ts]

    async def events(self) -> AsyncIterator[AccountEvent]:
        while True:
            yield await self.told.get()
            self.told.task_done()

    async def close(self) -> None:
        self.is_closed = True

    # -- parts ---------------------------------------------------------------------------------------

    def _answer(self, what: str) -> None:
        if what in self.silent:
            raise Unavailable("VENUE_UNREACHABLE", f"Luno did not answer ({what}).")

    def _open(
        self,
        order_id: UUID | None,
        client_id: str,
        instrument_id: str,
        side: Side,
        kind: OrderType,
        quantity: Decimal,
        price: Decimal | None,
    ) -> OrderRecord:
        at, name = to_datetime(self.clock.now_ns()), f"v{len(self.orders) + 1}"
        if self.capabilities.client_id_scope is ClientIdScope.NONE:
            order_id, client_id = None, ""
        record = OrderRecord(
            order_id, client_id, name, instrument_id, side, kind, quantity, price, None, VenueStatus.OPEN,
            ZERO, at, at,
        )  # fmt: skip
        self.orders[name] = record
        return record

    def _report(self, record: OrderRecord) -> OrderReport:
        assert record.order_id is not None
        fills = [fill for fill in self.fills if fill.venue_order_id == record.venue_order_id]
        return OrderReport(
            record.order_id, record.venue_order_id, record.status, record.filled_quantity,
            tuple(fill.of_order(record.order_id, Origin.LIVE) for fill in fills), record.created_at,
        )  # fmt: skip


class HandOpener:
    """Opens hand exchanges for the keys that a test lists. Implements ports.live_accounts.AccountOpener."""

    def __init__(self) -> None:
        self.keys: dict[WorkingKey, HandExchange] = {}
        self.offset_ns: int | None = 0
        self.opened = 0

    async def working_keys(self) -> Sequence[WorkingKey]:
        return list(self.keys)

    async def open(self, key: WorkingKey) -> HandExchange:
        self.opened += 1
        return self.keys[key]

    async def clock_offset_ns(self, platform: Platform) -> int | None:
        return self.offset_ns


def changed(record: OrderRecord) -> OrderChanged:
    """Return what a stream says of an order that has changed."""
    return OrderChanged(record.venue_order_id, record.client_order_id or None, None)
