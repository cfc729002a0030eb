"""Sessions and failed sign-ins in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.user import User
from amarktai.ports.accounts import Attempts, Session
from amarktai.storage import tables as t
from amarktai.storage.users import user_of

_SESSION = (
    t.sessions.c.id.label("session_id"),
    t.sessions.c.user_id,
    t.sessions.c.created_at.label("session_created_at"),
    t.sessions.c.last_seen_at.label("session_last_seen_at"),
    t.sessions.c.expires_at,
    t.sessions.c.ip,
    t.sessions.c.user_agent,
    t.sessions.c.stepped_up_at,
)


class PgSessions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, session: Session, secret_hash: bytes) -> None:
        await self._connection.execute(
            insert(t.sessions).values(
                id=session.id,
                user_id=session.user_id,
                secret_hash=secret_hash,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
                ip=session.ip,
                user_agent=session.user_agent,
                stepped_up_at=session.stepped_up_at,
            )
        )

    async def find(self, secret_hash: bytes) -> tuple[Session, User] | None:
        query = (
            select(*_SESSION, t.users)
            .join(t.users, t.users.c.id == t.sessions.c.user_id)
            .where(t.sessions.c.secret_hash == secret_hash, t.sessions.c.revoked_at.is_(None))
        )
        row = (await self._connection.execute(query)).one_or_none()
        return (_session_of(row), user_of(row)) if row else None

    async def get(self, session_id: UUID) -> Session | None:
        query = select(*_SESSION).where(t.sessions.c.id == session_id, t.sessions.c.revoked_at.is_(None))
        row = (await self._connection.execute(query)).one_or_none()
        return _session_of(row) if row else None

    async def touch(self, session_id: UUID, at: datetime, ip: str | None) -> None:
        session = update(t.sessions).where(t.sessions.c.id == session_id)
        await self._connection.execute(session.values(last_seen_at=at, ip=ip))
        await self._connection.execute(
            update(t.users)
            .where(t.users.c.id == t.sessions.c.user_id, t.sessions.c.id == session_id)
            .values(last_seen_at=at)
        )

    async def step_up(self, session_id: UUID, at: datetime) -> None:
        session = update(t.sessions).where(t.sessions.c.id == session_id)
        await self._connection.execute(session.values(stepped_up_at=at))

    async def active(self, now: datetime, idle_since: datetime) -> list[Session]:
        query = (
            select(*_SESSION)
            .where(
                t.sessions.c.revoked_at.is_(None),
                t.sessions.c.expires_at > now,
                t.sessions.c.last_seen_at > idle_since,
            )
            .order_by(t.sessions.c.last_seen_at.desc(), t.sessions.c.id)
        )
        return [_session_of(row) for row in await self._connection.execute(query)]

    async def revoke(self, session_id: UUID, at: datetime) -> bool:
        done = await self._connection.execute(
            update(t.sessions)
            .where(t.sessions.c.id == session_id, t.sessions.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return done.rowcount == 1

    async def revoke_all(self, at: datetime, *, but: UUID | None = None) -> int:
        query = update(t.sessions).where(t.sessions.c.revoked_at.is_(None)).values(revoked_at=at)
        if but is not None:
            query = query.where(t.sessions.c.id != but)
        return (await self._connection.execute(query)).rowcount


class PgAttempts:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, key: str, now: datetime) -> Attempts:
        await self._connection.execute(
            upsert(t.login_attempts).values(key=key, failures=0, updated_at=now).on_conflict_do_nothing()
        )
        query = select(t.login_attempts).where(t.login_attempts.c.key == key).with_for_update()
        row = (await self._connection.execute(query)).one()
        return Attempts(row.failures, row.blocked_until, row.updated_at)

    async def save(self, key: str, attempts: Attempts) -> None:
        await self._connection.execute(
            update(t.login_attempts)
            .where(t.login_attempts.c.key == key)
            .values(
                failures=attempts.failures,
                blocked_until=attempts.blocked_until,
                updated_at=attempts.updated_at,
            )
        )

    async def clear(self, key: str) -> None:
        await self._connection.execute(delete(t.login_attempts).where(t.login_attempts.c.key == key))


def _session_of(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        id=row.session_id,
        user_id=row.user_id,
        created_at=row.session_created_at,
        last_seen_at=row.session_last_seen_at,
        expires_at=row.expires_at,
        ip=row.ip,
        user_agent=row.user_agent,
        stepped_up_at=row.stepped_up_at,
    )
