"""Round trips ("trades" in the API): the list, and one with the fills it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import parse_decimal
from amarktai.ports.reports import Place, Reporting, TradeFilter, TradeRow
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.views import fill_view, trade_view

_SORTS: Final = ("-opened_at", "opened_at", "-closed_at", "closed_at", "-profit_loss", "profit_loss")
_STATUSES: Final = ("open", "closed")
#: Beyond this a list that is bounded in time is not counted; all others are exact at any size.
COUNT_LIMIT: Final = 10_000


class TradeService:
    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def list_trades(
        self, user_id: UUID, wanted: TradeFilter, *, cursor: str | None, limit: int, count: bool = True
    ) -> Page:
        """Return one page of round trips.

        ``total`` is exact from rollups; with ``since`` or ``until`` it is counted, and null above
        COUNT_LIMIT or without ``count``. Raises: InvalidInput for an unknown sort, status or cursor.
        """
        _check(wanted)
        after = _place(cursor, wanted) if cursor else None
        async with self._reporting.snapshot(user_id) as reports:
            rows = await reports.trades.page(wanted, after, limit + 1)
            total = await reports.trades.count(wanted, COUNT_LIMIT) if count else None
        return Page([_view(row) for row in rows[:limit]], _next_cursor(rows, wanted, limit), total)

    async def get(self, user_id: UUID, trade_id: UUID) -> Mapping[str, Any]:
        """Return ``{trade, fills}``. Raises: NotFound."""
        async with self._reporting.snapshot(user_id) as reports:
            row = await reports.trades.get(trade_id)
            fills = await reports.trades.fills(trade_id=trade_id)
        return {"trade": _view(row), "fills": [fill_view(fill) for fill in fills]}


def _check(wanted: TradeFilter) -> None:
    if wanted.sort not in _SORTS:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"Trades cannot be sorted by {wanted.sort!r}",
            f"Choose one of {', '.join(_SORTS)}.",
        )
    if wanted.status is not None and wanted.status not in _STATUSES:
        raise InvalidInput(
            "VALIDATION_ERROR", f"No trade is {wanted.status!r}", f"Choose one of {', '.join(_STATUSES)}."
        )


def _next_cursor(rows: list[TradeRow], wanted: TradeFilter, limit: int) -> str | None:
    if len(rows) <= limit:
        return None
    trip = rows[limit - 1].trip
    if wanted.status == "open" or wanted.sort.endswith("opened_at"):
        return encode_cursor(trip.opened_at, trip.id)
    if wanted.sort.endswith("closed_at") and trip.closed_at is not None:
        return encode_cursor(trip.closed_at, trip.id)
    return encode_cursor(f"{trip.profit_zar}", trip.id)


def _view(row: TradeRow) -> dict[str, Any]:
    return trade_view(row.trip, bot_name=row.bot_name, platform=row.platform, mode=row.mode.value)


def _place(cursor: str, wanted: TradeFilter) -> Place:
    if wanted.status == "open" or not wanted.sort.endswith("profit_loss"):
        at, trip_id = decode_cursor(cursor, datetime, UUID)
        return at, trip_id
    profit, trip_id = decode_cursor(cursor, str, UUID)
    return parse_decimal(profit, name="cursor"), trip_id
