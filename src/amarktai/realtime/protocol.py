"""Uvicorn's sans-I/O WebSocket protocol with one thing added: whole frames straight to the transport.

A broadcast then costs one ``transport.write`` a client instead of a task switch, a frame build and a
wait. The ASGI application finds the protocol under ``ports.live.FRAMES_EXTENSION`` in its scope.
"""

from __future__ import annotations

from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.http11 import Request

from amarktai.ports.live import FRAMES_EXTENSION, Frame

_ABORT_AFTER_S: Final = 5.0


class FrameProtocol(WebSocketsSansIOProtocol):
    """Implements ``ports.live.Sink``."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # absent when the handshake was refused
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions[FRAMES_EXTENSION] = self

    def write(self, frame: Frame) -> int:
        if self.close_sent or self.disconnected:
            return 0
        self.transport.write(frame.websocket)
        return self.transport.get_write_buffer_size()

    def drop(self, code: int, reason: str) -> None:
        if self.close_sent or self.disconnected:
            return
        try:
            self.conn.send_close(code, reason)
        except ProtocolError:
            self.transport.abort()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.close()  # after what is buffered has gone out
        self.loop.call_later(_ABORT_AFTER_S, self.transport.abort)
