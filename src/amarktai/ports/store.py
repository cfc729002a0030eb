"""The store as ports: one unit of work per transaction, one small protocol per noun.

PostgreSQL is the one implementation. Everything in a unit of work is committed together or not at
all; lists go in and come out, so that a bar's worth of orders is one round of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from amarktai.domain.bot import Bot, BotStatus, TradingMode
from amarktai.domain.fill import Fill
from amarktai.domain.order import Order, OrderEvent, OrderState
from amarktai.domain.position import Position, Realised
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger.entry import Entry
from amarktai.ledger.profit import RollupDelta, RollupKey
from amarktai.ledger.valuation import FxRate
from amarktai.ports.events import EventPayload
from amarktai.ports.modes import ModeStore
from amarktai.ports.risk import BreakerStore, LimitStore, RiskFigureStore

if TYPE_CHECKING:
    from amarktai.ports.accounts import AuditStore
    from amarktai.ports.keys import VenueAccountStore
    from amarktai.ports.live_accounts import LiveAccountStore
    from amarktai.ports.reports import Reports
from amarktai.ports.stops import StopStore

Balances = dict[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Book:
    """A user's ledger for one mode, locked for this transaction, with the user's timezone.

    ``head_seq`` is the number of its last entry: unchanged, nobody has written to it; ``head_hash`` and
    ``recorded_at`` are that entry's. ``fencing_token`` is that of the lease which was locked with it;
    ``halts`` says which of the user's exchange accounts are held back, and why: reasons by platform;
    ``stop`` why an emergency stop is on, None without one; ``base`` which entries the system lets leave.
    """

    id: UUID
    mode: TradingMode
    timezone: str
    head_seq: int
    head_hash: bytes
    recorded_at: datetime | None
    fencing_token: int | None = None
    halts: Mapping[str, str] = field(default_factory=dict)
    stop: str | None = None
    base: TradingMode = TradingMode.PAPER


class BookMoved(Exception):
    """A book is not what a transaction went on with; nothing of that transaction was written."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order row as it is first written."""

    order: Order
    platform: str
    account: str
    mode: TradingMode
    decision_key: str
    created_at: datetime
    deadline_at: datetime | None
    reject_reason: str | None = None

    def as_stored(self) -> StoredOrder:
        """Return the order as the store has it once the row is written."""
        return StoredOrder(self.order, self.platform, self.account, self.mode, Decimal(0), self.deadline_at)


@dataclass(frozen=True, slots=True)
class OrderChange:
    """The order after a transition, with the transitions that led there."""

    order: Order
    filled_notional: Decimal
    events: Sequence[tuple[OrderEvent, OrderState, OrderState, str]]
    at: datetime
    closed_at: datetime | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with what only the store knows of it."""

    order: Order
    platform: str
    account: str
    mode: TradingMode
    filled_notional: Decimal
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A bot's position and the round trip it belongs to (None while flat)."""

    position: Position
    round_trip_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewFill:
    """A fill row with everything that was derived when it was booked."""

    id: UUID
    fill: Fill
    bot_id: UUID
    round_trip_id: UUID
    ledger_entry_id: UUID
    platform: str
    account: str
    instrument_id: str
    mode: TradingMode
    realised: Realised
    fees_quote: Decimal
    realized_zar: Decimal | None
    fees_zar: Decimal | None
    rate: FxRate | None
    recorded_at: datetime


@dataclass(slots=True)
class BotRuntime:
    """What a running bot remembers between bars and restarts."""

    strategy_state: Mapping[str, Any] = field(default_factory=dict)
    last_bar_ts: int | None = None
    last_decision: Mapping[str, Any] | None = None
    next_decision_at: datetime | None = None
    peak_equity_zar: Decimal | None = None
    max_drawdown_ratio: Decimal | None = None


class BotStore(Protocol):
    async def insert(self, bot: Bot) -> None:
        """Raises: Conflict BOT_NAME_DUPLICATE."""

    async def get(self, bot_id: UUID, *, lock: bool = False) -> Bot:
        """Raises: NotFound."""

    async def list(self, *, statuses: Iterable[BotStatus] = ()) -> list[Bot]: ...

    async def update(self, bot: Bot) -> None:
        """Write name, params, risk mode, status and their times. Raises: Conflict on a taken name."""

    async def save_capital(self, bot: Bot) -> None:
        """Write the converted capital of a bot that was just created."""

    async def wake_engine(self, bot_id: UUID) -> None:
        """Tell the engine, at commit, that this bot changed."""

    async def runtimes(self, bot_ids: Sequence[UUID]) -> dict[UUID, BotRuntime]: ...

    async def save_runtimes(self, runtimes: Mapping[UUID, BotRuntime]) -> None: ...

    async def add_decisions(self, decisions: Sequence[tuple[UUID, datetime, Mapping[str, Any]]]) -> None: ...


class OrderStore(Protocol):
    async def insert(self, orders: Sequence[NewOrder]) -> None: ...

    async def claimed(self, bot_ids: Sequence[UUID], decision_keys: Sequence[str]) -> set[tuple[UUID, str]]:
        """Return the (bot, decision key) pairs that have an order already (O3)."""

    async def change(self, changes: Sequence[OrderChange]) -> None: ...

    async def get_many(self, order_ids: Sequence[UUID]) -> dict[UUID, StoredOrder]: ...

    async def working(self, bot_ids: Sequence[UUID] | None = None) -> list[StoredOrder]:
        """Return orders that are not terminal, of these bots or of all of the tenant's."""


class LedgerStore(Protocol):
    async def lock_book(self, mode: TradingMode, *, lease: str | None = None) -> Book:
        """Lock (and on first use create) the tenant's book for this transaction.

        With ``lease``, that lease is locked too: it must exist, and it cannot change hands before the
        transaction ends.
        """

    async def find_book(self, mode: TradingMode) -> Book | None:
        """Return the tenant's book to read from, without a lock; None before the first entry."""

    async def append(self, book: Book, entries: Sequence[Entry], recorded_at: datetime) -> list[UUID]:
        """Chain and write entries and their balances; return their ids in order.

        Raises: Conflict DUPLICATE_ENTRY for a key that is booked already; Conflict
        INSUFFICIENT_FUNDS when a holding would fall below zero (L8).
        """

    async def known_keys(self, book: Book, keys: Sequence[str]) -> set[str]:
        """Return which of these idempotency keys have an entry already."""

    def expect_book(self, book: Book, balances: Balances, *, lease: str) -> None:
        """Go on with a book as an earlier transaction left it, without a question of its own.

        ``balances``, each with all of its account's assets, are those of that head. What is sent first
        locks book and lease like ``lock_book`` and raises BookMoved when the head, the timezone, the
        lease's fencing token, the emergency stop or, for live orders, what is halted is another one.
        """

    def head(self, book: Book) -> Book:
        """Return the book as this transaction leaves it."""

    async def balances(self, book: Book, accounts: Sequence[str] | None = None) -> Balances: ...

    async def conversions(self, book: Book, limit: int) -> list[Mapping[str, Any]]:
        """Return the newest currency conversions, as the wallet shows them."""


class TradeStore(Protocol):
    async def positions(self, bot_ids: Sequence[UUID]) -> dict[UUID, OpenPosition]: ...

    async def save_positions(
        self, positions: Mapping[UUID, tuple[str, OpenPosition]], at: datetime
    ) -> None: ...

    async def open_trips(self, bot_ids: Sequence[UUID]) -> dict[UUID, RoundTrip]: ...

    async def save_trips(self, trips: Sequence[RoundTrip], platform: str, mode: TradingMode) -> None: ...

    async def known_fills(self, platform: str, account: str, trade_ids: Sequence[str]) -> set[str]: ...

    async def insert_fills(self, fills: Sequence[NewFill]) -> None: ...


@dataclass(frozen=True, slots=True)
class RollupTotals:
    """A rollup row's figures after the write."""

    profit_zar: Decimal
    fees_zar: Decimal
    trades: int


class FigureStore(Protocol):
    async def bot_profits(self, mode: TradingMode) -> dict[UUID, Decimal]:
        """Return the realised profit of each bot, of all days, in ZAR."""

    async def add(
        self, mode: TradingMode, deltas: Mapping[RollupKey, RollupDelta]
    ) -> dict[RollupKey, RollupTotals]: ...

    async def add_snapshots(self, snapshots: Sequence[Mapping[str, Any]]) -> None: ...


class OutboxStore(Protocol):
    async def emit(self, events: Sequence[tuple[str, EventPayload]], at: datetime) -> None:
        """Append events with the tenant's next sequence numbers and wake the relay at commit."""


class UnitOfWork(Protocol):
    @property
    def user_id(self) -> UUID: ...

    @property
    def bots(self) -> BotStore: ...

    @property
    def orders(self) -> OrderStore: ...

    @property
    def ledger(self) -> LedgerStore: ...

    @property
    def trades(self) -> TradeStore: ...

    @property
    def figures(self) -> FigureStore: ...

    @property
    def outbox(self) -> OutboxStore: ...

    @property
    def audit(self) -> AuditStore: ...

    @property
    def venue_accounts(self) -> VenueAccountStore:
        """Which of the tenant's exchange accounts are held back: for the gates of live orders."""

    @property
    def live_accounts(self) -> LiveAccountStore: ...

    @property
    def stops(self) -> StopStore: ...

    @property
    def modes(self) -> ModeStore: ...

    @property
    def limits(self) -> LimitStore: ...

    @property
    def breakers(self) -> BreakerStore: ...

    @property
    def risk_figures(self) -> RiskFigureStore: ...

    @property
    def reports(self) -> Reports:
        """What screens show, as of this transaction: for the answers and events of a write."""

    async def user_timezone(self) -> str: ...


class Store(Protocol):
    async def user_ids(self) -> list[UUID]:
        """Return every active user."""

    def unit_of_work(self, user_id: UUID, *, durable: bool = True) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction for one tenant; leaving it normally commits."""

    def snapshot(self, user_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction that only reads, all of it as of one instant, and waits for nobody."""
