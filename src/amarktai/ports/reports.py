"""The read side of the store as ports: what screens and audits ask, one protocol per noun.

``Reporting.snapshot`` opens one read-only transaction in which every answer describes the same
instant, so that figures from different questions add up. A unit of work offers the same questions
as ``UnitOfWork.reports``, on its own uncommitted state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from amarktai.domain.bot import Bot, BotStatus, TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import OrderState
from amarktai.domain.position import Position
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger.profit import RollupDelta, RollupKey
from amarktai.ledger.recomputation import RecordedFill
from amarktai.ledger.verification import RecordedEntry
from amarktai.ports.catalog import MarkRow
from amarktai.ports.store import Balances, StoredOrder

#: After which row a page of trades begins: what the list is sorted by, and the id.
Place = tuple[datetime | Decimal, UUID]


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which round trips, in which order: ``opened_at``, ``closed_at`` or ``profit_loss``, with ``-`` for
    descending. Sorted by closing or profit, only the round trips that have one are listed. ``since``
    (inclusive) and ``until`` (exclusive) bound the opening when that is the order, else the closing.
    """

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
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class BotFilter:
    """Which bots; deleted ones only under that status."""

    platform: Platform | None = None
    status: BotStatus | None = None
    mode: TradingMode | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What every answer depends on: whose entries the system lets leave, and where the user's day begins."""

    base: TradingMode
    timezone: str

    def book(self, mode: TradingMode | None) -> TradingMode:
        """Return the mode asked for, or else the one that the system trades in (autopilot: its base)."""
        return mode or self.base


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A round trip with what its list shows of its bot."""

    trip: RoundTrip
    bot_name: str
    platform: str
    mode: TradingMode


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order with its times and its bot."""

    stored: StoredOrder
    bot: Bot
    reject_reason: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderEventRow:
    at: datetime
    event: str
    from_state: str | None
    to_state: str
    detail: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A ledger entry with its id and book."""

    id: UUID
    mode: TradingMode
    entry: RecordedEntry


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What one account of a book holds of one asset; ``bot_name`` where the account is a bot's."""

    account: str
    asset: str
    amount: Decimal
    bot_id: UUID | None
    bot_name: str | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """What one entry did to one account in one asset."""

    entry_id: UUID
    seq: int
    kind: str
    description: str
    effective_at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookHead:
    """Where a book's chain ends."""

    id: UUID
    mode: TradingMode
    head_seq: int
    head_hash: bytes


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """An open position. Cost in quote, entry fees included."""

    bot_id: UUID
    instrument_id: str
    position: Position


@dataclass(frozen=True, slots=True)
class Holding:
    """An amount that a person's wallet (no instrument) or a bot holds."""

    asset: str
    amount: Decimal
    instrument_id: str | None


@dataclass(frozen=True, slots=True)
class Funds:
    """What a book holds and where it came from.

    ``deposits`` in ZAR, net of withdrawals. ``converted`` is what conversions brought in of each asset,
    net: negative for the asset that was given (ZAR).
    """

    holdings: Sequence[Holding]
    positions: Sequence[HeldPosition]
    deposits: Decimal
    converted: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class UserDays:
    """A user's own rollups: the total of all days, the days asked for, the best day on which a round
    trip closed, and the first day with a fill.
    """

    total: RollupDelta
    days: Mapping[date, RollupDelta]
    best: tuple[date, Decimal] | None
    first_day: date | None


@dataclass(frozen=True, slots=True)
class BookFigures:
    """A book's realised figures: the user's own days, and the totals of bots, platforms and pairs.

    ``bot_names`` maps the scope ids of bots to their names.
    """

    own: UserDays
    totals: Mapping[RollupKey, RollupDelta]
    bot_names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """Equity at an instant, in ZAR; ``deposits`` is what was put in until then.

    ``drawdown_ratio`` is in [−1, 0], from the highest point of the span so far; see ``FallRow``.
    """

    at: datetime
    equity: Decimal
    realized: Decimal
    unrealized: Decimal
    deposits: Decimal
    drawdown_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class FallRow:
    """A fall of equity from a peak to its lowest point, until a new peak was reached (None: not yet).

    Money that is put in or taken out is no gain or fall: the peak moves with it. ``depth`` in ZAR, at
    most 0; ``ratio`` is depth over the peak, in [−1, 0].
    """

    peak_at: datetime
    trough_at: datetime
    recovered_at: datetime | None
    depth: Decimal
    ratio: Decimal


@dataclass(frozen=True, slots=True)
class BotSelection:
    """Which bots. Deleted ones come only when asked for by id or status."""

    bot_ids: Sequence[UUID] | None = None
    platform: Platform | None = None
    mode: TradingMode | None = None
    status: BotStatus | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot with everything that its row shows, before valuation.

    ``max_drawdown_ratio`` is in [−1, 0]; ``market`` is what its platform's feed brings, None without one.
    """

    bot: Bot
    market: Origin | None
    total: RollupDelta
    today: RollupDelta
    position: Position
    last_trade_at: datetime | None
    last_decision: Mapping[str, Any] | None
    next_decision_at: datetime | None
    max_drawdown_ratio: Decimal | None
    holdings: Mapping[str, Decimal]


class TradeReads(Protocol):
    async def page(self, wanted: TradeFilter, after: Place | None, limit: int) -> list[TradeRow]: ...

    async def count(self, wanted: TradeFilter, at_most: int) -> int | None:
        """Return how many there are: from rollups, or counted up to ``at_most`` (None: more)."""

    async def get(self, trade_id: UUID) -> TradeRow:
        """Raises: NotFound."""

    async def fills(
        self, *, trade_id: UUID | None = None, order_id: UUID | None = None
    ) -> list[RecordedFill]:
        """Return the fills of a round trip, or of an order, in the order of their execution."""

    async def trips(self, trade_ids: Sequence[UUID]) -> dict[UUID, RoundTrip]: ...

    async def count_stored(self, mode: TradingMode) -> int:
        """Return how many round trips of the book are stored, counted row by row."""


class OrderReads(Protocol):
    async def page(
        self, wanted: OrderFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[OrderRow]: ...

    async def get(self, order_id: UUID) -> OrderRow:
        """Raises: NotFound."""

    async def events(self, order_id: UUID) -> list[OrderEventRow]: ...

    async def misfilled(self) -> tuple[UUID, Decimal, Decimal] | None:
        """Return (order, sum of its fills, its filled quantity) where the two differ (O7)."""

    async def unreleased(self) -> tuple[UUID, OrderState, Decimal] | None:
        """Return a terminal order that still reserves money, None when there is none (L9)."""

    async def overspent(self) -> tuple[UUID, str, Decimal, Decimal] | None:
        """Return (bot, asset, reserved, held) where working orders reserve more than the bot holds."""


class LedgerReads(Protocol):
    async def page(self, wanted: EntryFilter, after: UUID | None, limit: int) -> list[EntryRow]:
        """Return entries older than the entry ``after``, newest first."""

    async def books(self) -> list[BookHead]: ...

    async def chunk(self, book_id: UUID, after_seq: int, limit: int) -> list[EntryRow]:
        """Return the next entries in the order of the chain."""

    async def fills_between(self, book_id: UUID, first_seq: int, last_seq: int) -> list[RecordedFill]:
        """Return the fills of those entries, in the order of the chain."""

    async def balances(self, book_id: UUID, after: tuple[str, str] | None, limit: int) -> Balances:
        """Return the next stored balances of a book, in the order of (account, asset)."""

    async def funds(self, mode: TradingMode) -> Funds: ...

    async def accounts(
        self, mode: TradingMode, prefix: str, after: tuple[str, str] | None, limit: int
    ) -> list[AccountRow]:
        """Return the book's accounts that begin with ``prefix`` and are not empty, by account and asset."""

    async def balance(self, mode: TradingMode, account: str, asset: str) -> Decimal: ...

    async def statement(
        self, mode: TradingMode, account: str, asset: str, after: UUID | None, limit: int
    ) -> list[StatementRow]:
        """Return what moved on an account, the newest first, older than the entry ``after``."""


class FigureReads(Protocol):
    async def user_days(self, mode: TradingMode, days: Sequence[date]) -> UserDays: ...

    async def series(self, mode: TradingMode, first: date, last: date) -> dict[date, Decimal]:
        """Return the user's realised profit of each day that has any."""

    async def days(self, mode: TradingMode, first: date, last: date) -> dict[date, RollupDelta]:
        """Return the user's figures of each day that has any, oldest first."""

    async def shares(
        self, mode: TradingMode, first: date, last: date
    ) -> tuple[dict[RollupKey, RollupDelta], dict[str, str]]:
        """Return what each bot, platform and pair realised within the days, under the key of all days,
        and the names of the bots by scope id.
        """

    async def bot_days(self, mode: TradingMode, first: date, last: date) -> list[tuple[str, date, Decimal]]:
        """Return (bot's scope id, day, realised profit) of every bot that is not deleted, by bot and day."""

    async def book(self, mode: TradingMode, days: Sequence[date]) -> BookFigures:
        """Return everything realised that a summary shows, in one statement."""

    async def platform_days(self, mode: TradingMode, days: Sequence[date]) -> dict[RollupKey, RollupDelta]:
        """Return the totals of every platform, and its figures of those days."""

    async def snapshots(
        self, mode: TradingMode, scope: str, scope_id: str, since: datetime | None, limit: int
    ) -> list[SnapshotRow]:
        """Return at most ``limit`` snapshots over the span, evenly thinned, oldest first."""

    async def last_snapshot_at(self, mode: TradingMode, scope: str, scope_id: str) -> datetime | None: ...

    async def falls(
        self, mode: TradingMode, scope: str, scope_id: str, since: datetime | None, limit: int
    ) -> list[FallRow]:
        """Return the deepest falls from a peak over all snapshots of the span, the deepest first."""

    async def rollups(
        self, mode: TradingMode, after: RollupKey | None, limit: int
    ) -> list[tuple[RollupKey, RollupDelta]]:
        """Return the next rollup rows of the book, in the order of their keys."""


class BotReads(Protocol):
    async def rows(self, wanted: BotSelection, today: date) -> list[BotRow]:
        """Return bots by creation, oldest first."""

    async def counts(self, mode: TradingMode) -> dict[Platform, tuple[int, int]]:
        """Return (all but deleted, active and not resting) bots per platform."""

    async def decisions(
        self, bot_id: UUID, after: datetime | None, limit: int
    ) -> list[tuple[datetime, Mapping[str, Any]]]: ...

    async def positions(self, mode: TradingMode) -> list[HeldPosition]:
        """Return every open position of the book."""

    async def stored_positions(self, bot_ids: Sequence[UUID]) -> dict[UUID, HeldPosition]:
        """Return those bots' positions, flat ones too."""


class Reports(Protocol):
    """Every question, within one transaction."""

    @property
    def user_id(self) -> UUID: ...

    @property
    def trades(self) -> TradeReads: ...

    @property
    def orders(self) -> OrderReads: ...

    @property
    def ledger(self) -> LedgerReads: ...

    @property
    def figures(self) -> FigureReads: ...

    @property
    def bots(self) -> BotReads: ...

    async def setting(self) -> Setting: ...

    async def marks(self, instrument_ids: Sequence[str]) -> list[MarkRow]: ...


class Reporting(Protocol):
    def snapshot(self, user_id: UUID) -> AbstractAsyncContextManager[Reports]:
        """Open a read-only view of one tenant's rows, all as of the same instant."""

    async def user_ids(self) -> list[UUID]:
        """Return every user, for audits of the whole platform."""
