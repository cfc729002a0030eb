"""The engine process: the market that it sees, the paper venues, the order path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from amarktai.bootstrap.foundation import (
    MARK_MAX_AGE_S,
    Foundation,
    build_bots,
    build_emergency,
    build_fx,
    build_notices,
    lay_foundation,
    steady_time,
)
from amarktai.bootstrap.live_accounts import KeyedAccounts
from amarktai.bootstrap.people import build_accounts, build_keys
from amarktai.config import Settings
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.fill_model import ExecutionProfile
from amarktai.domain.instrument import Instrument, Platform
from amarktai.ports.feed import Feed, FeedStatus
from amarktai.ports.leases import Lease
from amarktai.ports.stops import StopFile
from amarktai.ports.venue import SharedVenues, SimulatedVenue
from amarktai.providers.registry import load_providers
from amarktai.services.arrivals import Arrivals
from amarktai.services.bots import BotService
from amarktai.services.engine import EngineParts, TradingDesk, TradingEngine
from amarktai.services.fx import FxRates
from amarktai.services.live_accounts import LiveAccounts, LiveParts
from amarktai.services.orders import LIVE_POLICY, Desk, OrderPolicy, OrderService
from amarktai.services.system import SANDBOX
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.changes import PgChanges
from amarktai.storage.leases import PgLeases
from amarktai.storage.prices import PgPriceTicker
from amarktai.storage.system import PgSystem
from amarktai.system.logs import ERRORS
from amarktai.system.stop_file import DiskStopFile
from amarktai.venues.paper import PaperVenue
from amarktai.venues.sandbox import REFERENCES, SandboxFeed
from amarktai.venues.spec import FeedKind, load_specs
from amarktai.workers.engine import EngineDuties, EngineWorker, LiveDesk, wait_for_lease
from amarktai.workers.heartbeat import WithHealth

if TYPE_CHECKING:
    from amarktai.bootstrap.live_market import LiveMarket

_log = structlog.get_logger(__name__)
_SNAPSHOT_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class EngineInputs:
    """What an engine is made of besides its feed. ``running`` is the map of bots that it fills."""

    fx: FxRates
    lease: Lease
    bots: BotService
    running: dict[UUID, Bot]
    snapshot_every_s: float
    stop_file: StopFile | None = None
    live: LiveDesk | None = None


def build_engine(base: Foundation, feed: Feed, inputs: EngineInputs) -> TradingEngine:
    """Return an engine that trades on paper on this feed, and live where there are accounts."""
    venues = _paper_venues(base, feed)
    instruments = {instrument.id: instrument for instrument in feed.instruments}
    policy = OrderPolicy(max_data_age_s=feed.max_age_s)
    desk = Desk(
        SharedVenues(venues), instruments, inputs.running, inputs.fx, policy, inputs.lease,
        stop_file=inputs.stop_file,
    )  # fmt: skip
    desks = {TradingMode.PAPER: TradingDesk(OrderService(base.store, base.clock, base.ids, desk), venues)}
    if inputs.live is not None:
        live = replace(
            desk,
            venues=inputs.live.accounts,
            policy=replace(LIVE_POLICY, max_data_age_s=feed.max_age_s),
            mode=TradingMode.LIVE,
            arrivals=inputs.live.arrivals,
        )
        desks[TradingMode.LIVE] = TradingDesk(OrderService(base.store, base.clock, base.ids, live), {})
    parts = EngineParts(
        desks, inputs.bots, build_notices(base), inputs.running, inputs.fx, inputs.snapshot_every_s
    )
    return TradingEngine(base.store, base.clock, feed, parts)


def _paper_venues(base: Foundation, feed: Feed) -> dict[Platform, SimulatedVenue]:
    by_platform: dict[Platform, list[Instrument]] = {}
    for instrument in feed.instruments:
        by_platform.setdefault(instrument.venue, []).append(instrument)
    profile = ExecutionProfile(latency_ms=base.settings.paper_latency_ms)
    return {
        platform: PaperVenue(
            platform=platform,
            account="paper",
            instruments=instruments,
            origin=feed.origin,
            clock=base.clock,
            profile=profile,
        )
        for platform, instruments in by_platform.items()
    }


async def run_engine(settings: Settings, app_url: str) -> None:
    """Trade until cancelled. Raises: StartAnew when the market was switched; Conflict LEASE_HELD."""
    clock, ids = steady_time()
    base = lay_foundation(settings, app_url, clock, ids)
    market = await PgSystem(base.database).market() or settings.feeds
    leases = PgLeases(base.database)
    try:
        lease = await wait_for_lease(leases, clock)
        try:
            await (await _engine_worker(base, app_url, market, lease, clock.step_ns)).run()
        finally:
            await leases.give_up(lease)
    finally:
        await base.close()


async def _engine_worker(
    base: Foundation, app_url: str, market: str, lease: Lease, clock_step_ns: Callable[[], int]
) -> EngineWorker:
    running: dict[UUID, Bot] = {}
    opened = await _open_market(base, market, running)
    feed = opened.feed
    fx = build_fx(MARK_MAX_AGE_S)
    bots = build_bots(base, fx, base.settings.bot_caps)
    stop_file = DiskStopFile(base.settings.home)
    live = _live_desk(base, opened)
    parts = EngineInputs(fx, lease, bots, running, _SNAPSHOT_EVERY_S, stop_file, live)
    engine = build_engine(base, feed, parts)
    duties = EngineDuties(
        clock=base.clock,
        feed=feed,
        catalog=base.catalog,
        leases=PgLeases(base.database),
        prices=PgPriceTicker(base.database),
        changes=PgChanges(app_url, base.database, base.clock),
        beats=WithHealth(PgSystem(base.database), ERRORS.health),
        notices=build_notices(base),
        emergency=build_emergency(base, bots),
        recording_problem=opened.recording_problem,
        feed_status=opened.status_of,
        unverified=opened.unverified,
        live=live,
        clock_step_ns=clock_step_ns,
    )
    return EngineWorker(engine, lease, duties)


@dataclass(frozen=True, slots=True)
class Market:
    """What the engine trades on. ``unverified`` are platforms whose rules could not be read yet: they
    are listed from what is known offline, and the engine starts anew once they can be reached.
    ``recording_problem`` says why what the feeds deliver cannot be kept, if so."""

    feed: Feed
    status_of: Callable[[Platform], FeedStatus]
    unverified: frozenset[Platform] = frozenset()
    recording_problem: Callable[[], str | None] = lambda: None
    live: LiveMarket | None = None


def _live_desk(base: Foundation, market: Market) -> LiveDesk | None:
    """Return the real accounts, which only exchanges have: nothing live trades on a made-up market."""
    if market.live is None:
        return None
    settings, opened = base.settings, market.live
    providers = load_providers(base.clock, settings.provider_urls)
    keys = build_keys(base, build_accounts(base), providers)
    opener = KeyedAccounts(
        base.store, PgAccounts(base.database), keys, opened.exchanges, opened.markets, opened.listed
    )
    arrivals = Arrivals()
    parts = LiveParts(
        base.store, base.clock, base.ids, opener, arrivals, build_notices(base),
        {item.id: item for listed in opened.listed.values() for item in listed}, market.feed.origin,
    )  # fmt: skip
    return LiveDesk(LiveAccounts(parts), arrivals)


async def _open_market(base: Foundation, market: str, running: Mapping[UUID, Bot]) -> Market:
    if market == SANDBOX:
        feed = _sandbox_feed(base)
        return Market(feed, lambda _: feed.status())
    # Imported here because ccxt takes seconds to load, which the sandbox need not wait for.
    from amarktai.bootstrap.live_market import open_live_market

    def is_traded(instrument_id: str) -> bool:
        return any(bot.instrument_id == instrument_id for bot in running.values())

    live = await open_live_market(base, is_traded)
    return Market(live.feed, live.status_of, live.unverified, live.recording_problem, live)


def _sandbox_feed(base: Foundation) -> SandboxFeed:
    instruments = [
        instrument
        for spec in load_specs().values()
        if FeedKind.SANDBOX in spec.feeds
        for instrument in spec.instruments
        if {instrument.base, instrument.quote} <= REFERENCES.keys()
    ]
    return SandboxFeed(instruments, seed=base.settings.sandbox_seed, clock=base.clock)
