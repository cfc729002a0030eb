"""Each worker says every few seconds that it is alive, and a little of how it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
