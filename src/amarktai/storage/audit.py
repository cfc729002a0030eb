"""The audit log in PostgreSQL: append-only, chained, one writer at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.audit import GENESIS, AuditFact, AuditRow, chain_hash
from amarktai.storage import tables as t

_LOCK: Final = text("SELECT pg_advisory_xact_lock(1635083369)")  # "audi"


class PgAudit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, fact: AuditFact, at: datetime) -> None:
        await self._connection.execute(_LOCK)
        query = select(t.audit_log.c.seq, t.audit_log.c.hash).order_by(t.audit_log.c.seq.desc()).limit(1)
        last = (await self._connection.execute(query)).one_or_none()
        seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
        await self._connection.execute(
            insert(t.audit_log).values(
                seq=seq,
                at=at,
                actor=fact.actor,
                session_id=fact.session_id,
                ip=fact.ip,
                action=fact.action,
                object_type=fact.object_type,
                object_id=fact.object_id,
                before=fact.before,
                after=fact.after,
                reason=fact.reason,
                prev_hash=previous,
                hash=chain_hash(previous, seq, at, fact),
            )
        )

    async def read(self, after_seq: int, limit: int) -> list[AuditRow]:
        query = (
            select(t.audit_log).where(t.audit_log.c.seq > after_seq).order_by(t.audit_log.c.seq).limit(limit)
        )
        return [
            AuditRow(
                row.seq,
                row.at,
                AuditFact(
                    actor=row.actor,
                    action=row.action,
                    object_type=row.object_type,
                    object_id=row.object_id,
                    session_id=row.session_id,
                    ip=row.ip,
                    before=row.before,
                    after=row.after,
                    reason=row.reason,
                ),
                row.prev_hash,
                row.hash,
            )
            for row in await self._connection.execute(query)
        ]
