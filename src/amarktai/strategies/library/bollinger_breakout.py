"""Bollinger breakout: buys a close above the upper band, sells a close under the middle."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.domain.bar import Bars
from amarktai.indicators.averages import bollinger
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, Strategy, parameter


@dataclass(frozen=True, slots=True)
class Params:
    period: int = parameter(20, 2, 400, "Length of the bands", unit="bars")
    width: float = parameter(2.0, 0.1, 5, "Distance of the bands", unit="standard deviations")
    stop: float = parameter(0.03, 0, 0.5, "Stop loss below the entry price, 0 for none", unit="ratio")
    target: float = parameter(0.0, 0, 5, "Take profit above the entry price, 0 for none", unit="ratio")
    trailing: float = parameter(
        0.0, 0, 0.5, "Trailing stop below the highest price, 0 for none", unit="ratio"
    )


def warmup(params: Params) -> int:
    return params.period + 1


def signals(bars: Bars, params: Params) -> Signals:
    _, middle, upper = bollinger(bars.close, params.period, params.width)
    return Signals(
        entry_gates=(GateSeries("close breaks the upper band", bars.close, Op.CROSSES_ABOVE, upper),),
        exit_gates=(GateSeries("close under the middle band", bars.close, Op.BELOW, middle),),
    )


def exits(params: Params) -> Exits:
    return Exits.of(stop=params.stop, target=params.target, trailing=params.trailing)


STRATEGY = Strategy(
    id="bollinger_breakout",
    title="Bollinger breakout",
    description="Buys strength: enters when the close breaks out above the upper band and leaves when "
    "it falls under the middle.",
    source="Bollinger, “Bollinger on Bollinger Bands” (2001), method I, volatility breakout.",
    params=Params,
    warmup=warmup,
    signals=signals,
    exits=exits,
)
