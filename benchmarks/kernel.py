"""How fast the backtest kernel is beside a bare numba loop, vectorbt and raptorbt, in one run.

    python -m benchmarks.kernel               # 1,000,000 bars, ratios, memory, and a whole process
    python -m benchmarks.kernel --bars 100000

The work: EMA(12/26) cross with a 2 % stop, fixed stake, 0.1 % fee on seeded one-minute bars; from the
columns in memory to the trade list, the equity curve and the full set of metrics. Every contender runs
in a process of its own on one core: cold is its first call (CPU seconds, imports aside), warm the best
of the following ones, memory what its peak adds to the resident size before the first call. All must
make the same trades, or the run fails.

vectorbt and raptorbt never become dependencies of the platform: they live in ``.venv-bench``, made from
``requirements-bench.lock`` (``python -m benchmarks.kernel --setup``). Without it their lines are left
out and the run says so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.limits import Limits

ROOT: Final = Path(__file__).resolve().parents[1]
BENCH_VENV: Final = ROOT / ".venv-bench"
BENCH_PYTHON: Final = BENCH_VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONTENDERS: Final = ("bare", "amarktai", "vectorbt", "raptorbt")
FOREIGN: Final = ("vectorbt", "raptorbt")
REPEATS: Final = {"vectorbt": 3, "raptorbt": 5}
FAST, SLOW, STOP = 12, 26, 0.02
FEE, STAKE, CAPITAL = 0.001, 1_000.0, 100_000.0
CUSHION: Final = 0.005  # what the platform leaves room for; all contenders buy the same quantities
LOT: Final = 100_000.0  # lots a base unit
VOLATILITY: Final = 0.003  # a bar's log return; high for one minute, so that stops are met
MEMORY_REACH: Final = 4.0
REACH: Final = {"bare": 1.5, "vectorbt": 8.0, "raptorbt": 5.0}
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


def _wandering(shocks: Floats) -> Floats:
    """Return a log price that wanders and is drawn back to 0, so that it stays in range for years."""
    level, path = 0.0, []
    for shock in shocks.tolist():
        level += shock - 1e-4 * level
        path.append(level)
    return np.array(path)


def make_columns(count: int) -> Columns:
    """Return seeded bars on a grid of 0.01."""
    rng = np.random.Generator(np.random.PCG64(20_240_421))
    close = np.round(40_000 * np.exp(_wandering(rng.normal(0, VOLATILITY, count))), 2)
    open_ = np.concatenate([[40_000.0], close[:-1]])
    high = np.round(np.maximum(open_, close) * (1 + np.abs(rng.normal(0, VOLATILITY / 2, count))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(rng.normal(0, VOLATILITY / 2, count))), 2)
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


def _crosses(fast: Floats, slow: Floats) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return (crossed above, crossed below), the quickest way for those who bring no quick one."""
    above = fast > slow
    entry, exit_ = np.zeros(len(above), np.bool_), np.zeros(len(above), np.bool_)
    entry[1:] = above[1:] & ~above[:-1] & ~np.isnan(slow[:-1])
    exit_[1:] = ~above[1:] & above[:-1]
    return entry, exit_


def vectorbt(columns: Columns) -> Callable[[], Trades]:
    """vectorbt on its Rust engine: signals, orders at the close, trades, value, statistics."""
    import pandas as pd  # type: ignore[import-untyped]
    import vectorbt as vbt

    vbt.settings["engine"] = "rust"
    index = pd.DatetimeIndex(columns.ts)  # without a timezone: with one, each wrap builds objects
    close = pd.Series(columns.close, index=index)
    ts_close = columns.ts + 60_000_000_000

    def work() -> Trades:
        fast = vbt.MA.run(close, FAST, ewm=True).ma.to_numpy()
        slow = vbt.MA.run(close, SLOW, ewm=True).ma.to_numpy()
        entry, exit_ = _crosses(fast, slow)
        portfolio = vbt.Portfolio.from_signals(
            close,
            entry,
            exit_,
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


def raptorbt(columns: Columns) -> Callable[[], Trades]:
    """raptorbt's array runner: signals, orders at the close, trades, equity, drawdown, metrics."""
    import raptorbt as rbt

    config = rbt.BacktestConfig(initial_capital=CAPITAL, fees=FEE, slippage=0.0)
    config.set_fixed_stop(STOP)
    fixed_stake = rbt.InstrumentConfig(
        lot_size=1 / LOT, alloted_capital=STAKE * (1 + FEE) / (1 + FEE + CUSHION)
    )
    ts_close = columns.ts + 60_000_000_000

    def work() -> Trades:
        fast, slow = rbt.ema(columns.close, FAST), rbt.ema(columns.close, SLOW)
        entry, exit_ = _crosses(fast, slow)
        result = rbt.run_single_backtest(
            columns.ts,
            columns.open,
            columns.high,
            columns.low,
            columns.close,
            columns.volume,
            entry,
            exit_,
            config=config,
            instrument_config=fixed_stake,
        )
        result.equity_curve()
        result.drawdown_curve()
        result.metrics.to_dict()
        closed = result.trades()
        return Trades(
            ts_close[[trade.entry_idx for trade in closed]],
            ts_close[[trade.exit_idx for trade in closed]],
            np.array([trade.size for trade in closed]),
            np.array([trade.entry_price for trade in closed]),
            np.array([trade.exit_price for trade in closed]),
            np.array([trade.pnl for trade in closed]),
        )

    return work


# Measuring.

#: EMAs are seeded differently; after so many bars the seeds no longer matter and trades must be equal.
SETTLED_BARS: Final = 2_000


@dataclass(frozen=True)
class Measured:
    """CPU seconds, bytes over the input's own, and the trades."""

    cold_s: float
    warm_s: float
    peak_bytes: int
    trades: list[list[float]]


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str, count: int) -> Measured:
    """Run one contender in this process."""
    columns = make_columns(count)
    work = {"bare": bare, "amarktai": amarktai, "vectorbt": vectorbt, "raptorbt": raptorbt}[name](columns)
    before = _resident()
    started = time.process_time()
    trades = work()
    cold = time.process_time() - started
    warm = math.inf
    for _ in range(REPEATS.get(name, 15)):
        started = time.process_time()
        work()
        warm = min(warm, time.process_time() - started)
    return Measured(cold, warm, _resident() - before, _settled(columns, trades))


def _settled(columns: Columns, trades: Trades) -> list[list[float]]:
    """Return the trades that opened after the averages' seeds stopped to matter, as plain rows."""
    late = trades.opened_ts >= columns.ts[SETTLED_BARS]
    names = ("opened_ts", "closed_ts", "quantity", "entry_price", "exit_price", "profit")
    rows = np.column_stack([getattr(trades, name)[late].astype(np.float64) for name in names])
    listed: list[list[float]] = rows.tolist()
    return listed


def in_own_process(name: str, count: int) -> Measured | None:
    """Measure a contender in a fresh process on one core; None when its package is not there."""
    python = str(BENCH_PYTHON) if name in FOREIGN else sys.executable
    if name in FOREIGN and not BENCH_PYTHON.exists():
        return None
    command = [python, "-m", "benchmarks.kernel", "--contender", name, "--bars", str(count)]
    environment = {**_kept_environment(), **dict.fromkeys(ONE_THREAD, "1")}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return Measured(**json.loads(done.stdout))


ONE_THREAD: Final = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


def _kept_environment() -> dict[str, str]:
    """Return the environment without what keeps Python, and with it numba, from writing compiled code."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def whole_process_seconds() -> float:
    """Return the wall seconds of a whole process from its start to the result, best of five.

    Once set up: the first of the five writes the bytecode and the compiled kernels that the others read,
    also where the environment tells Python to write none.
    """
    environment = _kept_environment()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npy"
        columns = make_columns(WHOLE_PROCESS_BARS)
        np.save(path, np.column_stack([columns.open, columns.high, columns.low, columns.close]).T)
        best = math.inf
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "benchmarks.kernel", "--whole", str(path)],
                env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            best = min(best, time.perf_counter() - started)
    return best


def whole(path: Path) -> None:
    """Load bars from a file, run, print the result: what the whole-process figure times."""
    open_, high, low, close = np.load(path)
    count = len(close)
    ts = 1_600_000_020_000_000_000 + np.arange(count, dtype=np.int64) * 60_000_000_000
    trades = amarktai(Columns(ts, open_, high, low, close, np.ones(count)))()
    print(len(trades.profit))


# Reporting.


def same_trades(one: Measured, other: Measured) -> str:
    """Return "identical", or what differs first."""
    if len(one.trades) != len(other.trades):
        return f"DIFFERENT: {len(one.trades)} and {len(other.trades)} trades"
    got, want = np.array(one.trades), np.array(other.trades)
    differs = ~np.isclose(got, want, rtol=1e-9, atol=1e-5)
    if differs.any():
        row = int(np.argwhere(differs)[0][0])
        return f"DIFFERENT at trade {row}: {got[row].tolist()} and {want[row].tolist()}"
    return "identical"


def report(count: int) -> int:
    """Race all contenders, print the table, and return the exit code.

    A first short race compiles what numba keeps on disk: a process that has just compiled runs the
    same code slower (measured: 1.6 times), and each machine compiles only once.
    """
    for name in CONTENDERS:
        in_own_process(name, SETTLED_BARS * 2)
    measured = {name: in_own_process(name, count) for name in CONTENDERS}
    ours = measured["amarktai"]
    assert ours is not None
    size = make_columns(count).nbytes
    print(f"{count:,} one-minute bars, {size / 2**20:.0f} MiB; EMA({FAST}/{SLOW}), stop {STOP:.0%}")
    print(f"{'':10} {'warm s':>8} {'cold s':>8} {'peak':>10} {'we are':>14}  trades")
    limits = Limits()
    for name, result in measured.items():
        if result is None:
            print(f"{name:10} not installed: python -m benchmarks.kernel --setup")
            limits.holds(f"{name} was measured", False)
            continue
        memory = f"{result.peak_bytes / size:.1f} × in"
        speed = _speed(result.warm_s / ours.warm_s)
        print(
            f"{name:10} {result.warm_s:8.4f} {result.cold_s:8.3f} {memory:>10} {speed:>14}"
            f"  {len(result.trades)} {same_trades(result, ours)}"
        )
    for name, result in measured.items():
        if result is not None:
            _hold(limits, name, result, ours, size)
    limits.at_most(
        f"whole process at {WHOLE_PROCESS_BARS:,} bars", whole_process_seconds(), WHOLE_PROCESS_REACH_S, " s"
    )
    return limits.exit_code


def _speed(ratio: float) -> str:
    return f"{ratio:.1f} × faster" if ratio >= 1 else f"{1 / ratio:.2f} × slower"


def _hold(limits: Limits, name: str, result: Measured, ours: Measured, size: int) -> None:
    """Hold one contender's figures to their limits."""
    limits.holds(f"{name}: identical trades", same_trades(result, ours) == "identical")
    if name == "amarktai":
        limits.at_most("peak memory beside the input", result.peak_bytes / size, MEMORY_REACH)
    elif name == "bare":
        limits.at_most("our time beside the bare loop", ours.warm_s / result.warm_s, REACH[name])
    else:
        limits.at_least(f"as fast as {name}, times", result.warm_s / ours.warm_s, REACH[name])


def set_up() -> None:
    """Make the benchmark's own environment from its lock file."""
    venv.create(BENCH_VENV, with_pip=True, clear=True)
    pip = [str(BENCH_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements-bench.lock")], check=True)
    print(f"{BENCH_VENV.name} is ready")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bars", type=int, default=1_000_000, help="number of bars")
    parser.add_argument("--setup", action="store_true", help="make .venv-bench with vectorbt and raptorbt")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--whole", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.setup:
        set_up()
        return 0
    if given.whole:
        whole(given.whole)
        return 0
    if given.contender:
        print(json.dumps(vars_of(measure(given.contender, given.bars))))
        return 0
    return report(given.bars)


def vars_of(result: Measured) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.__dataclass_fields__}


if __name__ == "__main__":
    sys.exit(main())
