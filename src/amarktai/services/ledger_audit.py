"""The audit: everything that is shown, computed again from the fills, and the first difference named.

It reads in pieces and in one read-only snapshot per user, so it can run beside the engine; its memory
grows with bots and days, never with trades.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from amarktai.domain.money import ZERO
from amarktai.domain.position import Position
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger.profit import RollupDelta, RollupKey
from amarktai.ledger.recomputation import Recomputation, rollup_difference, show, trip_difference
from amarktai.ledger.verification import BookCheck, Difference
from amarktai.ports.reports import BookHead, EntryRow, Reporting, Reports
from amarktai.services.ledger_reports import chunks

#: Rows of balances, rollups or positions compared at a time.
_PIECE: Final = 5_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was read, and the first thing that is not as the fills say; None when all is."""

    users: int
    entries: int
    fills: int
    round_trips: int
    first_difference: str | None

    @property
    def ok(self) -> bool:
        return self.first_difference is None


class LedgerAudit:
    """Audits one user or all of them."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def audit(self, user_id: UUID | None = None) -> AuditReport:
        """Recompute the books of one user, or of every user, up to the first difference."""
        user_ids = [user_id] if user_id is not None else await self._reporting.user_ids()
        entries = fills = trips = done = 0
        for one in user_ids:
            async with self._reporting.snapshot(one) as reports:
                timezone = (await reports.setting()).timezone
                audits = [_BookAudit(reports, book, timezone) for book in await reports.ledger.books()]
                done += 1
                for audit in audits:
                    difference = await audit.run()
                    entries += audit.check.checked
                    fills += audit.again.fill_count
                    trips += audit.again.trip_count
                    if difference is not None:
                        named = f"user {one}, {audit.book.mode.value} book, {difference}"
                        return AuditReport(done, entries, fills, trips, named)
                difference = await _order_difference(reports)
                if difference is not None:
                    return AuditReport(done, entries, fills, trips, f"user {one}, {difference}")
        return AuditReport(done, entries, fills, trips, None)


class _BookAudit:
    """One book: its chain, and everything that its fills lead to."""

    def __init__(self, reports: Reports, book: BookHead, timezone: str) -> None:
        self.book = book
        self.check = BookCheck()
        self.again = Recomputation(timezone)
        self._reports = reports

    async def run(self) -> Difference | None:
        async for rows in chunks(self._reports, self.book):
            difference = await self._take(rows)
            if difference is not None:
                return difference
        difference = self.check.finish(self.book.head_seq, self.book.head_hash)
        for asset, amount in self.check.imbalance.items():
            difference = difference or Difference(f"sum of {asset} over the book", "0", show(amount))
        return (
            difference
            or await self._balance_difference()
            or await self._position_difference()
            or await self._trip_difference()
            or await self._rollup_difference()
        )

    async def _take(self, rows: Sequence[EntryRow]) -> Difference | None:
        found = await self._reports.ledger.fills_between(self.book.id, rows[0].entry.seq, rows[-1].entry.seq)
        fills = {fill.ledger_entry_id: fill for fill in found}
        for row in rows:
            difference = self.check.take(row.entry)
            if difference is not None:
                return difference
            fill = fills.get(row.id)
            if (fill is not None) != (row.entry.kind == "fill"):
                where = f"entry {row.entry.seq} ({row.entry.kind})"
                return Difference(where, "a fill for each fill entry", "a fill" if fill else "no fill")
            if fill is not None:
                difference = self.again.take(fill, row.entry)
                if difference is not None:
                    return difference
        return await self._compare_trips(self.again.closed())

    async def _compare_trips(self, expected: dict[UUID, RoundTrip]) -> Difference | None:
        if not expected:
            return None
        stored = await self._reports.trades.trips(list(expected))
        for trip_id, trip in expected.items():
            difference = trip_difference(trip, stored.get(trip_id))
            if difference is not None:
                return difference
        return None

    async def _balance_difference(self) -> Difference | None:
        expected: dict[tuple[str, str], Decimal] = dict(self.check.balances)
        after: tuple[str, str] | None = None
        while True:
            stored = await self._reports.ledger.balances(self.book.id, after, _PIECE)
            if not stored:
                break
            for key, amount in stored.items():
                folded = expected.pop(key, ZERO)
                if folded != amount:
                    return Difference(f"balance of {key[0]} in {key[1]}", show(folded), show(amount))
            after = max(stored)
        for (account, asset), amount in sorted(expected.items()):
            if amount != ZERO:
                return Difference(f"balance of {account} in {asset}", show(amount), "none")
        return None

    async def _position_difference(self) -> Difference | None:
        for bot_ids in _pieces(sorted(self.again.positions)):
            stored = await self._reports.bots.stored_positions(bot_ids)
            for bot_id in bot_ids:
                expected = self.again.positions[bot_id]
                held = stored.get(bot_id)
                found = held.position if held else Position()
                if expected != found:
                    return Difference(f"position of bot {bot_id}", _show(expected), _show(found))
        open_count = sum(not position.is_flat for position in self.again.positions.values())
        stored_count = len(await self._reports.bots.positions(self.book.mode))
        if open_count != stored_count:
            return Difference("open positions", str(open_count), str(stored_count))
        return None

    async def _trip_difference(self) -> Difference | None:
        trips = sorted(self.again.open_trips.values(), key=lambda trip: trip.id)
        for piece in _pieces(trips):
            difference = await self._compare_trips({trip.id: trip for trip in piece})
            if difference is not None:
                return difference
        stored = await self._reports.trades.count_stored(self.book.mode)
        if stored != self.again.trip_count:
            return Difference("number of round trips", str(self.again.trip_count), str(stored))
        return None

    async def _rollup_difference(self) -> Difference | None:
        expected: dict[RollupKey, RollupDelta] = dict(self.again.rollups)
        after: RollupKey | None = None
        while True:
            stored = await self._reports.figures.rollups(self.book.mode, after, _PIECE)
            if not stored:
                break
            for key, found in stored:
                difference = rollup_difference(key, expected.pop(key, None), found)
                if difference is not None:
                    return difference
            after = stored[-1][0]
        for key, missing in expected.items():
            return rollup_difference(key, missing, None)
        return None


async def _order_difference(reports: Reports) -> Difference | None:
    """Check orders against fills and reservations against what is held (O7, L8, L9)."""
    misfilled = await reports.orders.misfilled()
    if misfilled is not None:
        order_id, fills, filled = misfilled
        return Difference(f"order {order_id}, filled quantity", show(fills), show(filled))
    unreleased = await reports.orders.unreleased()
    if unreleased is not None:
        order_id, state, amount = unreleased
        return Difference(f"order {order_id} ({state}), reservation", "0", show(amount))
    overspent = await reports.orders.overspent()
    if overspent is not None:
        bot_id, asset, reserved, held = overspent
        where = f"bot {bot_id}, {asset} reserved by working orders"
        return Difference(where, f"at most {show(held)}", show(reserved))
    return None


def _show(position: Position) -> str:
    return f"{position.quantity:f} at a cost of {position.cost:f}, fees {position.entry_fees:f}"


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + _PIECE] for start in range(0, len(items), _PIECE))
