"""What a request can reach. ``bootstrap`` fills the container."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.api.build import BuildInfo
from amarktai.config import Settings
from amarktai.ports.clock import Clock
from amarktai.ports.live import LiveHub
from amarktai.services.account_reports import AccountReports
from amarktai.services.alerts import Alerts
from amarktai.services.audit import AuditTrail
from amarktai.services.benchmark import BenchmarkService
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService
from amarktai.services.circuit_breakers import CircuitBreakers
from amarktai.services.differences import Differences
from amarktai.services.emergency import Emergency
from amarktai.services.exports import Exports
from amarktai.services.factors import Factors
from amarktai.services.idempotency import Idempotency
from amarktai.services.invites import Invites
from amarktai.services.keys import Keys
from amarktai.services.ledger_reports import LedgerReports
from amarktai.services.markets import MarketService
from amarktai.services.metrics import Metrics
from amarktai.services.modes import Modes
from amarktai.services.order_history import OrderHistory
from amarktai.services.platforms import PlatformService
from amarktai.services.profits import ProfitService
from amarktai.services.readiness import Readiness
from amarktai.services.resolutions import Resolutions
from amarktai.services.risk_limits import RiskLimits
from amarktai.services.sessions import Sessions
from amarktai.services.setup import Setup
from amarktai.services.system import EventHistory, System
from amarktai.services.tokens import Tokens
from amarktai.services.trades import TradeService
from amarktai.services.users import Users
from amarktai.services.wallet import WalletService


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a request can reach."""

    settings: Settings
    clock: Clock
    setup: Setup
    sessions: Sessions
    users: Users
    invites: Invites
    audit: AuditTrail
    tokens: Tokens
    factors: Factors
    keys: Keys
    idempotency: Idempotency
    alerts: Alerts
    system: System
    events: EventHistory
    live: LiveHub
    build: BuildInfo
    emergency: Emergency
    modes: Modes
    readiness: Readiness
    metrics: Metrics
    risk_limits: RiskLimits
    breakers: CircuitBreakers
    bots: BotService
    bot_views: BotViews
    trades: TradeService
    orders: OrderHistory
    ledger: LedgerReports
    profits: ProfitService
    benchmark: BenchmarkService
    exports: Exports
    platforms: PlatformService
    wallet: WalletService
    markets: MarketService
    accounts: AccountReports
    differences: Differences
    resolutions: Resolutions
