"""Everything that is derived from fills, derived again: positions, round trips, rollups, and the fills'
own figures. What this arrives at and what is stored must be equal to the last digit.

Memory grows with bots and days, never with fills: a closed round trip is handed out and forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Fees, Instrument, split_instrument_id
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.position import Position, Realised, apply_execution
from amarktai.domain.round_trip import RoundTrip, RoundTripStatus, ZarRate, add_fill
from amarktai.ledger.booking import book_fill, execution_of, fee_in_quote, fill_key
from amarktai.ledger.profit import BookedFill, RollupDelta, RollupKey, roll_up
from amarktai.ledger.valuation import FxRate
from amarktai.ledger.verification import Difference, RecordedEntry

#: What of a round trip does not follow from its fills: the bot's choices and the sentences for people.
_NOT_DERIVED: Final = frozenset({"strategy", "exit_reason", "zar_reason"})
_DERIVED: Final = tuple(field.name for field in fields(RoundTrip) if field.name not in _NOT_DERIVED)
_UNKNOWN_FEES: Final = Fees(ZERO, ZERO, "not needed to book a fill")


@dataclass(frozen=True, slots=True)
class RecordedFill:
    """A fill as booked. ``fees_quote`` is this fill's own fee; the ZAR figures are None without a rate."""

    id: UUID
    fill: Fill
    bot_id: UUID
    round_trip_id: UUID
    ledger_entry_id: UUID
    platform: str
    account: str
    instrument_id: str
    mode: TradingMode
    notional: Decimal
    gross_quote: Decimal
    fees_quote: Decimal
    realized_zar: Decimal | None
    fees_zar: Decimal | None
    rate: FxRate | None
    recorded_at: datetime


class Recomputation:
    """Takes a book's fills in the order of its chain."""

    def __init__(self, timezone: str) -> None:
        self.positions: dict[UUID, Position] = {}
        self.open_trips: dict[UUID, RoundTrip] = {}
        self.rollups: dict[RollupKey, RollupDelta] = defaultdict(RollupDelta)
        self.fill_count = 0
        self.trip_count = 0
        self._zone = ZoneInfo(timezone)
        self._closed: list[RoundTrip] = []

    def take(self, row: RecordedFill, entry: RecordedEntry) -> Difference | None:
        """Apply the next fill, booked by ``entry``, and return what of it is stored wrongly."""
        self.fill_count += 1
        instrument = _instrument(row.instrument_id)
        position = self.positions.get(row.bot_id, Position())
        try:
            position, realised = apply_execution(position, execution_of(row.fill, instrument))
        except BrokenInvariant as error:
            return Difference(f"fill {row.id}", "a sale of what is held", error.detail)
        self.positions[row.bot_id] = position
        trip = self._apply_to_trip(row, instrument, realised, is_flat=position.is_flat)
        self._roll_up(row, instrument, realised, trip)
        return _booking_difference(row, entry, instrument) or self._difference(
            row, instrument, realised, trip
        )

    def closed(self) -> dict[UUID, RoundTrip]:
        """Return the round trips that were closed since the last call, and forget them."""
        closed, self._closed = {trip.id: trip for trip in self._closed}, []
        return closed

    def _apply_to_trip(
        self, row: RecordedFill, instrument: Instrument, realised: Realised, *, is_flat: bool
    ) -> RoundTrip:
        trip = self.open_trips.get(row.bot_id)
        if trip is None:
            self.trip_count += 1
            trip = RoundTrip(
                row.round_trip_id, row.bot_id, row.instrument_id, "", row.fill.origin, instrument.quote,
                row.fill.executed_at,
            )  # fmt: skip
        rate = row.rate
        zar = ZarRate(rate.rate, rate.source, rate.at) if rate else ZarRate(None, None, None, "no rate")
        trip = add_fill(trip, row.fill, realised, zar, is_flat=is_flat, exit_reason="")
        if trip.status is RoundTripStatus.OPEN:
            self.open_trips[row.bot_id] = trip
        else:
            self.open_trips.pop(row.bot_id, None)
            self._closed.append(trip)
        return trip

    def _roll_up(
        self, row: RecordedFill, instrument: Instrument, realised: Realised, trip: RoundTrip
    ) -> None:
        closed = trip.status is RoundTripStatus.CLOSED
        fee = fee_in_quote(row.fill, instrument)
        booked = BookedFill(
            bot_id=row.bot_id,
            platform=row.platform,
            pair=instrument.symbol,
            day=row.fill.executed_at.astimezone(self._zone).date(),
            realized_quote=realised.net,
            realized_zar=row.rate.to_zar(realised.net) if row.rate else None,
            fees_zar=row.rate.to_zar(fee) if row.rate else None,
            closes_trip=closed,
            closed_profit_zar=trip.profit_zar if closed else None,
        )
        for key, delta in roll_up([booked]).items():
            self.rollups[key].add(delta)

    def _difference(
        self, row: RecordedFill, instrument: Instrument, realised: Realised, trip: RoundTrip
    ) -> Difference | None:
        fee = fee_in_quote(row.fill, instrument)
        pairs: tuple[tuple[str, object, object], ...] = (
            ("round trip", trip.id, row.round_trip_id),
            ("notional", to_ledger(row.fill.notional), row.notional),
            ("gross in quote", realised.gross, row.gross_quote),
            ("fees in quote", to_ledger(fee), row.fees_quote),
            ("realised in ZAR", row.rate.to_zar(realised.net) if row.rate else None, row.realized_zar),
            ("fees in ZAR", row.rate.to_zar(fee) if row.rate else None, row.fees_zar),
        )
        return first_difference(f"fill {row.id}", pairs)


def first_difference(where: str, pairs: Iterable[tuple[str, object, object]]) -> Difference | None:
    """Return the first of (name, expected, found) that differs."""
    for name, expected, found in pairs:
        if expected != found:
            return Difference(f"{where}, {name}", show(expected), show(found))
    return None


def trip_difference(expected: RoundTrip, found: RoundTrip | None) -> Difference | None:
    """Compare a round trip with the stored one, in everything that follows from fills."""
    where = f"round trip {expected.id}"
    if found is None:
        return Difference(where, "to be stored", "nothing")
    pairs = ((name, getattr(expected, name), getattr(found, name)) for name in _DERIVED)
    return first_difference(where, pairs)


def rollup_difference(
    key: RollupKey, expected: RollupDelta | None, found: RollupDelta | None
) -> Difference | None:
    """Compare a rollup row; one that is absent counts as nothing booked."""
    where = f"rollup of {key.scope} {key.scope_id} on {key.day}"
    if found is None or expected is None:
        return Difference(
            where, "none" if expected is None else "a row", "none" if found is None else "a row"
        )
    names = [field.name for field in fields(RollupDelta)]
    return first_difference(where, ((name, getattr(expected, name), getattr(found, name)) for name in names))


def show(value: object) -> str:
    """Return a value as a sentence shows it."""
    if value is None:
        return "none"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _booking_difference(row: RecordedFill, entry: RecordedEntry, instrument: Instrument) -> Difference | None:
    """Compare the entry's postings with those that this fill makes."""
    key = fill_key(row.platform, row.account, row.fill.venue_trade_id)
    expected = book_fill(key, row.bot_id, instrument, row.fill)
    legs = tuple((posting.account, posting.asset, posting.amount) for posting in expected.postings)
    pairs: tuple[tuple[str, object, object], ...] = (
        ("key", expected.key, entry.key),
        ("time", expected.effective_at, entry.effective_at),
        ("postings", _show_legs(legs), _show_legs(entry.postings)),
    )
    return first_difference(f"entry {entry.seq} of fill {row.id}", pairs)


def _show_legs(legs: Iterable[tuple[str, str, Decimal]]) -> str:
    return "; ".join(f"{account} {to_ledger(amount):f} {asset}" for account, asset, amount in sorted(legs))


def _instrument(instrument_id: str) -> Instrument:
    """Return as much of an instrument as booking needs: its assets and where it trades."""
    platform, symbol = split_instrument_id(instrument_id)
    base, _, quote = symbol.partition("/")
    return Instrument(platform, base, quote, ZERO, ZERO, ZERO, ZERO, _UNKNOWN_FEES)
