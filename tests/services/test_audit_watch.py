"""The audit that runs by itself: it notes what it found, and tells of a difference once."""

from __future__ import annotations

from decimal import Decimal

import psycopg

from amarktai.domain.order import Side
from amarktai.ports.readiness import AUDIT_NOTE
from amarktai.services.alerts import Notices
from amarktai.services.audit_watch import AuditWatch
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.readiness import PgReadiness
from tests.trading import BTC_ZAR, trading

D = Decimal


async def test_a_difference_is_noted_for_the_gate_and_told_to_the_admins_once(
    database_urls: DatabaseUrls, superuser_url: str
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        with psycopg.connect(superuser_url) as connection:
            connection.execute("UPDATE users SET role = 'admin'")
        await world.fund(who, D(10_000))
        bot = await world.add_bot(who, BTC_ZAR, D(5_000))
        await world.trade(bot, Side.BUY, D("0.002"), D(1_000_000))
        await world.trade(bot, Side.SELL, D("0.001"), D(1_100_000))
        alerting, notes = PgAlerting(world.database), PgReadiness(world.database)
        notices = Notices(alerting, clock=world.clock, ids=world.ids)
        watch = AuditWatch(LedgerAudit(world.reporting), notes, notices, world.clock)
        assert (await watch.run_round()).ok
        assert await notes.note(AUDIT_NOTE) == {
            "checked_at": world.now.isoformat(), "first_difference": None
        }  # fmt: skip
        with psycopg.connect(superuser_url) as connection:
            connection.execute("UPDATE rollups SET profit_zar = profit_zar + 1")
        world.clock.advance(900)
        for _ in range(2):
            assert not (await watch.run_round()).ok
        noted = await notes.note(AUDIT_NOTE)
        assert noted is not None and "profit" in noted["first_difference"]
        assert noted["checked_at"] == world.now.isoformat()
        async with alerting.alerts(who.user_id) as alerts:
            told = await alerts.page(None, 10)
        assert [(row.type, row.severity) for row in told] == [("audit_difference", "critical")]
