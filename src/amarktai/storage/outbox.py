"""The outbox: events with a per-user sequence, written in the transaction that caused them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from amarktai.ports.events import EVENTS, EventPayload
from amarktai.storage.transaction import Transaction

#: The channel on which a trigger of the table wakes the relay; the payload is the user's id.
CHANNEL = "amarktai_outbox"


class PgOutbox:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def emit(self, events: Sequence[tuple[str, EventPayload]], at: datetime) -> None:
        if not events:
            return
        for name, payload in events:
            if not isinstance(payload, EVENTS[name]):
                raise TypeError(f"event {name} carries {EVENTS[name].__name__}, not {type(payload).__name__}")
        waiting = self._transaction.waiting("outbox")
        self._transaction.stage(
            "outbox",
            [
                {
                    "user_id": self._user_id,
                    "seq": waiting + index,
                    "type": name,
                    "payload": payload.model_dump(mode="json"),
                    "created_at": at,
                }
                for index, (name, payload) in enumerate(events, start=1)
            ],
        )
