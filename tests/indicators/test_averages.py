from __future__ import annotations

import numpy as np
import pytest
import talib

from amarktai.indicators.averages import bollinger, deviation, ema, ema_memory, sma
from tests.market_data import synthetic

CLOSE = synthetic(3_000, 11).close
PERIODS = (1, 2, 9, 26, 200)


def nearly(got: np.ndarray, want: np.ndarray, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=0, equal_nan=True)


@pytest.mark.parametrize("period", PERIODS[1:])
def test_averages_equal_ta_lib(period: int) -> None:
    nearly(sma(CLOSE, period), talib.SMA(CLOSE, timeperiod=period))
    nearly(ema(CLOSE, period), talib.EMA(CLOSE, timeperiod=period))


@pytest.mark.parametrize("period", (5, 20, 100))
def test_bands_equal_ta_lib(period: int) -> None:
    lower, middle, upper = bollinger(CLOSE, period, 2.0)
    want_upper, want_middle, want_lower = talib.BBANDS(CLOSE, period, 2.0, 2.0)
    nearly(deviation(CLOSE, period), talib.STDDEV(CLOSE, period), 1e-6)
    nearly(middle, want_middle)
    nearly(lower, want_lower, 1e-8)
    nearly(upper, want_upper, 1e-8)


@pytest.mark.parametrize("function", (sma, ema, deviation))
def test_a_window_that_is_too_short_gives_nothing(function: object) -> None:
    assert np.isnan(function(CLOSE[:9], 10)).all()  # type: ignore[operator]
    assert np.isnan(function(CLOSE[:30], 10)).sum() == 9  # type: ignore[operator]


def test_sums_do_not_depend_on_history_at_all() -> None:
    for start in (1, 500, 2_500):
        window = CLOSE[start:]
        assert sma(window, 20)[-1] == sma(CLOSE, 20)[-1]
        assert deviation(window, 20)[-1] == deviation(CLOSE, 20)[-1]


@pytest.mark.parametrize("period", PERIODS)
def test_an_ema_forgets_its_seed_within_its_memory(period: int) -> None:
    window = CLOSE[-ema_memory(period) :]
    assert ema(window, period)[-1] == pytest.approx(ema(CLOSE, period)[-1], rel=1e-9)


def test_averages_of_a_market_that_stands_still_are_equal() -> None:
    quiet = np.concatenate([CLOSE[:500], np.full(2_000, 123.456)])
    assert ema(quiet, 12)[-1] == ema(quiet, 26)[-1] == 123.456


def test_bands_of_a_market_that_stands_still_mean_nothing() -> None:
    lower, middle, upper = bollinger(np.full(100, 0.1), 20, 2.0)
    assert np.isnan(lower).all() and np.isnan(upper).all()
    assert middle[-1] == pytest.approx(0.1)
