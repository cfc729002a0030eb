"""Bars made for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amarktai.domain.bar import NS_PER_S, Bars, timeframe_ns

HOUR = 3_600 * NS_PER_S


def make_bars(first_hour: int, closes: Sequence[float], timeframe: str = "1h") -> Bars:
    """Return clean bars that open one timeframe apart, each at the last one's close."""
    close = np.array(closes, dtype=np.float64)
    ts_open = first_hour * HOUR + np.arange(len(close), dtype=np.int64) * timeframe_ns(timeframe)
    first = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(first, close) + 1, np.minimum(first, close) - 0.5
    return Bars(timeframe, ts_open, first, high, low, close, np.ones(len(close)))


def take_bars(bars: Bars, rows: Sequence[int]) -> Bars:
    """Return the chosen rows."""
    kept = np.array(rows, dtype=np.int64)
    o, h, low, c, v = (column[kept] for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    return Bars(bars.timeframe, bars.ts_open[kept], o, h, low, c, v)
