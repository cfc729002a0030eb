from __future__ import annotations

import numpy as np
import pytest
import talib

from amarktai.indicators.oscillators import atr, rsi, wilder_memory
from tests.market_data import synthetic

BARS = synthetic(3_000, 13)


@pytest.mark.parametrize("period", (2, 14, 50))
def test_the_index_equals_ta_lib(period: int) -> None:
    np.testing.assert_allclose(
        rsi(BARS.close, period), talib.RSI(BARS.close, period), rtol=1e-9, equal_nan=True
    )


@pytest.mark.parametrize("period", (2, 14, 100))
def test_the_index_forgets_its_seed_within_its_memory(period: int) -> None:
    window = BARS.close[-wilder_memory(period) :]
    assert rsi(window, period)[-1] == pytest.approx(rsi(BARS.close, period)[-1], rel=1e-9)


def test_the_index_of_a_price_that_stands_still_is_not_a_number() -> None:
    assert np.isnan(rsi(np.full(100, 5.0), 14)).all()
    after_a_move = np.concatenate([BARS.close[:50], np.full(2_000, BARS.close[49])])
    assert np.isnan(rsi(after_a_move, 14)[-1])


def test_the_true_range_equals_wilders_by_hand() -> None:
    high, low, close = np.array([10.0, 12, 13]), np.array([9.0, 10, 9]), np.array([9.5, 11, 12])
    got = atr(high, low, close, 2)
    assert np.isnan(got[:2]).all()
    assert got[2] == pytest.approx((2.5 + 4.0) / 2)


def test_too_few_bars_give_nothing() -> None:
    few = BARS.close[:5]
    assert np.isnan(rsi(few, 14)).all()
    assert np.isnan(atr(few, few, few, 14)).all()
