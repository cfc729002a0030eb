"""Binance's public side, spot. Source: Binance spot API documents, "Market Data endpoints"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import BookSnapshot, PublicTrade, Quote
from amarktai.venues.account_records import NS_PER_MS, instant
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.ccxt_market import CcxtMarket
from amarktai.venues.exchanges.binance import VENUE
from amarktai.venues.exchanges.binance.account import BASE_URL
from amarktai.venues.exchanges.binance.errors import DIALECT
from amarktai.venues.market import check_found
from amarktai.venues.transport import Transport, decoding, exact

EXCHANGE_INFO: Final = Route("public", "GET", "exchangeInfo", weight=20)
TIME: Final = Route("public", "GET", "time")
BOOK_TICKER: Final = Route("public", "GET", "ticker/bookTicker", weight=4)
DEPTH: Final = Route("public", "GET", "depth", weight=5)
TRADES: Final = Route("public", "GET", "trades", weight=25)
KLINES: Final = Route("public", "GET", "klines", weight=2)
#: Depth: (levels at most, weight).
_DEPTH_WEIGHTS: Final = ((100, 5.0), (500, 25.0), (1_000, 50.0), (5_000, 250.0))
_TRADES_AT_MOST: Final = 1_000


def open_market(budget: RequestBudget, clock: Clock, *, base_url: str = BASE_URL) -> BinanceMarket:
    """Return Binance's public side."""
    signer = CcxtSigner(VENUE, None, clock)
    return BinanceMarket(
        VENUE, CcxtCalls(Transport(Platform.BINANCE, base_url, budget, clock, sign=signer), DIALECT), clock
    )


class BinanceMarket(CcxtMarket):
    """Implements ports.exchange.ExchangeMarket."""

    async def _market_rows(self) -> Sequence[Any]:
        body = await self._calls.read(EXCHANGE_INFO, priority=Priority.HISTORY)
        with decoding(self.platform):
            return list(body["symbols"])

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return the best prices of these markets, from one call; Binance tells no time with them."""
        if not instruments:
            return []
        symbols = orjson.dumps([self._symbol(item) for item in instruments]).decode()
        body = await self._calls.read(BOOK_TICKER, {"symbols": symbols}, priority=Priority.QUOTE)
        with decoding(self.platform):
            rows = {str(row["symbol"]): row for row in body}
            return [self._quote(item, rows.get(self._symbol(item))) for item in instruments]

    def _quote(self, instrument: Instrument, row: Any) -> Quote:
        check_found(self._spec, instrument, row)
        return Quote(
            instrument.id,
            exact(row["bidPrice"]),
            exact(row["askPrice"]),
            exact(row["bidQty"]),
            exact(row["askQty"]),
            None,
            None,
        )

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot:
        """Return up to ``depth`` levels a side, at most 5,000."""
        limit, weight = next((row for row in _DEPTH_WEIGHTS if row[0] >= depth), _DEPTH_WEIGHTS[-1])
        params = {"symbol": self._symbol(instrument), "limit": str(min(depth, limit))}
        body = await self._calls.read(DEPTH, params, priority=Priority.QUOTE, weight=weight)
        with decoding(self.platform):
            bids, asks = (
                tuple((exact(price), exact(quantity)) for price, quantity in body[side])
                for side in ("bids", "asks")
            )
            return BookSnapshot(instrument.id, bids, asks, int(body["lastUpdateId"]), None)

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        params = {"symbol": self._symbol(instrument), "limit": str(min(limit, _TRADES_AT_MOST))}
        body = await self._calls.read(TRADES, params, priority=Priority.QUOTE)
        with decoding(self.platform):
            return [public_trade(instrument, row) for row in sorted(body, key=lambda row: int(row["id"]))]

    async def _candle_rows(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> Sequence[Sequence[Any]]:
        params = {
            "symbol": self._symbol(instrument),
            "interval": timeframe,
            "startTime": str(since_ts // NS_PER_MS),
            "limit": str(count),
        }
        body = await self._calls.read(KLINES, params, priority=Priority.HISTORY)
        with decoding(self.platform):
            return bars_rows(body)

    async def _clock_ms(self) -> int | None:
        body = await self._calls.read(TIME)
        with decoding(self.platform):
            return int(body["serverTime"])


def bars_rows(body: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return klines as rows of (open time in ms, open, high, low, close, volume)."""
    return [row[:6] for row in body]


def public_trade(instrument: Instrument, row: Any) -> PublicTrade:
    """Return a trade of the market."""
    return PublicTrade(
        instrument_id=instrument.id,
        trade_id=str(row["id"]),
        price=exact(row["price"]),
        quantity=exact(row["qty"]),
        taker_side=Side.SELL if row["isBuyerMaker"] else Side.BUY,
        at=instant(row["time"]),
    )
