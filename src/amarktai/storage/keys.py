"""Provider keys and the state of exchange accounts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.instrument import Platform
from amarktai.domain.provider import ProviderId, TestOutcome
from amarktai.ports.keys import AccountState, StoredKey, VenueAccount
from amarktai.storage import tables as t
from amarktai.storage.secrets import sealed_of, sealed_values


class PgProviderKeys:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def list(self) -> list[StoredKey]:
        return [_key_of(row) for row in await self._connection.execute(select(t.api_keys))]

    async def get(self, provider: ProviderId) -> StoredKey | None:
        query = select(t.api_keys).where(t.api_keys.c.provider == provider.value)
        row = (await self._connection.execute(query)).one_or_none()
        return _key_of(row) if row else None

    async def put(self, key: StoredKey) -> None:
        values = {
            **sealed_values(key.sealed),
            "hint": key.hint,
            "fingerprint": key.fingerprint,
            "updated_at": key.updated_at,
            "last_tested_at": key.last_tested_at,
            "last_outcome": key.last_outcome,
            "last_test": key.last_test,
        }
        row = upsert(t.api_keys).values(
            user_id=self._user_id, provider=key.provider.value, created_at=key.created_at, **values
        )
        await self._connection.execute(
            row.on_conflict_do_update(index_elements=["user_id", "provider"], set_=values)
        )

    async def record_test(
        self,
        provider: ProviderId,
        version: UUID,
        outcome: TestOutcome,
        verdict: Mapping[str, Any],
        at: datetime,
    ) -> bool:
        done = await self._connection.execute(
            update(t.api_keys)
            .where(t.api_keys.c.provider == provider.value, t.api_keys.c.version == version)
            .values(last_tested_at=at, last_outcome=outcome.value, last_test=dict(verdict))
        )
        return done.rowcount == 1

    async def delete(self, provider: ProviderId) -> StoredKey | None:
        query = delete(t.api_keys).where(t.api_keys.c.provider == provider.value).returning(t.api_keys)
        row = (await self._connection.execute(query)).one_or_none()
        return _key_of(row) if row else None


class PgVenueAccounts:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def list(self) -> dict[Platform, VenueAccount]:
        rows = await self._connection.execute(select(t.venue_accounts))
        return {
            Platform(row.platform): VenueAccount(
                Platform(row.platform), AccountState(row.state), row.reason, row.changed_at
            )
            for row in rows
        }

    async def put(self, account: VenueAccount) -> None:
        values = {
            "state": account.state.value,
            "reason": account.reason,
            "changed_at": account.changed_at,
        }
        row = upsert(t.venue_accounts).values(
            user_id=self._user_id, platform=account.platform.value, **values
        )
        await self._connection.execute(
            row.on_conflict_do_update(index_elements=["user_id", "platform"], set_=values)
        )


def _key_of(row: Row[*tuple[Any, ...]]) -> StoredKey:
    return StoredKey(
        provider=ProviderId(row.provider),
        sealed=sealed_of(row),
        hint=row.hint,
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_tested_at=row.last_tested_at,
        last_outcome=TestOutcome(row.last_outcome) if row.last_outcome else None,
        last_test=row.last_test,
    )
