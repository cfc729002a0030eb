"""The event loop of the long-running roles and of replays: uvloop, except where there is none."""

from __future__ import annotations

import asyncio
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
    """Run ``main`` to its end in a loop of its own, as ``asyncio.run`` does, and return what it returns."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)
