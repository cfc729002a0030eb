"""PostgreSQL killed under load: nothing that was acknowledged is lost, and work goes on by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest

from amarktai.domain.errors import Unavailable
from amarktai.ports.clock import to_datetime
from amarktai.ports.events import FeedChanged
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.migrate import migrate
from amarktai.storage.outbox import PgOutbox
from tests.fakes import HandClock, SeededRng

WRITERS = 4
USERS = [UUID(f"00000000-0000-7000-8000-{number:012d}") for number in range(WRITERS)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path_factory.mktemp("crash"), SeededRng())  # durable, as in production
    urls = made.start()
    migrate(urls.owner)
    with psycopg.connect(urls.app) as connection:
        for user_id in USERS:
            connection.execute(
                "INSERT INTO users (id, email, name, password_hash, role, timezone, created_at)"
                " VALUES (%s, %s, 'A', 'x', 'trader', 'UTC', now())",
                [user_id, f"{user_id}@example.org"],
            )
    yield made
    made.stop()


async def _write(database: Database, user_id: UUID, acknowledged: list[int], stop: asyncio.Event) -> None:
    """Commit one event after another; remember each that was acknowledged, wait out what was not."""
    clock = HandClock()
    payload = FeedChanged(message="m", platform="luno", state="live", origin="live")
    while not stop.is_set():
        try:
            async with database.transaction(user_id) as connection:
                await PgOutbox(connection, user_id).emit(
                    [("feed_changed", payload)], to_datetime(clock.now_ns())
                )
                seq = (await connection.exec_driver_sql("SELECT seq FROM outbox_heads")).scalar_one()
        except Unavailable:
            await asyncio.sleep(0.05)
            continue
        acknowledged.append(seq)


def _kill(server: EmbeddedPostgres) -> None:
    """Kill the server and every one of its processes, as a crash of the machine's memory would."""
    pid = int((server.data_folder / "postmaster.pid").read_text().splitlines()[0])
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)


async def _until(acknowledged: list[list[int]], more: int) -> None:
    wanted = [len(rows) + more for rows in acknowledged]
    async with asyncio.timeout(60):
        while any(len(rows) < count for rows, count in zip(acknowledged, wanted, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_acknowledged_writes_survive_kills_and_writers_go_on(server: EmbeddedPostgres) -> None:
    urls: DatabaseUrls = server.urls()
    database = Database(urls.app, pool_size=WRITERS)
    acknowledged: list[list[int]] = [[] for _ in USERS]
    stop = asyncio.Event()
    writers = [
        asyncio.create_task(_write(database, user_id, rows, stop))
        for user_id, rows in zip(USERS, acknowledged, strict=True)
    ]
    for _ in range(3):
        await _until(acknowledged, 10)
        await asyncio.to_thread(_kill, server)
        assert not server.is_running()
        await asyncio.to_thread(server.start)
    await _until(acknowledged, 5)
    stop.set()
    await asyncio.gather(*writers)
    for user_id, rows in zip(USERS, acknowledged, strict=True):
        async with database.transaction(user_id) as connection:
            stored = set((await connection.exec_driver_sql("SELECT seq FROM outbox")).scalars())
        assert set(rows) <= stored, "an acknowledged event is gone"
        assert stored == set(range(1, max(stored) + 1)), "the sequence has a gap"
    await database.close()


def test_the_data_folder_holds_what_a_restart_needs(server: EmbeddedPostgres) -> None:
    home: Path = server.data_folder.parent
    assert {"postgres", "postgres-passwords.json"} <= {path.name for path in home.iterdir()}
