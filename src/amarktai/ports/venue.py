"""Trading venues as a port: the paper venue and the exchanges' adapters look the same.

No method retries. A create either returns a report, raises ``VenueRejected`` (definitive) or
raises ``OutcomeUnknown``; everything that is not certain is the latter (O4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from amarktai.domain.errors import AmarktaiError
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Platform
from amarktai.domain.market import NO_TS, EventKind, OrderBook
from amarktai.domain.order import Order, OrderType, Side


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What leaves for the venue, once. ``deadline_ts`` (ns): not after this, whatever happened (f).

    ``budget`` is the most that a buy may cost, in quote and fees included: what was reserved for it.
    It and ``bot_id`` stay in the house: a simulated venue keeps to it and serves each bot for itself; an
    exchange's adapter keeps to it where a buy at the market leaves with a price.
    """

    order_id: UUID
    instrument_id: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    post_only: bool
    reduce_only: bool
    oco_group: str | None
    sent_ts: int
    deadline_ts: int
    bot_id: UUID | None = None
    budget: Decimal | None = None

    @property
    def client_order_id(self) -> str:
        return self.order_id.hex


class VenueStatus(StrEnum):
    """An order's status as the venue tells it."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderReport:
    """A venue's record of one order with the fills it knows. ``filled_quantity`` is cumulative."""

    order_id: UUID
    venue_order_id: str
    status: VenueStatus
    filled_quantity: Decimal
    fills: tuple[Fill, ...]
    at: datetime
    reason: str = ""


class VenueRejected(AmarktaiError):
    """The venue refused the order, definitively (a code on the allow-list)."""


class OutcomeUnknown(AmarktaiError):
    """Nobody knows whether the order exists. Reconciliation owns it now; never re-send."""


class TradingVenue(Protocol):
    """One account on one venue."""

    platform: Platform
    account: str

    async def create_order(self, request: OrderRequest) -> OrderReport:
        """Send a create exactly once.

        Raises: VenueRejected, OutcomeUnknown.
        """

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        """Ask for a cancel and return the order as the venue then has it.

        Raises: OutcomeUnknown. "Unknown order" is not proof of a cancel (O13).
        """

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """Return the order by client id; None only when the venue's complete records lack it.

        Raises: OutcomeUnknown when the venue cannot be asked.
        """

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        """Return every open order of the account, all pages."""


class Venues(Protocol):
    """Where each user's orders go, and whether they may."""

    def of(self, user_id: UUID, platform: Platform) -> TradingVenue | None:
        """Return the user's venue; None when they have none there that could take an order."""

    def held_back(self, user_id: UUID, platform: Platform) -> str | None:
        """Return why nothing that adds risk may go there now, in words; None when it may."""


@dataclass(frozen=True, slots=True)
class SharedVenues:
    """Venues that take everybody's orders, at any time: simulated ones. Implements ``Venues``."""

    by_platform: Mapping[Platform, TradingVenue]

    def of(self, user_id: UUID, platform: Platform) -> TradingVenue | None:
        return self.by_platform.get(platform)

    def held_back(self, user_id: UUID, platform: Platform) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class WakeConditions:
    """When a simulated venue must see a row of one instrument; any one condition is enough.

    A QUOTE row matters when ask < ask_below, bid > bid_above, bid <= bid_below or ask >= ask_above; a
    TRADE row when its price < ask_below or > bid_above; any row when its time >= at_ts (ns); a BAR row
    when ``every_bar``. Prices in quote per base.
    """

    ask_below: float = float("-inf")
    bid_above: float = float("inf")
    bid_below: float = float("-inf")
    ask_above: float = float("inf")
    at_ts: int = NO_TS
    every_bar: bool = False


class SimulatedVenue(TradingVenue, Protocol):
    """A venue that fills orders on the market data that the engine shows it."""

    def on_event(  # noqa: PLR0913 - the columns of a batch's row
        self,
        instrument_id: str,
        kind: EventKind,
        ts: int,
        a: float,
        b: float,
        c: float,
        d: float,
        e: float,
        book: OrderBook | None = None,
    ) -> list[OrderReport]:
        """Let one row of a batch act on the orders and return those that it changed.

        Bars are served one fill a bot at a time: handle the reports, then call again with the same
        row until nothing comes, so that what a bot places in answer can take part in the same bar.

        ``ts`` is the row's received_ts, which is on the engine's clock; ``book`` the instrument's
        book where the feed has depth.
        """

    def wake_conditions(self, instrument_id: str) -> WakeConditions:
        """Return what the next rows must show before ``on_event`` has anything to do.

        They change with every create, cancel, restore and ``on_event`` of the instrument.
        """

    def restore(self, orders: Sequence[Order]) -> None:
        """Put the resting orders of an earlier process back, before the first row."""
