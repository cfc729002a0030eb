"""Windows hold the newest bars, and larger bars are what aggregation makes of the smaller ones."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bar import Bar, Bars
from amarktai.domain.market import aggregate_bars
from amarktai.services.bar_windows import BarBuilder, BarWindow
from tests.bars import make_bars, take_bars

_CLOSES = st.lists(st.floats(1, 1_000), min_size=1, max_size=60)
_FIRST = st.integers(0, 10_000)


def as_list(bars: Bars) -> list[Bar]:
    return [bars[index] for index in range(len(bars))]


@given(_CLOSES, st.integers(1, 12), st.integers(0, 70))
def test_a_window_holds_the_newest_bars(closes: list[float], capacity: int, count: int) -> None:
    bars = make_bars(5, closes)
    window = BarWindow("1h", capacity)
    for index, bar in enumerate(as_list(bars)):
        window.push(bar)
        first = max(0, index + 1 - min(count, capacity))
        assert as_list(window.bars(count)) == as_list(bars.slice(first, index + 1))
        assert window.last_ts_open == bar.ts_open
        assert len(window) == min(index + 1, capacity)


@given(_CLOSES, st.integers(1, 12), st.lists(st.integers(0, 59), max_size=80))
def test_what_is_not_newer_is_not_appended(closes: list[float], capacity: int, rows: list[int]) -> None:
    bars = make_bars(5, closes)
    window = BarWindow("1h", capacity)
    kept: list[int] = []
    for row in (row % len(bars) for row in rows):
        window.extend(bars.slice(row, row + 1))
        if not kept or row > kept[-1]:
            kept.append(row)
    assert as_list(window.bars(capacity)) == as_list(take_bars(bars, kept[-capacity:]))


@given(_CLOSES, st.integers(1, 8), st.integers(1, 40), st.integers(0, 60))
def test_a_window_that_grows_can_be_refilled_in_front(
    closes: list[float], capacity: int, larger: int, split: int
) -> None:
    bars = make_bars(5, closes)
    window = BarWindow("1h", capacity)
    window.extend(bars.slice(min(split, len(bars)), len(bars)))
    if window.grow(larger):
        window.refill(bars)
    held = window.bars(max(capacity, larger))
    tail = bars.slice(len(bars) - len(held), len(bars))
    assert as_list(held) == as_list(tail)
    if larger > capacity:
        assert len(held) >= min(larger, len(bars))


@given(_FIRST, _CLOSES, st.sets(st.integers(0, 59)), st.sampled_from(["4h", "1d"]))
def test_larger_bars_are_what_aggregation_makes(
    first: int, closes: list[float], gaps: set[int], timeframe: str
) -> None:
    bars = make_bars(first, closes)
    bars = take_bars(bars, [row for row in range(len(bars)) if row not in gaps])
    builder = BarBuilder(timeframe)
    built = [larger for bar in as_list(bars) for larger in builder.add(bar)]
    wanted = as_list(aggregate_bars(bars, timeframe))
    assert len(wanted) - 1 <= len(built) <= len(wanted)
    for got, want in zip(built, wanted, strict=False):
        np.testing.assert_allclose(astuple(got), astuple(want), rtol=1e-12)
