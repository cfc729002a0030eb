"""Rollups anew: a user's day begins elsewhere once they change their timezone."""

from __future__ import annotations

from collections.abc import Mapping

from amarktai.domain.errors import BrokenInvariant
from amarktai.ledger.profit import RollupDelta, RollupKey
from amarktai.ledger.recomputation import Recomputation
from amarktai.ports.accounts import AccountUnit
from amarktai.ports.reports import BookHead, Reports
from amarktai.services.ledger_reports import chunks


async def rebuild_rollups(unit: AccountUnit, timezone: str) -> None:
    """Replace the tenant's rollups by those of the days of ``timezone``, from the fills.

    The caller has locked the books (``unit.figures.lock_books``) and changes the user's timezone in the
    same transaction. Raises: BrokenInvariant when a fill is not stored as it was booked.
    """
    for book in await unit.reports.ledger.books():
        await unit.figures.replace(book.mode, await recompute_rollups(unit.reports, book, timezone))


async def recompute_rollups(
    reports: Reports, book: BookHead, timezone: str
) -> Mapping[RollupKey, RollupDelta]:
    """Return the rollups that a book's fills lead to. Memory grows with bots and days, not with fills."""
    again = Recomputation(timezone)
    async for rows in chunks(reports, book):
        found = await reports.ledger.fills_between(book.id, rows[0].entry.seq, rows[-1].entry.seq)
        fills = {fill.ledger_entry_id: fill for fill in found}
        for row in rows:
            if row.id not in fills:
                continue
            difference = again.take(fills[row.id], row.entry)
            if difference is not None:
                raise BrokenInvariant(f"The books do not add up: {difference}.")
        again.closed()
    return again.rollups
