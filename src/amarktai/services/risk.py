"""Risk limits in force: figures with the engine's own prices, held against every limit before an entry.

One desk's limits bind its own book: paper entries against paper figures, live ones against live figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.circuit_breaker import LATCHING, Trip, first_open, tripped_by
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderIntent
from amarktai.domain.risk import Denial, is_exit, reservation
from amarktai.domain.risk_limits import (
    NO_STARTS,
    BotFigures,
    Breach,
    Entry,
    Limit,
    LimitKind,
    Start,
    Starts,
    first_breach,
)
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.ports.risk import BreakerState, RiskRow
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.fx import FxRates

log = structlog.get_logger(__name__)

#: A changed limit binds within so long, and others' figures of everybody's limits are as old at most.
READ_EVERY_NS: Final = NS_PER_S
#: Snapshots are far apart; what was highest before is read as seldom.
PEAKS_EVERY_NS: Final = 60 * NS_PER_S

#: The last price of an instrument by its id, in its quote asset; None when there is none.
Prices = Callable[[str], Decimal | None]
#: What is offered of an instrument near its best price, in base; None where nothing of its book is seen.
Depths = Callable[[str], Decimal | None]
Peaks = Mapping[UUID, Decimal]


@dataclass(frozen=True, slots=True)
class Market:
    """What positions are valued with."""

    prices: Prices
    fx: FxRates
    at: datetime


def figures_of(rows: Iterable[RiskRow], market: Market, peaks: Peaks) -> list[BotFigures]:
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
        quote=row.quote,
        exposure=exposure,
        cash=_cash(row, market),
        profit_today=_sum(row.today_zar, unrealised),
        profit=profit,
        peak=ZERO if row.is_gone else peak,
        capital=ZERO if row.is_gone else row.capital_zar,
        orders_minute=row.orders_minute,
        orders_day=row.orders_day,
        losses=row.losses,
        errors=row.errors,
    )


def _cash(row: RiskRow, market: Market) -> Decimal | None:
    """Return what is free of the quote asset, in ZAR; what entries have reserved counts as exposure."""
    free = row.cash - row.entering
    if not free:
        return ZERO
    rate = market.fx.rate(row.quote, market.at, row.platform)
    return None if rate is None else rate.to_zar(free)


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
    """A user's rows and peaks as last read, and when (ns). Peaks by since when; None: since ever."""

    rows: list[RiskRow]
    read_ts: int
    peaks: Mapping[datetime | None, Peaks]
    peaks_ts: int


@dataclass(frozen=True, slots=True)
class _Rules:
    """What binds a user, as last read (ns)."""

    limits: Sequence[Limit]
    breakers: BreakerState
    read_ts: int


class RiskDesk:
    """Holds one desk's entries against limits and circuit breakers.

    Without any of them it reads two small tables now and then.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, fx: FxRates, mode: TradingMode) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._fx = fx
        self._mode = mode
        self._prices: Prices = lambda instrument_id: None
        self._depths: Depths = lambda instrument_id: None
        self._rules: dict[UUID, _Rules] = {}
        self._known: dict[UUID, _Known] = {}

    def value_with(self, prices: Prices, depths: Depths) -> None:
        """Take prices and visible depths from there."""
        self._prices, self._depths = prices, depths

    async def open(
        self, unit: UnitOfWork, intents: Sequence[OrderIntent], bots: Collection[Bot]
    ) -> RiskCheck | None:
        """Return what the entries among the intents are checked with; None when nothing limits them."""
        if all(is_exit(intent) for intent in intents):
            return None
        at = to_datetime(self._clock.now_ns())
        rules = await self._rules_of(unit)
        limits, trips = rules.limits, [trip for trip in rules.breakers.trips if trip.is_open(at)]
        if not limits:
            return RiskCheck([], [], NO_STARTS, trips, self._depths, self._fx, at) if trips else None
        resets = {
            name: since for name, since in rules.breakers.resets.items() if name[1] is LimitKind.DRAWDOWN
        }
        await self._read(unit, at, resets.values())
        if any(limit.scope.user_id is None for limit in limits):
            since_all = [since for (scope, _), since in resets.items() if scope.user_id is None]
            await self._read_others(unit.user_id, {bot.user_id for bot in bots}, at, since_all)
        # Bots of another market rest: what they hold there is at no risk in this one.
        wanting = {intent.bot_id for intent in intents}
        origins = {bot.origin for bot in bots if bot.id in wanting}
        rows = [row for known in self._known.values() for row in known.rows if row.origin in origins]
        figures = figures_of(rows, Market(self._prices, self._fx, at), self._peaks(None))
        starts = {
            name: Start(since, self._peaks(resets.get(name)) if name in resets else {})
            for name, since in rules.breakers.resets.items()
        }
        return RiskCheck(limits, figures, starts, trips, self._depths, self._fx, at)

    async def trip(self, unit: UnitOfWork, check: RiskCheck) -> None:
        """Write the breakers that the check has tripped: they bind from this transaction on."""
        if not check.tripped:
            return
        await trip_breakers(unit, self._ids, check.tripped, self._mode, check.at)
        self._rules.pop(unit.user_id, None)

    def _peaks(self, since: datetime | None) -> Peaks:
        return {
            bot_id: peak
            for known in self._known.values()
            for bot_id, peak in known.peaks.get(since, {}).items()
        }

    async def _rules_of(self, unit: UnitOfWork) -> _Rules:
        now, known = self._clock.now_ns(), self._rules.get(unit.user_id)
        if known is not None and now - known.read_ts < READ_EVERY_NS:
            return known
        rules = _Rules(await unit.limits.list(), await unit.breakers.state(self._mode), now)
        self._rules[unit.user_id] = rules
        return rules

    async def _read(self, unit: UnitOfWork, at: datetime, resets: Iterable[datetime]) -> None:
        now, known = self._clock.now_ns(), self._known.get(unit.user_id)
        rows, wanted = await read_rows(unit, self._mode, at), {None, *resets}
        is_young = known is not None and now - known.peaks_ts < PEAKS_EVERY_NS
        if known is not None and is_young and wanted <= known.peaks.keys():
            peaks, peaks_ts = known.peaks, known.peaks_ts
        else:
            peaks_ts = now
            peaks = {since: await unit.risk_figures.peaks(self._mode, since) for since in wanted}
        self._known[unit.user_id] = _Known(rows, now, peaks, peaks_ts)

    async def _read_others(
        self, user_id: UUID, others: set[UUID], at: datetime, resets: Sequence[datetime]
    ) -> None:
        now = self._clock.now_ns()
        for gone in self._known.keys() - others:
            del self._known[gone]
        for other in sorted(others - {user_id}):
            known = self._known.get(other)
            is_old = known is None or now - known.read_ts >= READ_EVERY_NS
            if known is None or is_old or not known.peaks.keys() >= set(resets):
                async with self._store.unit_of_work(other) as unit:
                    await self._read(unit, at, resets)


async def trip_breakers(
    unit: UnitOfWork, ids: Ids, breaches: Iterable[Breach], mode: TradingMode, at: datetime
) -> None:
    """Write the breakers that these breaches trip; one that is tripped already stays as it is."""
    timezone = await unit.user_timezone()
    for breach in breaches:
        trip = tripped_by(ids.new(), breach, mode, at, timezone)
        if trip is not None and await unit.breakers.trip(trip):
            log.warning("a circuit breaker has tripped", kind=trip.kind.value, reason=trip.reason)


async def read_rows(unit: UnitOfWork, mode: TradingMode, at: datetime) -> list[RiskRow]:
    """Return a user's rows as of their own day."""
    local = at.astimezone(ZoneInfo(await unit.user_timezone()))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return await unit.risk_figures.read(mode, local.date(), start, at)


class RiskCheck:
    """The limits, breakers and figures of one claim. Each entry that passes counts for the next one.

    ``tripped`` are the breaches met so far that trip a breaker.
    """

    def __init__(
        self,
        limits: Sequence[Limit],
        figures: Sequence[BotFigures],
        starts: Starts,
        trips: Sequence[Trip],
        depths: Depths,
        fx: FxRates,
        at: datetime,
    ) -> None:
        self._limits = limits
        self._figures = list(figures)
        self._starts = starts
        self._trips = trips
        self._depths = depths
        self._fx = fx
        self.at = at
        self.tripped: list[Breach] = []

    def denial(self, intent: OrderIntent, bot: Bot, instrument: Instrument) -> Denial | None:
        """Return which breaker is tripped or which limit an entry would break; None when none is.

        Exits are never denied.
        """
        if is_exit(intent):
            return None
        trip = first_open(self._trips, bot.user_id, bot.id, self.at)
        if trip is not None:
            since = f"since {trip.tripped_at:%Y-%m-%d %H:%M} UTC"
            return Denial("limits", "CIRCUIT_BREAKER", f"tripped {since}: {trip.reason} ({trip.kind})")
        entry = self._entry(intent, bot, instrument)
        breach = first_breach(self._limits, self._figures, entry, self._starts)
        if breach is not None:
            if breach.limit.kind in LATCHING and breach.used is not None:
                self.tripped.append(breach)
            return Denial("limits", "RISK_LIMIT", f"{breach.words} ({breach.limit.kind})")
        self._figures = [
            each.with_order(entry.value or ZERO) if each.bot_id == bot.id else each for each in self._figures
        ]
        return None

    def _entry(self, intent: OrderIntent, bot: Bot, instrument: Instrument) -> Entry:
        _, amount = reservation(intent, instrument)
        rate = self._fx.rate(instrument.quote, self.at, instrument.venue)
        share = None
        if any(limit.kind is LimitKind.DEPTH_SHARE for limit in self._limits):
            depth = self._depths(instrument.id)
            share = None if not depth else intent.quantity / depth * 100
        return Entry(
            bot.id,
            bot.user_id,
            instrument.venue,
            instrument.base,
            instrument.quote,
            instrument.symbol,
            None if rate is None else rate.to_zar(amount),
            share,
        )
