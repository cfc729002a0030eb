"""Personal access tokens in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.user import Scope, User
from amarktai.ports.accounts import AccessToken
from amarktai.storage import tables as t
from amarktai.storage.users import user_of

_TOKEN = (
    t.access_tokens.c.id.label("token_id"),
    t.access_tokens.c.user_id,
    t.access_tokens.c.name.label("token_name"),
    t.access_tokens.c.scopes,
    t.access_tokens.c.created_at.label("token_created_at"),
    t.access_tokens.c.expires_at,
    t.access_tokens.c.last_used_at,
)


class PgTokens:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, token: AccessToken, secret_hash: bytes) -> None:
        await self._connection.execute(
            insert(t.access_tokens).values(
                id=token.id,
                user_id=token.user_id,
                name=token.name,
                secret_hash=secret_hash,
                scopes=[scope.value for scope in token.scopes],
                created_at=token.created_at,
                expires_at=token.expires_at,
            )
        )

    async def find(self, secret_hash: bytes) -> tuple[AccessToken, User] | None:
        query = (
            select(*_TOKEN, t.users)
            .join(t.users, t.users.c.id == t.access_tokens.c.user_id)
            .where(t.access_tokens.c.secret_hash == secret_hash, t.access_tokens.c.revoked_at.is_(None))
        )
        row = (await self._connection.execute(query)).one_or_none()
        return (_token_of(row), user_of(row)) if row else None

    async def get(self, token_id: UUID) -> AccessToken | None:
        query = select(*_TOKEN).where(
            t.access_tokens.c.id == token_id, t.access_tokens.c.revoked_at.is_(None)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return _token_of(row) if row else None

    async def touch(self, token_id: UUID, at: datetime) -> None:
        await self._connection.execute(
            update(t.access_tokens).where(t.access_tokens.c.id == token_id).values(last_used_at=at)
        )

    async def page(self, after: UUID | None, limit: int) -> list[AccessToken]:
        query = (
            select(*_TOKEN)
            .where(t.access_tokens.c.revoked_at.is_(None))
            .order_by(t.access_tokens.c.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(t.access_tokens.c.id < after)
        return [_token_of(row) for row in await self._connection.execute(query)]

    async def revoke(self, token_id: UUID, at: datetime) -> bool:
        done = await self._connection.execute(
            update(t.access_tokens)
            .where(t.access_tokens.c.id == token_id, t.access_tokens.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return done.rowcount == 1

    async def revoke_all(self, at: datetime) -> int:
        query = update(t.access_tokens).where(t.access_tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        return (await self._connection.execute(query)).rowcount


def _token_of(row: Row[*tuple[Any, ...]]) -> AccessToken:
    return AccessToken(
        id=row.token_id,
        user_id=row.user_id,
        name=row.token_name,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.token_created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
