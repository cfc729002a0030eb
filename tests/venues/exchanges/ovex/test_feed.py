"""OVEX's market and feed: indicative quotes, their pace, and a stand-in where a key is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Forbidden, InvalidInput
from amarktai.domain.market import MarketBatch
from amarktai.ports.feed import FeedState
from amarktai.storage.candles import ParquetCandleStore
from amarktai.venues.exchanges.ovex import VENUE, parse_market
from amarktai.venues.exchanges.ovex.calls import OvexCalls
from amarktai.venues.exchanges.ovex.feed import OvexFeed
from amarktai.venues.exchanges.ovex.market import OvexMarket
from amarktai.venues.exchanges.valr import VENUE as VALR
from amarktai.venues.exchanges.valr.calls import ValrCalls
from amarktai.venues.exchanges.valr.market import ValrMarket
from amarktai.venues.live_feed import FeedParts
from tests.fakes import SeededRng
from tests.venues.exchanges.ovex.desk import Desk

BTCZAR = VENUE.instrument("BTC/ZAR")
MARKET = {
    "id": "btczar", "name": "BTC/ZAR", "base_currency": "btc", "quote_currency": "zar",
    "base_precision": 8, "quote_precision": 2, "rfq_enabled": True, "indicative_pricing": False,
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def market(desk: Desk) -> OvexMarket:
    return OvexMarket(OvexCalls(desk.transport(VENUE.platform)))


async def test_markets_are_those_that_are_quoted(desk: Desk, market: OvexMarket) -> None:
    desk.on("GET /api/v2/markets", 200, [MARKET, MARKET | {"id": "x", "rfq_enabled": False}])
    (found,) = await market.fetch_instruments()
    assert found.id == "ovex:BTC/ZAR"
    assert (found.tick_size, found.lot_size) == (Decimal("0.01"), Decimal("0.00000001"))
    assert parse_market(MARKET | {"rfq_enabled": False}) is None


async def test_a_quote_is_indicative_and_for_a_stated_amount(desk: Desk, market: OvexMarket) -> None:
    (quote,) = await market.fetch_quotes([BTCZAR])
    assert quote.is_indicative
    assert round(quote.bid, 8) == desk.bid
    assert round(quote.ask, 8) == desk.ask
    assert quote.bid_quantity == quote.ask_quantity
    buy, sell = (item.url.params for item in desk.requests)
    assert (buy["side"], buy["from_amount"]) == ("buy", "10000")
    assert sell["side"] == "sell"
    assert not any("authorization" in item.headers for item in desk.requests)


async def test_what_a_desk_lacks_is_said(market: OvexMarket) -> None:
    for call in (
        market.fetch_book(BTCZAR, 5),
        market.fetch_trades(BTCZAR, 5),
        market.fetch_bars(BTCZAR, "1h", 0, 5),
    ):
        with pytest.raises(InvalidInput, match="OVEX is a desk"):
            await call
    assert await market.fetch_clock_offset_ns() is None


async def test_a_desk_that_wants_a_key_says_so(desk: Desk, market: OvexMarket) -> None:
    desk.on("GET /api/v2/rfq/get_quote", 401, {"error": "key"})
    with pytest.raises(Forbidden):
        await market.fetch_quotes([BTCZAR])


class Live:
    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        parts = FeedParts(desk.budget, desk.clock, SeededRng(), ParquetCandleStore(folder))
        market = OvexMarket(OvexCalls(desk.transport(VENUE.platform)))
        calls = [ValrCalls(desk.transport(VALR.platform)) for _ in range(2)]
        stand_in = ValrMarket(calls[0], calls[1], desk.clock)
        self.feed = OvexFeed([BTCZAR], market, parts, stand_in)
        self.stream = self.feed.batches()

    async def next(self) -> MarketBatch:
        waiting = asyncio.ensure_future(anext(self.stream))
        async with asyncio.timeout(10):
            while not waiting.done():
                self.desk.clock.advance(0.25)
                await asyncio.sleep(0.001)
        return waiting.result()


@pytest.fixture
async def live(desk: Desk, tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(desk, tmp_path)
    yield live
    await live.feed.close()


async def test_quotes_come_every_ten_seconds(live: Live) -> None:
    first = await live.next()
    assert round(float(first.a[0])) == live.desk.bid
    assert first.c[0] == first.d[0] > 0
    assert "indicative" in live.feed.status().message
    live.desk.ask += 1
    second = await live.next()
    assert 9 <= (second.received_ts[0] - first.received_ts[0]) / NS_PER_S <= 12
    assert len(live.desk.requests) == 4


async def test_a_silent_desk_is_said(live: Live) -> None:
    live.desk.on("GET /api/v2/rfq/get_quote", 503, {})
    waiting = asyncio.ensure_future(anext(live.stream))
    async with asyncio.timeout(10):
        while live.feed.status().state is not FeedState.UNREACHABLE:
            live.desk.clock.advance(0.5)
            await asyncio.sleep(0.001)
    assert "HTTP 503" in live.feed.status().message
    waiting.cancel()


async def test_where_a_key_is_wanted_another_exchange_stands_in_and_it_is_said(live: Live) -> None:
    live.desk.on("GET /api/v2/rfq/get_quote", 401, {"error": "key"})
    pair = {
        "symbol": "BTCZAR", "baseCurrency": "BTC", "quoteCurrency": "ZAR", "active": True,
        "minBaseAmount": "0.0002", "minQuoteAmount": "10", "tickSize": "1", "baseDecimalPlaces": "8",
        "currencyPairType": "SPOT",
    }  # fmt: skip
    live.desk.on("GET /v1/public/pairs/SPOT", 200, [pair])
    live.desk.on("GET /v1/public/ordertypes", 200, [{"currencyPair": "BTCZAR", "orderTypes": ["LIMIT"]}])
    summary = {
        "currencyPair": "BTCZAR", "bidPrice": "5", "askPrice": "6", "lastTradedPrice": "5",
        "created": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    live.desk.on("GET /v1/public/marketsummary", 200, [summary])
    batch = await live.next()
    assert (batch.a[0], batch.b[0]) == (5.0, 6.0)
    message = live.feed.status().message
    assert "only to accounts with a key" in message
    assert "VALR" in message
