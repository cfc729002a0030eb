"""A rehearsal put together: five twins, the real adapters with throw-away keys, the engine, a database."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.bootstrap.foundation import (
    Foundation,
    build_bots,
    build_fx,
    build_notices,
    lay_foundation,
)
from amarktai.bootstrap.live_accounts import KeyedAccounts
from amarktai.bootstrap.people import build_accounts, build_keys
from amarktai.bootstrap.replays import ReplayLogin, create_first_user, only_engine
from amarktai.bootstrap.twins import TWINS, made_up_account, running_twin
from amarktai.config import Settings
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Origin, Platform
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials, ProviderId
from amarktai.domain.readiness import REHEARSED_HOURS, ROLES
from amarktai.domain.risk_limits import EVERYBODY, Limit, LimitKind
from amarktai.domain.user import Identity, Scope
from amarktai.ports.accounts import Heartbeat
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import ClientIdScope, ExchangeAccount, Recall
from amarktai.ports.ids import Ids
from amarktai.ports.leases import Lease
from amarktai.ports.readiness import BACKUP_NOTE, REHEARSAL_NOTE
from amarktai.providers.registry import load_providers
from amarktai.services.arrivals import Arrivals
from amarktai.services.audit_watch import AuditWatch
from amarktai.services.differences import Differences
from amarktai.services.engine import EngineParts, TradingDesk, TradingEngine
from amarktai.services.fleet import Part
from amarktai.services.key_checks import KeyChecks
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.live_accounts import LiveAccounts, LiveParts
from amarktai.services.modes import Gate, Modes
from amarktai.services.order_recall import OrderRecall
from amarktai.services.orders import LIVE_POLICY, Desk, OrderService
from amarktai.services.readiness import Readiness
from amarktai.services.rehearsal import (
    MAX_AGE_S,
    STEP_S,
    Cast,
    Rehearsal,
    RehearsalFeed,
    RehearsalParts,
    RehearsalResult,
)
from amarktai.services.rehearsal_script import KeyDesk
from amarktai.services.system import LIVE, System
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.system import PgSystem
from amarktai.system.clock import StageClock
from amarktai.system.ids import TimeIds
from amarktai.system.rng import SeededRng
from amarktai.twins.accounts import Permission
from amarktai.twins.server import RunningTwin
from amarktai.venues.spec import load_specs

START_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
#: What each account holds at the start of the day.
MONEY: Final[Mapping[Platform, tuple[str, Decimal]]] = {
    Platform.LUNO: ("ZAR", Decimal(400_000)),
    Platform.BINANCE: ("USDT", Decimal(24_000)),
    Platform.KUCOIN: ("USDT", Decimal(24_000)),
    Platform.OVEX: ("ZAR", Decimal(400_000)),
    Platform.VALR: ("ZAR", Decimal(400_000)),
}
#: How much of it each of the two bots has; the rest is its owner's, who trades by hand.
_SHARE: Final = Decimal("0.45")
#: What the bots of each exchange trade, in its money.
TRADED: Final = ("BTC", "ETH")
#: What the rehearsal's platform lets everybody risk together: more than its accounts hold.
_LIMITS: Final = {
    LimitKind.DAILY_LOSS: Decimal(5_000_000),
    LimitKind.DRAWDOWN: Decimal(100),
    LimitKind.EXPOSURE: Decimal(50_000_000),
}
#: Real seconds for the streams to open before the day begins.
_OPENING_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class TwinStage:
    """One exchange's twin as the rehearsal moves and asks it. Implements ports.rehearsal.Stage."""

    platform: Platform
    twin: RunningTwin
    key: str

    def move(self) -> None:
        self.twin.control.move_markets()

    def strike(self, kind: str, operation: str) -> None:
        self.twin.control.arm(kind, operation, seconds=3.0)

    def clear(self) -> None:
        self.twin.control.clear()

    def deposit(self, asset: str, amount: Decimal) -> None:
        self.twin.control.deposit(self.key, self._code(asset), amount)

    def trade(self, instrument: Instrument, side: Side, quantity: Decimal) -> Decimal:
        symbol = load_specs()[self.platform].venue_symbol(instrument.base, instrument.quote)
        return self.twin.control.trade(self.key, symbol, side, quantity).filled

    def restart(self, seconds: float, *, cancel_all: bool) -> None:
        self.twin.control.restart(seconds=seconds, cancel_all=cancel_all)

    def grant_withdrawals(self, *, is_granted: bool) -> None:
        rights = {Permission.READ, Permission.TRADE} | ({Permission.WITHDRAW} if is_granted else set())
        self.twin.control.set_rights(self.key, permissions=frozenset(rights))

    def _code(self, asset: str) -> str:
        """Return the exchange's own code of an asset that the account holds."""
        spec = load_specs()[self.platform].assets
        code = spec.get(asset, asset)
        held = self.twin.control.balances(self.key)
        return next((theirs for theirs in held if theirs.upper() == code.upper()), code)

    def totals(self) -> dict[str, Decimal]:
        theirs = {code: ours for ours, code in load_specs()[self.platform].assets.items()}
        held = self.twin.control.balances(self.key)
        return {theirs.get(asset, asset.upper()): total for asset, (total, _) in held.items()}


@dataclass(frozen=True, slots=True)
class _Scenery:
    """The twins with what the platform has of them: keys, addresses, and who listens to the accounts."""

    casts: Sequence[Cast]
    keys: KeyDesk
    urls: Mapping[Platform, str]
    listeners: asyncio.TaskGroup


async def rehearse(
    settings: Settings,
    app_url: str,
    login: ReplayLogin,
    seed: int,
    steps: int,
    told: Callable[[int], None],
) -> RehearsalResult:
    """Play one day in its own, empty database."""
    clock = StageClock(START_NS)
    ids = TimeIds(clock, SeededRng(f"rehearsal:{seed}"))
    base = lay_foundation(settings, app_url, clock, ids)
    try:
        user_id = await create_first_user(base, login)
        async with AsyncExitStack() as stack:
            lease = await stack.enter_async_context(only_engine(base, "rehearsal"))
            recall = OrderRecall(base.store, user_id)
            casts, credentials, urls = await _gather(stack, clock, seed, recall)
            keys = await _key_desk(base, user_id, credentials, urls)
            await clock.drive(_set_the_stage(base, keys.who))
            group = await stack.enter_async_context(_listeners())
            scenery = _Scenery(casts, keys, urls, group)
            parts = _put_together(base, clock, ids, lease, scenery, seed)
            stack.push_async_callback(parts.accounts.close)
            return await Rehearsal(user_id, parts).run(steps, told)
    finally:
        await base.close()


async def _gather(
    stack: AsyncExitStack, clock: StageClock, seed: int, recall: Recall
) -> tuple[list[Cast], dict[Platform, Credentials], dict[Platform, str]]:
    """Start the five twins and open the real adapters on them; return their keys and addresses too."""
    stages: list[tuple[TwinStage, Credentials]] = []
    for platform, (asset, amount) in MONEY.items():
        code = next(
            market.quote for market in TWINS[platform].default_markets if market.quote.upper() == asset
        )
        account = made_up_account(platform, f"{code}={amount}", str(seed), ["read", "trade"])
        twin = await stack.enter_async_context(
            running_twin(
                platform, accounts=[account], seed=str(seed), clock=clock, turn_s=None, is_quiet=True
            )
        )
        credentials = Credentials(account.key, account.secret, account.passphrase)
        stages.append((TwinStage(platform, twin, account.key), credentials))
    urls = {stage.platform: stage.twin.url for stage, _ in stages}
    exchanges = Exchanges(clock, SeededRng(f"adapters:{seed}"), urls)
    casts = [await clock.drive(_cast(exchanges, stage, key, recall)) for stage, key in stages]
    for cast in casts:
        stack.push_async_callback(cast.account.close)
        stack.push_async_callback(cast.market.close)
    return casts, {stage.platform: key for stage, key in stages}, urls


async def _key_desk(
    base: Foundation,
    user_id: UUID,
    credentials: Mapping[Platform, Credentials],
    urls: Mapping[Platform, str],
) -> KeyDesk:
    """Return the platform's own keeping and checking of keys, asking the twins."""
    accounts, people = PgAccounts(base.database), build_accounts(base)
    await people.vault.prepare()
    providers = load_providers(base.clock, {ProviderId(name.value): url for name, url in urls.items()})
    keys = build_keys(base, people, providers)
    async with accounts.unit(None) as unit:
        found = await unit.users.get(user_id)
    assert found is not None  # it was made just now

    def new_checks() -> KeyChecks:
        started_at = to_datetime(base.clock.now_ns())
        alerting = PgAlerting(base.database)
        return KeyChecks(accounts, alerting, keys, providers, clock=base.clock, started_at=started_at)

    # The owner sits at a browser of their own, as whoever switches to live must.
    return KeyDesk(
        Identity(found[0], frozenset(Scope), session_id=base.ids.new()),
        keys,
        accounts,
        new_checks,
        credentials,
    )


class _StageReports(PgReadiness):
    """The facts of the rehearsal's books; the time is that of its stage."""

    def __init__(self, base: Foundation) -> None:
        super().__init__(base.database)
        self._base = base

    async def clock(self) -> datetime:
        return to_datetime(self._base.clock.now_ns())


class _StageSystem(PgSystem):
    """The rehearsal is the only process there is; the stage's others report at every moment."""

    def __init__(self, base: Foundation) -> None:
        super().__init__(base.database)
        self._base = base

    async def heartbeats(self) -> list[Heartbeat]:
        now = to_datetime(self._base.clock.now_ns())
        return [Heartbeat(role, 1, now, now, {}) for role in ROLES]


@dataclass(frozen=True, slots=True)
class _StageMachine:
    """What a rehearsal has no server and no earlier run for. Implements ports.readiness.Machine."""

    home: Path
    build: str = "rehearsal"
    stand_ins: tuple[str, ...] = ("every exchange",)

    async def disk(self) -> tuple[int, int]:
        usage = shutil.disk_usage(self.home)
        return usage.free, usage.total

    async def ask_server(self) -> None:
        """Nobody looks at a rehearsal while it runs."""

    async def ask_realtime(self) -> None:
        """Nobody looks at a rehearsal while it runs."""

    def stop_file(self) -> str | None:
        return None


def _modes(base: Foundation) -> Modes:
    """Return the platform's own switch and gate over the rehearsal's books."""
    reports, store = _StageReports(base), _StageSystem(base)
    system = System(store, clock=base.clock, market=LIVE)
    readiness = Readiness(reports, store, system, _StageMachine(base.settings.home), base.clock)
    return Modes(base.store, Gate(readiness, reports, _prove_nothing), base.clock, base.ids)


def _prove_nothing(_: Identity) -> None:
    """The rehearsal's owner has no second factor to show."""


async def _set_the_stage(base: Foundation, who: Identity) -> None:
    """Give the gate what a platform has of its earlier days: a backup, a rehearsal, limits.

    What the day itself brings about (keys, accounts, orders, the books) is judged as it is.
    """
    now = to_datetime(base.clock.now_ns())
    notes = PgReadiness(base.database)
    await notes.put_note(BACKUP_NOTE, {"made_at": now.isoformat()}, now)
    passed = {"passed_at": now.isoformat(), "build": "rehearsal", "hours": REHEARSED_HOURS}
    await notes.put_note(REHEARSAL_NOTE, passed, now)
    await AuditWatch(
        LedgerAudit(PgReporting(base.database)), notes, build_notices(base), base.clock
    ).run_round()
    async with base.store.unit_of_work(who.user_id) as unit:
        for kind, amount in _LIMITS.items():
            await unit.limits.put(Limit(kind, EVERYBODY, amount), now, "system:rehearsal")


async def _cast(exchanges: Exchanges, stage: TwinStage, credentials: Credentials, recall: Recall) -> Cast:
    stage.move()
    market = exchanges.open_market(stage.platform, credentials)
    listed = {item.symbol: item for item in await market.fetch_instruments()}
    asset, _ = MONEY[stage.platform]
    watched = [listed[f"{base}/{asset}"].id for base in TRADED]
    trader = exchanges.open_account(
        stage.platform, credentials, list(listed.values()), watched=watched, recall=recall
    )
    parts = _fleet(stage.platform, listed, trader)
    wanted = {part.instrument.symbol for part in parts} | {"USDT/ZAR"}
    instruments = [item for name, item in listed.items() if name in wanted]
    tells = trader.capabilities.client_id_scope is not ClientIdScope.NONE
    return Cast(stage, market, trader, parts, instruments, list(listed.values()), tells)


def _fleet(platform: Platform, listed: Mapping[str, Instrument], account: ExchangeAccount) -> list[Part]:
    """Return two bots: one follows the trend with orders at the market, one rests a grid of limit orders.

    Where an exchange has no limit orders both follow the trend; where it has no stops they do without.
    """
    asset, amount = MONEY[platform]
    name, types = DISPLAY_NAMES[platform], account.capabilities.order_types
    stop = 0.003 if OrderType.STOP_MARKET in types else 0.0
    trend = {"fast": 2, "slow": 5, "stop": stop, "target": 0.0, "trailing": 0.0}
    bitcoin, ether = (listed[f"{base}/{asset}"] for base in TRADED)
    second = (
        Part(f"{name} grid", ether, "grid", {"levels": 3, "spacing": 0.002, "stop": 0.0}, amount * _SHARE)
        if OrderType.LIMIT in types
        else Part(
            f"{name} second trend", ether, "ema_cross", {**trend, "fast": 3, "slow": 8}, amount * _SHARE
        )
    )
    return [Part(f"{name} trend", bitcoin, "ema_cross", trend, amount * _SHARE), second]


def _put_together(
    base: Foundation,
    clock: StageClock,
    ids: Ids,
    lease: Lease,
    scenery: _Scenery,
    seed: int,
) -> RehearsalParts:
    """Return the engine of live trading over the adapters, with the accounts that it reconciles."""
    casts, keys = scenery.casts, scenery.keys
    feed = RehearsalFeed([item for cast in casts for item in cast.instruments])
    running: dict[UUID, Bot] = {}
    fx = build_fx(MAX_AGE_S + STEP_S)
    policy = replace(LIVE_POLICY, max_data_age_s=MAX_AGE_S)
    instruments = {item.id: item for item in feed.instruments}
    arrivals = Arrivals()
    opener = KeyedAccounts(
        base.store, keys.accounts, keys.keys, Exchanges(clock, SeededRng(f"accounts:{seed}"), scenery.urls),
        {cast.stage.platform: cast.market for cast in casts},
        {cast.stage.platform: cast.listed for cast in casts},
    )  # fmt: skip
    accounts = LiveAccounts(
        LiveParts(
            base.store, clock, ids, opener, arrivals, build_notices(base), instruments, Origin.SYNTHETIC
        )
    )
    desk = Desk(
        accounts, instruments, running, fx, policy, lease, TradingMode.LIVE, arrivals=arrivals
    )  # fmt: skip
    orders = OrderService(base.store, clock, ids, desk)
    bots = build_bots(base, fx, base.settings.bot_caps)
    desks = {TradingMode.LIVE: TradingDesk(orders, {})}
    engine = TradingEngine(
        base.store, clock, feed, EngineParts(desks, bots, build_notices(base), running, fx, 3_600.0)
    )
    return RehearsalParts(
        clock, ids, SeededRng(f"faults:{seed}"), base.store, base.catalog, PgReporting(base.database),
        feed, engine, orders, fx, casts, keys, arrivals, accounts, Differences(base.store, clock),
        scenery.listeners, _modes(base),
    )  # fmt: skip


@asynccontextmanager
async def _listeners() -> AsyncIterator[asyncio.TaskGroup]:
    """Keep what listens to the accounts until these are closed; a listener's own failure fails the block."""
    async with asyncio.TaskGroup() as group:
        yield group
