"""OVEX's public side: markets and indicative quotes. A desk has no book, trades or candles."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NoReturn

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.money import ZAR
from amarktai.domain.order import Side
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import BookSnapshot, FetchedBars, PublicTrade, Quote
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.exchanges.ovex import VENUE, parse_market
from amarktai.venues.exchanges.ovex.calls import BASE_URL, OvexCalls, open_transport
from amarktai.venues.exchanges.ovex.quotes import PRICE_STEP, DeskQuote, read_quote
from amarktai.venues.spec import build_instruments
from amarktai.venues.transport import decoding

#: For how much an indicative quote is asked, in the quote asset.
REFERENCE_AMOUNTS: Final = {ZAR: Decimal(10_000)}
REFERENCE_AMOUNT: Final = Decimal(500)


def open_market(budget: RequestBudget, clock: Clock, *, base_url: str = BASE_URL) -> OvexMarket:
    """Return OVEX's public side."""
    return OvexMarket(OvexCalls(open_transport(base_url, budget, clock)))


class OvexMarket:
    """Implements ports.exchange.ExchangeMarket as far as a desk can."""

    platform = Platform.OVEX

    def __init__(self, calls: OvexCalls) -> None:
        self._calls = calls

    async def fetch_instruments(self) -> Sequence[Instrument]:
        """Return the markets that are quoted on request, by symbol."""
        rows = await self._calls.read("/markets", priority=Priority.HISTORY)
        with decoding(self.platform):
            steps = [found for row in rows if (found := parse_market(row)) is not None]
            built = build_instruments(self.platform, VENUE.fees, tuple(steps))
        return sorted(built, key=lambda item: item.symbol)

    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]:
        """Return indicative quotes: two calls a market."""
        return [await self._quote(item) for item in instruments]

    async def _quote(self, instrument: Instrument) -> Quote:
        """Return both sides for one quantity of base: what the reference amount buys."""
        amount = REFERENCE_AMOUNTS.get(instrument.quote, REFERENCE_AMOUNT)
        buy = await ask_quote(self._calls, instrument, Side.BUY, "from_amount", amount)
        quantity = buy.terms.base_amount
        sell = await ask_quote(self._calls, instrument, Side.SELL, "from_amount", quantity)
        return Quote(
            instrument_id=instrument.id,
            bid=sell.terms.price.quantize(PRICE_STEP),
            ask=buy.terms.price.quantize(PRICE_STEP),
            bid_quantity=quantity,
            ask_quantity=quantity,
            last=None,
            at=buy.requested_at,
            is_indicative=True,
        )

    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot:
        self._lacks("order book")

    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]:
        self._lacks("public trades")

    async def fetch_bars(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> FetchedBars:
        self._lacks("candles")

    async def fetch_clock_offset_ns(self) -> int | None:
        return None  # OVEX has no route for its time

    async def close(self) -> None:
        await self._calls.close()

    def _lacks(self, what: str) -> NoReturn:
        raise InvalidInput(
            "VENUE_REFUSED", f"OVEX is a desk and has no {what}.", "Use its quotes, or another platform."
        )


async def ask_quote(
    calls: OvexCalls,
    instrument: Instrument,
    side: Side,
    which: str,
    amount: Decimal,
    *,
    priority: Priority = Priority.QUOTE,
) -> DeskQuote:
    """Ask for a quote. ``which`` is from_amount (what we give) or to_amount (what we get).

    Raises: Unavailable, Forbidden; also for an answer to another question.
    """
    query = {
        "market": (instrument.base + instrument.quote).lower(),
        "side": side.value,
        which: f"{amount:f}",
    }
    body = await calls.read("/rfq/get_quote", query, priority=priority)
    with decoding(Platform.OVEX):
        quote = read_quote(body)
        if (quote.terms.instrument_id, quote.terms.side) != (instrument.id, side):
            raise ValueError(f"a quote to {quote.terms.side} {quote.terms.instrument_id} was not asked for")
    return quote
