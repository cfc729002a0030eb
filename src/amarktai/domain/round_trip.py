"""Round trips ("trades" in the API): from the fill that leaves flat to the fill that is flat again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import Side
from amarktai.domain.position import Realised


class RoundTripStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One round trip, built up fill by fill.

    Units: quantities base, ``*_notional`` and ``*_quote`` in the quote asset, ``*_zar`` in rand at the
    rate of each realising fill; the rand figures are None from the first fill without a rate on, and
    ``zar_reason`` says why. ``profit = gross − fees``.
    """

    id: UUID
    bot_id: UUID
    instrument_id: str
    strategy: str
    origin: Origin
    quote_asset: str
    opened_at: datetime
    status: RoundTripStatus = RoundTripStatus.OPEN
    entry_quantity: Decimal = ZERO
    entry_notional: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_notional: Decimal = ZERO
    gross_quote: Decimal = ZERO
    fees_quote: Decimal = ZERO
    profit_quote: Decimal = ZERO
    gross_zar: Decimal | None = ZERO
    fees_zar: Decimal | None = ZERO
    profit_zar: Decimal | None = ZERO
    zar_rate: Decimal | None = None
    zar_rate_source: str | None = None
    zar_rate_at: datetime | None = None
    zar_reason: str | None = None
    exit_reason: str | None = None
    closed_at: datetime | None = None

    @property
    def entry_price(self) -> Decimal | None:
        return self.entry_notional / self.entry_quantity if self.entry_quantity else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_notional / self.exit_quantity if self.exit_quantity else None


@dataclass(frozen=True, slots=True)
class ZarRate:
    """The rate of one realising fill, or why there is none."""

    rate: Decimal | None
    source: str | None
    at: datetime | None
    reason: str | None = None


def add_fill(
    trip: RoundTrip, fill: Fill, realised: Realised, zar: ZarRate, *, is_flat: bool, exit_reason: str
) -> RoundTrip:
    """Return the round trip after one more fill."""
    notional = to_ledger(fill.notional)
    if fill.side is Side.BUY:
        return replace(
            trip,
            entry_quantity=trip.entry_quantity + fill.quantity,
            entry_notional=trip.entry_notional + notional,
        )
    grown = replace(
        trip,
        exit_quantity=trip.exit_quantity + fill.quantity,
        exit_notional=trip.exit_notional + notional,
        gross_quote=trip.gross_quote + realised.gross,
        fees_quote=trip.fees_quote + realised.fees,
        profit_quote=trip.profit_quote + realised.net,
        exit_reason=exit_reason,
    )
    grown = _value(grown, realised, zar)
    if is_flat:
        return replace(grown, status=RoundTripStatus.CLOSED, closed_at=fill.executed_at)
    return grown


def _value(trip: RoundTrip, realised: Realised, zar: ZarRate) -> RoundTrip:
    if zar.rate is None or trip.profit_zar is None or trip.gross_zar is None or trip.fees_zar is None:
        reason = trip.zar_reason or zar.reason
        return replace(trip, gross_zar=None, fees_zar=None, profit_zar=None, zar_reason=reason)
    profit, fees = to_ledger(realised.net * zar.rate), to_ledger(realised.fees * zar.rate)
    return replace(
        trip,
        profit_zar=trip.profit_zar + profit,
        fees_zar=trip.fees_zar + fees,
        gross_zar=trip.gross_zar + profit + fees,
        zar_rate=zar.rate,
        zar_rate_source=zar.source,
        zar_rate_at=zar.at,
    )
