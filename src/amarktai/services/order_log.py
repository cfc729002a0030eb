"""An order's way in the logs: one trace id from the bar that it was decided on to its last fill.

The trace is the order's own id, which is its client order id at the exchange as well: whoever looks for it
finds the same order in our logs, our books and the exchange's. Real money is logged for every order, paper
where debug messages are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from amarktai.domain.bot import TradingMode
from amarktai.domain.order import Order
from amarktai.ports.store import NewOrder, OrderChange

log = structlog.get_logger(__name__)


class OrderLog:
    def __init__(self, mode: TradingMode) -> None:
        self._say = log.info if mode is TradingMode.LIVE else log.debug

    def claimed(self, rows: Iterable[NewOrder]) -> None:
        """Say of each intent what the gates made of it; ``decision`` names the bar, and what it led to."""
        for row in rows:
            order = row.order
            self._say(
                f"order {order.state}",
                trace=order.id.hex,
                bot=str(order.bot_id),
                decision=row.decision_key,
                instrument=order.instrument_id,
                side=order.side.value,
                type=order.type.value,
                quantity=f"{order.quantity:f}",
                reason=row.reject_reason or order.reason,
            )

    def leaves(self, order: Order) -> None:
        """Say that a create leaves now."""
        self._say("order leaves", trace=order.id.hex, instrument=order.instrument_id)

    def moved(self, changes: Iterable[OrderChange]) -> None:
        """Say what is in the books of each order now, move by move; a fill's detail is its quantity."""
        for change in changes:
            for event, _, state, detail in change.events:
                self._say(f"order {state}", trace=change.order.id.hex, by=event.value, detail=detail)
