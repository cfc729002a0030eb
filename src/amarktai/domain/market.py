"""Market data in motion: columnar batches of events, and the order book.

A feed yields ``MarketBatch``es; the engine reads them in order. Prices are float64 here, because
only our own orders and fills are money; those are decimals, quantised to the instrument's tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.bar import Bars, Floats, Int64s, timeframe_ns

Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]


class EventKind(IntEnum):
    """What one row of a batch says. The columns a … e depend on it."""

    QUOTE = 0  # a bid, b ask, c bid size, d ask size (0 when unknown)
    BAR_OPEN = 1  # a open; a bar's first price, at ts_open
    BAR_CLOSE = 2  # a open, b high, c low, d close, e volume; at ts_close
    TRADE = 3  # a price, b quantity, c +1 when the taker bought, −1 when it sold


@dataclass(frozen=True, slots=True)
class MarketBatch:
    """Events in time order.

    Shapes: every column [n].  Units: ts and received_ts ns UTC; prices quote per base.
    ``instrument`` indexes the feed's instrument list. ``timeframe_s`` is the bar length of the bar
    rows and 0 elsewhere.
    """

    ts: Int64s
    received_ts: Int64s
    instrument: Int32s
    kind: Int8s
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    e: Floats
    timeframe_s: Int32s

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(slots=True)
class DirtyRows:
    """Rows a reader refused or had to note, by reason. They are reported, never traded on."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int = 1) -> None:
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count


#: Prices of levels that are gone which a side may carry before it is built anew.
_SPARE_PRICES: Final = 256


class OrderBook:
    """Price levels of one instrument, kept from a snapshot and diffs.

    Units: price quote per base → quantity base. Each side keeps a heap of its prices, from which those
    that are gone drop when they come to the top: the best price costs the same in a deep book.
    """

    __slots__ = ("_ask_prices", "_asks", "_bid_prices", "_bids", "last_update_id", "ts")

    def __init__(self) -> None:
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        self._bid_prices: list[float] = []  # negative: the heap's first is the lowest
        self._ask_prices: list[float] = []
        self.last_update_id = 0
        self.ts = 0

    @property
    def bids(self) -> Mapping[float, float]:
        return self._bids

    @property
    def asks(self) -> Mapping[float, float]:
        return self._asks

    def load(self, bids: Mapping[float, float], asks: Mapping[float, float]) -> None:
        """Replace all levels."""
        self._bids, self._asks = dict(bids), dict(asks)
        self._bid_prices, self._ask_prices = [-price for price in bids], list(asks)
        heapify(self._bid_prices)
        heapify(self._ask_prices)

    def set_level(self, *, is_bid: bool, price: float, quantity: float) -> None:
        side = self._bids if is_bid else self._asks
        if quantity == 0.0:
            side.pop(price, None)
            return
        if price not in side:
            prices = self._bid_prices if is_bid else self._ask_prices
            heappush(prices, -price if is_bid else price)
            if len(prices) > 2 * len(side) + _SPARE_PRICES:
                prices[:] = [-known if is_bid else known for known in (*side, price)]
                heapify(prices)
        side[price] = quantity

    def best_bid(self) -> float | None:
        prices = self._bid_prices
        while prices and -prices[0] not in self._bids:
            heappop(prices)
        return -prices[0] if prices else None

    def best_ask(self) -> float | None:
        prices = self._ask_prices
        while prices and prices[0] not in self._asks:
            heappop(prices)
        return prices[0] if prices else None

    def offered_within(self, share: float) -> float:
        """Return the quantity that is offered up to so much above the best ask: 0.01 is one per cent."""
        best = self.best_ask()
        if best is None:
            return 0.0
        return sum(quantity for price, quantity in self._asks.items() if price <= best * (1.0 + share))

    def sweep(self, *, is_buy: bool, quantity: float) -> list[tuple[float, float]]:
        """Return the (price, quantity) levels that a taker of ``quantity`` would consume, best first.

        The sum of quantities is smaller than asked when the visible book is too thin.
        """
        levels = sorted(self.asks.items()) if is_buy else sorted(self.bids.items(), reverse=True)
        taken: list[tuple[float, float]] = []
        left = quantity
        for price, available in levels:
            if left <= 0:
                break
            take = min(left, available)
            taken.append((price, take))
            left -= take
        return taken


NO_TS: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class RateSeries:
    """Dated exchange rates: one ``base`` is worth ``rate`` ``quote``.

    Shapes: ts, rate [n], oldest first.  Units: ts ns UTC.  ``source`` is stored with each use.
    """

    base: str
    quote: str
    ts: Int64s
    rate: Floats
    source: str


def find_dirty_bar(bars: Bars) -> tuple[int, str] | None:
    """Return (row, reason) of the first bar that must not be traded on, None when all are clean.

    Dirty are: a price that is not finite or not above zero, a high below or a low above the rest of
    the bar, a volume that is negative or not finite, a time that does not rise or lies off the
    timeframe's grid.
    """
    if not len(bars):
        return None
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    step = timeframe_ns(bars.timeframe)
    with np.errstate(invalid="ignore"):
        problems = {
            "a price is not a number": ~np.isfinite(prices).all(axis=0),
            "a price is not above zero": (prices <= 0).any(axis=0),
            "the high is below another price": bars.high < prices.max(axis=0),
            "the low is above another price": bars.low > prices.min(axis=0),
            "the volume is not a number of at least zero": ~(np.isfinite(bars.volume) & (bars.volume >= 0)),
            "the time does not rise": np.diff(bars.ts_open, prepend=bars.ts_open[0] - 1) <= 0,
            f"the time is not the open of a {bars.timeframe} bar": bars.ts_open % step != 0,
        }
    rows = {reason: int(np.argmax(found)) for reason, found in problems.items() if found.any()}
    return min(((row, reason) for reason, row in rows.items()), default=None)


def count_gaps(bars: Bars) -> int:
    """Return how many bars are missing between the first and the last one."""
    if not len(bars):
        return 0
    span = int(bars.ts_open[-1] - bars.ts_open[0]) // timeframe_ns(bars.timeframe)
    return span + 1 - len(bars)


def empty_bars(timeframe: str) -> Bars:
    """Return no bars."""
    none = np.empty(0, dtype=np.float64)
    return Bars(timeframe, np.empty(0, dtype=np.int64), none, none, none, none, none)


def aggregate_bars(bars: Bars, timeframe: str) -> Bars:
    """Build the bars of a larger timeframe from smaller ones; a gap in them is a gap of the result.

    Raises: InvalidInput for an unknown timeframe.
    """
    if not len(bars):
        return empty_bars(timeframe)
    step = timeframe_ns(timeframe)
    opens = bars.ts_open // step * step
    starts = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    ends = np.append(starts[1:], len(bars)) - 1
    return Bars(
        timeframe,
        opens[starts],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        np.add.reduceat(bars.volume, starts),
    )


def compute_quote_bars(ts: Int64s, bid: Floats, ask: Floats, timeframe: str) -> Bars:
    """Build bars from the mid prices of quotes; a bar without a quote is left out.

    Shapes: ts, bid, ask [n], in time order.  The volume is 0: quotes carry none.
    """
    if not len(ts):
        return empty_bars(timeframe)
    mid = (bid + ask) / 2
    step = timeframe_ns(timeframe)
    opens = ts // step * step
    starts = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    ends = np.append(starts[1:], len(ts)) - 1
    return Bars(
        timeframe,
        opens[starts],
        mid[starts],
        np.maximum.reduceat(mid, starts),
        np.minimum.reduceat(mid, starts),
        mid[ends],
        np.zeros(len(starts)),
    )
