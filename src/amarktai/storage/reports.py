"""The read side on PostgreSQL: one transaction, every question. The side of ``ports.reports``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin
from amarktai.ports.catalog import MarkRow
from amarktai.ports.reports import BotReads, FigureReads, LedgerReads, OrderReads, Setting, TradeReads
from amarktai.storage import tables as t
from amarktai.storage.bot_reports import PgBotReads
from amarktai.storage.database import Database
from amarktai.storage.figure_reports import PgFigureReads
from amarktai.storage.ledger_reports import PgLedgerReads
from amarktai.storage.order_reports import PgOrderReads
from amarktai.storage.trade_reports import PgTradeReads

# Written out, as nearly every answer asks them.
_SETTING = text("SELECT m.base, u.timezone FROM system_mode m CROSS JOIN users u WHERE u.id = :user")
_MARKS = text("SELECT instrument_id, price, at, origin FROM marks WHERE instrument_id = ANY(:ids)")


class PgReports:
    def __init__(self, connection: AsyncConnection, user_id: UUID, setting: Setting | None = None) -> None:
        self._connection = connection
        self._setting = setting
        self.user_id = user_id
        self.trades: TradeReads = PgTradeReads(connection)
        self.orders: OrderReads = PgOrderReads(connection)
        self.ledger: LedgerReads = PgLedgerReads(connection)
        self.figures: FigureReads = PgFigureReads(connection)
        self.bots: BotReads = PgBotReads(connection)

    async def setting(self) -> Setting:
        if self._setting is None:
            row = (await self._connection.execute(_SETTING, {"user": self.user_id})).one()
            self._setting = Setting(TradingMode(row.base), row.timezone)
        return self._setting

    async def marks(self, instrument_ids: Sequence[str]) -> list[MarkRow]:
        if not instrument_ids:
            return []
        rows = await self._connection.execute(_MARKS, {"ids": list(instrument_ids)})
        return [MarkRow(row.instrument_id, row.price, row.at, Origin(row.origin)) for row in rows]


class PgReporting:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def snapshot(self, user_id: UUID) -> AsyncIterator[PgReports]:
        async with self._database.snapshot(user_id) as opened:
            if opened.timezone is None:
                raise NotFound("NOT_FOUND", f"There is no user {user_id}", "Sign in again.")
            setting = Setting(TradingMode(opened.base), opened.timezone)
            yield PgReports(opened.connection, user_id, setting)

    async def user_ids(self) -> list[UUID]:
        query = select(t.users.c.id).order_by(t.users.c.id)
        async with self._database.snapshot(None) as opened:
            return list((await opened.connection.execute(query)).scalars())
