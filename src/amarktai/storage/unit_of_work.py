"""One transaction with its stores. The PostgreSQL side of ``ports.store``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select

from amarktai.ports.clock import Clock
from amarktai.ports.ids import Ids
from amarktai.storage import tables as t
from amarktai.storage.audit import PgAudit
from amarktai.storage.bots import PgBots
from amarktai.storage.circuit_breakers import PgBreakers
from amarktai.storage.database import Database
from amarktai.storage.keys import PgVenueAccounts
from amarktai.storage.ledger import PgLedger
from amarktai.storage.live_accounts import PgLiveAccounts
from amarktai.storage.modes import PgModes
from amarktai.storage.orders import PgOrders
from amarktai.storage.outbox import PgOutbox
from amarktai.storage.reports import PgReports
from amarktai.storage.risk_figures import PgRiskFigures
from amarktai.storage.risk_limits import PgRiskLimits
from amarktai.storage.rollups import PgFigures
from amarktai.storage.stops import PgStops
from amarktai.storage.trades import PgTrades
from amarktai.storage.transaction import Transaction


class PgUnitOfWork:
    def __init__(self, transaction: Transaction, user_id: UUID, ids: Ids, clock: Clock) -> None:
        self._transaction = transaction
        self.user_id = user_id
        self.bots = PgBots(transaction, user_id)
        self.orders = PgOrders(transaction, user_id)
        self.ledger = PgLedger(transaction, user_id, ids, clock)
        self.trades = PgTrades(transaction, user_id)
        self.figures = PgFigures(transaction, user_id)
        self.outbox = PgOutbox(transaction, user_id)
        self.audit = PgAudit(transaction)
        self.venue_accounts = PgVenueAccounts(transaction, user_id)
        self.live_accounts = PgLiveAccounts(transaction, user_id)
        self.stops = PgStops(transaction, user_id)
        self.modes = PgModes(transaction)
        self.limits = PgRiskLimits(transaction, ids)
        self.breakers = PgBreakers(transaction)
        self.risk_figures = PgRiskFigures(transaction)
        self.reports = PgReports(transaction, user_id)

    async def user_timezone(self) -> str:
        query = select(t.users.c.timezone).where(t.users.c.id == self.user_id)
        timezone: str = (await self._transaction.execute(query)).scalar_one()
        return timezone


class PgStore:
    def __init__(self, database: Database, ids: Ids, clock: Clock) -> None:
        self._database = database
        self._ids = ids
        self._clock = clock

    async def user_ids(self) -> list[UUID]:
        query = select(t.users.c.id).where(t.users.c.is_active).order_by(t.users.c.id)
        async with self._database.transaction(None) as connection:
            return list((await connection.execute(query)).scalars())

    @asynccontextmanager
    async def unit_of_work(self, user_id: UUID, *, durable: bool = True) -> AsyncIterator[PgUnitOfWork]:
        async with self._database.transaction(user_id, durable=durable) as transaction:
            yield PgUnitOfWork(transaction, user_id, self._ids, self._clock)

    @asynccontextmanager
    async def snapshot(self, user_id: UUID) -> AsyncIterator[PgUnitOfWork]:
        async with self._database.snapshot(user_id) as opened:
            yield PgUnitOfWork(opened.connection, user_id, self._ids, self._clock)
