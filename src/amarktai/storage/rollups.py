"""Rollups and equity snapshots, written in the transaction of the fills they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.bot import TradingMode
from amarktai.ledger.profit import ALL_DAYS, RollupDelta, RollupKey
from amarktai.ports.store import RollupTotals
from amarktai.storage import tables as t
from amarktai.storage.staging import SUMS
from amarktai.storage.transaction import Transaction


class PgFigures:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def add(
        self, mode: TradingMode, deltas: Mapping[RollupKey, RollupDelta]
    ) -> dict[RollupKey, RollupTotals]:
        if not deltas:
            return {}
        self._transaction.stage(
            "rollups",
            [
                {
                    "user_id": self._user_id,
                    "mode": mode.value,
                    "scope": key.scope,
                    "scope_id": key.scope_id,
                    "day": key.day,
                    **{name: getattr(delta, name) for name in SUMS},
                }
                for key, delta in deltas.items()
            ],
        )
        return {
            RollupKey(row.scope, row.scope_id, row.day): RollupTotals(
                row.profit_zar, row.fees_zar, row.trades
            )
            for row in await self._transaction.flush()
        }

    async def lock_books(self) -> None:
        books = t.ledger_books.c
        await self._transaction.execute(select(books.id).order_by(books.id).with_for_update())

    async def replace(self, mode: TradingMode, rollups: Mapping[RollupKey, RollupDelta]) -> None:
        await self._transaction.execute(
            delete(t.rollups).where(t.rollups.c.user_id == self._user_id, t.rollups.c.mode == mode.value)
        )
        await self.add(mode, rollups)

    async def bot_profits(self, mode: TradingMode) -> dict[UUID, Decimal]:
        c = t.rollups.c
        rows = await self._transaction.execute(
            select(c.scope_id, c.profit_zar).where(c.mode == mode.value, c.scope == "bot", c.day == ALL_DAYS)
        )
        return {UUID(hex=row.scope_id): row.profit_zar for row in rows}

    async def add_snapshots(self, snapshots: Sequence[Mapping[str, Any]]) -> None:
        if not snapshots:
            return
        await self._transaction.execute(
            upsert(t.equity_snapshots).on_conflict_do_nothing(),
            [{"user_id": self._user_id, **snapshot} for snapshot in snapshots],
        )
