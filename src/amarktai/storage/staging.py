"""Rows on their way to several tables, written together in one statement.

A fill touches eleven tables. Written one by one, the round trips cost more than the work; here each
table's rows are one JSON array, and one statement unpacks them all. PostgreSQL still checks every row:
constraints, triggers and row-level security act as for single statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final

import orjson
from sqlalchemy import Table

from amarktai.storage import tables as t

Row = Mapping[str, Any]
#: Stands in a target's statement for the parameter that carries its rows.
ROWS: Final = "{rows}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that a connection prepares once, with the types of its parameters ($1, $2 …)."""

    name: str
    text: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """How rows get into a table.

    ``write`` is a common table expression. Rows with equal ``key`` replace each other while they wait.
    ``returns`` names the columns that come back.
    """

    write: str
    key: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.autoincrement is not True]


def _insert(table: Table) -> str:
    names = ", ".join(f'"{name}"' for name in _names(table))
    unpacked = f"json_populate_recordset(NULL::{table.name}, {ROWS})"
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {unpacked}"


def _upsert(table: Table, assign: str = "{name} = EXCLUDED.{name}", only: Sequence[str] = ()) -> Target:
    key = tuple(column.name for column in table.primary_key.columns)
    names = only or [name for name in _names(table) if name not in key]
    changes = ", ".join(assign.format(name=name, table=table.name) for name in names)
    return Target(f"{_insert(table)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}", key)


def _update(table: Table, names: Sequence[str]) -> Target:
    changes = ", ".join(f"{name} = r.{name}" for name in names)
    unpacked = f"json_populate_recordset(NULL::{table.name}, {ROWS})"
    return Target(f"UPDATE {table.name} x SET {changes} FROM {unpacked} r WHERE x.id = r.id", ("id",))


#: The figures of a rollup row, which add up.
SUMS: Final = (
    "profit_zar",
    "profit_quote",
    "fees_zar",
    "fills",
    "trades",
    "wins",
    "losses",
    "unvalued_fills",
)
_ROLLUPS: Final = _upsert(t.rollups, "{name} = {table}.{name} + EXCLUDED.{name}", SUMS)
_TOTALS: Final = ("scope", "scope_id", "day", "profit_zar", "fees_zar", "trades")
#: ``seq`` of a waiting event counts from 1; the user's head says from where it goes on.
_EVENTS: Final = """
INSERT INTO outbox (user_id, seq, type, payload, created_at)
SELECT e.user_id, head.seq - n.count + e.seq, e.type, e.payload, e.created_at FROM new_events e
JOIN event_counts n USING (user_id) JOIN event_heads head USING (user_id)
"""
_EVENT_PARTS: Final = f"""
new_events AS MATERIALIZED (SELECT * FROM json_populate_recordset(NULL::outbox, {ROWS})),
event_counts AS MATERIALIZED (SELECT user_id, count(*) AS count FROM new_events GROUP BY user_id),
event_heads AS (
  INSERT INTO outbox_heads (user_id, seq) SELECT user_id, count FROM event_counts
  ON CONFLICT (user_id) DO UPDATE SET seq = outbox_heads.seq + EXCLUDED.seq RETURNING user_id, seq
)
"""

#: Every way of writing, by name. Within a statement all see the tables as they were before it.
TARGETS: Final[Mapping[str, Target]] = {
    "orders": Target(_insert(t.orders)),
    "order_changes": _update(
        t.orders,
        ("state", "filled_quantity", "filled_notional", "reserved_amount", "venue_order_id",
         "reject_reason", "updated_at", "closed_at"),
    ),
    "order_events": Target(_insert(t.order_events)),
    "ledger_entries": Target(_insert(t.ledger_entries)),
    "ledger_postings": Target(_insert(t.ledger_postings)),
    "ledger_balances": _upsert(t.ledger_balances, only=("amount",)),
    "ledger_heads": _update(t.ledger_books, ("head_seq", "head_hash")),
    "round_trips": _upsert(t.round_trips),
    "fills": Target(_insert(t.fills)),
    "positions": _upsert(t.positions),
    "rollups": Target(_ROLLUPS.write, returns=_TOTALS),
    "external_orders": _upsert(t.external_orders),
    "outbox": Target(_EVENTS),
}  # fmt: skip


@cache
def statement(names: tuple[str, ...]) -> Prepared:
    """Return the statement that writes waiting rows of these targets; one parameter each, in order."""
    parts, answer = [], "SELECT 1"
    for number, name in enumerate(names, start=1):
        target = TARGETS[name]
        write = target.write
        if name == "outbox":
            parts.append(_EVENT_PARTS.replace(ROWS, f"${number}"))
        if target.returns:
            columns = ", ".join(target.returns)
            write, answer = f"{write} RETURNING {columns}", f"SELECT {columns} FROM w_{name}"
        parts.append(f"w_{name} AS ({write.replace(ROWS, f'${number}')})")
    number = sum(1 << place for place, name in enumerate(TARGETS) if name in names)
    return Prepared(f"write_{number}", f"WITH {', '.join(parts)} {answer}", ("json",) * len(names))


class Waiting:
    """Rows that wait to be written."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, Row]] = {}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def count(self, name: str) -> int:
        """Return how many rows of that target wait."""
        return len(self._rows.get(name, ()))

    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Let rows wait; of rows with equal keys the last stays."""
        if not rows:
            return
        key, waiting = TARGETS[name].key, self._rows.setdefault(name, {})
        for row in rows:
            waiting[tuple(row[part] for part in key) if key else len(waiting)] = row

    def take(self) -> tuple[Prepared, list[bytes]]:
        """Return the statement that writes everything, with its parameters; nothing waits any more."""
        taken, self._rows = self._rows, {}
        names = tuple(name for name in TARGETS if name in taken)
        return statement(names), [_encode(list(taken[name].values())) for name in names]


def _encode(rows: list[Row]) -> bytes:
    return orjson.dumps(rows, default=_plain)


def _plain(value: object) -> str:
    """Return what JSON has no form for as PostgreSQL reads it: exact decimals, bytes in hex."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} has no form in a row")
