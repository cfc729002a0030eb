"""Trading engines on a real database, in time that only the market data moves.

``EngineDesk`` plays recordings to engines that can be started anew; ``EngineRig`` has hours of one
market's bars, a venue behind a line that can be spoiled, and bots whose strategy a test chooses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg.rows import dict_row

from amarktai.domain.bot import BOT_CAPS, Bot, BotStatus, TradingMode
from amarktai.domain.fill_model import ExecutionProfile
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import DirtyRows, EventKind, MarketBatch
from amarktai.domain.order import OrderType, Side
from amarktai.domain.user import Identity
from amarktai.ports.accounts import StoredEvent
from amarktai.ports.feed import Recording
from amarktai.ports.leases import Lease
from amarktai.ports.stops import StopFile
from amarktai.ports.venue import SharedVenues, SimulatedVenue
from amarktai.services.alerts import Notices
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService
from amarktai.services.emergency import Emergency
from amarktai.services.engine import EngineParts, TradingDesk, TradingEngine
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.orders import Desk, OrderPolicy, OrderService
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.storage.leases import PgLeases
from amarktai.strategies.contract import Account, BarClosed, Decision, Place, StrategyEvent
from amarktai.venues.paper import PaperVenue
from amarktai.venues.replay import RecordedFeed, Span, candle_feed
from tests.bars import HOUR, make_bars
from tests.fakes import HandClock, SeededRng
from tests.trading import BTC_ZAR, USDT_ZAR, World, trading
from tests.venues.faulty import FaultyVenue


def paper_venues(world: World, feed: Recording) -> dict[Platform, SimulatedVenue]:
    """Return a paper venue for each platform of the feed."""
    by_platform: dict[Platform, list[Instrument]] = {}
    for instrument in feed.instruments:
        by_platform.setdefault(instrument.venue, []).append(instrument)
    return {
        platform: PaperVenue(
            platform=platform, account="paper", instruments=instruments, origin=feed.origin,
            clock=world.clock, profile=ExecutionProfile(),
        )
        for platform, instruments in by_platform.items()
    }  # fmt: skip


def bot_service(world: World) -> BotService:
    return BotService(
        world.store, world.clock, world.ids, catalog=world.catalog, fx=world.fx, caps=BOT_CAPS,
        view=BotViews(world.reporting, world.clock, world.rates).in_unit,
    )  # fmt: skip


def new_engine(
    world: World,
    lease: Lease,
    feed: Recording,
    max_age_s: float,
    venues: Mapping[Platform, SimulatedVenue],
    mode: TradingMode = TradingMode.PAPER,
) -> TradingEngine:
    """Return an engine that has not started, on these venues."""
    running: dict[UUID, Bot] = {}
    instruments = {item.id: item for item in feed.instruments}
    policy = OrderPolicy(max_data_age_s=max_age_s)
    desk = Desk(SharedVenues(venues), instruments, running, world.fx, policy, lease, mode)
    orders = OrderService(world.store, world.clock, world.ids, desk)
    notices = Notices(PgAlerting(world.database), clock=world.clock, ids=world.ids)
    desks = {mode: TradingDesk(orders, venues)}
    parts = EngineParts(desks, bot_service(world), notices, running, world.fx, 86_400)
    return TradingEngine(world.store, world.clock, feed, parts)


@dataclass
class EngineDesk:
    """One user, their bots, and engines that can be started anew on the same database."""

    world: World
    who: Identity
    lease: Lease
    max_age_s: float = 60.0

    def new_engine(self, feed: Recording) -> TradingEngine:
        """Return an engine without memory, as after a start; its paper venue is new as well."""
        return new_engine(self.world, self.lease, feed, self.max_age_s, paper_venues(self.world, feed))

    def bots(self) -> BotService:
        return bot_service(self.world)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what the user's own connection reads."""
        with psycopg.connect(self.world.urls.app, row_factory=dict_row) as connection:
            connection.execute("SELECT set_config('app.tenant', %s, true)", [str(self.who.user_id)])
            return connection.execute(query, list(values)).fetchall()

    def fills(self, bot: Bot) -> list[dict[str, Any]]:
        """Return a bot's fills in the order in which they were booked, with their orders' roles."""
        return self.rows(
            "SELECT f.*, o.tag, o.reason FROM fills f JOIN orders o ON o.id = f.order_id"
            " JOIN ledger_entries e ON e.id = f.ledger_entry_id WHERE f.bot_id = %s ORDER BY e.seq",
            bot.id,
        )

    def orders(self, bot: Bot) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM orders WHERE bot_id = %s ORDER BY id", bot.id)

    def status(self, bot: Bot) -> BotStatus:
        return BotStatus(self.rows("SELECT status FROM bots WHERE id = %s", bot.id)[0]["status"])

    async def assert_books_are_right(self) -> None:
        audit = await LedgerAudit(self.world.reporting).audit(self.who.user_id)
        assert audit.ok, audit.first_difference


@asynccontextmanager
async def engine_desk(urls: DatabaseUrls, start_ns: int, seed: str = "engine") -> AsyncIterator[EngineDesk]:
    """Open a desk whose user has a million rand, at a rate of 19 to the USDT."""
    world = World(urls, seed, HandClock(start_ns))
    try:
        who = world.add_user()
        await world.fund(who, Decimal(1_000_000))
        await world.mark(USDT_ZAR, Decimal(19))
        lease = await PgLeases(world.database).take("engine", "test", start_ns, ttl_s=1e6)
        yield EngineDesk(world, who, lease)
    finally:
        await world.database.close()


async def play(engine: TradingEngine, feed: Recording) -> None:
    """Show the engine everything that the feed has."""
    async for batch in feed.batches():
        await engine.process(batch)


def quotes(rows: Sequence[tuple[int, float, float]], instrument: int = 0) -> MarketBatch:
    """Return QUOTE rows of (time in ns, bid, ask), in the order given."""
    ts = np.array([row[0] for row in rows], dtype=np.int64)
    bid, ask = (np.array([row[i] for row in rows], dtype=np.float64) for i in (1, 2))
    zeros = np.zeros(len(rows))
    kind = np.full(len(rows), int(EventKind.QUOTE), dtype=np.int8)
    index: npt.NDArray[np.int32] = np.full(len(rows), instrument, dtype=np.int32)
    return MarketBatch(ts, ts, index, kind, bid, ask, zeros, zeros, zeros, np.zeros(len(rows), np.int32))


def quote_feed(
    instruments: Sequence[Instrument], batch: MarketBatch, max_age_s: float = 60.0
) -> RecordedFeed:
    """Return a feed of these rows, without any history to warm up on."""
    history: Mapping[tuple[str, str], Any] = {}
    return RecordedFeed(
        instruments, batch, title="scripted", dirty=DirtyRows(), max_age_s=max_age_s, history=dict(history)
    )


_WARM_UP_BARS = 400
LOT = Decimal("0.001")


def buy_each_bar(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Buy a lot whenever a bar closes."""
    if not isinstance(event, BarClosed):
        return Decision(state)
    return Decision(state, (Place("entry", Side.BUY, OrderType.MARKET, LOT, reason="test"),))


def fail(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Be a strategy with a defect."""
    raise ZeroDivisionError("the band has no width")


@dataclass
class EngineRig:
    """An engine that has not started yet, with everything under it."""

    world: World
    feed: RecordedFeed
    venue: FaultyVenue
    bots: BotService
    notices: Notices
    engine: TradingEngine
    mode: TradingMode = TradingMode.PAPER

    async def add_bot(self, who: Identity, name: str) -> Bot:
        return await self.world.add_bot(who, BTC_ZAR, Decimal(20_000), name, mode=self.mode)

    async def play(self) -> None:
        async for batch in self.feed.batches():
            await self.engine.process(batch)

    async def stored(self, bot: Bot) -> Bot:
        async with self.world.store.unit_of_work(bot.user_id) as unit:
            return await unit.bots.get(bot.id)

    async def events(self, who: Identity, kind: str) -> list[StoredEvent]:
        found = await PgEvents(self.world.database).after(who.user_id, 0, 500)
        return [event for event in found if event.type == kind]

    async def working(self, bot: Bot) -> int:
        async with self.world.store.unit_of_work(bot.user_id) as unit:
            return len(await unit.orders.working([bot.id]))

    def orders(self, bot: Bot) -> list[tuple[str, str]]:
        """Return (tag, state) of every order of the bot, oldest first."""
        with psycopg.connect(self.world.urls.app, row_factory=dict_row) as connection:
            connection.execute("SELECT set_config('app.tenant', %s, true)", [str(bot.user_id)])
            query = "SELECT tag, state FROM orders WHERE bot_id = %s ORDER BY id"
            return [(row["tag"], row["state"]) for row in connection.execute(query, [bot.id]).fetchall()]

    def emergency(self, file: StopFile) -> Emergency:
        return Emergency(self.world.store, self.world.clock, self.world.ids, bots=self.bots, file=file)

    def status(self, bot: Bot) -> BotStatus:
        return self.engine.runners[bot.id].bot.status


@asynccontextmanager
async def engine_rig(
    urls: DatabaseUrls, *, bars: int = 4, mode: TradingMode = TradingMode.PAPER
) -> AsyncIterator[EngineRig]:
    """Open a rig whose recording starts now and lasts for some hours."""
    async with trading(urls) as world:
        await world.let_trade(mode)
        now = world.clock.now_ns()
        first = now // HOUR - _WARM_UP_BARS
        closes = [1_000_000.0 + 100 * (index % 7) for index in range(_WARM_UP_BARS + bars)]
        feed = candle_feed([(BTC_ZAR, make_bars(first, closes))], title="Bars", span=Span(since_ts=now))
        venue = FaultyVenue(paper_venues(world, feed)[Platform.LUNO], SeededRng("line"))
        lease = await PgLeases(world.database).take("engine", "test", now, ttl_s=1e6)
        engine = new_engine(world, lease, feed, feed.max_age_s, {Platform.LUNO: venue}, mode)
        notices = Notices(PgAlerting(world.database), clock=world.clock, ids=world.ids)
        await world.catalog.put_instruments([BTC_ZAR], Origin.RECORDED, world.now)
        yield EngineRig(world, feed, venue, bot_service(world), notices, engine, mode)
