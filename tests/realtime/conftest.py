"""A hub over the real outbox, fed by real transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from amarktai.domain.user import Role, User
from amarktai.ports.clock import to_datetime
from amarktai.ports.events import FeedChanged
from amarktai.ports.live import Frame
from amarktai.realtime.hub import Hub
from amarktai.realtime.relay import Relay
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.storage.outbox import PgOutbox
from amarktai.storage.users import PgUsers
from tests.fakes import HandClock

ADA = UUID("00000000-0000-7000-8000-00000000000a")
BO = UUID("00000000-0000-7000-8000-00000000000b")


@dataclass(eq=False)
class Listener:
    """A client that keeps what it is sent; ``backlog`` is what it claims not to have taken."""

    backlog: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    dropped: tuple[int, str] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, frame: Frame) -> int:
        self.messages.append(orjson.loads(frame.sse.split(b"\ndata: ", 1)[1]))
        self._news.set()
        return self.backlog

    def drop(self, code: int, reason: str) -> None:
        self.dropped = (code, reason)
        self._news.set()

    def seqs(self) -> list[int]:
        return [m["seq"] for m in self.messages if m["type"] == "feed_changed"]

    async def until(self, count: int) -> None:
        """Wait until this many messages came."""
        async with asyncio.timeout(20):
            while len(self.messages) < count:
                self._news.clear()
                await self._news.wait()


@dataclass
class Stage:
    """The hub under test and the database behind it."""

    hub: Hub
    database: Database
    clock: HandClock
    urls: DatabaseUrls

    async def emit(self, user_id: UUID, count: int = 1) -> None:
        """Commit events for a user, in one transaction."""
        payload = FeedChanged(message="m", platform="luno", state="live", origin="live")
        async with self.database.transaction(user_id) as connection:
            outbox = PgOutbox(connection, user_id)
            await outbox.emit([("feed_changed", payload)] * count, to_datetime(self.clock.now_ns()))

    async def forget(self, user_id: UUID, up_to: int) -> None:
        async with self.database.transaction(user_id) as connection:
            await connection.execute(text("DELETE FROM outbox WHERE seq <= :seq"), {"seq": up_to})


@pytest.fixture
async def stage(database_urls: DatabaseUrls) -> AsyncIterator[Stage]:
    clock = HandClock()
    database = Database(database_urls.app, pool_size=4)
    hub = Hub(PgEvents(database), clock=clock, dashboard_sha=lambda: "abc")
    relay = asyncio.create_task(Relay(database_urls.app, hub, clock=clock).run())
    for user_id, name in ((ADA, "ada"), (BO, "bo")):
        user = User(user_id, f"{name}@example.org", name, Role.TRADER, "UTC", to_datetime(clock.now_ns()))
        async with database.transaction(None) as connection:
            await PgUsers(connection).insert(user, "x")
    yield Stage(hub, database, clock, database_urls)
    relay.cancel()
    await hub.close()
    await database.close()
