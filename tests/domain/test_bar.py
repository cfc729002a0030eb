"""Bars: rows, slices and timeframes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bar import TIMEFRAME_S, Bars, timeframe_ns
from amarktai.domain.errors import InvalidInput


def bars(count: int) -> Bars:
    ts = np.arange(count, dtype=np.int64) * timeframe_ns("1h")
    rising = np.arange(count, dtype=np.float64) + 10
    return Bars("1h", ts, rising, rising + 2, rising - 2, rising + 1, rising * 0 + 5)


def test_a_row_knows_its_close_time_and_prices() -> None:
    bar = bars(3)[1]
    assert (bar.ts_open, bar.ts_close) == (timeframe_ns("1h"), 2 * timeframe_ns("1h"))
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (11.0, 13.0, 9.0, 12.0, 5.0)


@given(count=st.integers(1, 50), data=st.data())
def test_a_slice_is_the_same_rows(count: int, data: st.DataObject) -> None:
    whole = bars(count)
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    part = whole.slice(start, stop)
    assert [part[row] for row in range(len(part))] == [whole[row] for row in range(start, stop)]


@given(st.sampled_from(sorted(TIMEFRAME_S)))
def test_a_timeframe_is_whole_minutes(timeframe: str) -> None:
    assert timeframe_ns(timeframe) % timeframe_ns("1m") == 0


def test_an_unknown_timeframe_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as refused:
        timeframe_ns("7m")
    assert "1m" in refused.value.action
