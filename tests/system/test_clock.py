"""The engine's clock goes on steadily, whatever is done to the machine's."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from amarktai.system.clock import StageClock, SteadyClock, VirtualClock

_SECOND = 1_000_000_000


class Machine:
    """A machine whose clock can be set, while its counter only goes on."""

    def __init__(self) -> None:
        self.wall, self.counter = 1_767_225_600 * _SECOND, 77 * _SECOND

    def pass_by(self, ns: int) -> None:
        self.wall += ns
        self.counter += ns


@given(st.lists(st.tuples(st.integers(0, 3_600 * _SECOND), st.integers(-7_200, 7_200))))
def test_a_set_clock_moves_nothing_and_is_told(history: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = SteadyClock(lambda: machine.wall, lambda: machine.counter)
    start, passed, stepped = clock.now_ns(), 0, 0
    assert start == machine.wall
    for ns, step_s in history:
        machine.pass_by(ns)
        machine.wall += step_s * _SECOND
        passed += ns
        stepped += step_s * _SECOND
        assert clock.now_ns() == start + passed
        assert clock.step_ns() == stepped


async def test_driven_work_stands_still_in_time_until_it_waits_for_it() -> None:
    clock = StageClock(0)
    clock.PATIENCE_S = 0.05
    background = asyncio.create_task(clock.sleep(20))
    await asyncio.sleep(0)

    async def socket_work() -> int:
        await asyncio.sleep(0.01)  # a socket's own time
        return clock.now_ns()

    async def delayed() -> int:
        await clock.sleep(3)
        await clock.sleep(4)
        return clock.now_ns()

    assert await clock.drive(socket_work()) == 0
    assert await clock.drive(delayed()) == 7 * _SECOND
    assert not background.done(), "others' waiting moves nothing"
    clock.advance_to(20 * _SECOND)
    await background
    assert clock.now_ns() == 20 * _SECOND


async def test_time_stands_while_something_is_computed() -> None:
    busy = iter(range(1_000))
    clock = StageClock(0, lambda: next(busy))
    clock.PATIENCE_S = 0.01
    slow = asyncio.create_task(clock.drive(clock.sleep(3)))
    await asyncio.sleep(0.1)
    assert clock.now_ns() == 0 and not slow.done()
    clock.advance_to(3 * _SECOND)
    await slow


async def test_work_that_waits_for_an_earlier_sleeper_is_helped_at_last() -> None:
    clock = StageClock(0)
    clock.PATIENCE_S, clock.LONG_PATIENCE = 0.01, 3
    call = asyncio.create_task(clock.sleep(20))
    await asyncio.sleep(0)

    async def await_call() -> int:
        await call
        return clock.now_ns()

    assert await clock.drive(await_call()) == 20 * _SECOND


def test_virtual_time_never_runs_back() -> None:
    clock = VirtualClock(100)
    clock.advance_to(50)
    assert clock.now_ns() == 100
    clock.advance_to(150)
    assert clock.now_ns() == 150
