"""What a user's bots have done and hold, as risk limits need it, in one statement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import TERMINAL
from amarktai.ports.risk import RiskRow

_OVER: Final = ", ".join(f"'{state.value}'" for state in sorted(TERMINAL))
_FIGURES: Final = text(
    f"""
    SELECT b.id, b.user_id, b.platform, b.instrument_id, b.quote_asset, b.capital_zar, b.origin,
      b.status = 'deleted' AS is_gone,
      coalesce(p.quantity, 0) AS quantity, coalesce(p.cost, 0) AS cost,
      coalesce(today.profit_zar, 0) AS today_zar, coalesce(today.unvalued_fills, 0) AS today_unvalued,
      coalesce(ever.profit_zar, 0) AS ever_zar, coalesce(ever.unvalued_fills, 0) AS ever_unvalued,
      (SELECT coalesce(sum(o.reserved_amount), 0) FROM orders o
        WHERE o.bot_id = b.id AND o.side = 'buy' AND o.state NOT IN ({_OVER})) AS entering,
      coalesce((SELECT l.amount FROM ledger_balances l WHERE l.book_id = k.id AND l.asset = b.quote_asset
        AND l.account = 'holding:bot:' || replace(b.id::text, '-', '')), 0) AS cash,
      (SELECT count(*) FROM orders o WHERE o.bot_id = b.id AND o.created_at > :minute_ago
        AND o.side = 'buy' AND o.state <> 'denied') AS orders_minute,
      (SELECT count(*) FROM orders o WHERE o.bot_id = b.id AND o.created_at >= :day_start
        AND o.side = 'buy' AND o.state <> 'denied') AS orders_day,
      ARRAY(SELECT t.closed_at FROM round_trips t WHERE t.bot_id = b.id AND t.status = 'closed'
        AND t.closed_at > coalesce((SELECT max(w.closed_at) FROM round_trips w WHERE w.bot_id = b.id
          AND w.status = 'closed' AND w.profit_quote > 0), '-infinity')) AS losses,
      ARRAY(SELECT e.at FROM orders o JOIN order_events e ON e.order_id = o.id
        WHERE o.bot_id = b.id AND o.created_at > :hour_ago
          AND (e.to_state = 'unknown' OR e.to_state = 'rejected'
            AND coalesce(o.reject_reason, '') NOT LIKE 'POST_ONLY%')) AS errors
    FROM bots b
    LEFT JOIN ledger_books k ON k.user_id = b.user_id AND k.mode = b.mode
    LEFT JOIN positions p ON p.bot_id = b.id
    LEFT JOIN rollups today ON today.mode = :mode AND today.scope = 'bot' AND today.day = :day
      AND today.scope_id = replace(b.id::text, '-', '')
    LEFT JOIN rollups ever ON ever.mode = :mode AND ever.scope = 'bot' AND ever.day = '0001-01-01'
      AND ever.scope_id = replace(b.id::text, '-', '')
    WHERE b.mode = :mode
    """
)


_PEAKS: Final = text(
    "SELECT scope_id, greatest(max(realized_zar + unrealized_zar), 0) AS peak FROM equity_snapshots"
    " WHERE mode = :mode AND scope = 'bot' GROUP BY scope_id"
)
_PEAKS_SINCE: Final = text(
    """
    SELECT b.id, (SELECT max(s.realized_zar + s.unrealized_zar) FROM equity_snapshots s
      WHERE s.mode = :mode AND s.scope = 'bot' AND s.scope_id = replace(b.id::text, '-', '')
        AND s.at >= coalesce((SELECT max(p.at) FROM equity_snapshots p WHERE p.mode = :mode
          AND p.scope = 'bot' AND p.scope_id = replace(b.id::text, '-', '') AND p.at <= :since), :since)
    ) AS peak
    FROM bots b WHERE b.mode = :mode AND b.status <> 'deleted'
    """
)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)


class PgRiskFigures:
    """Implements ports.risk.RiskFigureStore."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def read(self, mode: TradingMode, day: date, day_start: datetime, at: datetime) -> list[RiskRow]:
        values = {
            "mode": mode.value,
            "day": day,
            "day_start": day_start,
            "minute_ago": at - _MINUTE,
            "hour_ago": at - _HOUR,
        }
        return [
            RiskRow(
                bot_id=UUID(str(row.id)),
                user_id=UUID(str(row.user_id)),
                platform=Platform(row.platform),
                instrument_id=row.instrument_id,
                quote=row.quote_asset,
                origin=Origin(row.origin),
                capital_zar=row.capital_zar,
                is_gone=row.is_gone,
                quantity=row.quantity,
                cash=row.cash,
                cost=row.cost,
                today_zar=None if row.today_unvalued else row.today_zar,
                ever_zar=None if row.ever_unvalued else row.ever_zar,
                entering=row.entering,
                orders_minute=row.orders_minute,
                orders_day=row.orders_day,
                losses=tuple(row.losses),
                errors=tuple(row.errors),
            )
            for row in await self._connection.execute(_FIGURES, values)
        ]

    async def peaks(self, mode: TradingMode, since: datetime | None = None) -> dict[UUID, Decimal]:
        if since is not None:
            found = await self._connection.execute(_PEAKS_SINCE, {"mode": mode.value, "since": since})
            return {UUID(str(row.id)): row.peak for row in found if row.peak is not None}
        rows = await self._connection.execute(_PEAKS, {"mode": mode.value})
        return {UUID(hex=row.scope_id): row.peak for row in rows}
