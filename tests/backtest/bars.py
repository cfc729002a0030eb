"""Bars for backtest tests: by hand, or drawn by hypothesis on a coarse grid so that touches are common."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from amarktai.domain.bar import Bars, timeframe_ns

HOUR = timeframe_ns("1h")


def bars_of(*rows: tuple[float, float, float, float]) -> Bars:
    """Return hourly bars from (open, high, low, close) rows, from the epoch on."""
    open_, high, low, close = np.array(rows, dtype=np.float64).reshape(-1, 4).T.copy()
    ts_open = np.arange(len(rows), dtype=np.int64) * HOUR
    return Bars("1h", ts_open, open_, high, low, close, np.ones(len(rows)))


@st.composite
def drawn_bars(draw: st.DrawFn, min_size: int = 3, max_size: int = 40) -> Bars:
    """Draw valid bars: low ≤ open, close ≤ high, with gaps between bars, all in steps of a half."""
    size = draw(st.integers(min_size, max_size))
    halves = st.integers(160, 240)
    rows = []
    for _ in range(size):
        four = sorted(draw(st.tuples(halves, halves, halves, halves)))
        inner = (four[1], four[2]) if draw(st.booleans()) else (four[2], four[1])
        rows.append((inner[0] / 2, four[3] / 2, four[0] / 2, inner[1] / 2))
    return bars_of(*rows)
