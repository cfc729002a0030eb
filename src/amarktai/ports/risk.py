"""Risk limits and the figures they are held against, as ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import Trip
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.risk_limits import Limit, LimitKind, Scope


class LimitStore(Protocol):
    """The tenant's limits and everybody's, within one transaction."""

    async def list(self) -> list[Limit]:
        """Return every limit that binds the tenant: everybody's, theirs, their bots'."""

    async def put(self, limit: Limit, at: datetime, by: str) -> None:
        """Set a limit, in place of one of the same kind and scope."""

    async def remove(self, kind: LimitKind, scope: Scope) -> Limit | None:
        """Remove a limit and return it; None when there was none."""


@dataclass(frozen=True, slots=True)
class BreakerState:
    """What breakers say of one book now: those not reset yet, the earliest trip first, and since when a
    person's last reset lets a limit be measured."""

    trips: Sequence[Trip]
    resets: Mapping[tuple[Scope, LimitKind], datetime]


class BreakerStore(Protocol):
    """The tenant's circuit breakers and everybody's, within one transaction."""

    async def state(self, mode: TradingMode) -> BreakerState:
        """Return those that no person has reset; a rule may have (``Trip.is_open``)."""

    async def trip(self, trip: Trip) -> bool:
        """Write a trip; False, and nothing written, when its breaker is tripped already."""

    async def reset(self, trip_id: UUID, at: datetime, by: str, reason: str) -> Trip | None:
        """Reset a breaker and return it as it is then; None when there is no such one, or it is reset."""

    async def get(self, trip_id: UUID) -> Trip | None:
        """Return one trip, open or over."""

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> list[Trip]:
        """Return trips of every book, newest first."""

    async def untold(self) -> list[Trip]:
        """Return those that people have not been told of, the earliest first."""

    async def mark_told(self, trip_id: UUID, at: datetime) -> None:
        """Note that people have been told."""


@dataclass(frozen=True, slots=True)
class RiskRow:
    """What a bot holds and has done, before prices.

    Units: quantity in base; cash, cost and ``entering`` (what working entries have reserved of the cash)
    in quote. ZAR figures are realised profit, None when a fill of that time has no rate. Orders are entries
    that were sent. ``losses`` are when trades were closed since the last winner, ``errors`` when orders of
    the last hour were refused or in doubt. ``is_gone``: the bot is deleted.
    """

    bot_id: UUID
    user_id: UUID
    platform: Platform
    instrument_id: str
    quote: str
    origin: Origin
    capital_zar: Decimal
    is_gone: bool
    quantity: Decimal
    cash: Decimal
    cost: Decimal
    today_zar: Decimal | None
    ever_zar: Decimal | None
    entering: Decimal
    orders_minute: int
    orders_day: int
    losses: tuple[datetime, ...]
    errors: tuple[datetime, ...]


class RiskFigureStore(Protocol):
    """Of one tenant, within one transaction."""

    async def read(self, mode: TradingMode, day: date, day_start: datetime, at: datetime) -> list[RiskRow]:
        """Return the rows of every bot of that book. ``day`` is the tenant's, from ``day_start`` on."""

    async def peaks(self, mode: TradingMode, since: datetime | None = None) -> dict[UUID, Decimal]:
        """Return each bot's highest profit in ZAR, realised and not, of all its snapshots.

        Of its beginning it is zero. With ``since`` only the last snapshot before that and later ones count;
        a bot without any, and a deleted one, is left out.
        """
