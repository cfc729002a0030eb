"""Real time, and the virtual time of replays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: The driven work that a sleeper belongs to: tasks inherit it from who started them.
_DRIVE: Final[ContextVar[int]] = ContextVar("drive", default=0)
#: Who computes less than this share of the time waits.
_IDLE_SHARE: Final = 0.1


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


class StageClock:
    """Time of a rehearsal with real sockets: it stands still while they work and moves when told to.

    Sleepers wait until it has moved past them. ``drive`` moves it on to the next sleeper when a piece of
    work waits for nothing but time, as a delayed answer or a spent request budget does.
    """

    #: Real seconds with next to nothing computed after which work is taken to wait for this clock.
    PATIENCE_S = 0.1
    #: So many times that, before sleepers of other work are taken for what it waits for.
    LONG_PATIENCE = 8

    def __init__(self, start_ns: int, busy_s: Callable[[], float] = time.process_time) -> None:
        """``busy_s`` are the seconds that this process has computed so far."""
        self._now_ns = start_ns
        self._busy_s = busy_s
        self._sleepers: dict[int, tuple[int, int, asyncio.Event]] = {}
        self._count = 0
        self._drives = 0

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        number, woken = self._count, asyncio.Event()
        self._sleepers[number] = (self._now_ns + round(seconds * 1_000_000_000), _DRIVE.get(), woken)
        try:
            await woken.wait()
        finally:
            del self._sleepers[number]

    def advance_to(self, ts_ns: int) -> None:
        """Move to a later instant and wake who slept until then; an earlier one is ignored."""
        self._now_ns = max(self._now_ns, ts_ns)
        for until, _, woken in self._sleepers.values():
            if until <= self._now_ns:
                woken.set()

    async def drive(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` leads to, moving time on where it waits for time."""
        self._drives += 1
        drive, context = self._drives, copy_context()
        context.run(_DRIVE.set, drive)
        task, idle, before = asyncio.get_running_loop().create_task(work, context=context), 0, self._busy_s()
        while not (await asyncio.wait({task}, timeout=self.PATIENCE_S))[0]:
            busy, before = self._busy_s() - before, self._busy_s()
            idle = 0 if busy > _IDLE_SHARE * self.PATIENCE_S else idle + 1
            if not idle:
                continue
            ours = [until for until, whose, _ in self._sleepers.values() if whose == drive]
            # A stream's pings and the like wait for something else, as a rule: they come last.
            waiting = (
                ours
                if ours or idle < self.LONG_PATIENCE
                else [until for until, _, _ in self._sleepers.values()]
            )
            if waiting:
                self.advance_to(min(waiting))
                idle = 0
        return task.result()


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
