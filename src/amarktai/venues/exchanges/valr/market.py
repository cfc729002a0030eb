"""VALR's public side. Source: VALR's Postman collection, "Public APIs"."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.bar import NS_PER_S, TIMEFRAME_S
from amarktai.domain.instrument import Instrument
from amarktai.domain.market import aggregate_bars
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import BookSnapshot, FetchedBars, PublicTrade, Quote
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.candle_rows import closed_bars
from amarktai.venues.exchanges.valr import VENUE
from amarktai.venues.exchanges.valr.calls import BASE_URL, ValrCalls, open_transport
from amarktai.venues.exchanges.valr.records import instant, instant_ns
from amarktai.venues.market import VenueMarket, check_found
from amarktai.venues.transport import decoding, exact

_TOP_LEVELS: Final = 40
_TRADES_A_CALL: Final = 100
_CANDLES_A_CALL: Final = 300
#: What VALR lacks is added up from what it has.
_BUILT_FROM: Final = {"4h": "1h"}


def open_market(
    public: RequestBudget, budget: RequestBudget, clock: Clock, *, base_url: str = BASE_URL
) -> ValrMarket:
    """Return VALR's public side; ``public`` is the budget of its public routes.

    Candles and the clock have a limit of their own and count against ``budget``.
    """
    return ValrMarket(
        ValrCalls(open_transport(base_url, public, clock)),
        ValrCalls(open_transport(base_url, budget, clock)),
        clock,
    )


class ValrMarket(VenueMarket):
    """Implements ports.exchange.ExchangeMarket."""

    def __init__(self, calls: ValrCalls, unmetered: ValrCalls, clock: Clock) -> None:
        super().__init__(VENUE, clock)
        self._calls = calls
        self._unmetered = unmetered

    async def _market_rows(self) -> Sequence[Any]:
        """Return the pairs whose book takes limit orders: others are for simple purchases only."""
        pairs = await self._calls.read("/v1/public/pairs/SPOT", priority=Priority.HISTORY)
        types = await self._calls.read("/v1/public/ordertypes", priority=Priority.HISTORY)
        with decoding(self.platform):
            traded = {row["currencyPair"] for row in types if "LIMIT" in row["orderTypes"]}
            return [row for row in pairs if row["symbol"] in traded]

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return the best prices, from one call for all pairs; VALR tells no sizes there."""
        body = await self._calls.read("/v1/public/marketsummary", priority=Priority.QUOTE)
        with decoding(self.platform):
            rows = {str(row["currencyPair"]): row for row in body}
            return [self._quote(item, rows.get(self._symbol(item))) for item in instruments]

    def _quote(self, instrument: Instrument, row: Any) -> Quote:
        check_found(self._spec, instrument, row)
        bid, ask, last = (exact(row[key]) for key in ("bidPrice", "askPrice", "lastTradedPrice"))
        return Quote(instrument.id, bid, ask, None, None, last or None, instant(row["created"]))

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot:
        path = f"/v1/public/{self._symbol(instrument)}/orderbook"
        body = await self._calls.read(
            path if depth <= _TOP_LEVELS else f"{path}/full", priority=Priority.QUOTE
        )
        with decoding(self.platform):
            bids, asks = _levels(body["Bids"]), _levels(body["Asks"])
            sequence, at = int(body["SequenceNumber"]), instant(body["LastChange"])
        return BookSnapshot(
            instrument.id,
            tuple(sorted(bids.items(), reverse=True)[:depth]),
            tuple(sorted(asks.items())[:depth]),
            sequence,
            at,
        )

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        """Return the latest trades, oldest first; VALR gives at most 100 a call."""
        rows = await self._calls.read(
            f"/v1/public/{self._symbol(instrument)}/trades",
            {"limit": str(min(limit, _TRADES_A_CALL))},
            priority=Priority.QUOTE,
        )
        with decoding(self.platform):
            found = [_trade(instrument, row) for row in rows]
        return found[::-1][-limit:]

    async def fetch_bars(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> FetchedBars:
        smaller = _BUILT_FROM.get(timeframe)
        if smaller is None:
            return await super().fetch_bars(instrument, timeframe, since_ts, count)
        step_ns, parts = TIMEFRAME_S[timeframe] * NS_PER_S, TIMEFRAME_S[timeframe] // TIMEFRAME_S[smaller]
        first_ts = -(-since_ts // step_ns) * step_ns
        fetched = await super().fetch_bars(instrument, smaller, first_ts, count * parts)
        built = aggregate_bars(fetched.bars, timeframe)
        return FetchedBars(closed_bars(built, since_ts, count, self._clock.now_ns()))

    async def _candle_rows(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> Sequence[Sequence[Any]]:
        """Return rows in any order; VALR itself fills minutes without a trade (includeEmpty)."""
        seconds = TIMEFRAME_S[timeframe]
        first_s = since_ts // NS_PER_S
        query = {
            "periodSeconds": str(seconds),
            "startTime": str(first_s),
            "endTime": str(first_s + count * seconds),
            "limit": str(_CANDLES_A_CALL),
            "includeEmpty": "true",
        }
        rows = await self._unmetered.read(
            f"/v1/public/{self._symbol(instrument)}/buckets", query, priority=Priority.HISTORY
        )
        with decoding(self.platform):
            numbers = [
                [instant_ns(row["startTime"]) // NS_PER_MS]
                + [row[key] for key in ("open", "high", "low", "close", "volume")]
                for row in rows
            ]
        return [row for row in numbers if first_s <= row[0] // 1_000 < first_s + count * seconds]

    async def _clock_ms(self) -> int | None:
        body = await self._unmetered.read("/v1/public/time")
        with decoding(self.platform):
            return instant_ns(body["time"]) // NS_PER_MS

    async def close(self) -> None:
        await self._calls.close()
        await self._unmetered.close()


def _levels(rows: Sequence[Any]) -> dict[Decimal, Decimal]:
    """Return rows summed by price: the full book lists order by order."""
    found: dict[Decimal, Decimal] = {}
    for row in rows:
        price = exact(row["price"])
        found[price] = found.get(price, ZERO) + exact(row["quantity"])
    return found


def _trade(instrument: Instrument, row: Any) -> PublicTrade:
    return PublicTrade(
        instrument_id=instrument.id,
        trade_id=str(row["id"]),
        price=exact(row["price"]),
        quantity=exact(row["quantity"]),
        taker_side=Side(row["takerSide"]),
        at=instant(row["tradedAt"]),
    )
