"""An event loop whose time is virtual: it moves on only when nothing is ready and no database call runs.

A call to PostgreSQL takes no virtual time: while one is under way the loop waits for its socket. ``Turn``
lets one task at a time use the database, so which answer comes first never depends on the machine.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import BrokenInvariant

T = TypeVar("T")
#: The loop's own descriptor, by which threads wake it.
_OWN_DESCRIPTORS: Final = 1
#: Real seconds in which a thread that was started may still have something to say.
_THREAD_PATIENCE_S: Final = 10.0


class _Selector(selectors.DefaultSelector):
    """Waits for sockets in real time, and for timers in none."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return []  # what is ready goes first, whatever a socket may have to say
        if len(self.get_map()) > _OWN_DESCRIPTORS:
            return super().select(None)
        if timeout is None:
            woken = super().select(_THREAD_PATIENCE_S)
            if not woken:
                raise BrokenInvariant("every task of the storm waits for another one")
            return woken
        self.virtual_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at time zero and never waits for a timer."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.virtual_s


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` leads to on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(_tell_unless_killed)
        return runner.run(work)


class Killed(BaseException):
    """A process is gone. Nothing of ours may catch it, as nothing catches a SIGKILL."""


def _tell_unless_killed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what nobody asked a task for; that it was killed needs no saying."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)


class LoopClock:
    """The running loop's time as the clock of everybody. Implements ports.clock.SettableClock."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns

    def now_ns(self) -> int:
        return self._start_ns + round(asyncio.get_running_loop().time() * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def advance_to(self, ts_ns: int) -> None:
        """Nobody moves this clock: the loop does."""


class Turn:
    """Who may use the database now: one task, which may come in again."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task is self._owner:
            yield
            return
        async with self._lock:
            self._owner = task
            try:
                yield
            finally:
                self._owner = None
