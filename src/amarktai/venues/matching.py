"""How one order meets one quote, public trade or order book. Pure; bars are in domain/fill_model.py.

Orders do not take each other's liquidity: every order meets the market as recorded, so that one
bot's result never depends on another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import (
    exact,
    limit_crosses,
    limit_is_traded_through,
    round_price_against,
    round_quantity_down,
    stop_is_hit,
)
from amarktai.domain.instrument import Instrument
from amarktai.domain.market import EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderRequest


class Phase(IntEnum):
    """The sequence in which the orders of one event are served."""

    MARKET = 0
    ARRIVAL = 1
    STOP = 2
    RESTING = 3


@dataclass(frozen=True, slots=True)
class Tick:
    """A quote or a public trade in decimals, quote per base.

    Of a trade, bid and ask are both the print and ``quantity`` is its size. ``book`` is the
    instrument's book where the feed has depth.
    """

    kind: EventKind
    ts: int
    bid: Decimal
    ask: Decimal
    quantity: Decimal
    book: OrderBook | None

    @property
    def is_trade(self) -> bool:
        return self.kind is EventKind.TRADE

    @property
    def shows_no_offer(self) -> bool:
        """A bare print says at what price others traded, not at what price we could."""
        return self.is_trade and self.book is None

    def taker_side(self, side: Side) -> Decimal:
        """Return the price that a taker of that side meets."""
        return self.ask if side is Side.BUY else self.bid


@dataclass(frozen=True, slots=True)
class Execution:
    """A price (quote per base), a quantity (base) and who waited for whom."""

    price: Decimal
    quantity: Decimal
    liquidity: Liquidity


@dataclass(frozen=True, slots=True)
class Match:
    """What an event does to an order. ``cancel_reason`` is set when the venue ends what is left."""

    executions: tuple[Execution, ...] = ()
    cancel_reason: str = ""
    arrived: bool = True


WAITS: Final = Match(arrived=False)
RESTS: Final = Match()


def read_tick(kind: EventKind, ts: int, first: float, second: float, book: OrderBook | None) -> Tick:
    """Return a QUOTE row (bid, ask) or a TRADE row (price, quantity) in decimals."""
    if kind is EventKind.QUOTE:
        return Tick(kind, ts, exact(first), exact(second), ZERO, book)
    return Tick(kind, ts, exact(first), exact(first), exact(second), book)


def phase_of(request: OrderRequest, *, arrived: bool) -> Phase:
    """Return when an order is served within an event."""
    if request.type is OrderType.MARKET:
        return Phase.MARKET
    if request.type is OrderType.STOP_MARKET:
        return Phase.STOP
    return Phase.RESTING if arrived else Phase.ARRIVAL


def match_tick(
    phase: Phase, instrument: Instrument, request: OrderRequest, left: Decimal, tick: Tick
) -> Match:
    """Return what a tick does to an order of which ``left`` (base) may still fill."""
    if phase is Phase.MARKET:
        return WAITS if tick.shows_no_offer else _take(instrument, request.side, left, tick)
    if phase is Phase.STOP:
        return _match_stop(instrument, request, left, tick)
    assert request.price is not None  # the venue refuses a limit order without one
    if phase is Phase.ARRIVAL:
        return _match_arrival(instrument, request, request.price, left, tick)
    return _match_resting(instrument, request.side, request.price, left, tick)


def _match_arrival(
    instrument: Instrument, request: OrderRequest, limit: Decimal, left: Decimal, tick: Tick
) -> Match:
    if tick.shows_no_offer:
        return WAITS
    best = _best(tick, request.side)
    if best is None or not limit_crosses(request.side, limit, best):
        return RESTS
    if request.post_only:
        return Match(cancel_reason="a post-only order would have traded on arrival")
    return Match(_take(instrument, request.side, left, tick, limit).executions)


def _match_stop(instrument: Instrument, request: OrderRequest, left: Decimal, tick: Tick) -> Match:
    assert request.stop_price is not None  # the venue refuses a stop order without one
    if tick.is_trade:
        return RESTS
    price = tick.taker_side(request.side)
    if not stop_is_hit(request.side, request.stop_price, price, price):
        return RESTS
    return _take(instrument, request.side, left, tick)


def _match_resting(instrument: Instrument, side: Side, limit: Decimal, left: Decimal, tick: Tick) -> Match:
    if not limit_is_traded_through(side, limit, tick.ask, tick.bid):
        return RESTS
    quantity = left
    if tick.is_trade:
        quantity = min(left, round_quantity_down(tick.quantity, instrument.lot_size))
    elif tick.book is not None:
        quantity = min(left, _visible_beyond(instrument, side, limit, tick.book))
    if quantity <= 0:
        return RESTS
    return Match((Execution(limit, quantity, Liquidity.MAKER),))


def _best(tick: Tick, side: Side) -> Decimal | None:
    if tick.book is None:
        return tick.taker_side(side)
    best = tick.book.best_ask() if side is Side.BUY else tick.book.best_bid()
    return None if best is None else exact(best)


def _take(
    instrument: Instrument, side: Side, left: Decimal, tick: Tick, limit: Decimal | None = None
) -> Match:
    """Serve a taker: the quote for everything, or the book's levels as far as they reach."""
    if tick.book is None:
        price = round_price_against(side, tick.taker_side(side), instrument.tick_size)
        return Match((Execution(price, left, Liquidity.TAKER),))
    executions = []
    for level, visible in tick.book.sweep(is_buy=side is Side.BUY, quantity=float("inf")):
        price = round_price_against(side, exact(level), instrument.tick_size)
        if left <= 0 or (limit is not None and not limit_crosses(side, limit, price)):
            break
        quantity = min(left, round_quantity_down(exact(visible), instrument.lot_size))
        if quantity > 0:
            executions.append(Execution(price, quantity, Liquidity.TAKER))
            left -= quantity
    return Match(tuple(executions), cancel_reason="the visible book was exhausted" if left > 0 else "")


def _visible_beyond(instrument: Instrument, side: Side, limit: Decimal, book: OrderBook) -> Decimal:
    """Return what the other side shows at prices strictly better for us than the limit."""
    total = 0.0
    for level, visible in book.sweep(is_buy=side is Side.BUY, quantity=float("inf")):
        price = exact(level)
        if not (price < limit if side is Side.BUY else price > limit):
            break
        total += visible
    return round_quantity_down(exact(total), instrument.lot_size)
