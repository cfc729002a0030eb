"""Orders and their append-only transitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, select

from amarktai.domain.bot import TradingMode
from amarktai.domain.order import TERMINAL, Order, OrderEvent, OrderState, OrderType, Side
from amarktai.ports.store import NewOrder, OrderChange, StoredOrder
from amarktai.storage import tables as t
from amarktai.storage.lists import one_of
from amarktai.storage.transaction import Transaction

_TERMINAL = sorted(state.value for state in TERMINAL)


class PgOrders:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def insert(self, orders: Sequence[NewOrder]) -> None:
        self._transaction.stage("orders", [_to_row(new) for new in orders])
        self._transaction.stage(
            "order_events",
            [
                self._event_row(
                    new.order,
                    OrderEvent.CLAIM if new.order.state is OrderState.SENDING else OrderEvent.DENY,
                    OrderState.PLANNED,
                    new.order.state,
                    new.reject_reason or new.order.reason,
                    new.created_at,
                )
                for new in orders
            ],
        )

    async def claimed(self, bot_ids: Sequence[UUID], decision_keys: Sequence[str]) -> set[tuple[UUID, str]]:
        rows = await self._transaction.execute(
            select(t.orders.c.bot_id, t.orders.c.decision_key).where(
                one_of(t.orders.c.bot_id, bot_ids), one_of(t.orders.c.decision_key, decision_keys)
            )
        )
        return {(row.bot_id, row.decision_key) for row in rows}

    async def change(self, changes: Sequence[OrderChange]) -> None:
        if self._transaction.waiting("orders"):
            await self._transaction.flush()  # one statement cannot insert a row and change it
        self._transaction.stage(
            "order_changes",
            [
                {
                    "id": change.order.id,
                    "state": change.order.state.value,
                    "filled_quantity": change.order.filled_quantity,
                    "filled_notional": change.filled_notional,
                    "reserved_amount": change.order.reserved_amount,
                    "venue_order_id": change.order.venue_order_id,
                    "reject_reason": change.reject_reason,
                    "updated_at": change.at,
                    "closed_at": change.closed_at,
                }
                for change in changes
            ],
        )
        self._transaction.stage(
            "order_events",
            [
                self._event_row(change.order, event, before, after, detail, change.at)
                for change in changes
                for event, before, after, detail in change.events
            ],
        )

    def _event_row(
        self,
        order: Order,
        event: OrderEvent,
        before: OrderState,
        after: OrderState,
        detail: str,
        at: datetime,
    ) -> dict[str, object]:
        return {
            "order_id": order.id,
            "user_id": self._user_id,
            "event": event.value,
            "from_state": before.value,
            "to_state": after.value,
            "detail": detail,
            "at": at,
        }

    async def get_many(self, order_ids: Sequence[UUID]) -> dict[UUID, StoredOrder]:
        rows = await self._transaction.execute(select(t.orders).where(one_of(t.orders.c.id, order_ids)))
        return {row["id"]: to_stored_order(row) for row in rows.mappings()}

    async def working(self, bot_ids: Sequence[UUID] | None = None) -> list[StoredOrder]:
        query = select(t.orders).where(t.orders.c.state.not_in(_TERMINAL)).order_by(t.orders.c.id)
        if bot_ids is not None:
            query = query.where(one_of(t.orders.c.bot_id, bot_ids))
        return [to_stored_order(row) for row in (await self._transaction.execute(query)).mappings()]


def _to_row(new: NewOrder) -> dict[str, object]:
    order = new.order
    return {
        "id": order.id,
        "user_id": order.user_id,
        "book_id": order.book_id,
        "bot_id": order.bot_id,
        "instrument_id": order.instrument_id,
        "platform": new.platform,
        "account": new.account,
        "mode": new.mode.value,
        "decision_key": new.decision_key,
        "tag": order.tag,
        "side": order.side.value,
        "type": order.type.value,
        "quantity": order.quantity,
        "price": order.price,
        "stop_price": order.stop_price,
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
        "oco_group": order.oco_group,
        "reason": order.reason,
        "state": order.state.value,
        "filled_quantity": order.filled_quantity,
        "filled_notional": 0,
        "reserved_asset": order.reserved_asset,
        "reserved_amount": order.reserved_amount,
        "venue_order_id": order.venue_order_id,
        "reject_reason": new.reject_reason,
        "created_at": new.created_at,
        "updated_at": new.created_at,
        "closed_at": new.created_at if order.state in TERMINAL else None,
        "deadline_at": new.deadline_at,
    }


def to_stored_order(row: RowMapping) -> StoredOrder:
    """Return the order of a row of ``orders``."""
    return StoredOrder(
        Order(
            id=row["id"],
            user_id=row["user_id"],
            book_id=row["book_id"],
            bot_id=row["bot_id"],
            instrument_id=row["instrument_id"],
            tag=row["tag"],
            side=Side(row["side"]),
            type=OrderType(row["type"]),
            quantity=row["quantity"],
            price=row["price"],
            stop_price=row["stop_price"],
            post_only=row["post_only"],
            reduce_only=row["reduce_only"],
            oco_group=row["oco_group"],
            reason=row["reason"],
            state=OrderState(row["state"]),
            filled_quantity=row["filled_quantity"],
            reserved_asset=row["reserved_asset"],
            reserved_amount=row["reserved_amount"],
            venue_order_id=row["venue_order_id"],
        ),
        row["platform"],
        row["account"],
        TradingMode(row["mode"]),
        row["filled_notional"],
        row["deadline_at"],
    )
