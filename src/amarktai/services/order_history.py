"""Orders as people look back at them: the list, and one with its events and fills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from amarktai.domain.errors import InvalidInput
from amarktai.domain.order import OrderState
from amarktai.ports.reports import OrderFilter, OrderRow, Reporting
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.views import fill_view, instant, order_view


class OrderHistory:
    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def list_orders(
        self, user_id: UUID, wanted: OrderFilter, *, cursor: str | None, limit: int
    ) -> Page:
        """Return one page of orders, newest first. Raises: InvalidInput for an unknown state or cursor."""
        if wanted.state is not None and wanted.state not in tuple(OrderState):
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"No order is {wanted.state!r}",
                f"Choose one of {', '.join(OrderState)}.",
            )
        after = _place(cursor) if cursor else None
        async with self._reporting.snapshot(user_id) as reports:
            rows = await reports.orders.page(wanted, after, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor(last.created_at, last.stored.order.id) if last else None
        return Page([stored_order_view(row) for row in rows[:limit]], following)

    async def get(self, user_id: UUID, order_id: UUID) -> Mapping[str, Any]:
        """Return ``{order, events, fills}``. Raises: NotFound."""
        async with self._reporting.snapshot(user_id) as reports:
            row = await reports.orders.get(order_id)
            events = await reports.orders.events(order_id)
            fills = await reports.trades.fills(order_id=order_id)
        return {
            "order": stored_order_view(row),
            "events": [
                {
                    "at": instant(event.at),
                    "from_state": event.from_state,
                    "to_state": event.to_state,
                    "event": event.event,
                    "detail": event.detail,
                }
                for event in events
            ],
            "fills": [fill_view(fill) for fill in fills],
        }


def stored_order_view(row: OrderRow) -> dict[str, Any]:
    """Return an order as ``GET /api/orders`` shows it."""
    order, notional = row.stored.order, row.stored.filled_notional
    average = notional / order.filled_quantity if order.filled_quantity else None
    return {
        **order_view(order, row.bot, at=row.updated_at, average_price=average),
        "reject_reason": row.reject_reason,
        "created_at": instant(row.created_at),
        "closed_at": instant(row.closed_at),
    }


def _place(cursor: str) -> tuple[datetime, UUID]:
    at, row_id = decode_cursor(cursor, datetime, UUID)
    return at, row_id
