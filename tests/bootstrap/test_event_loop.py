"""The loop that roles and replays run in."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from amarktai.bootstrap.event_loop import run_loop


async def _kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_it_returns_what_the_coroutine_returns_and_runs_on_uvloop() -> None:
    wanted = "asyncio" if sys.platform == "win32" else "uvloop"
    assert run_loop(_kind()).startswith(wanted)


def test_sigterm_cancels_at_the_next_await_and_ends_the_program() -> None:
    closed: list[str] = []

    async def told_to_stop() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            closed.append("not yet")
            await asyncio.sleep(60)
        finally:
            closed.append("closed")

    with pytest.raises(SystemExit) as ended:
        run_loop(told_to_stop())
    assert ended.value.code == 143
    assert closed == ["not yet", "closed"]


def test_an_error_comes_out_as_it_was_raised() -> None:
    async def fail() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        run_loop(fail())
