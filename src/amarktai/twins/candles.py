"""Candles and day statistics from a twin's own trades, after a seeded history from before its start.

Kept in whole ticks and lots a minute, so that every answer is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.orders import Market, Trade

MINUTE_NS: Final = 60_000_000_000
#: Two months: enough for a thousand bars of an hour.
HISTORY_MINUTES: Final = 60 * 24 * 60
#: Columns of a row: minute; open, high, low, close in ticks; volume in lots and turnover in ticks x lots;
#: trades; of volume and turnover, what takers bought.
_MINUTE, _OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _TURNOVER, _COUNT, _BOUGHT, _BOUGHT_TURNOVER = range(10)
#: Bars of a week open on Monday; the epoch was a Thursday.
_WEEK_S: Final = 604_800
_MONDAY_MINUTES: Final = 4 * 24 * 60
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle. Units: prices quote per base, volume base, turnover quote, time ns UTC."""

    ts_open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    trade_count: int
    bought: Decimal
    bought_turnover: Decimal


class Candles:
    """One market's candles."""

    def __init__(self, market: Market, seed: bytes, start_ns: int) -> None:
        self._market = market
        self._seed = seed
        self._start_ns = start_ns
        self._live: list[list[int]] = []

    def add(self, trade: Trade) -> None:
        """Count a trade."""
        minute = trade.ts_ns // MINUTE_NS
        ticks, lots = int(trade.price / self._market.tick), int(trade.quantity / self._market.lot)
        if not self._live or self._live[-1][_MINUTE] != minute:
            self._live.append([minute, ticks, ticks, ticks, ticks, 0, 0, 0, 0, 0])
        row = self._live[-1]
        row[_HIGH], row[_LOW], row[_CLOSE] = max(row[_HIGH], ticks), min(row[_LOW], ticks), ticks
        row[_VOLUME] += lots
        row[_TURNOVER] += lots * ticks
        row[_COUNT] += 1
        if trade.taker_side is Side.BUY:
            row[_BOUGHT] += lots
            row[_BOUGHT_TURNOVER] += lots * ticks

    def of(self, seconds: int, since_ns: int, until_ns: int, limit: int) -> list[Candle]:
        """Return the first ``limit`` candles of that length in [since, until), oldest first.

        Those without a trade are left out.
        """
        step = max(1, seconds // 60)
        origin = _MONDAY_MINUTES if seconds == _WEEK_S else 0
        first = -((origin * MINUTE_NS - since_ns) // (step * MINUTE_NS)) * step + origin
        rows = self._rows(first, -(-until_ns // MINUTE_NS))
        return [self._candle(row) for row in _merged(rows, step, origin)[:limit]]

    def latest(self, seconds: int, count: int, now_ns: int) -> list[Candle]:
        """Return the last ``count`` candles of that length, oldest first; the last is still open."""
        step_ns = max(60, seconds) * 1_000_000_000
        return self.of(seconds, now_ns - count * step_ns, now_ns + 1, count + 1)[-count:]

    def last_day(self, now_ns: int) -> Candle | None:
        """Return the last 24 hours as one candle, or None when nothing traded."""
        minute = now_ns // MINUTE_NS
        rows = self._rows(minute - 24 * 60 + 1, minute + 1)
        return None if not len(rows) else self._candle(_merged(rows, 1 << 40, 0)[0])

    @cached_property
    def _history(self) -> Rows:
        """The made-up minutes; made when first asked for, which takes a tenth of a second."""
        end_ticks = int(self._market.start_price / self._market.tick)
        return _made_up(self._seed, end_ticks, self._start_ns // MINUTE_NS, _usual_lots(self._market))

    def _rows(self, first: int, end: int) -> Rows:
        """Return the minutes from ``first`` until before ``end``."""
        low, high = np.searchsorted(self._history[:, _MINUTE], (first, end))
        live = [row for row in self._live if first <= row[_MINUTE] < end]
        return np.concatenate([self._history[low:high], np.array(live, dtype=np.int64).reshape(-1, 10)])

    def _candle(self, row: Rows) -> Candle:
        tick, lot = self._market.tick, self._market.lot
        minute, open_, high, low, close, volume, turnover, count, *bought = (int(value) for value in row)
        return Candle(
            ts_open_ns=minute * MINUTE_NS,
            open=tick * open_,
            high=tick * high,
            low=tick * low,
            close=tick * close,
            volume=lot * volume,
            turnover=tick * lot * turnover,
            trade_count=count,
            bought=lot * bought[0],
            bought_turnover=tick * lot * bought[1],
        )


def _merged(rows: Rows, step: int, origin: int) -> Rows:
    """Return the minutes merged into candles of ``step`` minutes, stamped with their open."""
    if not len(rows):
        return rows
    stamps = (rows[:, _MINUTE] - origin) // step * step + origin
    starts = np.flatnonzero(np.concatenate([[True], stamps[1:] != stamps[:-1]]))
    ends = np.concatenate([starts[1:], [len(rows)]]) - 1
    out = np.empty((len(starts), 10), dtype=np.int64)
    out[:, _MINUTE], out[:, _OPEN], out[:, _CLOSE] = stamps[starts], rows[starts, _OPEN], rows[ends, _CLOSE]
    out[:, _HIGH] = np.maximum.reduceat(rows[:, _HIGH], starts)
    out[:, _LOW] = np.minimum.reduceat(rows[:, _LOW], starts)
    for column in (_VOLUME, _TURNOVER, _COUNT, _BOUGHT, _BOUGHT_TURNOVER):
        out[:, column] = np.add.reduceat(rows[:, column], starts)
    return out


def _usual_lots(market: Market) -> int:
    """Return the lots that a usual minute trades: about ten thousand of the quote currency."""
    usual = max(Decimal(10_000) / market.start_price, market.min_quantity * 10)
    return max(10, int(usual / market.lot)) if usual > ZERO else 10


def _made_up(seed: bytes, end_ticks: int, end_minute: int, usual_lots: int) -> Rows:
    """Return a seeded random walk of minutes that ends at ``end_ticks``; synthetic, as all of a twin is."""
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed)))
    steps = rng.integers(-40, 41, size=HISTORY_MINUTES).cumsum()
    spread = max(1, end_ticks // 50_000)
    close = np.maximum(end_ticks + (steps - steps[-1]) * spread, max(1, end_ticks // 10))
    open_ = np.concatenate([close[:1], close[:-1]])
    wicks = rng.integers(0, 20, size=(2, HISTORY_MINUTES)) * spread
    rows = np.empty((HISTORY_MINUTES, 10), dtype=np.int64, order="F")
    rows[:, _MINUTE] = np.arange(end_minute - HISTORY_MINUTES, end_minute)
    rows[:, _OPEN], rows[:, _CLOSE] = open_, close
    rows[:, _HIGH] = np.maximum(open_, close) + wicks[0]
    rows[:, _LOW] = np.maximum(1, np.minimum(open_, close) - wicks[1])
    rows[:, _VOLUME] = rng.integers(usual_lots // 2, usual_lots * 2, size=HISTORY_MINUTES)
    rows[:, _TURNOVER] = rows[:, _VOLUME] * close
    rows[:, _BOUGHT] = rows[:, _VOLUME] * rng.integers(20, 81, size=HISTORY_MINUTES) // 100
    rows[:, _BOUGHT_TURNOVER] = rows[:, _BOUGHT] * close
    rows[:, _COUNT] = rng.integers(1, 40, size=HISTORY_MINUTES)
    return rows
