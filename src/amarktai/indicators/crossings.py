"""Where one series crosses another. One pass, because a backtest asks for every bar at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from amarktai.domain.bar import Floats


@njit(cache=True)
def _crosses_above_nb(value: Floats, threshold: Floats) -> np.ndarray:
    out = np.zeros(value.shape[0], np.bool_)
    for i in range(1, value.shape[0]):
        out[i] = (value[i] > threshold[i]) & (value[i - 1] <= threshold[i - 1])
    return out


def crosses_above(value: Floats, threshold: Floats) -> npt.NDArray[np.bool_]:
    """Return where ``value`` is above and was not above at the bar before; NaN never crosses.

    Shapes: value, threshold float64[n] → bool[n], the first False.
    """
    return np.asarray(_crosses_above_nb(value, threshold), dtype=np.bool_)


def crosses_below(value: Floats, threshold: Floats) -> npt.NDArray[np.bool_]:
    """Return where ``value`` is below and was not below at the bar before; NaN never crosses.

    Shapes: value, threshold float64[n] → bool[n], the first False.
    """
    return crosses_above(threshold, value)
