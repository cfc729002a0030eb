"""Price channels: the highest high and the lowest low of a window."""

from __future__ import annotations

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats


@njit(cache=True)
def _extreme_nb(values: Floats, period: int, sign: float) -> Floats:
    n = values.shape[0]
    out = np.full(n, np.nan)
    best = 0
    for i in range(n):
        if i == 0 or sign * values[i] >= sign * values[best]:
            best = i
        elif best <= i - period:
            best = i - period + 1
            for j in range(best + 1, i + 1):
                if sign * values[j] >= sign * values[best]:
                    best = j
        if i >= period - 1:
            out[i] = values[best]
    return out


def highest(values: Floats, period: int) -> Floats:
    """Return the maximum of the last ``period`` values, this one included.

    Shapes: values float64[n] → float64[n], the first period − 1 are NaN.  Source: equals TA-Lib MAX.
    """
    return np.asarray(_extreme_nb(values, period, 1.0))


def lowest(values: Floats, period: int) -> Floats:
    """Return the minimum of the last ``period`` values, this one included.

    Shapes: values float64[n] → float64[n], the first period − 1 are NaN.  Source: equals TA-Lib MIN.
    """
    return np.asarray(_extreme_nb(values, period, -1.0))


def shifted(values: Floats, bars: int) -> Floats:
    """Return the values of ``bars`` bars ago, NaN where there are none.

    Shapes: values float64[n] → float64[n].
    """
    out = np.full(values.shape[0], np.nan)
    if bars < values.shape[0]:
        out[bars:] = values[: values.shape[0] - bars]
    return out


def donchian(high: Floats, low: Floats, period: int) -> tuple[Floats, Floats]:
    """Return (lower, upper): the extremes of the ``period`` bars before this one.

    The present bar is left out, so that a close can break out of the channel.
    Shapes: high, low float64[n] → two float64[n], the first ``period`` are NaN.
    Source: Donchian's four-week rule as in Faith, "Way of the Turtle" (2007).
    """
    return shifted(lowest(low, period), 1), shifted(highest(high, period), 1)
