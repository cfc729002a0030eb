"""One transaction's connection: statements as they come, and rows that wait to be written together.

Everything that can share a round trip does: the transaction's opening with its first statement, waiting
rows with what is read next or with the commit. Statements that every order needs are prepared once per
connection and executed by name, several in one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.pq import Escaping
from psycopg.rows import namedtuple_row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from amarktai.domain.errors import BrokenInvariant, Conflict
from amarktai.ports.store import BookMoved
from amarktai.storage.staging import Prepared, Row, Waiting

Driver = psycopg.AsyncConnection[Any]

_ENTRY: Final = Conflict(
    "DUPLICATE_ENTRY", "This event is in the ledger already", "Nothing needs to be done."
)
_DUPLICATES: Final = {
    "uq_ledger_entries_book_id_idempotency_key": _ENTRY,
    "uq_fills_user_id_platform_account_venue_trade_id": _ENTRY,
    "uq_orders_bot_id_decision_key": Conflict(
        "DECISION_TAKEN", "This decision has an order already", "Nothing needs to be done."
    ),
}
_numbers = count(1)


class Preparations:
    """The statements that a connection has prepared for us, under names that it never had before.

    A rollback drops them (the driver deallocates everything then): whoever rolls back ends their use.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._number = next(_numbers)
        self._names: set[str] = set()

    async def name_of(self, statement: Prepared) -> str:
        """Return the name to execute, after preparing it on first use."""
        name = f"{statement.name}_{self._number}"
        if name not in self._names:
            types = ", ".join(statement.types)
            await self._driver.execute(f"PREPARE {name} ({types}) AS {statement.text}".encode())
            self._names.add(name)
        return name


class Transaction(AsyncConnection):
    """A connection within a transaction. Waiting rows are written before anything else is executed.

    ``opening`` is sent with the first statement and begins the transaction; None when it has begun.
    Raises, from whatever writes the waiting rows: Conflict DUPLICATE_ENTRY or DECISION_TAKEN for an event
    or a decision that is on record already; BrokenInvariant when a constraint of the database refuses;
    BookMoved when what ``expect`` was told does not hold.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        driver: Driver,
        opening: bytes | None,
        preparations: Preparations,
    ) -> None:
        super().__init__(connection.engine, connection.sync_connection)
        self._driver = driver
        self._preparations = preparations
        self._opening = opening
        self._expected: list[tuple[Prepared, Sequence[str]]] = []
        self._waiting = Waiting()

    def stage(self, target: str, rows: Sequence[Row]) -> None:
        """Let rows wait for the next statement or the commit; ``storage.staging`` names the targets."""
        self._waiting.add(target, rows)

    def waiting(self, target: str) -> int:
        """Return how many rows of that target wait."""
        return self._waiting.count(target)

    def expect(self, check: Prepared, values: Sequence[str]) -> None:
        """Let ``check`` run with whatever is sent first, before all else: it divides by zero if in vain."""
        assert self._opening is not None, "nothing may be sent before it is known to hold"
        self._expected.append((check, values))

    def begin_nested(self) -> AsyncTransaction:
        """Begin a savepoint; ``flush`` first, so that nothing which belongs before it is lost with it."""
        assert self._opening is None and not self._waiting, "flush before a savepoint"
        return super().begin_nested()

    if not TYPE_CHECKING:  # to the type checker it is the parent's, with its overloads

        async def execute(self, *arguments: Any, **options: Any) -> Any:
            """Execute a SQLAlchemy statement, after what waits."""
            await self.flush()
            return await super().execute(*arguments, **options)

        async def exec_driver_sql(self, *arguments: Any, **options: Any) -> Any:
            """Execute plain SQL, after what waits: it too belongs to the tenant and the transaction."""
            await self.flush()
            return await super().exec_driver_sql(*arguments, **options)

    async def fetch(self, query: Prepared, values: Sequence[str]) -> list[Any]:
        """Return the rows of a prepared query, after what waits."""
        return await self._run(await self._call(query, _encoded(values)))

    async def flush(self) -> list[Any]:
        """Write what waits and return the rows that this gives back."""
        return await self._run(None) if self._opening or self._waiting else []

    async def commit_all(self) -> None:
        """Write what waits and commit, in one round trip."""
        if self._opening is None or self._waiting:
            await self._run(b"COMMIT")

    async def _run(self, last: bytes | None) -> list[Any]:
        """Send opening, waiting rows and one statement; return the rows of the last of them."""
        parts = [] if last is None else [last]
        if self._waiting:
            parts.insert(0, await self._call(*self._waiting.take()))
        expected, self._expected = self._expected, []
        parts[:0] = [await self._call(check, _encoded(values)) for check, values in expected]
        if self._opening is not None:
            parts.insert(0, self._opening)
            self._opening = None
        cursor = self._driver.cursor(row_factory=namedtuple_row)
        try:
            await cursor.execute(b"; ".join(parts))
        except psycopg.IntegrityError as refused:
            raise _meaning(refused) from refused
        except psycopg.errors.DivisionByZero as moved:
            if expected is None:
                raise
            raise BookMoved from moved
        while cursor.nextset():
            pass
        return await cursor.fetchall() if cursor.description else []

    async def _call(self, statement: Prepared, values: Sequence[bytes]) -> bytes:
        """Return the text that executes a statement with these values."""
        name = await self._preparations.name_of(statement)
        escaping = Escaping(self._driver.pgconn)
        literals = b", ".join(bytes(escaping.escape_literal(value)) for value in values)
        return b"EXECUTE %s (%s)" % (name.encode(), literals)


def _encoded(values: Sequence[str]) -> list[bytes]:
    return [value.encode() for value in values]


def _meaning(refused: psycopg.IntegrityError) -> Exception:
    constraint = refused.diag.constraint_name or ""
    if constraint in _DUPLICATES:
        return _DUPLICATES[constraint]
    return BrokenInvariant(f"the database refuses: {refused.diag.message_primary}")
