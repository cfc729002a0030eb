"""Luno's public side. Candles and streams need a key even there, so a market may be opened with one.

Source: Luno API 1.2.5, "Market". Market data may be cached for a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from amarktai.domain.bar import TIMEFRAME_S
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import BookSnapshot, PublicTrade, Quote
from amarktai.venues.account_records import NS_PER_MS, instant
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.ccxt_market import CcxtMarket
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.exchanges.luno.account import BASE_URL
from amarktai.venues.exchanges.luno.errors import DIALECT
from amarktai.venues.market import check_found
from amarktai.venues.transport import Transport, decoding, exact

MARKETS: Final = Route("exchange", "GET", "markets", version="1")
TICKERS: Final = Route("public", "GET", "tickers")
BOOK_TOP: Final = Route("public", "GET", "orderbook_top")
BOOK: Final = Route("public", "GET", "orderbook")
TRADES: Final = Route("public", "GET", "trades")
CANDLES: Final = Route("exchangePrivate", "GET", "candles", version="1")
#: Levels a side of ``orderbook_top``; beyond them the whole book is asked for.
_TOP_LEVELS: Final = 100


def open_market(
    budget: RequestBudget, clock: Clock, credentials: Credentials | None = None, *, base_url: str = BASE_URL
) -> LunoMarket:
    """Return Luno's public side; candles only with a key."""
    signer = CcxtSigner(VENUE, credentials, clock)
    transport = Transport(Platform.LUNO, base_url, budget, clock, sign=signer)
    return LunoMarket(CcxtCalls(transport, DIALECT), clock, has_key=credentials is not None)


class LunoMarket(CcxtMarket):
    """Implements ports.exchange.ExchangeMarket."""

    def __init__(self, calls: CcxtCalls, clock: Clock, *, has_key: bool) -> None:
        super().__init__(VENUE, calls, clock)
        self._has_key = has_key

    async def _market_rows(self) -> Sequence[Any]:
        body = await self._calls.read(MARKETS, priority=Priority.HISTORY)
        with decoding(self.platform):
            return list(body["markets"])

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return the tickers of these markets, from one call for all; Luno tells no sizes there."""
        found = {item.instrument_id: item for item in await self.fetch_listed_quotes(instruments)}
        for item in instruments:
            check_found(self._spec, item, found.get(item.id))
        return [found[item.id] for item in instruments]

    async def fetch_listed_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return the tickers of those markets that Luno lists now: one that it dropped costs no other."""
        body = await self._calls.read(TICKERS, priority=Priority.QUOTE)
        with decoding(self.platform):
            rows = {str(row["pair"]): row for row in body["tickers"]}
            wanted = [(item, rows.get(self._symbol(item))) for item in instruments]
            return [quote(item, row) for item, row in wanted if row is not None]

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot:
        route = BOOK_TOP if depth <= _TOP_LEVELS else BOOK
        body = await self._calls.read(route, {"pair": self._symbol(instrument)}, priority=Priority.QUOTE)
        with decoding(self.platform):
            sides = {
                key: _levels([(exact(row["price"]), exact(row["volume"])) for row in body[key]])
                for key in ("bids", "asks")
            }
            at = instant(body["timestamp"])
        bids = sorted(sides["bids"].items(), reverse=True)[:depth]
        asks = sorted(sides["asks"].items())[:depth]
        return BookSnapshot(instrument.id, tuple(bids), tuple(asks), None, at)

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        """Return the latest trades, oldest first; Luno gives at most 100, of the last 24 hours."""
        body = await self._calls.read(TRADES, {"pair": self._symbol(instrument)}, priority=Priority.QUOTE)
        with decoding(self.platform):
            found = [public_trade(instrument, row) for row in body.get("trades") or ()]
        return sorted(found, key=lambda trade: int(trade.trade_id))[-limit:]

    async def _candle_rows(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> Sequence[Sequence[Any]]:
        if not self._has_key:
            raise InvalidInput(
                "VENUE_REFUSED",
                "Luno gives candles only to accounts with a key.",
                "Save a Luno key, import a file, or let the platform record what it sees.",
            )
        params = {
            "pair": self._symbol(instrument),
            "since": str(since_ts // NS_PER_MS),
            "duration": str(TIMEFRAME_S[timeframe]),
        }
        body = await self._calls.read(CANDLES, params, priority=Priority.HISTORY)
        keys = ("timestamp", "open", "high", "low", "close", "volume")
        with decoding(self.platform):
            return [[row[key] for key in keys] for row in body.get("candles") or ()][:count]

    async def _clock_ms(self) -> int | None:
        return None  # Luno has no route for its time


def _levels(rows: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return rows summed by price: the full book lists order by order."""
    found: dict[Any, Any] = {}
    for price, quantity in rows:
        found[price] = found.get(price, 0) + quantity
    return found


def quote(instrument: Instrument, row: Any) -> Quote:
    """Return a ticker; before a market's first trade its last price is zero there."""
    bid, ask, last = (exact(row[key]) for key in ("bid", "ask", "last_trade"))
    return Quote(instrument.id, bid, ask, None, None, last or None, instant(row["timestamp"]))


def public_trade(instrument: Instrument, row: Any) -> PublicTrade:
    """Return a trade of the market."""
    return PublicTrade(
        instrument_id=instrument.id,
        trade_id=str(row["sequence"]),
        price=exact(row["price"]),
        quantity=exact(row["volume"]),
        taker_side=Side.BUY if row["is_buy"] else Side.SELL,
        at=instant(row["timestamp"]),
    )
