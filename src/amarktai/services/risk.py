"""Risk limits in force: figures with the engine's own prices, held against every limit before an entry.

One desk's limits bind its own book: paper entries against paper figures, live ones against live figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderIntent
from amarktai.domain.risk import Denial, is_exit, reservation
from amarktai.domain.risk_limits import BotFigures, Entry, Limit, first_breach
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.risk import RiskRow
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.fx import FxRates

#: A changed limit binds within so long, and others' figures of everybody's limits are as old at most.
READ_EVERY_NS: Final = NS_PER_S
#: Snapshots are far apart; what was highest before is read as seldom.
PEAKS_EVERY_NS: Final = 60 * NS_PER_S
_MINUTE: Final = timedelta(minutes=1)

#: The last price of an instrument by its id, in its quote asset; None when there is none.
Prices = Callable[[str], Decimal | None]


@dataclass(frozen=True, slots=True)
class Market:
    """What positions are valued with."""

    prices: Prices
    fx: FxRates
    at: datetime


def figures_of(rows: Iterable[RiskRow], market: Market, peaks: Mapping[UUID, Decimal]) -> list[BotFigures]:
    """Return the figures of bots at these prices and rates."""
    return [_figures(row, market, peaks.get(row.bot_id, ZERO)) for row in rows]


def _figures(row: RiskRow, market: Market, peak: Decimal) -> BotFigures:
    exposure, unrealised = _valued(row, market)
    # A bot that is gone has given its capital back: what it once won or lost is no fall of what is there.
    profit = ZERO if row.is_gone else _sum(row.ever_zar, unrealised)
    return BotFigures(
        bot_id=row.bot_id,
        user_id=row.user_id,
        platform=row.platform,
        base=row.instrument_id.partition(":")[2].partition("/")[0],
        exposure=exposure,
        profit_today=_sum(row.today_zar, unrealised),
        profit=profit,
        peak=ZERO if row.is_gone else peak,
        capital=ZERO if row.is_gone else row.capital_zar,
        orders_minute=row.orders_minute,
        orders_day=row.orders_day,
        losses_in_a_row=row.losses_in_a_row,
    )


def _valued(row: RiskRow, market: Market) -> tuple[Decimal | None, Decimal | None]:
    """Return (exposure, unrealised profit) in ZAR, None where no price or no rate is known."""
    if not row.quantity and not row.entering:
        return ZERO, ZERO
    rate, price = market.fx.rate(row.quote, market.at, row.platform), market.prices(row.instrument_id)
    if rate is None or (row.quantity and price is None):
        return None, None
    value = row.quantity * (price or ZERO)
    return rate.to_zar(value + row.entering), rate.to_zar(value - row.cost)


def _sum(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first + second


@dataclass(slots=True)
class _Known:
    """A user's rows and peaks as last read, and when (ns)."""

    rows: list[RiskRow]
    read_ts: int
    peaks: Mapping[UUID, Decimal]
    peaks_ts: int


class RiskDesk:
    """Holds one desk's entries against the limits; without any, it reads one small table now and then."""

    def __init__(self, store: Store, clock: Clock, fx: FxRates, mode: TradingMode) -> None:
        self._store = store
        self._clock = clock
        self._fx = fx
        self._mode = mode
        self._prices: Prices = lambda instrument_id: None
        self._limits: dict[UUID, tuple[int, list[Limit]]] = {}
        self._known: dict[UUID, _Known] = {}

    def value_with(self, prices: Prices) -> None:
        """Take prices from there."""
        self._prices = prices

    async def open(
        self, unit: UnitOfWork, intents: Sequence[OrderIntent], bots: Collection[Bot]
    ) -> RiskCheck | None:
        """Return what the entries among the intents are checked with; None when nothing limits them."""
        if all(is_exit(intent) for intent in intents):
            return None
        limits = await self._limits_of(unit)
        if not limits:
            return None
        at = to_datetime(self._clock.now_ns())
        await self._read(unit, at)
        if any(limit.scope.user_id is None for limit in limits):
            await self._read_others(unit.user_id, {bot.user_id for bot in bots}, at)
        # Bots of another market rest: what they hold there is at no risk in this one.
        wanting = {intent.bot_id for intent in intents}
        origins = {bot.origin for bot in bots if bot.id in wanting}
        rows = [row for known in self._known.values() for row in known.rows if row.origin in origins]
        peaks = {bot_id: peak for known in self._known.values() for bot_id, peak in known.peaks.items()}
        market = Market(self._prices, self._fx, at)
        return RiskCheck(limits, figures_of(rows, market, peaks), self._fx, at)

    async def _limits_of(self, unit: UnitOfWork) -> list[Limit]:
        now = self._clock.now_ns()
        read_ts, limits = self._limits.get(unit.user_id, (None, []))
        if read_ts is None or now - read_ts >= READ_EVERY_NS:
            limits = await unit.limits.list()
            self._limits[unit.user_id] = (now, limits)
        return limits

    async def _read(self, unit: UnitOfWork, at: datetime) -> None:
        now, known = self._clock.now_ns(), self._known.get(unit.user_id)
        rows = await read_rows(unit, self._mode, at)
        if known is not None and now - known.peaks_ts < PEAKS_EVERY_NS:
            peaks, peaks_ts = known.peaks, known.peaks_ts
        else:
            peaks, peaks_ts = await unit.risk_figures.peaks(self._mode), now
        self._known[unit.user_id] = _Known(rows, now, peaks, peaks_ts)

    async def _read_others(self, user_id: UUID, others: set[UUID], at: datetime) -> None:
        now = self._clock.now_ns()
        for gone in self._known.keys() - others:
            del self._known[gone]
        for other in sorted(others - {user_id}):
            known = self._known.get(other)
            if known is None or now - known.read_ts >= READ_EVERY_NS:
                async with self._store.unit_of_work(other) as unit:
                    await self._read(unit, at)


async def read_rows(unit: UnitOfWork, mode: TradingMode, at: datetime) -> list[RiskRow]:
    """Return a user's rows as of their own day."""
    local = at.astimezone(ZoneInfo(await unit.user_timezone()))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return await unit.risk_figures.read(mode, local.date(), start, at - _MINUTE)


class RiskCheck:
    """The limits and figures of one claim. Each entry that passes counts for the next one."""

    def __init__(
        self, limits: Sequence[Limit], figures: Sequence[BotFigures], fx: FxRates, at: datetime
    ) -> None:
        self._limits = limits
        self._figures = list(figures)
        self._fx = fx
        self._at = at

    def denial(self, intent: OrderIntent, bot: Bot, instrument: Instrument) -> Denial | None:
        """Return which limit an entry would break, None when none; exits break none."""
        if is_exit(intent):
            return None
        _, amount = reservation(intent, instrument)
        rate = self._fx.rate(instrument.quote, self._at, instrument.venue)
        value = None if rate is None else rate.to_zar(amount)
        entry = Entry(bot.id, bot.user_id, instrument.venue, instrument.base, instrument.symbol, value)
        breach = first_breach(self._limits, self._figures, entry)
        if breach is not None:
            return Denial("limits", "RISK_LIMIT", f"{breach[1]} ({breach[0]})")
        self._figures = [
            each.with_order(value or ZERO) if each.bot_id == bot.id else each for each in self._figures
        ]
        return None
