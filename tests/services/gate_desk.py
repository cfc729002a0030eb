"""A platform for which every check of the live gate is met, and what spoils each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Platform
from amarktai.domain.readiness import REHEARSED_HOURS, ROLES, Report
from amarktai.domain.risk_limits import EVERYBODY, NEEDED_FOR_LIVE, Limit
from amarktai.domain.stop import EmergencyStop, StopSource
from amarktai.domain.user import Identity, Role
from amarktai.ports.clock import to_datetime
from amarktai.ports.live_accounts import AccountStatus, Condition
from amarktai.ports.readiness import AUDIT_NOTE, BACKUP_NOTE, REHEARSAL_NOTE
from amarktai.services.modes import Gate, Modes
from amarktai.services.readiness import Readiness
from amarktai.services.system import LIVE, System
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.system import PgSystem
from tests.trading import World, trading

BUILD = "abc123"


@dataclass
class HandMachine:
    """A machine that answers as the test says."""

    build: str = BUILD
    free: int = 50 * 1024**3
    server: str | None = None
    realtime: str | None = None
    stop: str | None = None
    stand_ins: tuple[str, ...] = ()

    async def disk(self) -> tuple[int, int]:
        return self.free, 100 * 1024**3

    async def ask_server(self) -> None:
        self._answer(self.server)

    async def ask_realtime(self) -> None:
        self._answer(self.realtime)

    def stop_file(self) -> str | None:
        return self.stop

    @staticmethod
    def _answer(problem: str | None) -> None:
        if problem is not None:
            raise Unavailable("SERVER_DOWN", problem, "Start it.")


class HandReports(PgReadiness):
    """The real store with a database whose clock the test sets."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database)
        self._world = world
        self.ahead = timedelta(0)

    async def clock(self) -> datetime:
        return to_datetime(self._world.clock.now_ns()) + self.ahead


@dataclass
class GateDesk:
    world: World
    admin: Identity
    machine: HandMachine
    reports: HandReports
    proofs: list[Identity] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.system = PgSystem(self.world.database)
        asked = System(self.system, clock=self.world.clock, market=LIVE)
        self.readiness = Readiness(self.reports, self.system, asked, self.machine, self.world.clock)
        gate = Gate(self.readiness, self.reports, self.proofs.append)
        self.modes = Modes(self.world.store, gate, self.world.clock, self.world.ids)

    async def report(self) -> Report:
        return await self.readiness.report()

    async def beat(
        self, role: str, *, errors: int = 0, faults: int = 0, ago: timedelta = timedelta(0)
    ) -> None:
        at, detail = self.world.now - ago, {"errors": {"x": errors} if errors else {}, "faults": faults}
        await self.system.beat(role, pid=7, started_at=at - timedelta(hours=1), at=at, detail=detail)

    async def status(self, condition: Condition = Condition.ACTIVE, *, ago: float = 10.0) -> None:
        at = self.world.now
        status = AccountStatus(Platform.LUNO, condition, f"It is {condition}.", at, at, at)
        seen = replace(status, reconciled_at=at - timedelta(seconds=ago))
        async with self.world.store.unit_of_work(self.admin.user_id) as unit:
            await unit.live_accounts.save_status(seen)

    def key(self, outcome: str | None, provider: str = "luno", verdict: str = "{}") -> None:
        """Save a key that nobody can decrypt, as its last test left it; without an outcome, untested."""
        with psycopg.connect(self.world.urls.app) as connection:
            connection.execute("SELECT set_config('app.tenant', %s, false)", [str(self.admin.user_id)])
            connection.execute(
                "INSERT INTO api_keys (user_id, provider, version, kek_id, wrapped_key, ciphertext, hint,"
                " fingerprint, created_at, updated_at, last_outcome, last_test)"
                " VALUES (%s, %s, %s, 'k', 'x', 'x', '1234', 'print', %s, %s, %s, %s)"
                " ON CONFLICT (user_id, provider) DO UPDATE SET last_outcome = excluded.last_outcome,"
                " last_test = excluded.last_test",
                [
                    self.admin.user_id,
                    provider,
                    self.world.ids.new(),
                    self.world.now,
                    self.world.now,
                    outcome,
                    verdict,
                ],
            )

    async def note(self, name: str, **facts: object) -> None:
        await self.reports.put_note(name, facts, self.world.now)

    async def audited(self, difference: str | None = None, ago: timedelta = timedelta(0)) -> None:
        at = (self.world.now - ago).isoformat()
        await self.note(AUDIT_NOTE, checked_at=at, first_difference=difference)

    async def backed_up(self, ago: timedelta = timedelta(0)) -> None:
        await self.note(BACKUP_NOTE, made_at=(self.world.now - ago).isoformat())

    async def rehearsed(self, build: str = BUILD, hours: float = REHEARSED_HOURS) -> None:
        await self.note(REHEARSAL_NOTE, passed_at=self.world.now.isoformat(), build=build, hours=hours)

    async def stop_all(self) -> None:
        stop = EmergencyStop(self.world.ids.new(), None, "smoke", StopSource.API, self.world.now, "ada")
        async with self.world.store.unit_of_work(self.admin.user_id) as unit:
            await unit.stops.engage(stop)

    async def limit(self) -> None:
        async with self.world.store.unit_of_work(self.admin.user_id) as unit:
            for kind in NEEDED_FOR_LIVE:
                await unit.limits.put(Limit(kind, EVERYBODY, Decimal(100)), self.world.now, "ada")

    async def lift_a_limit(self) -> None:
        async with self.world.store.unit_of_work(self.admin.user_id) as unit:
            await unit.limits.remove(NEEDED_FOR_LIVE[0], EVERYBODY)

    async def make_ready(self) -> None:
        for role in ROLES:
            await self.beat(role)
        await self.status()
        self.key("works")
        await self.audited()
        await self.backed_up()
        await self.rehearsed()
        await self.limit()


@asynccontextmanager
async def gate_desk(urls: DatabaseUrls) -> AsyncIterator[GateDesk]:
    """Open a platform with an admin at a browser, ready for live trading."""
    async with trading(urls) as world:
        who = world.add_user()
        admin = Identity(replace(who.user, role=Role.ADMIN), who.scopes, session_id=world.ids.new())
        desk = GateDesk(world, admin, HandMachine(), HandReports(world))
        await desk.make_ready()
        yield desk
