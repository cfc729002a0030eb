"""Risk limits and the figures they are held against, as ports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from amarktai.domain.bot import TradingMode
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
class RiskRow:
    """What a bot holds and has done, before prices.

    Units: quantity in base; cost and ``entering`` (what working entries have reserved) in quote. ZAR
    figures are realised profit, None when a fill of that time has no rate. Orders are entries that were
    sent. ``is_gone``: the bot is deleted.
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
    cost: Decimal
    today_zar: Decimal | None
    ever_zar: Decimal | None
    entering: Decimal
    orders_minute: int
    orders_day: int
    losses_in_a_row: int


class RiskFigureStore(Protocol):
    """Of one tenant, within one transaction."""

    async def read(
        self, mode: TradingMode, day: date, day_start: datetime, minute_ago: datetime
    ) -> list[RiskRow]:
        """Return the rows of every bot of that book. ``day`` is the tenant's, from ``day_start`` on."""

    async def peaks(self, mode: TradingMode) -> dict[UUID, Decimal]:
        """Return each bot's highest profit in ZAR, realised and not, of all its snapshots."""
