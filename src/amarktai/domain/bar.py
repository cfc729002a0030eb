"""Bars (OHLCV) and their timeframes. All times are UTC nanoseconds; a bar is named by its open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.errors import InvalidInput

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NS_PER_S: Final = 1_000_000_000
TIMEFRAME_S: Final[dict[str, int]] = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14400,
    "1d": 86400,
}


def timeframe_ns(timeframe: str) -> int:
    """Return the length of a timeframe in nanoseconds.

    Raises: InvalidInput for a timeframe that we do not trade on.
    """
    try:
        return TIMEFRAME_S[timeframe] * NS_PER_S
    except KeyError:
        known = ", ".join(TIMEFRAME_S)
        raise InvalidInput(
            "VALIDATION_ERROR", f"Unknown timeframe {timeframe!r}", f"Choose one of {known}."
        ) from None


@dataclass(frozen=True, slots=True)
class Bar:
    """One closed bar. ``open`` … ``close`` in quote per base, ``volume`` in base."""

    ts_open: int
    ts_close: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars as columns, oldest first.

    Shapes: every array [n].  Units: ts_open ns UTC, prices quote per base, volume base.
    """

    timeframe: str
    ts_open: Int64s
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts_open)

    def __getitem__(self, index: int) -> Bar:
        ts_open = int(self.ts_open[index])
        return Bar(
            ts_open,
            ts_open + timeframe_ns(self.timeframe),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def slice(self, start: int, stop: int) -> Bars:
        """Return rows [start, stop) without copying."""
        part = slice(start, stop)
        return Bars(
            self.timeframe,
            self.ts_open[part],
            self.open[part],
            self.high[part],
            self.low[part],
            self.close[part],
            self.volume[part],
        )
