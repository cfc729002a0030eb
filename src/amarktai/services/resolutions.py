"""A person ends an order that the machine cannot prove anything about (MANUAL)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from amarktai.domain.errors import Conflict, InvalidInput, NotFound
from amarktai.domain.order import DOUBTFUL
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.live_accounts import Resolution
from amarktai.ports.store import Store
from amarktai.services.audit import actor_of, fact_of

#: The machine has this long to prove what happened before a person may decide.
PATIENCE: Final = timedelta(minutes=2)
_NOTE_LENGTH: Final = 300


class Resolutions:
    """Writes what a person decided; the engine, which alone moves orders, carries it out."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def ask(self, who: Identity, order_id: UUID, note: str) -> None:
        """Let the engine take the order for ended. An execution that is reported later is booked still.

        Raises: NotFound; Conflict ORDER_NOT_IN_DOUBT or TOO_EARLY; InvalidInput without a note.
        """
        note, now = note.strip()[:_NOTE_LENGTH], to_datetime(self._clock.now_ns())
        if not note:
            raise InvalidInput(
                "VALIDATION_ERROR",
                "A note is needed",
                "Write what the exchange's own list says of the order.",
            )
        async with self._store.unit_of_work(who.user_id) as unit:
            stored = (await unit.orders.get_many([order_id])).get(order_id)
            if stored is None:
                raise NotFound("NOT_FOUND", "There is no such order", "Reload the Accounts screen.")
            if stored.order.state not in DOUBTFUL:
                raise Conflict(
                    "ORDER_NOT_IN_DOUBT", f"The order is {stored.order.state} by now", "Reload the screen."
                )
            if stored.deadline_at is not None and now < stored.deadline_at + PATIENCE:
                raise Conflict(
                    "TOO_EARLY",
                    "The platform is still asking the exchange about this order",
                    f"Try again at {stored.deadline_at + PATIENCE:%H:%M:%S} UTC, if it is still in doubt.",
                )
            by = actor_of(who)
            await unit.live_accounts.save_resolution(Resolution(order_id, note, now, by))
            fact = fact_of(
                who, "order.resolved", ("order", order_id), before={"state": stored.order.state}, reason=note
            )
            await unit.audit.append(fact, now)
