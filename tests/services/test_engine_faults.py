"""What one bot does wrong stays its own: the engine trades on, and the bot's user is told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from amarktai.domain.bot import BotAction, BotStatus, TradingMode
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.domain.user import Identity
from amarktai.ports.catalog import MarkRow
from amarktai.services.engine import STRATEGY_ERROR
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.embedded import DatabaseUrls
from amarktai.strategies.contract import Account, Decision, Place, StrategyEvent
from tests.services.engine_desk import LOT, EngineRig, buy_each_bar, engine_rig, fail
from tests.trading import BTC_ZAR
from tests.venues.faulty import Faults


async def test_a_strategys_error_pauses_its_bot_alone(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        ada, bo = rig.world.add_user(1), rig.world.add_user(2)
        for who in (ada, bo):
            await rig.world.fund(who, Decimal(50_000))
        bad, good = await rig.add_bot(ada, "Bad"), await rig.add_bot(ada, "Good")
        other = await rig.add_bot(bo, "Other")
        await rig.engine.start()
        rig.engine.runners[bad.id].decide = fail
        rig.engine.runners[good.id].decide = buy_each_bar
        rig.engine.runners[other.id].decide = buy_each_bar
        await rig.play()
        stored = await rig.stored(bad)
        assert (stored.status, stored.pause_reason) == (BotStatus.PAUSED, STRATEGY_ERROR)
        assert rig.status(bad) is BotStatus.PAUSED
        alerts = await rig.events(ada, "alert")
        assert [event.payload["alert_type"] for event in alerts] == ["strategy_error"]
        assert alerts[0].payload["bot_id"] == str(bad.id)
        assert "ZeroDivisionError: the band has no width" in alerts[0].payload["message"]
        assert len(await rig.events(ada, "bot_paused")) == 1
        assert await rig.events(bo, "alert") == []
        for bot in (good, other):
            assert rig.status(bot) is BotStatus.ACTIVE
            assert rig.engine.runners[bot.id].account.quantity == 3 * LOT
        for who in (ada, bo):
            assert (await LedgerAudit(rig.world.reporting).audit(who.user_id)).ok


def _answer_everything(
    state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any
) -> Decision:
    """Ask for more than there is, whatever is answered."""
    return Decision(state, (Place("entry", Side.BUY, OrderType.MARKET, Decimal(1_000), reason="again"),))


async def test_a_bot_that_answers_itself_without_end_is_stopped(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls, bars=2) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        runaway, good = await rig.add_bot(who, "Runaway"), await rig.add_bot(who, "Good")
        await rig.engine.start()
        rig.engine.runners[runaway.id].decide = _answer_everything
        rig.engine.runners[good.id].decide = buy_each_bar
        await rig.play()
        assert (await rig.stored(runaway)).pause_reason == STRATEGY_ERROR
        assert rig.status(good) is BotStatus.ACTIVE
        types = {event.payload["alert_type"] for event in await rig.events(who, "alert")}
        assert types == {"broken_invariant"}


async def test_an_order_whose_outcome_is_unknown_is_told(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls, bars=2) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        bot = await rig.add_bot(who, "Silent")
        await rig.engine.start()
        rig.engine.runners[bot.id].decide = buy_each_bar
        rig.venue.faults = Faults(lost_requests=1.0)
        await rig.play()
        alerts = await rig.events(who, "alert")
        assert [event.payload["alert_type"] for event in alerts] == ["order_unknown"]
        assert alerts[0].payload["bot_id"] == str(bot.id)
        assert await rig.working(bot) == 1


async def test_a_users_realised_profit_keeps_that_of_deleted_bots(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls, bars=2) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        gone = await rig.add_bot(who, "Gone")
        await rig.world.trade(gone, Side.BUY, LOT, Decimal(1_000_000), fee_ratio=Decimal(0))
        await rig.world.trade(gone, Side.SELL, LOT, Decimal(1_100_000), fee_ratio=Decimal(0))
        await rig.add_bot(who, "Stays")
        await rig.engine.start()
        await rig.bots.act(who.user_id, gone.id, BotAction.DELETE)
        await rig.engine.reload(who.user_id, gone.id)
        assert gone.id not in rig.engine.runners
        rig.engine.take_snapshots()
        await rig.engine.save()
        async with rig.world.reporting.snapshot(who.user_id) as reports:
            rows = await reports.figures.snapshots(TradingMode.PAPER, "user", "*", None, 10)
        assert [row.realized for row in rows] == [Decimal(100)]
        assert rows[0].equity == Decimal(50_100)


async def user_equity(rig: EngineRig, who: Identity) -> list[tuple[Decimal, Decimal]]:
    rig.engine.take_snapshots()
    await rig.engine.save()
    async with rig.world.reporting.snapshot(who.user_id) as reports:
        rows = await reports.figures.snapshots(TradingMode.PAPER, "user", "*", None, 10)
    return [(row.equity, row.realized) for row in rows]


async def test_bots_of_another_market_are_part_of_their_users_equity(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls, bars=2) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        await rig.add_bot(who, "Trades")
        resting = await rig.world.add_bot(who, BTC_ZAR, Decimal(10_000), "Rests", origin=Origin.SYNTHETIC)
        await rig.engine.start()
        assert resting.id not in rig.engine.runners
        assert await user_equity(rig, who) == [(Decimal(50_000), ZERO)]


async def test_a_resting_bots_coins_are_worth_their_own_markets_price_or_unknown(
    database_urls: DatabaseUrls,
) -> None:
    async with engine_rig(database_urls, bars=2) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        resting = await rig.world.add_bot(who, BTC_ZAR, Decimal(10_000), "Rests", origin=Origin.SYNTHETIC)
        await rig.world.trade(resting, Side.BUY, LOT, Decimal(1_000_000), fee_ratio=ZERO)
        await rig.world.mark(BTC_ZAR, Decimal(2_000_000))  # of the recording, which is not its market
        await rig.engine.start()
        assert await user_equity(rig, who) == []
        mark = MarkRow(BTC_ZAR.id, Decimal(1_500_000), rig.world.now, Origin.SYNTHETIC)
        await rig.world.catalog.put_marks([mark])
        await rig.engine.reload(who.user_id, resting.id)
        assert await user_equity(rig, who) == [(Decimal(50_500), ZERO)]


async def test_a_fill_that_the_books_refuse_stops_its_bot_and_no_other(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        ada, bo = rig.world.add_user(1), rig.world.add_user(2)
        for who in (ada, bo):
            await rig.world.fund(who, Decimal(50_000))
        bad, good = await rig.add_bot(ada, "Bad"), await rig.add_bot(ada, "Good")
        other = await rig.add_bot(bo, "Other")
        await rig.engine.start()
        for bot in (bad, good, other):
            rig.engine.runners[bot.id].decide = buy_each_bar
        rig.venue.ruined = bad.id
        await rig.play()
        alerts = await rig.events(ada, "alert")
        assert [event.payload["alert_type"] for event in alerts] == ["fill_refused"]
        assert alerts[0].payload["bot_id"] == str(bad.id)
        assert "not enough ZAR" in alerts[0].payload["message"]
        assert await rig.events(bo, "alert") == []
        assert rig.engine.runners[bad.id].account.quantity == ZERO
        for bot in (good, other):
            assert rig.engine.runners[bot.id].account.quantity == 3 * LOT
        for who in (ada, bo):
            assert (await LedgerAudit(rig.world.reporting).audit(who.user_id)).ok
