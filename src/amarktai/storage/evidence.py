"""What the database says of one user's live trading, beside the engine.

Implements ports.evidence.Evidence.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Select, func, select

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderEvent, OrderState
from amarktai.ledger import chart
from amarktai.ports.evidence import StoredFill, StoredState
from amarktai.storage import tables as t
from amarktai.storage.database import Database


class PgEvidence:
    """``url`` is for a connection of its own: it sees what is committed, whoever else is at work."""

    def __init__(self, database: Database, user_id: UUID, url: str) -> None:
        self._database = database
        self._user_id = user_id
        self._witness = psycopg.connect(url, autocommit=True)
        self._witness.execute("SELECT set_config('app.tenant', %s, false)", [str(user_id)])

    def close(self) -> None:
        self._witness.close()

    def state_of(self, order_id: UUID) -> OrderState | None:
        row = self._witness.execute("SELECT state FROM orders WHERE id = %s", [order_id]).fetchone()
        return OrderState(row[0]) if row else None

    async def orders(self) -> dict[UUID, StoredState]:
        o = t.orders.c
        rows = await self._rows(
            select(o.id, o.state, o.platform, o.quantity, o.filled_quantity).where(
                o.mode == TradingMode.LIVE.value
            )
        )
        return {row[0]: StoredState(OrderState(row[1]), Platform(row[2]), row[3], row[4]) for row in rows}

    async def fills(self) -> dict[tuple[str, str], StoredFill]:
        f = t.fills.c
        rows = await self._rows(
            select(f.platform, f.venue_trade_id, f.order_id, f.quantity, f.price, f.fee_amount).where(
                f.mode == TradingMode.LIVE.value
            )
        )
        found: dict[tuple[str, str], StoredFill] = {}
        for platform, trade_id, *figures in rows:
            if (platform, trade_id) in found:
                raise ValueError(f"{platform} {trade_id}")
            found[platform, trade_id] = StoredFill(*figures)
        return found

    async def moves(self) -> Counter[tuple[OrderState, OrderEvent]]:
        e = t.order_events.c
        grouped = select(e.from_state, e.event, func.count()).group_by(e.from_state, e.event)
        return Counter(
            {(OrderState(row[0]), OrderEvent(row[1])): row[2] for row in await self._rows(grouped) if row[0]}
        )

    async def states_been(self) -> dict[UUID, set[OrderState]]:
        e = t.order_events.c
        been: dict[UUID, set[OrderState]] = {}
        for order_id, state in await self._rows(select(e.order_id, e.to_state).distinct()):
            been.setdefault(order_id, set()).add(OrderState(state))
        return been

    async def holdings(self) -> dict[tuple[Platform, str], Decimal]:
        b, k = t.ledger_balances.c, t.ledger_books.c
        bots = {
            chart.bot_holding(row[0]): Platform(row[1])
            for row in await self._rows(select(t.bots.c.id, t.bots.c.platform))
        }
        owners = bots | {chart.venue(platform): platform for platform in Platform}
        rows = await self._rows(
            select(b.account, b.asset, b.amount)
            .join(t.ledger_books, k.id == b.book_id)
            .where(k.mode == TradingMode.LIVE.value, b.account.in_(owners))
        )
        totals: dict[tuple[Platform, str], Decimal] = {}
        for account, asset, amount in rows:
            key = (owners[account], asset)
            totals[key] = totals.get(key, ZERO) + amount
        return totals

    async def digest(self) -> str:
        e, p = t.order_events.c, t.ledger_postings.c
        hashed = hashlib.sha256()
        for statement in (
            select(e.order_id, e.event, e.from_state, e.to_state, e.detail, e.at).order_by(e.id),
            select(t.ledger_entries.c.hash).order_by(t.ledger_entries.c.book_id, t.ledger_entries.c.seq),
            select(p.account, p.asset, func.sum(p.amount))
            .group_by(p.account, p.asset)
            .order_by(p.account, p.asset),
        ):
            for row in await self._rows(statement):
                hashed.update(repr(tuple(map(str, row))).encode())
        return hashed.hexdigest()

    async def _rows(self, statement: Select[Any]) -> list[Any]:
        async with self._database.transaction(self._user_id) as connection:
            return list((await connection.execute(statement)).all())
