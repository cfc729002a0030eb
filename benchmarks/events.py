"""From commit to a thousand connected sockets: our frames against a plain Starlette broadcast.

Both run in this one run, on the same machine: a server process with the relay or the plain
broadcast, a client process with 1,000 raw sockets, and a committer at ten events a second.

Usage: python -m benchmarks.events [--sockets 1000] [--seconds 10] [--rate 10]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from amarktai.api.serve import bind, server
from amarktai.config import load
from amarktai.domain.user import Role, User
from amarktai.ports.clock import to_datetime
from amarktai.ports.events import ProfitUpdated
from amarktai.ports.live import FRAMES_EXTENSION
from amarktai.realtime.hub import Hub
from amarktai.realtime.protocol import FrameProtocol
from amarktai.realtime.relay import OUTBOX_CHANNEL, Relay
from amarktai.storage.database import Database
from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.events import PgEvents
from amarktai.storage.migrate import migrate
from amarktai.storage.outbox import PgOutbox
from amarktai.storage.users import PgUsers
from amarktai.system.clock import SystemClock
from amarktai.system.rng import SystemRng
from benchmarks.limits import Limits

USER = UUID("00000000-0000-7000-8000-000000000001")
EVENT = "profit_updated"
LIMIT_P99_MS = 100.0
LIMIT_DELIVERY_US = 25.0


@dataclass(frozen=True)
class Load:
    """How many sockets, for how long, at how many events a second."""

    sockets: int
    seconds: float
    rate: float

    @property
    def events(self) -> int:
        return round(self.seconds * self.rate)


# -- servers: one process each ---------------------------------------------------------------------


def direct_app(url: str) -> tuple[Any, Any]:
    """Return the application as it is built, without the sign-in: hub, relay and frame protocol."""
    clock = SystemClock()
    hub = Hub(PgEvents(Database(url)), clock=clock, dashboard_sha=lambda: None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        attachment = await hub.attach(USER, None, scope["extensions"][FRAMES_EXTENSION])
        while (await receive())["type"] != "websocket.disconnect":
            pass
        attachment.detach()

    return app, Relay(url, hub, clock=clock).run


def plain_app(url: str) -> tuple[Any, Any]:
    """Return what a tutorial shows: a list of sockets, and an awaited ``send_json`` for each."""
    sockets: list[WebSocket] = []
    events = PgEvents(Database(url))

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json({"type": "hello"})
        sockets.append(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            sockets.remove(socket)

    async def relay() -> None:
        seq = 0
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {OUTBOX_CHANNEL}")
            async for _ in connection.notifies():
                for event in await events.after(USER, seq, 100):
                    seq = event.seq
                    message = {
                        **event.payload,
                        "type": event.type,
                        "seq": seq,
                        "at": event.created_at.isoformat(),
                    }
                    for socket in list(sockets):
                        await socket.send_json(message)

    return Starlette(routes=[WebSocketRoute("/api/ws", endpoint)]), relay


def serve(build: Callable[[str], tuple[Any, Any]], url: str, pipe: Connection) -> None:
    """Serve until told to stop; report the CPU seconds used between the two marks."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    settings = load({}, port=0)
    listener = bind(settings)

    async def main() -> None:
        app, relay = build(url)
        if build is direct_app:
            running = server(app, settings, websocket_protocol=FrameProtocol)
        else:
            running = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        tasks = [asyncio.create_task(running.serve(sockets=[listener])), asyncio.create_task(relay())]
        pipe.send(listener.getsockname()[1])
        loop = asyncio.get_running_loop()
        marks = []
        for _ in range(2):
            await loop.run_in_executor(None, pipe.recv)
            marks.append(time.process_time())
        pipe.send(marks[1] - marks[0])
        running.should_exit = running.force_exit = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with asyncio.Runner(loop_factory=uvicorn.Config(None).get_loop_factory()) as runner:  # type: ignore[arg-type]
        runner.run(main())


# -- clients: raw sockets that only note when each event arrived ---------------------------------------


class RawClient(asyncio.Protocol):
    """Speaks just enough WebSocket to be told events: the reader must not be what is measured."""

    arrivals: list[tuple[int, int]]

    def __init__(self, arrivals: list[tuple[int, int]], ready: Callable[[], None]) -> None:
        self.arrivals = arrivals
        self._ready = ready
        self._rest = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            "GET /api/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        # uvloop's transports are not asyncio's by class, only by what they do.
        cast(asyncio.Transport, transport).write(request.encode())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._rest += data
        if not self._is_open:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_open, self._rest = True, rest
        while (payload := self._take()) is not None:
            message = orjson.loads(payload)
            if message["type"] == EVENT:
                self.arrivals.append((message["seq"], now))
            elif message["type"] == "hello":
                self._ready()

    def _take(self) -> bytes | None:
        if len(self._rest) < 2:
            return None
        length, start = self._rest[1], 2
        if length == 126:
            length, start = int.from_bytes(self._rest[2:4]), 4
        if len(self._rest) < start + length:
            return None
        payload, self._rest = self._rest[start : start + length], self._rest[start + length :]
        return payload


def listen(port: int, load_: Load, pipe: Connection) -> None:
    """Open the sockets, say when all are greeted, and report every arrival (monotonic ns)."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        arrivals: list[tuple[int, int]] = []
        greeted = 0

        def ready() -> None:
            nonlocal greeted
            greeted += 1

        for _ in range(load_.sockets):
            await loop.create_connection(lambda: RawClient(arrivals, ready), "127.0.0.1", port)
        await _eventually(lambda: greeted == load_.sockets, limit_s=30)
        pipe.send("ready")
        await _eventually(lambda: len(arrivals) == load_.sockets * load_.events, limit_s=load_.seconds + 30)
        pipe.send(arrivals)

    with asyncio.Runner(loop_factory=uvicorn.Config(None).get_loop_factory()) as runner:  # type: ignore[arg-type]
        runner.run(main())


async def _eventually(is_done: Callable[[], bool], *, limit_s: float) -> None:
    for _ in range(round(limit_s / 0.05)):
        if is_done():
            return
        await asyncio.sleep(0.05)


# -- one measured run ----------------------------------------------------------------------------------


async def commit(url: str, load_: Load) -> dict[int, int]:
    """Commit events at the rate; return each sequence's commit time (monotonic ns)."""
    database, clock, committed = Database(url), SystemClock(), {}
    started = time.monotonic()
    for number in range(load_.events):
        await asyncio.sleep(max(0.0, started + number / load_.rate - time.monotonic()))
        payload = ProfitUpdated(
            message="EMA cross made R 12.34", mode="paper", bot_id=USER, bot_name="EMA cross",
            platform="luno", total_profit="1234.50000000", profit_today="12.34000000", currency="ZAR",
        )  # fmt: skip
        async with database.transaction(USER) as connection:
            await PgOutbox(connection, USER).emit([(EVENT, payload)], to_datetime(clock.now_ns()))
        committed[number + 1] = time.monotonic_ns()
    await database.close()
    return committed


def measure(
    build: Callable[[str], tuple[Any, Any]], server_: EmbeddedPostgres, load_: Load
) -> dict[str, float]:
    """Run one server with one load in a fresh database and return its figures."""
    name = build.__name__
    with psycopg.connect(server_.superuser_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER owner TEMPLATE amarktai")
    url = server_.urls(name).app
    context = multiprocessing.get_context("spawn")
    (to_server, server_end), (to_clients, clients_end) = context.Pipe(), context.Pipe()
    serving = context.Process(target=serve, args=(build, url, server_end))
    serving.start()
    port = to_server.recv()
    listening = context.Process(target=listen, args=(port, load_, clients_end))
    listening.start()
    assert to_clients.recv() == "ready"
    to_server.send("start")
    committed = asyncio.run(commit(url, load_))
    arrivals = to_clients.recv()
    to_server.send("stop")
    cpu_s = to_server.recv()
    for process in (listening, serving):
        process.join(20)
        process.kill()
    delays_ms = sorted((at - committed[seq]) / 1e6 for seq, at in arrivals)
    expected = load_.sockets * load_.events
    return {
        "deliveries": len(arrivals),
        "lost": expected - len(arrivals),
        "p50_ms": statistics.median(delays_ms),
        "p99_ms": delays_ms[int(len(delays_ms) * 0.99) - 1],
        "worst_ms": delays_ms[-1],
        "server_us_a_delivery": cpu_s / max(1, len(arrivals)) * 1e6,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=10.0)
    given = parser.parse_args()
    load_ = Load(given.sockets, given.seconds, given.rate)
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder), SystemRng())
        urls = postgres.start()
        try:
            migrate(urls.owner)
            asyncio.run(_add_user(urls.app))
            results = {build.__name__: measure(build, postgres, load_) for build in (direct_app, plain_app)}
        finally:
            postgres.stop()
    print(f"{load_.events} events at {load_.rate:g}/s to {load_.sockets} sockets each")
    for name, figures in results.items():
        print(name, " ".join(f"{figure}={value:.1f}" for figure, value in figures.items()))
    ours, plain = results["direct_app"], results["plain_app"]
    print(
        f"ratio plain/ours: p99 {plain['p99_ms'] / ours['p99_ms']:.1f}, "
        f"server time {plain['server_us_a_delivery'] / ours['server_us_a_delivery']:.1f}"
    )
    limits = Limits()
    limits.at_most("p99 from commit to the last socket", ours["p99_ms"], LIMIT_P99_MS, " ms")
    limits.at_most("server time a delivery", ours["server_us_a_delivery"], LIMIT_DELIVERY_US, " µs")
    return limits.exit_code


async def _add_user(url: str) -> None:
    database = Database(url)
    user = User(USER, "bench@example.org", "Bench", Role.TRADER, "UTC", to_datetime(SystemClock().now_ns()))
    async with database.transaction(None) as connection:
        await PgUsers(connection).insert(user, "none")
    await database.close()


if __name__ == "__main__":
    sys.exit(main())
