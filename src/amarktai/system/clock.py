"""Real time, and the virtual time of replays."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The machine's clock. It cannot be moved."""

    def now_ns(self) -> int:
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def advance_to(self, ts_ns: int) -> None:
        """Do nothing: real time moves by itself."""


class VirtualClock:
    """Time that moves only forward and only when told to. Sleeping returns at once, later."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        self.advance_to(self._now_ns + round(seconds * 1_000_000_000))

    def advance_to(self, ts_ns: int) -> None:
        """Move to a later instant; an earlier one is ignored, so that time never runs back."""
        self._now_ns = max(self._now_ns, ts_ns)
