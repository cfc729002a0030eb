"""What a strategy is: frozen parameters, and either ``signals`` (arrays) or ``decide`` (events).

The same object runs in backtest, replay, paper and live. Strategies are pure: no clock, no I/O,
no randomness. Each library file exports one ``STRATEGY``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.bar import Bar, Bars, Floats
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument
from amarktai.domain.order import OrderType, Side
from amarktai.indicators.crossings import crosses_above, crosses_below

Bools = npt.NDArray[np.bool_]


def _known(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


class Op(StrEnum):
    """How a gate compares its value with its threshold."""

    ABOVE = ">"
    BELOW = "<"
    CROSSES_ABOVE = "crosses above"
    CROSSES_BELOW = "crosses below"


@dataclass(frozen=True, slots=True)
class GateSeries:
    """One named condition over all bars; the decision trace shows its last row.

    Shapes: value [n]; threshold [n] or one number.  NaN never passes.
    """

    name: str
    value: Floats
    op: Op
    threshold: Floats | float

    def passed(self) -> Bools:
        """Return the condition per bar: bool[n]."""
        threshold = np.broadcast_to(np.asarray(self.threshold, dtype=np.float64), self.value.shape)
        if self.op is Op.ABOVE:
            return self.value > threshold
        if self.op is Op.BELOW:
            return self.value < threshold
        threshold = np.ascontiguousarray(threshold)
        crosses = crosses_above if self.op is Op.CROSSES_ABOVE else crosses_below
        return crosses(np.ascontiguousarray(self.value), threshold)

    def reading(self, index: int) -> Gate:
        """Return the gate at one bar. Looks at that bar and the one before it only."""
        index = range(len(self.value))[index]
        rows = slice(max(index - 1, 0), index + 1)
        threshold = self.threshold if isinstance(self.threshold, float | int) else self.threshold[rows]
        near = GateSeries(self.name, self.value[rows], self.op, threshold)
        limit = near.threshold if isinstance(near.threshold, float | int) else near.threshold[-1]
        return Gate(self.name, _known(near.value[-1]), self.op.value, _known(limit), bool(near.passed()[-1]))


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition at one moment. ``value`` None means that it could not be computed yet."""

    name: str
    value: float | None
    op: str
    threshold: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Signals:
    """Entry needs every entry gate; exit needs any exit gate.

    Shapes: every gate [n] like the bars they were computed on.
    """

    entry_gates: tuple[GateSeries, ...]
    exit_gates: tuple[GateSeries, ...]

    def entry(self) -> Bools:
        return reduce(np.logical_and, (gate.passed() for gate in self.entry_gates))

    def exit(self) -> Bools:
        return reduce(np.logical_or, (gate.passed() for gate in self.exit_gates))

    def reading(self, index: int) -> SignalReading:
        """Return both signals and their gates at one bar."""
        entry_gates = tuple(gate.reading(index) for gate in self.entry_gates)
        exit_gates = tuple(gate.reading(index) for gate in self.exit_gates)
        return SignalReading(
            entry=all(gate.passed for gate in entry_gates),
            exit=any(gate.passed for gate in exit_gates),
            entry_gates=entry_gates,
            exit_gates=exit_gates,
        )


@dataclass(frozen=True, slots=True)
class SignalReading:
    """The signals of the bar that just closed."""

    entry: bool
    exit: bool
    entry_gates: tuple[Gate, ...]
    exit_gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class Exits:
    """Protective exits as ratios of the entry price (0.02 is 2 %); None switches one off.

    The stop and the target rest on the venue as a one-cancels-other pair from the entry fill on.
    The trailing stop is raised at each bar's close to (1 − trailing) × the highest high since entry.
    """

    stop: float | None = None
    target: float | None = None
    trailing: float | None = None

    @classmethod
    def of(cls, *, stop: float = 0.0, target: float = 0.0, trailing: float = 0.0) -> Exits:
        """Return the exits of these ratios, where 0 switches one off."""
        return cls(stop or None, target or None, trailing or None)


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar closed. ``signal`` is set for signal strategies; ``bars`` is the window up to this bar."""

    bar: Bar
    bars: Bars
    signal: SignalReading | None = None


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """One of the bot's orders filled, wholly (remaining 0) or partly."""

    tag: str
    side: Side
    price: Decimal
    quantity: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class OrderClosed:
    """One of the bot's orders ended without filling completely (canceled, rejected, denied)."""

    tag: str
    reason: str


StrategyEvent = BarClosed | OrderFilled | OrderClosed


@dataclass(frozen=True, slots=True)
class Account:
    """What the bot has, as the ledger says.

    Units: capital and cash in quote (cash excludes what open orders reserve), quantity base,
    average_price quote per base with fees (None while flat). ``stake`` is the most that one
    position may cost, in quote. ``working`` are the tags of the orders that are not terminal.
    """

    instrument: Instrument
    capital: Decimal
    stake: Decimal
    cash: Decimal
    quantity: Decimal
    average_price: Decimal | None
    working: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Wish for an order. quantity base; price, stop_price quote per base. The tag names its role."""

    tag: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    oco_group: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Wish to cancel the working order with this tag. Cancels are carried out before places."""

    tag: str
    reason: str


Action = Place | Cancel


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy decided, and why. ``state`` is JSON-like and comes back with the next event."""

    state: Mapping[str, Any]
    actions: tuple[Action, ...] = ()
    verdict: str = "hold"
    reason: str = ""
    gates: tuple[Gate, ...] = ()


def parameter(
    default: float, low: float, high: float, description: str, *, unit: str = ""
) -> Any:  # a dataclass field, typed by its annotation
    """Declare a strategy parameter with its allowed range [low, high]."""
    return field(
        default=default, metadata={"low": low, "high": high, "description": description, "unit": unit}
    )


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy's card and code.

    ``signals(bars, params)`` or ``decide(state, event, account, params)``, never both.
    ``warmup(params)`` is the number of bars needed before the first decision; it is long enough that
    a window of that length gives the same values as the whole history (relative 1e-9).
    ``check(params)`` returns a sentence when parameters contradict each other, else None.
    """

    id: str
    title: str
    description: str
    source: str
    params: type[Any]
    warmup: Callable[[Any], int]
    signals: Callable[[Bars, Any], Signals] | None = None
    exits: Callable[[Any], Exits] | None = None
    decide: Callable[[Mapping[str, Any], StrategyEvent, Account, Any], Decision] | None = None
    check: Callable[[Any], str | None] | None = None
    default_timeframe: str = "1h"


_INTEGER: Final = frozenset({"int", int})


def parameter_fields(strategy: Strategy) -> tuple[Field[Any], ...]:
    """Return the parameter fields in the order in which people see them."""
    return fields(strategy.params)


def parse_params(strategy: Strategy, given: Mapping[str, Any]) -> Any:
    """Build the strategy's frozen parameters from plain values.

    Raises: InvalidInput naming the parameter, its range, and for an unknown name the nearest one.
    """
    known = {item.name: item for item in parameter_fields(strategy)}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known parameters: {', '.join(known)}."
            raise InvalidInput("VALIDATION_ERROR", f"{strategy.title} has no parameter {name!r}", hint)
    values = {name: _parse_value(item, given[name]) for name, item in known.items() if name in given}
    params = strategy.params(**values)
    problem = strategy.check(params) if strategy.check else None
    if problem:
        raise InvalidInput("VALIDATION_ERROR", problem, "Change one of the two parameters.")
    return params


def _parse_value(item: Field[Any], value: Any) -> float | int:
    low, high = item.metadata["low"], item.metadata["high"]
    action = f"Choose a value from {low} to {high}."
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput("VALIDATION_ERROR", f"{item.name} must be a number, got {value!r}", action)
    if item.type in _INTEGER and value != int(value):
        raise InvalidInput("VALIDATION_ERROR", f"{item.name} must be a whole number, got {value}", action)
    if not low <= value <= high:
        raise InvalidInput("VALIDATION_ERROR", f"{item.name} is out of range: {value}", action)
    return int(value) if item.type in _INTEGER else float(value)


def default_of(item: Field[Any]) -> float:
    """Return a parameter's default."""
    if item.default is MISSING:
        raise InvalidInput("VALIDATION_ERROR", f"{item.name} has no default")
    default: float = item.default
    return default
