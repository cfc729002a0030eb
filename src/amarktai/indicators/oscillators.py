"""Momentum and range indicators with Wilder's smoothing."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats

#: Average movement, as a share of the price, under which an index of movement is undefined.
FLAT_RATIO: Final = 1e-9


@njit(cache=True)
def _rsi_nb(values: Floats, period: int, flat_ratio: float) -> Floats:
    n = values.shape[0]
    out = np.full(n, np.nan)
    if n <= period:
        return out
    gain = 0.0
    loss = 0.0
    for i in range(1, n):
        change = values[i] - values[i - 1]
        up = max(change, 0.0)
        down = max(-change, 0.0)
        if i <= period:
            gain += up / period
            loss += down / period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if i >= period and gain + loss > flat_ratio * values[i]:
            out[i] = 100.0 * gain / (gain + loss)
    return out


def rsi(values: Floats, period: int) -> Floats:
    """Return the relative strength index, 0 to 100; NaN where the price has practically stood still.

    Shapes: values float64[n], positive prices → float64[n], the first ``period`` are NaN.
    Source: Wilder, "New Concepts in Technical Trading Systems" (1978), section VI. Equals TA-Lib RSI
    but for a price that stands still, where TA-Lib says 0, which would read as oversold.
    """
    return np.asarray(_rsi_nb(values, period, FLAT_RATIO))


def atr(high: Floats, low: Floats, close: Floats, period: int) -> Floats:
    """Return the average true range in price units.

    Shapes: high, low, close float64[n] → float64[n], the first ``period`` are NaN.
    Source: Wilder (1978), section III; TA-Lib ATR.
    """
    import talib  # here, because its package loads whole data-frame libraries when it finds them

    if len(close) <= period:
        return np.full(len(close), np.nan)
    return np.asarray(talib.ATR(high, low, close, timeperiod=period), dtype=np.float64)


def wilder_memory(period: int) -> int:
    """Return how many bars Wilder's smoothing needs until its seed weighs less than 1e-12.

    The seed's weight after k further bars is (1 − 1 ÷ period)^k. Two digits more than for averages,
    because the index is a ratio of two smoothed values that may both be small beside the seed.
    """
    return period + 1 + math.ceil(math.log(1e-12) / math.log(1.0 - 1.0 / period))
