"""Each worker says every few seconds that it is alive, and a little of how it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import structlog

from amarktai.domain.errors import Unavailable
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.engine import Heartbeats

log = structlog.get_logger(__name__)

EVERY_S: Final = 5.0


async def beat(beats: Heartbeats, clock: Clock, role: str, detail: Callable[[], Mapping[str, Any]]) -> None:
    """Report until cancelled. A database that is away for a while ends no process: it is told later."""
    started_at = to_datetime(clock.now_ns())
    while True:
        now = to_datetime(clock.now_ns())
        try:
            await beats.beat(role, pid=os.getpid(), started_at=started_at, at=now, detail=detail())
        except Unavailable as error:
            log.warning("no sign of life can be given", process=role, reason=error.detail)
        await clock.sleep(EVERY_S)


class WithHealth:
    """Heartbeats that also carry how the process is: its errors. Implements ports.engine.Heartbeats."""

    def __init__(self, inner: Heartbeats, health: Callable[[], Mapping[str, Any]]) -> None:
        self._inner = inner
        self._health = health

    async def beat(
        self, role: str, *, pid: int, started_at: datetime, at: datetime, detail: Mapping[str, Any]
    ) -> None:
        full = {**detail, **self._health()}
        await self._inner.beat(role, pid=pid, started_at=started_at, at=at, detail=full)

    async def forget_old(self, before: datetime) -> None:
        await self._inner.forget_old(before)
