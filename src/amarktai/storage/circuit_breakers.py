"""Circuit breakers in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import RULE, Trip
from amarktai.domain.risk_limits import LimitKind, Scope
from amarktai.ports.risk import BreakerState
from amarktai.storage import tables as t

_b = t.circuit_breakers.c


class PgBreakers:
    """Implements ports.risk.BreakerStore."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def state(self, mode: TradingMode) -> BreakerState:
        tripped = select(t.circuit_breakers).where(_b.mode == mode.value, _b.reset_at.is_(None))
        resets = (
            select(_b.user_id, _b.bot_id, _b.kind, func.max(_b.reset_at).label("at"))
            .where(_b.mode == mode.value, _b.reset_at.is_not(None), _b.reset_by != RULE)
            .group_by(_b.user_id, _b.bot_id, _b.kind)
        )
        trips = await self._connection.execute(tripped.order_by(_b.tripped_at, _b.id))
        return BreakerState(
            [_trip_of(row) for row in trips.mappings()],
            {
                (Scope(row.user_id, row.bot_id), LimitKind(row.kind)): row.at
                for row in await self._connection.execute(resets)
            },
        )

    async def trip(self, trip: Trip) -> bool:
        # What a rule has reset meanwhile is over: it must not stand in the way of a new trip.
        over = (
            update(t.circuit_breakers)
            .where(_b.reset_at.is_(None), _b.resets_at <= trip.tripped_at)
            .values(reset_at=_b.resets_at, reset_by=RULE, reset_reason="The next day has begun.")
        )
        await self._connection.execute(over)
        row = insert(t.circuit_breakers).values(
            id=trip.id,
            user_id=trip.scope.user_id,
            bot_id=trip.scope.bot_id,
            mode=trip.mode.value,
            kind=trip.kind.value,
            threshold=trip.threshold,
            figure=trip.figure,
            reason=trip.reason,
            tripped_at=trip.tripped_at,
            resets_at=trip.resets_at,
        )
        written = row.on_conflict_do_nothing().returning(_b.id)
        return (await self._connection.execute(written)).scalar() is not None

    async def reset(self, trip_id: UUID, at: datetime, by: str, reason: str) -> Trip | None:
        query = (
            update(t.circuit_breakers)
            .where(_b.id == trip_id, _b.reset_at.is_(None))
            .values(reset_at=at, reset_by=by, reset_reason=reason)
            .returning(t.circuit_breakers)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _trip_of(row) if row else None

    async def get(self, trip_id: UUID) -> Trip | None:
        query = select(t.circuit_breakers).where(_b.id == trip_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _trip_of(row) if row else None

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> list[Trip]:
        query = select(t.circuit_breakers).order_by(_b.tripped_at.desc(), _b.id.desc()).limit(limit)
        if after is not None:
            query = query.where(tuple_(_b.tripped_at, _b.id) < tuple_(*after))
        return [_trip_of(row) for row in (await self._connection.execute(query)).mappings()]

    async def untold(self) -> list[Trip]:
        query = select(t.circuit_breakers).where(_b.told_at.is_(None)).order_by(_b.tripped_at, _b.id)
        return [_trip_of(row) for row in (await self._connection.execute(query)).mappings()]

    async def mark_told(self, trip_id: UUID, at: datetime) -> None:
        await self._connection.execute(update(t.circuit_breakers).where(_b.id == trip_id).values(told_at=at))


def _trip_of(row: Mapping[Any, Any]) -> Trip:
    return Trip(
        id=row["id"],
        scope=Scope(row["user_id"], row["bot_id"]),
        mode=TradingMode(row["mode"]),
        kind=LimitKind(row["kind"]),
        threshold=row["threshold"],
        figure=row["figure"],
        reason=row["reason"],
        tripped_at=row["tripped_at"],
        resets_at=row["resets_at"],
        reset_at=row["reset_at"],
        reset_by=row["reset_by"],
        reset_reason=row["reset_reason"],
    )
