"""The ledger: locked books, chained entries, balances that can be derived from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Conflict
from amarktai.domain.money import ZERO
from amarktai.ledger.chart import is_holding
from amarktai.ledger.entry import GENESIS, Entry, chain_hash
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.ports.store import Balances, Book
from amarktai.storage import tables as t
from amarktai.storage.lists import one_of
from amarktai.storage.staging import Prepared
from amarktai.storage.transaction import Transaction

#: The tenant's exchange accounts that are held back: reasons by platform.
_HALTS: Final = (
    "coalesce((SELECT jsonb_object_agg(platform, coalesce(reason, '')) FROM venue_accounts"
    " WHERE state = 'halted'), '{}')"
)
#: Why an emergency stop is on for the tenant; the row-level policy shows theirs and everybody's.
_STOP: Final = (
    "coalesce((SELECT reason FROM emergency_stops WHERE released_at IS NULL"
    " ORDER BY user_id NULLS FIRST LIMIT 1), '')"
)
#: Which entries the system lets leave: on paper only, or live ones too.
_BASE: Final = "(SELECT base FROM system_mode)"
#: Locks the book, and the user's row with it: who changes the timezone holds the books meanwhile, and
#: the second lock makes a waiter read that row as it is when the wait ends. With a lease its holder too
#: cannot change before our commit (O2 f).
_LOCK: Final = Prepared(
    "lock_book",
    f"""
    SELECT b.id, b.head_seq, b.head_hash, e.recorded_at, u.timezone, NULL::int AS fencing_token,
      {_HALTS} AS halts, {_STOP} AS stop, {_BASE} AS base
    FROM ledger_books b JOIN users u ON u.id = b.user_id
    LEFT JOIN ledger_entries e ON e.book_id = b.id AND e.seq = b.head_seq
    WHERE b.mode = $1 FOR UPDATE OF b FOR SHARE OF u
    """,
    ("text",),
)
_LOCK_WITH_LEASE: Final = Prepared(
    "lock_book_with_lease",
    f"""
    SELECT b.id, b.head_seq, b.head_hash, e.recorded_at, u.timezone, l.fencing_token, {_HALTS} AS halts,
      {_STOP} AS stop, {_BASE} AS base
    FROM leases l JOIN ledger_books b ON true JOIN users u ON u.id = b.user_id
    LEFT JOIN ledger_entries e ON e.book_id = b.id AND e.seq = b.head_seq
    WHERE b.mode = $1 AND l.name = $2 FOR UPDATE OF b FOR SHARE OF u FOR SHARE OF l
    """,
    ("text", "text"),
)


def _expectation(name: str, more: str = "", types: tuple[str, ...] = ()) -> Prepared:
    """Return what takes the same locks and fails unless all is as it was: it divides by the count of rows."""
    return Prepared(
        name,
        f"""
        SELECT 1 / count(*) FROM (
          SELECT FROM leases l JOIN ledger_books b ON true JOIN users u ON u.id = b.user_id
          WHERE b.id = $1 AND b.head_seq = $2 AND u.timezone = $3 AND l.name = $4 AND l.fencing_token = $5
            AND {_STOP} = $6 {more}
          FOR UPDATE OF b FOR SHARE OF u FOR SHARE OF l) AS unchanged
        """,
        ("uuid", "bigint", "text", "text", "bigint", "text", *types),
    )


_EXPECT: Final = _expectation("expect_book")
#: What is halted at the exchanges, and the system's mode, matter to live orders alone.
_EXPECT_LIVE: Final = _expectation(
    "expect_live_book", f"AND {_HALTS} = $7 AND {_BASE} = $8", ("jsonb", "text")
)
#: A waiter reads what else belongs to the decision (stop, mode, halts) only when its wait has ended: of
#: one statement all but the locked rows would be as of its beginning.
_WAIT: Final = Prepared("wait_for_book", "SELECT FROM ledger_books WHERE mode = $1 FOR UPDATE", ("text",))
_CONVERSION = ("bot_id", "rate", "rate_source", "rate_at")


class PgLedger:
    def __init__(self, transaction: Transaction, user_id: UUID, ids: Ids, clock: Clock) -> None:
        self._transaction = transaction
        self._user_id = user_id
        self._ids = ids
        self._clock = clock
        # Each book as this transaction has left it so far.
        self._heads: dict[UUID, Book] = {}
        # Balances read or written in this transaction: under the book's lock nobody else changes them.
        self._known: dict[UUID, Balances] = {}
        self._read: dict[UUID, set[str]] = {}

    async def lock_book(self, mode: TradingMode, *, lease: str | None = None) -> Book:
        row = await self._lock(mode, lease)
        if row is None:
            await self._transaction.execute(
                upsert(t.ledger_books)
                .values(
                    id=self._ids.new(),
                    user_id=self._user_id,
                    mode=mode.value,
                    head_seq=0,
                    head_hash=GENESIS,
                    created_at=to_datetime(self._clock.now_ns()),
                )
                .on_conflict_do_nothing()
            )
            row = await self._lock(mode, lease)
            assert row is not None
        # A second lock in one transaction finds what this transaction wrote.
        self._heads[row.id] = book = Book(
            row.id, mode, row.timezone, row.head_seq, row.head_hash, row.recorded_at, row.fencing_token,
            row.halts, row.stop or None, TradingMode(row.base),
        )  # fmt: skip
        return book

    async def known_keys(self, book: Book, keys: Sequence[str]) -> set[str]:
        entries = t.ledger_entries.c
        query = select(entries.idempotency_key).where(
            entries.book_id == book.id, one_of(entries.idempotency_key, keys)
        )
        return set((await self._transaction.execute(query)).scalars())

    def expect_book(self, book: Book, balances: Balances, *, lease: str) -> None:
        token = str(book.fencing_token)
        values = (str(book.id), str(book.head_seq), book.timezone, lease, token, book.stop or "")
        if book.mode is TradingMode.LIVE:
            self._transaction.expect(_WAIT, [book.mode.value])
            self._transaction.expect(
                _EXPECT_LIVE, (*values, orjson.dumps(book.halts).decode(), book.base.value)
            )
        else:
            self._transaction.expect(_EXPECT, values)
        self._heads[book.id] = book
        self._known[book.id] = dict(balances)
        self._read[book.id] = {account for account, _ in balances}

    def head(self, book: Book) -> Book:
        return self._heads[book.id]

    async def _lock(self, mode: TradingMode, lease: str | None) -> Any:
        if mode is TradingMode.LIVE:
            await self._transaction.fetch(_WAIT, [mode.value])
        if lease is None:
            rows = await self._transaction.fetch(_LOCK, [mode.value])
        else:
            rows = await self._transaction.fetch(_LOCK_WITH_LEASE, [mode.value, lease])
        return rows[0] if rows else None

    async def find_book(self, mode: TradingMode) -> Book | None:
        books = t.ledger_books
        entries = t.ledger_entries
        query = (
            select(books.c.id, books.c.head_seq, books.c.head_hash, entries.c.recorded_at, t.users.c.timezone)
            .join(t.users, t.users.c.id == books.c.user_id)
            .outerjoin(entries, (entries.c.book_id == books.c.id) & (entries.c.seq == books.c.head_seq))
        )
        row = (await self._transaction.execute(query.where(books.c.mode == mode.value))).one_or_none()
        if row is None:
            return None
        return Book(row.id, mode, row.timezone, row.head_seq, row.head_hash, row.recorded_at)

    async def append(self, book: Book, entries: Sequence[Entry], recorded_at: datetime) -> list[UUID]:
        if not entries:
            return []
        head = self._heads[book.id]
        # Times of record never go back within a book, whatever the machine's clock does (L6).
        if head.recorded_at is not None:
            recorded_at = max(recorded_at, head.recorded_at)
        rows, seq, digest = self._chain(book, entries, recorded_at, head.head_seq, head.head_hash)
        await self._post(book, entries, [row["id"] for row in rows])
        self._transaction.stage("ledger_entries", rows)
        self._transaction.stage("ledger_heads", [{"id": book.id, "head_seq": seq, "head_hash": digest}])
        self._heads[book.id] = replace(head, head_seq=seq, head_hash=digest, recorded_at=recorded_at)
        return [row["id"] for row in rows]

    async def balances(self, book: Book, accounts: Sequence[str] | None = None) -> Balances:
        known, read = self._known.setdefault(book.id, {}), self._read.setdefault(book.id, set())
        missing = None if accounts is None else [account for account in accounts if account not in read]
        if missing is None or missing:
            query = select(t.ledger_balances).where(t.ledger_balances.c.book_id == book.id)
            if missing is not None:
                query = query.where(t.ledger_balances.c.account.in_(missing))
            for row in await self._transaction.execute(query):
                known.setdefault((row.account, row.asset), row.amount)
            read.update(missing or (account for account, _ in known))
        if accounts is None:
            return dict(known)
        wanted = set(accounts)
        return {key: amount for key, amount in known.items() if key[0] in wanted}

    async def conversions(self, book: Book, limit: int) -> list[Mapping[str, Any]]:
        e, p = t.ledger_entries.c, t.ledger_postings.c
        query = (
            select(e.id, e.effective_at, e.reference, p.asset, p.amount)
            .join(t.ledger_postings, p.entry_id == e.id)
            .where(e.book_id == book.id, e.kind == "conversion", p.account.like("holding:%"))
            .order_by(e.seq.desc())
            .limit(2 * limit)
        )
        found: dict[UUID, dict[str, Any]] = {}
        for row in await self._transaction.execute(query):
            item = found.setdefault(
                row.id, {"at": row.effective_at.isoformat(), **{k: row.reference[k] for k in _CONVERSION}}
            )
            side = "from" if row.amount < 0 else "to"
            item[f"{side}_asset"], item[f"{side}_amount"] = row.asset, f"{abs(row.amount):f}"
        return list(found.values())

    def _chain(
        self, book: Book, entries: Sequence[Entry], recorded_at: datetime, seq: int, digest: bytes
    ) -> tuple[list[dict[str, Any]], int, bytes]:
        rows: list[dict[str, Any]] = []
        for entry in entries:
            seq += 1
            previous, digest = digest, chain_hash(digest, seq, entry, recorded_at)
            rows.append(
                {
                    "id": self._ids.new(),
                    "user_id": self._user_id,
                    "book_id": book.id,
                    "seq": seq,
                    "kind": entry.kind,
                    "idempotency_key": entry.key,
                    "description": entry.description,
                    "reference": dict(entry.reference),
                    "effective_at": entry.effective_at,
                    "recorded_at": recorded_at,
                    "prev_hash": previous,
                    "hash": digest,
                }
            )
        return rows, seq, digest

    async def _post(self, book: Book, entries: Sequence[Entry], entry_ids: Sequence[UUID]) -> None:
        postings: list[dict[str, Any]] = []
        changes: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for entry, entry_id in zip(entries, entry_ids, strict=True):
            for line, posting in enumerate(entry.postings):
                postings.append(
                    {
                        "entry_id": entry_id,
                        "line": line,
                        "user_id": self._user_id,
                        "book_id": book.id,
                        "account": posting.account,
                        "asset": posting.asset,
                        "amount": posting.amount,
                    }
                )
                changes[posting.account, posting.asset] += posting.amount
        await self._apply(book, changes)
        # Waiting rows are written in one statement: the balance trigger checks whole entries (L1).
        self._transaction.stage("ledger_postings", postings)

    async def _apply(self, book: Book, changes: dict[tuple[str, str], Decimal]) -> None:
        """Write the new balances. The book's lock makes reading them first safe."""
        known = await self.balances(book, sorted({account for account, _ in changes}))
        amounts = {key: known.get(key, ZERO) + change for key, change in changes.items()}
        for (account, asset), amount in amounts.items():
            if amount < 0 and is_holding(account):
                free, needed = known.get((account, asset), ZERO), -changes[account, asset]
                raise Conflict(
                    "INSUFFICIENT_FUNDS",
                    f"There is not enough {asset}: {free:f} is free, {needed:f} is needed",
                    "Choose a smaller amount, or fund the paper wallet.",
                )
        self._known[book.id].update(amounts)
        self._transaction.stage(
            "ledger_balances",
            [
                {
                    "book_id": book.id,
                    "account": account,
                    "asset": asset,
                    "user_id": self._user_id,
                    "amount": amount,
                }
                for (account, asset), amount in sorted(amounts.items())
            ],
        )
