"""The system's one mode in PostgreSQL, which guards the way into live trading itself."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Forbidden
from amarktai.domain.mode import SystemMode
from amarktai.ports.modes import ModeRow
from amarktai.storage import tables as t

_REFUSED = "42501"


class PgModes:
    """Implements ports.modes.ModeStore."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def current(self, *, lock: bool = False) -> ModeRow:
        query = select(t.system_mode)
        if lock:
            query = query.with_for_update()
        row = (await self._connection.execute(query)).one()
        return ModeRow(SystemMode(row.mode), TradingMode(row.base), row.updated_at, row.updated_by)

    async def switch(self, row: ModeRow, readiness_id: UUID | None) -> None:
        values = {
            "mode": row.mode.value,
            "base": row.base.value,
            "readiness_id": readiness_id,
            "updated_at": row.updated_at,
            "updated_by": row.updated_by,
        }
        try:
            await self._connection.execute(update(t.system_mode).values(values))
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _REFUSED:
                raise
            reason = str(error.orig).splitlines()[0]
            raise Forbidden("LIVE_GATE", f"The database refuses: {reason}.", "Look at the checks.") from error
