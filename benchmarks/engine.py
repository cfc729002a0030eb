"""The engine: quotes a second when nothing is ordered, orders a second into PostgreSQL, 1,000 bots.

One process, one core for Python; PostgreSQL has the other. Limits are the project's own. A sort of the
same rows is timed beside the scan, and the engine's own CPU time beside what waits for the database, so
that a slow or busy machine can be told from a slow engine.

Usage: python -m benchmarks.engine [--quotes 2000000] [--bots 1000] [--single-orders 1000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from amarktai.bootstrap.event_loop import run_loop
from amarktai.bootstrap.foundation import Foundation, build_bots, build_fx, lay_foundation
from amarktai.bootstrap.replays import ReplayLogin, create_replay_user
from amarktai.bootstrap.trading import EngineInputs, build_engine
from amarktai.config import load
from amarktai.domain.bar import Bars, Floats, Int64s
from amarktai.domain.bot import RiskMode
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.market import DirtyRows, Int32s, MarketBatch, OrderBook
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.services.bots import NewBot
from amarktai.services.engine import TradingEngine
from amarktai.services.wallet import WalletService
from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.leases import PgLeases
from amarktai.storage.migrate import migrate
from amarktai.strategies.contract import Account, BarClosed, Decision, Place, StrategyEvent
from amarktai.system.clock import VirtualClock
from amarktai.system.ids import TimeIds
from amarktai.system.rng import SeededRng, SystemRng
from benchmarks.limits import Limits

START_NS = 1_767_225_600_000_000_000
MINUTE_NS = 60_000_000_000
INSTRUMENTS = 20
WARM_UP_BARS = 400
ROUNDS = 30
FEW_BOTS = 100
LIMIT_QUOTES_PER_S = 250_000
LIMIT_ORDERS_PER_S = 300
#: A floor against falling back, not the aim, which is 300: an order alone still pays for four messages.
LIMIT_SINGLE_ORDERS_PER_CPU_S = 100
LIMIT_DECISIONS_S = 1.0
LIMIT_MB_PER_BOT = 1.0


class SeededFeed:
    """Twenty seeded random walks: quotes in one batch, closed minute bars on demand."""

    origin = Origin.RECORDED
    max_age_s = 3_600.0

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.instruments = tuple(_instrument(index) for index in range(INSTRUMENTS))
        self.books: dict[int, OrderBook] = {}
        self.dirty = DirtyRows()
        self._prices = np.full(INSTRUMENTS, 1_000.0)

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield nothing: the benchmark hands the engine its batches itself."""
        no_batches: tuple[MarketBatch, ...] = ()
        for batch in no_batches:
            yield batch

    def quotes(self, count: int, start_ns: int, span_ns: int) -> MarketBatch:
        """Return quotes of all instruments in turn, spread evenly over the span."""
        which = np.arange(count, dtype=np.int32) % INSTRUMENTS
        steps = np.exp(np.cumsum(self._rng.normal(0, 1e-5, count)))
        mid = np.round(1_000 * steps, 2)
        ts = start_ns + np.arange(count, dtype=np.int64) * (span_ns // count)
        return _batch(
            ts, which, 0, (mid - 0.01, mid + 0.01, np.zeros(count), np.zeros(count), np.zeros(count))
        )

    def bars(self, minute: int) -> MarketBatch:
        """Return one closed minute bar of every instrument."""
        self._prices *= np.exp(self._rng.normal(0, 2e-3, INSTRUMENTS))
        close = np.round(self._prices, 2)
        ts = np.full(INSTRUMENTS, START_NS + (minute + 1) * MINUTE_NS, dtype=np.int64)
        columns = (close, close + 0.5, close - 0.5, close, np.ones(INSTRUMENTS))
        return _batch(ts, np.arange(INSTRUMENTS, dtype=np.int32), 2, columns, seconds=60)

    def opens(self, minute: int) -> MarketBatch:
        """Return the first price of every instrument's next bar."""
        price = np.round(self._prices, 2)
        ts = np.full(INSTRUMENTS, START_NS + (minute + 1) * MINUTE_NS, dtype=np.int64)
        columns = (price, price, price, price, np.zeros(INSTRUMENTS))
        return _batch(ts, np.arange(INSTRUMENTS, dtype=np.int32), 1, columns, seconds=60)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return a seeded walk that ends before ``before_ts``."""
        rng = np.random.default_rng(int(instrument.base[1:]))
        close = np.round(1_000 * np.exp(np.cumsum(rng.normal(0, 2e-3, count))), 2)
        ts = before_ts - before_ts % MINUTE_NS - np.arange(count, 0, -1, dtype=np.int64) * MINUTE_NS
        return Bars(timeframe, ts, close, close + 0.5, close - 0.5, close, np.ones(count))

    def status(self) -> FeedStatus:
        return FeedStatus(FeedState.LIVE, "seeded")

    async def close(self) -> None:
        """Nothing is open."""


def _instrument(index: int) -> Instrument:
    fees = Fees(Decimal("0.001"), Decimal("0.001"), "benchmark")
    step = Decimal("0.000001")
    return Instrument(Platform.LUNO, f"C{index}", "ZAR", Decimal("0.01"), step, step, Decimal(10), fees)


def _batch(
    ts: Int64s, which: Int32s, kind: int, columns: tuple[Floats, ...], *, seconds: int = 0
) -> MarketBatch:
    n = len(ts)
    a, b, c, d, e = columns
    return MarketBatch(
        ts, ts, which, np.full(n, kind, dtype=np.int8), a, b, c, d, e, np.full(n, seconds, dtype=np.int32)
    )


async def build(
    base: Foundation, feed: SeededFeed, bot_count: int, strategy: str, *, owner: str = "owner"
) -> TradingEngine:
    """Return a started engine with its bots spread over the instruments, half of them alike."""
    user_id = await create_replay_user(base, ReplayLogin(f"{owner}@example.org", "violet-otter-candle-47"))
    fx = build_fx(3_600)
    bots = build_bots(base, fx, dict.fromkeys(Platform, 100_000))
    await base.catalog.put_instruments(list(feed.instruments), feed.origin, to_datetime(base.clock.now_ns()))
    wallet = WalletService(base.store, base.clock, base.ids, base.catalog, fx)
    await wallet.fund(user_id, Decimal(1_000 * bot_count))
    for number in range(bot_count):
        await bots.create(user_id, _new_bot(number, strategy))
    lease = await PgLeases(base.database).take(owner, "benchmark", base.clock.now_ns(), ttl_s=1e6)
    inputs = EngineInputs(fx, lease, bots, {}, 3_600.0)
    engine = build_engine(base, feed, inputs)
    await engine.start()
    return engine


def _new_bot(number: int, strategy: str) -> NewBot:
    fast = 5 + number % 10
    choices: dict[str, dict[str, float]] = {
        "ema_cross": {"fast": fast, "slow": fast + 20},
        "grid": {"levels": 3, "spacing": 0.002},
        "rsi_reversion": {},
    }
    return NewBot(
        name=f"{strategy} {number}",
        platform="luno",
        pair=f"C{number % INSTRUMENTS}/ZAR",
        strategy=strategy,
        params=choices[strategy],
        timeframe="1m",
        risk_mode=RiskMode.AGGRESSIVE,
        capital_zar=Decimal(1_000),
        start=True,
    )


async def measure_quotes(base: Foundation, count: int, limits: Limits) -> None:
    """Print quotes a second through ``TradingEngine.process`` with no order resting."""
    feed = SeededFeed(1)
    engine = await build(base, feed, 20, "rsi_reversion")
    batch = feed.quotes(count, START_NS, 50_000_000_000)
    await engine.process(feed.quotes(1_000, START_NS - 1, 1_000))
    started = time.perf_counter()
    await engine.process(batch)
    took = time.perf_counter() - started
    started = time.perf_counter()
    np.sort(batch.a)
    sort_took = time.perf_counter() - started
    limits.at_least("quotes a second, nothing ordered", count / took, LIMIT_QUOTES_PER_S)
    print(f"  (sorting one column of the same rows takes {sort_took / took:.1f} times as long)")


async def measure_bots(base: Foundation, bot_count: int, limits: Limits) -> None:
    """Print the p99 of a closed minute's decisions, and memory a bot.

    An engine with a few bots runs first, so that what is loaded once is not counted; a bot's memory is
    what the process's peak grows by with the engine of ``bot_count`` bots, over their number (which runs
    the few of the first as well: the figure is rather too high).
    """
    await _run_minutes(await build(base, SeededFeed(5), FEW_BOTS, "ema_cross", owner="few"), SeededFeed(5))
    before, feed = _peak_mb(), SeededFeed(2)
    engine = await build(base, feed, bot_count, "ema_cross")
    waits, cpu_s = await _run_minutes(engine, feed)
    p99 = float(np.quantile(waits, 0.99))
    limits.at_most(f"a closed bar's decisions, {bot_count} bots, p99", p99, LIMIT_DECISIONS_S, " s")
    print(f"  ({cpu_s / len(waits):.3f} s of the engine's own CPU time a bar)")
    limits.at_most("memory a bot", (_peak_mb() - before) / bot_count, LIMIT_MB_PER_BOT, " MB")


async def _run_minutes(engine: TradingEngine, feed: SeededFeed) -> tuple[list[float], float]:
    """Return how long each closed minute's decisions took, and the CPU seconds of all of them."""
    waits, cpu_s = [], 0.0
    for minute in range(ROUNDS):
        started, cpu = time.perf_counter(), time.process_time()
        await engine.process(feed.bars(minute))
        waits.append(time.perf_counter() - started)
        cpu_s += time.process_time() - cpu
        await engine.process(feed.opens(minute))
    return waits, cpu_s


def _peak_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


async def measure_orders(base: Foundation, bot_count: int, limits: Limits) -> None:
    """Print orders a second through gates, write-ahead, send and booking, paper commits asynchronous."""
    feed = SeededFeed(3)
    engine = await build(base, feed, bot_count, "grid")
    started = time.perf_counter()
    await engine.process(feed.bars(0))
    took = time.perf_counter() - started
    orders = sum(len(runner.account.working) for runner in engine.runners.values())
    limits.at_least(f"orders a second into PostgreSQL ({orders} orders)", orders / took, LIMIT_ORDERS_PER_S)


async def measure_single_orders(base: Foundation, count: int, limits: Limits) -> None:
    """Print what an order costs that goes alone: one bot trades at every bar, nothing is batched.

    What the same bars cost without an order is taken off the engine's CPU time.
    """
    feed = SeededFeed(4)
    engine = await build(base, feed, 1, "rsi_reversion")
    (runner,) = engine.runners.values()
    runner.decide = _turn_over
    for minute in range(20):  # both ways of every statement are prepared
        await engine.process(feed.bars(minute))
        await engine.process(feed.opens(minute))
    took, cpu = await _run_single(engine, feed, range(20, 20 + count))
    assert not runner.account.working, "every order has filled"
    runner.decide = _stand_aside
    _, idle_cpu = await _run_single(engine, feed, range(20 + count, 20 + 2 * count))
    print(f"orders a second, one at a time: {count / took:,.4g}, waiting for the database included")
    what = f"orders a second of the engine's CPU time, one at a time ({count} orders)"
    limits.at_least(what, count / (cpu - idle_cpu), LIMIT_SINGLE_ORDERS_PER_CPU_S)


async def _run_single(engine: TradingEngine, feed: SeededFeed, minutes: range) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of these minutes."""
    started, cpu = time.perf_counter(), time.process_time()
    for minute in minutes:
        await engine.process(feed.bars(minute))
        await engine.process(feed.opens(minute))
    return time.perf_counter() - started, time.process_time() - cpu


def _stand_aside(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Want nothing."""
    return Decision(state)


def _turn_over(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Buy when a bar closes and nothing is held, sell it at the next."""
    if not isinstance(event, BarClosed):
        return Decision(state)
    if account.quantity:
        return Decision(
            state, (Place("exit", Side.SELL, OrderType.MARKET, account.quantity, reduce_only=True),)
        )
    return Decision(state, (Place("entry", Side.BUY, OrderType.MARKET, Decimal("0.1")),))


Measure = Callable[[Foundation, int, Limits], Awaitable[None]]


async def run(url: str, home: Path, measure: Measure, size: int, limits: Limits) -> None:
    """Take one measurement on a database of its own."""
    clock = VirtualClock(START_NS - MINUTE_NS)
    ids = TimeIds(clock, SeededRng(measure.__name__))
    base = lay_foundation(load({}, home=home), url, clock, ids)
    try:
        await measure(base, size, limits)
    finally:
        await base.close()


def measure_all(sizes: Mapping[Measure, int]) -> Limits:
    """Take each measurement; an engine of one never sees the bots of another."""
    limits = Limits()
    for measure, size in sizes.items():
        with tempfile.TemporaryDirectory(prefix="amarktai-bench-") as folder:
            server = EmbeddedPostgres(Path(folder), SystemRng())
            urls = server.start()
            try:
                migrate(urls.owner)
                run_loop(run(urls.app, Path(folder), measure, size, limits))
            finally:
                server.stop()
    return limits


def main() -> int:
    """Measure everything; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quotes", type=int, default=2_000_000)
    parser.add_argument("--bots", type=int, default=1_000)
    parser.add_argument("--single-orders", type=int, default=1_000)
    given = parser.parse_args()
    # Memory first: the peak of a process never falls.
    limits = measure_all(
        {
            measure_bots: given.bots,
            measure_quotes: given.quotes,
            measure_orders: given.bots,
            measure_single_orders: given.single_orders,
        }
    )
    return limits.exit_code


if __name__ == "__main__":
    sys.exit(main())
