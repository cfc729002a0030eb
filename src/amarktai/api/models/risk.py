"""Risk limits over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Body, Instant, Money, ShortText, View
from amarktai.domain.bot import TradingMode
from amarktai.domain.risk_limits import LimitKind

LimitScope = Literal["everybody", "user", "bot"]
Pair = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,12}/[A-Z0-9]{2,12}$", examples=["BTC/ZAR"])]


class LimitView(View):
    """A limit. ``used`` is null where it is not known or not yours to see; ``spent`` lets nothing enter."""

    kind: LimitKind
    scope: LimitScope
    bot_id: UUID | None
    bot_name: str | None
    amount: Money | None = Field(description="ZAR, per cent or a count, as the kind says.")
    names: list[str] | None = Field(description="The pairs that may be traded.")
    used: Money | None
    spent: bool


class RiskView(View):
    mode: TradingMode
    needed_for_live: list[LimitKind]
    limits: list[LimitView]


class TripFigures(View):
    """The limit's figure and its amount when it tripped, with units."""

    figure: str
    threshold: str


class BreakerView(View):
    """One trip of a circuit breaker. ``reset_by`` is a person as in the audit log, or ``system:rule``."""

    id: UUID
    tripped: bool = Field(description="Nothing enters for it now.")
    mode: TradingMode
    entity_type: LimitScope
    entity_id: UUID | None
    entity_name: str | None = Field(description="The bot's name.")
    trigger_type: LimitKind
    trigger_reason: str
    tripped_at: Instant
    metrics_at_trip: TripFigures
    can_reset: bool = Field(description="You may reset it; a day's loss only when the limit allows it.")
    resets_at: Instant | None = Field(description="When it resets itself; null: only a person does.")
    reset_at: Instant | None
    reset_by: str | None
    reset_reason: str | None


class BreakersView(View):
    mode: TradingMode
    tripped: bool
    breakers: list[BreakerView]


class BreakerPage(View):
    items: list[BreakerView]
    next_cursor: str | None


class ResetOrder(Body):
    breaker_id: UUID
    reason: ShortText


class LimitOrder(Body):
    kind: LimitKind
    scope: LimitScope
    bot_id: UUID | None = None
    amount: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=8)] | None = None
    names: Annotated[list[Pair], Field(max_length=200)] | None = None
