"""The outbox: events with a per-user sequence, written in the transaction that caused them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.ports.events import EVENTS, EventPayload
from amarktai.storage import tables as t

#: The channel on which a trigger of the table wakes the relay; the payload is the user's id.
CHANNEL = "amarktai_outbox"


class PgOutbox:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def emit(self, events: Sequence[tuple[str, EventPayload]], at: datetime) -> None:
        if not events:
            return
        for name, payload in events:
            if not isinstance(payload, EVENTS[name]):
                raise TypeError(f"event {name} carries {EVENTS[name].__name__}, not {type(payload).__name__}")
        head = upsert(t.outbox_heads).values(user_id=self._user_id, seq=len(events))
        last: int = (
            await self._connection.execute(
                head.on_conflict_do_update(
                    index_elements=["user_id"], set_={"seq": t.outbox_heads.c.seq + head.excluded.seq}
                ).returning(t.outbox_heads.c.seq)
            )
        ).scalar_one()
        first = last - len(events) + 1
        await self._connection.execute(
            insert(t.outbox),
            [
                {
                    "user_id": self._user_id,
                    "seq": first + index,
                    "type": name,
                    "payload": payload.model_dump(mode="json"),
                    "created_at": at,
                }
                for index, (name, payload) in enumerate(events)
            ],
        )
