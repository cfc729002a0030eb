"""The figures of risk limits outside the engine: with the stored prices, for screens and the watch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.risk_limits import (
    BotFigures,
    Breach,
    Limit,
    LimitKind,
    Scope,
    Start,
    Starts,
    Use,
    reached,
    use_of,
)
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.equity import MARK_LIMIT_S, load_valuer
from amarktai.services.fx import FxRates
from amarktai.services.risk import Market, figures_of, read_rows


@dataclass(frozen=True, slots=True)
class Figures:
    """Bots' figures, and from when on limits are measured that a person has reset."""

    bots: Sequence[BotFigures]
    starts: Starts

    def use_of(self, limit: Limit) -> Use:
        return use_of(limit, self.bots, start=self.starts.get((limit.scope, limit.kind)))

    def reached(self, limit: Limit) -> Breach | None:
        return reached(limit, self.bots, self.starts.get((limit.scope, limit.kind)))

    def __add__(self, other: Figures) -> Figures:
        """Return the figures of both; of a start that both have, with the peaks of both."""
        starts = dict(self.starts)
        for name, start in other.starts.items():
            known = starts.get(name)
            starts[name] = start if known is None else Start(start.at, {**known.peaks, **start.peaks})
        return Figures([*self.bots, *other.bots], starts)


class FigureReader:
    """``rates`` makes an empty table of rates: each answer fills its own with the marks it read."""

    def __init__(self, store: Store, rates: Callable[[], FxRates]) -> None:
        self._store = store
        self._rates = rates

    async def of(self, unit: UnitOfWork, mode: TradingMode, at: datetime) -> Figures:
        """Return one user's figures in one book."""
        rows = await read_rows(unit, mode, at)
        fx = self._rates()
        held = {row.instrument_id for row in rows if row.quantity}
        quotes = {row.quote for row in rows}
        valuer = await load_valuer(unit.reports, fx, at, instrument_ids=held, assets=quotes)

        def price(instrument_id: str) -> Decimal | None:
            mark = valuer.mark(instrument_id)
            is_fresh = mark is not None and (at - mark.at).total_seconds() <= MARK_LIMIT_S
            return mark.price if mark is not None and is_fresh else None

        peaks = await unit.risk_figures.peaks(mode)
        return Figures(figures_of(rows, Market(price, fx, at), peaks), await _starts(unit, mode))

    async def of_everybody(self, mode: TradingMode, at: datetime) -> Figures:
        """Return the figures of all users."""
        found = Figures([], {})
        for user_id in await self._store.user_ids():
            async with self._store.snapshot(user_id) as unit:
                found += await self.of(unit, mode, at)
        return found


async def _starts(unit: UnitOfWork, mode: TradingMode) -> Starts:
    peaks: dict[datetime, dict[UUID, Decimal]] = {}
    starts: dict[tuple[Scope, LimitKind], Start] = {}
    for (scope, kind), since in (await unit.breakers.state(mode)).resets.items():
        if kind is LimitKind.DRAWDOWN and since not in peaks:
            peaks[since] = await unit.risk_figures.peaks(mode, since)
        starts[scope, kind] = Start(since, peaks[since] if kind is LimitKind.DRAWDOWN else {})
    return starts
