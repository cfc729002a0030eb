"""The composition root: the only file that names concrete adapters."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from amarktai.api.app import UI_FOLDER, create_app
from amarktai.api.build import BuildInfo, read_build
from amarktai.api.serve import server
from amarktai.api.services import Services
from amarktai.config import Settings
from amarktai.domain.bot import Bot
from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.fill_model import ExecutionProfile
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.user import Role, User
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import Feed, FeedStatus, Recording
from amarktai.ports.leases import Lease
from amarktai.ports.venue import SimulatedVenue
from amarktai.realtime.hub import Hub
from amarktai.realtime.protocol import FrameProtocol
from amarktai.realtime.relay import Relay
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.alerts import Alerts
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService
from amarktai.services.engine import EngineParts, SettableClock, TradingEngine
from amarktai.services.fx import FxRates
from amarktai.services.ledger_reports import LedgerReports
from amarktai.services.markets import MarketService
from amarktai.services.order_history import OrderHistory
from amarktai.services.orders import Desk, OrderPolicy, OrderService
from amarktai.services.passwords import Passwords
from amarktai.services.platforms import PlatformService
from amarktai.services.profits import ProfitService
from amarktai.services.replay import FeedSpec, ReplayParts, ReplayResult, ReplaySpec, run_replay
from amarktai.services.retention import Retention
from amarktai.services.secrets import new_secret
from amarktai.services.sessions import SessionRules
from amarktai.services.system import SANDBOX, EventHistory, System
from amarktai.services.trades import TradeService
from amarktai.services.users import NewUser
from amarktai.services.wallet import WalletService
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.bar_files import read_bars
from amarktai.storage.candles import ParquetCandleStore
from amarktai.storage.catalog import PgCatalog
from amarktai.storage.changes import PgChanges
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.events import PgEvents
from amarktai.storage.leases import PgLeases
from amarktai.storage.migrate import migrate, self_test
from amarktai.storage.prices import PgPriceTicker
from amarktai.storage.reports import PgReporting
from amarktai.storage.retention import PgRetention
from amarktai.storage.system import PgSystem
from amarktai.storage.tallies import PgTallies
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.clock import SystemClock, VirtualClock
from amarktai.system.ids import TimeIds
from amarktai.system.logs import configure_logs
from amarktai.system.rng import SeededRng, SystemRng
from amarktai.venues.binance_capture import BinanceCaptureFeed
from amarktai.venues.ecb import EcbFixings
from amarktai.venues.paper import PaperVenue
from amarktai.venues.replay import MergedFeed, Span, candle_feed
from amarktai.venues.replay_quotes import luno_quote_feed
from amarktai.venues.sandbox import REFERENCES, SandboxFeed
from amarktai.venues.spec import FeedKind, load_specs
from amarktai.workers.engine import EngineDuties, EngineWorker, wait_for_lease
from amarktai.workers.heartbeat import beat
from amarktai.workers.jobs import JobsWorker

__all__ = ["configure_logs"]

_ADMIN_NAME = "Admin"
_SNAPSHOT_EVERY_S = 300.0
#: A price older than this values nothing: the figure is unknown, with a reason.
MARK_MAX_AGE_S = 900.0
#: A replay may run more bots on one exchange than a person may.
_REPLAY_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every role of the platform stands on: time, ids and the database."""

    settings: Settings
    clock: SettableClock
    ids: TimeIds
    database: Database
    store: PgStore
    catalog: PgCatalog

    async def close(self) -> None:
        await self.database.close()


def start_database(settings: Settings) -> tuple[EmbeddedPostgres | None, DatabaseUrls]:
    """Start the embedded server (or use the one that is named), bring its schema up to date, test it.

    Raises: Unavailable and BrokenInvariant with what to do.
    """
    if settings.database_url is not None:
        app = settings.database_url.get_secret_value()
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else ""
        urls = DatabaseUrls(owner=owner, app=app, auditor="")
        server = None
    else:
        server = EmbeddedPostgres(settings.home, SystemRng())
        urls = server.start()
    if urls.owner:
        migrate(urls.owner)
    self_test(urls.app)
    return server, urls


def lay_foundation(settings: Settings, app_url: str, clock: SettableClock, ids: TimeIds) -> Foundation:
    """Open the database for one process."""
    database = Database(app_url, pool_size=settings.database_pool_size)
    return Foundation(settings, clock, ids, database, PgStore(database, ids, clock), PgCatalog(database))


def real_time() -> tuple[SystemClock, TimeIds]:
    """Return the clock and ids of a process that lives in real time."""
    clock = SystemClock()
    return clock, TimeIds(clock, SystemRng())


@cache
def _fixings() -> EcbFixings:
    """Return the one history of fixings: reading it takes a quarter of a second."""
    return EcbFixings()


def build_fx(max_age_s: float) -> FxRates:
    """Return the rates with the ECB's fixings as their last resort."""
    return FxRates([_fixings()], max_age_s=max_age_s)


def build_bots(base: Foundation, fx: FxRates, caps: Mapping[Platform, int]) -> BotService:
    """Return the write side of bots."""
    return BotService(
        base.store,
        base.clock,
        base.ids,
        catalog=base.catalog,
        fx=fx,
        caps=caps,
        view=build_bot_views(base).in_unit,
    )


def build_bot_views(base: Foundation) -> BotViews:
    """Return the read side of bots."""
    return BotViews(PgReporting(base.database), base.clock, lambda: build_fx(MARK_MAX_AGE_S))


def build_services(
    base: Foundation,
    hub: Hub,
    build: BuildInfo,
    accounts: AccountServices,
) -> Services:
    """Return everything that a request can reach."""
    settings, clock = base.settings, base.clock
    reporting = PgReporting(base.database)
    views = build_bot_views(base)
    notes = {platform: spec.note for platform, spec in load_specs().items()}
    fx = build_fx(MARK_MAX_AGE_S)
    return Services(
        settings=settings,
        clock=clock,
        setup=accounts.setup,
        sessions=accounts.sessions,
        users=accounts.users,
        invites=accounts.invites,
        tokens=accounts.tokens,
        audit=accounts.audit,
        idempotency=accounts.idempotency,
        alerts=Alerts(PgAlerting(base.database), clock=clock),
        system=System(PgSystem(base.database), clock=clock, market=settings.feeds),
        events=EventHistory(PgEvents(base.database)),
        live=hub,
        build=build,
        bots=build_bots(base, fx, settings.bot_caps),
        bot_views=views,
        trades=TradeService(reporting),
        orders=OrderHistory(reporting),
        ledger=LedgerReports(reporting, clock),
        profits=ProfitService(reporting, clock, lambda: build_fx(MARK_MAX_AGE_S)),
        platforms=PlatformService(
            reporting, clock, catalog=base.catalog, bots=views, caps=settings.bot_caps, notes=notes
        ),
        wallet=WalletService(base.store, clock, base.ids, base.catalog, fx),
        markets=MarketService(
            base.catalog, ParquetCandleStore(settings.home / "candles"), clock, notes=notes
        ),
    )


def build_accounts(base: Foundation) -> AccountServices:
    """Return the services of people, sessions and tokens."""
    settings, rng = base.settings, SystemRng()
    sessions = SessionRules(
        timedelta(minutes=settings.session_idle_minutes),
        timedelta(days=settings.session_absolute_days),
        tries_per_account=settings.login_tries_per_account,
        tries_per_address=settings.login_tries_per_address,
    )
    rules = AccountRules(sessions, timedelta(days=settings.invite_days))
    return build_account_services(
        PgAccounts(base.database), Passwords(rng), rules, clock=base.clock, ids=base.ids, rng=rng
    )


def build_engine(
    base: Foundation, feed: Feed, fx: FxRates, lease: Lease, *, bots: BotService, snapshot_every_s: float
) -> TradingEngine:
    """Return an engine that trades on paper on this feed."""
    running: dict[UUID, Bot] = {}
    venues = _paper_venues(base, feed)
    instruments = {instrument.id: instrument for instrument in feed.instruments}
    policy = OrderPolicy(max_data_age_s=feed.max_age_s)
    orders = OrderService(
        base.store, base.clock, base.ids, Desk(venues, instruments, running, fx, policy, lease)
    )
    parts = EngineParts(venues, orders, bots, running, fx, snapshot_every_s)
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


# -- replay ------------------------------------------------------------------------------------------


def build_replay_feed(spec: ReplaySpec, data: Path) -> Recording:
    """Open the recordings of a replay.

    Raises: InvalidInput naming the file and what to do.
    """
    span = Span(spec.since_ts, spec.until_ts)
    feeds = [_OPENERS[feed.kind](feed, data, span) for feed in spec.feeds]
    return feeds[0] if len(feeds) == 1 else MergedFeed(feeds)


def _open_luno(feed: FeedSpec, data: Path, span: Span) -> Recording:
    return luno_quote_feed(data / feed.path, feed.pairs, span)


def _open_candles(feed: FeedSpec, data: Path, span: Span) -> Recording:
    instrument = _instrument(feed)
    if feed.timeframe is None:
        raise InvalidInput("REPLAY_SPEC", "A feed of candles needs its timeframe", 'Add timeframe = "1h".')
    bars = read_bars(data / feed.path, feed.timeframe, feed.columns)
    title = f"{instrument.symbol} {feed.timeframe} from {Path(feed.path).name}"
    return candle_feed([(instrument, bars)], title=title, span=span)


def _open_capture(feed: FeedSpec, data: Path, span: Span) -> Recording:
    return BinanceCaptureFeed([data / path for path in feed.paths], span)


_OPENERS: dict[str, Callable[[FeedSpec, Path, Span], Recording]] = {
    "luno_quotes": _open_luno,
    "candles": _open_candles,
    "binance_capture": _open_capture,
}


def _instrument(feed: FeedSpec) -> Instrument:
    if feed.platform is None or feed.pair is None:
        raise InvalidInput("REPLAY_SPEC", "This feed needs a platform and a pair", 'Add pair = "BTC/USDT".')
    return load_specs()[feed.platform].instrument(feed.pair)


@dataclass(frozen=True, slots=True)
class ReplayLogin:
    """Who may open the result in the dashboard."""

    email: str
    password: str


async def replay(
    spec: ReplaySpec, settings: Settings, app_url: str, login: ReplayLogin, progress: Callable[[int], None]
) -> ReplayResult:
    """Run a replay in its own, empty database."""
    feed = build_replay_feed(spec, settings.data)
    clock = VirtualClock(replay_span(spec, settings.data)[0])
    ids = TimeIds(clock, SeededRng(f"replay:{spec.seed}"))
    base = lay_foundation(settings, app_url, clock, ids)
    try:
        user_id = await _replay_user(base, login)
        fx = build_fx(feed.max_age_s)
        bots = build_bots(base, fx, dict.fromkeys(Platform, _REPLAY_CAP))
        lease = await PgLeases(base.database).take("engine", "replay", clock.now_ns(), ttl_s=10**9)
        engine = build_engine(base, feed, fx, lease, bots=bots, snapshot_every_s=spec.snapshot_hours * 3600)
        wallet = WalletService(base.store, clock, ids, base.catalog, fx)
        parts = ReplayParts(clock, feed, engine, bots, wallet, base.catalog, PgTallies(base.database))
        return await run_replay(spec, user_id, parts, progress)
    finally:
        await base.close()


def replay_span(spec: ReplaySpec, data: Path) -> tuple[int, int]:
    """Return the times (ns) of a replay's first and last event."""
    first, last = build_replay_feed(spec, data).span()
    if first > last:
        raise InvalidInput("REPLAY_SPEC", "Nothing was recorded in that span", "Widen since and until.")
    return first, last


def new_password() -> str:
    """Return a password that nobody can guess."""
    return new_secret(SystemRng())[:20]


async def _replay_user(base: Foundation, login: ReplayLogin) -> UUID:
    hashed = await Passwords(SystemRng()).hash(login.password)
    user = User(
        id=base.ids.new(),
        email=login.email,
        name="Replay",
        role=Role.ADMIN,
        timezone=base.settings.timezone,
        created_at=to_datetime(base.clock.now_ns()),
    )
    async with PgAccounts(base.database).unit(None) as unit:
        await unit.users.insert(user, hashed)
    return user.id


# -- processes ---------------------------------------------------------------------------------------


def attach_database(settings: Settings) -> str:
    """Return the URL of the running database for one role.

    Raises: Unavailable when the embedded server does not run and no other one is named.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = EmbeddedPostgres(settings.home, SystemRng())
    if not server.is_running():
        raise Unavailable(
            "DATABASE_UNAVAILABLE",
            f"No database runs in {settings.home}",
            "Start everything with amarktai up, or name a PostgreSQL server in AMARKTAI_DATABASE_URL.",
        )
    return server.urls().app


def database_keeper(database: EmbeddedPostgres | None) -> Callable[[], None]:
    """Return what brings the embedded server back when it was killed."""

    def keep() -> None:
        if database is not None and not database.is_running():
            database.start()

    return keep


async def prepare_first_admin(settings: Settings, app_url: str) -> str | None:
    """Make the first admin from the settings, or return the setup token that the browser will ask for."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    try:
        accounts = build_accounts(base)
        if settings.admin_email is not None and settings.admin_password is not None:
            password = settings.admin_password.get_secret_value()
            wanted = NewUser(_ADMIN_NAME, settings.admin_email, password, settings.timezone)
            await accounts.setup.complete_unattended(wanted)
            return None
        return await accounts.setup.prepare()
    finally:
        await base.close()


async def run_api(settings: Settings, app_url: str, listener: socket.socket) -> None:
    """Serve the API, the realtime channels and the dashboard until told to stop."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    build = read_build(
        os.environ, environment=settings.environment, host=socket.gethostname(), ui_folder=UI_FOLDER
    )
    hub = Hub(PgEvents(base.database), clock=clock, dashboard_sha=lambda: build.dashboard_sha)
    services = build_services(base, hub, build, build_accounts(base))
    http = server(create_app(services), settings, websocket_protocol=FrameProtocol)
    beats = PgSystem(base.database)
    background = [
        asyncio.create_task(Relay(app_url, hub, clock=clock).run()),
        asyncio.create_task(beat(beats, clock, "api", lambda: {"clients": hub.client_count})),
    ]
    try:
        await http.serve(sockets=[listener])
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await hub.close()
        await base.close()


async def run_engine(settings: Settings, app_url: str) -> None:
    """Trade until cancelled. Raises: StartAnew when the market was switched; Conflict LEASE_HELD."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    market = await PgSystem(base.database).market() or settings.feeds
    leases = PgLeases(base.database)
    try:
        lease = await wait_for_lease(leases, clock)
        try:
            await (await _engine_worker(base, app_url, market, lease)).run()
        finally:
            await leases.give_up(lease)
    finally:
        await base.close()


async def _engine_worker(base: Foundation, app_url: str, market: str, lease: Lease) -> EngineWorker:
    feed, status = await _open_market(base, market)
    fx = build_fx(MARK_MAX_AGE_S)
    bots = build_bots(base, fx, base.settings.bot_caps)
    engine = build_engine(base, feed, fx, lease, bots=bots, snapshot_every_s=_SNAPSHOT_EVERY_S)
    duties = EngineDuties(
        clock=base.clock,
        feed=feed,
        catalog=base.catalog,
        leases=PgLeases(base.database),
        prices=PgPriceTicker(base.database),
        changes=PgChanges(app_url, base.database, base.clock),
        beats=PgSystem(base.database),
        feed_status=status,
    )
    return EngineWorker(engine, lease, duties)


async def run_jobs(settings: Settings, app_url: str) -> None:
    """Keep house until cancelled."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    retention = Retention(
        PgRetention(base.database), events_kept=timedelta(days=settings.event_retention_days)
    )
    try:
        await JobsWorker(clock, PgSystem(base.database), retention).run()
    finally:
        await base.close()


async def _open_market(base: Foundation, market: str) -> tuple[Feed, Callable[[Platform], FeedStatus]]:
    if market == SANDBOX:
        feed = _sandbox_feed(base)
        return feed, lambda _: feed.status()
    raise NotImplementedError


def _sandbox_feed(base: Foundation) -> SandboxFeed:
    instruments = [
        instrument
        for spec in load_specs().values()
        if FeedKind.SANDBOX in spec.feeds
        for instrument in spec.instruments
        if {instrument.base, instrument.quote} <= REFERENCES.keys()
    ]
    return SandboxFeed(instruments, seed=base.settings.sandbox_seed, clock=base.clock)
