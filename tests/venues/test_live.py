"""Several live feeds as one: none waits for another, and trouble of one does not silence the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import DirtyRows, MarketBatch
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.system.clock import VirtualClock
from amarktai.venues.batches import quote_batch
from amarktai.venues.live import LiveFeeds
from amarktai.venues.replay import RecordedFeed
from amarktai.venues.sandbox import SandboxFeed
from amarktai.venues.spec import load_specs

SPECS = load_specs()
LUNO, BINANCE = SPECS[Platform.LUNO], SPECS[Platform.BINANCE]


class Scripted(RecordedFeed):
    """A feed that sends what a test puts into its queue; None ends it, an error breaks it."""

    def __init__(self, instruments: list[Instrument], state: FeedState = FeedState.LIVE) -> None:
        nothing = quote_batch(0, np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        super().__init__(
            instruments, nothing, title="", dirty=DirtyRows({"nan": 1}), max_age_s=60, history={}
        )
        self.queue: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.state = state
        self.is_closed = False

    async def batches(self) -> AsyncIterator[MarketBatch]:
        while (item := await self.queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield quote_batch(0, np.array([item]), np.ones(1), np.ones(1) * 2)

    def status(self) -> FeedStatus:
        return FeedStatus(self.state, self.state.value)

    async def close(self) -> None:
        self.is_closed = True


def pair() -> tuple[Scripted, Scripted, LiveFeeds]:
    luno = Scripted([LUNO.instrument("BTC/ZAR"), LUNO.instrument("ETH/ZAR")])
    binance = Scripted([BINANCE.instrument("BTC/USDT")], FeedState.UNREACHABLE)
    return luno, binance, LiveFeeds({Platform.LUNO: luno, Platform.BINANCE: binance})


def test_prices_of_different_origin_make_no_market() -> None:
    made_up = SandboxFeed([BINANCE.instrument("BTC/USDT")], seed=1, clock=VirtualClock(0))
    with pytest.raises(BrokenInvariant, match="recorded, synthetic"):
        LiveFeeds({Platform.LUNO: Scripted([LUNO.instrument("BTC/ZAR")]), Platform.BINANCE: made_up})


async def test_a_silent_feed_holds_nobody_up() -> None:
    luno, binance, joined = pair()
    stream = joined.batches()
    luno.queue.put_nowait(5)
    assert (await anext(stream)).instrument.tolist() == [0]
    binance.queue.put_nowait(3)
    assert (await anext(stream)).instrument.tolist() == [2]
    luno.queue.put_nowait(None)
    binance.queue.put_nowait(4)
    assert (await anext(stream)).ts.tolist() == [4]
    binance.queue.put_nowait(None)
    assert [batch async for batch in stream] == []


async def test_an_error_of_one_reaches_the_reader() -> None:
    luno, _, joined = pair()
    luno.queue.put_nowait(ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        await anext(joined.batches())


async def test_health_is_told_per_platform_and_together() -> None:
    luno, binance, joined = pair()
    assert joined.status_of(Platform.LUNO).state is FeedState.LIVE
    assert joined.status_of(Platform.BINANCE).state is FeedState.UNREACHABLE
    assert joined.status().state is FeedState.LIVE
    assert joined.dirty.counts == {"luno: nan": 1, "binance: nan": 1}
    assert len(joined.instruments) == 3
    await joined.close()
    assert luno.is_closed
    assert binance.is_closed


async def test_warm_up_comes_from_the_instruments_own_platform() -> None:
    now = 1_790_000_000 * NS_PER_S
    feeds = {
        platform: SandboxFeed(spec.instruments[:1], seed=1, clock=VirtualClock(now))
        for platform, spec in ((Platform.LUNO, LUNO), (Platform.BINANCE, BINANCE))
    }
    joined = LiveFeeds(dict(feeds))
    assert len(await joined.fetch_bars(BINANCE.instrument("BTC/USDT"), "1h", 5, now)) == 5


async def test_a_reader_that_leaves_ends_the_feeds() -> None:
    luno, _, joined = pair()
    stream = joined.batches()
    luno.queue.put_nowait(5)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    assert [task for task in asyncio.all_tasks() if "_pump" in repr(task)] == []
