"""Connections and transactions. Every transaction names its tenant, or sees no user's row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from amarktai.domain.errors import Unavailable
from amarktai.storage.transaction import Driver, Preparations, Transaction

_OPEN = "BEGIN; SELECT set_config('app.tenant', '{tenant}', true)"
_OPEN_ASYNC = f"{_OPEN}; SET LOCAL synchronous_commit = off"
_NO_ANSWER = (
    OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError
)  # fmt: skip
# In one statement with what nearly every answer depends on: a round trip less for each.
_OPEN_SNAPSHOT = text(
    """
    SELECT set_config('app.tenant', :tenant, true), m.base, u.timezone
    FROM system_mode m LEFT JOIN users u ON u.id = nullif(:tenant, '')::uuid
    """
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only transaction, with the mode's base and the tenant's time zone as of it."""

    connection: Transaction
    base: str
    timezone: str | None


class Database:
    """A pool of connections as the role ``app``."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine: AsyncEngine = create_async_engine(
            _sqlalchemy_url(url),
            pool_size=pool_size + 1,
            max_overflow=0,  # one more: the spare
        )
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        # The connection of the last transaction, for the next one: taking one from the pool and giving it
        # back costs more than a small transaction does. The pool keeps the others.
        self._spare: _Opened | None = None

    @asynccontextmanager
    async def transaction(self, user_id: UUID | None, *, durable: bool = True) -> AsyncIterator[Transaction]:
        """Open a transaction for one tenant; None sees only tables without a user.

        ``durable=False`` lets the commit return before the disk has it: for paper, where a lost
        last moment costs nothing, never for live orders.
        Raises: Unavailable when the database does not answer; what ``Transaction`` raises.
        """
        opening = (_OPEN if durable else _OPEN_ASYNC).format(tenant=user_id or "").encode()
        try:
            opened, self._spare = self._spare, None
            if opened is None:
                opened = await self._connect()
            try:
                transaction = Transaction(opened.connection, opened.driver, opening, opened.preparations)
                yield transaction
                await transaction.commit_all()
            except BaseException:
                await opened.abandon()
                raise
            await self._keep(opened)
        except _NO_ANSWER as error:
            raise Unavailable(
                "UNAVAILABLE", "The database does not answer.", "Try again in a moment."
            ) from error

    async def _connect(self) -> _Opened:
        connection = await self._engine.connect()
        try:
            driver = await _driver_of(connection)
            await driver.set_autocommit(True)  # our own BEGIN comes with the first statement
            await driver.execute("SELECT 1")  # so that the driver deallocates now what it still means to
        except BaseException:
            await connection.invalidate()  # the pool forgets it: its server has gone
            await connection.close()
            raise
        return _Opened(connection, driver, Preparations(driver))

    async def _keep(self, opened: _Opened) -> None:
        if opened.connection.in_transaction():
            await opened.connection.commit()  # it is committed; SQLAlchemy must hear of it
        if self._spare is None:
            self._spare = opened
        else:
            await opened.give_back()

    @asynccontextmanager
    async def snapshot(self, user_id: UUID | None) -> AsyncIterator[Snapshot]:
        """Open a read-only transaction whose statements all see the same instant.

        Raises: Unavailable when the database does not answer.
        """
        try:
            async with self._readers.begin() as connection:
                values = {"tenant": str(user_id) if user_id else ""}
                row = (await connection.execute(_OPEN_SNAPSHOT, values)).one()
                driver = await _driver_of(connection)
                opened = Transaction(connection, driver, None, Preparations(driver))
                yield Snapshot(opened, row.base, row.timezone)
        except _NO_ANSWER as error:
            raise Unavailable(
                "UNAVAILABLE", "The database does not answer.", "Try again in a moment."
            ) from error

    async def close(self) -> None:
        if self._spare is not None:
            await self._spare.give_back()
            self._spare = None
        await self._engine.dispose()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection out of the pool, with the driver's own beneath it."""

    connection: AsyncConnection
    driver: Driver
    preparations: Preparations

    async def abandon(self) -> None:
        """Roll back and give it to the pool, which closes it when it is broken."""
        if not self.driver.closed:
            with suppress(psycopg.OperationalError):  # the error that led here says more
                await self.driver.rollback()
        await self.give_back()

    async def give_back(self) -> None:
        """Give it to the pool as it came; one whose server has gone, only to be forgotten."""
        if self.driver.closed:
            await self.connection.invalidate()
        else:
            await self.driver.set_autocommit(False)
        await self.connection.close()


async def _driver_of(connection: AsyncConnection) -> Driver:
    """Return the driver's own connection beneath SQLAlchemy's."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver


def _sqlalchemy_url(url: str) -> str:
    """Return the URL with the psycopg driver named."""
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url
