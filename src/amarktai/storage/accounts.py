"""One transaction with the account stores. The PostgreSQL side of ``ports.accounts``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.ports.accounts import StoredAnswer
from amarktai.storage import tables as t
from amarktai.storage.alerts import PgAlerts
from amarktai.storage.audit import PgAudit
from amarktai.storage.database import Database
from amarktai.storage.factors import PgFactors
from amarktai.storage.invites import PgInvites
from amarktai.storage.keys import PgProviderKeys, PgVenueAccounts
from amarktai.storage.reports import PgReports
from amarktai.storage.rollups import PgFigures
from amarktai.storage.secrets import PgSealedRows
from amarktai.storage.sessions import PgAttempts, PgSessions
from amarktai.storage.tokens import PgTokens
from amarktai.storage.transaction import Transaction
from amarktai.storage.users import PgUsers


class PgAccountUnit:
    def __init__(self, transaction: Transaction, user_id: UUID | None) -> None:
        self.users = PgUsers(transaction)
        self.sessions = PgSessions(transaction)
        self.tokens = PgTokens(transaction)
        self.invites = PgInvites(transaction)
        self.attempts = PgAttempts(transaction)
        self.platform_settings = PgPlatformSettings(transaction)
        self.audit = PgAudit(transaction)
        self.answers = PgAnswers(transaction, user_id)
        self.sealed = PgSealedRows(transaction, user_id)
        if user_id is not None:  # without a tenant nobody has figures
            self.keys = PgProviderKeys(transaction, user_id)
            self.venue_accounts = PgVenueAccounts(transaction, user_id)
            self.factors = PgFactors(transaction, user_id)
            self.alerts = PgAlerts(transaction, user_id)
            self.figures = PgFigures(transaction, user_id)
            self.reports = PgReports(transaction, user_id)


class PgAccounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, user_id: UUID | None) -> AsyncIterator[PgAccountUnit]:
        async with self._database.transaction(user_id) as transaction:
            yield PgAccountUnit(transaction, user_id)


class PgPlatformSettings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: str) -> Any | None:
        query = select(t.platform_settings.c.value).where(t.platform_settings.c.name == name)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def put(self, name: str, value: Any, at: datetime) -> None:
        query = upsert(t.platform_settings).values(name=name, value=value, updated_at=at)
        await self._connection.execute(
            query.on_conflict_do_update(index_elements=["name"], set_={"value": value, "updated_at": at})
        )

    async def remove(self, name: str) -> None:
        await self._connection.execute(delete(t.platform_settings).where(t.platform_settings.c.name == name))


class PgAnswers:
    """Answers to requests with an idempotency key, per user."""

    def __init__(self, connection: AsyncConnection, user_id: UUID | None) -> None:
        self._connection = connection
        self._user_id = user_id

    async def begin(self, key: str, request_hash: bytes, at: datetime) -> StoredAnswer | None:
        claim = upsert(t.idempotency_keys).values(
            user_id=self._user_id, key=key, request_hash=request_hash, created_at=at
        )
        claimed = claim.on_conflict_do_nothing().returning(t.idempotency_keys.c.key)
        if (await self._connection.execute(claimed)).one_or_none() is not None:
            return None
        row = (
            await self._connection.execute(select(t.idempotency_keys).where(t.idempotency_keys.c.key == key))
        ).one()
        return StoredAnswer(row.request_hash, row.status, row.response)

    async def finish(self, key: str, status: int, response: bytes) -> None:
        await self._connection.execute(
            update(t.idempotency_keys)
            .where(t.idempotency_keys.c.key == key)
            .values(status=status, response=response)
        )

    async def release(self, key: str) -> None:
        await self._connection.execute(delete(t.idempotency_keys).where(t.idempotency_keys.c.key == key))

    async def forget_before(self, at: datetime) -> None:
        await self._connection.execute(delete(t.idempotency_keys).where(t.idempotency_keys.c.created_at < at))
