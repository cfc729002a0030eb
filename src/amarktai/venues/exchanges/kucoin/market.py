"""KuCoin's public side, spot. Source: specification of kucoin-universal-sdk, "Spot market"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from amarktai.domain.bar import TIMEFRAME_S
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.exchange import BookSnapshot, PublicTrade, Quote
from amarktai.venues.account_records import instant
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.ccxt_market import CcxtMarket
from amarktai.venues.exchanges.kucoin import VENUE
from amarktai.venues.exchanges.kucoin.account import BASE_URL
from amarktai.venues.exchanges.kucoin.errors import DIALECT, ban_seconds
from amarktai.venues.exchanges.kucoin.stream import stream_address
from amarktai.venues.market import check_found
from amarktai.venues.transport import Transport, decoding, exact

SYMBOLS: Final = Route("public", "GET", "symbols", weight=4)
TIMESTAMP: Final = Route("public", "GET", "timestamp", weight=3)
ALL_TICKERS: Final = Route("public", "GET", "market/allTickers", weight=15)
BOOK_20: Final = Route("public", "GET", "market/orderbook/level2_20", weight=2)
BOOK_100: Final = Route("public", "GET", "market/orderbook/level2_100", weight=2)
HISTORIES: Final = Route("public", "GET", "market/histories", weight=3)
BULLET: Final = Route("public", "POST", "bullet-public", weight=10)
CANDLES: Final = Route("public", "GET", "market/candles", weight=3)
_TYPES: Final = {
    "1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "1hour", "4h": "4hour", "1d": "1day",
}  # fmt: skip
_NS_PER_S: Final = 1_000_000_000


def open_market(budget: RequestBudget, clock: Clock, *, base_url: str = BASE_URL) -> KucoinMarket:
    """Return KuCoin's public side."""
    signer = CcxtSigner(VENUE, None, clock)
    transport = Transport(Platform.KUCOIN, base_url, budget, clock, sign=signer, ban_s=ban_seconds)
    return KucoinMarket(VENUE, CcxtCalls(transport, DIALECT), clock)


class KucoinMarket(CcxtMarket):
    """Implements ports.exchange.ExchangeMarket."""

    async def _market_rows(self) -> Sequence[Any]:
        body = await self._calls.read(SYMBOLS, priority=Priority.HISTORY)
        with decoding(self.platform):
            return list(body)

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return the best prices of these markets, from one call for all."""
        body = await self._calls.read(ALL_TICKERS, priority=Priority.QUOTE)
        with decoding(self.platform):
            at = instant(body["time"])
            rows = {str(row["symbol"]): row for row in body["ticker"]}
            found = []
            for item in instruments:
                row = rows.get(self._symbol(item))
                check_found(self._spec, item, row)
                assert row is not None
                sizes = (row.get("bestBidSize"), row.get("bestAskSize"))
                bid_size, ask_size = (None if size is None else exact(size) for size in sizes)
                last = None if row["last"] is None else exact(row["last"])
                found.append(
                    Quote(item.id, exact(row["buy"]), exact(row["sell"]), bid_size, ask_size, last, at)
                )
            return found

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot:
        """Return up to ``depth`` levels a side, at most 100: the whole book needs a key."""
        route = BOOK_20 if depth <= 20 else BOOK_100
        body = await self._calls.read(route, {"symbol": self._symbol(instrument)}, priority=Priority.QUOTE)
        with decoding(self.platform):
            bids, asks = (
                tuple((exact(price), exact(size)) for price, size in body[side][:depth])
                for side in ("bids", "asks")
            )
            return BookSnapshot(instrument.id, bids, asks, int(body["sequence"]), instant(body["time"]))

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        """Return the latest trades, oldest first; KuCoin gives at most 100."""
        params = {"symbol": self._symbol(instrument)}
        body = await self._calls.read(HISTORIES, params, priority=Priority.QUOTE)
        with decoding(self.platform):
            rows = sorted(body, key=lambda row: int(row["sequence"]))[-limit:]
            return [public_trade(instrument, row) for row in rows]

    async def _candle_rows(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> Sequence[Sequence[Any]]:
        since_s = since_ts // _NS_PER_S
        params = {
            "symbol": self._symbol(instrument),
            "type": _TYPES[timeframe],
            "startAt": str(since_s),
            "endAt": str(since_s + count * TIMEFRAME_S[timeframe]),
        }
        body = await self._calls.read(CANDLES, params, priority=Priority.HISTORY)
        with decoding(self.platform):
            return bars_rows(body)

    async def fetch_stream_address(self, connection_id: str) -> str:
        """Return where the public stream is now, with a token for one connection."""
        body = await self._calls.read(BULLET, priority=Priority.QUOTE)
        with decoding(self.platform):
            return stream_address(body, connection_id)

    async def _clock_ms(self) -> int | None:
        body = await self._calls.read(TIMESTAMP)
        with decoding(self.platform):
            return int(body)


def bars_rows(body: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return rows of (open time in ms, open, high, low, close, volume).

    KuCoin's order is time in seconds, open, close, high, low, volume.
    """
    return [[int(row[0]) * 1_000, row[1], row[3], row[4], row[2], row[5]] for row in body]


def public_trade(instrument: Instrument, row: Any) -> PublicTrade:
    """Return a trade of the market. Times are in nanoseconds."""
    return PublicTrade(
        instrument_id=instrument.id,
        trade_id=str(row["sequence"]),
        price=exact(row["price"]),
        quantity=exact(row["size"]),
        taker_side=Side(row["side"]),
        at=to_datetime(int(row["time"])),
    )
