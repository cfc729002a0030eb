"""The housekeeping process."""

from __future__ import annotations

from datetime import timedelta

from amarktai.bootstrap.foundation import (
    Foundation,
    build_figures,
    build_notices,
    lay_foundation,
    real_time,
)
from amarktai.bootstrap.people import build_accounts, build_keys
from amarktai.config import Settings
from amarktai.ports.clock import to_datetime
from amarktai.providers.registry import load_providers
from amarktai.services.audit_watch import AuditWatch
from amarktai.services.circuit_breakers import BreakerWatch
from amarktai.services.key_checks import KeyChecks
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.retention import Retention
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.retention import PgRetention
from amarktai.storage.system import PgSystem
from amarktai.system.logs import ERRORS
from amarktai.workers.heartbeat import WithHealth
from amarktai.workers.jobs import JobsWorker


async def run_jobs(settings: Settings, app_url: str) -> None:
    """Keep house until cancelled."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    people = build_accounts(base)
    await people.vault.prepare()
    providers = load_providers(clock, settings.provider_urls)
    checks = KeyChecks(
        PgAccounts(base.database),
        PgAlerting(base.database),
        build_keys(base, people, providers),
        providers,
        clock=clock,
        started_at=to_datetime(clock.now_ns()),
    )
    retention = Retention(
        PgRetention(base.database), events_kept=timedelta(days=settings.event_retention_days)
    )
    try:
        beats = WithHealth(PgSystem(base.database), ERRORS.health)
        breakers = BreakerWatch(base.store, clock, ids, build_figures(base), build_notices(base))
        await JobsWorker(clock, beats, retention, checks, build_audit_watch(base), breakers).run()
    finally:
        await base.close()


def build_audit_watch(base: Foundation) -> AuditWatch:
    """Return the audit that runs by itself."""
    audit = LedgerAudit(PgReporting(base.database))
    return AuditWatch(audit, PgReadiness(base.database), build_notices(base), base.clock)
