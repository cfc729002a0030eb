"""Markets: instruments with their feed and price, and stored bars with their gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.errors import InvalidInput, NotFound
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.ports.candles import DatasetInfo
from amarktai.ports.catalog import FeedRow
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import FeedState
from amarktai.services.markets import MarketService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, ETH_ZAR, World, trading

NOTES = {platform: f"{platform} is not connected" for platform in Platform}
HOUR = timeframe_ns("1h")
START = 1_700_000_000_000_000_000 // HOUR * HOUR


class MemoryCandles:
    """Bars in memory: the hours given, each closing at its own number."""

    def __init__(self, hours: list[int]) -> None:
        ts = START + np.array(hours, dtype=np.int64) * HOUR
        close = np.array(hours, dtype=np.float64) + 1
        self._bars = Bars("1h", ts, close, close, close, close, close)

    def load(
        self, instrument_id: str, timeframe: str, *, since_ts: int = 0, until_ts: int | None = None
    ) -> Bars:
        ts = self._bars.ts_open
        first = int(np.searchsorted(ts, since_ts))
        last = len(ts) if until_ts is None else int(np.searchsorted(ts, until_ts))
        return self._bars.slice(first, last)

    def append(self, instrument_id: str, bars: Bars, origin: Origin) -> int:
        raise AssertionError("reading must not write")

    def datasets(self) -> list[DatasetInfo]:
        ts = self._bars.ts_open
        gaps = int(ts[-1] - ts[0]) // HOUR + 1 - len(ts)
        return [DatasetInfo(BTC_ZAR.id, "1h", Origin.RECORDED, len(ts), int(ts[0]), int(ts[-1]), gaps)]


def service(world: World, hours: list[int] | None = None, *, sandbox: bool = True) -> MarketService:
    async def is_sandbox() -> bool:
        return sandbox

    candles = MemoryCandles(hours or [0])
    return MarketService(
        world.catalog, candles, world.clock, notes=NOTES, synthetic=made_up_bars, is_sandbox=is_sandbox
    )


async def made_up_bars(instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
    """Return ``count`` flat bars that end before ``before_ts``, like the sandbox's."""
    step = timeframe_ns(timeframe)
    ts = before_ts // step * step - np.arange(count, 0, -1, dtype=np.int64) * step
    ones = np.ones(count)
    return Bars(timeframe, ts, ones, ones, ones, ones, ones)


async def test_instruments_are_paged_with_feed_and_price(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        await world.catalog.put_instruments([BTC_ZAR, ETH_ZAR, BTC_USDT], Origin.LIVE, world.now)
        feed = FeedRow(Platform.LUNO, Origin.LIVE, FeedState.STALE, "quiet", world.now, None, 2)
        await world.catalog.put_feed(feed, world.now)
        await world.mark(BTC_ZAR, Decimal("1000000.5"))
        markets = service(world)
        first = await markets.instruments(platform=None, cursor=None, limit=2)
        rest = await markets.instruments(platform=None, cursor=first.next_cursor, limit=2)
        luno = await markets.instruments(platform=Platform.LUNO, cursor=None, limit=9)
        feeds = await markets.feeds()
        with pytest.raises(InvalidInput):
            await markets.instruments(platform=None, cursor="nonsense", limit=2)
    items = [*first.items, *rest.items]
    assert [item["id"] for item in items] == ["binance:BTC/USDT", "luno:BTC/ZAR", "luno:ETH/ZAR"]
    assert rest.next_cursor is None and [item["id"] for item in luno.items] == [BTC_ZAR.id, ETH_ZAR.id]
    assert items[0]["price"] is None and items[0]["feed"]["message"] == NOTES[Platform.BINANCE]
    assert items[1]["price"] == "1000000.5" and items[1]["feed"]["state"] == "stale"
    assert items[1]["maker_fee_percent"] == 0.1
    assert [(row["platform"], row["instruments"], row["age_s"]) for row in feeds] == [("luno", 2, 0.0)]


async def test_candles_reach_back_over_gaps_and_count_them(database_urls: DatabaseUrls) -> None:
    hours = [0, 1, 2, 500, 501, 503]
    async with trading(database_urls) as world:
        markets = service(world, hours)
        newest = await markets.candles(BTC_ZAR.id, timeframe="1h", until=None, limit=4)
        until = datetime.fromisoformat(newest["items"][0]["ts_open"])
        older = await markets.candles(BTC_ZAR.id, timeframe="1h", until=until, limit=4)
    assert [bar["close"] for bar in newest["items"]] == [3.0, 501.0, 502.0, 504.0]
    assert newest["gaps"] == 498 and newest["origin"] == "recorded"
    assert [bar["close"] for bar in older["items"]] == [1.0, 2.0] and older["gaps"] == 0
    assert older["items"][0]["ts_open"] == to_datetime(START).isoformat()


async def test_no_bars_is_an_empty_answer_and_no_market_an_error(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        await world.catalog.put_instruments([ETH_ZAR], Origin.LIVE, world.now)
        markets = service(world)
        empty = await markets.candles(ETH_ZAR.id, timeframe="1h", until=None, limit=10)
        before = await markets.candles(
            BTC_ZAR.id, timeframe="1h", until=datetime(2001, 1, 1, tzinfo=UTC), limit=10
        )
        with pytest.raises(NotFound):
            await markets.candles("luno:DOGE/ZAR", timeframe="1h", until=None, limit=10)
        with pytest.raises(InvalidInput):
            await markets.candles(BTC_ZAR.id, timeframe="7m", until=None, limit=10)
    assert empty["items"] == [] and empty["origin"] == "live"
    assert before["items"] == [] and before["gaps"] == 0


async def test_a_synthetic_market_gives_its_bars_without_a_store(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        await world.catalog.put_instruments([ETH_ZAR], Origin.SYNTHETIC, world.now)
        found = await service(world).candles(ETH_ZAR.id, timeframe="1m", until=None, limit=3)
        assert found["origin"] == "synthetic"
        assert found["gaps"] == 0
        assert len(found["items"]) == 3
        assert datetime.fromisoformat(found["items"][-1]["ts_open"]) < world.now


async def test_made_up_prices_of_a_stand_in_are_not_the_sandboxs(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        await world.catalog.put_instruments([ETH_ZAR], Origin.SYNTHETIC, world.now)
        found = await service(world, sandbox=False).candles(ETH_ZAR.id, timeframe="1m", until=None, limit=3)
        assert (found["origin"], found["items"]) == ("synthetic", [])
