"""Lists as CSV for spreadsheets, in pieces, so that a million rows need no more memory than a page.

Text that a spreadsheet would run as a formula is defused with an apostrophe (OWASP, CSV injection);
numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.ports.reports import TradeFilter
from amarktai.services.paging import MAX_LIMIT
from amarktai.services.profits import ProfitService
from amarktai.services.trades import TradeService

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Column heads and the fields that they show. Money is ZAR where the head says nothing else.
_TRADES: Final = {
    "closed": "closed_at", "opened": "opened_at", "bot": "bot_name", "platform": "platform", "pair": "pair",
    "mode": "mode", "prices": "origin", "status": "status", "quantity": "quantity",
    "entry_price": "entry_price", "exit_price": "exit_price", "quote_asset": "quote_asset",
    "profit_quote": "profit_loss_quote", "gross_profit_zar": "gross_profit", "fees_zar": "fees",
    "profit_zar": "profit_loss", "zar_rate": "zar_rate", "zar_rate_source": "zar_rate_source",
    "zar_rate_at": "zar_rate_at", "why_no_zar": "zar_reason", "exit_reason": "exit_reason",
    "strategy": "strategy", "trade_id": "id",
}  # fmt: skip
_DAYS: Final = {
    "date": "date", "realised_zar": "profit", "running_zar": "running", "fees_zar": "fees",
    "trades": "trades", "won": "wins", "lost": "losses",
}  # fmt: skip


class Exports:
    def __init__(self, trades: TradeService, profits: ProfitService) -> None:
        self._trades = trades
        self._profits = profits

    async def trades(self, user_id: UUID, wanted: TradeFilter) -> AsyncIterator[str]:
        """Yield the round trips of a list as CSV, heads first.

        Each piece is read in a transaction of its own, so that a slow reader holds none open; the order
        of the list makes the pieces fit together. Raises: InvalidInput, before the first piece.
        """
        heads, cursor = [list(_TRADES)], None
        while True:
            page = await self._trades.list_trades(
                user_id, wanted, cursor=cursor, limit=MAX_LIMIT, count=False
            )
            yield to_csv([*heads, *_cells(page.items, _TRADES)])
            heads = []
            cursor = page.next_cursor
            if cursor is None:
                return

    async def profits(self, user_id: UUID, *, span: str, mode: TradingMode | None) -> AsyncIterator[str]:
        """Yield the days of a span as CSV, heads first."""
        report = await self._profits.report(user_id, span=span, mode=mode)
        yield to_csv([list(_DAYS), *_cells(report["days"], _DAYS)])


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV (RFC 4180). An unknown value is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _cells(items: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> list[list[Any]]:
    return [[item[field] for field in columns.values()] for item in items]
