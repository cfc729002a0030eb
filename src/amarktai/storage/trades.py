"""Fills, positions and round trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Origin
from amarktai.domain.money import to_ledger
from amarktai.domain.position import Position
from amarktai.domain.round_trip import RoundTrip, RoundTripStatus
from amarktai.ports.store import NewFill, OpenPosition
from amarktai.storage import tables as t
from amarktai.storage.lists import one_of
from amarktai.storage.transaction import Transaction

_TRIP_FIELDS = tuple(field.name for field in fields(RoundTrip))


class PgTrades:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def positions(self, bot_ids: Sequence[UUID]) -> dict[UUID, OpenPosition]:
        rows = await self._transaction.execute(
            select(t.positions).where(t.positions.c.bot_id.in_(list(bot_ids)))
        )
        return {
            row.bot_id: OpenPosition(Position(row.quantity, row.cost, row.entry_fees), row.round_trip_id)
            for row in rows
        }

    async def save_positions(self, positions: Mapping[UUID, tuple[str, OpenPosition]], at: datetime) -> None:
        self._transaction.stage(
            "positions",
            [
                {
                    "bot_id": bot_id,
                    "user_id": self._user_id,
                    "instrument_id": instrument_id,
                    "quantity": held.position.quantity,
                    "cost": held.position.cost,
                    "entry_fees": held.position.entry_fees,
                    "round_trip_id": held.round_trip_id,
                    "updated_at": at,
                }
                for bot_id, (instrument_id, held) in positions.items()
            ],
        )

    async def open_trips(self, bot_ids: Sequence[UUID]) -> dict[UUID, RoundTrip]:
        rows = await self._transaction.execute(
            select(t.round_trips).where(
                t.round_trips.c.bot_id.in_(list(bot_ids)), t.round_trips.c.status == "open"
            )
        )
        return {row["bot_id"]: to_round_trip(row) for row in rows.mappings()}

    async def save_trips(self, trips: Sequence[RoundTrip], platform: str, mode: TradingMode) -> None:
        self._transaction.stage(
            "round_trips",
            [
                {
                    **{name: getattr(trip, name) for name in _TRIP_FIELDS},
                    "origin": trip.origin.value,
                    "status": trip.status.value,
                    "user_id": self._user_id,
                    "platform": platform,
                    "mode": mode.value,
                }
                for trip in trips
            ],
        )

    async def known_fills(self, platform: str, account: str, trade_ids: Sequence[str]) -> set[str]:
        rows = await self._transaction.execute(
            select(t.fills.c.venue_trade_id).where(
                t.fills.c.platform == platform,
                t.fills.c.account == account,
                one_of(t.fills.c.venue_trade_id, trade_ids),
            )
        )
        return set(rows.scalars())

    async def insert_fills(self, fills: Sequence[NewFill]) -> None:
        self._transaction.stage("fills", [self._fill_row(new) for new in fills])

    def _fill_row(self, new: NewFill) -> dict[str, Any]:
        fill, rate = new.fill, new.rate
        return {
            "id": new.id,
            "user_id": self._user_id,
            "order_id": fill.order_id,
            "bot_id": new.bot_id,
            "round_trip_id": new.round_trip_id,
            "ledger_entry_id": new.ledger_entry_id,
            "platform": new.platform,
            "account": new.account,
            "venue_trade_id": fill.venue_trade_id,
            "instrument_id": new.instrument_id,
            "mode": new.mode.value,
            "side": fill.side.value,
            "quantity": fill.quantity,
            "price": fill.price,
            "notional": to_ledger(fill.notional),
            "fee_amount": to_ledger(fill.fee_amount),
            "fee_asset": fill.fee_asset,
            "liquidity": fill.liquidity.value,
            "gross_quote": new.realised.gross,
            "fees_quote": new.fees_quote,
            "realized_zar": new.realized_zar,
            "fees_zar": new.fees_zar,
            "zar_rate": rate.rate if rate else None,
            "zar_rate_source": rate.source if rate else None,
            "zar_rate_at": rate.at if rate else None,
            "origin": fill.origin.value,
            "executed_at": fill.executed_at,
            "recorded_at": new.recorded_at,
        }


def to_round_trip(row: RowMapping) -> RoundTrip:
    """Return the round trip of a row of ``round_trips``."""
    values = {name: row[name] for name in _TRIP_FIELDS}
    values["origin"] = Origin(row["origin"])
    values["status"] = RoundTripStatus(row["status"])
    return RoundTrip(**values)
