"""Alerts: what a person should know, until they say that they do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from amarktai.domain.errors import NotFound
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Alerting, AlertRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.services.paging import Page, decode_cursor, encode_cursor


class Alerts:
    def __init__(self, alerting: Alerting, *, clock: Clock) -> None:
        self._alerting = alerting
        self._clock = clock

    async def list_alerts(self, who: Identity, *, cursor: str | None, limit: int) -> Page:
        """Return the user's alerts, the newest first."""
        async with self._alerting.alerts(who.user_id) as store:
            rows = await store.page(_after(cursor), limit + 1)
        more = _cursor_of(rows[limit - 1]) if len(rows) > limit else None
        return Page([alert_view(row) for row in rows[:limit]], more)

    async def acknowledge(self, who: Identity, alert_id: UUID) -> None:
        """Mark an alert as known; doing so again changes nothing. Raises: NotFound."""
        async with self._alerting.alerts(who.user_id) as store:
            if not await store.acknowledge(alert_id, to_datetime(self._clock.now_ns())):
                raise NotFound("NOT_FOUND", "There is no such alert.", "Reload the list.")


def alert_view(row: AlertRow) -> dict[str, Any]:
    """Return an alert as the API shows it."""
    return {
        "id": row.id,
        "type": row.type,
        "severity": row.severity,
        "message": row.message,
        "bot_id": row.bot_id,
        "created_at": row.created_at,
        "acknowledged_at": row.acknowledged_at,
    }


def _cursor_of(row: AlertRow) -> str:
    return encode_cursor(row.created_at, row.id)


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    created_at, alert_id = decode_cursor(cursor, datetime, UUID)
    return created_at, alert_id
