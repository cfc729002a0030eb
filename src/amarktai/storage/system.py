"""The platform's own state in PostgreSQL: mode, worker heartbeats, the server itself."""

from __future__ import annotations

from sqlalchemy import select, text

from amarktai.ports.accounts import Heartbeat, ModeRow
from amarktai.storage import tables as t
from amarktai.storage.database import Database

_PING = text("SELECT 1")
_DATABASE = text("SELECT current_setting('server_version'), pg_database_size(current_database())")


class PgSystem:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> None:
        async with self._database.transaction(None) as connection:
            await connection.execute(_PING)

    async def mode(self) -> ModeRow:
        async with self._database.transaction(None) as connection:
            row = (await connection.execute(select(t.system_mode))).one()
        return ModeRow(row.mode, row.updated_at, row.updated_by)

    async def heartbeats(self) -> list[Heartbeat]:
        beats = t.worker_heartbeats
        async with self._database.transaction(None) as connection:
            rows = (await connection.execute(select(beats).order_by(beats.c.role, beats.c.started_at))).all()
        return [Heartbeat(row.role, row.pid, row.started_at, row.beat_at, row.detail) for row in rows]

    async def database(self) -> tuple[str, int]:
        async with self._database.transaction(None) as connection:
            version, size = (await connection.execute(_DATABASE)).one()
        return str(version), int(size)
