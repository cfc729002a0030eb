"""Realised figures from rollups, and equity from its snapshots: their cost does not depend on trades."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.ledger.profit import ALL_DAYS, EVERYTHING, RollupDelta, RollupKey
from amarktai.ports.reports import BookFigures, FallRow, SnapshotRow, UserDays
from amarktai.storage import tables as t

#: Written into the statement, so that the planner sees that the partial index of totals applies.
TOTAL_DAY: ColumnElement[date] = literal_column("date '0001-01-01'")

_r, _s = t.rollups.c, t.equity_snapshots.c
_FIGURES = (
    _r.profit_zar, _r.profit_quote, _r.fees_zar, _r.fills, _r.trades, _r.wins, _r.losses, _r.unvalued_fills,
)  # fmt: skip
#: Each stretch under one peak is one fall. The peak is of profit, so that deposits are neither gain nor fall.
_FALLS = text(
    """
    WITH curve AS (
      SELECT at, deposits_zar, equity_zar - deposits_zar AS profit,
             max(equity_zar - deposits_zar) OVER (ORDER BY at) AS peak
      FROM equity_snapshots
      WHERE mode = :mode AND scope = :scope AND scope_id = :scope_id
        AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
    ), points AS (
      SELECT at, peak, profit - peak AS depth, (profit - peak) / nullif(deposits_zar + peak, 0) AS ratio
      FROM curve
    ), falls AS (
      SELECT min(at) AS peak_at, lead(min(at)) OVER (ORDER BY min(at)) AS recovered_at,
             (array_agg(at ORDER BY ratio, at))[1] AS trough_at,
             (array_agg(depth ORDER BY ratio, at))[1] AS depth, min(ratio) AS ratio
      FROM points GROUP BY peak
    )
    SELECT * FROM falls WHERE ratio < 0 ORDER BY ratio, peak_at LIMIT :limit
    """
)
_BOT_DAYS = text(
    """
    SELECT r.scope_id, r.day, r.profit_zar
    FROM rollups r JOIN bots b ON b.id = r.scope_id::uuid AND b.status <> 'deleted'
    WHERE r.mode = :mode AND r.scope = 'bot' AND r.day BETWEEN :first AND :last
    ORDER BY r.scope_id, r.day
    """
)
_SHARES = text(
    """
    SELECT r.scope, r.scope_id, sum(r.profit_zar) AS profit_zar, sum(r.profit_quote) AS profit_quote,
           sum(r.fees_zar) AS fees_zar, sum(r.fills)::bigint AS fills, sum(r.trades)::bigint AS trades,
           sum(r.wins)::bigint AS wins, sum(r.losses)::bigint AS losses,
           sum(r.unvalued_fills)::bigint AS unvalued_fills, max(b.name) AS name
    FROM rollups r LEFT JOIN bots b ON b.id = CASE r.scope WHEN 'bot' THEN r.scope_id::uuid END
    WHERE r.mode = :mode AND r.scope IN ('bot', 'platform', 'pair') AND r.day BETWEEN :first AND :last
    GROUP BY r.scope, r.scope_id
    """
)


# The statements of the summary are written out: it is asked after every trade, and building them anew
# each time costs more than running them.
_SUMS = "profit_zar, profit_quote, fees_zar, fills, trades, wins, losses, unvalued_fills"
_ROW = f"scope, scope_id, day, {_SUMS}, NULL AS name FROM rollups"
_OWN = "mode = :mode AND scope = 'user' AND scope_id = '*'"
_TOTAL = "day = date '0001-01-01'"
_SELECT_USER_DAYS = f"""
    SELECT 'asked' AS what, {_ROW} WHERE {_OWN} AND ({_TOTAL} OR day = ANY(:days))
    UNION ALL
    (SELECT 'best', {_ROW} WHERE {_OWN} AND NOT {_TOTAL} AND (trades > 0 OR profit_zar <> 0)
     ORDER BY profit_zar DESC, day LIMIT 1)
    UNION ALL
    (SELECT 'first', {_ROW} WHERE {_OWN} AND NOT {_TOTAL} ORDER BY day LIMIT 1)
"""
_USER_DAYS = text(_SELECT_USER_DAYS)
_BOOK = text(
    f"""{_SELECT_USER_DAYS}
    UNION ALL
    SELECT 'part', scope, scope_id, day, {_SUMS}, b.name
    FROM rollups r LEFT JOIN bots b ON b.id = CASE r.scope WHEN 'bot' THEN r.scope_id::uuid END
    WHERE r.mode = :mode AND r.scope IN ('bot', 'platform', 'pair') AND r.{_TOTAL}
    """
)


class PgFigureReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def user_days(self, mode: TradingMode, days: Sequence[date]) -> UserDays:
        values = {"mode": mode.value, "days": list(days)}
        return _user_days((await self._connection.execute(_USER_DAYS, values)).all(), days)

    async def book(self, mode: TradingMode, days: Sequence[date]) -> BookFigures:
        values = {"mode": mode.value, "days": list(days)}
        rows = (await self._connection.execute(_BOOK, values)).all()
        parts = [row for row in rows if row.what == "part"]
        return BookFigures(
            own=_user_days(rows, days),
            totals={RollupKey(row.scope, row.scope_id, ALL_DAYS): to_delta(row) for row in parts},
            bot_names={row.scope_id: row.name for row in parts if row.name is not None},
        )

    async def series(self, mode: TradingMode, first: date, last: date) -> dict[date, Decimal]:
        query = select(_r.day, _r.profit_zar).where(
            _r.mode == mode.value,
            _r.scope == "user",
            _r.scope_id == EVERYTHING,
            _r.day.between(first, last),
        )
        return {row.day: row.profit_zar for row in await self._connection.execute(query)}

    async def days(self, mode: TradingMode, first: date, last: date) -> dict[date, RollupDelta]:
        query = select(_r.day, *_FIGURES).where(
            _r.mode == mode.value,
            _r.scope == "user",
            _r.scope_id == EVERYTHING,
            _r.day.between(first, last),
        )
        return {row.day: to_delta(row) for row in await self._connection.execute(query.order_by(_r.day))}

    async def shares(
        self, mode: TradingMode, first: date, last: date
    ) -> tuple[dict[RollupKey, RollupDelta], dict[str, str]]:
        values = {"mode": mode.value, "first": first, "last": last}
        rows = (await self._connection.execute(_SHARES, values)).all()
        totals = {RollupKey(row.scope, row.scope_id, ALL_DAYS): to_delta(row) for row in rows}
        return totals, {row.scope_id: row.name for row in rows if row.name is not None}

    async def bot_days(self, mode: TradingMode, first: date, last: date) -> list[tuple[str, date, Decimal]]:
        values = {"mode": mode.value, "first": first, "last": last}
        rows = await self._connection.execute(_BOT_DAYS, values)
        return [(row.scope_id, row.day, row.profit_zar) for row in rows]

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
        profit = _s.equity_zar - _s.deposits_zar
        peak = func.max(profit).over(order_by=_s.at)
        drawdown = ((profit - peak) / func.nullif(_s.deposits_zar + peak, 0)).label("drawdown")
        rows = (
            select(
                _s.at, _s.equity_zar, _s.realized_zar, _s.unrealized_zar, _s.deposits_zar, drawdown, bucket
            )
            .where(*own)
            .subquery()
        )
        # The last snapshot of each of ``limit`` equal parts: the newest one is always among them.
        query = select(rows).ext(distinct_on(rows.c.bucket)).order_by(rows.c.bucket, rows.c.at.desc())
        found = await self._connection.execute(query)
        return [
            SnapshotRow(
                row.at, row.equity_zar, row.realized_zar, row.unrealized_zar, row.deposits_zar, row.drawdown
            )
            for row in found
        ]

    async def last_snapshot_at(self, mode: TradingMode, scope: str, scope_id: str) -> datetime | None:
        own = (_s.mode == mode.value, _s.scope == scope, _s.scope_id == scope_id)
        query = select(_s.at).where(*own).order_by(_s.at.desc()).limit(1)
        last: datetime | None = (await self._connection.execute(query)).scalar()
        return last

    async def falls(
        self, mode: TradingMode, scope: str, scope_id: str, since: datetime | None, limit: int
    ) -> list[FallRow]:
        own = {"mode": mode.value, "scope": scope, "scope_id": scope_id, "since": since, "limit": limit}
        return [
            FallRow(row.peak_at, row.trough_at, row.recovered_at, row.depth, row.ratio)
            for row in await self._connection.execute(_FALLS, own)
        ]


def _user_days(rows: Sequence[Any], days: Sequence[date]) -> UserDays:
    asked = {row.day: to_delta(row) for row in rows if row.what == "asked"}
    best = next((row for row in rows if row.what == "best"), None)
    return UserDays(
        total=asked.get(ALL_DAYS, RollupDelta()),
        days={day: asked.get(day, RollupDelta()) for day in days},
        best=(best.day, best.profit_zar) if best else None,
        first_day=next((row.day for row in rows if row.what == "first"), None),
    )


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
