"""Profits: shapes, the user's days, and a summary whose parts are the ledger's."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.order import Side
from amarktai.services.profits import ProfitService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, USDT_ZAR, World, trading


def service(world: World) -> ProfitService:
    return ProfitService(world.reporting, world.clock, world.rates)


async def test_an_empty_book_has_zeros_for_sums_and_null_for_what_has_no_value(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        summary = await service(world).summary(who.user_id, mode=None)
    assert summary["mode"] == "paper"
    assert Decimal(summary["realized_profit"]) == Decimal(summary["total_profit"]) == 0
    assert summary["best_day"] is None and summary["win_rate"] is None
    assert Decimal(summary["equity"]) == 0 and summary["by_bot"] == []


async def test_a_rand_round_trip_is_in_every_figure(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(10_000))
        await world.mark(BTC_ZAR, Decimal(1_000_000))
        await world.trade(bot, Side.BUY, Decimal("0.005"), Decimal(1_000_000))
        await world.trade(bot, Side.SELL, Decimal("0.005"), Decimal(1_100_000))
        summary = await service(world).summary(who.user_id, mode=TradingMode.PAPER)
        daily = await service(world).profits(who.user_id, period="daily", mode=None)
    # 5,000 in, 5,500 out, 0.1 % of each as fees
    assert Decimal(summary["realized_profit"]) == Decimal("489.5")
    assert Decimal(summary["total_fees"]) == Decimal("10.5")
    assert Decimal(summary["equity"]) == Decimal("100489.5")
    assert Decimal(summary["fx_profit"]) == Decimal(summary["rounding"]) == 0
    assert (summary["total_trades"], summary["winning_trades"], summary["win_rate"]) == (1, 1, 100.0)
    assert summary["best_day"] == {"date": "2026-01-01", "profit": "489.50000000"}
    assert summary["by_bot"][0]["bot_id"] == str(bot.id)
    assert summary["by_pair"][0]["pair"] == "BTC/ZAR"
    assert len(daily["items"]) == 30 and daily["items"][-1] == summary["best_day"]
    assert daily["items"][0] == {"date": "2025-12-03", "profit": "0"}


async def test_the_rand_moving_is_fx_and_not_trading_profit(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        bot = await world.add_bot(who, BTC_USDT, Decimal(20_000))
        await world.mark(USDT_ZAR, Decimal(22))
        await world.mark(BTC_USDT, Decimal(50_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(50_000))
        summary = await service(world).summary(who.user_id, mode=None)
    # 1,000 USDT at 20 are worth 22 each; the entry's fee of 0.5 USDT is an unrealised loss at 22
    assert Decimal(summary["unrealized_profit"]) == Decimal("-11")
    assert Decimal(summary["fx_profit"]) == Decimal(2_000)
    assert Decimal(summary["equity"]) == Decimal(50_000 + 2_000 - 11)
    assert Decimal(summary["rounding"]) == 0


async def test_without_a_rate_there_is_no_rand_figure_but_a_reason(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        bot = await world.add_bot(who, BTC_USDT, Decimal(20_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(50_000))
        unpriced = await service(world).summary(who.user_id, mode=None)
        world.clock.advance(7_200)
        await world.mark(BTC_USDT, Decimal(50_000))
        unrated = await service(world).summary(who.user_id, mode=None)
        await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(60_000))
        partial = await service(world).summary(who.user_id, mode=None)
    assert unpriced["unrealized_profit"] is None
    assert unpriced["unrealized_reason"] == "no price for binance:BTC/USDT yet"
    assert unrated["unrealized_profit"] is None and unrated["equity"] is None
    assert unrated["unrealized_reason"] == "no ZAR rate for USDT at 2026-01-01 02:00 UTC"
    assert unrated["total_profit"] is None
    assert partial["realized_reason"] == "without 1 fill for which there was no ZAR rate"
    assert partial["fx_profit"] is None


async def test_a_stale_price_is_used_and_said(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        await world.mark(BTC_ZAR, Decimal(1_000_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000))
        marked_at = world.now
        world.clock.advance(86_400 * 400)
        summary = await service(world).summary(who.user_id, mode=None)
    assert Decimal(summary["unrealized_profit"]) == -10
    assert summary["unrealized_reason"] == "the last price of luno:BTC/ZAR is of 2026-01-01 00:00 UTC"
    assert summary["marked_at"] == marked_at.isoformat()


async def test_days_start_at_the_users_midnight(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        world.clock.advance(22.5 * 3600)  # 22:30 UTC is 00:30 the next day in Johannesburg
        who = world.add_user(1, "Africa/Johannesburg")
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000))
        await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(1_000_000))
        everything = await service(world).profits(who.user_id, period="all", mode=None)
        world.clock.advance(86_400)
        later = await service(world).profits(who.user_id, period="all", mode=None)
    assert everything["timezone"] == "Africa/Johannesburg"
    assert everything["best_day"] == {"date": "2026-01-02", "profit": "-20.00000000"}
    assert Decimal(everything["profit_today"]) == -20 and Decimal(everything["profit_yesterday"]) == 0
    assert Decimal(later["profit_today"]) == 0 and Decimal(later["profit_yesterday"]) == -20
    assert Decimal(later["avg_daily"]) == -10
    assert len(later["daily_series"]) == 30


async def test_weeks_begin_on_monday_and_months_on_the_first(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000))
        await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(1_010_000))
        world.clock.advance(86_400 * 40)
        weekly = await service(world).profits(who.user_id, period="weekly", mode=None)
        monthly = await service(world).profits(who.user_id, period="monthly", mode=None)
    weeks, months = weekly["items"], monthly["items"]
    assert len(weeks) == len(months) == 12
    assert weeks[-1] == {"week": "2026-W07", "profit": "0", "period": "2026-02-09/2026-02-15"}
    assert all(date.fromisoformat(week["period"][:10]).weekday() == 0 for week in weeks)
    assert next(week for week in weeks if week["week"] == "2026-W01")["profit"] == "79.90000000"
    assert [month["month"] for month in months[-2:]] == ["2026-01", "2026-02"]
    assert months[-2] == {"month": "2026-01", "profit": "79.90000000", "period": "2026-01-01/2026-01-31"}
    assert months[0]["month"] == "2025-03"


async def test_a_round_trip_without_profit_is_neither_won_nor_lost(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        for side in (Side.BUY, Side.SELL):
            await world.trade(bot, side, Decimal("0.01"), Decimal(1_000_000), fee_ratio=Decimal(0))
        summary = await service(world).summary(who.user_id, mode=None)
    assert (summary["total_trades"], summary["winning_trades"], summary["losing_trades"]) == (1, 0, 0)
    assert summary["win_rate"] == 0.0


async def test_what_is_unknown_is_refused(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        with pytest.raises(InvalidInput, match="no period"):
            await service(world).profits(who.user_id, period="hourly", mode=None)
        with pytest.raises(InvalidInput, match="no range"):
            await service(world).equity(who.user_id, mode=None, span="decade")


async def test_live_is_another_book(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        live = await service(world).summary(who.user_id, mode=TradingMode.LIVE)
    assert live["mode"] == "live" and Decimal(live["equity"]) == Decimal(live["deposits"]) == 0


async def test_a_report_holds_what_its_days_hold(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        for price in (1_010_000, 990_000):
            await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000), fee_ratio=Decimal(0))
            await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(price), fee_ratio=Decimal(0))
            world.clock.advance(86_400 * 70)
        whole = await service(world).report(who.user_id, span="all", mode=None)
        tax = await service(world).report(who.user_id, span="tax_year", mode=None)
        before = await service(world).report(who.user_id, span="last_tax_year", mode=None)
    # Won 100 on 1 January, lost 100 on 12 March; today is 21 May.
    assert [(day["date"], Decimal(day["profit"]), Decimal(day["running"])) for day in whole["days"]] == [
        ("2026-01-01", Decimal(100), Decimal(100)),
        ("2026-03-12", Decimal(-100), Decimal(0)),
    ]
    assert (whole["trades"], whole["winning_trades"], whole["win_rate"]) == (2, 1, 50.0)
    assert Decimal(whole["expectancy"]) == 0
    assert (tax["first"], tax["last"], tax["trades"]) == ("2026-03-01", "2026-05-21", 1)
    assert Decimal(tax["realized_profit"]) == Decimal(tax["expectancy"]) == -100
    assert (before["first"], before["last"]) == ("2025-03-01", "2026-02-28")
    assert [Decimal(share["realized_profit"]) for share in before["by_bot"]] == [100]
    assert before["by_pair"][0]["pair"] == "BTC/ZAR" and before["by_platform"][0]["win_rate"] == 100.0


async def test_a_span_without_trades_has_no_average(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        report = await service(world).report(who.user_id, span="month", mode=TradingMode.LIVE)
    assert report["expectancy"] is None and report["win_rate"] is None and report["days"] == []


async def test_charts_of_a_book_that_stood_still_end_where_it_stopped(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(1_000_000))
        await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(1_000_000))
        await world.snapshot(who, [(world.now, Decimal(49_980), Decimal(50_000))])
        stopped = world.now.date()
        world.clock.advance(86_400 * 30)
        still = await service(world).profits(who.user_id, period="daily", mode=None)
        world.clock.advance(86_400 * 600)
        later = {
            period: await service(world).profits(who.user_id, period=period, mode=None)
            for period in ("daily", "weekly", "monthly")
        }
        report = await service(world).report(who.user_id, span="last_30_days", mode=None)
    assert still["items"][-1]["date"] == str(stopped + timedelta(days=30))
    assert later["daily"]["items"][-1] == {"date": str(stopped), "profit": "-20.00000000"}
    assert [Decimal(later[period]["total"]) for period in later] == [-20, -20, -20]
    assert (report["last"], Decimal(report["realized_profit"])) == (str(stopped), Decimal(-20))
