"""The loop that roles and replays run in."""

from __future__ import annotations

import asyncio
import sys

import pytest

from amarktai.bootstrap.event_loop import run_loop


async def _kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_it_returns_what_the_coroutine_returns_and_runs_on_uvloop() -> None:
    wanted = "asyncio" if sys.platform == "win32" else "uvloop"
    assert run_loop(_kind()).startswith(wanted)


def test_an_error_comes_out_as_it_was_raised() -> None:
    async def fail() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        run_loop(fail())
