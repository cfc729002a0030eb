"""Luno's market streams for bots: a book order by order and every trade, one connection a pair. With a key.

A sequence that does not rise by one, or a message that cannot be read, starts the pair's stream anew:
its first message is the whole book. Source: "Streaming API" of the Luno API 1.2.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import OrderBook
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.credentials import Credentials
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.exchanges.luno.account import STREAM_URL
from amarktai.venues.exchanges.luno.market import LunoMarket
from amarktai.venues.exchanges.luno.stream import MarketBook, SequenceBreak, greeting, is_keep_alive
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source
from amarktai.venues.market_history import MarketHistory
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan, fixed
from amarktai.venues.transport import decoding

#: What both sides have to send from time to time.
KEEP_ALIVE: Final = '""'


class LunoFeed(LiveFeed):
    """Live public market data of Luno, streamed to the owner of a key; candles too."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        market: LunoMarket,
        parts: FeedParts,
        credentials: Credentials,
        *,
        stream_url: str = STREAM_URL,
    ) -> None:
        super().__init__(VENUE, instruments, parts, MarketHistory(market, instruments))
        self._market = market
        self._credentials = credentials
        self._stream_url = stream_url

    def sources(self) -> Sequence[Source]:
        return [partial(self._listen, item) for item in self.instruments]

    async def disconnect(self) -> None:
        await self._market.close()

    async def _listen(self, instrument: Instrument) -> None:
        pair = VENUE.venue_symbol(instrument.base, instrument.quote)
        plan = SocketPlan(
            Platform.LUNO,
            fixed(f"{self._stream_url}/stream/{pair}"),
            ping=lambda: KEEP_ALIVE,
            ping_every_s=20.0,
        )
        socket = ReconnectingSocket(plan, self._clock, self._rng, self._budget)
        book = MarketBook(OrderBook(), self.dirty)
        async for message in socket.messages():
            if isinstance(message, Opened):
                book = MarketBook(OrderBook(), self.dirty)
                await socket.send(greeting(self._credentials))
            elif isinstance(message, Lost):
                self.note_problem(message.reason, message.retry_at_ts)
            elif not is_keep_alive(message):
                try:
                    with decoding(Platform.LUNO):
                        self._take(instrument, book, message)
                except (SequenceBreak, Unavailable) as problem:
                    await socket.restart(f"Luno's stream cannot be followed: {problem}.")

    def _take(self, instrument: Instrument, book: MarketBook, frame: bytes) -> None:
        message = orjson.loads(frame)
        ts = int(message["timestamp"]) * NS_PER_MS
        for trade in book.apply(message, ts):
            self.take_trade(instrument.symbol, trade.trade_id, trade.price, trade.quantity, trade.taker, ts)
        top = book.top()
        if top is not None:
            self.take_quote(instrument.symbol, top[:2], top[2:], ts)
        self.note_life()
