"""VALR's feed against a real WebSocket server and the market's answers, with time moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.market import EventKind, MarketBatch
from amarktai.ports.feed import FeedState
from amarktai.storage.candles import ParquetCandleStore
from amarktai.venues.exchanges.valr import VENUE
from amarktai.venues.exchanges.valr.calls import ValrCalls
from amarktai.venues.exchanges.valr.feed import ValrFeed
from amarktai.venues.exchanges.valr.market import ValrMarket
from amarktai.venues.live_feed import FeedParts
from tests.fakes import HandClock, SeededRng
from tests.venues.exchanges.answers import Answers
from tests.venues.exchanges.valr.test_stream import ASKS, BIDS, snapshot

INSTRUMENTS = (VENUE.instrument("BTC/ZAR"), VENUE.instrument("ETH/ZAR"))


@dataclass
class Valr:
    """The exchange: its stream on loopback, its routes behind httpx."""

    answers: Answers = field(default_factory=Answers)
    connections: list[ServerConnection] = field(default_factory=list)
    heard: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    address: str = ""

    @property
    def clock(self) -> HandClock:
        return self.answers.clock

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        async for frame in connection:
            self.heard.put_nowait(orjson.loads(frame))

    async def send(self, message: Any) -> None:
        await self.connections[-1].send(orjson.dumps(message).decode())

    def tell_prices(self, bid: str, ask: str) -> None:
        at = datetime.fromtimestamp(self.clock.now_ns() / NS_PER_S, UTC)
        row = {
            "bidPrice": bid, "askPrice": ask, "lastTradedPrice": bid,
            "created": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        }  # fmt: skip
        rows = [row | {"currencyPair": pair} for pair in ("BTCZAR", "ETHZAR")]
        self.answers.on("GET /v1/public/marketsummary", 200, rows)


@pytest.fixture
async def valr() -> AsyncIterator[Valr]:
    valr = Valr()
    async with serve(valr.serve, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        valr.address = f"ws://{host}:{port}"
        yield valr


class Live:
    def __init__(self, valr: Valr, folder: Path) -> None:
        self.valr = valr
        calls = [ValrCalls(valr.answers.transport(VENUE.platform)) for _ in range(2)]
        parts = FeedParts(valr.answers.budget, valr.clock, SeededRng(), ParquetCandleStore(folder))
        market = ValrMarket(calls[0], calls[1], valr.clock)
        self.feed = ValrFeed(INSTRUMENTS, market, parts, stream_url=valr.address)
        self.stream = self.feed.batches()

    async def next(self) -> MarketBatch:
        """Return the next batch, with time going on."""
        waiting = asyncio.ensure_future(anext(self.stream))
        async with asyncio.timeout(10):
            while not waiting.done():
                self.valr.clock.advance(0.1)
                await asyncio.sleep(0.002)
        return waiting.result()


@pytest.fixture
async def live(valr: Valr, tmp_path: Path) -> AsyncIterator[Live]:
    valr.tell_prices("100", "101")
    live = Live(valr, tmp_path)
    yield live
    await live.feed.close()


async def connected(live: Live) -> Any:
    """Return the subscription that the feed sends; its polled quotes have come before."""
    waiting = asyncio.ensure_future(live.next())
    subscription = await asyncio.wait_for(live.valr.heard.get(), 10)
    await waiting
    return subscription


async def test_it_subscribes_to_books_and_trades_and_polls_meanwhile(live: Live) -> None:
    assert live.feed.status().state is FeedState.CONNECTING
    subscription = await connected(live)
    assert subscription == {
        "type": "SUBSCRIBE",
        "subscriptions": [
            {"event": "OB_L1_DIFF", "pairs": ["BTCZAR", "ETHZAR"]},
            {"event": "NEW_TRADE", "pairs": ["BTCZAR", "ETHZAR"]},
        ],
    }
    assert live.feed.status().state is FeedState.LIVE


async def test_quotes_come_from_the_book(live: Live) -> None:
    await connected(live)
    await live.valr.send({"type": "OB_L1_SNAPSHOT", "ps": "BTCZAR", "d": snapshot(BIDS, ASKS, 10)})
    batch = await live.next()
    assert batch.kind.tolist() == [EventKind.QUOTE]
    assert (batch.a[0], batch.b[0], batch.c[0], batch.d[0]) == (45362.0, 45363.0, 0.5, 0.00102078)
    asks = {"46126": "2"}
    change = snapshot(BIDS, asks, 11) | {"a": [["45363", "0"]], "b": []}
    change["lc"] = live.valr.clock.now_ns() // 1_000_000
    await live.valr.send({"type": "OB_L1_DIFF", "ps": "BTCZAR", "d": change})
    batch = await live.next()
    assert (batch.a[0], batch.b[0]) == (45362.0, 46126.0)
    assert batch.ts[0] == change["lc"] * 1_000_000


async def test_trades_come_once(live: Live) -> None:
    await connected(live)
    trade = {
        "price": "9500", "quantity": "0.001", "currencyPair": "ETHZAR",
        "tradedAt": "2026-01-01T00:00:00.393Z", "takerSide": "sell",
    }  # fmt: skip
    for _ in range(2):
        await live.valr.send({"type": "NEW_TRADE", "currencyPairSymbol": "ETHZAR", "data": trade})
    await live.valr.send({"type": "NEW_TRADE", "currencyPairSymbol": "XRPZAR", "data": trade})
    batch = await live.next()
    assert batch.kind.tolist() == [EventKind.TRADE]
    assert (batch.instrument[0], batch.a[0], batch.b[0], batch.c[0]) == (1, 9500.0, 0.001, -1.0)


async def test_a_gap_starts_the_stream_anew(live: Live) -> None:
    await connected(live)
    await live.valr.send({"type": "OB_L1_SNAPSHOT", "ps": "BTCZAR", "d": snapshot(BIDS, ASKS, 10)})
    await live.next()
    late = snapshot(BIDS, ASKS, 12) | {"a": [], "b": []}
    await live.valr.send({"type": "OB_L1_DIFF", "ps": "BTCZAR", "d": late})
    waiting = asyncio.ensure_future(live.next())
    assert (await asyncio.wait_for(live.valr.heard.get(), 10))["type"] == "SUBSCRIBE"
    assert len(live.valr.connections) == 2
    assert live.feed.dirty.counts["book_broken"] == 1
    await live.valr.send({"type": "OB_L1_SNAPSHOT", "ps": "BTCZAR", "d": snapshot(BIDS, ASKS, 40)})
    await waiting


async def test_where_levels_are_not_supported_the_book_comes_order_by_order(live: Live) -> None:
    await connected(live)
    await live.valr.send({"type": "UNSUPPORTED", "message": "OB_L1_DIFF"})
    waiting = asyncio.ensure_future(live.next())
    message = await asyncio.wait_for(live.valr.heard.get(), 10)
    assert message["subscriptions"] == [{"event": "FULL_ORDERBOOK_UPDATE", "pairs": ["BTCZAR", "ETHZAR"]}]
    book = {
        "LastChange": 1644303209930, "SequenceNumber": 5,
        "Bids": [{"Price": "10", "Orders": [{"orderId": "b", "quantity": "1"}]}],
        "Asks": [{"Price": "11", "Orders": [{"orderId": "a", "quantity": "2"}]}],
    }  # fmt: skip
    await live.valr.send({"type": "FULL_ORDERBOOK_SNAPSHOT", "currencyPairSymbol": "ETHZAR", "data": book})
    batch = await waiting
    assert (batch.instrument[0], batch.a[0], batch.b[0]) == (1, 10.0, 11.0)


async def test_a_quiet_market_is_asked_for_every_half_minute(live: Live) -> None:
    await connected(live)
    live.valr.answers.requests.clear()
    started_ts = live.valr.clock.now_ns()
    waiting = asyncio.ensure_future(anext(live.stream))
    async with asyncio.timeout(10):
        while not waiting.done():
            live.valr.tell_prices("102", "103")
            live.valr.clock.advance(0.5)
            await asyncio.sleep(0.002)
    assert waiting.result().a.tolist() == [102.0, 102.0]
    assert len(live.valr.answers.requests) == 1
    assert 30 <= (live.valr.clock.now_ns() - started_ts) / NS_PER_S <= 45


async def test_an_exchange_that_is_gone_is_said(live: Live) -> None:
    live.valr.answers.on("GET /v1/public/marketsummary", 503, {})
    waiting = asyncio.ensure_future(anext(live.stream))
    async with asyncio.timeout(10):
        while live.feed.status().state is not FeedState.UNREACHABLE:
            live.valr.clock.advance(0.1)
            await asyncio.sleep(0.002)
    assert "HTTP 503" in live.feed.status().message
    waiting.cancel()


async def test_warm_up_bars_come_from_its_candles(live: Live) -> None:
    live.valr.answers.on("GET /v1/public/BTCZAR/buckets", 200, [])
    bars = await live.feed.fetch_bars(INSTRUMENTS[0], "1h", 5, live.valr.clock.now_ns())
    assert len(bars) == 0
    (request,) = live.valr.answers.sent("GET /v1/public/BTCZAR/buckets")
    assert request.url.params["periodSeconds"] == "3600"
