"""Platforms: always five, honest about their feeds, and their bots by profit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amarktai.domain.bot import BOT_CAPS
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import Side
from amarktai.ports.catalog import FeedRow
from amarktai.ports.feed import FeedState
from amarktai.services.bot_views import BotViews
from amarktai.services.platforms import PlatformService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, ETH_ZAR, USDT_ZAR, World, trading

NOTES = {platform: f"{platform} is not connected" for platform in Platform}


def service(world: World) -> PlatformService:
    bots = BotViews(world.reporting, world.clock, world.rates)
    return PlatformService(
        world.reporting, world.clock, catalog=world.catalog, bots=bots, caps=BOT_CAPS, notes=NOTES
    )


async def test_all_five_are_there_with_what_their_feeds_say(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, other = world.add_user(1), world.add_user(2)
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        luno = await world.add_bot(who, BTC_ZAR, Decimal(10_000))
        await world.add_bot(who, BTC_USDT, Decimal(10_000))
        await world.trade(luno, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
        await world.trade(luno, Side.SELL, Decimal("0.001"), Decimal(1_200_000))
        at = world.now - timedelta(seconds=5)
        live = FeedRow(Platform.LUNO, Origin.LIVE, FeedState.LIVE, "Luno is live", at, None, 3)
        away = FeedRow(Platform.KUCOIN, Origin.LIVE, FeedState.UNREACHABLE, "no route", None, at, 0)
        for feed in (live, away):
            await world.catalog.put_feed(feed, world.now)
        summary = await service(world).summary(who.user_id, mode=None)
        theirs = await service(world).summary(other.user_id, mode=None)
        await world.catalog.put_feed(replace(live, origin=Origin.RECORDED), world.now)
        again = (await service(world).summary(who.user_id, mode=None))["platforms"]
    rows = {row["platform"]: row for row in summary["platforms"]}
    assert list(rows) == ["luno", "binance", "kucoin", "ovex", "valr"]
    assert summary["total_platforms"] == 5 and summary["mode"] == "paper"
    assert rows["luno"]["connected"] and rows["luno"]["feed_age_s"] == 5.0
    # made on recorded prices, they rest on live ones; a feed that never reported keeps nobody from running
    assert (rows["luno"]["bots_count_total"], rows["luno"]["bots_active"]) == (1, 0)
    assert rows["binance"]["bots_active"] == 1
    assert next(row for row in again if row["platform"] == "luno")["bots_active"] == 1
    assert (rows["luno"]["bot_limit"], rows["binance"]["bot_limit"]) == (5, 10)
    # 200 gained, 1.00 and 1.20 paid as fees
    assert Decimal(rows["luno"]["profit_total"]) == Decimal(rows["luno"]["profit_today"]) == Decimal("197.8")
    assert (rows["luno"]["trades_today"], rows["luno"]["win_rate"]) == (1, 100.0)
    assert not rows["kucoin"]["connected"] and rows["kucoin"]["status_message"] == "no route"
    assert rows["ovex"]["status_message"] == NOTES[Platform.OVEX] and rows["ovex"]["feed_state"] is None
    assert rows["binance"]["win_rate"] is None and Decimal(rows["binance"]["profit_total"]) == 0
    assert all(row["bots_count_total"] == 0 for row in theirs["platforms"])


async def test_a_platforms_bots_come_by_profit(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bots = [await world.add_bot(who, market, Decimal(5_000)) for market in (BTC_ZAR, ETH_ZAR, BTC_ZAR)]
        for bot, price in ((bots[0], 90_000), (bots[2], 120_000)):
            await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(100_000))
            await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(price))
        answer = await service(world).bots(who.user_id, Platform.LUNO, mode=None)
        empty = await service(world).bots(who.user_id, Platform.VALR, mode=None)
        with pytest.raises(InvalidInput):
            await service(world).bots(who.user_id, "mtgox", mode=None)  # type: ignore[arg-type]
    assert [bot["id"] for bot in answer["bots"]] == [str(bots[place].id) for place in (2, 1, 0)]
    assert answer["total_bots"] == 3 and answer["display_name"] == "Luno"
    assert empty["bots"] == [] and empty["total_bots"] == 0
