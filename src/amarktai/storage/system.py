"""The platform's own state in PostgreSQL: worker heartbeats, the market, the server itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.audit import AuditFact
from amarktai.ports.accounts import Heartbeat
from amarktai.storage import tables as t
from amarktai.storage.audit import PgAudit
from amarktai.storage.bots import ENGINE_CHANNEL
from amarktai.storage.database import Database

#: What the engine hears when the market was switched.
MARKET_NOTICE: Final = "market"
_MARKET: Final = "market"
_WAKE = text("SELECT pg_notify(:channel, :payload)")

_PING = text("SELECT 1")
_DATABASE = text("SELECT current_setting('server_version'), pg_database_size(current_database())")


class PgSystem:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> None:
        async with self._database.transaction(None) as connection:
            await connection.execute(_PING)

    async def heartbeats(self) -> list[Heartbeat]:
        beats = t.worker_heartbeats
        async with self._database.transaction(None) as connection:
            rows = (await connection.execute(select(beats).order_by(beats.c.role, beats.c.started_at))).all()
        return [Heartbeat(row.role, row.pid, row.started_at, row.beat_at, row.detail) for row in rows]

    async def beat(
        self, role: str, *, pid: int, started_at: datetime, at: datetime, detail: Mapping[str, Any]
    ) -> None:
        statement = upsert(t.worker_heartbeats).values(
            role=role, instance=str(pid), pid=pid, started_at=started_at, beat_at=at, detail=dict(detail)
        )
        names = ("pid", "started_at", "beat_at", "detail")
        async with self._database.transaction(None, durable=False) as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["role", "instance"],
                    set_={name: statement.excluded[name] for name in names},
                )
            )

    async def forget_old(self, before: datetime) -> None:
        async with self._database.transaction(None) as connection:
            await connection.execute(
                delete(t.worker_heartbeats).where(t.worker_heartbeats.c.beat_at < before)
            )

    async def market(self) -> str | None:
        """Return the market that an admin chose, or None when nobody did."""
        query = select(t.platform_settings.c.value).where(t.platform_settings.c.name == _MARKET)
        async with self._database.transaction(None) as connection:
            value = (await connection.execute(query)).scalar_one_or_none()
        return value if isinstance(value, str) else None

    async def choose_market(self, source: str, at: datetime, fact: AuditFact) -> None:
        statement = upsert(t.platform_settings).values(name=_MARKET, value=source, updated_at=at)
        async with self._database.transaction(None) as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"], set_={"value": source, "updated_at": at}
                )
            )
            await connection.execute(_WAKE, {"channel": ENGINE_CHANNEL, "payload": MARKET_NOTICE})
            await PgAudit(connection).append(fact, at)

    async def database(self) -> tuple[str, int]:
        async with self._database.transaction(None) as connection:
            version, size = (await connection.execute(_DATABASE)).one()
        return str(version), int(size)
