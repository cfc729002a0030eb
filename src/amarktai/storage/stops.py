"""Emergency stops in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.stop import EmergencyStop, StopSource
from amarktai.storage import tables as t

_s = t.emergency_stops.c


class PgStops:
    def __init__(self, connection: AsyncConnection, user_id: UUID | None) -> None:
        self._connection = connection
        self._user_id = user_id

    async def active(self) -> list[EmergencyStop]:
        query = select(t.emergency_stops).where(_s.released_at.is_(None))
        rows = await self._connection.execute(query.order_by(_s.user_id.nulls_first()))
        return [_stop_of(row) for row in rows]

    async def history(self, limit: int) -> list[EmergencyStop]:
        query = select(t.emergency_stops).order_by(_s.engaged_at.desc(), _s.id).limit(limit)
        return [_stop_of(row) for row in await self._connection.execute(query)]

    async def engage(self, stop: EmergencyStop) -> bool:
        row = insert(t.emergency_stops).values(
            id=stop.id,
            user_id=stop.user_id,
            reason=stop.reason,
            source=stop.source.value,
            engaged_at=stop.engaged_at,
            engaged_by=stop.engaged_by,
        )
        written = row.on_conflict_do_nothing().returning(_s.id)
        return (await self._connection.execute(written)).scalar() is not None

    async def release(self, *, everybody: bool, by: str, at: datetime) -> EmergencyStop | None:
        scope = _s.user_id.is_(None) if everybody else _s.user_id == self._user_id
        query = (
            update(t.emergency_stops)
            .where(scope, _s.released_at.is_(None))
            .values(released_at=at, released_by=by)
            .returning(t.emergency_stops)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return _stop_of(row) if row else None


def _stop_of(row: Any) -> EmergencyStop:
    return EmergencyStop(
        id=row.id,
        user_id=row.user_id,
        reason=row.reason,
        source=StopSource(row.source),
        engaged_at=row.engaged_at,
        engaged_by=row.engaged_by,
        released_at=row.released_at,
        released_by=row.released_by,
    )
