"""Housekeeping beside trading: what need not be kept for ever is pruned on a schedule."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.engine import Heartbeats
from amarktai.services.audit_watch import AuditWatch
from amarktai.services.circuit_breakers import BreakerWatch
from amarktai.services.key_checks import KeyChecks
from amarktai.services.retention import Retention
from amarktai.workers.heartbeat import beat

log = structlog.get_logger(__name__)

PRUNE_EVERY_S: Final = 600.0
#: How often everybody's books are audited, after the last audit's end.
AUDIT_EVERY_S: Final = 900.0
#: How often keys are looked through for one that is due; each is asked about once a day.
KEYS_EVERY_S: Final = 900.0
#: How often limits are looked at for circuit breakers; an entry looks by itself.
BREAKERS_EVERY_S: Final = 5.0


class JobsWorker:
    """Runs the schedule until cancelled."""

    def __init__(
        self,
        clock: Clock,
        beats: Heartbeats,
        retention: Retention,
        checks: KeyChecks,
        audits: AuditWatch,
        breakers: BreakerWatch,
    ) -> None:
        self._clock = clock
        self._beats = beats
        self._retention = retention
        self._checks = checks
        self._audits = audits
        self._breakers = breakers
        self._pruned = 0
        self._checked = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(beat(self._beats, self._clock, "jobs", self._detail))
            group.create_task(self._prune())
            group.create_task(self._check_keys())
            group.create_task(self._audit())
            group.create_task(self._watch_breakers())

    def _detail(self) -> dict[str, int]:
        return {"rows_pruned": self._pruned, "keys_checked": self._checked}

    async def _check_keys(self) -> None:
        while True:
            report = await self._checks.run_round()
            self._checked += report.checked
            if report.halted:
                log.error("accounts were halted: their keys may move money", accounts=report.halted)
            await self._clock.sleep(KEYS_EVERY_S)

    async def _audit(self) -> None:
        while True:
            await self._audits.run_round()
            await self._clock.sleep(AUDIT_EVERY_S)

    async def _watch_breakers(self) -> None:
        while True:
            await self._breakers.run_round()
            await self._clock.sleep(BREAKERS_EVERY_S)

    async def _prune(self) -> None:
        while True:
            now = to_datetime(self._clock.now_ns())
            self._pruned += await self._retention.prune(now)
            await self._beats.forget_old(now - timedelta(hours=1))
            await self._clock.sleep(PRUNE_EVERY_S)
