"""The audit log in PostgreSQL: append-only, chained, one writer at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import String, and_, cast, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.audit import GENESIS, AuditFact, AuditRow, chain_hash
from amarktai.ports.accounts import AuditFilter, NamedFact
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
        return [_to_row(row) for row in await self._connection.execute(query)]

    async def page(self, wanted: AuditFilter, before_seq: int | None, limit: int) -> list[NamedFact]:
        log, people = t.audit_log, t.users
        # "user:<id>", with what it came through after a space.
        actor_id = func.substring(log.c.actor, "^user:([0-9a-f-]{36})")
        query = select(log, people.c.name.label("actor_name")).outerjoin(
            people, cast(people.c.id, String) == actor_id
        )
        if wanted.seen_by is not None:
            own_bots = select(cast(t.bots.c.id, String)).where(t.bots.c.user_id == wanted.seen_by)
            own = or_(
                actor_id == str(wanted.seen_by),
                and_(log.c.object_type == "bot", log.c.object_id.in_(own_bots)),
                and_(log.c.object_type == "user", log.c.object_id == str(wanted.seen_by)),
            )
            query = query.where(own)
        if wanted.object_type is not None:
            query = query.where(log.c.object_type == wanted.object_type)
        if wanted.object_id is not None:
            query = query.where(log.c.object_id == wanted.object_id)
        if before_seq is not None:
            query = query.where(log.c.seq < before_seq)
        rows = await self._connection.execute(query.order_by(log.c.seq.desc()).limit(limit))
        return [NamedFact(_to_row(row), row.actor_name) for row in rows]


def _to_row(row: Any) -> AuditRow:
    fact = AuditFact(
        actor=row.actor,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
        session_id=row.session_id,
        ip=row.ip,
        before=row.before,
        after=row.after,
        reason=row.reason,
    )
    return AuditRow(row.seq, row.at, fact, row.prev_hash, row.hash)
