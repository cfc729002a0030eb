"""What a backtest leaves behind: fills, round trips, equity, metrics. Nouns only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from amarktai.backtest.metrics import Metrics
from amarktai.domain.bar import Floats, Int64s
from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import notional
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.domain.position import Execution, Position, Realised, apply_execution


@dataclass(frozen=True, slots=True)
class SimulatedFill:
    """One execution. Units: ts ns UTC, price quote per base, quantity base, fee quote.

    ``ts`` is the bar's open for fills at the open and the bar's close for fills inside the bar, which
    is when a feed of bars can know of them. ``tag`` and ``reason`` are those of the order.
    """

    ts: int
    tag: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    reason: str

    @property
    def notional(self) -> Decimal:
        """Quantity × price in quote, at the ledger's scale."""
        return notional(self.quantity, self.price)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """From the first fill that leaves flat to the fill that makes flat again.

    Units: ns UTC, base, quote per base (averages over the fills, fees aside), quote. ``profit`` is
    net of all ``fees``.
    """

    opened_ts: int
    closed_ts: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees: Decimal
    profit: Decimal
    exit_reason: str


def execute(position: Position, fill: SimulatedFill) -> tuple[Position, Realised]:
    """Return the position after the fill and what it realised."""
    execution = Execution(fill.side, fill.quantity, fill.notional, fee_in_quote=fill.fee)
    return apply_execution(position, execution)


def round_trips(fills: Iterable[SimulatedFill]) -> tuple[RoundTrip, ...]:
    """Return the closed round trips of fills in their order; an open one is left out."""
    closed: list[RoundTrip] = []
    position, pending = Position(), list[SimulatedFill]()
    profit = ZERO
    for fill in fills:
        position, realised = execute(position, fill)
        pending.append(fill)
        profit += realised.net
        if position.is_flat:
            closed.append(_round_trip(pending, profit))
            pending, profit = [], ZERO
    return tuple(closed)


def _round_trip(fills: list[SimulatedFill], profit: Decimal) -> RoundTrip:
    buys = [fill for fill in fills if fill.side is Side.BUY]
    sells = [fill for fill in fills if fill.side is Side.SELL]
    bought = sum((fill.quantity for fill in buys), ZERO)
    sold = sum((fill.quantity for fill in sells), ZERO)
    return RoundTrip(
        opened_ts=fills[0].ts,
        closed_ts=fills[-1].ts,
        quantity=bought,
        entry_price=sum((fill.quantity * fill.price for fill in buys), ZERO) / bought,
        exit_price=sum((fill.quantity * fill.price for fill in sells), ZERO) / sold,
        fees=sum((fill.fee for fill in fills), ZERO),
        profit=profit,
        exit_reason=fills[-1].reason,
    )


@dataclass(frozen=True, slots=True)
class TradeTable:
    """The closed round trips as columns, for figures and charts; ``RoundTrip`` has the exact amounts.

    Shapes: every column [t].  Units: ns UTC, base, quote per base, quote; profit net of fees.
    """

    opened_ts: Int64s
    closed_ts: Int64s
    quantity: Floats
    entry_price: Floats
    exit_price: Floats
    fees: Floats
    profit: Floats


def trade_table(trips: Sequence[RoundTrip]) -> TradeTable:
    """Return round trips as columns."""

    def column(name: str) -> Floats:
        return np.array([float(getattr(trip, name)) for trip in trips], dtype=np.float64)

    return TradeTable(
        opened_ts=np.array([trip.opened_ts for trip in trips], dtype=np.int64),
        closed_ts=np.array([trip.closed_ts for trip in trips], dtype=np.int64),
        quantity=column("quantity"),
        entry_price=column("entry_price"),
        exit_price=column("exit_price"),
        fees=column("fees"),
        profit=column("profit"),
    )


@dataclass(frozen=True)
class BacktestResult:
    """A run and its outcome.

    Shapes: ts_close int64[n] ns UTC; equity float64[n] in quote at each close; drawdown float64[n] in
    [−1, 0].  ``load_fills`` builds the decimal fills when somebody asks: a run over a million bars
    need not pay for them.
    """

    strategy_id: str
    params: Any
    instrument_id: str
    timeframe: str
    profile: str
    capital: Decimal
    stake: Decimal
    ts_close: Int64s
    equity: Floats
    drawdown: Floats
    trades: TradeTable
    metrics: Metrics
    load_fills: Callable[[], tuple[SimulatedFill, ...]]

    @cached_property
    def fills(self) -> tuple[SimulatedFill, ...]:
        """Every execution, in order of time."""
        return self.load_fills()

    @cached_property
    def round_trips(self) -> tuple[RoundTrip, ...]:
        """The closed round trips, in order of time."""
        return round_trips(self.fills)
