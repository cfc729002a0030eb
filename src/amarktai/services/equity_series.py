"""Equity over time, from the snapshots that the engine takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZAR
from amarktai.ports.reports import Reports
from amarktai.services.views import instant, money

#: Points in one answer: more than a screen has pixels for helps nobody.
MAX_POINTS: Final = 1_000
SPANS: Final[dict[str, timedelta | None]] = {
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
    "all": None,
}


async def equity_view(
    reports: Reports, mode: TradingMode, *, scope: str, scope_id: str, span: str, now: datetime
) -> dict[str, Any]:
    """Return a curve as ``GET /api/bots/{bot_id}/equity`` shows it.

    A span ends at the newest snapshot when that is older than the span itself, so that a recording
    that ended long ago still shows. Raises: InvalidInput for an unknown span.
    """
    if span not in SPANS:
        raise InvalidInput(
            "VALIDATION_ERROR", f"There is no range {span!r}", f"Choose one of {', '.join(SPANS)}."
        )
    length = SPANS[span]
    end = await reports.figures.last_snapshot_at(mode, scope, scope_id) or now
    since = None if length is None else min(end, now) - length
    rows = await reports.figures.snapshots(mode, scope, scope_id, since, MAX_POINTS)
    ratio = await reports.figures.max_drawdown(mode, scope, scope_id, since)
    return {
        "items": [
            {
                "at": instant(row.at),
                "equity": money(row.equity),
                "realized_profit": money(row.realized),
                "unrealized_profit": money(row.unrealized),
            }
            for row in rows
        ],
        "currency": ZAR,
        "max_drawdown_percent": drawdown_percent(ratio),
    }


def drawdown_percent(ratio: Decimal | None) -> float | None:
    """Return a fall in [−1, 0] as a percentage in [0, 100]."""
    return None if ratio is None else round(float(-ratio) * 100, 4)


def win_rate(wins: int, trades: int) -> float | None:
    """Return the percentage of closed round trips that won; None when there are none."""
    return round(wins * 100 / trades, 2) if trades else None
