"""How one order meets one market event. Pure: the fill model's rules in the order of their phases.

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
    crossing_limit_price,
    limit_crosses,
    limit_is_traded_through,
    round_price_against,
    round_quantity_down,
    stop_base_price,
    stop_is_hit,
    taker_price,
)
from amarktai.domain.instrument import Instrument
from amarktai.domain.market import EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderRequest

Columns = tuple[float, float, float, float, float]


class Phase(IntEnum):
    """The sequence in which the orders of one event are served."""

    MARKET = 0
    ARRIVAL = 1
    STOP = 2
    RESTING = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One market event in decimals, quote per base.

    Bars: ``first`` is the open, ``low`` and ``high`` the range (the open alone at BAR_OPEN), and both
    sides trade at the open. Quotes: ``bid`` and ``ask``; first, low and high are their mid. Trades:
    all prices are the print, ``quantity`` is its size.
    """

    kind: EventKind
    ts: int
    bid: Decimal
    ask: Decimal
    first: Decimal
    low: Decimal
    high: Decimal
    last: Decimal
    quantity: Decimal = ZERO
    book: OrderBook | None = None

    @property
    def is_bar(self) -> bool:
        return self.kind in (EventKind.BAR_OPEN, EventKind.BAR_CLOSE)

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


WAITING: Final = Match(arrived=False)
RESTING: Final = Match()


def exact(number: float) -> Decimal:
    """Return the shortest decimal that reads back as this float."""
    return Decimal(repr(float(number)))


def read_row(kind: int, ts: int, values: Columns, book: OrderBook | None) -> Row:
    """Return a batch's row in decimals."""
    event = EventKind(kind)
    if event is EventKind.QUOTE:
        bid, ask = exact(values[0]), exact(values[1])
        mid = (bid + ask) / 2
        return Row(event, ts, bid, ask, mid, mid, mid, mid, book=book)
    first = exact(values[0])
    if event is EventKind.BAR_CLOSE:
        return Row(event, ts, first, first, first, exact(values[2]), exact(values[1]), exact(values[3]))
    quantity = exact(values[1]) if event is EventKind.TRADE else ZERO
    return Row(event, ts, first, first, first, first, first, first, quantity, book)


def phase_of(request: OrderRequest, *, arrived: bool) -> Phase:
    """Return when an order is served within an event."""
    if request.type is OrderType.MARKET:
        return Phase.MARKET
    if request.type is OrderType.STOP_MARKET:
        return Phase.STOP
    return Phase.RESTING if arrived else Phase.ARRIVAL


def match_market(
    instrument: Instrument, request: OrderRequest, left: Decimal, row: Row, slip: Decimal
) -> Match:
    """Serve a market order: the bar's open with slippage, the quote, or the book's levels."""
    if row.kind is EventKind.BAR_CLOSE or (row.kind is EventKind.TRADE and row.book is None):
        return WAITING
    if row.book is not None:
        return _walk(instrument, request.side, left, row.book)
    return Match((Execution(_taker(instrument, request.side, row, slip), left, Liquidity.TAKER),))


def match_arrival(
    instrument: Instrument, request: OrderRequest, left: Decimal, row: Row, slip: Decimal
) -> Match:
    """Serve a limit order that meets the market for the first time: taker when it crosses."""
    limit = _price_of(request)
    if row.kind is EventKind.TRADE and row.book is None:
        return WAITING
    best = _best(row, request.side)
    if best is None or not limit_crosses(request.side, limit, best):
        return RESTING
    if request.post_only:
        return Match(cancel_reason="a post-only order would have traded on arrival")
    if row.book is not None:
        walked = _walk(instrument, request.side, left, row.book, limit)
        return Match(walked.executions)
    price = (
        crossing_limit_price(request.side, limit, best, slip, instrument.tick_size)
        if row.is_bar
        else round_price_against(request.side, best, instrument.tick_size)
    )
    return Match((Execution(price, left, Liquidity.TAKER),))


def match_stop(
    instrument: Instrument, request: OrderRequest, left: Decimal, row: Row, slip: Decimal
) -> Match:
    """Serve a stop: the worse of stop and open on bars, the market once its own side reaches it."""
    stop = request.stop_price
    if stop is None or row.kind is EventKind.TRADE:
        return RESTING
    if row.is_bar:
        if not stop_is_hit(request.side, stop, row.low, row.high):
            return RESTING
        base = stop_base_price(request.side, stop, row.first)
        price = taker_price(request.side, base, slip, instrument.tick_size)
        return Match((Execution(price, left, Liquidity.TAKER),))
    price = row.taker_side(request.side)
    if not stop_is_hit(request.side, stop, price, price):
        return RESTING
    if row.book is not None:
        return _walk(instrument, request.side, left, row.book)
    return Match((Execution(_taker(instrument, request.side, row, slip), left, Liquidity.TAKER),))


def match_resting(instrument: Instrument, request: OrderRequest, left: Decimal, row: Row) -> Match:
    """Serve a resting limit order at its own price, when the market went strictly beyond it."""
    limit = _price_of(request)
    low, high = (row.ask, row.bid) if row.kind is EventKind.QUOTE else (row.low, row.high)
    if not limit_is_traded_through(request.side, limit, low, high):
        return RESTING
    quantity = left
    if row.kind is EventKind.TRADE:
        quantity = min(left, round_quantity_down(row.quantity, instrument.lot_size))
    elif row.book is not None:
        quantity = min(left, _visible_beyond(instrument, request.side, limit, row.book))
    if quantity <= 0:
        return RESTING
    return Match((Execution(limit, quantity, Liquidity.MAKER),))


def _price_of(request: OrderRequest) -> Decimal:
    if request.price is None:  # the venue's check refused such a request
        raise AssertionError("a limit order without a price")
    return request.price


def _best(row: Row, side: Side) -> Decimal | None:
    if row.book is None:
        return row.taker_side(side)
    best = row.book.best_ask() if side is Side.BUY else row.book.best_bid()
    return None if best is None else exact(best)


def _taker(instrument: Instrument, side: Side, row: Row, slip: Decimal) -> Decimal:
    """Slippage stands for the spread that bars do not show; a quote shows it."""
    if row.is_bar:
        return taker_price(side, row.first, slip, instrument.tick_size)
    return round_price_against(side, row.taker_side(side), instrument.tick_size)


def _walk(
    instrument: Instrument, side: Side, left: Decimal, book: OrderBook, limit: Decimal | None = None
) -> Match:
    executions = []
    for level, visible in book.sweep(is_buy=side is Side.BUY, quantity=float("inf")):
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
