"""Counts over a user's whole database: what a replay ends with."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from amarktai.ports.tallies import Tally
from amarktai.storage import tables as t
from amarktai.storage.database import Database


class PgTallies:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tally(self, user_id: UUID) -> Tally:
        async with self._database.transaction(user_id) as connection:
            states = await connection.execute(
                select(t.orders.c.state, func.count()).group_by(t.orders.c.state).order_by(t.orders.c.state)
            )
            f = t.fills.c
            fills = (
                await connection.execute(
                    select(
                        func.count(),
                        func.coalesce(func.sum(f.realized_zar), 0),
                        func.coalesce(func.sum(f.fees_zar), 0),
                        func.count().filter(f.fees_zar.is_(None)),
                    )
                )
            ).one()
            trips = await connection.execute(select(func.count()).where(t.round_trips.c.status == "closed"))
            p = t.ledger_postings.c
            total = func.sum(p.amount)
            imbalance = await connection.execute(select(p.asset, total).group_by(p.asset).having(total != 0))
            head = await connection.execute(select(t.ledger_books.c.head_hash))
            return Tally(
                orders={row[0]: row[1] for row in states},
                fills=fills[0],
                round_trips=trips.scalar_one(),
                realized_zar=fills[1],
                fees_zar=fills[2],
                unvalued_fills=fills[3],
                imbalance={row[0]: row[1] for row in imbalance},
                head_hash=(head.scalar() or b"").hex(),
            )
