"""The live market: one feed per exchange, with the rules that the exchange itself states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.bootstrap.foundation import Foundation
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.money import ZAR
from amarktai.ports.feed import Feed, FeedStatus
from amarktai.storage.candles import ParquetCandleStore
from amarktai.system.rng import SystemRng
from amarktai.venues.ccxt_feed import CcxtFeed
from amarktai.venues.ccxt_venue import load_instruments, open_client
from amarktai.venues.exchanges.ovex.feed import OvexFeed
from amarktai.venues.exchanges.valr.feed import ValrFeed
from amarktai.venues.exchanges.valr.market import ValrMarket
from amarktai.venues.live import LiveFeeds
from amarktai.venues.live_feed import FeedParts
from amarktai.venues.recorder import Recorder, RecorderSettings
from amarktai.venues.spec import VenueSpec, load_specs

_log = structlog.get_logger(__name__)


async def open_live_market(
    base: Foundation, is_wanted: Callable[[str], bool]
) -> tuple[Feed, Callable[[Platform], FeedStatus], frozenset[Platform], Callable[[], str | None]]:
    """Return the market's feed, each platform's health, the platforms whose own rules could not be
    read (those are listed from what is known offline), and what keeps the recorder from writing.
    What ``is_wanted`` names is recorded.
    """
    candles = ParquetCandleStore(base.settings.home / "candles")
    exchanges = Exchanges(base.clock, SystemRng())
    opened = await asyncio.gather(
        *(
            _open_feed(base, spec, exchanges, candles)
            for spec in map(load_specs().__getitem__, base.settings.live_platforms)
        )
    )
    live = LiveFeeds({platform: feed for platform, feed, _ in opened})
    unverified = frozenset(platform for platform, _, is_verified in opened if not is_verified)
    if not base.settings.record_feeds:
        return live, live.status_of, unverified, lambda: None
    kept = RecorderSettings(
        base.settings.home / "recordings", base.settings.record_disk_budget_mb * 1_000_000
    )
    recorder = Recorder(live, kept, is_wanted=is_wanted, candles=candles)
    return recorder, live.status_of, unverified, lambda: recorder.problem


async def _open_feed(
    base: Foundation, spec: VenueSpec, exchanges: Exchanges, candles: ParquetCandleStore
) -> tuple[Platform, Feed, bool]:
    parts = FeedParts(exchanges.budget(spec.platform), base.clock, SystemRng(), candles)
    opened = _CcxtMarket(spec, parts) if spec.ccxt_id is not None else _NativeMarket(spec, parts, exchanges)
    is_verified = True
    try:
        instruments = await opened.load()
    except Forbidden as error:  # they will not be told later either
        _log.warning("an exchange tells its markets to nobody", reason=error.detail)
        instruments = spec.instruments
    except (Unavailable, InvalidInput) as error:
        _log.warning("an exchange cannot be reached", platform=spec.platform.value, reason=error.detail)
        instruments, is_verified = spec.instruments, False
    return spec.platform, opened.feed(_tradable(instruments, base.settings.live_assets)), is_verified


class _CcxtMarket:
    """A live market through ccxt."""

    def __init__(self, spec: VenueSpec, parts: FeedParts) -> None:
        self._spec = spec
        self._parts = parts
        self._client = open_client(spec)

    async def load(self) -> Sequence[Instrument]:
        return await load_instruments(self._client, self._spec, self._parts.budget)

    def feed(self, instruments: Sequence[Instrument]) -> Feed:
        return CcxtFeed(self._spec, instruments, self._client, self._parts)


class _NativeMarket:
    """A live market that our own adapter speaks to."""

    def __init__(self, spec: VenueSpec, parts: FeedParts, exchanges: Exchanges) -> None:
        self._spec = spec
        self._parts = parts
        self._exchanges = exchanges
        self._market = exchanges.open_market(spec.platform)

    async def load(self) -> Sequence[Instrument]:
        return await self._market.fetch_instruments()

    def feed(self, instruments: Sequence[Instrument]) -> Feed:
        if isinstance(self._market, ValrMarket):
            return ValrFeed(instruments, self._market, self._parts)
        stand_in = self._exchanges.open_market(Platform.VALR)
        return OvexFeed(instruments, self._market, self._parts, stand_in)


def _tradable(instruments: Sequence[Instrument], assets: Sequence[str]) -> list[Instrument]:
    """Return every rand market, and the listed assets against the dollar stablecoin."""
    return [
        item for item in instruments if item.quote == ZAR or (item.quote == "USDT" and item.base in assets)
    ]
