"""Pruning in PostgreSQL. The newest event of a user always stays: it holds the place in the sequence."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Delete, delete, func, select

from amarktai.storage import tables as t
from amarktai.storage.database import Database


class PgRetention:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def user_ids(self) -> list[UUID]:
        async with self._database.transaction(None) as connection:
            return list((await connection.execute(select(t.users.c.id).order_by(t.users.c.id))).scalars())

    async def prune_events(self, user_id: UUID, before: datetime) -> int:
        newest = select(func.max(t.outbox.c.seq)).scalar_subquery()
        return await self._delete(
            user_id, delete(t.outbox).where(t.outbox.c.created_at < before, t.outbox.c.seq < newest)
        )

    async def prune_decisions(self, user_id: UUID, keep: int) -> int:
        place = func.row_number().over(partition_by=t.decisions.c.bot_id, order_by=t.decisions.c.at.desc())
        ranked = select(t.decisions.c.bot_id, t.decisions.c.at, place.label("place")).subquery()
        return await self._delete(
            user_id,
            delete(t.decisions).where(
                t.decisions.c.bot_id == ranked.c.bot_id,
                t.decisions.c.at == ranked.c.at,
                ranked.c.place > keep,
            ),
        )

    async def prune_answers(self, user_id: UUID, before: datetime) -> int:
        old = t.idempotency_keys.c.created_at < before
        return await self._delete(user_id, delete(t.idempotency_keys).where(old))

    async def prune_sessions(self, user_id: UUID, before: datetime) -> int:
        ended = (t.sessions.c.expires_at < before) | (t.sessions.c.revoked_at < before)
        return await self._delete(user_id, delete(t.sessions).where(ended))

    async def _delete(self, user_id: UUID, statement: Delete) -> int:
        async with self._database.transaction(user_id) as connection:
            done: CursorResult[Any] = await connection.execute(statement)
            return done.rowcount
