"""Leases in PostgreSQL: one row each, changed by compare-and-set."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.errors import Conflict
from amarktai.ports.clock import to_datetime
from amarktai.ports.leases import Lease
from amarktai.storage import tables as t
from amarktai.storage.database import Database


class PgLeases:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, holder: str, now_ns: int, *, ttl_s: float) -> Lease:
        now = to_datetime(now_ns)
        until = now + timedelta(seconds=ttl_s)
        statement = upsert(t.leases).values(name=name, holder=holder, fencing_token=1, expires_at=until)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "holder": holder,
                "fencing_token": t.leases.c.fencing_token + 1,
                "expires_at": until,
            },
            where=t.leases.c.expires_at <= now,
        )
        async with self._database.transaction(None) as connection:
            taken = (await connection.execute(statement.returning(t.leases.c.fencing_token))).scalar()
            if taken is not None:
                return Lease(name, holder, taken)
            row = (await connection.execute(select(t.leases).where(t.leases.c.name == name))).one()
        raise Conflict(
            "LEASE_HELD",
            f"{row.holder} holds the lease {name!r} until {row.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            "Run one engine per database: stop the other one, or wait until its lease ends.",
        )

    async def renew(self, lease: Lease, now_ns: int, *, ttl_s: float) -> bool:
        until = to_datetime(now_ns) + timedelta(seconds=ttl_s)
        return await self._change(lease, until)

    async def give_up(self, lease: Lease) -> None:
        await self._change(lease, to_datetime(0))

    async def _change(self, lease: Lease, until: object) -> bool:
        async with self._database.transaction(None) as connection:
            done = await connection.execute(
                update(t.leases)
                .where(t.leases.c.name == lease.name, t.leases.c.fencing_token == lease.fencing_token)
                .values(expires_at=until)
            )
            return done.rowcount == 1
