"""Luno's public data for bots: its tickers, polled; to the owner of a key its streams, and candles.

A market's stream carries its book order by order, and every trade, on a connection of its own. A
sequence that does not rise by one, or a message that cannot be read, starts it anew: its first message
is the whole book. Source: "Streaming API" of the Luno API 1.2.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import OrderBook
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_ns
from amarktai.venues.account_records import NS_PER_MS
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


#: How often the tickers are asked for, one call for all.
POLL_S: Final = 2.0


class LunoFeed(LiveFeed):
    """Live public market data of Luno; streamed where there is a key."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        market: LunoMarket,
        parts: FeedParts,
        credentials: Credentials | None = None,
        *,
        stream_url: str = STREAM_URL,
    ) -> None:
        history = None if credentials is None else MarketHistory(market, instruments)
        super().__init__(VENUE, instruments, parts, history)
        self._market = market
        self._credentials = credentials
        self._stream_url = stream_url

    @property
    def live_message(self) -> str:
        if self._credentials is not None:
            return super().live_message
        return (
            f"{self._name} prices are polled every {POLL_S:.0f} s, without sizes. Its stream, trades and "
            "candles need a key, and a user's key serves that user's account only."
        )

    def sources(self) -> Sequence[Source]:
        if self._credentials is None:
            return (self._poll,)
        return [partial(self._listen, item, self._credentials) for item in self.instruments]

    async def disconnect(self) -> None:
        await self._market.close()

    async def _poll(self) -> None:
        for quote in await self._market.fetch_listed_quotes(self.instruments):
            at = None if quote.at is None else to_ns(quote.at)
            symbol = quote.instrument_id.partition(":")[2]
            self.take_quote(symbol, (quote.bid, quote.ask), (None, None), at)
        self.note_life()
        await self._clock.sleep(POLL_S)

    async def _listen(self, instrument: Instrument, credentials: Credentials) -> None:
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
                await socket.send(greeting(credentials))
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
