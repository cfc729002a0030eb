"""Another timezone moves fills to other days; the books agree before, meanwhile and after."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

from amarktai.domain.bot import TradingMode
from amarktai.domain.user import Identity
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.factors import FactorRules
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.embedded import DatabaseUrls
from amarktai.system.key_ring import VariableKeyRing
from tests.fakes import SeededRng
from tests.key_rings import key_text
from tests.services.test_ledger_audit import history
from tests.trading import World, trading

ABROAD = "America/New_York"  # the day before, at the hour in which the world's clock starts


def accounts_of(world: World) -> AccountServices:
    rng = SeededRng()
    rules = SessionRules(timedelta(hours=12), timedelta(days=30), tries_per_account=6, tries_per_address=30)
    return build_account_services(
        PgAccounts(world.database), Passwords(rng, memory_kib=64, time_cost=1),
        AccountRules(rules, FactorRules(6, timedelta(minutes=5)), timedelta(days=7)),
        VariableKeyRing(key_text("rollups")), clock=world.clock, ids=world.ids, rng=rng,
    )  # fmt: skip


async def days(world: World, who: Identity) -> set[date]:
    async with world.reporting.snapshot(who.user_id) as reports:
        return {key.day for key, _ in await reports.figures.rollups(TradingMode.PAPER, None, 1_000)}


async def test_a_changed_timezone_moves_the_days_and_the_audit_agrees(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        ada, bo = await history(world, 1), await history(world, 2)
        audit, users = LedgerAudit(world.reporting), accounts_of(world).users
        assert (await audit.audit()).ok
        before = await days(world, bo)
        changed = await users.update_me(ada, {"timezone": ABROAD})
        report = await audit.audit()
        assert report.ok, report.first_difference
        assert date(2025, 12, 31) in await days(world, ada)
        assert await days(world, bo) == before
        await users.update_me(replace(ada, user=changed), {"timezone": ada.user.timezone})
        assert await days(world, ada) == before
        assert (await audit.audit()).ok


async def test_who_waits_for_the_change_books_by_the_new_timezone(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = await history(world)

        async def timezone_to_book_by() -> str:
            async with world.store.unit_of_work(who.user_id) as unit:
                return (await unit.ledger.lock_book(TradingMode.PAPER)).timezone

        async with PgAccounts(world.database).unit(who.user_id) as unit:
            await unit.figures.lock_books()
            waiting = asyncio.create_task(timezone_to_book_by())
            await _someone_waits(world)
            await unit.users.update(who.user_id, {"timezone": ABROAD})
        assert await waiting == ABROAD


async def _someone_waits(world: World) -> None:
    """Return once a transaction waits for a lock of another one."""
    for _ in range(1_000):
        async with world.database.transaction(None) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            if (await connection.exec_driver_sql(query)).scalar_one():
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waited")
