"""Binance's public data for bots: books kept from streamed diffs, and every trade. No key.

A book starts from a snapshot that is fetched once its diffs come in; after a gap it is fetched anew,
and until then the market has no quotes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import orjson

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import OrderBook
from amarktai.venues.exchanges.binance import VENUE
from amarktai.venues.exchanges.binance.market import BinanceMarket
from amarktai.venues.exchanges.binance.stream import DepthBook, MarketFrames, market_streams
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source
from amarktai.venues.market_history import MarketHistory
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan, fixed
from amarktai.venues.transport import decoding

STREAM_URL: Final = "wss://stream.binance.com:9443"
#: Levels a side that a book starts from.
SNAPSHOT_LEVELS: Final = 1_000


class BinanceFeed(LiveFeed):
    """Live public market data of Binance."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        market: BinanceMarket,
        parts: FeedParts,
        *,
        stream_url: str = STREAM_URL,
    ) -> None:
        super().__init__(VENUE, instruments, parts, MarketHistory(market, instruments))
        self._market = market
        symbols = [VENUE.venue_symbol(item.base, item.quote) for item in instruments]
        plan = SocketPlan(Platform.BINANCE, fixed(stream_url + market_streams(symbols)))
        self._socket = ReconnectingSocket(plan, parts.clock, parts.rng, parts.budget)
        self._markets = {
            symbol: MarketFrames(index, DepthBook(OrderBook(), self.dirty), self._rows, is_live=True)
            for index, symbol in enumerate(symbols)
        }
        self._snapshot_is_due = asyncio.Event()

    def sources(self) -> Sequence[Source]:
        return (self._listen, self._fetch_snapshots)

    async def disconnect(self) -> None:
        await self._market.close()

    async def _listen(self) -> None:
        async for message in self._socket.messages():
            if isinstance(message, Opened):
                for market in self._markets.values():
                    market.depth.reset()
            elif isinstance(message, Lost):
                self.note_problem(message.reason, message.retry_at_ts)
            else:
                await self._read(message)

    async def _read(self, frame: bytes) -> None:
        try:
            with decoding(Platform.BINANCE):
                message = orjson.loads(frame)
                data = message.get("data", message)
                if data["e"] == "serverShutdown":
                    raise Unavailable("VENUE_UNREACHABLE", "it is shutting down")
                market = self._markets[data["s"]]
                market.take(message["stream"], data, self._clock.now_ns())
        except Unavailable as problem:
            self.dirty.add("unreadable_frame")
            await self._socket.restart(f"Binance's stream cannot be followed: {problem}.")
            return
        if market.depth.is_wanted:
            self._snapshot_is_due.set()
        self.note_life()

    async def _fetch_snapshots(self) -> None:
        """Fetch the books whose diffs wait for one. A failure is tried again after a pause."""
        await self._snapshot_is_due.wait()
        for item, market in zip(self.instruments, self._markets.values(), strict=True):
            if market.depth.is_wanted:
                snapshot = await self._market.fetch_book(item, SNAPSHOT_LEVELS)
                market.take_snapshot(
                    {"bids": snapshot.bids, "asks": snapshot.asks, "lastUpdateId": snapshot.sequence},
                    self._clock.now_ns(),
                )
                self._ready.set()
        self._snapshot_is_due.clear()
