"""Ways out: a sale waits for the coins that another order still holds; a halted account takes no entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from amarktai.domain.bot import Bot, BotAction, TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.market import MarketBatch
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.keys import AccountState, VenueAccount
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.embedded import DatabaseUrls
from amarktai.strategies.contract import Account, BarClosed, Cancel, Decision, Place, StrategyEvent
from tests.services.engine_desk import LOT, EngineRig, engine_rig, quotes
from tests.venues.faulty import NO_FAULTS, Faults

STOP_PRICE = Decimal(500_000)


def in_and_out(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Buy, protect what was bought with a stop, then leave: cancel the stop and sell, at each bar again."""
    if not isinstance(event, BarClosed) or "exit" in account.working:
        return Decision(state)
    if not account.quantity:
        wanted: tuple[Place | Cancel, ...] = (Place("entry", Side.BUY, OrderType.MARKET, LOT, reason="test"),)
    elif "stop" not in account.working:
        wanted = (
            Place(
                "stop", Side.SELL, OrderType.STOP_MARKET, LOT, stop_price=STOP_PRICE, reduce_only=True,
                reason="test",
            ),
        )  # fmt: skip
    else:
        sale = Place("exit", Side.SELL, OrderType.MARKET, LOT, reduce_only=True, reason="test")
        wanted = (Cancel("stop", "leaving"), sale)
    return Decision(state, wanted)


def rest_below(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
    """Rest one buy far below the market, and put it back whenever it is gone."""
    if not isinstance(event, BarClosed) or "low" in account.working:
        return Decision(state)
    low = Place("low", Side.BUY, OrderType.LIMIT, LOT, price=Decimal(600_000), reason="test")
    return Decision(state, (low,))


def cut(batch: MarketBatch, start: int, end: int) -> MarketBatch:
    return MarketBatch(*(getattr(batch, field.name)[start:end] for field in fields(batch)))


@asynccontextmanager
async def leaving(urls: DatabaseUrls, line: Faults) -> AsyncIterator[tuple[EngineRig, Bot]]:
    """Open a rig whose bot has just tried to leave, on a line on which cancels go wrong."""
    async with engine_rig(urls) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        bot = await rig.add_bot(who, "Leaving")
        await rig.engine.start()
        rig.engine.runners[bot.id].decide = in_and_out
        rig.venue.faults = line
        await rig.play()
        yield rig, bot
        assert (await LedgerAudit(rig.world.reporting).audit(bot.user_id)).ok


CANCELS_GO_WRONG = [Faults(ignored_cancels=1), Faults(lost_cancels=1), Faults(lost_cancel_replies=1)]


@pytest.mark.parametrize("line", CANCELS_GO_WRONG)
async def test_an_exit_waits_until_its_stop_has_ended_and_then_leaves(
    database_urls: DatabaseUrls, line: Faults
) -> None:
    async with leaving(database_urls, line) as (rig, bot):
        assert rig.orders(bot) == [("entry", "filled"), ("stop", "cancel_unknown")]
        rig.venue.faults = Faults(lost_queries=1, lost_cancels=1)
        await rig.engine.settle()
        assert rig.orders(bot) == [("entry", "filled"), ("stop", "cancel_unknown")]
        rig.venue.faults = NO_FAULTS
        await rig.engine.settle()
        assert rig.orders(bot) == [("entry", "filled"), ("stop", "canceled"), ("exit", "open")]
        await rig.engine.settle()
        assert len(rig.orders(bot)) == 3


@pytest.mark.parametrize("line", CANCELS_GO_WRONG)
async def test_a_stopped_bots_closing_sale_waits_as_well(database_urls: DatabaseUrls, line: Faults) -> None:
    async with leaving(database_urls, line) as (rig, bot):
        rig.venue.faults = replace(line, lost_queries=1)
        await rig.bots.act(bot.user_id, bot.id, BotAction.STOP)
        await rig.engine.reload(bot.user_id, bot.id)
        await rig.engine.settle()
        assert [tag for tag, _ in rig.orders(bot)] == ["entry", "stop"]
        rig.venue.faults = NO_FAULTS
        await rig.engine.settle()
        assert rig.orders(bot) == [("entry", "filled"), ("stop", "canceled"), ("close", "open")]


async def test_a_stop_that_fires_meanwhile_leaves_nothing_to_sell(database_urls: DatabaseUrls) -> None:
    async with leaving(database_urls, Faults(ignored_cancels=1)) as (rig, bot):
        now = rig.world.clock.now_ns()
        await rig.engine.process(
            quotes([(now + 10**9, 400_000.0, 400_001.0), (now + 2 * 10**9, 4e5, 400_001.0)])
        )
        assert rig.engine.runners[bot.id].account.quantity == ZERO
        await rig.engine.settle()
        assert rig.orders(bot) == [("entry", "filled"), ("stop", "filled")]


@asynccontextmanager
async def live_bots(urls: DatabaseUrls) -> AsyncIterator[tuple[EngineRig, Bot, Bot, MarketBatch]]:
    """Open a rig with two live bots: one whose entry rests, one that holds with a stop; and the last bar."""
    async with engine_rig(urls, bars=3, mode=TradingMode.LIVE) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000), TradingMode.LIVE)
        rests, holds = await rig.add_bot(who, "Rests"), await rig.add_bot(who, "Holds")
        await rig.engine.start()
        rig.engine.runners[rests.id].decide = rest_below
        rig.engine.runners[holds.id].decide = in_and_out
        (batch,) = [batch async for batch in rig.feed.batches()]
        last_bar = len(batch) - 2  # its opening and its close
        await rig.engine.process(cut(batch, 0, last_bar))
        await rig.engine.settle()
        assert rig.orders(rests) == [("low", "open")]
        yield rig, rests, holds, cut(batch, last_bar, len(batch))


async def test_a_halted_account_keeps_its_stops_and_loses_its_resting_entries(
    database_urls: DatabaseUrls,
) -> None:
    async with live_bots(database_urls) as (rig, rests, holds, last_bar):
        async with rig.world.store.unit_of_work(rests.user_id) as unit:
            await unit.venue_accounts.put(
                VenueAccount(Platform.LUNO, AccountState.HALTED, "The key may withdraw money.", rig.world.now)
            )
        await rig.engine.settle()
        assert rig.orders(rests) == [("low", "canceled")]
        assert rig.orders(holds) == [("entry", "filled"), ("stop", "open")]
        await rig.engine.process(last_bar)
        assert rig.orders(rests) == [("low", "canceled"), ("low", "denied")]
        trace = rig.engine.runners[rests.id].last_decision
        assert trace is not None and trace["verdict"] == "blocked"
        assert trace["gates"][-1]["name"] == "ACCOUNT_HALTED"
        assert "The key may withdraw money. Save a key" in trace["reason"]
        assert rig.orders(holds)[1:] == [("stop", "canceled"), ("exit", "open")]


async def test_back_on_paper_live_entries_that_rest_are_canceled_and_stops_stay(
    database_urls: DatabaseUrls,
) -> None:
    async with live_bots(database_urls) as (rig, rests, holds, last_bar):
        await rig.world.let_trade(TradingMode.PAPER)
        await rig.engine.settle()
        assert rig.orders(rests) == [("low", "canceled")]
        assert rig.orders(holds) == [("entry", "filled"), ("stop", "open")]
        await rig.engine.process(last_bar)
        assert rig.orders(rests) == [("low", "canceled"), ("low", "denied")]
        trace = rig.engine.runners[rests.id].last_decision
        assert trace is not None and trace["gates"][-1]["name"] == "MODE_DISABLED"
        assert rig.orders(holds)[1:] == [("stop", "canceled"), ("exit", "open")]
