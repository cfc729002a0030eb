"""Real exchange accounts over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Body, Instant, Money, Text, View
from amarktai.api.models.trades import FillView, OrderEventView, OrderView
from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import KeyStatus, Right
from amarktai.ports.exchange import Support
from amarktai.ports.live_accounts import Cause, Condition


class TieOutView(View):
    """An asset of an account beside the ledger. ``rounded``: below the ledger's eight places."""

    asset: str
    day: date
    checked_at: Instant
    venue_total: Money
    ledger_total: Money
    rounded: Money
    difference: Money


class TieOutList(View):
    items: list[TieOutView]


class LiveAccountView(View):
    """A real account. It takes orders that add risk only while its condition is ``active``."""

    platform: Platform
    display_name: str
    condition: Condition
    detail: str
    changed_at: Instant | None
    opened_at: Instant | None
    reconciled_at: Instant | None
    took_ms: int | None
    orders: int | None
    fills: int | None
    key_status: KeyStatus
    key_message: str | None
    key_tested_at: Instant | None
    rights: list[Right] | None = Field(description="What the key may do; null where the exchange tells none.")
    halted_reason: str | None
    stops: Support
    stops_note: str
    unprotected_when_down: bool = Field(
        description="Stops there are the platform's own: not while it is down."
    )
    tie_outs: list[TieOutView]


class DifferenceView(View):
    id: UUID
    platform: Platform
    display_name: str
    asset: str
    amount: Money
    noticed_at: Instant
    cause: Cause | None
    note: str | None
    explained_at: Instant | None
    explained_by: str | None


class ExternalOrderView(View):
    """An order in the account that the platform did not place."""

    platform: Platform
    venue_order_id: str
    instrument_id: str
    side: Side
    type: OrderType | None
    status: Literal["open", "filled", "canceled", "expired", "over"]
    created_at: Instant
    seen_at: Instant
    quantity: Money
    price: Money | None
    stop_price: Money | None
    filled_quantity: Money


class ResolutionView(View):
    note: str
    asked_at: Instant
    asked_by: str


class DoubtfulOrderView(View):
    """An order whose outcome is not known, with all that is known of it."""

    order: OrderView
    events: list[OrderEventView]
    fills: list[FillView]
    resolution: ResolutionView | None


class AccountsView(View):
    accounts: list[LiveAccountView]
    differences: list[DifferenceView]
    external_orders: list[ExternalOrderView]
    doubtful_orders: list[DoubtfulOrderView]


class Explanation(Body):
    cause: Cause
    note: Text = ""


class OrderResolution(Body):
    note: Text
