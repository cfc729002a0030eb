"""The jobs process looks through the keys at its start and again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import tripped_by
from amarktai.domain.provider import ProviderId
from amarktai.domain.risk_limits import EVERYBODY, Breach, Limit, LimitKind
from amarktai.domain.user import Identity
from amarktai.ports.clock import to_datetime
from amarktai.ports.readiness import AUDIT_NOTE
from amarktai.services.alerts import Notices
from amarktai.services.audit_watch import AuditWatch
from amarktai.services.circuit_breakers import BreakerWatch
from amarktai.services.fx import FxRates
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.retention import Retention
from amarktai.services.risk_figures import FigureReader
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.retention import PgRetention
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.key_ring import VariableKeyRing
from amarktai.workers.jobs import KEYS_EVERY_S, JobsWorker
from tests.key_rings import key_text
from tests.services.secret_desk import UNSAFE, SecretDesk, secret_desk

_BREACH = Breach(Limit(LimitKind.CONSECUTIVE_LOSSES, EVERYBODY, Decimal(5)), Decimal(5), "five losses")


class Beats:
    """Takes signs of life and keeps the latest."""

    def __init__(self) -> None:
        self.detail: Mapping[str, Any] = {}

    async def beat(
        self, _role: str, *, pid: int, started_at: datetime, at: datetime, detail: Mapping[str, Any]
    ) -> None:
        self.detail = detail

    async def forget_old(self, _before: datetime) -> None:
        """Forget nothing."""


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the worker does by itself."""
    for _ in range(1_000):
        if await holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to hold")


async def asked(desk: SecretDesk, times: int) -> bool:
    return len(desk.oracle.asked) >= times


async def told_of_breakers(store: PgStore, who: Identity) -> bool:
    async with store.unit_of_work(who.user_id) as unit:
        return await unit.breakers.untold() == []


async def halted_later(desk: SecretDesk, who: Identity) -> bool:
    desk.clock.advance(KEYS_EVERY_S)
    return (await desk.row(who))["account_state"] == "halted"


async def test_keys_are_asked_about_at_the_start_and_every_day(database_urls: DatabaseUrls) -> None:
    async with secret_desk(database_urls, VariableKeyRing(key_text("jobs"))) as desk:
        who = await desk.join("ada@example.org")
        await desk.save(who)
        desk.clock.advance(-60)
        await desk.keys.test_saved(who, ProviderId.LUNO)
        desk.clock.advance(60)
        before, beats = len(desk.oracle.asked), Beats()
        retention = Retention(PgRetention(desk.database), events_kept=timedelta(days=7))
        notes = PgReadiness(desk.database)
        notices = Notices(PgAlerting(desk.database), clock=desk.clock, ids=desk.ids)
        audits = AuditWatch(LedgerAudit(PgReporting(desk.database)), notes, notices, desk.clock)
        store = PgStore(desk.database, desk.ids, desk.clock)
        figures = FigureReader(store, lambda: FxRates([], max_age_s=900.0))
        breakers = BreakerWatch(store, desk.clock, desk.ids, figures, notices)
        async with store.unit_of_work(who.user_id) as unit:
            trip = tripped_by(
                desk.ids.new(), _BREACH, TradingMode.PAPER, to_datetime(desk.clock.now_ns()), "UTC"
            )
            assert trip is not None and await unit.breakers.trip(trip)
        worker = asyncio.create_task(
            JobsWorker(desk.clock, beats, retention, desk.checks, audits, breakers).run()
        )
        try:
            await eventually(lambda: asked(desk, before + 1))
            await eventually(lambda: told_of_breakers(store, who))
            desk.oracle.answer = UNSAFE
            await eventually(lambda: halted_later(desk, who))
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        assert len(desk.oracle.asked) == before + 2
        audited = await notes.note(AUDIT_NOTE)
        assert audited is not None and audited["first_difference"] is None
