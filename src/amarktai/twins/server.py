"""Runs one twin: HTTP and WebSocket on one loopback port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from decimal import setcontext
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from amarktai.domain.errors import Unavailable
from amarktai.twins.calls import Answer, Call
from amarktai.twins.control import PREFIX, Control, ControlApi
from amarktai.twins.rules import arithmetic
from amarktai.twins.twin import Twin

HOST: Final = "127.0.0.1"


class _BreakableProtocol(HttpToolsProtocol):
    """Lets the application break its connection without an answer: the transport is in its state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class TwinApp:
    """The ASGI application of one twin."""

    def __init__(self, twin: Twin, control: Control) -> None:
        self._twin = twin
        self._control = ControlApi(control)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        setcontext(arithmetic())  # of this task only
        if scope["type"] == "websocket":
            await self._twin.serve_socket(WebSocket(scope, receive, send))
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        method, path = scope["method"], scope["path"]
        if path == PREFIX or path.startswith(PREFIX + "/"):
            await _send(send, self._control.answer(method, path, body))
            return
        answer = None if self._twin.is_down else await self._twin.answer(self._call(scope, body))
        if answer is None:
            scope["state"]["transport"].abort()
            await receive()  # until the server has noticed
        else:
            await _send(send, answer)

    def _call(self, scope: Scope, body: bytes) -> Call:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope["client"]
        return Call(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            address=client[0] if client else HOST,
            now_ns=self._twin.clock.now_ns(),
            exchange=self._twin.exchange,
        )


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    body = answer.encoded()
    headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(body))}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True)
class RunningTwin:
    """A twin that answers. ``url`` is its REST address, ``ws_url`` the same for WebSockets."""

    twin: Twin
    control: Control
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def control_url(self) -> str:
        return self.url + PREFIX


@asynccontextmanager
async def serving(twin: Twin, port: int = 0) -> AsyncIterator[RunningTwin]:
    """Serve a twin on loopback while the block runs; port 0 takes a free one.

    Raises: Unavailable when the port is taken.
    """
    listener = _listen(port)
    running = RunningTwin(twin, Control(twin), listener.getsockname()[1])
    twin.base_url = running.url
    config = uvicorn.Config(
        cast(ASGIApp, TwinApp(twin, running.control)),
        http=_BreakableProtocol,
        ws="websockets-sansio",
        ws_ping_interval=twin.ping_s,
        ws_ping_timeout=60.0,
        ws_per_message_deflate=False,
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    tasks = [asyncio.create_task(server.serve(sockets=[listener])), asyncio.create_task(twin.run())]
    try:
        await server.is_up.wait()
        yield running
    finally:
        for connection in list(twin.connections):
            connection.cut_off()
        server.should_exit = True
        await tasks[0]
        tasks[1].cancel()
        listener.close()
        with suppress(asyncio.CancelledError):
            await tasks[1]


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to whoever runs the loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def _listen(port: int) -> socket.socket:
    # With the protocol named asyncio turns Nagle's algorithm off, which would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise Unavailable(
            "PORT_IN_USE", f"Port {port} cannot be listened on: {error.strerror}", "Choose another --port."
        ) from error
    return listener
