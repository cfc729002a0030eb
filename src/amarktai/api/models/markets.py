"""Instruments, candles and feeds over HTTP."""

from __future__ import annotations

from pydantic import Field

from amarktai.api.models.base import Instant, Money, View
from amarktai.domain.instrument import Origin, Platform
from amarktai.ports.feed import FeedState


class InstrumentFeed(View):
    """The health of the platform's feed; ``state`` is null while there is none."""

    state: FeedState | None
    message: str
    last_received_at: Instant | None
    age_s: float | None
    retry_at: Instant | None


class InstrumentView(View):
    id: str
    platform: Platform
    pair: str
    base: str
    quote: str
    tick_size: Money
    lot_size: Money
    min_quantity: Money
    min_notional: Money
    maker_fee_percent: float
    taker_fee_percent: float
    fee_source: str
    origin: Origin
    feed: InstrumentFeed
    price: Money | None
    price_at: Instant | None


class InstrumentPage(View):
    items: list[InstrumentView]
    next_cursor: str | None


class CandleView(View):
    """A bar for charts: the only place where prices are floats."""

    ts_open: Instant
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandleList(View):
    items: list[CandleView]
    instrument_id: str
    timeframe: str
    origin: Origin | None
    gaps: int = Field(description="Bars that are missing inside the span.")


class FeedView(View):
    platform: Platform
    origin: Origin
    state: FeedState
    message: str
    last_received_at: Instant | None
    age_s: float | None
    retry_at: Instant | None
    instruments: int


class FeedPage(View):
    items: list[FeedView]
    next_cursor: str | None
