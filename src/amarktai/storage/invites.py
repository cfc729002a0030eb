"""Invitations in PostgreSQL. They belong to the platform, not to a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.user import Role
from amarktai.ports.accounts import Invite
from amarktai.storage import tables as t


class PgInvites:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, invite: Invite, secret_hash: bytes) -> None:
        await self._connection.execute(
            insert(t.invites).values(
                id=invite.id,
                secret_hash=secret_hash,
                email=invite.email,
                role=invite.role.value,
                created_by=invite.created_by,
                created_at=invite.created_at,
                expires_at=invite.expires_at,
            )
        )

    async def find(self, secret_hash: bytes) -> Invite | None:
        query = select(t.invites).where(t.invites.c.secret_hash == secret_hash).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return _invite_of(row) if row else None

    async def page(self, after: UUID | None, limit: int) -> list[Invite]:
        query = select(t.invites).order_by(t.invites.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(t.invites.c.id < after)
        return [_invite_of(row) for row in await self._connection.execute(query)]

    async def use(self, invite_id: UUID, user_id: UUID, at: datetime) -> None:
        await self._connection.execute(
            update(t.invites).where(t.invites.c.id == invite_id).values(used_at=at, used_by=user_id)
        )

    async def delete(self, invite_id: UUID) -> bool:
        done = await self._connection.execute(delete(t.invites).where(t.invites.c.id == invite_id))
        return done.rowcount == 1


def _invite_of(row: Row[*tuple[Any, ...]]) -> Invite:
    return Invite(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
