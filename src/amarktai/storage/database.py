"""Connections and transactions. Every transaction names its tenant, or sees no user's row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from amarktai.domain.errors import Unavailable

_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_SET_TENANT_ASYNC = text(
    "SELECT set_config('app.tenant', :tenant, true), set_config('synchronous_commit', 'off', true)"
)
# In one statement with what nearly every answer depends on: a round trip less for each.
_OPEN_SNAPSHOT = text(
    """
    SELECT set_config('app.tenant', :tenant, true), m.mode, u.timezone
    FROM system_mode m LEFT JOIN users u ON u.id = nullif(:tenant, '')::uuid
    """
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only transaction, with the system's mode and the tenant's time zone as of it."""

    connection: AsyncConnection
    system_mode: str
    timezone: str | None


class Database:
    """A pool of connections as the role ``app``."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine: AsyncEngine = create_async_engine(
            _sqlalchemy_url(url), pool_size=pool_size, max_overflow=0
        )
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @asynccontextmanager
    async def transaction(
        self, user_id: UUID | None, *, durable: bool = True
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for one tenant; None sees only tables without a user.

        ``durable=False`` lets the commit return before the disk has it: for paper, where a lost
        last moment costs nothing, never for live orders.
        Raises: Unavailable when the database does not answer.
        """
        try:
            async with self._engine.begin() as connection:
                begin = _SET_TENANT if durable else _SET_TENANT_ASYNC
                await connection.execute(begin, {"tenant": str(user_id) if user_id else ""})
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable(
                "UNAVAILABLE", "The database does not answer.", "Try again in a moment."
            ) from error

    @asynccontextmanager
    async def snapshot(self, user_id: UUID | None) -> AsyncIterator[Snapshot]:
        """Open a read-only transaction whose statements all see the same instant.

        Raises: Unavailable when the database does not answer.
        """
        try:
            async with self._readers.begin() as connection:
                values = {"tenant": str(user_id) if user_id else ""}
                row = (await connection.execute(_OPEN_SNAPSHOT, values)).one()
                yield Snapshot(connection, row.mode, row.timezone)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable(
                "UNAVAILABLE", "The database does not answer.", "Try again in a moment."
            ) from error

    async def close(self) -> None:
        await self._engine.dispose()


def _sqlalchemy_url(url: str) -> str:
    """Return the URL with the psycopg driver named."""
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url
