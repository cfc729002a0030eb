"""Donchian trend: buys a close above the highest high, sells a close below the lowest low."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.domain.bar import Bars
from amarktai.indicators.channels import donchian
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, Strategy, parameter


@dataclass(frozen=True, slots=True)
class Params:
    entry_period: int = parameter(20, 2, 400, "Buys above the highest high of so many bars", unit="bars")
    exit_period: int = parameter(10, 2, 400, "Sells below the lowest low of so many bars", unit="bars")
    stop: float = parameter(0.04, 0, 0.5, "Stop loss below the entry price, 0 for none", unit="ratio")
    target: float = parameter(0.0, 0, 5, "Take profit above the entry price, 0 for none", unit="ratio")
    trailing: float = parameter(
        0.0, 0, 0.5, "Trailing stop below the highest price, 0 for none", unit="ratio"
    )


def check(params: Params) -> str | None:
    if params.exit_period > params.entry_period:
        return f"exit_period ({params.exit_period}) must not exceed entry_period ({params.entry_period})"
    return None


def warmup(params: Params) -> int:
    return params.entry_period + 1


def signals(bars: Bars, params: Params) -> Signals:
    _, upper = donchian(bars.high, bars.low, params.entry_period)
    lower, _ = donchian(bars.high, bars.low, params.exit_period)
    return Signals(
        entry_gates=(GateSeries("close above the channel", bars.close, Op.ABOVE, upper),),
        exit_gates=(GateSeries("close below the channel", bars.close, Op.BELOW, lower),),
    )


def exits(params: Params) -> Exits:
    return Exits.of(stop=params.stop, target=params.target, trailing=params.trailing)


STRATEGY = Strategy(
    id="donchian_trend",
    title="Donchian trend",
    description="Follows breakouts: enters at a new high of the channel and leaves at a new low of a "
    "shorter one.",
    source="Donchian's channel rule in the form of the Turtles' System 1 (20 in, 10 out): Faith, “Way "
    "of the Turtle” (2007), without its unit pyramiding.",
    params=Params,
    warmup=warmup,
    signals=signals,
    exits=exits,
    check=check,
)
