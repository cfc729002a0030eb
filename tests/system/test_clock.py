"""The engine's clock goes on steadily, whatever is done to the machine's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amarktai.system.clock import SteadyClock, VirtualClock

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


def test_virtual_time_never_runs_back() -> None:
    clock = VirtualClock(100)
    clock.advance_to(50)
    assert clock.now_ns() == 100
    clock.advance_to(150)
    assert clock.now_ns() == 150
