"""The API process: every service behind a route, the realtime hub, the dashboard."""

from __future__ import annotations

import asyncio
import socket

from amarktai.api.app import create_app
from amarktai.api.build import BuildInfo
from amarktai.api.serve import server
from amarktai.api.services import Services
from amarktai.bootstrap.foundation import (
    MARK_MAX_AGE_S,
    Foundation,
    build_bot_views,
    build_bots,
    build_emergency,
    build_figures,
    build_fx,
    lay_foundation,
    real_time,
)
from amarktai.bootstrap.people import build_accounts, build_keys
from amarktai.bootstrap.readiness import (
    build_info,
    build_machine,
    build_name,
    build_readiness,
    reported_address,
)
from amarktai.config import Settings
from amarktai.domain.bar import Bars
from amarktai.domain.instrument import Instrument, Platform
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import Capability
from amarktai.ports.providers import ProviderRegistry
from amarktai.ports.readiness import Machine
from amarktai.providers.registry import load_providers
from amarktai.realtime.hub import Hub
from amarktai.realtime.protocol import FrameProtocol
from amarktai.realtime.relay import Relay
from amarktai.services.account_reports import AccountReports
from amarktai.services.accounts import AccountServices
from amarktai.services.alerts import Alerts
from amarktai.services.benchmark import BenchmarkService
from amarktai.services.circuit_breakers import CircuitBreakers
from amarktai.services.differences import Differences
from amarktai.services.exports import Exports
from amarktai.services.ledger_reports import LedgerReports
from amarktai.services.markets import BarsBefore, MarketService
from amarktai.services.metrics import Metrics
from amarktai.services.modes import Gate, Modes
from amarktai.services.order_history import OrderHistory
from amarktai.services.platforms import PlatformService
from amarktai.services.profits import ProfitService
from amarktai.services.resolutions import Resolutions
from amarktai.services.risk_limits import RiskLimits
from amarktai.services.system import EventHistory, System
from amarktai.services.trades import TradeService
from amarktai.services.users import NewUser
from amarktai.services.wallet import WalletService
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.candles import ParquetCandleStore
from amarktai.storage.events import PgEvents
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.system import PgSystem
from amarktai.system.logs import ERRORS
from amarktai.venues.spec import load_specs
from amarktai.workers.heartbeat import WithHealth, beat

_ADMIN_NAME = "Admin"


def build_services(
    base: Foundation,
    hub: Hub,
    build: BuildInfo,
    accounts: AccountServices,
    providers: ProviderRegistry,
) -> Services:
    """Return everything that a request can reach."""
    settings, clock = base.settings, base.clock
    reporting = PgReporting(base.database)
    views = build_bot_views(base)
    notes = {platform: spec.note for platform, spec in load_specs().items()}
    fx = build_fx(MARK_MAX_AGE_S)
    bots = build_bots(base, fx, settings.bot_caps)
    trades = TradeService(reporting)
    profits = ProfitService(reporting, clock, lambda: build_fx(MARK_MAX_AGE_S))
    system = System(PgSystem(base.database), clock=clock, market=settings.feeds)
    markets = MarketService(
        base.catalog,
        ParquetCandleStore(settings.home / "candles"),
        clock,
        notes=notes,
        synthetic=_synthetic_bars(settings.sandbox_seed, clock),
        is_sandbox=system.is_sandbox,
    )
    keys, orders = build_keys(base, accounts, providers), OrderHistory(reporting)
    name, address = build_name(build), reported_address(base)
    readiness = build_readiness(base, system, name, address)
    figures = build_figures(base)
    gate = Gate(readiness, PgReadiness(base.database), accounts.factors.require_fresh)
    return Services(
        settings=settings,
        clock=clock,
        setup=accounts.setup,
        sessions=accounts.sessions,
        users=accounts.users,
        invites=accounts.invites,
        tokens=accounts.tokens,
        factors=accounts.factors,
        keys=keys,
        audit=accounts.audit,
        idempotency=accounts.idempotency,
        alerts=Alerts(PgAlerting(base.database), clock=clock),
        system=system,
        events=EventHistory(PgEvents(base.database)),
        live=hub,
        build=build,
        emergency=build_emergency(base, bots),
        modes=Modes(base.store, gate, clock, base.ids),
        readiness=readiness,
        metrics=_metrics(base, hub, build_machine(base, name, address)),
        risk_limits=RiskLimits(base.store, clock, figures),
        breakers=CircuitBreakers(base.store, clock, figures),
        bots=bots,
        bot_views=views,
        trades=trades,
        orders=orders,
        ledger=LedgerReports(reporting, clock),
        profits=profits,
        benchmark=BenchmarkService(reporting, clock, markets.bars),
        exports=Exports(trades, profits),
        platforms=PlatformService(
            reporting, clock, catalog=base.catalog, bots=views, caps=settings.bot_caps, notes=notes
        ),
        wallet=WalletService(base.store, clock, base.ids, base.catalog, fx),
        markets=markets,
        accounts=AccountReports(base.store, keys, orders, _stops()),
        differences=Differences(base.store, clock),
        resolutions=Resolutions(base.store, clock),
    )


def _metrics(base: Foundation, hub: Hub, machine: Machine) -> Metrics:
    """Return what a monitoring system may ask for."""
    facts, system = PgReadiness(base.database), PgSystem(base.database)
    return Metrics(facts, system, base.catalog, machine, hub, base.clock)


def _stops() -> dict[Platform, Capability]:
    """Return whether a stop rests at each exchange, which then protects while the platform is down."""
    return {
        platform: spec.capabilities.table["stop order"]
        for platform, spec in load_specs().items()
        if spec.capabilities is not None
    }


def _synthetic_bars(seed: int, clock: Clock) -> BarsBefore:
    """Return the sandbox's bars, from a market that is only made when somebody looks at it."""

    async def fetch(instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        # Imported here because it compiles, which an API without a sandbox need not wait for.
        from amarktai.venues.sandbox import SandboxFeed

        return await SandboxFeed([instrument], seed=seed, clock=clock).fetch_bars(
            instrument, timeframe, count, before_ts
        )

    return fetch


async def prepare_first_admin(settings: Settings, app_url: str) -> str | None:
    """Make the first admin from the settings, or return the setup token that the browser will ask for."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    try:
        accounts = build_accounts(base)
        await accounts.vault.prepare()
        if settings.admin_email is not None and settings.admin_password is not None:
            password = settings.admin_password.get_secret_value()
            wanted = NewUser(_ADMIN_NAME, settings.admin_email, password, settings.timezone)
            await accounts.setup.complete_unattended(wanted)
            return None
        return await accounts.setup.prepare()
    finally:
        await base.close()


def _own_address(settings: Settings, listener: socket.socket) -> str:
    """Return where this machine reaches the server: what listens everywhere listens on loopback too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


async def run_api(settings: Settings, app_url: str, listener: socket.socket) -> None:
    """Serve the API, the realtime channels and the dashboard until told to stop."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    build = build_info(settings)
    accounts = build_accounts(base)
    await accounts.vault.prepare()
    hub = Hub(PgEvents(base.database), clock=clock, dashboard_sha=lambda: build.dashboard_sha)
    providers = load_providers(clock, settings.provider_urls)
    services = build_services(base, hub, build, accounts, providers)
    http = server(create_app(services), settings, websocket_protocol=FrameProtocol)
    beats, url = WithHealth(PgSystem(base.database), ERRORS.health), _own_address(settings, listener)
    told = {"url": url, "build": build_name(build)}
    background = [
        asyncio.create_task(Relay(app_url, hub, clock=clock).run()),
        asyncio.create_task(beat(beats, clock, "api", lambda: {"clients": hub.client_count, **told})),
    ]
    try:
        await http.serve(sockets=[listener])
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await hub.close()
        await base.close()
