"""Our own records of a user's orders, for exchanges that have no client order ids to find them by."""

from __future__ import annotations

from uuid import UUID

from amarktai.ports.exchange import OrderTerms
from amarktai.ports.store import Store


class OrderRecall:
    """Implements ports.exchange.Recall for one user's account."""

    def __init__(self, store: Store, user_id: UUID) -> None:
        self._store = store
        self._user_id = user_id

    async def __call__(self, order_id: UUID) -> OrderTerms | None:
        """Return what an order asked for, and by which name the exchange accepted it."""
        async with self._store.unit_of_work(self._user_id) as unit:
            stored = (await unit.orders.get_many([order_id])).get(order_id)
        if stored is None:
            return None
        order = stored.order
        return OrderTerms(order.side, order.quantity, order.venue_order_id)
