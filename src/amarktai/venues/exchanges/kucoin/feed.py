"""KuCoin's public data for bots: books kept from streamed increments, and every match. No key.

A book starts from the 100 best levels a side, the most that KuCoin gives without a key; after a gap, and
once the market has moved beyond them, it is fetched anew, and until then the market has no quotes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import OrderBook
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.exchanges.kucoin import VENUE
from amarktai.venues.exchanges.kucoin.market import KucoinMarket
from amarktai.venues.exchanges.kucoin.stream import PING, Level2Book, market_trade, subscribe
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source
from amarktai.venues.market_history import MarketHistory
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan
from amarktai.venues.transport import decoding

SNAPSHOT_LEVELS: Final = 100
#: Symbols that one subscription may name.
SYMBOLS_A_TOPIC: Final = 100
LEVEL2: Final = "/market/level2"
MATCH: Final = "/market/match"


class KucoinFeed(LiveFeed):
    """Live public market data of KuCoin."""

    def __init__(self, instruments: Sequence[Instrument], market: KucoinMarket, parts: FeedParts) -> None:
        super().__init__(VENUE, instruments, parts, MarketHistory(market, instruments))
        self._market = market
        self._listed: list[str] = []

        async def address() -> str:
            # A symbol that KuCoin has dropped would refuse the others' subscription too.
            listed = {item.symbol for item in await market.fetch_instruments()}
            self._listed = [name for name, symbol in self._symbols.items() if symbol in listed]
            return await market.fetch_stream_address(parts.rng.bytes(8).hex())

        plan = SocketPlan(Platform.KUCOIN, address, ping=lambda: PING, ping_every_s=15.0, silence_s=45.0)
        self._socket = ReconnectingSocket(plan, parts.clock, parts.rng, parts.budget)
        self._books = {
            VENUE.venue_symbol(item.base, item.quote): Level2Book(OrderBook(), self.dirty)
            for item in instruments
        }
        self._symbols = dict(zip(self._books, (item.symbol for item in instruments), strict=True))
        self._snapshot_is_due = asyncio.Event()

    def sources(self) -> Sequence[Source]:
        return (self._listen, self._fetch_snapshots)

    async def disconnect(self) -> None:
        await self._market.close()

    async def _listen(self) -> None:
        async for message in self._socket.messages():
            if isinstance(message, Opened):
                for book in self._books.values():
                    book.reset()
            elif isinstance(message, Lost):
                self.note_problem(message.reason, message.retry_at_ts)
            else:
                await self._read(message)

    async def _read(self, frame: bytes) -> None:
        try:
            with decoding(Platform.KUCOIN):
                message = orjson.loads(frame)
                match message["type"]:
                    case "welcome":
                        await self._subscribe()
                    case "error":
                        raise Unavailable("VENUE_REFUSED", str(message.get("data")))
                    case "message":
                        self._take(message)
                        self.note_life()
                    case "pong" | "ack":
                        self.note_life()
        except Unavailable as problem:
            self.dirty.add("unreadable_frame")
            await self._socket.restart(f"KuCoin's stream cannot be followed: {problem}.")

    async def _subscribe(self) -> None:
        for first in range(0, len(self._listed), SYMBOLS_A_TOPIC):
            named = ",".join(self._listed[first : first + SYMBOLS_A_TOPIC])
            for topic in (LEVEL2, MATCH):
                await self._socket.send(subscribe(f"{topic}:{named}", is_private=False))

    def _take(self, message: Mapping[str, Any]) -> None:
        data, topic = message["data"], str(message["topic"])
        symbol = str(data["symbol"])
        if topic.startswith(MATCH):
            trade = market_trade(data)
            self.take_trade(
                self._symbols[symbol], trade.trade_id, trade.price, trade.quantity, trade.taker, trade.ts
            )
            return
        book = self._books[symbol]
        if book.apply(data, self._clock.now_ns()):
            self._quote(symbol, int(data["time"]) * NS_PER_MS)
        elif book.is_wanted:
            self._snapshot_is_due.set()

    def _quote(self, symbol: str, ts: int | None) -> None:
        top = self._books[symbol].top()
        if top is not None:
            self.take_quote(self._symbols[symbol], top[:2], top[2:], ts)

    async def _fetch_snapshots(self) -> None:
        """Fetch the books whose increments wait for one. A failure is tried again after a pause."""
        await self._snapshot_is_due.wait()
        for item, (symbol, book) in zip(self.instruments, self._books.items(), strict=True):
            if book.is_wanted:
                snapshot = await self._market.fetch_book(item, SNAPSHOT_LEVELS)
                content = {"bids": snapshot.bids, "asks": snapshot.asks, "sequence": snapshot.sequence}
                if book.load(content, self._clock.now_ns()):
                    self._quote(symbol, None)
                    self.note_life()
        self._snapshot_is_due.clear()
