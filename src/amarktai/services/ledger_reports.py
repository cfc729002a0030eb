"""The ledger as people read it: entries with their postings, and the proof that nothing was changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZERO, parse_decimal
from amarktai.ledger.verification import BookCheck, Difference
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.reports import (
    AccountRow,
    BookHead,
    EntryFilter,
    EntryRow,
    Reporting,
    Reports,
    StatementRow,
)
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.views import instant, money

#: Entries read at a time when a book is walked.
CHUNK: Final = 2_000


class LedgerReports:
    def __init__(self, reporting: Reporting, clock: Clock) -> None:
        self._reporting = reporting
        self._clock = clock

    async def entries(self, user_id: UUID, wanted: EntryFilter, *, cursor: str | None, limit: int) -> Page:
        """Return one page of entries, newest first. Raises: InvalidInput for a foreign cursor."""
        after: UUID | None = decode_cursor(cursor, UUID)[0] if cursor else None
        async with self._reporting.snapshot(user_id) as reports:
            rows = await reports.ledger.page(wanted, after, limit + 1)
        following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return Page([_entry_view(row) for row in rows[:limit]], following)

    async def accounts(
        self, user_id: UUID, *, mode: TradingMode | None, prefix: str, cursor: str | None, limit: int
    ) -> Page:
        """Return one page of what accounts hold, by account and asset."""
        after: tuple[str, str] | None = None
        if cursor:
            account, asset = decode_cursor(cursor, str, str)
            after = (account, asset)
        async with self._reporting.snapshot(user_id) as reports:
            chosen = (await reports.setting()).book(mode)
            rows = await reports.ledger.accounts(chosen, prefix, after, limit + 1)
        more = len(rows) > limit
        following = encode_cursor(rows[limit - 1].account, rows[limit - 1].asset) if more else None
        return Page([_account_view(row) for row in rows[:limit]], following)

    async def statement(
        self,
        user_id: UUID,
        *,
        mode: TradingMode | None,
        account: str,
        asset: str,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Return one page of what moved on an account, newest first, with the balance after each entry.

        The cursor carries the balance below the page: entries are never changed and new ones are newer,
        so a deep page costs no more than the first. Raises: InvalidInput for a foreign cursor.
        """
        after: UUID | None = None
        balance = ZERO
        async with self._reporting.snapshot(user_id) as reports:
            chosen = (await reports.setting()).book(mode)
            whose = f"{chosen.value} {account} {asset}"
            if cursor:
                after, balance = _statement_place(cursor, whose)
            else:
                balance = await reports.ledger.balance(chosen, account, asset)
            rows = await reports.ledger.statement(chosen, account, asset, after, limit + 1)
        items = []
        for row in rows[:limit]:
            items.append(_statement_view(row, balance))
            balance -= row.amount
        more = len(rows) > limit
        following = encode_cursor(rows[limit - 1].entry_id, f"{balance:f}", whose) if more else None
        return Page(items, following)

    async def verify(self, user_id: UUID) -> Mapping[str, Any]:
        """Walk the user's books from their first entry and return what was found."""
        checked, first, totals = 0, None, dict[str, Decimal]()
        async with self._reporting.snapshot(user_id) as reports:
            for book in await reports.ledger.books():
                check, difference = await walk(reports, book)
                checked += check.checked
                first = first or difference
                for asset, amount in check.imbalance.items():
                    totals[asset] = totals.get(asset, ZERO) + amount
        return {
            "ok": first is None and not totals,
            "entries_checked": checked,
            "first_difference": str(first) if first else None,
            "checked_at": instant(to_datetime(self._clock.now_ns())),
            "imbalance": {asset: money(amount) for asset, amount in totals.items()},
        }


async def walk(reports: Reports, book: BookHead) -> tuple[BookCheck, Difference | None]:
    """Check a whole book in pieces; return the check and its first difference, named with its book."""
    check, first = BookCheck(), None
    async for chunk in chunks(reports, book):
        for row in chunk:
            difference = check.take(row.entry)
            first = first or difference
    return check, first or check.finish(book.head_seq, book.head_hash)


async def chunks(reports: Reports, book: BookHead) -> AsyncIterator[list[EntryRow]]:
    """Yield a book's entries in the order of the chain, some at a time."""
    after = 0
    while True:
        rows = await reports.ledger.chunk(book.id, after, CHUNK)
        if not rows:
            return
        yield rows
        after = rows[-1].entry.seq


def _statement_place(cursor: str, whose: str) -> tuple[UUID, Decimal]:
    """Return the entry after which a page of a statement begins, and the balance there."""
    after, balance, of = decode_cursor(cursor, UUID, str, str)
    if of != whose:
        raise InvalidInput(
            "VALIDATION_ERROR", "The cursor is another account's.", "Start the list from its beginning."
        )
    return after, parse_decimal(balance, name="cursor")


def _account_view(row: AccountRow) -> dict[str, Any]:
    return {
        "account": row.account,
        "asset": row.asset,
        "amount": money(row.amount),
        "bot_id": str(row.bot_id) if row.bot_id else None,
        "bot_name": row.bot_name,
    }


def _statement_view(row: StatementRow, balance: Decimal) -> dict[str, Any]:
    """Return one line: what came in is the account's debit, what went out its credit."""
    return {
        "entry_id": str(row.entry_id),
        "seq": row.seq,
        "kind": row.kind,
        "description": row.description,
        "effective_at": instant(row.effective_at),
        "debit": money(row.amount) if row.amount > ZERO else None,
        "credit": money(-row.amount) if row.amount < ZERO else None,
        "balance": money(balance),
    }


def _entry_view(row: EntryRow) -> dict[str, Any]:
    entry = row.entry
    return {
        "id": str(row.id),
        "seq": entry.seq,
        "kind": entry.kind,
        "book": row.mode.value,
        "effective_at": instant(entry.effective_at),
        "recorded_at": instant(entry.recorded_at),
        "description": entry.description,
        "reference": dict(entry.reference),
        "postings": [
            {"account": account, "asset": asset, "amount": money(amount)}
            for account, asset, amount in entry.postings
        ],
        "hash": entry.hash.hex(),
        "prev_hash": entry.prev_hash.hex(),
    }
