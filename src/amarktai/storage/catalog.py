"""Instruments, marks and feed health: shared by all users, so not behind row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.ports.catalog import FeedRow, ListedInstrument, MarkRow
from amarktai.ports.feed import FeedState
from amarktai.storage import tables as t
from amarktai.storage.database import Database


def _replace(table: Table, key: str) -> Insert:
    statement = upsert(table)
    columns = {column.name: statement.excluded[column.name] for column in table.c if column.name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=columns)


class PgCatalog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def instruments(self, platform: Platform | None = None) -> list[ListedInstrument]:
        query = select(t.instruments).where(t.instruments.c.is_active).order_by(t.instruments.c.id)
        if platform is not None:
            query = query.where(t.instruments.c.platform == platform.value)
        async with self._database.transaction(None) as connection:
            return [_to_listed(row) for row in await connection.execute(query)]

    async def put_instruments(self, instruments: Sequence[Instrument], origin: Origin, at: datetime) -> None:
        rows = [_to_row(instrument, origin, at) for instrument in instruments]
        c = t.instruments.c
        others = update(t.instruments).where(c.id.not_in([row["id"] for row in rows])).values(is_active=False)
        async with self._database.transaction(None) as connection:
            await connection.execute(others)
        await self._write(_replace(t.instruments, "id"), rows)

    async def marks(self) -> dict[str, MarkRow]:
        async with self._database.transaction(None) as connection:
            rows = await connection.execute(select(t.marks))
            return {
                row.instrument_id: MarkRow(row.instrument_id, row.price, row.at, Origin(row.origin))
                for row in rows
            }

    async def put_marks(self, marks: Sequence[MarkRow]) -> None:
        rows = [
            {"instrument_id": m.instrument_id, "price": m.price, "at": m.at, "origin": m.origin.value}
            for m in marks
        ]
        await self._write(_replace(t.marks, "instrument_id"), rows)

    async def feeds(self) -> list[FeedRow]:
        async with self._database.transaction(None) as connection:
            rows = await connection.execute(select(t.feeds).order_by(t.feeds.c.platform))
            return [
                FeedRow(
                    Platform(row.platform), Origin(row.origin), FeedState(row.state), row.message,
                    row.last_received_at, row.retry_at, row.instrument_count,
                )
                for row in rows
            ]  # fmt: skip

    async def put_feed(self, feed: FeedRow, at: datetime) -> None:
        row = {
            "platform": feed.platform.value,
            "origin": feed.origin.value,
            "state": feed.state.value,
            "message": feed.message,
            "last_received_at": feed.last_received_at,
            "retry_at": feed.retry_at,
            "instrument_count": feed.instrument_count,
            "updated_at": at,
        }
        await self._write(_replace(t.feeds, "platform"), [row])

    async def _write(self, statement: Insert, rows: list[dict[str, Any]]) -> None:
        if rows:
            async with self._database.transaction(None, durable=False) as connection:
                await connection.execute(statement, rows)


def _to_listed(row: Any) -> ListedInstrument:
    instrument = Instrument(
        Platform(row.platform), row.base, row.quote, row.tick_size.normalize(), row.lot_size.normalize(),
        row.min_quantity.normalize(), row.min_notional.normalize(),
        Fees(row.maker_fee.normalize(), row.taker_fee.normalize(), row.fee_source, row.cushion.normalize()),
    )  # fmt: skip
    return ListedInstrument(instrument, Origin(row.origin))


def _to_row(instrument: Instrument, origin: Origin, at: datetime) -> dict[str, Any]:
    return {
        "id": instrument.id,
        "platform": instrument.venue.value,
        "base": instrument.base,
        "quote": instrument.quote,
        "tick_size": instrument.tick_size,
        "lot_size": instrument.lot_size,
        "min_quantity": instrument.min_quantity,
        "min_notional": instrument.min_notional,
        "maker_fee": instrument.fees.maker,
        "taker_fee": instrument.fees.taker,
        "fee_source": instrument.fees.source,
        "cushion": instrument.fees.cushion,
        "origin": origin.value,
        "is_active": True,
        "updated_at": at,
    }
