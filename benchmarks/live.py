"""Live orders over sockets: from a closed bar to the exchange's twin, and how many a second.

One engine with a hundred live bots on Binance's twin, which runs in a process of its own behind a relay that
notes when the first byte of each order arrives. Durable PostgreSQL, the real adapter, order path and
reconciliation; only the account's key is given, and the system's mode is set on a database of its own.

    alone     at each bar one bot wants something: bar close to first byte
    together  at each bar every bot does: orders a second until each is booked

Beside it, a round trip to the same twin and one durable commit: what sockets and the disk alone cost.

Usage: python -m benchmarks.live [--bots 100] [--rounds 200] [--together 10]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import psycopg

from amarktai.bootstrap.event_loop import run_loop
from amarktai.bootstrap.foundation import (
    Foundation,
    build_bots,
    build_fx,
    build_notices,
    lay_foundation,
    real_time,
)
from amarktai.bootstrap.replays import ReplayLogin, create_replay_user
from amarktai.bootstrap.storms import let_made_up_money_trade
from amarktai.bootstrap.twins import running_twin
from amarktai.config import load
from amarktai.domain.bar import Bars
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import MarketBatch
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import ExchangeAccount
from amarktai.ports.live_accounts import WorkingKey
from amarktai.services.arrivals import Arrivals
from amarktai.services.engine import EngineParts, TradingDesk, TradingEngine
from amarktai.services.fleet import Part, enlist
from amarktai.services.live_accounts import LiveAccounts, LiveParts
from amarktai.services.orders import LIVE_POLICY, Desk, OrderService
from amarktai.services.rehearsal import RehearsalFeed
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.leases import PgLeases
from amarktai.storage.migrate import migrate
from amarktai.strategies.contract import Account, BarClosed, Decision, Place, StrategyEvent
from amarktai.system.rng import SeededRng, SystemRng
from amarktai.twins.accounts import Account as TwinAccount
from amarktai.venues.account import AccountParts
from amarktai.venues.budget import RequestBudget
from amarktai.venues.exchanges.binance.account import open_account
from amarktai.venues.exchanges.binance.market import open_market
from benchmarks.limits import Limits

BAR_S, BAR_NS, DAY_S = 300, 300_000_000_000, 86_400.0
PRICES = {"BTC": 64_000.0, "ETH": 2_500.0, "BNB": 600.0}
KEY, SECRET = "bench-key", "bench-secret"
CAPITAL = Decimal(1_000)
LIMIT_P50_MS, LIMIT_P99_MS = 5.0, 20.0
LIMIT_ORDERS_PER_S = 200
WARM_UP_ROUNDS = 20


# -- the exchange: a process of its own --------------------------------------------------------------------


def serve_twin(pipe: Connection) -> None:
    """Serve Binance's twin behind the relay; tell the arrivals (ns) since the last time when asked."""

    async def main() -> None:
        money = {"USDT": Decimal(10**9)}
        account = TwinAccount(KEY, SECRET, money)
        async with running_twin("binance", accounts=[account], limits_rates=False) as twin:
            arrivals: list[int] = []

            async def relay_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await relayed(reader, writer, twin.port, arrivals)

            relay = await asyncio.start_server(relay_one, "127.0.0.1")
            pipe.send(relay.sockets[0].getsockname()[1])
            while await asyncio.to_thread(pipe.recv):
                told, arrivals[:] = list(arrivals), []
                pipe.send(told)
            relay.close()

    run_loop(main())


async def relayed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, arrivals: list[int]
) -> None:
    """Pass a connection on, and note when the first byte of an order arrives."""
    from_twin, to_twin = await asyncio.open_connection("127.0.0.1", port)

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counts: bool) -> None:
        while data := await source.read(65_536):
            if counts and data.startswith(b"POST /api/v3/order"):
                arrivals.append(time.perf_counter_ns())
            sink.write(data)
        sink.close()

    ways = pass_on(reader, to_twin, counts=True), pass_on(from_twin, writer, counts=False)
    await asyncio.gather(*ways, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Twin:
    """The other process. ``arrivals`` are instants (ns) of the clock that both processes share."""

    url: str
    pipe: Connection

    def arrivals(self) -> list[int]:
        self.pipe.send(True)
        told: list[int] = self.pipe.recv()
        return told


# -- the platform --------------------------------------------------------------------------------------------


class Opener:
    """Gives the one account of the benchmark. Implements ports.live_accounts.AccountOpener."""

    def __init__(self, user_id: UUID, account: ExchangeAccount) -> None:
        self._user_id = user_id
        self._account = account

    async def working_keys(self) -> Sequence[WorkingKey]:
        return [WorkingKey(self._user_id, Platform.BINANCE, "key")]

    async def open(self, _key: WorkingKey) -> ExchangeAccount:
        return self._account

    async def clock_offset_ns(self, _platform: Platform) -> int | None:
        return 0


class FlatFeed(RehearsalFeed):
    """Markets whose past is flat, so that every strategy is warm; bars come from the benchmark itself."""

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return bars at one price that end a day before ``before_ts``: the benchmark's own come after."""
        before_ts -= round(DAY_S) * 1_000_000_000
        price = np.full(count, PRICES[instrument.base])
        ts = before_ts - before_ts % BAR_NS - np.arange(count, 0, -1, dtype=np.int64) * BAR_NS
        return Bars(timeframe, ts, price, price, price, price, np.ones(count))


@dataclass
class Platformed:
    """The engine and what the benchmark turns."""

    engine: TradingEngine
    accounts: LiveAccounts
    arrivals: Arrivals
    instruments: Sequence[Instrument]
    next_close_ns: int

    async def close_bars(self) -> float:
        """Let every market's bar close; return how long it took until every order was booked (s)."""
        started = time.perf_counter()
        await self.engine.process(self._bars())
        while not self.arrivals.is_idle:
            await self.arrivals.wait_for_calls()
            await self.engine.hear()
        return time.perf_counter() - started

    def _bars(self) -> MarketBatch:
        count = len(self.instruments)
        ts = np.full(count, self.next_close_ns, dtype=np.int64)
        self.next_close_ns += BAR_NS
        price, one = np.array([PRICES[item.base] for item in self.instruments]), np.ones(count)
        return MarketBatch(
            ts, ts, np.arange(count, dtype=np.int32), np.full(count, 2, dtype=np.int8),
            price, price * 1.001, price * 0.999, price, one, np.full(count, BAR_S, dtype=np.int32),
        )  # fmt: skip


async def put_together(
    base: Foundation, opener: Opener, listed: Sequence[Instrument]
) -> tuple[TradingEngine, LiveAccounts, Arrivals]:
    """Return the engine of live trading with its accounts, over bots that are there already."""
    clock, ids = base.clock, base.ids
    lease = await PgLeases(base.database).take("engine", "benchmark", clock.now_ns(), ttl_s=DAY_S)
    feed, fx, arrivals, running = FlatFeed(listed), build_fx(DAY_S), Arrivals(), dict[UUID, Bot]()
    feed.max_age_s = DAY_S
    instruments = {item.id: item for item in listed}
    notices = build_notices(base)
    accounts = LiveAccounts(
        LiveParts(base.store, clock, ids, opener, arrivals, notices, instruments, Origin.SYNTHETIC)
    )
    policy = replace(LIVE_POLICY, max_data_age_s=DAY_S)
    desk = Desk(accounts, instruments, running, fx, policy, lease, TradingMode.LIVE, arrivals=arrivals)
    orders = OrderService(base.store, clock, ids, desk)
    desks = {TradingMode.LIVE: TradingDesk(orders, {})}
    makers = build_bots(base, fx, dict.fromkeys(Platform, 1_000))
    engine = TradingEngine(base.store, clock, feed, EngineParts(desks, makers, notices, running, fx, 3_600.0))
    return engine, accounts, arrivals


@asynccontextmanager
async def platform(url: str, home: Path, twin: Twin, bots: int, rounds: int) -> AsyncIterator[Platformed]:
    """Make an engine with its live bots, and look at the account until it can be traded on."""
    clock, ids = real_time()
    base = lay_foundation(load({}, home=home), url, clock, ids)
    user_id = await create_replay_user(base, ReplayLogin("live@example.org", "violet-otter-candle-47"))
    await let_made_up_money_trade(base)
    # No exchange allows so many orders; what is measured is the platform.
    budget = RequestBudget("binance", 10_000_000, clock)
    market = open_market(budget, clock, base_url=twin.url)
    listed = [item for item in await market.fetch_instruments() if item.quote == "USDT"]
    account = open_account(
        Credentials(KEY, SECRET),
        AccountParts("main", listed, (), clock, SeededRng("live"), budget),
        base_url=twin.url,
        stream_url="ws" + twin.url.removeprefix("http") + "/ws-api/v3",
    )
    now = clock.now_ns()
    await base.catalog.put_instruments(listed, Origin.SYNTHETIC, to_datetime(now))
    async with base.store.unit_of_work(user_id) as unit:
        book = await unit.ledger.lock_book(TradingMode.LIVE)
        for number in range(bots):
            part = Part(f"bot {number}", listed[number % len(listed)], "rsi_reversion", {}, CAPITAL)
            await enlist(unit, book, part.as_bot(ids.new(), user_id, CAPITAL * 18, to_datetime(now)))
    engine, accounts, arrivals = await put_together(base, Opener(user_id, account), listed)
    await engine.start()
    try:
        async with asyncio.TaskGroup() as group:
            await accounts.follow_keys(group)
            while any(each.held_back for each in accounts.accounts):
                await accounts.reconcile_due(engine.book_live)
                await asyncio.sleep(0.1)
            first = now - now % BAR_NS - rounds * BAR_NS
            yield Platformed(engine, accounts, arrivals, listed, first)
            await accounts.close()
    finally:
        await market.close()
        await base.close()


def _stand_aside(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Want nothing."""
    return Decision(state)


def _turn_over(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Buy when a bar closes and nothing is held, sell it at the next."""
    if not isinstance(event, BarClosed):
        return Decision(state)
    lot = account.instrument.lot_size
    held = account.quantity // lot * lot  # a fee in coins leaves a part of a lot
    if held:
        wish = Place("exit", Side.SELL, OrderType.MARKET, held, reduce_only=True)
    else:
        quantity = Decimal(100) / Decimal(str(event.bar.close))
        wish = Place("entry", Side.BUY, OrderType.MARKET, quantity // lot * lot)
    return Decision(state, (wish,))


# -- the measurements ----------------------------------------------------------------------------------------


async def measure_alone(world: Platformed, twin: Twin, rounds: int, limits: Limits) -> None:
    """Print how long an order takes from its bar's close to the exchange, all other bots deciding too."""
    runners = list(world.engine.runners.values())
    for runner in runners:
        runner.decide = _stand_aside
    runners[0].decide = _turn_over
    waits: list[float] = []
    for number in range(WARM_UP_ROUNDS + rounds):
        twin.arrivals()
        started = time.perf_counter_ns()
        await world.close_bars()
        told = twin.arrivals()
        if len(told) != 1:
            raise RuntimeError(f"{len(told)} orders left at a bar at which one should")
        if number >= WARM_UP_ROUNDS:
            waits.append((told[0] - started) / 1e6)
    p50, p99 = np.quantile(waits, [0.5, 0.99])
    bots = f"{len(runners)} live bots, {rounds} orders"
    limits.at_most(f"bar close to first byte, p50 ({bots})", float(p50), LIMIT_P50_MS, " ms")
    limits.at_most("bar close to first byte, p99", float(p99), LIMIT_P99_MS, " ms")


async def measure_together(world: Platformed, twin: Twin, rounds: int, limits: Limits) -> None:
    """Print orders a second when every bot trades at each bar, until all of them are booked."""
    runners = list(world.engine.runners.values())
    for runner in runners:
        runner.decide = _turn_over
    await world.close_bars()
    twin.arrivals()
    took = sum([await world.close_bars() for _ in range(rounds)])
    sent = len(twin.arrivals())
    limits.at_least(f"live orders a second, {len(runners)} at a bar", sent / took, LIMIT_ORDERS_PER_S)
    limits.holds("every bot's order left at every bar", sent >= (rounds - 1) * len(runners))


async def measure_ground(owner_url: str, twin: Twin) -> None:
    """Print what a request to the twin and a durable commit cost alone."""
    async with httpx.AsyncClient(base_url=twin.url) as client:
        await client.get("/api/v3/ping")
        started = time.perf_counter()
        for _ in range(50):
            await client.get("/api/v3/ping")
        trip_ms = (time.perf_counter() - started) / 50 * 1e3
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE commits (number integer)")
        started = time.perf_counter()
        for number in range(50):
            await connection.execute("INSERT INTO commits VALUES (%s)", [number])
        commit_ms = (time.perf_counter() - started) / 50 * 1e3
        await connection.execute("DROP TABLE commits")
    print(f"  (a request to the twin and back {trip_ms:.2f} ms, a durable commit {commit_ms:.2f} ms)")


async def run(urls: DatabaseUrls, home: Path, twin: Twin, given: argparse.Namespace, limits: Limits) -> None:
    rounds = WARM_UP_ROUNDS + given.rounds + given.together + 10
    await measure_ground(urls.owner, twin)
    async with platform(urls.app, home, twin, given.bots, rounds) as world:
        await measure_alone(world, twin, given.rounds, limits)
        await measure_together(world, twin, given.together, limits)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bots", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--together", type=int, default=10)
    given, limits = parser.parse_args(), Limits()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_twin, args=(theirs,))
    process.start()
    twin = Twin(f"http://127.0.0.1:{ours.recv()}", ours)
    with tempfile.TemporaryDirectory(prefix="amarktai-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), SystemRng())
        urls = server.start()
        try:
            migrate(urls.owner)
            run_loop(run(urls, Path(folder), twin, given, limits))
        finally:
            server.stop()
            ours.send(False)
            process.join(10)
    return limits.exit_code


if __name__ == "__main__":
    sys.exit(main())
