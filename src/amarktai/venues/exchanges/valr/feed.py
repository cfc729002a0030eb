"""VALR's public data for bots: quotes from streamed books, public trades, and polled prices in between.

Books are streamed as price levels; where VALR does not support that, order by order. A gap or a wrong
checksum starts the stream anew. Markets that the stream has said nothing of for half a minute (a quiet
one, or all of them while it is down) are asked for, all in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.ports.clock import to_ns
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.exchanges.valr import VENUE
from amarktai.venues.exchanges.valr.calls import STREAM_URL
from amarktai.venues.exchanges.valr.market import ValrMarket
from amarktai.venues.exchanges.valr.records import instant_ns
from amarktai.venues.exchanges.valr.stream import (
    FULL_BOOK,
    L1,
    NEW_TRADE,
    PING,
    BookBroken,
    LevelBook,
    OrderByOrderBook,
    subscribe,
    subscription,
)
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source
from amarktai.venues.market_history import MarketHistory
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan, fixed
from amarktai.venues.transport import decoding

#: A market is asked for once the stream has said nothing of it for so long.
QUIET_S: Final = 30.0


class ValrFeed(LiveFeed):
    """Live public market data of VALR, without a key."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        market: ValrMarket,
        parts: FeedParts,
        *,
        stream_url: str = STREAM_URL,
    ) -> None:
        super().__init__(VENUE, instruments, parts, MarketHistory(market, instruments))
        self._market = market
        plan = SocketPlan(Platform.VALR, fixed(f"{stream_url}/ws/trade"), ping=lambda: PING, silence_s=75.0)
        self._socket = ReconnectingSocket(plan, parts.clock, parts.rng, parts.budget)
        self._by_pair = {VENUE.venue_symbol(item.base, item.quote): item for item in instruments}
        self._levels: dict[str, LevelBook] = {}
        self._orders: dict[str, OrderByOrderBook] = {}
        self._heard_ts: dict[str, int] = {}

    def sources(self) -> Sequence[Source]:
        return (self._listen, self._ask_the_quiet)

    async def disconnect(self) -> None:
        await self._market.close()

    # -- the stream --------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for message in self._socket.messages():
            if isinstance(message, Opened):
                self._levels.clear()
                self._orders.clear()
                pairs = sorted(self._by_pair)
                await self._socket.send(subscribe(subscription(L1, pairs), subscription(NEW_TRADE, pairs)))
            elif isinstance(message, Lost):
                self.note_problem(message.reason, message.retry_at_ts)
            else:
                await self._read(message)

    async def _read(self, frame: bytes) -> None:
        try:
            with decoding(Platform.VALR):
                message = orjson.loads(frame)
                handle = self._handlers.get(message["type"])
                if handle is not None:
                    handle(self, message)
                    self.note_life()
                elif message["type"] == "UNSUPPORTED" and L1 in frame.decode():
                    await self._socket.send(subscribe(subscription(FULL_BOOK, sorted(self._by_pair))))
        except (BookBroken, Unavailable) as problem:
            self.dirty.add("book_broken")
            await self._socket.restart(f"VALR's stream cannot be followed: {problem}.")

    def _take_levels(self, message: Mapping[str, Any]) -> None:
        pair, data = str(message["ps"]), message["d"]
        book = self._levels.setdefault(pair, LevelBook())
        is_snapshot = message["type"] != L1
        (book.load if is_snapshot else book.apply)(data)
        # The last change in a snapshot may be old, the book as a whole is as of now.
        self._quote(pair, book, None if is_snapshot else int(data["lc"]) * NS_PER_MS)

    def _take_orders(self, message: Mapping[str, Any]) -> None:
        pair, data = str(message["currencyPairSymbol"]), message["data"]
        book = self._orders.setdefault(pair, OrderByOrderBook())
        is_snapshot = message["type"] != FULL_BOOK
        (book.load if is_snapshot else book.apply)(data)
        self._quote(pair, book, None if is_snapshot else int(data["LastChange"]) * NS_PER_MS)

    def _quote(self, pair: str, book: LevelBook | OrderByOrderBook, ts: int | None) -> None:
        instrument, top = self._by_pair.get(pair), book.quote()
        if instrument is None or top is None:
            return
        bid, ask, bid_size, ask_size = top
        self._heard_ts[instrument.symbol] = self._clock.now_ns()
        self.take_quote(instrument.symbol, (bid, ask), (bid_size, ask_size), ts)

    def _take_print(self, message: Mapping[str, Any]) -> None:
        """Pass a trade on. The stream gives trades no id in some samples; then time and size are one."""
        pair, data = str(message["currencyPairSymbol"]), message["data"]
        instrument = self._by_pair.get(pair)
        if instrument is None:
            return
        at = instant_ns(data["tradedAt"])
        trade_id = str(data.get("id") or f"{at}-{data['price']}-{data['quantity']}")
        taker = 1.0 if data["takerSide"] == "buy" else -1.0
        self.take_trade(instrument.symbol, trade_id, data["price"], data["quantity"], taker, at)

    _handlers: Final[dict[str, Callable[[ValrFeed, Mapping[str, Any]], None]]] = {
        "OB_L1_SNAPSHOT": _take_levels,
        L1: _take_levels,
        "FULL_ORDERBOOK_SNAPSHOT": _take_orders,
        FULL_BOOK: _take_orders,
        NEW_TRADE: _take_print,
    }

    # -- in between --------------------------------------------------------------------------------------

    async def _ask_the_quiet(self) -> None:
        """Ask for the markets that the stream is silent about, then wait until one could be again."""
        limit_ts = self._clock.now_ns() - round(QUIET_S * NS_PER_S)
        quiet = [item for item in self.instruments if self._heard_ts.get(item.symbol, 0) <= limit_ts]
        if quiet:
            for quote in await self._market.fetch_quotes(quiet):
                symbol = quote.instrument_id.partition(":")[2]
                self._heard_ts[symbol] = self._clock.now_ns()
                at = None if quote.at is None else to_ns(quote.at)
                self.take_quote(symbol, (quote.bid, quote.ask), (None, None), at)
            self.note_life()
        await self._clock.sleep(QUIET_S / 3)
