"""The public feeds of VALR and OVEX against their twins: what bots see is what the exchange has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.instrument import Instrument
from amarktai.domain.market import EventKind, MarketBatch
from amarktai.ports.exchange import ExchangeMarket
from amarktai.ports.feed import FeedState
from amarktai.storage.candles import ParquetCandleStore
from amarktai.twins.server import RunningTwin
from amarktai.venues.budget import RequestBudget
from amarktai.venues.exchanges.ovex.feed import OvexFeed
from amarktai.venues.exchanges.ovex.market import open_market as open_ovex
from amarktai.venues.exchanges.valr.feed import ValrFeed
from amarktai.venues.exchanges.valr.market import open_market as open_valr
from amarktai.venues.live_feed import FeedParts, LiveFeed
from tests.contract.rigs import WEIGHT_A_MINUTE
from tests.fakes import HandClock, SeededRng

Top = tuple[float, float]


class Watched:
    """A feed whose latest quotes are kept, by symbol, with time going on."""

    def __init__(self, feed: LiveFeed, twin: RunningTwin, clock: HandClock) -> None:
        self.feed, self.twin, self.clock = feed, twin, clock
        self.quotes: dict[str, Top] = {}
        self.trades = 0

    async def watch(self) -> None:
        async for batch in self.feed.batches():
            self.take(batch)

    def take(self, batch: MarketBatch) -> None:
        for row in range(len(batch)):
            if batch.kind[row] == EventKind.QUOTE:
                symbol = self.feed.instruments[int(batch.instrument[row])].symbol
                self.quotes[symbol] = (float(batch.a[row]), float(batch.b[row]))
            else:
                self.trades += 1

    def top(self, pair: str) -> Top:
        """Return the best prices as the exchange has them."""
        book = self.twin.twin.exchange.books[pair]
        bid, ask = book.bids.best(), book.asks.best()
        assert bid is not None and ask is not None
        return float(bid.price), float(ask.price)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self.clock.advance(0.05)
                await asyncio.sleep(0.002)


Opener = Callable[[RunningTwin, RequestBudget, FeedParts, HandClock], LiveFeed]


@asynccontextmanager
async def watching(name: str, folder: Path, open_feed: Opener) -> AsyncIterator[Watched]:
    clock = HandClock()
    async with running_twin(name, accounts=[], clock=clock, turn_s=None, limits_rates=False) as twin:
        budget = RequestBudget(name, WEIGHT_A_MINUTE, clock)
        parts = FeedParts(budget, clock, SeededRng(), ParquetCandleStore(folder))
        watched = Watched(open_feed(twin, budget, parts, clock), twin, clock)
        task = asyncio.create_task(watched.watch())
        try:
            yield watched
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await watched.feed.close()


async def instruments_of(market: ExchangeMarket) -> list[Instrument]:
    return [item for item in await market.fetch_instruments() if item.quote == "ZAR"]


@pytest.fixture
async def valr(tmp_path: Path) -> AsyncIterator[Watched]:
    async with running_twin("valr", accounts=[], clock=HandClock(), turn_s=None) as probe:
        clock = HandClock()
        budget = RequestBudget("valr", WEIGHT_A_MINUTE, clock)
        market = open_valr(budget, budget, clock, base_url=probe.url)
        instruments = await instruments_of(market)
        await market.close()

    def open_feed(twin: RunningTwin, budget: RequestBudget, parts: FeedParts, clock: HandClock) -> LiveFeed:
        market = open_valr(budget, budget, clock, base_url=twin.url)
        return ValrFeed(instruments, market, parts, stream_url=twin.ws_url)

    async with watching("valr", tmp_path, open_feed) as watched:
        await watched.until(lambda: bool(watched.twin.twin.connections))
        yield watched


async def test_valrs_book_is_followed_change_by_change(valr: Watched) -> None:
    for _ in range(15):
        valr.twin.control.move_markets()
        await valr.until(lambda: valr.quotes.get("BTC/ZAR") == valr.top("BTCZAR"))
    assert valr.quotes["ETH/ZAR"] == valr.top("ETHZAR")
    assert "book_broken" not in valr.feed.dirty.counts
    assert valr.feed.status().state is FeedState.LIVE
    await valr.until(lambda: valr.trades > 0)


@pytest.mark.parametrize("fault", ["gap", "reorder", "close"])
async def test_a_stream_that_loses_something_is_followed_again(valr: Watched, fault: str) -> None:
    valr.twin.control.move_markets()
    await valr.until(lambda: valr.quotes.get("BTC/ZAR") == valr.top("BTCZAR"))
    valr.twin.control.arm(fault, "market_stream", skip=3)
    for _ in range(4):
        valr.twin.control.move_markets()
        await asyncio.sleep(0.01)
    await valr.until(lambda: valr.quotes["BTC/ZAR"] == valr.top("BTCZAR"))
    valr.twin.control.move_markets()
    await valr.until(lambda: valr.quotes["BTC/ZAR"] == valr.top("BTCZAR"))


async def test_ovex_is_asked_again_and_again(tmp_path: Path) -> None:
    async with running_twin("ovex", accounts=[], clock=HandClock(), turn_s=None) as probe:
        clock = HandClock()
        market = open_ovex(RequestBudget("ovex", WEIGHT_A_MINUTE, clock), clock, base_url=probe.url)
        instruments = await instruments_of(market)
        await market.close()

    def open_feed(twin: RunningTwin, budget: RequestBudget, parts: FeedParts, clock: HandClock) -> LiveFeed:
        market = open_ovex(budget, clock, base_url=twin.url)
        stand_in = open_valr(budget, budget, clock, base_url=twin.url)
        return OvexFeed(instruments, market, parts, stand_in)

    async with watching("ovex", tmp_path, open_feed) as ovex:
        await ovex.until(lambda: set(ovex.quotes) == {"BTC/ZAR", "ETH/ZAR", "USDT/ZAR"})
        before = dict(ovex.quotes)
        bid, ask = ovex.top("btczar")
        assert before["BTC/ZAR"][0] < bid < ask < before["BTC/ZAR"][1]
        ovex.twin.control.set_book(
            "btczar", {Decimal(2_000_000): Decimal(9)}, {Decimal(2_000_100): Decimal(9)}
        )
        await ovex.until(lambda: ovex.quotes["BTC/ZAR"][0] > 1_900_000)
        assert "indicative" in ovex.feed.status().message
