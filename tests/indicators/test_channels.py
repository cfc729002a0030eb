from __future__ import annotations

import numpy as np
import talib
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amarktai.indicators.channels import donchian, highest, lowest, shifted
from tests.market_data import synthetic

BARS = synthetic(2_000, 12)


@given(
    values=hnp.arrays(np.float64, st.integers(1, 60), elements=st.integers(0, 9).map(float)),
    period=st.integers(1, 12),
)
def test_extremes_are_those_of_the_window(values: np.ndarray, period: int) -> None:
    high, low = highest(values, period), lowest(values, period)
    for i in range(len(values)):
        if i < period - 1:
            assert np.isnan(high[i]) and np.isnan(low[i])
        else:
            window = values[i - period + 1 : i + 1]
            assert (high[i], low[i]) == (window.max(), window.min())


def test_extremes_equal_ta_lib() -> None:
    np.testing.assert_array_equal(highest(BARS.high, 55), talib.MAX(BARS.high, 55))
    np.testing.assert_array_equal(lowest(BARS.low, 55), talib.MIN(BARS.low, 55))


def test_a_donchian_channel_leaves_the_present_bar_out() -> None:
    lower, upper = donchian(BARS.high, BARS.low, 20)
    assert np.isnan(upper[:20]).all()
    assert upper[500] == BARS.high[480:500].max()
    assert lower[500] == BARS.low[480:500].min()


def test_a_shift_beyond_the_start_gives_nothing() -> None:
    assert np.isnan(shifted(np.ones(3), 5)).all()
