"""How fast the backtest kernel is beside a bare numba loop, vectorbt and raptorbt, in one run.

    python benchmarks/kernel.py               # 1,000,000 bars, ratios, memory, and a whole process
    python benchmarks/kernel.py --bars 100000

The work: EMA(12/26) cross with a 2 % stop, fixed stake, 0.1 % fee on seeded one-minute bars; from the
columns in memory to the trade list, the equity curve and the full set of metrics. Every contender runs
in a process of its own on one core: cold is its first call (CPU seconds, imports aside), warm the best
of the following ones, memory what its peak adds to the resident size before the first call. All must
make the same trades, or the run fails.

vectorbt and raptorbt never become dependencies of the platform: they live in ``.venv-bench``, made from
``requirements-bench.lock`` (``python benchmarks/kernel.py --setup``). Without it their lines are left
out and the run says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

ROOT: Final = Path(__file__).resolve().parents[1]
BENCH_VENV: Final = ROOT / ".venv-bench"
BENCH_PYTHON: Final = BENCH_VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONTENDERS: Final = ("bare", "amarktai", "vectorbt", "raptorbt")
FOREIGN: Final = ("vectorbt", "raptorbt")
REPEATS: Final = 9
FAST, SLOW, STOP = 12, 26, 0.02
FEE, STAKE, CAPITAL = 0.001, 1_000.0, 100_000.0
CUSHION: Final = 0.005  # what the platform leaves room for; all contenders buy the same quantities
LOT: Final = 100_000.0  # lots a base unit
REACH: Final = {"bare": 1.5, "vectorbt": 8.0, "raptorbt": 5.0}
MEMORY_REACH: Final = 4.0
WHOLE_PROCESS_BARS: Final = 100_000
WHOLE_PROCESS_REACH_S: Final = 1.2

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The input. Each bar opens at the last one's close, so that filling at a close or at the next
    open, which is where the contenders differ, is the same price."""

    ts: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, name).nbytes for name in self.__dataclass_fields__)


@dataclass(frozen=True)
class Trades:
    """Closed trades. Shapes: all [t]. Times are those of the close decided on or stopped in, ns UTC."""

    opened_ts: npt.NDArray[np.int64]
    closed_ts: npt.NDArray[np.int64]
    quantity: Floats
    entry_price: Floats
    exit_price: Floats
    profit: Floats


def make_columns(count: int) -> Columns:
    """Return seeded bars on a grid of 0.01, the same on every machine."""
    rng = np.random.Generator(np.random.PCG64(20_240_421))
    steps = np.cumsum(rng.integers(-1_500, 1_501, count))
    close = (4_000_000 + steps) / 100
    open_ = np.concatenate([[40_000.0], close[:-1]])
    high = np.maximum(open_, close) + rng.integers(0, 1_000, count) / 100
    low = np.minimum(open_, close) - rng.integers(0, 1_000, count) / 100
    if low.min() <= 1_000:
        raise SystemExit("the random walk came too close to zero: choose another seed")
    ts = 1_600_000_020_000_000_000 + np.arange(count, dtype=np.int64) * 60_000_000_000
    return Columns(ts, open_, high, low, close, np.ones(count))


# The contenders. Each returns a function that does the whole work and gives back its trades.


def amarktai(columns: Columns) -> Callable[[], Trades]:
    """Our kernel, through the general path that every signal strategy takes."""
    from amarktai.backtest.driver import run_backtest
    from amarktai.domain.bar import Bars
    from amarktai.domain.fill_model import ExecutionProfile
    from amarktai.domain.instrument import Fees, Instrument, Platform
    from amarktai.strategies.registry import strategy

    instrument = Instrument(
        venue=Platform.BINANCE,
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.000001"),
        lot_size=Decimal("0.00001"),
        min_quantity=Decimal("0.00001"),
        min_notional=Decimal(5),
        fees=Fees(Decimal(str(FEE)), Decimal(str(FEE)), "benchmark"),
    )
    bars = Bars("1m", columns.ts, columns.open, columns.high, columns.low, columns.close, columns.volume)
    item = strategy("ema_cross")
    params = item.params(fast=FAST, slow=SLOW, stop=STOP)
    profile = ExecutionProfile("no slippage", Decimal(0))

    def work() -> Trades:
        result = run_backtest(
            item,
            params,
            bars,
            instrument,
            capital=Decimal(str(CAPITAL)),
            stake=Decimal(str(STAKE)),
            profile=profile,
        )
        table = result.trades
        return Trades(
            table.opened_ts,
            table.closed_ts,
            table.quantity,
            table.entry_price,
            table.exit_price,
            table.profit,
        )

    return work


def bare(columns: Columns) -> Callable[[], Trades]:
    """A plain numba loop that does the same steps and nothing else: no rounding, no minimums."""
    from benchmarks.bare_loop import run

    return lambda: Trades(*run(columns, FAST, SLOW, STOP, FEE, STAKE, CAPITAL, CUSHION, LOT))


def _sizes(close: Floats) -> Floats:
    return np.floor(STAKE / (close * (1.0 + FEE + CUSHION)) * LOT + 5e-7) / LOT


def vectorbt(columns: Columns) -> Callable[[], Trades]:
    """vectorbt on its Rust engine: signals, orders at the close, trades, value, statistics."""
    import pandas as pd
    import vectorbt as vbt

    vbt.settings["engine"] = "rust"
    index = pd.DatetimeIndex(columns.ts, tz="UTC")
    close = pd.Series(columns.close, index=index)
    ts_close = columns.ts + 60_000_000_000

    def work() -> Trades:
        fast = vbt.MA.run(close, FAST, ewm=True)
        slow = vbt.MA.run(close, SLOW, ewm=True)
        portfolio = vbt.Portfolio.from_signals(
            close,
            fast.ma_crossed_above(slow),
            fast.ma_crossed_below(slow),
            open=columns.open,
            high=columns.high,
            low=columns.low,
            size=_sizes(columns.close),
            fees=FEE,
            sl_stop=STOP,
            init_cash=CAPITAL,
            freq="1min",
        )
        portfolio.value()
        portfolio.stats()
        records = portfolio.trades.records
        closed = records[records["status"] == 1]
        return Trades(
            ts_close[closed["entry_idx"]],
            ts_close[closed["exit_idx"]],
            closed["size"].to_numpy(),
            closed["entry_price"].to_numpy(),
            closed["exit_price"].to_numpy(),
            closed["pnl"].to_numpy(),
        )

    return work
