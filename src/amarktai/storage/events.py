"""Reading the outbox: a user's events by sequence."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, select

from amarktai.ports.accounts import StoredEvent
from amarktai.storage import tables as t
from amarktai.storage.database import Database


class PgEvents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def bounds(self, user_id: UUID) -> tuple[int, int]:
        async with self._database.transaction(user_id) as connection:
            newest = (await connection.execute(select(t.outbox_heads.c.seq))).scalar_one_or_none() or 0
            oldest = (await connection.execute(select(func.min(t.outbox.c.seq)))).scalar_one()
        return (newest + 1 if oldest is None else oldest), newest

    async def after(self, user_id: UUID, seq: int, limit: int) -> list[StoredEvent]:
        query = select(t.outbox).where(t.outbox.c.seq > seq).order_by(t.outbox.c.seq).limit(limit)
        return await self._read(user_id, query)

    async def before(self, user_id: UUID, seq: int | None, limit: int) -> list[StoredEvent]:
        query = select(t.outbox).order_by(t.outbox.c.seq.desc()).limit(limit)
        if seq is not None:
            query = query.where(t.outbox.c.seq < seq)
        return await self._read(user_id, query)

    async def prune(self, user_id: UUID, older_than: datetime) -> int:
        async with self._database.transaction(user_id) as connection:
            done = await connection.execute(delete(t.outbox).where(t.outbox.c.created_at < older_than))
        return done.rowcount

    async def _read(self, user_id: UUID, query: Select[tuple[object, ...]]) -> list[StoredEvent]:
        async with self._database.transaction(user_id) as connection:
            rows = (await connection.execute(query)).all()
        return [StoredEvent(row.seq, row.type, row.payload, row.created_at) for row in rows]
