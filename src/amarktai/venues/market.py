"""What the exchanges' public sides share. Their own files read their own rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from amarktai.domain.bar import timeframe_ns
from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument
from amarktai.domain.market import DirtyRows
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import BookSnapshot, FetchedBars, PublicTrade, Quote
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.candle_rows import clean_bars, closed_bars
from amarktai.venues.spec import Steps, VenueSpec, build_instruments
from amarktai.venues.transport import decoding


class VenueMarket(ABC):
    """The public side of one exchange. Implements ports.exchange.ExchangeMarket."""

    def __init__(self, spec: VenueSpec, clock: Clock) -> None:
        self.platform = spec.platform
        self.dirty = DirtyRows()
        self._spec = spec
        self._clock = clock

    @abstractmethod
    async def _market_rows(self) -> Sequence[Any]:
        """Return the exchange's own records of its spot markets."""

    @abstractmethod
    async def _candle_rows(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> Sequence[Sequence[Any]]:
        """Return rows of (open time in ms, open, high, low, close, volume), in any order."""

    @abstractmethod
    async def _clock_ms(self) -> int | None:
        """Return the exchange's time, None where it tells none."""

    @abstractmethod
    async def fetch_quotes(self, instruments: Sequence[Instrument]) -> Sequence[Quote]: ...

    @abstractmethod
    async def fetch_book(self, instrument: Instrument, depth: int) -> BookSnapshot: ...

    @abstractmethod
    async def fetch_trades(self, instrument: Instrument, limit: int) -> Sequence[PublicTrade]: ...

    async def fetch_instruments(self) -> Sequence[Instrument]:
        """Return every tradable spot market with its steps, by symbol. Raises: Unavailable."""
        rows = await self._market_rows()
        parse = self._spec.parse_market
        assert parse is not None  # every exchange has one
        with decoding(self.platform):
            steps: list[Steps] = [found for row in rows if (found := parse(row)) is not None]
            built = build_instruments(self.platform, self._spec.fees, tuple(steps))
        return sorted(built, key=lambda item: item.symbol)

    async def fetch_bars(
        self, instrument: Instrument, timeframe: str, since_ts: int, count: int
    ) -> FetchedBars:
        """Return up to ``count`` closed clean bars from ``since_ts`` (ns UTC) on, page after page.

        Raises: Unavailable; InvalidInput for a timeframe that the exchange does not have.
        """
        if timeframe not in self._spec.timeframes:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"{DISPLAY_NAMES[self.platform]} has no {timeframe} candles",
                f"Choose one of {', '.join(self._spec.timeframes)}.",
            )
        step, rows = timeframe_ns(timeframe), list[Sequence[Any]]()
        from_ts = -(-since_ts // step) * step
        until_ts = min(from_ts + count * step, self._clock.now_ns())
        while from_ts < until_ts:
            page = min(self._spec.bars_per_request, -(-(until_ts - from_ts) // step))
            rows += await self._candle_rows(instrument, timeframe, from_ts, page)
            from_ts += page * step
        with decoding(self.platform):
            bars, dropped = clean_bars(timeframe, rows)
        self.dirty.add("dirty_bar", dropped)
        return FetchedBars(closed_bars(bars, since_ts, count, self._clock.now_ns()))

    async def fetch_clock_offset_ns(self) -> int | None:
        """Return the exchange's time minus ours, halfway through the call; None where it has no clock."""
        before = self._clock.now_ns()
        told = await self._clock_ms()
        return None if told is None else told * NS_PER_MS - (before + self._clock.now_ns()) // 2

    @abstractmethod
    async def close(self) -> None: ...

    def _symbol(self, instrument: Instrument) -> str:
        return self._spec.venue_symbol(instrument.base, instrument.quote)


def check_found(spec: VenueSpec, instrument: Instrument, row: Any) -> None:
    """Check that a list of quotes has the market.

    Raises: Unavailable.
    """
    if row is None:
        raise Unavailable(
            "VENUE_SYMBOL",
            f"{DISPLAY_NAMES[spec.platform]} tells no price of {instrument.symbol}.",
            "It is tried again by itself.",
        )
