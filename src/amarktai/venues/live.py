"""Several live feeds as one, in the order in which their data arrives. One dead feed stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np

from amarktai.domain.bar import Bars
from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook
from amarktai.ports.feed import Feed, FeedState, FeedStatus
from amarktai.venues.batches import renumber

#: Batches that may wait for the engine; a slower engine makes the feeds wait, which makes data stale.
_QUEUE_LIMIT = 1_000
_BEST_FIRST = (
    FeedState.LIVE,
    FeedState.STALE,
    FeedState.CONNECTING,
    FeedState.UNREACHABLE,
    FeedState.ENDED,
)


class LiveFeeds:
    """Merges the live feeds of several platforms, all of one origin. Implements ports.feed.Feed."""

    def __init__(self, feeds: Mapping[Platform, Feed]) -> None:
        self._feeds = dict(feeds)
        origins = {feed.origin for feed in feeds.values()}
        if len(origins) > 1:
            raise BrokenInvariant(f"prices of {', '.join(sorted(origins))} origin cannot be one market")
        self.origin = origins.pop() if origins else Origin.LIVE
        self.instruments: Sequence[Instrument] = tuple(
            instrument for feed in feeds.values() for instrument in feed.instruments
        )
        self.books: dict[int, OrderBook] = {}
        self.max_age_s = max((feed.max_age_s for feed in feeds.values()), default=0.0)
        self._offsets: dict[Platform, int] = {}
        offset = 0
        for platform, feed in feeds.items():
            self._offsets[platform] = offset
            self.books.update({offset + index: book for index, book in feed.books.items()})
            offset += len(feed.instruments)

    @property
    def dirty(self) -> DirtyRows:
        total = DirtyRows()
        for platform, feed in self._feeds.items():
            for reason, count in feed.dirty.counts.items():
                total.add(f"{platform}: {reason}", count)
        return total

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield every feed's batches as they come, until all have ended.

        A defect that ends one feed ends the whole: it is raised here. An exchange that cannot be
        reached is none; its feed says so and goes on.
        """
        queue: asyncio.Queue[MarketBatch | Exception | None] = asyncio.Queue(_QUEUE_LIMIT)
        tasks = [asyncio.create_task(self._pump(platform, queue)) for platform in self._feeds]
        running = len(tasks)
        try:
            while running:
                item = await queue.get()
                if item is None:
                    running -= 1
                elif isinstance(item, Exception):
                    raise item
                else:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, platform: Platform, queue: asyncio.Queue[MarketBatch | Exception | None]) -> None:
        feed, offset = self._feeds[platform], self._offsets[platform]
        indices = np.arange(offset, offset + len(feed.instruments), dtype=np.int32)
        try:
            async for batch in feed.batches():
                await queue.put(renumber(batch, indices))
        except Exception as error:  # noqa: BLE001 - the reader raises it
            await queue.put(error)
            return
        await queue.put(None)

    def status(self) -> FeedStatus:
        """Return the best feed's health: something to trade on is what counts here."""
        found = [feed.status() for feed in self._feeds.values()]
        return min(found, key=lambda status: _BEST_FIRST.index(status.state))

    def status_of(self, platform: Platform) -> FeedStatus:
        """Return one platform's health."""
        return self._feeds[platform].status()

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        return await self._feeds[instrument.venue].fetch_bars(instrument, timeframe, count, before_ts)

    async def close(self) -> None:
        for feed in self._feeds.values():
            await feed.close()
