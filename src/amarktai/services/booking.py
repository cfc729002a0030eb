"""Booking fills: one transaction writes fill, ledger entry, position, round trip, rollups and event.

``Booker`` is made for one transaction, loads what the fills touch, applies them one by one and
writes everything at the end in a handful of statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from amarktai.domain.bot import Bot
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import to_ledger
from amarktai.domain.order import Order, Side
from amarktai.domain.position import Position, apply_execution
from amarktai.domain.round_trip import RoundTrip, RoundTripStatus, ZarRate, add_fill
from amarktai.ledger.booking import book_fill, execution_of, fee_in_quote, fill_key
from amarktai.ledger.entry import Entry
from amarktai.ledger.profit import ALL_DAYS, EVERYTHING, BookedFill, RollupKey, roll_up
from amarktai.ledger.valuation import FxRate, no_rate_reason
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import EventPayload, ProfitUpdated, TradeExecuted
from amarktai.ports.ids import Ids
from amarktai.ports.store import Book, NewFill, OpenPosition, UnitOfWork
from amarktai.services.fx import FxRates
from amarktai.services.views import fill_view, round_trip_view


@dataclass(slots=True)
class _Draft:
    """One fill on its way to the store; the ledger entry's id comes with the write."""

    fill: Fill
    order: Order
    bot: Bot
    entry: Entry
    trip: RoundTrip
    row: NewFill


@dataclass(slots=True)
class Booker:
    """Books the fills of one user's book within one transaction."""

    unit: UnitOfWork
    book: Book
    bots: Mapping[UUID, Bot]
    instruments: Mapping[str, Instrument]
    fx: FxRates
    ids: Ids
    clock: Clock
    account: str
    _positions: dict[UUID, OpenPosition] = field(default_factory=dict)
    _trips: dict[UUID, RoundTrip] = field(default_factory=dict)
    _touched_trips: dict[UUID, tuple[RoundTrip, Bot]] = field(default_factory=dict)
    _drafts: list[_Draft] = field(default_factory=list)
    #: Realised profit per bot in ZAR, of all its days, after ``write``.
    bot_profits: dict[UUID, Decimal] = field(default_factory=dict)

    async def load(self, bot_ids: Sequence[UUID]) -> None:
        """Read the positions and open round trips that the fills may touch."""
        self.take_over(await self.unit.trades.positions(bot_ids), await self.unit.trades.open_trips(bot_ids))

    def take_over(self, held: Mapping[UUID, OpenPosition], trips: Mapping[UUID, RoundTrip]) -> None:
        """Go on from these positions and open round trips, which are those of the store."""
        self._positions, self._trips = dict(held), dict(trips)

    @property
    def entry_count(self) -> int:
        """How many entries ``write`` appends to the book."""
        return len(self._drafts)

    @property
    def accounts(self) -> list[str]:
        """The ledger accounts that the fills move something on."""
        return sorted({posting.account for draft in self._drafts for posting in draft.entry.postings})

    def held(self, bot_id: UUID) -> OpenPosition:
        """Return the bot's position as booked so far."""
        return self._positions.get(bot_id, OpenPosition(Position(), None))

    def open_trip(self, bot_id: UUID) -> RoundTrip | None:
        """Return the bot's open round trip as booked so far."""
        return self._trips.get(bot_id)

    def add(self, order: Order, fill: Fill) -> None:
        """Apply one fill. Raises: BrokenInvariant when it sells more than the bot holds."""
        bot, instrument = self.bots[order.bot_id], self.instruments[order.instrument_id]
        rate = self.fx.rate(instrument.quote, fill.executed_at, instrument.venue)
        position, realised = apply_execution(self.held(bot.id).position, execution_of(fill, instrument))
        trip = self._trips.get(bot.id) or self._open_trip(bot, instrument, fill)
        trip = add_fill(
            trip, fill, realised, _zar(rate, instrument, fill),
            is_flat=position.is_flat, exit_reason=order.reason or order.tag,
        )  # fmt: skip
        is_open = trip.status is RoundTripStatus.OPEN
        self._positions[bot.id] = OpenPosition(position, trip.id if is_open else None)
        self._touched_trips[trip.id] = (trip, bot)
        if is_open:
            self._trips[bot.id] = trip
        else:
            self._trips.pop(bot.id, None)
        fees_quote = fee_in_quote(fill, instrument)
        key = fill_key(instrument.venue, self.account, fill.venue_trade_id)
        fill_id = self.ids.new()
        row = NewFill(
            id=fill_id,
            fill=fill,
            bot_id=bot.id,
            round_trip_id=trip.id,
            ledger_entry_id=fill_id,
            platform=instrument.venue.value,
            account=self.account,
            instrument_id=instrument.id,
            mode=self.book.mode,
            realised=realised,
            fees_quote=to_ledger(fees_quote),
            realized_zar=rate.to_zar(realised.net) if rate else None,
            fees_zar=rate.to_zar(fees_quote) if rate else None,
            rate=rate,
            recorded_at=to_datetime(self.clock.now_ns()),
        )
        entry = book_fill(key, bot.id, instrument, fill)
        self._drafts.append(_Draft(fill, order, bot, entry, trip, row))

    async def write(self) -> list[tuple[str, EventPayload]]:
        """Write everything and return the events that it causes."""
        if not self._drafts:
            return []
        now = to_datetime(self.clock.now_ns())
        entry_ids = await self.unit.ledger.append(self.book, [draft.entry for draft in self._drafts], now)
        await self._write_trips()
        rows = [
            _with_entry(draft.row, entry_id) for draft, entry_id in zip(self._drafts, entry_ids, strict=True)
        ]
        await self.unit.trades.insert_fills(rows)
        touched = {draft.bot.id: draft.bot.instrument_id for draft in self._drafts}
        await self.unit.trades.save_positions(
            {bot_id: (instrument_id, self._positions[bot_id]) for bot_id, instrument_id in touched.items()},
            now,
        )
        return [*self._trade_events(rows), *await self._roll_up(now)]

    async def _write_trips(self) -> None:
        by_platform: dict[str, list[RoundTrip]] = {}
        for trip, bot in self._touched_trips.values():
            by_platform.setdefault(bot.platform.value, []).append(trip)
        for platform, trips in by_platform.items():
            await self.unit.trades.save_trips(trips, platform, self.book.mode)

    async def _roll_up(self, now: datetime) -> list[tuple[str, EventPayload]]:
        zone = ZoneInfo(self.book.timezone)
        deltas = roll_up(_booked(draft, zone) for draft in self._drafts)
        totals = await self.unit.figures.add(self.book.mode, deltas)
        for bot_id in {draft.bot.id for draft in self._drafts}:
            self.bot_profits[bot_id] = totals[RollupKey("bot", bot_id.hex, ALL_DAYS)].profit_zar
        realising = [draft for draft in self._drafts if draft.fill.side is Side.SELL]
        if not realising:
            return []
        bot = realising[-1].bot
        today = now.astimezone(zone).date()
        total = totals[RollupKey("user", EVERYTHING, ALL_DAYS)]
        day = totals.get(RollupKey("user", EVERYTHING, today))
        payload = ProfitUpdated(
            message=f"Realised profit is now R {total.profit_zar:.2f}",
            mode=self.book.mode.value,
            bot_id=bot.id,
            bot_name=bot.name,
            platform=bot.platform.value,
            total_profit=f"{total.profit_zar:f}",
            profit_today=f"{day.profit_zar if day else Decimal(0):f}",
            currency="ZAR",
        )
        return [("profit_updated", payload)]

    def _trade_events(self, rows: Sequence[NewFill]) -> list[tuple[str, EventPayload]]:
        events: list[tuple[str, EventPayload]] = []
        for draft, row in zip(self._drafts, rows, strict=True):
            verb = "bought" if draft.fill.side is Side.BUY else "sold"
            base, _, quote = draft.bot.pair.partition("/")
            what = f"{draft.fill.quantity:f} {base} at {draft.fill.price:f} {quote}"
            payload = TradeExecuted(
                message=f"{draft.bot.name} {verb} {what}",
                bot_id=draft.bot.id,
                fill=fill_view(row),
                trade=round_trip_view(draft.trip, draft.bot),
            )
            events.append(("trade_executed", payload))
        return events

    def _open_trip(self, bot: Bot, instrument: Instrument, fill: Fill) -> RoundTrip:
        return RoundTrip(
            id=self.ids.new(),
            bot_id=bot.id,
            instrument_id=instrument.id,
            strategy=bot.strategy,
            origin=fill.origin,
            quote_asset=instrument.quote,
            opened_at=fill.executed_at,
        )


def _zar(rate: FxRate | None, instrument: Instrument, fill: Fill) -> ZarRate:
    if rate is None:
        return ZarRate(None, None, None, no_rate_reason(instrument.quote, fill.executed_at))
    return ZarRate(rate.rate, rate.source, rate.at)


def _with_entry(row: NewFill, entry_id: UUID) -> NewFill:
    return replace(row, ledger_entry_id=entry_id)


def _booked(draft: _Draft, zone: ZoneInfo) -> BookedFill:
    closed = draft.trip.status is RoundTripStatus.CLOSED
    return BookedFill(
        bot_id=draft.bot.id,
        platform=draft.bot.platform.value,
        pair=draft.bot.pair,
        day=draft.fill.executed_at.astimezone(zone).date(),
        realized_quote=draft.row.realised.net,
        realized_zar=draft.row.realized_zar,
        fees_zar=draft.row.fees_zar,
        closes_trip=closed,
        closed_profit_zar=draft.trip.profit_zar if closed else None,
    )
