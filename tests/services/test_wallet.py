"""The wallet can be read while somebody books; what is done to it is in the audit log or is not done."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import psycopg
import pytest

from amarktai.domain.bot import BotAction, BotStatus, RiskMode, TradingMode
from amarktai.domain.errors import Conflict, InvalidInput
from amarktai.domain.instrument import Origin
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService, NewBot
from amarktai.services.wallet import WalletService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_ZAR, World, trading


def wallet_of(world: World) -> WalletService:
    return WalletService(world.store, world.clock, world.ids, world.catalog, world.fx)


def bots_of(world: World) -> BotService:
    views = BotViews(world.reporting, world.clock, world.rates)
    return BotService(
        world.store, world.clock, world.ids, catalog=world.catalog, fx=world.fx,
        caps={BTC_ZAR.venue: 5}, view=views.in_unit,
    )  # fmt: skip


def audited(urls: DatabaseUrls) -> list[tuple[str, str]]:
    with psycopg.connect(urls.owner) as connection:
        rows = connection.execute("SELECT actor, action FROM audit_log ORDER BY seq").fetchall()
    return [(row[0], row[1]) for row in rows]


async def test_a_wallet_is_read_while_its_book_is_locked(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        wallet = wallet_of(world)
        assert (await wallet.view(who.user_id))["total"] == "0"
        await wallet.fund(who.user_id, Decimal(1_000), by=who)
        async with world.store.unit_of_work(who.user_id) as unit:
            await unit.ledger.lock_book(TradingMode.PAPER)
            async with asyncio.timeout(60):
                view = await wallet.view(who.user_id)
        assert Decimal(view["available"]) == 1_000


async def test_actions_and_their_audit_facts_are_one_transaction(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        wallet, bots = wallet_of(world), bots_of(world)
        await world.catalog.put_instruments([BTC_ZAR], Origin.RECORDED, world.now)
        await wallet.fund(who.user_id, Decimal(50_000), by=who)
        wanted = NewBot(
            "Ada's", "luno", "BTC/ZAR", "ema_cross", {}, None, RiskMode.SAFE, Decimal(10_000), start=True
        )
        bot = await bots.create(who.user_id, wanted, by=who)
        await bots.update(who.user_id, bot.id, {"risk_mode": "risky"}, by=who)
        await bots.act(who.user_id, bot.id, BotAction.PAUSE, by=who)
        await bots.act_on_all(who.user_id, BotAction.START, by=who)
        await bots.act(who.user_id, bot.id, BotAction.STOP)
        actor = f"user:{who.user_id}"
        expected = [
            *(
                (actor, name)
                for name in ("wallet.funded", "bot.created", "bot.updated", "bot.pause", "bot.start")
            ),
            ("system", "bot.stop"),
        ]
        assert audited(database_urls) == expected
        with pytest.raises(InvalidInput):
            await wallet.fund(who.user_id, Decimal("0.001"), by=who)
        with pytest.raises(Conflict, match="name"):
            await bots.create(who.user_id, wanted, by=who)
        with pytest.raises(Conflict):
            await bots.act(who.user_id, bot.id, BotAction.PAUSE, by=who)
        assert audited(database_urls) == expected


async def test_a_fact_that_cannot_be_written_undoes_the_action(
    database_urls: DatabaseUrls, superuser_url: str
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(10_000))
        with psycopg.connect(superuser_url) as connection:
            connection.execute("REVOKE INSERT ON audit_log FROM app")
        with pytest.raises(Exception, match="audit_log"):
            await bots_of(world).act(who.user_id, bot.id, BotAction.STOP, by=who)
        with pytest.raises(Exception, match="audit_log"):
            await wallet_of(world).fund(who.user_id, Decimal(1), by=who)
        async with world.store.unit_of_work(who.user_id) as unit:
            assert (await unit.bots.get(bot.id)).status is BotStatus.ACTIVE
        assert Decimal((await wallet_of(world).view(who.user_id))["available"]) == 40_000
