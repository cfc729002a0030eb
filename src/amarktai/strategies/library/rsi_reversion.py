"""RSI reversion: buys when an oversold market starts to recover, sells when it has recovered."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.domain.bar import Bars
from amarktai.indicators.oscillators import rsi, wilder_memory
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, Strategy, parameter


@dataclass(frozen=True, slots=True)
class Params:
    period: int = parameter(14, 2, 100, "Length of the index", unit="bars")
    oversold: float = parameter(30.0, 1, 50, "The index must rise through this level to buy")
    recovered: float = parameter(55.0, 30, 99, "Sells once the index is above this level")
    stop: float = parameter(0.05, 0, 0.5, "Stop loss below the entry price, 0 for none", unit="ratio")
    target: float = parameter(0.0, 0, 5, "Take profit above the entry price, 0 for none", unit="ratio")
    trailing: float = parameter(
        0.0, 0, 0.5, "Trailing stop below the highest price, 0 for none", unit="ratio"
    )


def check(params: Params) -> str | None:
    if params.oversold >= params.recovered:
        return f"oversold ({params.oversold}) must be below recovered ({params.recovered})"
    return None


def warmup(params: Params) -> int:
    return wilder_memory(params.period) + 1


def signals(bars: Bars, params: Params) -> Signals:
    index = rsi(bars.close, params.period)
    return Signals(
        entry_gates=(GateSeries("RSI leaves oversold", index, Op.CROSSES_ABOVE, params.oversold),),
        exit_gates=(GateSeries("RSI has recovered", index, Op.ABOVE, params.recovered),),
    )


def exits(params: Params) -> Exits:
    return Exits.of(stop=params.stop, target=params.target, trailing=params.trailing)


STRATEGY = Strategy(
    id="rsi_reversion",
    title="RSI reversion",
    description="Buys weakness: enters when the relative strength index climbs out of oversold and "
    "leaves when it is back above its middle.",
    source="Wilder, “New Concepts in Technical Trading Systems” (1978), section VI: the index and its "
    "30 line.",
    params=Params,
    warmup=warmup,
    signals=signals,
    exits=exits,
    check=check,
)
