"""The live socket and stream over a real server and real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from amarktai.api.routes.live import RECHECK_S
from amarktai.api.serve import bind, server
from amarktai.config import load
from amarktai.domain.errors import Unavailable
from amarktai.ports.clock import to_datetime
from amarktai.ports.events import FeedChanged
from amarktai.realtime.protocol import FrameProtocol
from amarktai.realtime.relay import Relay
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.outbox import PgOutbox
from tests.api.conftest import BASE, World


@dataclass
class Live:
    """A served application with one signed-in user."""

    world: World
    port: int
    user_id: UUID
    cookie: str
    client: httpx.AsyncClient

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, headers: dict[str, str] | None = None, *, after: int | None = None) -> connect:
        headers = headers or {}
        given = {"Cookie": f"amarktai_session={self.cookie}", **headers}
        query = "" if after is None else f"?after={after}"
        return connect(
            f"ws://127.0.0.1:{self.port}/api/ws{query}",
            additional_headers={name: value for name, value in given.items() if value},
            origin=None if "Origin" in headers else self.origin,  # type: ignore[arg-type]
            proxy=None,
        )

    async def emit(self, count: int = 1) -> None:
        payload = FeedChanged(message="m", platform="luno", state="live", origin="live")
        async with self.world.database.transaction(self.user_id) as connection:
            at = to_datetime(self.world.clock.now_ns())
            await PgOutbox(connection, self.user_id).emit([("feed_changed", payload)] * count, at)


@asynccontextmanager
async def _serving(world: World, protocol: Any) -> AsyncIterator[int]:
    settings = load({}, port=0)
    listener = bind(settings)
    running = server(world.app, settings, websocket_protocol=protocol)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    running.should_exit = True
    await task


@pytest.fixture(params=[FrameProtocol, "websockets-sansio"], ids=["direct", "plain"])
async def live(
    request: pytest.FixtureRequest, world: World, database_urls: DatabaseUrls
) -> AsyncIterator[Live]:
    relay = asyncio.create_task(Relay(database_urls.app, world.hub, clock=world.clock).run())
    client = await world.set_up()
    user_id = UUID((await client.get("/api/auth/me")).json()["user"]["id"])
    async with _serving(world, request.param) as port:
        yield Live(world, port, user_id, client.cookies["amarktai_session"], client)
    relay.cancel()


async def _next(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        message: dict[str, Any] = orjson.loads(await socket.recv())
    return message


async def test_the_socket_greets_answers_pings_and_brings_events(live: Live) -> None:
    async with live.socket() as socket:
        hello = await _next(socket)
        assert (hello["type"], hello["seq"], hello["resumed"]) == ("hello", 0, False)
        await socket.send('{"type":"ping","id":7}')
        assert await _next(socket) == {"type": "pong", "id": 7}
        await live.emit(2)
        events = [await _next(socket), await _next(socket)]
        assert [(event["type"], event["seq"]) for event in events] == [
            ("feed_changed", 1),
            ("feed_changed", 2),
        ]
    async with live.socket(after=1) as socket:
        assert (await _next(socket))["resumed"] is True
        assert (await _next(socket))["seq"] == 2
    async with live.socket(after=9) as socket:
        assert (await _next(socket))["resumed"] is False
        assert (await _next(socket))["type"] == "cannot_resume"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Cookie": ""}, 401),
        ({"Cookie": "amarktai_session=x"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Cookie": "", "Authorization": "Bearer amk_x"}, 401),
    ],
)
async def test_strangers_are_turned_away_at_the_handshake(
    live: Live, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with live.socket(headers):
            pass
    assert refusal.value.response.status_code == status


async def test_a_foreign_name_for_this_machine_has_no_socket(live: Live) -> None:
    origin = f"http://evil.example:{live.port}"
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(
            f"ws://evil.example:{live.port}/api/ws",
            host="127.0.0.1",
            port=live.port,
            additional_headers={"Cookie": f"amarktai_session={live.cookie}"},
            origin=origin,  # type: ignore[arg-type]
            proxy=None,
        ):
            pass
    assert refusal.value.response.status_code == 403


async def test_a_program_connects_with_its_token_from_anywhere(live: Live) -> None:
    made = await live.client.post("/api/tokens", json={"name": "t", "scopes": ["read"]})
    headers = {
        "Authorization": f"Bearer {made.json()['token']}",
        "Cookie": "",
        "Origin": "https://else.example",
    }
    async with live.socket(headers) as socket:
        assert (await _next(socket))["type"] == "hello"


@pytest.mark.parametrize("text", ["", "x", "[]", '{"type":"buy"}', '{"type":"ping","id":{}}', b"\xff\xfe"])
async def test_anything_but_a_ping_ends_the_connection(live: Live, text: str | bytes) -> None:
    async with live.socket() as socket:
        await _next(socket)
        await socket.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            await _next(socket)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_the_socket_ends_soon_after_its_session(live: Live) -> None:
    async with live.socket() as socket:
        await _next(socket)
        await live.client.post("/api/auth/logout")
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(200):
                live.world.clock.advance(RECHECK_S)
                await asyncio.sleep(0.02)
                if socket.close_code is not None:
                    await socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


async def test_the_stream_resumes_by_last_event_id(live: Live) -> None:
    await live.emit(3)
    cookies = {"amarktai_session": live.cookie}
    async with (
        httpx.AsyncClient(cookies=cookies, trust_env=False, timeout=20) as client,
        client.stream("GET", f"{live.origin}/api/realtime/events", headers={"Last-Event-ID": "1"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = ""
        async for chunk in answer.aiter_text():
            text += chunk
            if "id: 3" in text and text.endswith("\n\n"):
                break
    blocks = text.strip().split("\n\n")
    assert blocks[0].startswith("event: hello\ndata: {")
    assert [block.split("\n")[0] for block in blocks[1:]] == ["id: 2", "id: 3"]
    assert blocks[1].split("\n")[1] == "event: feed_changed"


async def test_another_path_has_no_socket(live: Live) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://127.0.0.1:{live.port}/api/other", proxy=None):
            pass


def test_a_port_in_use_names_its_holder_and_the_setting() -> None:
    first = bind(load({}, port=0))
    taken = first.getsockname()[1]
    with pytest.raises(Unavailable) as refusal:
        bind(load({}, port=taken))
    first.close()
    assert refusal.value.code == "PORT_IN_USE" and "process" in refusal.value.detail
    assert "AMARKTAI_PORT" in refusal.value.action


def test_the_server_is_uvicorn_with_our_protocol(world: World) -> None:
    made = server(world.app, load({}), websocket_protocol=FrameProtocol)
    assert isinstance(made, uvicorn.Server) and made.config.ws is FrameProtocol
    assert BASE.startswith("http://127.0.0.1")
