"""Live events: server-sent events for programs, a WebSocket for the dashboard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, Final, cast

import orjson
from fastapi import APIRouter, Header, Query
from starlette.datastructures import QueryParams
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from amarktai.api.auth import Container, Who, identify, is_same_site
from amarktai.api.errors import SIGNED_IN, error_response
from amarktai.api.services import Services
from amarktai.domain.errors import AmarktaiError, Forbidden, InvalidInput, Unauthenticated
from amarktai.domain.user import Identity
from amarktai.ports.live import (
    CLOSE_BAD_MESSAGE,
    CLOSE_SIGNED_OUT,
    FRAMES_EXTENSION,
    Attachment,
    Frame,
    Sink,
)

router = APIRouter(prefix="/api", tags=["live"])
PATH: Final = "/api/ws"
#: How often an open connection asks whether its session still lives.
RECHECK_S: Final = 30.0
_CLOSING_S: Final = 5.0
_LARGEST_SEQ: Final = 2**62
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events as they happen: `id` is the sequence, `event` the name, `data` JSON",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
After = Annotated[int | None, Query(ge=0, le=_LARGEST_SEQ, description="Resume after this sequence.")]
LastEventId = Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")]


class QueueSink:
    """Messages wait here until the connection's own task takes them; the hub bounds how many bytes."""

    def __init__(self) -> None:
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._wakeup = asyncio.Event()
        self.closed: tuple[int, str] | None = None

    def write(self, frame: Frame) -> int:
        if self.closed is None:
            self._waiting.append(frame)
            self._bytes += len(frame.sse)
            self._wakeup.set()
        return self._bytes

    def drop(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)
        self._wakeup.set()

    async def next(self) -> Frame | None:
        """Return the next message, or None once the sink was dropped."""
        while not self._waiting and self.closed is None:
            self._wakeup.clear()
            await self._wakeup.wait()
        if self.closed is not None:
            return None
        frame = self._waiting.popleft()
        self._bytes -= len(frame.sse)
        return frame


@router.get("/realtime/events", responses=SIGNED_IN | _STREAM, response_class=StreamingResponse)
async def stream_events(
    who: Who, services: Container, after: After = None, last_event_id: LastEventId = None
) -> StreamingResponse:
    """Stream events; a client that reconnects with ``Last-Event-ID`` gets what it missed."""
    since = int(last_event_id) if last_event_id is not None else after
    sink = QueueSink()
    attachment = await services.live.attach(who.user_id, since, sink)
    return StreamingResponse(
        _sse(services, who, sink, attachment),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _sse(
    services: Services, who: Identity, sink: QueueSink, attachment: Attachment
) -> AsyncIterator[bytes]:
    guard = asyncio.create_task(_watch_session(services, who, sink))
    try:
        while (frame := await sink.next()) is not None:
            yield frame.sse
    finally:
        guard.cancel()
        attachment.detach()


async def serve_websocket(scope: Scope, receive: Receive, send: Send, services: Services) -> None:
    """Serve one dashboard: check who it is and where it comes from, then stay on until it leaves."""
    socket = WebSocket(scope, receive, send)
    try:
        who, after = await _admit(socket, services)
    except AmarktaiError as error:
        await socket.send_denial_response(error_response(error))
        return
    await socket.accept()
    direct = cast(Sink | None, scope.get("extensions", {}).get(FRAMES_EXTENSION))
    if direct is not None:
        await _converse(socket, services, who, after, direct)
        return
    sink = QueueSink()
    writer = asyncio.create_task(_write(socket, sink))
    try:
        await _converse(socket, services, who, after, sink)
        if sink.closed is not None:
            await asyncio.wait({writer}, timeout=_CLOSING_S)
    finally:
        writer.cancel()


async def _admit(socket: WebSocket, services: Services) -> tuple[Identity, int | None]:
    """Return who connects and from where to resume. Cookies count only on our own pages."""
    has_token = "authorization" in socket.headers
    if not has_token and not is_same_site(socket, services.settings):
        raise Forbidden(
            "CROSS_SITE", "The socket was not opened by our own pages.", "Open the dashboard itself."
        )
    who = await identify(socket, services)
    after = QueryParams(socket.scope["query_string"]).get("after")
    if after is None:
        return who, None
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InvalidInput("VALIDATION_ERROR", "after is not a sequence.", "Send the last seq you saw.")
    return who, int(after)


async def _converse(
    socket: WebSocket, services: Services, who: Identity, after: int | None, sink: Sink
) -> None:
    attachment = await services.live.attach(who.user_id, after, sink)
    guard = asyncio.create_task(_watch_session(services, who, sink))
    try:
        while True:
            attachment.send(_reply(await socket.receive()))
    except WebSocketDisconnect:
        return
    except ValueError:
        sink.drop(CLOSE_BAD_MESSAGE, 'Send {"type": "ping", "id": …} and nothing else.')
    finally:
        guard.cancel()
        attachment.detach()


def _reply(message: Any) -> dict[str, Any]:
    """Return the answer to a client's message: a ping is all that it may send."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    said = orjson.loads(message.get("text") or message.get("bytes") or b"")
    if not isinstance(said, dict) or said.get("type") != "ping":
        raise ValueError("not a ping")
    number = said.get("id")
    if not isinstance(number, int | str | None) or len(str(number)) > 40:
        raise ValueError("not an id")
    return {"type": "pong", "id": number}


async def _write(socket: WebSocket, sink: QueueSink) -> None:
    """Send what waits, for servers that offer no direct frames; end the socket when it was dropped."""
    with suppress(WebSocketDisconnect, RuntimeError):  # the other side left while we wrote
        while (frame := await sink.next()) is not None:
            await socket.send_text(frame.sse.split(b"\ndata: ", 1)[1].decode().rstrip("\n"))
        code, reason = sink.closed or (1000, "")
        await socket.close(code, reason)


async def _watch_session(services: Services, who: Identity, sink: Sink) -> None:
    """Drop the client soon after its session or token ended, wherever that was done."""
    while True:
        await services.clock.sleep(RECHECK_S)
        try:
            await services.sessions.check(who)
        except Unauthenticated:
            sink.drop(CLOSE_SIGNED_OUT, "The session has ended; sign in again.")
            return
