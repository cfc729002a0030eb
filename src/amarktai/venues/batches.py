"""Building and cutting columnar batches of market events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from amarktai.domain.bar import Bars, Floats, Int64s, timeframe_ns
from amarktai.domain.market import EventKind, Int32s, MarketBatch

#: Rows a batch: large enough that the engine's array scan pays, small enough to stop soon.
BATCH_ROWS: Final = 16_384
_COLUMNS: Final = ("ts", "received_ts", "instrument", "kind", "a", "b", "c", "d", "e", "timeframe_s")


def take(batch: MarketBatch, rows: slice | Int64s | npt.NDArray[np.bool_]) -> MarketBatch:
    """Return the chosen rows."""
    return MarketBatch(*(getattr(batch, name)[rows] for name in _COLUMNS))


def concat(batches: Sequence[MarketBatch]) -> MarketBatch:
    """Return all rows, batch after batch."""
    return MarketBatch(*(np.concatenate([getattr(part, name) for part in batches]) for name in _COLUMNS))


def sort_by_time(batch: MarketBatch) -> MarketBatch:
    """Return rows in time order; at one instant bars close before new ones open, else order stays."""
    opens = batch.kind == EventKind.BAR_OPEN
    return take(batch, np.lexsort((opens, batch.ts)))


def cut(batch: MarketBatch, rows: int = BATCH_ROWS) -> Iterator[MarketBatch]:
    """Yield the batch in pieces of at most ``rows``."""
    for start in range(0, len(batch), rows):
        yield take(batch, slice(start, start + rows))


def between(batch: MarketBatch, since_ts: int, until_ts: int) -> MarketBatch:
    """Return rows with since_ts <= ts < until_ts of a batch in time order."""
    first, last = np.searchsorted(batch.ts, [since_ts, until_ts])
    return take(batch, slice(int(first), int(last)))


def renumber(batch: MarketBatch, indices: Int32s) -> MarketBatch:
    """Return the batch with instrument i replaced by ``indices[i]``."""
    return MarketBatch(
        batch.ts,
        batch.received_ts,
        indices[batch.instrument],
        *(getattr(batch, name) for name in _COLUMNS[3:]),
    )


def quote_batch(instrument: int, ts: Int64s, bid: Floats, ask: Floats) -> MarketBatch:
    """Return QUOTE rows of one instrument without sizes. Shapes: ts, bid, ask [n]."""
    count = len(ts)
    zeros = np.zeros(count)
    return MarketBatch(
        ts,
        ts,
        np.full(count, instrument, dtype=np.int32),
        np.full(count, EventKind.QUOTE, dtype=np.int8),
        bid,
        ask,
        zeros,
        zeros,
        zeros,
        np.zeros(count, dtype=np.int32),
    )


def bar_batch(instrument: int, bars: Bars) -> MarketBatch:
    """Return a BAR_OPEN row at each open and a BAR_CLOSE row at each close."""
    step = timeframe_ns(bars.timeframe)
    count = 2 * len(bars)
    ts = np.repeat(bars.ts_open, 2)
    ts[1::2] += step
    kind = np.full(count, EventKind.BAR_OPEN, dtype=np.int8)
    kind[1::2] = EventKind.BAR_CLOSE
    columns = [np.zeros(count) for _ in range(5)]
    for column, values in zip(
        columns, (bars.open, bars.high, bars.low, bars.close, bars.volume), strict=True
    ):
        column[1::2] = values
    columns[0][0::2] = bars.open
    return MarketBatch(
        ts,
        ts,
        np.full(count, instrument, dtype=np.int32),
        kind,
        columns[0],
        columns[1],
        columns[2],
        columns[3],
        columns[4],
        np.full(count, step // 1_000_000_000, dtype=np.int32),
    )


class RowBuffer:
    """Collects single events until they are taken as one batch."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int, float, float, float, float, float, int]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def quote(
        self, instrument: int, ts: int, received_ts: int, top: tuple[float, float, float, float]
    ) -> None:
        """Add a QUOTE row. ``top`` is bid, ask, bid size, ask size."""
        self._rows.append((ts, received_ts, instrument, EventKind.QUOTE, *top, 0.0, 0))

    def trade(
        self, instrument: int, ts: int, received_ts: int, price: float, quantity: float, taker: float
    ) -> None:
        """Add a TRADE row. ``taker`` is +1 when the taker bought, −1 when it sold."""
        self._rows.append((ts, received_ts, instrument, EventKind.TRADE, price, quantity, taker, 0.0, 0.0, 0))

    def take(self) -> MarketBatch:
        """Return the collected rows in the order in which they came, and start anew."""
        rows, self._rows = self._rows, []
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return MarketBatch(
            columns[0].astype(np.int64),
            columns[1].astype(np.int64),
            columns[2].astype(np.int32),
            columns[3].astype(np.int8),
            columns[4].astype(np.float64),
            columns[5].astype(np.float64),
            columns[6].astype(np.float64),
            columns[7].astype(np.float64),
            columns[8].astype(np.float64),
            columns[9].astype(np.int32),
        )
