"""The live market: one feed per exchange, with the rules that the exchange itself states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.bootstrap.foundation import Foundation
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.money import ZAR
from amarktai.ports.exchange import ExchangeMarket
from amarktai.ports.feed import Feed, FeedStatus
from amarktai.storage.candles import ParquetCandleStore
from amarktai.system.rng import SystemRng
from amarktai.venues.exchanges.binance.feed import BinanceFeed
from amarktai.venues.exchanges.binance.market import BinanceMarket
from amarktai.venues.exchanges.kucoin.feed import KucoinFeed
from amarktai.venues.exchanges.kucoin.market import KucoinMarket
from amarktai.venues.exchanges.luno.feed import LunoFeed
from amarktai.venues.exchanges.luno.market import LunoMarket
from amarktai.venues.exchanges.ovex.feed import OvexFeed
from amarktai.venues.exchanges.valr.feed import ValrFeed
from amarktai.venues.exchanges.valr.market import ValrMarket
from amarktai.venues.live import LiveFeeds
from amarktai.venues.live_feed import FeedParts
from amarktai.venues.recorder import Recorder, RecorderSettings
from amarktai.venues.spec import VenueSpec, load_specs

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LiveMarket:
    """The exchanges as an engine trades on them.

    ``unverified`` are those whose own rules could not be read: they are listed from what is known
    offline; ``recording_problem`` says what keeps the recorder from writing. ``markets`` and ``listed`` (all
    that each exchange lists) serve accounts beside the feed.
    """

    feed: Feed
    status_of: Callable[[Platform], FeedStatus]
    unverified: frozenset[Platform]
    recording_problem: Callable[[], str | None]
    exchanges: Exchanges
    markets: Mapping[Platform, ExchangeMarket]
    listed: Mapping[Platform, Sequence[Instrument]]


@dataclass(frozen=True, slots=True)
class _Opened:
    """One exchange."""

    platform: Platform
    feed: Feed
    market: ExchangeMarket
    listed: Sequence[Instrument]
    is_verified: bool


async def open_live_market(base: Foundation, is_wanted: Callable[[str], bool]) -> LiveMarket:
    """Open every exchange of the settings. What ``is_wanted`` names is recorded."""
    candles = ParquetCandleStore(base.settings.home / "candles")
    exchanges = Exchanges(base.clock, SystemRng(), base.settings.exchange_urls)
    opened = await asyncio.gather(
        *(
            _open_feed(base, spec, exchanges, candles)
            for spec in map(load_specs().__getitem__, base.settings.live_platforms)
        )
    )
    live = LiveFeeds({item.platform: item.feed for item in opened})
    market = LiveMarket(
        live,
        live.status_of,
        frozenset(item.platform for item in opened if not item.is_verified),
        lambda: None,
        exchanges,
        {item.platform: item.market for item in opened},
        {item.platform: item.listed for item in opened},
    )
    if not base.settings.record_feeds:
        return market
    kept = RecorderSettings(
        base.settings.home / "recordings", base.settings.record_disk_budget_mb * 1_000_000
    )
    recorder = Recorder(live, kept, is_wanted=is_wanted, candles=candles)
    return replace(market, feed=recorder, recording_problem=lambda: recorder.problem)


async def _open_feed(
    base: Foundation, spec: VenueSpec, exchanges: Exchanges, candles: ParquetCandleStore
) -> _Opened:
    origin = Origin.SYNTHETIC if spec.platform in base.settings.exchange_urls else Origin.LIVE
    parts = FeedParts(exchanges.budget(spec.platform), base.clock, SystemRng(), candles, origin)
    market = exchanges.open_market(spec.platform)
    instruments: Sequence[Instrument] = spec.instruments
    is_verified = True
    try:
        instruments = await market.fetch_instruments()
    except Forbidden as error:  # they will not be told later either
        _log.warning("an exchange tells its markets to nobody", reason=error.detail)
    except (Unavailable, InvalidInput) as error:
        _log.warning("an exchange cannot be reached", platform=spec.platform.value, reason=error.detail)
        is_verified = False
    tradable = _tradable(instruments, base.settings.live_assets)
    feed = _feed_of(market, tradable, parts, exchanges)
    return _Opened(spec.platform, feed, market, instruments, is_verified)


def _feed_of(
    market: ExchangeMarket, instruments: Sequence[Instrument], parts: FeedParts, exchanges: Exchanges
) -> Feed:
    match market:
        case LunoMarket():
            return LunoFeed(instruments, market, parts, None, **exchanges.market_stream(Platform.LUNO))
        case BinanceMarket():
            return BinanceFeed(instruments, market, parts, **exchanges.market_stream(Platform.BINANCE))
        case KucoinMarket():
            return KucoinFeed(instruments, market, parts)
        case ValrMarket():
            return ValrFeed(instruments, market, parts, **exchanges.market_stream(Platform.VALR))
        case _:
            return OvexFeed(instruments, market, parts, exchanges.open_market(Platform.VALR))


def _tradable(instruments: Sequence[Instrument], assets: Sequence[str]) -> list[Instrument]:
    """Return every rand market, and the listed assets against the dollar stablecoin."""
    return [
        item for item in instruments if item.quote == ZAR or (item.quote == "USDT" and item.base in assets)
    ]
