"""The backtest's own event loop: runs any decider on bars, in decimals, with the paper venue's rules.

The order of things, the same as in ``domain/fill_model`` (which holds the rules) and in the engine
over a paper venue in replay. For each bar:

1. Open, at ts_open. Orders that arrived since the last open, in the order of their placement: market
   orders fill, limit orders that cross fill as takers (post-only ones are rejected), the rest rests.
2. Inside, at ts_close: ``next_bar_fill`` until it returns None.
3. Close, at ts_close, from bar ``warmup − 1`` on: the decider gets ``BarClosed``.

A fill is booked first; then the others of its OCO group are canceled; then the decider gets
``OrderFilled`` and after it an ``OrderClosed`` for each canceled order, and everything that it does in
answer is carried out, before the next order is looked at. A decision's cancels come before its places;
each cancel and each denied place comes back as ``OrderClosed`` after the whole decision was applied.

Before an order is accepted it is checked as the order path does: venue minimums (a stop's at the last
price that is known, as the venue sees it), free cash for buys, the quantity held for sells, and that
an entry can be sold again after a fall. No order may trade against one of the same account. Buys
reserve ``fill_model.buy_reservation`` and never cost more (``within_budget``): a fill that is cut short
comes as ``OrderFilled`` with what is left, followed by the order's own ``OrderClosed``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from amarktai.backtest.result import SimulatedFill, execute
from amarktai.domain.bar import Bars, Floats, timeframe_ns
from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import (
    BUDGET_SPENT,
    ExecutionProfile,
    OpenVerdict,
    Placed,
    PriceRange,
    SimulatedOrder,
    buy_reservation,
    exact,
    fee,
    limit_crosses,
    next_bar_fill,
    notional,
    open_outcome,
    refusal,
    within_budget,
)
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.domain.position import Position
from amarktai.strategies.contract import (
    Account,
    Action,
    BarClosed,
    Cancel,
    OrderClosed,
    OrderFilled,
    Place,
    Signals,
    StrategyEvent,
)
from amarktai.strategies.signal_trader import Decide
from amarktai.strategies.sizing import entry_refusal

#: More answers to answers than this within one bar mean a decider that talks to itself.
MAX_EVENTS_A_STEP: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Working:
    """An order at the simulated venue. ``reserved`` in quote for buys."""

    wish: Place
    order: SimulatedOrder
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class EventRun:
    """What the loop leaves behind. Shapes: equity float64[n] in quote at each close."""

    fills: tuple[SimulatedFill, ...]
    equity: Floats
    bars_held: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Where and with what a decider trades. Units: capital and stake in quote."""

    instrument: Instrument
    capital: Decimal
    stake: Decimal
    profile: ExecutionProfile


class EventLoop:
    """One decider, one instrument, one account. Feed it with ``run`` once."""

    def __init__(self, decide: Decide, params: Any, desk: Desk) -> None:
        self._decide = decide
        self._params = params
        self._desk = desk
        self._state: Any = {}
        self._cash = desk.capital
        self._position = Position()
        self._working: dict[str, _Working] = {}
        self._fills: list[SimulatedFill] = []
        self._placed = Placed.AT_CLOSE
        self._sequence = 0
        self._price = ZERO  # the last that is known: what market buys are reserved at
        self._ts = 0

    def run(self, bars: Bars, *, warmup: int, signals: Signals | None) -> EventRun:
        """Run over the bars. ``signals`` are those of a signal strategy over the same bars."""
        equity = np.empty(len(bars))
        held = 0
        length = timeframe_ns(bars.timeframe)
        for index in range(len(bars)):
            ts_open = int(bars.ts_open[index])
            if self._working:
                self._ts = ts_open
                self._open(exact(bars.open[index]))
                self._ts = ts_open + length
                self._inside(bars, index)
            self._ts = ts_open + length
            held += not self._position.is_flat
            equity[index] = float(self._cash) + float(self._position.quantity) * float(bars.close[index])
            if index >= warmup - 1:
                self._close(bars, index, warmup, signals)
        return EventRun(tuple(self._fills), equity, held)

    def _open(self, bar_open: Decimal) -> None:
        self._price = bar_open
        self._placed = Placed.AT_OPEN
        arrived = [item for item in self._working.values() if self._arrives(item)]
        for item in sorted(arrived, key=lambda item: item.order.sequence):
            if self._working.get(item.wish.tag) is not item:
                continue  # canceled by what an earlier fill caused
            outcome = open_outcome(item.order, bar_open, self._desk.instrument, self._desk.profile)
            if outcome.verdict is OpenVerdict.FILL:
                assert outcome.price is not None
                self._fill(item, outcome.price, Liquidity.TAKER)
            elif outcome.verdict is OpenVerdict.REJECT:
                del self._working[item.wish.tag]
                self._deliver(deque([OrderClosed(item.wish.tag, "post-only would have crossed")]))
            else:
                self._rest(item)

    def _arrives(self, item: _Working) -> bool:
        fresh = item.order.placed in (Placed.AT_CLOSE, Placed.INSIDE)
        return fresh or item.order.type is OrderType.MARKET

    def _rest(self, item: _Working) -> None:
        rested = replace(item, order=replace(item.order, placed=Placed.EARLIER))
        self._working[item.wish.tag] = rested

    def _inside(self, bars: Bars, index: int) -> None:
        self._placed = Placed.INSIDE
        self._price = exact(bars.close[index])  # the path is known once the bar has closed
        bar = PriceRange(exact(bars.open[index]), exact(bars.high[index]), exact(bars.low[index]))
        while True:
            by_sequence = {item.order.sequence: item for item in self._working.values()}
            orders = (item.order for item in by_sequence.values())
            fill = next_bar_fill(orders, bar, self._desk.instrument, self._desk.profile)
            if fill is None:
                return
            self._fill(by_sequence[fill.order.sequence], fill.price, fill.liquidity)

    def _close(self, bars: Bars, index: int, warmup: int, signals: Signals | None) -> None:
        self._placed = Placed.AT_CLOSE
        self._price = exact(bars.close[index])
        window = bars.slice(max(index + 1 - warmup, 0), index + 1)
        reading = signals.reading(index) if signals is not None else None
        self._deliver(deque([BarClosed(bars[index], window, reading)]))

    def _fill(self, item: _Working, price: Decimal, liquidity: Liquidity) -> None:
        wish, instrument = item.wish, self._desk.instrument
        budget = item.reserved if wish.side is Side.BUY else None
        quantity = within_budget(wish.quantity, price, liquidity, budget, instrument)
        del self._working[wish.tag]
        unpaid = wish.quantity - quantity
        canceled = [OrderClosed(wish.tag, BUDGET_SPENT)] if unpaid else []
        if quantity == ZERO:
            self._deliver(deque[StrategyEvent](canceled))
            return
        cost = fee(notional(quantity, price), liquidity, instrument.fees)
        fill = SimulatedFill(self._ts, wish.tag, wish.side, price, quantity, cost, liquidity, wish.reason)
        self._position, _ = execute(self._position, fill)
        sign = -1 if wish.side is Side.BUY else 1
        self._cash += sign * fill.notional - fill.fee
        self._fills.append(fill)
        events = deque[StrategyEvent]([OrderFilled(wish.tag, wish.side, price, quantity, unpaid), *canceled])
        for other in list(self._working.values()):
            if wish.oco_group is not None and other.wish.oco_group == wish.oco_group:
                del self._working[other.wish.tag]
                events.append(OrderClosed(other.wish.tag, f"one cancels other: {wish.tag} filled"))
        self._deliver(events)

    def _deliver(self, events: deque[StrategyEvent]) -> None:
        delivered = 0
        while events:
            event = events.popleft()
            decision = self._decide(self._state, event, self._account(), self._params)
            self._state = decision.state
            events.extend(self._apply(decision.actions))
            delivered += 1
            if delivered > MAX_EVENTS_A_STEP:
                raise BrokenInvariant(f"the strategy answers its own orders without end: {event}")

    def _account(self) -> Account:
        reserved = sum((item.reserved for item in self._working.values()), ZERO)
        return Account(
            instrument=self._desk.instrument,
            capital=self._desk.capital,
            stake=self._desk.stake,
            cash=self._cash - reserved,
            quantity=self._position.quantity,
            average_price=self._position.average_price,
            working=frozenset(self._working),
        )

    def _apply(self, actions: tuple[Action, ...]) -> list[StrategyEvent]:
        closed: list[StrategyEvent] = []
        for action in actions:
            if isinstance(action, Cancel) and self._working.pop(action.tag, None) is not None:
                closed.append(OrderClosed(action.tag, action.reason))
        for action in actions:
            if isinstance(action, Place):
                denied = self._place(action)
                if denied:
                    closed.append(OrderClosed(action.tag, denied))
        return closed

    def _place(self, wish: Place) -> str | None:
        if wish.tag in self._working:
            raise BrokenInvariant(f"the strategy placed {wish.tag!r} while it is working")
        reserved = ZERO
        if wish.side is Side.BUY:
            fees = self._desk.instrument.fees
            reserved = buy_reservation(wish.quantity, wish.price, self._price, fees)
        denied = self._denial(wish, reserved)
        if denied:
            return denied
        self._sequence += 1
        order = SimulatedOrder(
            self._sequence,
            wish.side,
            wish.type,
            wish.quantity,
            wish.price,
            wish.stop_price,
            wish.post_only,
            self._placed,
        )
        self._working[wish.tag] = _Working(wish, order, reserved)
        return None

    def _denial(self, wish: Place, reserved: Decimal) -> str | None:
        price = wish.price or self._price
        if self._crosses_itself(wish):
            return "denied: it would trade against an order of the same account"
        if wish.side is Side.BUY:
            if reserved > self._account().cash:
                return "denied: not enough cash"
            refused = entry_refusal(wish.quantity, price, self._desk.instrument)
        elif wish.quantity > self._position.quantity - self._promised(wish.oco_group):
            return "denied: more than is held"
        else:
            refused = refusal(wish.quantity, price, self._desk.instrument)
        return f"denied: {refused}" if refused else None

    def _crosses_itself(self, wish: Place) -> bool:
        """Return whether a limit order would meet one of the other side."""
        others = [item.wish.price for item in self._working.values() if item.wish.side is not wish.side]
        prices = [price for price in others if price is not None]
        return wish.price is not None and any(limit_crosses(wish.side, wish.price, price) for price in prices)

    def _promised(self, oco_group: str | None) -> Decimal:
        """Return what other sells could take, counting each OCO group once."""
        largest: dict[str, Decimal] = {}
        for tag, item in self._working.items():
            group = item.wish.oco_group
            if item.wish.side is Side.BUY or (group is not None and group == oco_group):
                continue
            key = f"group {group}" if group is not None else f"order {tag}"
            largest[key] = max(largest.get(key, ZERO), item.wish.quantity)
        return sum(largest.values(), ZERO)
