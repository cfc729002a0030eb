"""Circuit breakers: a limit that was reached lets nothing enter until a rule or a person resets it.

A limit alone would let entries through again as soon as its figure has recovered by luck. Unknown figures
trip nothing: they deny entries for as long as they are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from amarktai.domain.bot import TradingMode
from amarktai.domain.risk_limits import Breach, LimitKind, Scope, binds, shown

#: The limits that trip a breaker. What is added, counted by the minute or asked of one order does not.
LATCHING: Final = frozenset(
    {
        LimitKind.DAILY_LOSS,
        LimitKind.DRAWDOWN,
        LimitKind.CONSECUTIVE_LOSSES,
        LimitKind.ERRORS_PER_HOUR,
    }
)
#: Who resets a breaker when a rule does.
RULE: Final = "system:rule"


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip of a breaker: over for good once it has been reset.

    ``figure`` and ``threshold`` are those of the moment, in the limit's unit, ``reason`` has them in words.
    ``resets_at`` is when a rule resets it, None where only a person does. ``reset_by`` is an actor as in
    the audit log.
    """

    id: UUID
    scope: Scope
    mode: TradingMode
    kind: LimitKind
    threshold: Decimal
    figure: Decimal
    reason: str
    tripped_at: datetime
    resets_at: datetime | None
    reset_at: datetime | None = None
    reset_by: str | None = None
    reset_reason: str | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether nothing enters for it."""
        return self.reset_at is None and (self.resets_at is None or at < self.resets_at)

    @property
    def figures(self) -> dict[str, str]:
        """What it was tripped by, with units."""
        return {
            "figure": shown(self.kind, self.figure),
            "threshold": shown(self.kind, self.threshold),
        }


def tripped_by(trip_id: UUID, breach: Breach, mode: TradingMode, at: datetime, timezone: str) -> Trip | None:
    """Return the trip that a breach is; None for a limit that does not latch or a figure nobody knows.

    A day's loss is reset by the next day of ``timezone``, anything else by a person.
    """
    limit = breach.limit
    if limit.kind not in LATCHING or breach.used is None or limit.amount is None:
        return None
    resets_at = next_day(at, timezone) if limit.kind is LimitKind.DAILY_LOSS else None
    return Trip(
        trip_id, limit.scope, mode, limit.kind, limit.amount, breach.used, breach.words, at, resets_at
    )


def next_day(at: datetime, timezone: str) -> datetime:
    """Return when the next day begins there."""
    local = at.astimezone(ZoneInfo(timezone))
    midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
    return (midnight + timedelta(days=1)).astimezone(at.tzinfo)


def first_open(trips: Iterable[Trip], user_id: UUID, bot_id: UUID, at: datetime) -> Trip | None:
    """Return the first breaker that lets nothing of this bot enter."""
    return next((trip for trip in trips if trip.is_open(at) and binds(trip.scope, user_id, bot_id)), None)
