"""EMA cross: buys when the fast average crosses above the slow one, sells when it crosses below."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.domain.bar import Bars
from amarktai.indicators.averages import ema, ema_memory
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, Strategy, parameter


@dataclass(frozen=True, slots=True)
class Params:
    fast: int = parameter(12, 2, 200, "Length of the fast average", unit="bars")
    slow: int = parameter(26, 3, 400, "Length of the slow average", unit="bars")
    stop: float = parameter(0.02, 0, 0.5, "Stop loss below the entry price, 0 for none", unit="ratio")
    target: float = parameter(0.0, 0, 5, "Take profit above the entry price, 0 for none", unit="ratio")
    trailing: float = parameter(
        0.0, 0, 0.5, "Trailing stop below the highest price, 0 for none", unit="ratio"
    )


def check(params: Params) -> str | None:
    if params.fast >= params.slow:
        return f"The fast average ({params.fast}) must be shorter than the slow one ({params.slow})"
    return None


def warmup(params: Params) -> int:
    return ema_memory(params.slow) + 1


def signals(bars: Bars, params: Params) -> Signals:
    fast, slow = ema(bars.close, params.fast), ema(bars.close, params.slow)
    return Signals(
        entry_gates=(GateSeries("fast EMA over slow EMA", fast, Op.CROSSES_ABOVE, slow),),
        exit_gates=(GateSeries("fast EMA under slow EMA", fast, Op.CROSSES_BELOW, slow),),
    )


def exits(params: Params) -> Exits:
    return Exits.of(stop=params.stop, target=params.target, trailing=params.trailing)


STRATEGY = Strategy(
    id="ema_cross",
    title="EMA cross",
    description="Follows the trend: buys when the fast average crosses above the slow one and sells "
    "when it crosses back below.",
    source="Brock, Lakonishok, LeBaron, “Simple Technical Trading Rules and the Stochastic Properties "
    "of Stock Returns”, Journal of Finance 47 (1992), with exponential averages; 12/26 are the lengths "
    "of Appel's MACD (1979).",
    params=Params,
    warmup=warmup,
    signals=signals,
    exits=exits,
    check=check,
)
