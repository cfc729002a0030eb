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

from amarktai.api.build import BuildInfo
from amarktai.config import Settings
from amarktai.domain.bot import Bot, BotAction, BotStatus, TradingMode
from amarktai.domain.instrument import Platform
from amarktai.ports.clock import Clock
from amarktai.ports.live import LiveHub
from amarktai.services.alerts import Alerts
from amarktai.services.audit import AuditTrail
from amarktai.services.bots import NewBot
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


class BotCommands(Protocol):
    """The write side of bots: ``services.bots.BotService``."""

    async def create(self, user_id: UUID, wanted: NewBot) -> Bot: ...

    async def act(self, user_id: UUID, bot_id: UUID, action: BotAction, reason: str | None = None) -> Bot: ...

    async def act_on_all(self, user_id: UUID, action: BotAction) -> View:
        """Return ``{changed, skipped: [{bot_id, name, reason}]}``."""

    async def update(self, user_id: UUID, bot_id: UUID, changes: Mapping[str, Any]) -> Bot: ...


@dataclass(frozen=True, slots=True)
class BotFilter:
    """Which bots."""

    platform: Platform | None = None
    status: BotStatus | None = None
    mode: TradingMode | None = None


class BotViews(Protocol):
    """The read side of bots."""

    async def list_bots(
        self, user_id: UUID, wanted: BotFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def get(self, user_id: UUID, bot_id: UUID) -> View: ...

    async def decisions(self, user_id: UUID, bot_id: UUID, *, cursor: str | None, limit: int) -> Page: ...

    async def equity(self, user_id: UUID, bot_id: UUID, span: str) -> View: ...

    def strategies(self) -> Sequence[View]: ...


class Trades(Protocol):
    async def list_trades(
        self, user_id: UUID, wanted: TradeFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def get(self, user_id: UUID, trade_id: UUID) -> View:
        """Return ``{trade, fills}``."""


class Orders(Protocol):
    async def list_orders(
        self, user_id: UUID, wanted: OrderFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def get(self, user_id: UUID, order_id: UUID) -> View:
        """Return ``{order, events, fills}``."""


class Ledger(Protocol):
    async def entries(
        self, user_id: UUID, wanted: EntryFilter, *, cursor: str | None, limit: int
    ) -> Page: ...

    async def verify(self, user_id: UUID) -> View: ...


class Profits(Protocol):
    async def profits(self, user_id: UUID, *, period: str, mode: TradingMode | None) -> View: ...

    async def summary(self, user_id: UUID, *, mode: TradingMode | None) -> View: ...

    async def equity(self, user_id: UUID, *, mode: TradingMode | None, span: str) -> View: ...


class Platforms(Protocol):
    async def summary(self, user_id: UUID, *, mode: TradingMode | None) -> View: ...

    async def bots(self, user_id: UUID, platform: Platform, *, mode: TradingMode | None) -> View: ...


class Wallet(Protocol):
    async def view(self, user_id: UUID) -> View: ...

    async def fund(self, user_id: UUID, amount: Decimal) -> View: ...


class Markets(Protocol):
    async def instruments(self, *, platform: Platform | None, cursor: str | None, limit: int) -> Page: ...

    async def candles(
        self, instrument_id: str, *, timeframe: str, until: datetime | None, limit: int
    ) -> View: ...

    async def feeds(self) -> Sequence[View]: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a request can reach."""

    settings: Settings
    clock: Clock
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
    live: LiveHub
    build: BuildInfo
    bots: BotCommands
    bot_views: BotViews
    trades: Trades
    orders: Orders
    ledger: Ledger
    profits: Profits
    platforms: Platforms
    wallet: Wallet
    markets: Markets
