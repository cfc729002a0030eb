"""Live feeds of several platforms as one. Each goes at its own pace; none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import numpy as np

from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook, empty_bars
from amarktai.ports.feed import Feed, FeedState, FeedStatus
from amarktai.venues.batches import renumber

#: Batches that wait for a slow reader, over all feeds; then the feeds wait.
_QUEUED: Final = 1_000


class JoinedFeed:
    """Several feeds of one origin in the order in which their batches arrive.

    ``feeds`` are kept by platform, so that each platform's health can be shown.
    """

    def __init__(self, feeds: dict[Platform, Feed]) -> None:
        if not feeds:
            raise InvalidInput("VALIDATION_ERROR", "There is no feed to join")
        if len({feed.origin for feed in feeds.values()}) > 1:
            raise InvalidInput("VALIDATION_ERROR", "Feeds of different origin cannot be joined")
        self.feeds = dict(feeds)
        self.origin = next(iter(feeds.values())).origin
        self.instruments: Sequence[Instrument] = tuple(
            item for feed in feeds.values() for item in feed.instruments
        )
        self.books: dict[int, OrderBook] = {}
        self.max_age_s = max(feed.max_age_s for feed in feeds.values())
        self._queue: asyncio.Queue[MarketBatch | BaseException | None] = asyncio.Queue(maxsize=_QUEUED)
        self._first = {}
        position = 0
        for platform, feed in feeds.items():
            self._first[platform] = position
            self.books.update({position + index: book for index, book in feed.books.items()})
            position += len(feed.instruments)

    @property
    def dirty(self) -> DirtyRows:
        total = DirtyRows()
        for feed in self.feeds.values():
            for reason, count in feed.dirty.counts.items():
                total.add(reason, count)
        return total

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield every feed's batches as they come, until all have ended.

        An error that ends one feed ends the whole.
        """
        tasks = [asyncio.create_task(self._pump(platform)) for platform in self.feeds]
        running = len(tasks)
        try:
            while running:
                item = await self._queue.get()
                if item is None:
                    running -= 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, platform: Platform) -> None:
        feed, first = self.feeds[platform], self._first[platform]
        indices = np.arange(first, first + len(feed.instruments), dtype=np.int32)
        try:
            async for batch in feed.batches():
                await self._queue.put(renumber(batch, indices))
        except Exception as error:  # noqa: BLE001 - handed over to the reader, who raises it
            await self._queue.put(error)
            return
        await self._queue.put(None)

    def statuses(self) -> dict[Platform, FeedStatus]:
        """Return each platform's health."""
        return {platform: feed.status() for platform, feed in self.feeds.items()}

    def status(self) -> FeedStatus:
        """Return the best feed's health: as long as one delivers, the whole does."""
        order = (
            FeedState.LIVE,
            FeedState.STALE,
            FeedState.CONNECTING,
            FeedState.UNREACHABLE,
            FeedState.ENDED,
        )
        return min(self.statuses().values(), key=lambda status: order.index(status.state))

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        feed = self.feeds.get(instrument.venue)
        if feed is None:
            return empty_bars(timeframe)
        return await feed.fetch_bars(instrument, timeframe, count, before_ts)

    async def close(self) -> None:
        for feed in self.feeds.values():
            await feed.close()
