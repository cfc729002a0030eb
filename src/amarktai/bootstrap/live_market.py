"""The live market: one feed per exchange through ccxt, with the rules that the exchange itself states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from amarktai.bootstrap.foundation import Foundation
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.money import ZAR
from amarktai.ports.feed import Feed, FeedStatus
from amarktai.storage.candles import ParquetCandleStore
from amarktai.system.rng import SystemRng
from amarktai.venues.budget import RequestBudget
from amarktai.venues.ccxt_feed import CcxtFeed
from amarktai.venues.ccxt_venue import load_instruments, open_client
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
    opened = await asyncio.gather(
        *(
            _open_feed(base, spec, candles)
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
    base: Foundation, spec: VenueSpec, candles: ParquetCandleStore
) -> tuple[Platform, CcxtFeed, bool]:
    budget = RequestBudget(spec.platform.value, spec.requests_per_minute, base.clock)
    client = open_client(spec)
    is_verified = True
    try:
        instruments = await load_instruments(client, spec, budget)
    except Unavailable as error:
        _log.warning("an exchange cannot be reached", platform=spec.platform.value, reason=error.detail)
        instruments, is_verified = list(spec.instruments), False
    parts = FeedParts(budget, base.clock, SystemRng(), candles)
    return (
        spec.platform,
        CcxtFeed(spec, _tradable(instruments, base.settings.live_assets), client, parts),
        is_verified,
    )


def _tradable(instruments: Sequence[Instrument], assets: Sequence[str]) -> list[Instrument]:
    """Return every rand market, and the listed assets against the dollar stablecoin."""
    return [
        item for item in instruments if item.quote == ZAR or (item.quote == "USDT" and item.base in assets)
    ]
