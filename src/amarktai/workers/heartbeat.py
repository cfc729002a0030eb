"""Each worker says every few seconds that it is alive, and a little of how it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.engine import Heartbeats

EVERY_S: Final = 5.0


async def beat(beats: Heartbeats, clock: Clock, role: str, detail: Callable[[], Mapping[str, Any]]) -> None:
    """Report until cancelled."""
    started_at = to_datetime(clock.now_ns())
    while True:
        now = to_datetime(clock.now_ns())
        await beats.beat(role, pid=os.getpid(), started_at=started_at, at=now, detail=detail())
        await clock.sleep(EVERY_S)
