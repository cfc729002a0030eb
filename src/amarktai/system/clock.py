"""Real time, and the virtual time of replays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """The machine's clock. It cannot be moved."""

    def now_ns(self) -> int:
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def advance_to(self, ts_ns: int) -> None:
        """Do nothing: real time moves by itself."""


class SteadyClock(SystemClock):
    """The machine's time at the start, carried on by its steady counter: it cannot jump.

    Data that was fresh stays as old as it is when somebody sets the machine's clock (O14).
    ``step_ns`` tells how far the machine's clock has left this one since.
    """

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._ahead_ns = wall() - steady()

    def now_ns(self) -> int:
        return self._steady() + self._ahead_ns

    def step_ns(self) -> int:
        """Return the machine's time minus this clock's."""
        return self._wall() - self.now_ns()


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
