"""Moving averages and bands. Arrays in, arrays out, NaN until enough bars are there.

Sums are taken afresh over each window, never carried along: the value at a bar then depends on its
own window alone, bit for bit, whatever history came before. TA-Lib's running sums do not promise
that. Tests hold each function to TA-Lib's result.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats

#: An average this close to the price, as a share of it, is the price: so that in a market that stands
#: still two averages become equal instead of crossing each other on rounding noise.
SNAP_RATIO: Final = 1e-12
#: A deviation below this share of the price is rounding noise, and bands around it mean nothing.
FLAT_RATIO: Final = 1e-9


@njit(cache=True)
def _sma_nb(values: Floats, period: int) -> Floats:
    out = np.full(values.shape[0], np.nan)
    for i in range(period - 1, values.shape[0]):
        total = 0.0
        for j in range(i - period + 1, i + 1):
            total += values[j]
        out[i] = total / period
    return out


@njit(cache=True)
def _ema_nb(values: Floats, period: int) -> Floats:
    n = values.shape[0]
    out = np.empty(n)
    out[: period - 1] = np.nan
    if n < period:
        return out
    total = 0.0
    for j in range(period):
        total += values[j]
    weight = 2.0 / (period + 1.0)
    average = total / period
    out[period - 1] = average
    for i in range(period, n):
        distance = values[i] - average
        if abs(distance) > SNAP_RATIO * abs(average):
            average += weight * distance
        else:
            average = values[i]
        out[i] = average
    return out


@njit(cache=True)
def _deviation_nb(values: Floats, period: int) -> Floats:
    out = np.full(values.shape[0], np.nan)
    for i in range(period - 1, values.shape[0]):
        mean = 0.0
        for j in range(i - period + 1, i + 1):
            mean += values[j]
        mean /= period
        squares = 0.0
        for j in range(i - period + 1, i + 1):
            squares += (values[j] - mean) ** 2
        out[i] = math.sqrt(squares / period)
    return out


def sma(values: Floats, period: int) -> Floats:
    """Return the simple moving average.

    Shapes: values float64[n] → float64[n], the first period − 1 are NaN.
    Source: arithmetic mean of the last ``period`` values; equals TA-Lib SMA.
    """
    return np.asarray(_sma_nb(values, period))


def ema(values: Floats, period: int) -> Floats:
    """Return the exponential moving average, weight 2 ÷ (period + 1), seeded with the first SMA.

    Shapes: values float64[n] → float64[n], the first period − 1 are NaN.
    Source: TA-Lib EMA (its default compatibility mode).
    """
    return np.asarray(_ema_nb(values, period))


def deviation(values: Floats, period: int) -> Floats:
    """Return the population standard deviation over the last ``period`` values.

    Shapes: values float64[n] → float64[n], the first period − 1 are NaN.
    Source: two-pass formula with divisor ``period``; equals TA-Lib STDDEV with nbdev 1.
    """
    return np.asarray(_deviation_nb(values, period))


def bollinger(values: Floats, period: int, width: float) -> tuple[Floats, Floats, Floats]:
    """Return (lower, middle, upper) Bollinger bands, ``width`` standard deviations wide.

    The outer bands are NaN where the price has stood still for the whole window.
    Shapes: values float64[n] → three float64[n], the first period − 1 are NaN.
    Source: Bollinger, "Bollinger on Bollinger Bands" (2001): SMA ± width × population deviation.
    """
    middle = sma(values, period)
    spread = deviation(values, period)
    spread = width * np.where(spread > FLAT_RATIO * np.abs(middle), spread, np.nan)
    return middle - spread, middle, middle + spread


def ema_memory(period: int) -> int:
    """Return how many bars an EMA needs until its seed weighs less than 1e-10.

    The seed's weight after k further bars is (1 − 2 ÷ (period + 1))^k.
    """
    if period == 1:
        return 1
    return period + math.ceil(math.log(1e-10) / math.log(1.0 - 2.0 / (period + 1.0)))
