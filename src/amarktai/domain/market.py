"""Market data in motion: columnar batches of events, and the order book.

A feed yields ``MarketBatch``es; the engine reads them in order. Prices are float64 here, because
only our own orders and fills are money; those are decimals, quantised to the instrument's tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.bar import Floats, Int64s

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


class OrderBook:
    """Price levels of one instrument, kept from a snapshot and diffs.

    Units: price quote per base → quantity base.
    """

    __slots__ = ("asks", "bids", "last_update_id", "ts")

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.last_update_id = 0
        self.ts = 0

    def set_level(self, *, is_bid: bool, price: float, quantity: float) -> None:
        side = self.bids if is_bid else self.asks
        if quantity == 0.0:
            side.pop(price, None)
        else:
            side[price] = quantity

    def best_bid(self) -> float | None:
        return max(self.bids) if self.bids else None

    def best_ask(self) -> float | None:
        return min(self.asks) if self.asks else None

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


NO_TS: Final = np.iinfo(np.int64).max
