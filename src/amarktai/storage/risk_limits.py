"""Risk limits in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.risk_limits import Limit, LimitKind, Scope
from amarktai.ports.ids import Ids
from amarktai.storage import tables as t

_l = t.risk_limits.c
_NOBODY: Final = "'00000000-0000-0000-0000-000000000000'"
#: As in the unique index.
_KEY: Final[list[Any]] = [
    text(f"coalesce(user_id, {_NOBODY})"), text(f"coalesce(bot_id, {_NOBODY})"), _l.kind
]  # fmt: skip


class PgRiskLimits:
    """Implements ports.risk.LimitStore."""

    def __init__(self, connection: AsyncConnection, ids: Ids) -> None:
        self._connection = connection
        self._ids = ids

    async def list(self) -> list[Limit]:
        query = select(t.risk_limits).order_by(_l.user_id.nulls_first(), _l.bot_id.nulls_first(), _l.kind)
        return [_limit_of(row) for row in (await self._connection.execute(query)).mappings()]

    async def put(self, limit: Limit, at: datetime, by: str) -> None:
        values = {
            "id": self._ids.new(),
            "user_id": limit.scope.user_id,
            "bot_id": limit.scope.bot_id,
            "kind": limit.kind.value,
            "amount": limit.amount,
            "names": list(limit.names) if limit.names is not None else None,
            "updated_at": at,
            "updated_by": by,
        }
        row = upsert(t.risk_limits).values(values)
        changed = {name: row.excluded[name] for name in ("amount", "names", "updated_at", "updated_by")}
        await self._connection.execute(row.on_conflict_do_update(index_elements=_KEY, set_=changed))

    async def remove(self, kind: LimitKind, scope: Scope) -> Limit | None:
        query = (
            delete(t.risk_limits)
            .where(_l.kind == kind.value, _is(_l.user_id, scope.user_id), _is(_l.bot_id, scope.bot_id))
            .returning(t.risk_limits)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _limit_of(row) if row else None


def _is(column: Any, value: UUID | None) -> Any:
    return column.is_(None) if value is None else column == value


def _limit_of(row: Mapping[Any, Any]) -> Limit:
    return Limit(
        LimitKind(row["kind"]),
        Scope(row["user_id"], row["bot_id"]),
        row["amount"],
        tuple(row["names"]) if row["names"] is not None else None,
    )
