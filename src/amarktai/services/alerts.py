"""Alerts: what a person should know, until they say that they do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.user import Identity, Role
from amarktai.ports.accounts import Alerting, AlertRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import Alert, FeedChanged
from amarktai.ports.feed import FeedState
from amarktai.ports.ids import Ids
from amarktai.services.audit import fact_of
from amarktai.services.paging import Page, decode_cursor, encode_cursor

Severity = Literal["info", "warning", "critical"]


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
        now = to_datetime(self._clock.now_ns())
        async with self._alerting.alerts(who.user_id) as store:
            if not await store.acknowledge(alert_id, now):
                raise NotFound("NOT_FOUND", "There is no such alert.", "Reload the list.")
            await store.audit.append(fact_of(who, "alert.acknowledged", ("alert", alert_id)), now)


class Notices:
    """What workers tell people: alerts that stay until known, and changes of a market feed's health."""

    def __init__(self, alerting: Alerting, *, clock: Clock, ids: Ids) -> None:
        self._alerting = alerting
        self._clock = clock
        self._ids = ids

    async def alert(
        self, user_id: UUID, alert_type: str, severity: Severity, message: str, *, bot_id: UUID | None = None
    ) -> UUID:
        """Store an alert and tell the user's open dashboards, in one transaction; return its id."""
        now = to_datetime(self._clock.now_ns())
        row = AlertRow(self._ids.new(), alert_type, severity, message, bot_id, now, None)
        payload = Alert(
            message=message, alert_id=row.id, severity=severity, alert_type=alert_type, bot_id=bot_id
        )
        async with self._alerting.alerts(user_id) as store:
            await store.insert(row)
            await store.emit([("alert", payload)], now)
        return row.id

    async def alert_admins(self, alert_type: str, severity: Severity, message: str) -> None:
        """Store an alert for everybody who administers the platform."""
        for user_id in await self._alerting.active_users(role=Role.ADMIN):
            await self.alert(user_id, alert_type, severity, message)

    async def feed_changed(self, platform: Platform, state: FeedState, origin: Origin, message: str) -> None:
        """Tell everybody that a feed's health changed."""
        now = to_datetime(self._clock.now_ns())
        payload = FeedChanged(message=message, platform=platform, state=state, origin=origin)
        for user_id in await self._alerting.active_users():
            async with self._alerting.alerts(user_id) as store:
                await store.emit([("feed_changed", payload)], now)


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
