"""Metrics: what is known is told as it is, what is not known is left out."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import OrderIntent, OrderType, Side
from amarktai.ports.catalog import FeedRow
from amarktai.ports.feed import FeedState
from amarktai.ports.live import Attachment, Sink
from amarktai.ports.live_accounts import Condition
from amarktai.ports.readiness import BACKUP_NOTE
from amarktai.services.metrics import METRICS, Metrics, Readings, read_user
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.readiness import PgReadiness
from tests.services.gate_desk import GateDesk, gate_desk
from tests.services.live_desk import LOT, live_desk
from tests.trading import BTC_ZAR

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


class HandHub:
    """Dashboards as a test says. Implements ports.live.LiveHub."""

    def __init__(self, lag_s: float | None) -> None:
        self.lag_s = lag_s
        self.client_count = 3

    async def attach(self, user_id: UUID, after: int | None, sink: Sink) -> Attachment:
        raise AssertionError("nobody connects")

    def detach_user(self, user_id: UUID, code: int, reason: str) -> None:
        raise AssertionError("nobody is connected")


async def read(desk: GateDesk, lag_s: float | None = 0.25) -> Readings:
    world = desk.world
    hub = HandHub(lag_s)
    metrics = Metrics(desk.reports, desk.system, world.catalog, desk.machine, hub, world.clock)
    return await metrics.read()


def values(readings: Readings, name: str) -> dict[tuple[str, ...], float]:
    return {sample.labels: sample.value for sample in readings.samples.get(name, ())}


async def test_what_is_known_is_told(database_urls: DatabaseUrls) -> None:
    async with gate_desk(database_urls) as desk:
        me = str(desk.admin.user_id)
        await desk.status(Condition.ACTIVE, ago=12.0)
        await desk.beat("engine", errors=4, ago=timedelta(seconds=3))
        at = desk.world.now - timedelta(seconds=7)
        row = FeedRow(Platform.LUNO, Origin.LIVE, FeedState.LIVE, "", at, None, 1)
        await desk.world.catalog.put_feed(row, desk.world.now)
        await desk.reports.put_note(BACKUP_NOTE, {"made_at": at.isoformat()}, at)
        readings = await read(desk)
        assert values(readings, "account_active") == {(me, "luno"): 1.0}
        assert values(readings, "account_reconcile_age_seconds") == {(me, "luno"): 12.0}
        assert values(readings, "orders_in_doubt") == {(me,): 0.0}
        assert values(readings, "heartbeat_age_seconds")["engine", "7"] == 3.0
        assert values(readings, "errors") == {("engine", "7", "x"): 4.0}
        assert (values(readings, "feed_live"), values(readings, "feed_age_seconds")) == (
            {("luno",): 1.0},
            {("luno",): 7.0},
        )
        assert values(readings, "backup_age_seconds") == {(): 7.0}
        assert values(readings, "event_lag_seconds") == {(): 0.25}
        assert values(readings, "database_bytes")[()] > 1_000_000


async def test_what_is_not_known_is_left_out(database_urls: DatabaseUrls) -> None:
    async with gate_desk(database_urls) as desk:
        await desk.status(Condition.RECONCILING)
        row = FeedRow(Platform.OVEX, Origin.LIVE, FeedState.CONNECTING, "", None, None, 1)
        await desk.world.catalog.put_feed(row, desk.world.now)
        readings = await read(desk, lag_s=None)
        assert values(readings, "account_active")[str(desk.admin.user_id), "luno"] == 0.0
        assert values(readings, "feed_live")["ovex",] == 0.0
        assert ("ovex",) not in values(readings, "feed_age_seconds")
        for name in ("event_lag_seconds", "oldest_order_in_doubt_seconds"):
            assert values(readings, name) == {}


async def test_an_order_in_doubt_is_counted_with_its_age(database_urls: DatabaseUrls) -> None:

    async with gate_desk(database_urls) as desk:
        world = desk.world
        await world.fund(desk.admin, Decimal(1_000), TradingMode.LIVE)
        bot = await world.add_bot(desk.admin, BTC_ZAR, Decimal(1_000), mode=TradingMode.LIVE)
        await world.add_doubtful_order(bot)
        world.clock.advance(90.0)
        readings = await read(desk)
        me = (str(desk.admin.user_id),)
        assert values(readings, "orders_in_doubt") == {me: 1.0}
        assert values(readings, "oldest_order_in_doubt_seconds") == {me: 90.0}


async def test_a_position_counts_from_its_entry_or_from_its_last_stop(database_urls: DatabaseUrls) -> None:
    async with live_desk(database_urls) as live:
        world, me = live.world, str(live.who.user_id)
        await live.reconcile()
        bought_at = world.now
        await live.buy()
        await live.hear()
        world.clock.advance(40.0)
        facts = PgReadiness(world.database)
        (bare,) = (await facts.users())[0].unprotected
        assert (bare.bot_id, bare.platform, bare.since) == (live.bot.id, Platform.LUNO, bought_at)
        readings = Readings()
        read_user(readings, (await facts.users())[0], world.now)
        assert values(readings, "position_without_stop_seconds") == {(me, "luno", str(live.bot.id)): 40.0}

        stop = OrderIntent(
            live.bot.id, BTC_ZAR.id, "s1", "s1", Side.SELL, OrderType.STOP_MARKET, LOT / 2,
            live.exchange.price, world.clock.now_ns(), stop_price=live.exchange.price / 2,
        )  # fmt: skip
        await live.orders.submit(live.who.user_id, [stop])
        await live.hear()
        assert (await facts.users())[0].unprotected == []
        world.clock.advance(5.0)
        (order,) = (each for each in await live.stored() if each.type is OrderType.STOP_MARKET)
        await live.orders.cancel(live.who.user_id, [order.id])
        await live.hear()
        (bare,) = (await facts.users())[0].unprotected
        assert bare.since == world.now


def test_every_metric_is_in_the_docs_and_nothing_else_is() -> None:
    told = set(re.findall(r"`amarktai_(\w+)`", DOCS.read_text()))
    assert told == {metric.name for metric in METRICS}
