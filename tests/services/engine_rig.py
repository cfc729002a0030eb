"""A trading engine on a real database: hours of one market's bars, bots whose strategy a test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from amarktai.domain.bot import Bot, BotStatus
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import OrderType, Side
from amarktai.domain.user import Identity
from amarktai.ports.accounts import StoredEvent
from amarktai.services.alerts import Notices
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService
from amarktai.services.engine import EngineParts, TradingEngine
from amarktai.services.orders import Desk, OrderPolicy, OrderService
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.storage.leases import PgLeases
from amarktai.strategies.contract import Account, BarClosed, Decision, Place, StrategyEvent
from amarktai.venues.paper import PaperVenue
from amarktai.venues.replay import RecordedFeed, Span, candle_feed
from tests.bars import HOUR, make_bars
from tests.fakes import SeededRng
from tests.trading import BTC_ZAR, World, trading
from tests.venues.faulty import FaultyVenue

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

    async def add_bot(self, who: Identity, name: str) -> Bot:
        return await self.world.add_bot(who, BTC_ZAR, Decimal(20_000), name)

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

    def status(self, bot: Bot) -> BotStatus:
        return self.engine.runners[bot.id].bot.status


@asynccontextmanager
async def engine_rig(urls: DatabaseUrls, *, bars: int = 4) -> AsyncIterator[EngineRig]:
    """Open a rig whose recording starts now and lasts for some hours."""
    async with trading(urls) as world:
        now = world.clock.now_ns()
        first = now // HOUR - _WARM_UP_BARS
        closes = [1_000_000.0 + 100 * (index % 7) for index in range(_WARM_UP_BARS + bars)]
        feed = candle_feed([(BTC_ZAR, make_bars(first, closes))], title="Bars", span=Span(since_ts=now))
        paper = PaperVenue(
            platform=Platform.LUNO, account="paper", instruments=[BTC_ZAR], origin=Origin.RECORDED,
            clock=world.clock,
        )  # fmt: skip
        venue = FaultyVenue(paper, SeededRng("line"))
        lease = await PgLeases(world.database).take("engine", "test", now, ttl_s=1e6)
        running: dict[UUID, Bot] = {}
        policy = OrderPolicy(max_data_age_s=feed.max_age_s)
        desk = Desk({Platform.LUNO: venue}, {BTC_ZAR.id: BTC_ZAR}, running, world.fx, policy, lease)
        orders = OrderService(world.store, world.clock, world.ids, desk)
        views = BotViews(world.reporting, world.clock, world.rates)
        bots = BotService(
            world.store, world.clock, world.ids, catalog=world.catalog, fx=world.fx, caps={},
            view=views.in_unit,
        )  # fmt: skip
        notices = Notices(PgAlerting(world.database), clock=world.clock, ids=world.ids)
        parts = EngineParts({Platform.LUNO: venue}, orders, bots, notices, running, world.fx, 3_600)
        engine = TradingEngine(world.store, world.clock, feed, parts)
        await world.catalog.put_instruments([BTC_ZAR], Origin.RECORDED, world.now)
        yield EngineRig(world, feed, venue, bots, notices, engine)
