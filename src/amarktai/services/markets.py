"""Markets: what can be traded, whether its prices arrive, and its bars."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import aggregate_bars, empty_bars
from amarktai.ports.candles import CandleStore, DatasetInfo
from amarktai.ports.catalog import Catalog, FeedRow, ListedInstrument, MarkRow
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.platforms import age_s
from amarktai.services.views import instant, money

#: Bars of larger timeframes are built from these where a market has no others.
_FINEST: Final = "1m"
#: (instrument, timeframe, count, before ns) → up to that many closed bars before that time.
BarsBefore = Callable[[Instrument, str, int, int], Awaitable[Bars]]


class MarketService:
    """``notes`` says per platform what people should know while it has no feed; ``synthetic`` gives
    the sandbox's bars, which follow from its seed and are not stored, while ``is_sandbox`` says that
    it is the market: made-up prices of a stand-in are others.
    """

    def __init__(
        self,
        catalog: Catalog,
        candles: CandleStore,
        clock: Clock,
        *,
        notes: Mapping[Platform, str],
        synthetic: BarsBefore,
        is_sandbox: Callable[[], Awaitable[bool]],
    ) -> None:
        self._catalog = catalog
        self._candles = candles
        self._clock = clock
        self._notes = notes
        self._synthetic = synthetic
        self._is_sandbox = is_sandbox

    async def instruments(self, *, platform: Platform | None, cursor: str | None, limit: int) -> Page:
        """Return one page of markets by id, each with its feed's health and last price."""
        listed = sorted(await self._catalog.instruments(platform), key=lambda item: item.instrument.id)
        start = 0
        if cursor:
            ids = [item.instrument.id for item in listed]
            start = bisect_right(ids, decode_cursor(cursor, str)[0])
        page = listed[start : start + limit]
        feeds = {feed.platform: feed for feed in await self._catalog.feeds()}
        marks = await self._catalog.marks()
        more = start + limit < len(listed)
        return Page(
            [self._instrument_view(item, feeds, marks.get(item.instrument.id)) for item in page],
            encode_cursor(page[-1].instrument.id) if more else None,
        )

    async def candles(
        self, instrument_id: str, *, timeframe: str, until: datetime | None, limit: int
    ) -> Mapping[str, Any]:
        """Return the last ``limit`` stored bars before ``until``, oldest first.

        ``gaps`` counts the bars that are missing between the first and the last. Raises: NotFound for
        an instrument that nobody knows; InvalidInput for a timeframe that we do not trade on.
        """
        bars, origin = await self.bars(instrument_id, timeframe, until, limit)
        return _candles_view(bars, instrument_id, origin)

    async def bars(
        self, instrument_id: str, timeframe: str, until: datetime | None, limit: int
    ) -> tuple[Bars, Origin]:
        """Return the last ``limit`` stored bars before ``until`` (now), and where they are from.

        Raises: as ``candles``.
        """
        timeframe_ns(timeframe)
        listed = await self._listed(instrument_id)
        if listed is not None and listed.origin is Origin.SYNTHETIC and await self._is_sandbox():
            before = self._clock.now_ns() if until is None else to_ns(until)
            return await self._synthetic(listed.instrument, timeframe, limit, before), Origin.SYNTHETIC
        dataset = await self._dataset(instrument_id, timeframe)
        if dataset is not None:
            bound = None if until is None else to_ns(until)
            bars = await asyncio.to_thread(_last_bars, self._candles, dataset, bound, limit)
            return bars, dataset.origin
        minutes = await self._dataset(instrument_id, _FINEST)
        if minutes is not None:
            count = limit * (timeframe_ns(timeframe) // timeframe_ns(_FINEST))
            bound = None if until is None else to_ns(until)
            finest = await asyncio.to_thread(_last_bars, self._candles, minutes, bound, count)
            return aggregate_bars(finest, timeframe), minutes.origin
        if listed is None:
            raise NotFound(
                "NOT_FOUND", f"There is no instrument {instrument_id!r}", "Choose one from the list."
            )
        return empty_bars(timeframe), listed.origin

    async def feeds(self) -> Sequence[Mapping[str, Any]]:
        """Return the health of every platform's feed."""
        return [
            {
                "platform": feed.platform.value,
                "origin": feed.origin.value,
                **self._feed_view(feed.platform, feed),
                "instruments": feed.instrument_count,
            }
            for feed in await self._catalog.feeds()
        ]

    async def _dataset(self, instrument_id: str, timeframe: str) -> DatasetInfo | None:
        for dataset in await asyncio.to_thread(self._candles.datasets):
            if (dataset.instrument_id, dataset.timeframe) == (instrument_id, timeframe):
                return dataset
        return None

    async def _listed(self, instrument_id: str) -> ListedInstrument | None:
        listed = await self._catalog.instruments()
        return next((item for item in listed if item.instrument.id == instrument_id), None)

    def _instrument_view(
        self, item: ListedInstrument, feeds: Mapping[Platform, FeedRow], mark: MarkRow | None
    ) -> dict[str, Any]:
        instrument = item.instrument
        return {
            "id": instrument.id,
            "platform": instrument.venue.value,
            "pair": instrument.symbol,
            "base": instrument.base,
            "quote": instrument.quote,
            "tick_size": money(instrument.tick_size),
            "lot_size": money(instrument.lot_size),
            "min_quantity": money(instrument.min_quantity),
            "min_notional": money(instrument.min_notional),
            "maker_fee_percent": _percent(instrument.fees.maker),
            "taker_fee_percent": _percent(instrument.fees.taker),
            "fee_source": instrument.fees.source,
            "origin": item.origin.value,
            "feed": {**self._feed_view(instrument.venue, feeds.get(instrument.venue))},
            "price": money(mark.price.normalize()) if mark else None,
            "price_at": instant(mark.at) if mark else None,
        }

    def _feed_view(self, platform: Platform, feed: FeedRow | None) -> dict[str, Any]:
        now = to_datetime(self._clock.now_ns())
        return {
            "state": feed.state.value if feed else None,
            "message": feed.message if feed else self._notes[platform],
            "last_received_at": instant(feed.last_received_at) if feed else None,
            "age_s": age_s(feed.last_received_at, now) if feed else None,
            "retry_at": instant(feed.retry_at) if feed else None,
        }


def _percent(ratio: Decimal) -> float:
    return float(ratio * 100)


def _candles_view(bars: Bars, instrument_id: str, origin: Origin) -> dict[str, Any]:
    """Return bars as ``GET /api/candles`` shows them."""
    step = timeframe_ns(bars.timeframe)
    expected = int(bars.ts_open[-1] - bars.ts_open[0]) // step + 1 if len(bars) else 0
    return {
        "items": [_bar_view(bars, row) for row in range(len(bars))],
        "instrument_id": instrument_id,
        "timeframe": bars.timeframe,
        "origin": origin.value,
        "gaps": expected - len(bars),
    }


def _last_bars(store: CandleStore, dataset: DatasetInfo, until: int | None, limit: int) -> Bars:
    """Return up to ``limit`` bars before ``until``, reading further back where there are gaps."""
    step = timeframe_ns(dataset.timeframe)
    bound = dataset.last_ts + step if until is None else until
    span = limit * step
    while True:
        since = max(bound - span, 0)
        bars = store.load(dataset.instrument_id, dataset.timeframe, since_ts=since, until_ts=bound)
        if len(bars) >= limit or since <= dataset.first_ts:
            return bars.slice(max(len(bars) - limit, 0), len(bars))
        span *= 4


def _bar_view(bars: Bars, row: int) -> dict[str, Any]:
    bar = bars[row]
    return {
        "ts_open": instant(to_datetime(bar.ts_open)),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
    }
