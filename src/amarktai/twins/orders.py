"""The nouns of a twin: markets, orders, trades and fills. The engine in ``matching`` changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument in the exchange's own words. ``start_price`` is where a synthetic book begins.

    Units: tick quote per base; lot, min_quantity and max_quantity base; min_notional quote; rates
    fractions of the notional.
    """

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    maker_rate: Decimal
    taker_rate: Decimal
    start_price: Decimal


class Kind(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class State(StrEnum):
    """Where an order stands. FAILED orders are kept where the exchange lists them (VALR)."""

    AWAITING = "awaiting"  # a stop that has not fired
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # the exchange ended the rest: IOC, or a market order in a thin book
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Stop:
    """Fires at the first trade at or beyond ``price``: upwards when ``rises``, else downwards."""

    price: Decimal
    rises: bool

    def fires_at(self, last: Decimal) -> bool:
        return last >= self.price if self.rises else last <= self.price


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What an account asks for. Exactly one of ``quantity`` (base) and ``quote_quantity`` is set.

    ``details`` holds what the exchange echoes and the engine does not read.
    """

    account: str
    market: str
    side: Side
    kind: Kind
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    client_id: str = ""
    stop: Stop | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution between two orders, at the resting one's price."""

    number: int
    market: str
    price: Decimal
    quantity: Decimal
    taker_side: Side
    ts_ns: int
    maker_order: str
    taker_order: str
    agreed: Decimal | None = None

    @property
    def notional(self) -> Decimal:
        """What was paid in the quote currency: price times quantity, unless an amount was agreed on."""
        return self.price * self.quantity if self.agreed is None else self.agreed


@dataclass(frozen=True, slots=True)
class Fill:
    """One side of a trade, as its account sees it. ``fee`` is positive for a cost."""

    trade: Trade
    account: str
    order_id: str
    client_id: str
    side: Side
    liquidity: Liquidity
    fee: Decimal
    fee_asset: str


@dataclass(slots=True, eq=False)
class Order:
    """An order as the exchange keeps it."""

    id: str
    number: int
    wish: NewOrder
    created_ns: int
    updated_ns: int
    state: State = State.OPEN
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    held: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    ended_ns: int = 0
    reason: str = ""
    has_fired: bool = False

    @property
    def is_live(self) -> bool:
        return self.state in (State.OPEN, State.AWAITING)

    @property
    def quantity(self) -> Decimal:
        """Base quantity; of an order by quote quantity, what it bought or sold."""
        return self.filled if self.wish.quantity is None else self.wish.quantity

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def price(self) -> Decimal:
        return ZERO if self.wish.price is None else self.wish.price

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_quote / self.filled if self.filled else None


class Change(StrEnum):
    """What happened to an order."""

    ACCEPTED = "accepted"
    FIRED = "fired"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order's change with its fill, if that is what it was. The figures are those after it."""

    order: Order
    change: Change
    ts_ns: int
    fill: Fill | None
    filled: Decimal
    filled_quote: Decimal
    state: State


@dataclass(frozen=True, slots=True)
class BookChange:
    """One atomic change of a book: trades of an arrival, then what of it rests; or a removal.

    ``sequence`` is the book's after it. ``levels`` are the (side, price, quantity) that it left.
    """

    market: str
    sequence: int
    ts_ns: int
    trades: tuple[Trade, ...]
    created: tuple[str, Side, Decimal, Decimal] | None  # order id, side, price, resting quantity
    deleted: str | None
    levels: tuple[tuple[Side, Decimal, Decimal], ...]
