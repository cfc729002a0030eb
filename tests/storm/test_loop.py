"""The virtual loop: time that costs none, and one task at the database at a time."""

from __future__ import annotations

import asyncio
import time

import pytest

from amarktai.storm.loop import Killed, LoopClock, Turn, run_virtual

HOUR_S = 3_600.0


def test_a_day_of_sleep_takes_no_time_and_ends_in_order() -> None:
    async def sleeper(seconds: float, told: list[float]) -> None:
        await asyncio.sleep(seconds)
        told.append(asyncio.get_running_loop().time())

    async def day() -> list[float]:
        told: list[float] = []
        async with asyncio.TaskGroup() as group:
            for hours in (24, 1, 7):
                group.create_task(sleeper(hours * HOUR_S, told))
        return told

    started = time.monotonic()
    assert run_virtual(day()) == [1 * HOUR_S, 7 * HOUR_S, 24 * HOUR_S]
    assert time.monotonic() - started < HOUR_S


def test_the_clock_is_the_loops_and_nobody_moves_it() -> None:
    async def look() -> tuple[int, int]:
        clock = LoopClock(1_000)
        before = clock.now_ns()
        clock.advance_to(10**18)
        await clock.sleep(2.0)
        return before, clock.now_ns()

    assert run_virtual(look()) == (1_000, 2_000_001_000)


def test_tasks_take_turns_in_the_order_in_which_they_came() -> None:
    async def work(name: str, turn: Turn, told: list[str]) -> None:
        async with turn.taken():
            told.append(f"{name} in")
            await asyncio.sleep(1)
            async with turn.taken():  # the same task comes in again
                told.append(f"{name} again")
            told.append(f"{name} out")

    async def both() -> list[str]:
        turn, told = Turn(), list[str]()
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", turn, told))
            group.create_task(work("b", turn, told))
        return told

    assert run_virtual(both()) == ["a in", "a again", "a out", "b in", "b again", "b out"]


def test_a_killed_task_is_not_complained_of(capfd: pytest.CaptureFixture[str]) -> None:
    async def die() -> None:
        raise Killed

    async def leave_it() -> None:
        task = asyncio.get_running_loop().create_task(die())
        await asyncio.sleep(1)
        del task

    run_virtual(leave_it())
    assert "never retrieved" not in capfd.readouterr().err
