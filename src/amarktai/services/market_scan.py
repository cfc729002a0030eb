"""The engine's fast scan: reads quotes until one of them matters. Compiled, no objects per quote."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats, Int64s
from amarktai.domain.market import NO_TS, EventKind, MarketBatch

_QUOTE = int(EventKind.QUOTE)


@dataclass(slots=True)
class ScanState:
    """What the scan knows of each instrument, as columns over instrument indexes.

    Shapes: every array [n_instruments].  Units: prices quote per base, times ns UTC. ``bar_*`` is the
    base bar that is being built from mid prices; ``count`` its quotes. The ``wake_*`` columns say
    which quotes the paper venue must see (ports.venue.WakeConditions).
    """

    size: int
    bid: Floats = field(init=False)
    ask: Floats = field(init=False)
    last_ts: Int64s = field(init=False)
    bar_open: Floats = field(init=False)
    bar_high: Floats = field(init=False)
    bar_low: Floats = field(init=False)
    bar_close: Floats = field(init=False)
    count: Int64s = field(init=False)
    wake_ask_below: Floats = field(init=False)
    wake_bid_above: Floats = field(init=False)
    wake_bid_below: Floats = field(init=False)
    wake_ask_above: Floats = field(init=False)
    wake_at_ts: Int64s = field(init=False)

    def __post_init__(self) -> None:
        for name in ("bid", "ask", "bar_open", "bar_high", "bar_low", "bar_close"):
            setattr(self, name, np.full(self.size, np.nan))
        self.last_ts = np.zeros(self.size, dtype=np.int64)
        self.count = np.zeros(self.size, dtype=np.int64)
        self.wake_ask_below = np.full(self.size, -np.inf)
        self.wake_bid_above = np.full(self.size, np.inf)
        self.wake_bid_below = np.full(self.size, -np.inf)
        self.wake_ask_above = np.full(self.size, np.inf)
        self.wake_at_ts = np.full(self.size, NO_TS, dtype=np.int64)

    def scan(self, batch: MarketBatch, start: int, timer_ts: int) -> int:
        """Take in quotes from row ``start`` on; return the first row that needs attention, or n.

        A row needs attention when it is no quote, when ``timer_ts`` has come, when a wake condition of
        its instrument holds, or when its prices are none to trade on. Rows before it are taken in; it
        is not.
        """
        stop: int = _scan_nb(
            start, timer_ts, batch.received_ts, batch.kind, batch.instrument, batch.a, batch.b,
            self.bid, self.ask, self.last_ts,
            self.bar_open, self.bar_high, self.bar_low, self.bar_close, self.count,
            self.wake_ask_below, self.wake_bid_above, self.wake_bid_below, self.wake_ask_above,
            self.wake_at_ts,
        )  # fmt: skip
        return stop

    def take_quote(self, index: int, bid: float, ask: float, ts: int) -> None:
        """Take in one quote that needed attention."""
        mid = (bid + ask) / 2
        self.bid[index], self.ask[index], self.last_ts[index] = bid, ask, ts
        if self.count[index] == 0:
            self.bar_open[index] = self.bar_high[index] = self.bar_low[index] = mid
        self.bar_high[index] = max(self.bar_high[index], mid)
        self.bar_low[index] = min(self.bar_low[index], mid)
        self.bar_close[index] = mid
        self.count[index] += 1


@njit(cache=True)
def _scan_nb(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - columns, not arguments
    start, timer_ts, ts, kind, instrument, bids, asks,
    bid, ask, last_ts, bar_open, bar_high, bar_low, bar_close, count,
    wake_ask_below, wake_bid_above, wake_bid_below, wake_ask_above, wake_at_ts,
):  # fmt: skip
    n = ts.shape[0]
    for i in range(start, n):
        t = ts[i]
        if t >= timer_ts or kind[i] != _QUOTE:
            return i
        k = instrument[i]
        b = bids[i]
        a = asks[i]
        if (
            not 0.0 < b <= a < np.inf
            or t >= wake_at_ts[k]
            or a < wake_ask_below[k]
            or b > wake_bid_above[k]
            or b <= wake_bid_below[k]
            or a >= wake_ask_above[k]
        ):
            return i
        mid = (b + a) / 2
        bid[k] = b
        ask[k] = a
        last_ts[k] = t
        if count[k] == 0:
            bar_open[k] = mid
            bar_high[k] = mid
            bar_low[k] = mid
        elif mid > bar_high[k]:
            bar_high[k] = mid
        elif mid < bar_low[k]:
            bar_low[k] = mid
        bar_close[k] = mid
        count[k] += 1
    return n
