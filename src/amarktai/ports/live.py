"""Live channels as a port: what the API needs to attach a socket or a stream to a user's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

#: The ASGI extension under which our server protocol offers direct frame writes.
FRAMES_EXTENSION: Final = "amarktai.frames"
#: WebSocket close codes (RFC 6455; 4000 and above are ours).
CLOSE_TOO_SLOW: Final = 4408
CLOSE_SIGNED_OUT: Final = 4401
CLOSE_BAD_MESSAGE: Final = 1008
CLOSE_GOING_AWAY: Final = 1001
HEARTBEAT_S: Final = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """A message encoded once for all its receivers: as WebSocket frame and as server-sent event."""

    websocket: bytes
    sse: bytes


class Sink(Protocol):
    """One attached client. Neither method waits: a client that cannot keep up is dropped."""

    def write(self, frame: Frame) -> int:
        """Hand over one message and return how many bytes the client has not taken yet."""

    def drop(self, code: int, reason: str) -> None:
        """Close the connection and tell why, as far as the client still listens."""


class Attachment(Protocol):
    """An attached sink; detaching twice is no error."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message to this client alone."""

    def detach(self) -> None: ...


class LiveHub(Protocol):
    @property
    def client_count(self) -> int:
        """How many connections listen."""

    @property
    def lag_s(self) -> float | None:
        """Seconds from the commit of the event that was passed on last until it was; None before any."""

    async def attach(self, user_id: UUID, after: int | None, sink: Sink) -> Attachment:
        """Greet the client, send what it missed since ``after`` (or that it cannot be resumed), stay on."""

    def detach_user(self, user_id: UUID, code: int, reason: str) -> None:
        """Drop every client of a user."""


class PriceTicker(Protocol):
    async def publish(self, prices: Mapping[str, tuple[float, int]]) -> None:
        """Tell every process the latest price and its time (ms) per instrument; nothing is stored."""
