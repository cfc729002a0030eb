"""WebSocket connections of a twin: what is sent to whom, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from amarktai.twins.accounts import Account
from amarktai.twins.faults import FaultKind, Faults, Operation

#: Frames that may wait for a slow reader before the exchange cuts it off.
_FRAMES_WAITING = 10_000
_CUT_OFF = object()


@dataclass(eq=False)
class Connection:
    """One open WebSocket. ``topics`` is what it subscribed to, in the exchange's own words."""

    socket: WebSocket
    faults: Faults
    now_ns: Callable[[], int]
    headers: Mapping[str, str]
    address: str
    account: Account | None = None
    topics: dict[str, Any] = field(default_factory=dict)
    _queue: asyncio.Queue[Any] = field(default_factory=lambda: asyncio.Queue(_FRAMES_WAITING))
    _kept_back: str | None = None
    _silent_until_ns: int = 0

    def reply(self, frame: Any) -> None:
        """Send an answer to what the client said: faults strike data only."""
        self._put(frame if isinstance(frame, str) else orjson.dumps(frame).decode())

    def push(self, frame: Any, operation: Operation) -> None:
        """Send data, or lose it, double it, delay it behind the next, as the armed faults say."""
        text = frame if isinstance(frame, str) else orjson.dumps(frame).decode()
        key = None if self.account is None else self.account.key
        fault = self.faults.take(operation, key)
        kind = None if fault is None else fault.kind
        if fault is not None and kind is FaultKind.SILENCE:
            self._silent_until_ns = self.now_ns() + round(fault.seconds * 1e9)
        if kind is FaultKind.CLOSE:
            self.cut_off()
        elif kind is FaultKind.REORDER and self._kept_back is None:
            self._kept_back = text
        elif kind is not FaultKind.GAP and self.now_ns() >= self._silent_until_ns:
            for _ in range(2 if kind is FaultKind.REPEAT else 1):
                self._put(text)
            if self._kept_back is not None:
                self._put(self._kept_back)
                self._kept_back = None

    def cut_off(self) -> None:
        """Close the connection without a word."""
        self._put(_CUT_OFF)

    def _put(self, item: Any) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(_CUT_OFF)

    async def write(self) -> None:
        """Send what is queued until the connection is cut off."""
        with suppress(WebSocketDisconnect):
            while (item := await self._queue.get()) is not _CUT_OFF:
                await self.socket.send_text(item)
        self.socket.scope["state"]["transport"].abort()
