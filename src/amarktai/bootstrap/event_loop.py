"""The event loop of the long-running roles and of replays: uvloop, except where there is none."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":
    import uvloop

    _new_loop = uvloop.new_event_loop
else:
    _new_loop = asyncio.new_event_loop

_T = TypeVar("_T")


def run_loop(main: Coroutine[Any, Any, _T]) -> _T:
    """Run ``main`` to its end in a loop of its own, as ``asyncio.run`` does, and return what it returns.

    SIGTERM cancels it as Ctrl-C does, at its next await and never between two lines, and ends the program.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_until_terminated(main))


async def _until_terminated(main: Coroutine[Any, Any, _T]) -> _T:
    task = asyncio.ensure_future(main)
    told = asyncio.Event()

    def terminate() -> None:
        told.set()
        task.cancel()

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if told.is_set():
            sys.exit(128 + signal.SIGTERM)
        raise
