"""The live feed on a fake exchange: what it passes on, what it refuses, and how it speaks of trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import EventKind, MarketBatch
from amarktai.ports.feed import FeedState
from amarktai.storage.candles import ParquetCandleStore
from amarktai.venues.budget import RequestBudget
from amarktai.venues.ccxt_feed import CcxtFeed
from amarktai.venues.live_feed import MAX_AGE_S, FeedParts
from amarktai.venues.spec import load_specs
from tests.bars import HOUR, make_bars
from tests.fakes import HandClock, SeededRng
from tests.venues.test_ccxt_venue import FakeExchange, candle

SPECS = load_specs()
NOW = 100 * HOUR
SYMBOLS = {Platform.BINANCE: "BTC/USDT", Platform.KUCOIN: "BTC/USDT", Platform.LUNO: "BTC/ZAR"}


class Live:
    """A feed of one platform on a fake exchange, with time moved by hand."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.clock = HandClock(NOW)
        self.exchange = FakeExchange()
        self.exchange.markets = {SYMBOLS[platform]: {}}
        self.spec = SPECS[platform]
        self.symbol = SYMBOLS[platform]
        self.instrument = self.spec.instrument(self.symbol)
        self.candles = ParquetCandleStore(folder)
        self.budget = RequestBudget(platform, self.spec.requests_per_minute, self.clock)
        parts = FeedParts(self.budget, self.clock, SeededRng(), self.candles)
        self.feed = CcxtFeed(self.spec, [self.instrument], self.exchange, parts)
        self.stream: AsyncIterator[MarketBatch] = self.feed.batches()

    def quote(self, bid: float | None, ask: float | None, *, ts: int | None = NOW, **more: Any) -> None:
        """Let the exchange send a quote; ``ts`` in ns."""
        told = None if ts is None else ts // 1_000_000
        ticker = {"symbol": self.symbol, "bid": bid, "ask": ask, "timestamp": told} | more
        self.exchange.quotes.put_nowait({self.symbol: ticker})

    async def next(self) -> MarketBatch:
        return await asyncio.wait_for(anext(self.stream), 10)

    async def settle(self, seconds: float = 0) -> None:
        """Let all tasks run as far as they can, with time moved on."""
        self.clock.advance(seconds)
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture(params=[Platform.BINANCE, Platform.KUCOIN, Platform.LUNO])
async def live(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(request.param, tmp_path)
    yield live
    await live.feed.close()


@pytest.fixture
async def binance(tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(Platform.BINANCE, tmp_path)
    yield live
    await live.feed.close()


async def test_quotes_come_with_both_times(live: Live) -> None:
    assert live.feed.status().state is FeedState.CONNECTING
    live.quote(100.0, 101.0, ts=NOW - 5 * NS_PER_S, bidVolume=3.0, askVolume=None)
    batch = await live.next()
    assert batch.kind.tolist() == [EventKind.QUOTE]
    assert (batch.a[0], batch.b[0], batch.c[0], batch.d[0]) == (100, 101, 3, 0)
    assert (batch.ts[0], batch.received_ts[0]) == (NOW - 5 * NS_PER_S, NOW)
    assert live.feed.origin is Origin.LIVE
    assert live.feed.status().state is FeedState.LIVE
    assert live.feed.status().last_received_ts == NOW


async def test_a_quote_without_a_time_has_that_of_its_arrival(binance: Live) -> None:
    binance.quote(100.0, 101.0, ts=None)
    assert (await binance.next()).ts.tolist() == [NOW]


async def test_what_must_not_be_traded_on_is_refused_and_counted(binance: Live) -> None:
    binance.quote(100.0, 101.0)
    await binance.next()
    for bid, ask in ((float("nan"), 101.0), (None, 101.0), (0.0, 101.0), (1.0, -1.0), (102.0, 101.0)):
        binance.quote(bid, ask)
    binance.quote(100.0, 101.0)
    binance.quote(99.0, 101.0, ts=NOW - 1_000_000)
    binance.quote(99.0, 101.0, ts=NOW - round(MAX_AGE_S + 1) * NS_PER_S)
    binance.quote(99.0, 101.0)
    batch = await binance.next()
    assert batch.a.tolist() == [99.0]
    assert binance.feed.dirty.counts == {
        "nan": 2,
        "bid_not_positive": 1,
        "ask_not_positive": 1,
        "crossed": 1,
        "repeated": 1,
        "time_backwards": 1,
        "stale": 1,
    }


async def test_trades_come_once(binance: Live) -> None:
    trade = {
        "symbol": "BTC/USDT",
        "id": "7",
        "price": 100.0,
        "amount": 2.0,
        "side": "sell",
        "timestamp": None,
    }
    binance.exchange.trades.put_nowait(
        [trade, trade, trade | {"id": "8", "price": float("nan")}, trade | {"symbol": "X/Y"}]
    )
    batch = await binance.next()
    assert batch.kind.tolist() == [EventKind.TRADE]
    assert (batch.a[0], batch.b[0], batch.c[0]) == (100, 2, -1)
    assert binance.feed.dirty.counts == {"repeated_trade": 1, "trade_not_positive": 1}


async def test_trouble_is_said_in_a_sentence_and_tried_again_less_and_less_often(live: Live) -> None:
    live.exchange.failure = ccxt.NetworkError("getaddrinfo failed")
    waiting = asyncio.create_task(live.next())
    pauses = []
    for _ in range(9):
        await live.settle()
        status = live.feed.status()
        assert status.state is FeedState.UNREACHABLE
        assert status.retry_at_ts is not None
        assert "cannot be reached. Next try at" in status.message
        pauses.append((status.retry_at_ts - live.clock.now_ns()) / NS_PER_S)
        await live.settle(pauses[-1] + 0.001)
    assert all(0.5 * 2**n <= pause <= 1.5 * 2**n for n, pause in enumerate(pauses[:6]))
    assert all(30 <= pause <= 90 for pause in pauses[6:])
    live.exchange.failure = None
    live.quote(100.0, 101.0, ts=None)
    await live.settle(91)
    assert len(await waiting) == 1
    assert live.feed.status().state is FeedState.LIVE


async def test_silence_becomes_stale_and_then_a_new_connection(binance: Live) -> None:
    binance.quote(100.0, 101.0)
    await binance.next()
    waiting = asyncio.create_task(binance.next())
    await binance.settle(MAX_AGE_S - 1)
    assert binance.feed.status().state is FeedState.LIVE
    await binance.settle(1.5)
    status = binance.feed.status()
    assert status.state is FeedState.UNREACHABLE
    assert "sent nothing for 60 s" in status.message
    binance.quote(100.0, 102.0, ts=None)
    await binance.settle(2)
    assert (await waiting).b.tolist() == [102.0]
    assert binance.feed.status().state is FeedState.LIVE


async def test_a_quiet_moment_without_trouble_is_stale(binance: Live) -> None:
    binance.quote(100.0, 101.0)
    await binance.next()
    binance.clock.advance(MAX_AGE_S + 30)
    status = binance.feed.status()
    assert status.state is FeedState.STALE
    assert "90 s old" in status.message


async def test_a_market_that_the_exchange_dropped_does_not_cost_the_others(tmp_path: Path) -> None:
    live = Live(Platform.LUNO, tmp_path)
    parts = FeedParts(live.budget, live.clock, SeededRng(), live.candles)
    feed = CcxtFeed(live.spec, live.spec.instruments, live.exchange, parts)
    live.stream = feed.batches()
    live.quote(100.0, 101.0)
    assert len(await live.next()) == 1
    assert live.exchange.watched == ["BTC/ZAR"]
    live.exchange.markets = {}
    waiting = asyncio.create_task(live.next())
    await live.settle(2.1)
    await live.settle(MAX_AGE_S + 1)
    assert "does not have that market" in feed.status().message
    waiting.cancel()
    await feed.close()


async def test_a_ban_stops_the_polling(tmp_path: Path) -> None:
    live = Live(Platform.LUNO, tmp_path)
    live.exchange.last_response_headers = {"retry-after": "300"}
    live.exchange.quotes.put_nowait(ccxt.DDoSProtection("luno 429"))
    waiting = asyncio.create_task(live.next())
    await live.settle()
    assert live.budget.banned_until_ts == NOW + 300 * NS_PER_S
    assert live.feed.status().retry_at_ts == NOW + 300 * NS_PER_S
    live.quote(100.0, 101.0, ts=None)
    await live.settle(10)
    assert not waiting.done()
    for _ in range(4):
        await live.settle(100)
    assert len(await waiting) == 1
    await live.feed.close()


async def test_a_defect_of_ours_is_not_hidden(binance: Live) -> None:
    binance.quote(100.0, 101.0, ts=NOW)
    binance.exchange.quotes.put_nowait({"BTC/USDT": {"symbol": "BTC/USDT", "bid": "many", "ask": 1.0}})
    with pytest.raises(ValueError, match="many"):
        while True:
            await binance.next()


class TestWarmUp:
    async def test_bars_come_from_the_exchange(self, binance: Live) -> None:
        binance.exchange.candles = [candle(hour) for hour in range(90, 101)]
        bars = await binance.feed.fetch_bars(binance.instrument, "1h", 3, NOW)
        assert bars.ts_open.tolist() == [97 * HOUR, 98 * HOUR, 99 * HOUR]

    async def test_stored_bars_serve_while_the_exchange_does_not(self, binance: Live) -> None:
        binance.candles.append("binance:BTC/USDT", make_bars(90, [1, 2, 3]), Origin.RECORDED)
        binance.exchange.failure = ccxt.ExchangeNotAvailable("down")
        bars = await binance.feed.fetch_bars(binance.instrument, "1h", 2, NOW)
        assert bars.close.tolist() == [2, 3]
        assert "not available" in binance.feed.status().message

    async def test_luno_gives_what_was_recorded(self, tmp_path: Path) -> None:
        live = Live(Platform.LUNO, tmp_path)
        live.candles.append("luno:BTC/ZAR", make_bars(90, [1, 2, 3]), Origin.RECORDED)
        assert len(await live.feed.fetch_bars(live.instrument, "1h", 9, NOW)) == 3
        assert len(await live.feed.fetch_bars(live.instrument, "1m", 9, NOW)) == 0
        minutes = make_bars(99, range(1, 61), "1m")
        live.candles.append("luno:BTC/ZAR", minutes, Origin.RECORDED)
        quarters = await live.feed.fetch_bars(live.instrument, "15m", 9, NOW)
        assert quarters.close.tolist() == [15, 30, 45, 60]
        assert live.exchange.asked == []
        await live.feed.close()


async def test_closing_ends_the_stream_and_the_connections(binance: Live) -> None:
    binance.quote(100.0, 101.0)
    await binance.next()
    await binance.feed.close()
    assert binance.exchange.is_closed
    assert [batch async for batch in binance.stream] == []
    assert binance.feed.status().state is FeedState.ENDED
