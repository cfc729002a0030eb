"""Users in PostgreSQL. The table has no tenant: it is what tenants are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.errors import Conflict
from amarktai.domain.user import Role, User
from amarktai.storage import tables as t

_LOCK_USERS = text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")


class PgUsers:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, user: User, password_hash: str) -> None:
        try:
            await self._connection.execute(
                insert(t.users).values(
                    id=user.id,
                    email=user.email,
                    name=user.name,
                    password_hash=password_hash,
                    role=user.role.value,
                    timezone=user.timezone,
                    settings=dict(user.settings),
                    created_at=user.created_at,
                )
            )
        except IntegrityError as error:
            raise Conflict(
                "EMAIL_TAKEN",
                "This email address has an account already.",
                "Sign in, or use another address.",
            ) from error

    async def count(self, *, lock: bool = False) -> int:
        if lock:
            await self._connection.execute(_LOCK_USERS)
        return (await self._connection.execute(select(func.count()).select_from(t.users))).scalar_one()

    async def by_email(self, email: str) -> tuple[User, str] | None:
        row = (await self._connection.execute(select(t.users).where(t.users.c.email == email))).one_or_none()
        return (user_of(row), row.password_hash) if row else None

    async def get(self, user_id: UUID) -> tuple[User, str] | None:
        row = (await self._connection.execute(select(t.users).where(t.users.c.id == user_id))).one_or_none()
        return (user_of(row), row.password_hash) if row else None

    async def page(self, after: UUID | None, limit: int) -> list[User]:
        query = select(t.users).order_by(t.users.c.id).limit(limit)
        if after is not None:
            query = query.where(t.users.c.id > after)
        return [user_of(row) for row in await self._connection.execute(query)]

    async def bots_counts(self, user_ids: Sequence[UUID]) -> dict[UUID, int]:
        counts = {}
        query = select(func.count()).select_from(t.bots).where(t.bots.c.deleted_at.is_(None))
        for user_id in user_ids:
            await self._connection.execute(_SET_TENANT, {"tenant": str(user_id)})
            counts[user_id] = (await self._connection.execute(query)).scalar_one()
        await self._connection.execute(_SET_TENANT, {"tenant": ""})
        return counts

    async def active_admins(self) -> int:
        query = select(t.users.c.id).where(t.users.c.role == Role.ADMIN.value, t.users.c.is_active)
        return len((await self._connection.execute(query.with_for_update())).all())

    async def update(self, user_id: UUID, changes: Mapping[str, Any]) -> None:
        await self._connection.execute(update(t.users).where(t.users.c.id == user_id).values(**changes))


def user_of(row: Row[*tuple[Any, ...]]) -> User:
    """Return the user in a row that holds the columns of ``users``."""
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        timezone=row.timezone,
        created_at=row.created_at,
        is_active=row.is_active,
        settings=row.settings,
        last_seen_at=row.last_seen_at,
    )
