"""The read side on PostgreSQL: one transaction, every question. The side of ``ports.reports``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.instrument import Origin
from amarktai.domain.mode import SystemMode
from amarktai.ports.catalog import MarkRow
from amarktai.ports.reports import BotReads, FigureReads, LedgerReads, OrderReads, Setting, TradeReads
from amarktai.storage import tables as t
from amarktai.storage.bot_reports import PgBotReads
from amarktai.storage.database import Database
from amarktai.storage.figure_reports import PgFigureReads
from amarktai.storage.ledger_reports import PgLedgerReads
from amarktai.storage.order_reports import PgOrderReads
from amarktai.storage.trade_reports import PgTradeReads


class PgReports:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self.user_id = user_id
        self.trades: TradeReads = PgTradeReads(connection)
        self.orders: OrderReads = PgOrderReads(connection)
        self.ledger: LedgerReads = PgLedgerReads(connection)
        self.figures: FigureReads = PgFigureReads(connection)
        self.bots: BotReads = PgBotReads(connection)

    async def setting(self) -> Setting:
        both = t.users.join(t.system_mode, literal(value=True))
        query = select(t.system_mode.c.mode, t.users.c.timezone).select_from(both)
        query = query.where(t.users.c.id == self.user_id)
        row = (await self._connection.execute(query)).one()
        return Setting(SystemMode(row.mode), row.timezone)

    async def marks(self, instrument_ids: Sequence[str]) -> list[MarkRow]:
        if not instrument_ids:
            return []
        rows = await self._connection.execute(
            select(t.marks).where(t.marks.c.instrument_id.in_(list(instrument_ids)))
        )
        return [MarkRow(row.instrument_id, row.price, row.at, Origin(row.origin)) for row in rows]


class PgReporting:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def snapshot(self, user_id: UUID) -> AsyncIterator[PgReports]:
        async with self._database.snapshot(user_id) as connection:
            yield PgReports(connection, user_id)

    async def user_ids(self) -> list[UUID]:
        async with self._database.snapshot(None) as connection:
            return list((await connection.execute(select(t.users.c.id).order_by(t.users.c.id))).scalars())
