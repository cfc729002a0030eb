"""Equity over time, from the snapshots that the engine takes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZAR, ZERO
from amarktai.ledger.profit import EVERYTHING
from amarktai.ports.reports import FallRow, Reports, SnapshotRow
from amarktai.services.days import local_day
from amarktai.services.views import instant, money

#: Points in one answer: more than a screen has pixels for helps nobody.
MAX_POINTS: Final = 1_000
#: Falls that a curve names: the worst few say what holding through it took.
_WORST_FALLS: Final = 5
#: A platform that was off for longer has charts that end where it stopped.
_QUIET: Final = timedelta(days=30)
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

    Raises: InvalidInput for an unknown span.
    """
    since = await _start(reports, mode, scope, scope_id, span, now)
    rows = await reports.figures.snapshots(mode, scope, scope_id, since, MAX_POINTS)
    falls = await reports.figures.falls(mode, scope, scope_id, since, _WORST_FALLS)
    return {
        "items": [
            {
                "at": instant(row.at),
                "equity": money(row.equity),
                "realized_profit": money(row.realized),
                "unrealized_profit": money(row.unrealized),
                "drawdown_percent": drawdown_percent(row.drawdown_ratio),
            }
            for row in rows
        ],
        "currency": ZAR,
        "max_drawdown_percent": drawdown_percent(falls[0].ratio if falls else ZERO if rows else None),
        "drawdowns": [_fall_view(fall) for fall in falls],
    }


async def load_curve(
    reports: Reports, mode: TradingMode, *, scope: str, scope_id: str, span: str, now: datetime
) -> list[SnapshotRow]:
    """Return the points of a curve over a span. Raises: InvalidInput for an unknown span."""
    since = await _start(reports, mode, scope, scope_id, span, now)
    return await reports.figures.snapshots(mode, scope, scope_id, since, MAX_POINTS)


async def _start(
    reports: Reports, mode: TradingMode, scope: str, scope_id: str, span: str, now: datetime
) -> datetime | None:
    """Return where a span begins; None from the beginning.

    It ends at the newest snapshot when that is older than the span itself, so that a recording that
    ended long ago still shows.
    """
    if span not in SPANS:
        raise InvalidInput(
            "VALIDATION_ERROR", f"There is no range {span!r}", f"Choose one of {', '.join(SPANS)}."
        )
    length = SPANS[span]
    end = await reports.figures.last_snapshot_at(mode, scope, scope_id) or now
    return None if length is None else min(end, now) - length


async def charted_to(reports: Reports, mode: TradingMode, now: datetime) -> date:
    """Return the user's day on which charts of days end: today, as long as the platform runs.

    Where nothing was known for a month, as in a recording that is browsed later, they end with the
    newest equity, or they would be empty.
    """
    timezone = (await reports.setting()).timezone
    today = local_day(now, timezone)
    newest = await reports.figures.last_snapshot_at(mode, "user", EVERYTHING)
    last = local_day(newest, timezone) if newest else today
    return last if today - last > _QUIET else today


def _fall_view(fall: FallRow) -> dict[str, Any]:
    return {
        "peak_at": instant(fall.peak_at),
        "trough_at": instant(fall.trough_at),
        "recovered_at": instant(fall.recovered_at),
        "depth": money(fall.depth),
        "percent": drawdown_percent(fall.ratio),
    }


def drawdown_percent(ratio: Decimal | None) -> float | None:
    """Return a fall in [−1, 0] as a percentage in [0, 100]."""
    return None if ratio is None else round(float(-ratio) * 100, 4)


def win_rate(wins: int, trades: int) -> float | None:
    """Return the percentage of closed round trips that won; None when there are none."""
    return round(wins * 100 / trades, 2) if trades else None
