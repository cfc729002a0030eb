"""The reconnecting socket against a real WebSocket server on loopback, with time moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Platform
from amarktai.venues.budget import RequestBudget
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan, fixed
from tests.fakes import HandClock, SeededRng


class Exchange:
    """The other end: keeps what it was sent, sends what a test says."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.handshakes: list[Request] = []
        self.refusal: tuple[HTTPStatus, dict[str, str]] | None = None
        self.server: Server | None = None

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        async for frame in connection:
            self.heard.put_nowait(frame)

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        if self.refusal is None:
            return None
        status, headers = self.refusal
        response = connection.respond(status, "no")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    @property
    def address(self) -> str:
        assert self.server is not None
        host, port = next(iter(self.server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}/stream"


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    exchange = Exchange()
    async with serve(exchange.serve, "127.0.0.1", 0, process_request=exchange.admit) as server:
        exchange.server = server
        yield exchange


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


Messages = AsyncIterator[bytes | Opened | Lost]


class Line:
    """A socket that a test reads message by message; the clock moves while it waits to try again."""

    def __init__(self, plan: SocketPlan, clock: HandClock, budget: RequestBudget | None = None) -> None:
        self.clock = clock
        self.socket = ReconnectingSocket(plan, clock, SeededRng(), budget)
        self.messages = self.socket.messages()

    async def next(self) -> bytes | Opened | Lost:
        return await asyncio.wait_for(anext(self.messages), 10)

    async def next_after_pause(self, pause_s: float) -> bytes | Opened | Lost:
        """Return the next message, which comes once the pause is over."""
        waiting = asyncio.ensure_future(anext(self.messages))
        await until(lambda: self.clock.sleeper_count > 0)
        self.clock.advance(pause_s)
        return await asyncio.wait_for(waiting, 10)

    async def close(self) -> None:
        assert isinstance(self.messages, AsyncGenerator)
        await self.messages.aclose()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a condition of the library's, which has no event
            await asyncio.sleep(0.001)


@pytest.fixture
def plan(exchange: Exchange) -> SocketPlan:
    return SocketPlan(Platform.VALR, fixed(exchange.address), lambda: {"X-Key": "k"})


async def test_frames_come_as_they_were_sent(exchange: Exchange, plan: SocketPlan, clock: HandClock) -> None:
    line = Line(plan, clock)
    assert await line.next() == Opened()
    assert exchange.handshakes[0].headers["X-Key"] == "k"
    await line.socket.send("hello")
    assert await exchange.heard.get() == "hello"
    await exchange.connections[0].send('{"a": "0.10"}')
    await exchange.connections[0].send("")
    assert await line.next() == b'{"a": "0.10"}'
    assert await line.next() == b""
    await line.close()


async def test_a_loss_is_said_and_a_new_connection_follows(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    line = Line(plan, clock)
    await line.next()
    await until(lambda: bool(exchange.connections))
    await exchange.connections[0].close(1012)
    lost = await line.next()
    assert isinstance(lost, Lost)
    assert lost.reason == "The stream ended (code 1012)."
    assert 0.5 <= (lost.retry_at_ts - clock.now_ns()) / NS_PER_S <= 1.5
    assert await line.next_after_pause(1.5) == Opened()
    await until(lambda: len(exchange.connections) == 2)
    await line.close()


async def test_pauses_grow_until_a_connection_has_lived(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    line = Line(plan, clock)
    pauses = []
    await line.next()
    for count in range(1, 5):
        await until(lambda: len(exchange.connections) == count)  # noqa: B023 - awaited at once
        await exchange.connections[-1].close()
        lost = await line.next()
        assert isinstance(lost, Lost)
        pauses.append((lost.retry_at_ts - clock.now_ns()) / NS_PER_S)
        assert await line.next_after_pause(pauses[-1]) == Opened()
    for count, pause in enumerate(pauses):
        assert 0.5 * 2**count <= pause <= 1.5 * 2**count
    await exchange.connections[-1].send("alive")
    clock.advance(59)
    assert await line.next() == b"alive"
    clock.advance(1)
    await exchange.connections[-1].close()
    lost = await line.next()
    assert isinstance(lost, Lost)
    assert (lost.retry_at_ts - clock.now_ns()) / NS_PER_S <= 1.5
    await line.close()


async def test_silence_is_death(exchange: Exchange, plan: SocketPlan, clock: HandClock) -> None:
    line = Line(plan, clock)
    await line.next()
    await until(lambda: bool(exchange.connections))
    clock.advance(59)
    await exchange.connections[0].send("still here")
    assert await line.next() == b"still here"
    waiting = asyncio.ensure_future(line.next())
    clock.advance(59)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    clock.advance(1)
    lost = await waiting
    assert isinstance(lost, Lost)
    assert lost.reason == "VALR has sent nothing for 60 s."
    await line.close()


async def test_the_exchanges_own_heartbeat_is_sent(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    line = Line(replace(plan, ping=lambda: "ping", ping_every_s=30), clock)
    await line.next()
    for _ in range(3):
        await until(lambda: clock.sleeper_count == 2)  # the heartbeat and the watch for silence
        clock.advance(30)
        assert await asyncio.wait_for(exchange.heard.get(), 10) == "ping"
        await exchange.connections[0].send("pong")
        assert await line.next() == b"pong"
    await line.close()


async def test_a_reader_that_distrusts_the_stream_gets_a_new_one(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    line = Line(plan, clock)
    await line.next()
    await line.socket.restart("An update was missing.")
    lost = await line.next()
    assert isinstance(lost, Lost)
    assert lost.reason == "An update was missing."
    assert await line.next_after_pause(1.5) == Opened()
    await line.close()


@pytest.mark.parametrize(
    ("status", "words"),
    [(HTTPStatus.FORBIDDEN, "the key, its rights"), (HTTPStatus.SERVICE_UNAVAILABLE, "HTTP 503")],
)
async def test_a_refused_handshake_is_said_and_tried_again(
    exchange: Exchange, plan: SocketPlan, clock: HandClock, status: HTTPStatus, words: str
) -> None:
    exchange.refusal = (status, {})
    line = Line(plan, clock)
    lost = await line.next()
    assert isinstance(lost, Lost)
    assert words in lost.reason
    exchange.refusal = None
    assert await line.next_after_pause(1.5) == Opened()
    await line.close()


async def test_a_ban_in_the_handshake_stops_all_requests(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    exchange.refusal = (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "30"})
    budget = RequestBudget("valr", 600, clock)
    line = Line(plan, clock, budget)
    lost = await line.next()
    assert isinstance(lost, Lost)
    assert budget.banned_until_ts == lost.retry_at_ts == clock.now_ns() + 30 * NS_PER_S
    await line.close()


async def test_an_address_that_cannot_be_had_or_reached_is_a_loss(plan: SocketPlan, clock: HandClock) -> None:
    async def no_token() -> str:
        raise Unavailable("VENUE_UNREACHABLE", "KuCoin did not answer.")

    lost = await Line(replace(plan, address=no_token), clock).next()
    assert isinstance(lost, Lost)
    assert lost.reason == "KuCoin did not answer."
    lost = await Line(replace(plan, address=fixed("ws://127.0.0.1:9/")), clock).next()
    assert isinstance(lost, Lost)
    assert "cannot be reached" in lost.reason


async def test_what_is_sent_on_a_lost_connection_is_dropped(
    exchange: Exchange, plan: SocketPlan, clock: HandClock
) -> None:
    line = Line(plan, clock)
    await line.socket.send("before any connection")
    await line.socket.restart("nothing to end")
    await line.next()
    await until(lambda: bool(exchange.connections))
    await exchange.connections[0].close()
    await until(lambda: exchange.connections[0].close_code is not None)
    await line.socket.send("into the void")
    assert isinstance(await line.next(), Lost)
    assert exchange.heard.empty()
    await line.close()
