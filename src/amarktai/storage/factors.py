"""Second factors in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.ports.factors import StoredTotp
from amarktai.storage import tables as t
from amarktai.storage.secrets import sealed_of, sealed_values


class PgFactors:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def totp(self, *, lock: bool = False) -> StoredTotp | None:
        query = select(t.totp_factors)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            return None
        return StoredTotp(sealed_of(row), row.created_at, row.confirmed_at, row.last_step)

    async def put_totp(self, totp: StoredTotp) -> None:
        values = {
            **sealed_values(totp.sealed),
            "created_at": totp.created_at,
            "confirmed_at": totp.confirmed_at,
            "last_step": totp.last_step,
        }
        row = upsert(t.totp_factors).values(user_id=self._user_id, **values)
        await self._connection.execute(row.on_conflict_do_update(index_elements=["user_id"], set_=values))

    async def confirm_totp(self, at: datetime) -> None:
        await self._connection.execute(update(t.totp_factors).values(confirmed_at=at))

    async def use_step(self, step: int) -> None:
        await self._connection.execute(update(t.totp_factors).values(last_step=step))

    async def replace_codes(self, hashes: Sequence[bytes], at: datetime) -> None:
        await self._connection.execute(delete(t.recovery_codes))
        rows = [{"user_id": self._user_id, "code_hash": one, "created_at": at} for one in hashes]
        await self._connection.execute(insert(t.recovery_codes), rows)

    async def use_code(self, code_hash: bytes, at: datetime) -> bool:
        code = t.recovery_codes.c
        done = await self._connection.execute(
            update(t.recovery_codes)
            .where(code.code_hash == code_hash, code.used_at.is_(None))
            .values(used_at=at)
        )
        return done.rowcount == 1

    async def codes_left(self) -> int:
        query = select(func.count()).select_from(t.recovery_codes).where(t.recovery_codes.c.used_at.is_(None))
        return (await self._connection.execute(query)).scalar_one()

    async def remove(self) -> bool:
        await self._connection.execute(delete(t.recovery_codes))
        return (await self._connection.execute(delete(t.totp_factors))).rowcount == 1
