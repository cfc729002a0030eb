"""The live market: one feed per exchange through ccxt, with the rules that the exchange itself states."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amarktai.bootstrap.foundation import Foundation
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.money import ZAR
from amarktai.ports.feed import Feed
from amarktai.storage.candles import ParquetCandleStore
from amarktai.system.rng import SystemRng
from amarktai.venues.budget import RequestBudget
from amarktai.venues.ccxt_feed import CcxtFeed, LiveParts
from amarktai.venues.ccxt_venue import load_instruments, open_client
from amarktai.venues.live import LiveFeeds
from amarktai.venues.spec import load_specs

_log = structlog.get_logger(__name__)


async def open_live_market(base: Foundation) -> tuple[LiveFeeds, frozenset[Platform]]:
    """Return the feeds, and the platforms whose rules could not be read and are known from offline only."""
    specs, candles = load_specs(), ParquetCandleStore(base.settings.home / "candles")
    feeds: dict[Platform, Feed] = {}
    unverified: set[Platform] = set()
    for platform in base.settings.live_platforms:
        spec = specs[platform]
        budget = RequestBudget(platform.value, spec.requests_per_minute, base.clock)
        client = open_client(spec)
        try:
            instruments = await load_instruments(client, spec, budget)
        except Unavailable as error:
            _log.warning("an exchange cannot be reached", platform=platform.value, reason=error.detail)
            instruments = list(spec.instruments)
            unverified.add(platform)
        wanted = _tradable(instruments, base.settings.live_assets)
        parts = LiveParts(client, budget, base.clock, SystemRng(), candles)
        feeds[platform] = CcxtFeed(spec, wanted, parts)
    return LiveFeeds(feeds), frozenset(unverified)


def _tradable(instruments: Sequence[Instrument], assets: Sequence[str]) -> list[Instrument]:
    """Return every rand market, and the listed assets against the dollar stablecoin."""
    return [
        item for item in instruments if item.quote == ZAR or (item.quote == "USDT" and item.base in assets)
    ]
