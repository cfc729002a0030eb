"""Feeds from recordings held in memory, and the merge of several feeds. Origin: recorded.

Time in a replay is the recording's: the engine moves its virtual clock to each row. The data before
``since_ts`` is not replayed; it serves as warm-up bars.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import (
    NO_TS,
    DirtyRows,
    Int32s,
    MarketBatch,
    OrderBook,
    count_gaps,
    empty_bars,
)
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import Feed, FeedState, FeedStatus, Recording
from amarktai.venues.batches import bar_batch, between, concat, cut, renumber, sort_by_time, take

_WORST_FIRST: Final = (
    FeedState.UNREACHABLE,
    FeedState.STALE,
    FeedState.CONNECTING,
    FeedState.LIVE,
    FeedState.ENDED,
)


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a recording that is replayed: since_ts <= ts < until_ts (ns UTC)."""

    since_ts: int = 0
    until_ts: int = NO_TS


class RecordedFeed:
    """Replays events that are held in memory, in large batches, as fast as they are taken.

    ``history`` gives the warm-up bars per instrument index and timeframe.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        events: MarketBatch,
        *,
        title: str,
        dirty: DirtyRows,
        max_age_s: float,
        history: dict[tuple[str, str], Bars],
        origin: Origin = Origin.RECORDED,
    ) -> None:
        self.origin = origin
        self.instruments = tuple(instruments)
        self.books: dict[int, OrderBook] = {}
        self.dirty = dirty
        self.max_age_s = max_age_s
        self.row_count = len(events)
        self._events = events
        self._history = history
        self._title = title
        self._last_ts: int | None = None
        self._ended = False

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield the recording in time order, then end."""
        for batch in cut(self._events):
            self._last_ts = int(batch.received_ts[-1])
            yield batch
        self._ended = True

    def span(self) -> tuple[int, int]:
        """Return the times (ns) of the first and the last event; (1, 0) when there is none."""
        if not len(self._events):
            return 1, 0
        return int(self._events.received_ts[0]), int(self._events.received_ts[-1])

    def status(self) -> FeedStatus:
        if self._ended:
            return FeedStatus(FeedState.ENDED, f"{self._title}: the recording is over.", self._last_ts)
        if not len(self._events):
            return FeedStatus(FeedState.ENDED, f"{self._title}: nothing was recorded in that span.")
        first, last = to_datetime(int(self._events.ts[0])), to_datetime(int(self._events.ts[-1]))
        return FeedStatus(
            FeedState.LIVE, f"{self._title}, recorded {first:%Y-%m-%d} to {last:%Y-%m-%d}.", self._last_ts
        )

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return recorded bars; none where the recording has none of that timeframe."""
        return last_bars(self._history.get((instrument.id, timeframe)), timeframe, count, before_ts)

    async def close(self) -> None:
        """Nothing is open: the recording was read at construction."""


def last_bars(bars: Bars | None, timeframe: str, count: int, before_ts: int) -> Bars:
    """Return up to ``count`` bars of ``bars`` that end at or before ``before_ts``."""
    if bars is None:
        return empty_bars(timeframe)
    stop = int(np.searchsorted(bars.ts_open, before_ts - timeframe_ns(timeframe), side="right"))
    return bars.slice(max(0, stop - count), stop)


def candle_feed(
    series: Sequence[tuple[Instrument, Bars]],
    *,
    title: str,
    span: Span = Span(),
    origin: Origin = Origin.RECORDED,
) -> RecordedFeed:
    """Replay bars: each one opens at its ``ts_open`` and closes one timeframe later.

    A bar is replayed when its open lies in the span. Missing bars and bars without volume are noted
    in ``dirty``; the former are never invented.

    Raises: InvalidInput when there is nothing to replay.
    """
    if not series:
        raise InvalidInput("VALIDATION_ERROR", "A replay of bars needs at least one instrument")
    if len({instrument for instrument, _ in series}) < len(series):
        raise InvalidInput(
            "VALIDATION_ERROR",
            "An instrument comes twice in a replay of bars",
            "Give its smallest timeframe only: larger bars are built from it.",
        )
    dirty = DirtyRows()
    instruments = tuple(dict.fromkeys(instrument for instrument, _ in series))
    parts = []
    for instrument, bars in series:
        first, last = np.searchsorted(bars.ts_open, [span.since_ts, span.until_ts])
        shown = bars.slice(int(first), int(last))
        dirty.add("missing_bar", count_gaps(shown))
        dirty.add("zero_volume_bar", int((shown.volume == 0).sum()))
        parts.append(bar_batch(instruments.index(instrument), shown))
    return RecordedFeed(
        instruments,
        sort_by_time(concat(parts)),
        title=title,
        dirty=dirty,
        max_age_s=2 * max(timeframe_ns(bars.timeframe) for _, bars in series) / 1e9,
        history={(instrument.id, bars.timeframe): bars for instrument, bars in series},
        origin=origin,
    )


class MergedFeed:
    """Several recordings as one, in the order of ``received_ts``, the clock that the engine follows.

    The same instrument in two feeds gets one index. Order books are passed on: a feed with depth is
    only asked for its next message after the rows of the last one have been yielded.
    """

    def __init__(self, feeds: Sequence[Recording]) -> None:
        if not feeds:
            raise InvalidInput("VALIDATION_ERROR", "There is no feed to merge")
        origins = {feed.origin for feed in feeds}
        if len(origins) > 1:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"Feeds of different origin cannot be merged: {', '.join(sorted(origins))}",
                "Run live, recorded and synthetic data apart: their results must not mix.",
            )
        self._feeds = tuple(feeds)
        self.origin = feeds[0].origin
        self.instruments = tuple(dict.fromkeys(item for feed in feeds for item in feed.instruments))
        self._indices = [self._indices_of(feed) for feed in feeds]
        self.books = {
            int(indices[index]): book
            for feed, indices in zip(feeds, self._indices, strict=True)
            for index, book in feed.books.items()
        }
        self.max_age_s = max(feed.max_age_s for feed in feeds)

    def _indices_of(self, feed: Feed) -> Int32s:
        return np.array([self.instruments.index(item) for item in feed.instruments], dtype=np.int32)

    @property
    def dirty(self) -> DirtyRows:
        total = DirtyRows()
        for feed in self._feeds:
            for reason, count in feed.dirty.counts.items():
                total.add(reason, count)
        return total

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield all feeds' rows in time order; at one instant, in the order of the feeds."""
        streams = [feed.batches() for feed in self._feeds]
        heads = [await self._next(index, stream) for index, stream in enumerate(streams)]
        while any(head is not None for head in heads):
            horizon = min(int(head.received_ts[-1]) for head in heads if head is not None)
            parts = []
            for index, head in enumerate(heads):
                if head is None:
                    continue
                stop = int(np.searchsorted(head.received_ts, horizon, side="right"))
                parts.append(take(head, slice(0, stop)))
                heads[index] = take(head, slice(stop, len(head)))
            merged = concat(parts) if len(parts) > 1 else parts[0]
            yield take(merged, np.argsort(merged.received_ts, kind="stable")) if len(parts) > 1 else merged
            for index, head in enumerate(heads):
                if head is not None and not len(head):
                    heads[index] = await self._next(index, streams[index])

    async def _next(self, index: int, stream: AsyncIterator[MarketBatch]) -> MarketBatch | None:
        async for batch in stream:
            if len(batch):
                return renumber(batch, self._indices[index])
        return None

    def span(self) -> tuple[int, int]:
        """Return the times (ns) of the first and the last event of all feeds."""
        spans = [feed.span() for feed in self._feeds]
        known = [span for span in spans if span[0] <= span[1]]
        return (min(first for first, _ in known), max(last for _, last in known)) if known else (1, 0)

    def status(self) -> FeedStatus:
        """Return the worst feed's health, and the latest receive time of all."""
        found = [feed.status() for feed in self._feeds]
        worst = min(found, key=lambda status: _WORST_FIRST.index(status.state))
        received = [status.last_received_ts for status in found if status.last_received_ts is not None]
        return FeedStatus(worst.state, worst.message, max(received, default=None), worst.retry_at_ts)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return the bars of the first feed that has any."""
        for feed in self._feeds:
            if instrument in feed.instruments:
                bars = await feed.fetch_bars(instrument, timeframe, count, before_ts)
                if len(bars):
                    return bars
        return empty_bars(timeframe)

    async def close(self) -> None:
        for feed in self._feeds:
            await feed.close()


def clip(events: MarketBatch, span: Span) -> MarketBatch:
    """Return the rows of the span of a batch in time order."""
    return between(events, span.since_ts, span.until_ts)
