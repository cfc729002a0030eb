"""What the routes need from the services. ``bootstrap`` fills the container.

Views are mappings in the exact shape of the response models in ``api/models``: the same shape goes
out in events, so it is made in one place, the service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from amarktai.config import Settings
from amarktai.domain.bot import BotAction, BotStatus, RiskMode, TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.user import Identity
from amarktai.services.alerts import Alerts
from amarktai.services.audit import AuditTrail
from amarktai.services.idempotency import Idempotency
from amarktai.services.invites import Invites
from amarktai.services.paging import Page
from amarktai.services.sessions import Sessions
from amarktai.services.setup import Setup
from amarktai.services.system import EventHistory, System
from amarktai.services.tokens import Tokens
from amarktai.services.users import Users

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewBot:
    """What ``POST /api/bots`` asks for; the service validates against strategy, market and wallet."""

    name: str
    platform: str
    pair: str
    strategy: str
    params: Mapping[str, Any]
    timeframe: str | None
    risk_mode: RiskMode
    capital_zar: Decimal
    start: bool


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which round trips, in which order. ``sort`` is a column name, with ``-`` for descending."""

    status: str | None = None
    mode: TradingMode | None = None
    bot_id: UUID | None = None
    platform: Platform | None = None
    pair: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "-opened_at"


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders. ``is_open`` keeps those that can still change."""

    bot_id: UUID | None = None
    state: str | None = None
    is_open: bool | None = None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which ledger entries."""

    bot_id: UUID | None = None
    trade_id: UUID | None = None
    asset: str | None = None


class Bots(Protocol):
    async def list_bots(
        self,
        who: Identity,
        *,
        platform: Platform | None,
        status: BotStatus | None,
        mode: TradingMode | None,
        cursor: str | None,
        limit: int,
    ) -> Page: ...

    async def create(self, who: Identity, wanted: NewBot) -> View: ...

    async def get(self, who: Identity, bot_id: UUID) -> View: ...

    async def update(self, who: Identity, bot_id: UUID, changes: Mapping[str, Any]) -> View: ...

    async def act(self, who: Identity, bot_id: UUID, action: BotAction, reason: str | None) -> View:
        """Start, pause, resume, stop or delete, and return the bot after it."""

    async def act_on_all(self, who: Identity, action: BotAction) -> View:
        """Return ``{changed, skipped: [{bot_id, name, reason}]}``."""

    async def decisions(self, who: Identity, bot_id: UUID, *, cursor: str | None, limit: int) -> Page: ...

    async def equity(self, who: Identity, bot_id: UUID, span: str) -> View: ...

    def strategies(self) -> Sequence[View]: ...


class Trades(Protocol):
    async def list_trades(
        self, who: Identity, wanted: TradeFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def get(self, who: Identity, trade_id: UUID) -> View:
        """Return ``{trade, fills}``."""


class Orders(Protocol):
    async def list_orders(
        self, who: Identity, wanted: OrderFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def get(self, who: Identity, order_id: UUID) -> View:
        """Return ``{order, events, fills}``."""


class Ledger(Protocol):
    async def entries(
        self, who: Identity, wanted: EntryFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def verify(self, who: Identity) -> View: ...


class Profits(Protocol):
    async def profits(self, who: Identity, *, period: str, mode: TradingMode | None) -> View: ...

    async def summary(self, who: Identity, *, mode: TradingMode | None) -> View: ...

    async def equity(self, who: Identity, *, mode: TradingMode | None, span: str) -> View: ...


class Platforms(Protocol):
    async def summary(self, who: Identity, *, mode: TradingMode | None) -> View: ...

    async def bots(self, who: Identity, platform: Platform, *, mode: TradingMode | None) -> View: ...


class Wallet(Protocol):
    async def paper(self, who: Identity) -> View: ...

    async def fund(self, who: Identity, amount: Decimal) -> View: ...


class Markets(Protocol):
    async def instruments(self, *, platform: Platform | None, cursor: str | None, limit: int) -> Page: ...

    async def candles(
        self, instrument_id: str, *, timeframe: str, until: datetime | None, limit: int
    ) -> View: ...

    async def feeds(self) -> Sequence[View]: ...


class Build(Protocol):
    def view(self) -> View:
        """Return what ``GET /api/system/build`` shows."""

    @property
    def dashboard_sha(self) -> str | None:
        """The commit of the dashboard that is served, or None when there is none."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a request can reach."""

    settings: Settings
    setup: Setup
    sessions: Sessions
    users: Users
    invites: Invites
    tokens: Tokens
    audit: AuditTrail
    idempotency: Idempotency
    alerts: Alerts
    system: System
    events: EventHistory
    build: Build
    bots: Bots
    trades: Trades
    orders: Orders
    ledger: Ledger
    profits: Profits
    platforms: Platforms
    wallet: Wallet
    markets: Markets
