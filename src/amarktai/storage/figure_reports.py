"""Realised figures from rollups, and equity from its snapshots: their cost does not depend on trades."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.ledger.profit import ALL_DAYS, EVERYTHING, RollupDelta, RollupKey
from amarktai.ports.reports import SnapshotRow, UserDays
from amarktai.storage import tables as t

#: Written into the statement, so that the planner sees that the partial index of totals applies.
TOTAL_DAY: ColumnElement[date] = literal_column("date '0001-01-01'")

_r, _s = t.rollups.c, t.equity_snapshots.c
_FIGURES = (
    _r.profit_zar, _r.profit_quote, _r.fees_zar, _r.fills, _r.trades, _r.wins, _r.losses, _r.unvalued_fills,
)  # fmt: skip
_DRAWDOWN = text(
    """
    SELECT min(equity_zar / nullif(peak, 0) - 1) FROM (
      SELECT equity_zar, max(equity_zar) OVER (ORDER BY at) AS peak FROM equity_snapshots
      WHERE mode = :mode AND scope = :scope AND scope_id = :scope_id
        AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
    ) AS curve
    """
)


class PgFigureReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def user_days(self, mode: TradingMode, days: Sequence[date]) -> UserDays:
        own = (_r.mode == mode.value, _r.scope == "user", _r.scope_id == EVERYTHING)
        asked = select(literal_column("'asked'").label("what"), _r.day, *_FIGURES).where(
            *own, or_(_r.day == TOTAL_DAY, _r.day.in_(list(days)))
        )
        best = (
            select(literal_column("'best'").label("what"), _r.day, *_FIGURES)
            .where(*own, _r.day > TOTAL_DAY, or_(_r.trades > 0, _r.profit_zar != 0))
            .order_by(_r.profit_zar.desc(), _r.day)
            .limit(1)
        )
        first = (
            select(literal_column("'first'").label("what"), _r.day, *_FIGURES)
            .where(*own, _r.day > TOTAL_DAY)
            .order_by(_r.day)
            .limit(1)
        )
        parts = [select(part.subquery()) for part in (best, first)]
        rows = (await self._connection.execute(union_all(asked, *parts))).all()
        found = {(row.what, row.day): row for row in rows}
        best_row = next((row for row in rows if row.what == "best"), None)
        return UserDays(
            total=to_delta(found.get(("asked", ALL_DAYS))),
            days={day: to_delta(found.get(("asked", day))) for day in days},
            best=(best_row.day, best_row.profit_zar) if best_row else None,
            first_day=next((row.day for row in rows if row.what == "first"), None),
        )

    async def series(self, mode: TradingMode, first: date, last: date) -> dict[date, Decimal]:
        query = select(_r.day, _r.profit_zar).where(
            _r.mode == mode.value,
            _r.scope == "user",
            _r.scope_id == EVERYTHING,
            _r.day.between(first, last),
        )
        return {row.day: row.profit_zar for row in await self._connection.execute(query)}

    async def totals(self, mode: TradingMode) -> dict[RollupKey, RollupDelta]:
        query = select(_r.scope, _r.scope_id, _r.day, *_FIGURES).where(
            _r.mode == mode.value, _r.scope.in_(["bot", "platform", "pair"]), _r.day == TOTAL_DAY
        )
        return {_key(row): to_delta(row) for row in await self._connection.execute(query)}

    async def platform_days(self, mode: TradingMode, days: Sequence[date]) -> dict[RollupKey, RollupDelta]:
        query = select(_r.scope, _r.scope_id, _r.day, *_FIGURES).where(
            _r.mode == mode.value, _r.scope == "platform", _r.day.in_([ALL_DAYS, *days])
        )
        return {_key(row): to_delta(row) for row in await self._connection.execute(query)}

    async def rollups(
        self, mode: TradingMode, after: RollupKey | None, limit: int
    ) -> list[tuple[RollupKey, RollupDelta]]:
        query = select(_r.scope, _r.scope_id, _r.day, *_FIGURES).where(_r.mode == mode.value)
        if after is not None:
            place = func.row(_r.scope, _r.scope_id, _r.day)
            query = query.where(place > func.row(after.scope, after.scope_id, after.day))
        query = query.order_by(_r.scope, _r.scope_id, _r.day).limit(limit)
        return [(_key(row), to_delta(row)) for row in await self._connection.execute(query)]

    async def snapshots(
        self, mode: TradingMode, scope: str, scope_id: str, since: datetime | None, limit: int
    ) -> list[SnapshotRow]:
        own = [_s.mode == mode.value, _s.scope == scope, _s.scope_id == scope_id]
        if since is not None:
            own.append(_s.at >= since)
        bucket = func.ntile(limit).over(order_by=_s.at).label("bucket")
        rows = select(_s.at, _s.equity_zar, _s.realized_zar, _s.unrealized_zar, bucket).where(*own).subquery()
        # The last snapshot of each of ``limit`` equal parts: the newest one is always among them.
        query = select(rows).distinct(rows.c.bucket).order_by(rows.c.bucket, rows.c.at.desc())
        found = await self._connection.execute(query)
        return [SnapshotRow(row.at, row.equity_zar, row.realized_zar, row.unrealized_zar) for row in found]

    async def last_snapshot_at(self, mode: TradingMode, scope: str, scope_id: str) -> datetime | None:
        own = (_s.mode == mode.value, _s.scope == scope, _s.scope_id == scope_id)
        query = select(_s.at).where(*own).order_by(_s.at.desc()).limit(1)
        last: datetime | None = (await self._connection.execute(query)).scalar()
        return last

    async def max_drawdown(
        self, mode: TradingMode, scope: str, scope_id: str, since: datetime | None
    ) -> Decimal | None:
        own = {"mode": mode.value, "scope": scope, "scope_id": scope_id, "since": since}
        ratio: Decimal | None = (await self._connection.execute(_DRAWDOWN, own)).scalar()
        return ratio


def _key(row: Any) -> RollupKey:
    return RollupKey(row.scope, row.scope_id, row.day)


def to_delta(row: Any) -> RollupDelta:
    """Return the figures of a row of ``rollups``; none booked is all zeros."""
    if row is None:
        return RollupDelta()
    return RollupDelta(
        profit_zar=row.profit_zar,
        profit_quote=row.profit_quote,
        fees_zar=row.fees_zar,
        fills=row.fills,
        trades=row.trades,
        wins=row.wins,
        losses=row.losses,
        unvalued_fills=row.unvalued_fills,
    )
