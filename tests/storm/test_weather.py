"""The weather: chances that follow from the seed alone."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amarktai.storm.weather import CHANCES, Fault, Weather
from tests.fakes import SeededRng


def _strikes(seed: str, times: int = 2_000) -> list[bool]:
    weather = Weather(SeededRng(seed))
    return [weather.strikes(Fault.SILENT_STREAM) for _ in range(times)]


def test_every_fault_has_a_chance() -> None:
    assert set(CHANCES) == set(Fault)
    assert all(0 < chance < 1 for chance in CHANCES.values())


def test_the_same_seed_brings_the_same_weather_and_another_another() -> None:
    assert _strikes("a") == _strikes("a")
    assert _strikes("a") != _strikes("b")


def test_what_strikes_is_counted_and_after_the_storm_nothing_does() -> None:
    weather = Weather(SeededRng("calm"))
    struck = sum(weather.strikes(Fault.FILL_BEFORE_ANSWER) for _ in range(500))
    assert struck == weather.happened[Fault.FILL_BEFORE_ANSWER] > 0
    weather.is_over = True
    assert not any(weather.strikes(Fault.FILL_BEFORE_ANSWER) for _ in range(500))
    assert weather.happened[Fault.FILL_BEFORE_ANSWER] == struck


@given(st.integers(1, 10_000), st.text(min_size=1, max_size=5))
def test_a_part_is_some_whole_steps_and_never_more_than_there_is(steps: int, seed: str) -> None:
    step = Decimal("0.0001")
    part = Weather(SeededRng(seed)).part(steps * step, step)
    assert step <= part <= steps * step
    assert part % step == 0


def test_force_makes_faults_more_likely_and_none_certain() -> None:
    weather = Weather(SeededRng("force"))
    weather.blow(20.0)
    assert weather.chances[Fault.KILLED] == 20 * CHANCES[Fault.KILLED]
    assert weather.chances[Fault.CANCEL_ALL] == 0.5
