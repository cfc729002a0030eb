"""Lists of orders, their events, and what the audit asks of reservations."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    String,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.errors import NotFound
from amarktai.domain.order import TERMINAL, OrderState
from amarktai.ports.reports import OrderEventRow, OrderFilter, OrderRow
from amarktai.storage import tables as t
from amarktai.storage.bots import to_bot
from amarktai.storage.orders import to_stored_order

#: As in the partial index of working orders, word for word: only so can a prepared plan use it.
_IS_TERMINAL: ColumnElement[bool] = literal_column(
    "orders.state in ('denied','abandoned','filled','rejected','not_placed','canceled','expired','manual')"
)
_IS_WORKING: ColumnElement[bool] = literal_column(
    "orders.state not in"
    " ('denied','abandoned','filled','rejected','not_placed','canceled','expired','manual')"
)
_orders, _bots = t.orders, t.bots


class PgOrderReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self, wanted: OrderFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[OrderRow]:
        query = _orders_with_bots()
        if wanted.bot_id is not None:
            query = query.where(_orders.c.bot_id == wanted.bot_id)
        if wanted.state is not None:
            query = query.where(_orders.c.state == wanted.state)
        if wanted.is_open is not None:
            query = query.where(_IS_WORKING if wanted.is_open else _IS_TERMINAL)
        if after is not None:
            place = tuple_(_orders.c.created_at, _orders.c.id)
            query = query.where(place < tuple_(literal(after[0]), literal(after[1])))
        query = query.order_by(_orders.c.created_at.desc(), _orders.c.id.desc()).limit(limit)
        return [_to_order_row(row) for row in (await self._connection.execute(query)).mappings()]

    async def get(self, order_id: UUID) -> OrderRow:
        query = _orders_with_bots().where(_orders.c.id == order_id)
        row = (await self._connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("NOT_FOUND", f"There is no order {order_id}", "Reload the list of orders.")
        return _to_order_row(row)

    async def events(self, order_id: UUID) -> list[OrderEventRow]:
        c = t.order_events.c
        query = select(c.at, c.event, c.from_state, c.to_state, c.detail).where(c.order_id == order_id)
        return [OrderEventRow(*row) for row in await self._connection.execute(query.order_by(c.id))]

    async def misfilled(self) -> tuple[UUID, Decimal, Decimal] | None:
        c = _orders.c
        booked = (
            select(t.fills.c.order_id, func.sum(t.fills.c.quantity).label("quantity"))
            .group_by(t.fills.c.order_id)
            .subquery()
        )
        total = func.coalesce(booked.c.quantity, 0)
        query = (
            select(c.id, total, c.filled_quantity)
            .select_from(_orders.outerjoin(booked, booked.c.order_id == c.id))
            .where(total != c.filled_quantity)
            .order_by(c.id)
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return (row[0], row[1], row[2]) if row else None

    async def unreleased(self) -> tuple[UUID, OrderState, Decimal] | None:
        c = _orders.c
        query = select(c.id, c.state, c.reserved_amount).where(
            c.reserved_amount > 0, c.state.in_(sorted(state.value for state in TERMINAL))
        )
        row = (await self._connection.execute(query.order_by(c.id).limit(1))).first()
        return (row.id, OrderState(row.state), row.reserved_amount) if row else None

    async def overspent(self) -> tuple[UUID, str, Decimal, Decimal] | None:
        """Compare what working orders reserve with what the ledger says the bot holds.

        Orders of one one-cancels-other group reserve once: only one of them can fill.
        """
        group = func.coalesce(_orders.c.oco_group, cast(_orders.c.id, String))
        per_group = (
            select(
                _orders.c.book_id,
                _orders.c.bot_id,
                _orders.c.reserved_asset.label("asset"),
                func.max(_orders.c.reserved_amount).label("reserved"),
            )
            .where(_IS_WORKING)
            .group_by(_orders.c.book_id, _orders.c.bot_id, _orders.c.reserved_asset, group)
            .subquery()
        )
        reserved = (
            select(
                per_group.c.book_id,
                per_group.c.bot_id,
                per_group.c.asset,
                func.sum(per_group.c.reserved).label("reserved"),
            )
            .group_by(per_group.c.book_id, per_group.c.bot_id, per_group.c.asset)
            .subquery()
        )
        held = t.ledger_balances
        account = func.concat("holding:bot:", func.replace(cast(reserved.c.bot_id, String), "-", ""))
        query = (
            select(reserved.c.bot_id, reserved.c.asset, reserved.c.reserved, func.coalesce(held.c.amount, 0))
            .select_from(
                reserved.outerjoin(
                    held,
                    (held.c.book_id == reserved.c.book_id)
                    & (held.c.account == account)
                    & (held.c.asset == reserved.c.asset),
                )
            )
            .where(reserved.c.reserved > func.coalesce(held.c.amount, 0))
            .order_by(reserved.c.bot_id)
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return (row[0], row[1], row[2], row[3]) if row else None


def _orders_with_bots() -> Select[Any]:
    bot = [column.label(f"bot__{column.name}") for column in _bots.c]
    return select(*_orders.c, *bot).join(_bots, _bots.c.id == _orders.c.bot_id)


def _to_order_row(row: RowMapping) -> OrderRow:
    bot: Any = {column.name: row[f"bot__{column.name}"] for column in _bots.c}
    return OrderRow(
        to_stored_order(row), to_bot(bot), row["reject_reason"],
        row["created_at"], row["updated_at"], row["closed_at"],
    )  # fmt: skip
