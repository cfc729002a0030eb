"""Rollups and equity snapshots, written in the transaction of the fills they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.ledger.profit import ALL_DAYS, RollupDelta, RollupKey
from amarktai.ports.store import RollupTotals
from amarktai.storage import tables as t

_SUMS = ("profit_zar", "profit_quote", "fees_zar", "fills", "trades", "wins", "losses", "unvalued_fills")


class PgFigures:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def add(
        self, mode: TradingMode, deltas: Mapping[RollupKey, RollupDelta]
    ) -> dict[RollupKey, RollupTotals]:
        if not deltas:
            return {}
        statement, c = upsert(t.rollups), t.rollups.c
        rows = await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id", "mode", "scope", "scope_id", "day"],
                set_={name: c[name] + statement.excluded[name] for name in _SUMS},
            ).returning(c.scope, c.scope_id, c.day, c.profit_zar, c.fees_zar, c.trades),
            [
                {
                    "user_id": self._user_id,
                    "mode": mode.value,
                    "scope": key.scope,
                    "scope_id": key.scope_id,
                    "day": key.day,
                    **{name: getattr(delta, name) for name in _SUMS},
                }
                for key, delta in deltas.items()
            ],
        )
        return {
            RollupKey(row.scope, row.scope_id, row.day): RollupTotals(
                row.profit_zar, row.fees_zar, row.trades
            )
            for row in rows
        }

    async def lock_books(self) -> None:
        books = t.ledger_books.c
        await self._connection.execute(select(books.id).order_by(books.id).with_for_update())

    async def replace(self, mode: TradingMode, rollups: Mapping[RollupKey, RollupDelta]) -> None:
        await self._connection.execute(
            delete(t.rollups).where(t.rollups.c.user_id == self._user_id, t.rollups.c.mode == mode.value)
        )
        await self.add(mode, rollups)

    async def bot_profits(self, mode: TradingMode) -> dict[UUID, Decimal]:
        c = t.rollups.c
        rows = await self._connection.execute(
            select(c.scope_id, c.profit_zar).where(c.mode == mode.value, c.scope == "bot", c.day == ALL_DAYS)
        )
        return {UUID(hex=row.scope_id): row.profit_zar for row in rows}

    async def add_snapshots(self, snapshots: Sequence[Mapping[str, Any]]) -> None:
        if not snapshots:
            return
        await self._connection.execute(
            upsert(t.equity_snapshots).on_conflict_do_nothing(),
            [{"user_id": self._user_id, **snapshot} for snapshot in snapshots],
        )
