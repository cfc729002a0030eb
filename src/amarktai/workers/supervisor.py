"""``amarktai up``: starts the roles as processes, brings back the ones that die, stops them in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from amarktai.domain.errors import Unavailable
from amarktai.ports.clock import Clock

log = structlog.get_logger(__name__)

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 10.0
#: A process that lived so long is healthy again: its next restart is quick.
HEALTHY_AFTER_S: Final = 30.0
STOP_GRACE_S: Final = 10.0
DATABASE_CHECK_S: Final = 1.0
#: The exit status with which a role asks to be started anew at once.
START_ANEW: Final = 75


@dataclass(frozen=True, slots=True)
class Role:
    """A process of ours: its name, its arguments, the descriptors that it inherits."""

    name: str
    arguments: Sequence[str]
    descriptors: Sequence[int] = field(default=())


class Supervisor:
    """Keeps every role and the database running until told to stop.

    Each role inherits the reading end of a pipe whose writing end is the supervisor's alone
    (``--lifeline``). When the supervisor is killed the pipe ends, and the roles stop by themselves
    instead of trading on with nobody to bring them back. The database stays for the next start.
    """

    def __init__(self, roles: Sequence[Role], clock: Clock, keep_database: Callable[[], None]) -> None:
        self._roles = roles
        self._clock = clock
        self._keep_database = keep_database
        self._stopping = asyncio.Event()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._lifeline, self._held_open = os.pipe()

    async def run(self) -> None:
        """Run until SIGINT or SIGTERM, then stop every role cleanly.

        Raises: OSError when the machine cannot start a process at all; the others are stopped first.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        watchers = [asyncio.create_task(self._watch(role)) for role in self._roles]
        watchers.append(asyncio.create_task(self._watch_database()))
        told = asyncio.create_task(self._stopping.wait())
        ended, _ = await asyncio.wait([told, *watchers], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        # The watchers first: none may start a process behind the back of those that are stopped.
        for task in (told, *watchers):
            task.cancel()
        await asyncio.gather(told, *watchers, return_exceptions=True)
        await self._stop()
        os.close(self._held_open)
        os.close(self._lifeline)
        for task in ended:
            task.result()

    async def _watch(self, role: Role) -> None:
        wait = FIRST_WAIT_S
        while not self._stopping.is_set():
            started = self._clock.now_ns()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "amarktai", *role.arguments, "--lifeline", str(self._lifeline),
                pass_fds=(*role.descriptors, self._lifeline), start_new_session=True,
            )  # fmt: skip
            self._processes[role.name] = process
            status = await process.wait()
            if self._stopping.is_set():
                return
            lived_s = (self._clock.now_ns() - started) / 1e9
            if status == START_ANEW or lived_s > HEALTHY_AFTER_S:
                wait = FIRST_WAIT_S
            log.warning("a process ended and is started again", process=role.name, status=status, in_s=wait)
            await self._clock.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _watch_database(self) -> None:
        while True:
            await self._clock.sleep(DATABASE_CHECK_S)
            try:
                await asyncio.to_thread(self._keep_database)
            except Unavailable as error:  # a full disk, for example: it is tried again
                log.error("the database cannot be brought back", reason=error.detail, action=error.action)

    async def _stop(self) -> None:
        """Ask every role to end; one that does not within the grace is killed."""
        running = [process for process in self._processes.values() if process.returncode is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        waits = asyncio.gather(*(process.wait() for process in running))
        try:
            await asyncio.wait_for(waits, STOP_GRACE_S)
        except TimeoutError:
            for process in running:
                if process.returncode is None:
                    process.kill()
            await asyncio.gather(*(process.wait() for process in running))
