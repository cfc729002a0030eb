"""Alerts in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update

from amarktai.domain.user import Role
from amarktai.ports.accounts import AlertRow
from amarktai.ports.events import EventPayload
from amarktai.storage import tables as t
from amarktai.storage.audit import PgAudit
from amarktai.storage.database import Database
from amarktai.storage.outbox import PgOutbox
from amarktai.storage.transaction import Transaction


class PgAlerts:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id
        self._outbox = PgOutbox(transaction, user_id)
        self.audit = PgAudit(transaction)

    async def insert(self, row: AlertRow) -> None:
        await self._transaction.execute(
            insert(t.alerts).values(
                id=row.id,
                user_id=self._user_id,
                bot_id=row.bot_id,
                type=row.type,
                severity=row.severity,
                message=row.message,
                created_at=row.created_at,
            )
        )

    async def emit(self, events: Sequence[tuple[str, EventPayload]], at: datetime) -> None:
        await self._outbox.emit(events, at)

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> list[AlertRow]:
        alert = t.alerts.c
        query = select(t.alerts).order_by(alert.created_at.desc(), alert.id.desc()).limit(limit)
        if after is not None:
            query = query.where(tuple_(alert.created_at, alert.id) < tuple_(*after))
        return [
            AlertRow(
                row.id, row.type, row.severity, row.message, row.bot_id, row.created_at, row.acknowledged_at
            )
            for row in await self._transaction.execute(query)
        ]

    async def acknowledge(self, alert_id: UUID, at: datetime) -> bool:
        found = await self._transaction.execute(select(t.alerts.c.id).where(t.alerts.c.id == alert_id))
        if found.one_or_none() is None:
            return False
        await self._transaction.execute(
            update(t.alerts)
            .where(t.alerts.c.id == alert_id, t.alerts.c.acknowledged_at.is_(None))
            .values(acknowledged_at=at)
        )
        return True


class PgAlerting:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def alerts(self, user_id: UUID) -> AsyncIterator[PgAlerts]:
        async with self._database.transaction(user_id) as transaction:
            yield PgAlerts(transaction, user_id)

    async def active_users(self, *, role: Role | None = None) -> list[UUID]:
        query = select(t.users.c.id).where(t.users.c.is_active).order_by(t.users.c.id)
        if role is not None:
            query = query.where(t.users.c.role == role.value)
        async with self._database.transaction(None) as connection:
            return list((await connection.execute(query)).scalars())
