"""What is known of a user's real exchange accounts, as ports: their condition, their tie-outs, their orders
by hand, and the differences that nothing explains yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.ports.exchange import ExchangeAccount, OrderRecord


class Condition(StrEnum):
    """Whether orders that add risk may go to an account now; exits always may."""

    ACTIVE = "active"
    RECONCILING = "reconciling"  # what happened before now is still being read
    DEGRADED = "degraded"  # it does not answer, refuses the key, or its clock differs
    UNEXPLAINED = "unexplained"  # it holds something else than the books say
    CLOSED = "closed"  # its key was deleted or has failed its test


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """A live account as the engine last saw it.

    ``opened_at`` is when its balances first came into the books; ``watermark_at`` up to when everything
    that happened is known; ``took_ms``, ``orders`` and ``fills`` are of the last complete reconcile.
    """

    platform: Platform
    condition: Condition
    detail: str
    changed_at: datetime
    opened_at: datetime | None = None
    watermark_at: datetime | None = None
    reconciled_at: datetime | None = None
    took_ms: int | None = None
    orders: int | None = None
    fills: int | None = None


@dataclass(frozen=True, slots=True)
class TieOut:
    """An asset of an account beside the ledger, of one day's last reconcile.

    ``rounded`` is what the ledger's eight places left out of what was booked, up to the book's entry
    ``head_seq``. The difference is zero, or it stands in ``differences``.
    """

    platform: Platform
    asset: str
    day: date
    checked_at: datetime
    venue_total: Decimal
    ledger_total: Decimal
    rounded: Decimal
    head_seq: int

    @property
    def difference(self) -> Decimal:
        return self.venue_total - self.ledger_total - self.rounded


class Cause(StrEnum):
    """What a person says that a difference was."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    FEE = "fee"
    REWARD = "reward"  # interest, airdrop, rebate
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much an account once differed from the books, until somebody says why."""

    id: UUID
    platform: Platform
    asset: str
    amount: Decimal
    noticed_at: datetime
    cause: Cause | None = None
    note: str | None = None
    explained_at: datetime | None = None
    explained_by: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """A person's word that an order in doubt is over."""

    order_id: UUID
    note: str
    asked_at: datetime
    asked_by: str


class LiveAccountStore(Protocol):
    """Of one tenant."""

    async def statuses(self) -> dict[Platform, AccountStatus]: ...

    async def save_status(self, status: AccountStatus) -> None: ...

    async def tie_outs(self, platform: Platform, days: int) -> list[TieOut]:
        """Return the last days' tie-outs, the newest day first."""

    async def last_rounded(self, platform: Platform) -> tuple[int, dict[str, Decimal]]:
        """Return the entry up to which the last tie-out went, and what each asset's rounding had come to."""

    async def save_tie_outs(self, rows: Sequence[TieOut]) -> None: ...

    async def differences(self, *, open_only: bool) -> list[Difference]:
        """Return the differences, the newest first."""

    async def difference(self, difference_id: UUID) -> Difference | None:
        """Return one, locked until the commit."""

    async def save_difference(self, difference: Difference) -> None: ...

    async def save_external_orders(
        self, platform: Platform, records: Sequence[OrderRecord], at: datetime
    ) -> None:
        """Keep orders that are none of ours as they are now."""

    async def close_external_orders(self, platform: Platform, still_open: Collection[str]) -> None:
        """Mark as over what rests at the exchange no more."""

    async def external_orders(self, limit: int) -> list[Mapping[str, object]]: ...

    async def fills_since(
        self, platform: Platform, account: str, since: datetime
    ) -> dict[str, tuple[datetime, int]]:
        """Return the booked executions since then by trade id: when they happened, and their entry's
        number."""

    async def save_resolution(self, resolution: Resolution) -> None: ...

    async def resolutions(self, order_ids: Sequence[UUID]) -> dict[UUID, Resolution]:
        """Return what people decided of these orders."""

    async def orders_named(self, platform: Platform, venue_order_ids: Sequence[str]) -> dict[str, UUID]:
        """Return which of our orders the exchange calls by these names."""


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A saved key whose exchange has not refused it. ``fingerprint`` tells a key from the one before.

    ``is_tested``: its last test got through, so an account may be opened with it; one that is open stays
    so while tests find the exchange silent.
    """

    user_id: UUID
    platform: Platform
    fingerprint: str
    is_tested: bool = True


class AccountOpener(Protocol):
    """Opens the accounts of saved keys."""

    async def working_keys(self) -> Sequence[WorkingKey]: ...

    async def open(self, key: WorkingKey) -> ExchangeAccount:
        """Raises: Unavailable, Forbidden, NotFound when the key is gone."""

    async def clock_offset_ns(self, platform: Platform) -> int | None:
        """Return the exchange's time minus ours; None where it tells none. Raises: Unavailable."""
