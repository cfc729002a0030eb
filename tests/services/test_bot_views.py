"""Bots as people see them: figures, value, state, and no other user's bot anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from amarktai.domain.bot import BotStatus, TradingMode
from amarktai.domain.errors import InvalidInput, NotFound
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import Side
from amarktai.ports.catalog import FeedRow
from amarktai.ports.feed import FeedState
from amarktai.ports.reports import BotFilter
from amarktai.ports.store import BotRuntime
from amarktai.services.bot_views import BotViews, library_view
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, ETH_ZAR, USDT_ZAR, World, trading, user_id_of

EVERY = BotFilter()


def views(world: World) -> BotViews:
    return BotViews(world.reporting, world.clock, world.rates)


async def test_a_bot_shows_its_figures_its_position_and_its_last_decision(
    database_urls: DatabaseUrls,
) -> None:
    decision = {"at": "2026-01-01T00:00:00+00:00", "verdict": "buy", "reason": "cross", "gates": []}
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        await world.mark(BTC_USDT, Decimal(51_000))
        bot = await world.add_bot(who, BTC_USDT, Decimal(20_000), "Trend")
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(50_000))
        await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(55_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(50_000))
        runtime = BotRuntime(last_decision=decision, max_drawdown_ratio=Decimal("-0.125"))
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.bots.save_runtimes({bot.id: runtime})
        view = await views(world).get(who.user_id, bot.id)
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.bots.update(replace(bot, name="Renamed"))
            within = await views(world).in_unit(unit, bot.id)
    # 500 USDT in and 550 out with 1.05 of fees, at 20; then 500 in again, 10 up at the mark
    assert Decimal(view["realized_profit"]) == Decimal(view["total_profit"]) == Decimal("48.95") * 20
    assert Decimal(view["unrealized_profit"]) == Decimal("9.5") * 20 and view["unrealized_reason"] is None
    assert Decimal(view["current_capital"]) == Decimal(1_000 + Decimal("48.95") + Decimal("9.5")) * 20
    assert Decimal(view["total_fees"]) == Decimal("1.55") * 20
    assert (view["total_trades"], view["trades_today"], view["win_rate"]) == (1, 1, 100.0)
    assert Decimal(view["position"]["value"]) == 10_200
    assert Decimal(view["position"]["average_price"]) == 50_050
    assert view["last_decision"] == decision and view["max_drawdown_percent"] == 12.5
    assert view["strategy_title"] and view["trading_mode"] == "paper"
    assert {name for name, value in view.items() if name.startswith("can_") and value is True} == {
        "can_pause",
        "can_stop",
        "can_delete",
    }
    assert within == {**view, "name": "Renamed"}


async def test_a_bot_without_a_price_says_so_and_a_flat_one_has_nothing_to_say(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        flat = await world.add_bot(who, BTC_ZAR, Decimal(10_000))
        long = await world.add_bot(who, ETH_ZAR, Decimal(10_000))
        await world.trade(long, Side.BUY, Decimal("0.1"), Decimal(50_000))
        page = await views(world).list_bots(who.user_id, EVERY, cursor=None, limit=10)
    one, other = page.items
    assert (one["id"], other["id"]) == (str(flat.id), str(long.id))
    assert one["position"] is None and one["unrealized_profit"] == "0" and one["win_rate"] is None
    assert Decimal(one["current_capital"]) == 10_000
    assert other["unrealized_profit"] is None and other["current_capital"] is None
    assert other["unrealized_reason"] == "no price for luno:ETH/ZAR yet"


async def test_lists_are_filtered_and_paged_and_hide_deleted_bots(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, stranger = world.add_user(1), world.add_user(2)
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        bots = []
        for market in (BTC_ZAR, ETH_ZAR, BTC_USDT):
            bots.append(await world.add_bot(who, market, Decimal(2_000)))
            world.clock.advance(1)
        gone = replace(bots[0], status=BotStatus.DELETED, deleted_at=world.now)
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.bots.update(gone)
        service = views(world)
        first = await service.list_bots(who.user_id, EVERY, cursor=None, limit=1)
        second = await service.list_bots(who.user_id, EVERY, cursor=first.next_cursor, limit=1)
        luno = await service.list_bots(who.user_id, BotFilter(platform=Platform.LUNO), cursor=None, limit=9)
        deleted = await service.list_bots(
            who.user_id, BotFilter(status=BotStatus.DELETED), cursor=None, limit=9
        )
        live = await service.list_bots(who.user_id, BotFilter(mode=TradingMode.LIVE), cursor=None, limit=9)
        theirs = await service.list_bots(stranger.user_id, EVERY, cursor=None, limit=9)
        for call in (
            service.get(stranger.user_id, bots[1].id),
            service.decisions(stranger.user_id, bots[1].id, cursor=None, limit=9),
            service.equity(stranger.user_id, bots[1].id, "all"),
        ):
            with pytest.raises(NotFound):
                await call
    ids = [str(bot.id) for bot in bots]
    assert [item["id"] for item in (*first.items, *second.items)] == ids[1:] and second.next_cursor is None
    assert [item["id"] for item in luno.items] == [ids[1]]
    assert [item["id"] for item in deleted.items] == [ids[0]]
    assert deleted.items[0]["cannot_reason"] is not None and not deleted.items[0]["can_start"]
    assert live.items == [] and theirs.items == []


async def test_a_list_costs_the_same_statements_for_any_number_of_bots(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100_000))
        await world.mark(BTC_ZAR, Decimal(1_000_000))
        counts = []
        for added in (1, 12):
            for _ in range(added):
                bot = await world.add_bot(who, BTC_ZAR, Decimal(2_000))
                await world.trade(bot, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
            with statements() as ran:
                page = await views(world).list_bots(who.user_id, EVERY, cursor=None, limit=50)
            counts.append((len(page.items), len(ran)))
    assert [items for items, _ in counts] == [1, 13]
    assert counts[0][1] == counts[1][1] <= 6


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that run meanwhile."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        ran.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_decisions_are_paged_newest_first(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(2_000))
        rows = [
            (bot.id, world.now + timedelta(hours=hour), {"verdict": "hold", "reason": f"{hour}"})
            for hour in range(5)
        ]
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.bots.add_decisions(rows)
        service = views(world)
        first = await service.decisions(who.user_id, bot.id, cursor=None, limit=3)
        rest = await service.decisions(who.user_id, bot.id, cursor=first.next_cursor, limit=3)
    assert [item["reason"] for item in (*first.items, *rest.items)] == ["4", "3", "2", "1", "0"]
    assert rest.next_cursor is None


async def test_equity_is_thinned_evenly_and_its_fall_is_from_the_peak(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(2_000))
        start = world.now
        snapshots = [
            {
                "mode": "paper", "scope": "bot", "scope_id": bot.id.hex,
                "at": start + timedelta(minutes=minute), "equity_zar": Decimal(equity),
                "realized_zar": Decimal(0), "unrealized_zar": Decimal(equity - 2_000),
                "deposits_zar": Decimal(2_000),
            }
            for minute, equity in enumerate([2_000, 2_500, 2_000, 2_200] + [2_100] * 2_000)
        ]  # fmt: skip
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.figures.add_snapshots(snapshots)
        world.clock.advance(86_400 * 90)
        service = views(world)
        everything = await service.equity(who.user_id, bot.id, "all")
        day = await service.equity(who.user_id, bot.id, "day")
        with pytest.raises(InvalidInput):
            await service.equity(who.user_id, bot.id, "century")
    times = [point["at"] for point in everything["items"]]
    assert len(times) == 1_000 and times == sorted(times)
    assert times[-1] == (start + timedelta(minutes=2_003)).isoformat()
    assert everything["max_drawdown_percent"] == 20.0
    assert day["items"][0]["at"] >= (start + timedelta(minutes=2_003 - 1_440)).isoformat()
    assert day["max_drawdown_percent"] == 0.0


def test_the_library_is_shown_with_its_parameters_and_ranges() -> None:
    cards = library_view()
    assert {"ema_cross", "grid", "dca"} <= {card["id"] for card in cards}
    for card in cards:
        assert card["kind"] in {"signals", "events"} and card["source"] and card["title"]
        for parameter in card["parameters"]:
            assert parameter["low"] <= parameter["default"] <= parameter["high"]
            assert parameter["type"] in {"int", "float"} and parameter["description"]


async def test_an_unknown_bot_is_not_found(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        with pytest.raises(NotFound):
            await views(world).get(who.user_id, UUID(int=1))


async def put_curve(world: World, points: list[tuple[int, int]]) -> UUID:
    """Store a bot's (equity, deposits) minute by minute; return the bot."""
    who = world.add_user()
    await world.fund(who, Decimal(50_000))
    bot = await world.add_bot(who, BTC_ZAR, Decimal(1_000))
    curve = [
        (world.now + timedelta(minutes=minute), Decimal(equity), Decimal(deposits))
        for minute, (equity, deposits) in enumerate(points)
    ]
    await world.snapshot(who, curve, bot)
    return bot.id


async def test_falls_are_named_from_peak_to_recovery(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        curve = [(1000, 1000), (900, 1000), (950, 1000), (1100, 1000), (1045, 1000), (1090, 1000)]
        bot_id = await put_curve(world, curve)
        view = await views(world).equity(user_id_of(1), bot_id, "all")
    first, second = view["drawdowns"]
    assert (first["percent"], Decimal(first["depth"])) == (10.0, Decimal(-100)) and view[
        "max_drawdown_percent"
    ] == 10.0
    assert [first[name][14:16] for name in ("peak_at", "trough_at", "recovered_at")] == ["00", "01", "03"]
    assert (second["percent"], second["recovered_at"]) == (5.0, None)
    assert [point["drawdown_percent"] for point in view["items"]] == [0, 10.0, 5.0, 0, 5.0, 0.9091]


async def test_money_put_in_is_no_recovery(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        bot_id = await put_curve(world, [(1000, 1000), (900, 1000), (1900, 2000), (1950, 2000)])
        view = await views(world).equity(user_id_of(1), bot_id, "all")
    (fall,) = view["drawdowns"]
    assert fall["percent"] == 10.0 and fall["recovered_at"] is None
    assert [point["drawdown_percent"] for point in view["items"]] == [0, 10.0, 5.0, 2.5]


async def test_a_sparkline_is_the_running_profit_of_thirty_days(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        quiet = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        for price in (1_010_000, 990_000):
            await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000), fee_ratio=Decimal(0))
            await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(price), fee_ratio=Decimal(0))
            world.clock.advance(86_400)
        lines = await views(world).sparklines(who.user_id, mode=None)
        strangers = await views(world).sparklines(world.add_user(2).user_id, mode=None)
    (line,) = lines["items"]
    assert line["bot_id"] == str(bot.id) != str(quiet.id)
    assert [Decimal(value) for value in line["values"]] == [0] * 27 + [100, 0, 0]
    assert strangers["items"] == []


async def test_a_bot_of_another_market_rests_and_says_why(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(1_000))  # made on recorded prices
        before = await views(world).get(who.user_id, bot.id)
        reasons = []
        for market in (Origin.RECORDED, Origin.LIVE):
            feed = FeedRow(Platform.LUNO, market, FeedState.LIVE, "", None, None, 1)
            await world.catalog.put_feed(feed, world.now)
            reasons.append((await views(world).get(who.user_id, bot.id))["rests_because"])
    assert before["rests_because"] is None
    assert reasons == [
        None,
        "It was made on recorded prices and rests while the platform runs on live prices.",
    ]
