"""What every library strategy does on known bars: statistics and a hash of its order list.

``python -m tests.golden.strategy_results`` writes the file anew, after a change that is meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from amarktai.backtest.driver import run_backtest
from amarktai.backtest.result import BacktestResult
from amarktai.domain.bar import Bars
from amarktai.domain.instrument import Instrument
from amarktai.strategies.contract import Strategy, parse_params
from amarktai.strategies.registry import strategies
from tests.market_data import BINANCE, KUCOIN, binance_1h, kucoin_4h, synthetic

GOLDEN: Final = Path(__file__).with_name("strategies.json")
CAPITAL, STAKE = Decimal(10_000), Decimal(3_000)


def _last_hours() -> Bars:
    bars = binance_1h()
    return bars.slice(len(bars) - 12_000, len(bars))


SYNTHETIC: Final = "synthetic"
SERIES: Final[dict[str, tuple[Callable[[], Bars], Instrument]]] = {
    SYNTHETIC: (partial(synthetic, 5_000, 1), BINANCE),
    "binance_1h": (_last_hours, BINANCE),
    "kucoin_4h": (kucoin_4h, KUCOIN),
}


def order_hash(result: BacktestResult) -> str:
    """Return a hash over every fill's time, tag, side, price, quantity, fee and reason."""
    digest = hashlib.sha256()
    for fill in result.fills:
        numbers = (f"{value.normalize():f}" for value in (fill.price, fill.quantity, fill.fee))
        digest.update(" ".join([str(fill.ts), fill.tag, fill.side, *numbers, fill.reason, "\n"]).encode())
    return digest.hexdigest()


def outcome(strategy: Strategy, series: str) -> dict[str, Any]:
    """Return the statistics and the hash of one strategy with its default parameters."""
    load, instrument = SERIES[series]
    params = parse_params(strategy, {})
    result = run_backtest(strategy, params, load(), instrument, capital=CAPITAL, stake=STAKE)
    figures = result.metrics
    return {
        "orders": order_hash(result),
        "fills": len(result.fills),
        "trades": figures.trade_count,
        "profit": str(sum(trip.profit for trip in result.round_trips)),
        "fees": str(sum(fill.fee for fill in result.fills)),
        "total_return": figures.total_return,
        "max_drawdown": figures.max_drawdown,
        "sharpe": figures.sharpe,
        "sortino": figures.sortino,
        "win_rate": figures.win_rate,
        "profit_factor": figures.profit_factor,
        "exposure": figures.exposure,
    }


def main() -> None:
    table = {series: {item.id: outcome(item, series) for item in strategies().values()} for series in SERIES}
    GOLDEN.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
