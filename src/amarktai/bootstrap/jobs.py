"""The housekeeping process."""

from __future__ import annotations

from datetime import timedelta

from amarktai.bootstrap.foundation import lay_foundation, real_time
from amarktai.config import Settings
from amarktai.services.retention import Retention
from amarktai.storage.retention import PgRetention
from amarktai.storage.system import PgSystem
from amarktai.workers.jobs import JobsWorker


async def run_jobs(settings: Settings, app_url: str) -> None:
    """Keep house until cancelled."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    retention = Retention(
        PgRetention(base.database), events_kept=timedelta(days=settings.event_retention_days)
    )
    try:
        await JobsWorker(clock, PgSystem(base.database), retention).run()
    finally:
        await base.close()
