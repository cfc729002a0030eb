"""Candles as the exchanges send them: rows of numbers that become clean, closed bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.market import empty_bars, find_dirty_bar

_NS_PER_MS: Final = 1_000_000


def clean_bars(timeframe: str, rows: Sequence[Sequence[Any]]) -> tuple[Bars, int]:
    """Return the bars of rows (open time in ms, open, high, low, close, volume) and how many were left out.

    Rows may come in any order; those that must not be traded on are left out.
    """
    numbers = np.array([[math.nan if cell is None else float(cell) for cell in row[:6]] for row in rows])
    if not len(numbers):
        return empty_bars(timeframe), 0
    numbers = numbers[np.argsort(numbers[:, 0], kind="stable")]
    dropped = 0
    while True:
        ts_open = numbers[:, 0].astype(np.int64) * _NS_PER_MS
        bars = Bars(
            timeframe, ts_open, numbers[:, 1], numbers[:, 2], numbers[:, 3], numbers[:, 4], numbers[:, 5]
        )
        dirty = find_dirty_bar(bars)
        if dirty is None:
            return bars, dropped
        dropped += 1
        numbers = np.delete(numbers, dirty[0], axis=0)


def closed_bars(bars: Bars, since_ts: int, count: int, now_ns: int) -> Bars:
    """Return up to ``count`` bars that open at or after ``since_ts`` (ns) and have closed by now."""
    first = int(np.searchsorted(bars.ts_open, since_ts))
    last = int(np.searchsorted(bars.ts_open, now_ns - timeframe_ns(bars.timeframe), side="right"))
    return bars.slice(first, min(last, first + count))
