"""Encrypted secrets in PostgreSQL, whatever they are for: what a rotation goes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.ports.factors import TOTP_PURPOSE
from amarktai.ports.keys import KEY_PURPOSE
from amarktai.ports.secrets import Sealed, SecretPlace
from amarktai.storage import tables as t

_SHARE: Final = text("SELECT pg_advisory_xact_lock_shared(1801812341)")  # "keyu"
_EXCLUDE: Final = text("SELECT pg_advisory_xact_lock(1801812341)")
_TABLES: Final[Mapping[str, Table]] = {KEY_PURPOSE: t.api_keys, TOTP_PURPOSE: t.totp_factors}


class PgSealedRows:
    def __init__(self, connection: AsyncConnection, user_id: UUID | None) -> None:
        self._connection = connection
        self._user_id = user_id

    async def share_lock(self) -> None:
        await self._connection.execute(_SHARE)

    async def exclude_lock(self) -> None:
        await self._connection.execute(_EXCLUDE)

    async def kek_ids(self) -> set[str]:
        found: set[str] = set()
        for table in _TABLES.values():
            found |= set((await self._connection.execute(select(table.c.kek_id).distinct())).scalars())
        return found

    async def under_other_keks(self, kek_id: str) -> list[tuple[SecretPlace, Sealed]]:
        found = []
        for purpose, table in _TABLES.items():
            query = select(table).where(table.c.kek_id != kek_id).with_for_update()
            for row in await self._connection.execute(query):
                name = row.provider if purpose == KEY_PURPOSE else TOTP_PURPOSE
                place = SecretPlace(purpose, row.user_id, name, row.version)
                found.append((place, sealed_of(row)))
        return found

    async def rewrap(self, place: SecretPlace, sealed: Sealed) -> None:
        table = _TABLES[place.purpose]
        same = [table.c.user_id == place.user_id, table.c.version == place.version]
        values = {"kek_id": sealed.kek_id, "wrapped_key": sealed.wrapped_key}
        await self._connection.execute(update(table).where(*same).values(**values))


def sealed_of(row: Row[*tuple[Any, ...]]) -> Sealed:
    """Return the secret in a row that holds its columns."""
    return Sealed(row.version, row.kek_id, row.wrapped_key, row.ciphertext)


def sealed_values(sealed: Sealed) -> dict[str, Any]:
    """Return the columns of a secret."""
    return {
        "version": sealed.version,
        "kek_id": sealed.kek_id,
        "wrapped_key": sealed.wrapped_key,
        "ciphertext": sealed.ciphertext,
    }
