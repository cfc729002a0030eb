"""Builders for decider tests: accounts, closed bars and fills with the parts that matter spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from amarktai.domain.bar import Bar, Bars
from amarktai.domain.instrument import Instrument
from amarktai.domain.order import Side
from amarktai.strategies.contract import (
    Account,
    BarClosed,
    Cancel,
    Decision,
    OrderFilled,
    Place,
    SignalReading,
    StrategyEvent,
)
from amarktai.strategies.signal_trader import Decide
from tests.market_data import BINANCE

NO_BARS = Bars("1h", np.empty(0, dtype=np.int64), *(np.empty(0) for _ in range(5)))


def closed_bar(
    close: float,
    *,
    high: float | None = None,
    low: float | None = None,
    entry: bool = False,
    exit_: bool = False,
) -> BarClosed:
    bar = Bar(0, 1, close, close if high is None else high, close if low is None else low, close, 1.0)
    return BarClosed(bar, NO_BARS, SignalReading(entry, exit_, (), ()))


def filled(tag: str, side: Side, price: str, quantity: str, remaining: str = "0") -> OrderFilled:
    return OrderFilled(tag, side, Decimal(price), Decimal(quantity), Decimal(remaining))


@dataclass
class Desk:
    """Holds a decider's state and account between events, and applies nothing by itself."""

    decide: Decide
    params: Any
    instrument: Instrument = BINANCE
    capital: Decimal = Decimal(10_000)
    stake: Decimal = Decimal(1_000)
    cash: Decimal = Decimal(10_000)
    quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    working: set[str] = field(default_factory=set)
    state: Mapping[str, Any] = field(default_factory=dict)

    def tell(self, event: StrategyEvent) -> Decision:
        account = Account(
            self.instrument,
            self.capital,
            self.stake,
            self.cash,
            self.quantity,
            self.average_price,
            frozenset(self.working),
        )
        decision = self.decide(self.state, event, account, self.params)
        self.state = decision.state
        return decision


def places(decision: Decision) -> dict[str, Place]:
    return {action.tag: action for action in decision.actions if isinstance(action, Place)}


def cancels(decision: Decision) -> list[str]:
    return [action.tag for action in decision.actions if isinstance(action, Cancel)]
