"""What the same money would be worth in bitcoin: the yardstick beside a book's equity.

The comparison is the plain one that everybody can check: at the start of the range all equity buys
bitcoin at its price in rand then, every later deposit does so when it comes, and nothing is sold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZAR, ZERO, to_ledger
from amarktai.ledger.profit import EVERYTHING
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.reports import Reporting, SnapshotRow
from amarktai.services.equity_series import load_curve
from amarktai.services.views import instant, money

#: Bitcoin in rand, where it is traded most first.
_MARKETS: Final = ("luno:BTC/ZAR", "valr:BTC/ZAR")
#: Bars to price a curve with: the finest that cover it with at most this many.
_TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
_MOST_BARS: Final = 3_000
#: A price counts for this many bars; after that it is not known.
_BARS_OF_AGE: Final = 4

#: (instrument, timeframe, until, count) → up to that many bars before then, and where they are from.
BarsUntil = Callable[[str, str, datetime, int], Awaitable[tuple[Bars, Origin]]]


class BenchmarkService:
    """``bars`` gives closed bars; it raises NotFound for an instrument that nobody knows."""

    def __init__(self, reporting: Reporting, clock: Clock, bars: BarsUntil) -> None:
        self._reporting = reporting
        self._clock = clock
        self._bars = bars

    async def equity(self, user_id: UUID, *, mode: TradingMode | None, span: str) -> Mapping[str, Any]:
        """Return the book's benchmark over a span. Raises: InvalidInput for an unknown span."""
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            chosen = (await reports.setting()).book(mode)
            rows = await load_curve(reports, chosen, scope="user", scope_id=EVERYTHING, span=span, now=now)
        name, origin, held = _MARKETS[0], None, list[tuple[datetime, Decimal]]()
        if len(rows) > 1:
            name, origin, held = await self._held(rows)
        return {
            "mode": chosen.value,
            "instrument_id": name,
            "origin": origin.value if origin else None,
            "items": [{"at": instant(at), "equity": money(value)} for at, value in held],
            "change_percent": _change_percent(held),
            "reason": None if held else _reason(rows),
            "currency": ZAR,
        }

    async def _held(
        self, rows: Sequence[SnapshotRow]
    ) -> tuple[str, Origin | None, list[tuple[datetime, Decimal]]]:
        start, end = rows[0].at, rows[-1].at
        for name in _MARKETS:
            for timeframe in _TIMEFRAMES:
                step = timeframe_ns(timeframe)
                count = (to_ns(end) - to_ns(start)) // step + 2 * _BARS_OF_AGE
                if count > _MOST_BARS:
                    continue
                try:
                    bars, origin = await self._bars(name, timeframe, end, count)
                except NotFound:
                    break
                held = hold(rows, bars)
                if held:
                    return name, origin, held
        return _MARKETS[0], None, []


def hold(rows: Sequence[SnapshotRow], bars: Bars) -> list[tuple[datetime, Decimal]]:
    """Return what the equity of the first row and all later deposits are worth as coins, row by row.

    Rows at which no price is known are left out; nothing is returned when the first or a deposit's is.
    """
    step, coins, deposits = timeframe_ns(bars.timeframe), ZERO, ZERO
    held: list[tuple[datetime, Decimal]] = []
    for index, row in enumerate(rows):
        price = _price_at(bars, to_ns(row.at), step)
        bought = row.equity if index == 0 else row.deposits - deposits
        deposits = row.deposits
        if price is None:
            if bought:
                return []
            continue
        coins += bought / price
        held.append((row.at, to_ledger(coins * price)))
    return held


def _price_at(bars: Bars, ts: int, step: int) -> Decimal | None:
    """Return the last close that was known then."""
    place = int(np.searchsorted(bars.ts_open, ts - step, side="right")) - 1
    if place < 0 or ts - (int(bars.ts_open[place]) + step) > _BARS_OF_AGE * step:
        return None
    return Decimal(repr(float(bars.close[place]))) or None


def _change_percent(held: Sequence[tuple[datetime, Decimal]]) -> float | None:
    if len(held) < 2 or not held[0][1]:
        return None
    return round(float(held[-1][1] / held[0][1] - 1) * 100, 4)


def _reason(rows: Sequence[SnapshotRow]) -> str:
    if len(rows) < 2:
        return "there is no equity curve to compare with yet"
    return f"no bitcoin price in rand is stored for {rows[0].at:%Y-%m-%d %H:%M} UTC and after"
