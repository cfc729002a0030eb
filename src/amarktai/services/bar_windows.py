"""Windows of closed bars per instrument and timeframe, and larger bars made of smaller ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amarktai.domain.bar import Bar, Bars, timeframe_ns


class BarWindow:
    """The last ``capacity`` closed bars of one timeframe, as columns without copying on read."""

    _stop: int

    def __init__(self, timeframe: str, capacity: int) -> None:
        self.timeframe = timeframe
        self._capacity = capacity
        self._reset()

    def __len__(self) -> int:
        return min(self._stop, self._capacity)

    @property
    def last_ts_open(self) -> int:
        """Return the open time of the newest bar, −1 while there is none."""
        return int(self._ts[self._stop - 1]) if self._stop else -1

    def extend(self, bars: Bars) -> None:
        """Append bars that are newer than the newest."""
        for index in range(len(bars)):
            if int(bars.ts_open[index]) > self.last_ts_open:
                self.push(bars[index])

    def push(self, bar: Bar) -> None:
        """Append a bar."""
        if self._stop == 2 * self._capacity:
            self._ts[: self._capacity] = self._ts[self._capacity :]
            self._columns[:, : self._capacity] = self._columns[:, self._capacity :]
            self._stop = self._capacity
        self._ts[self._stop] = bar.ts_open
        self._columns[:, self._stop] = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        self._stop += 1

    def grow(self, capacity: int) -> bool:
        """Keep at least ``capacity`` bars from now on; True when there is room to refill."""
        if capacity <= self._capacity:
            return False
        bars, self._capacity = self.bars(len(self)), capacity
        self._reset()
        self.extend(bars)
        return True

    def refill(self, older: Bars) -> None:
        """Put older bars in front of those that are here already."""
        newer = self.bars(len(self))
        self._reset()
        self.extend(older)
        self.extend(newer)

    def _reset(self) -> None:
        self._ts = np.zeros(2 * self._capacity, dtype=np.int64)
        self._columns = np.zeros((5, 2 * self._capacity))
        self._stop = 0

    def bars(self, count: int) -> Bars:
        """Return the newest ``count`` bars (fewer when there are not as many)."""
        start = max(0, self._stop - min(count, self._capacity))
        part = slice(start, self._stop)
        o, h, lo, c, v = (self._columns[row, part] for row in range(5))
        return Bars(self.timeframe, self._ts[part], o, h, lo, c, v)


@dataclass(slots=True)
class BarBuilder:
    """Builds the bars of a larger timeframe from closed bars of a smaller one."""

    timeframe: str
    _bar: Bar | None = None

    def add(self, bar: Bar) -> list[Bar]:
        """Take in a smaller bar; return the larger ones that it completes.

        A larger bar that misses its last small bars is returned when the next one begins; one whose
        first small bars are missing is built from those that exist.
        """
        length = timeframe_ns(self.timeframe)
        ts_open = bar.ts_open - bar.ts_open % length
        finished = []
        if self._bar is not None and self._bar.ts_open != ts_open:
            finished.append(self._bar)
            self._bar = None
        if self._bar is None:
            self._bar = Bar(ts_open, ts_open + length, bar.open, bar.high, bar.low, bar.close, bar.volume)
        else:
            b = self._bar
            self._bar = Bar(
                ts_open, b.ts_close, b.open, max(b.high, bar.high), min(b.low, bar.low), bar.close,
                b.volume + bar.volume,
            )  # fmt: skip
        if bar.ts_close == self._bar.ts_close:
            finished.append(self._bar)
            self._bar = None
        return finished
