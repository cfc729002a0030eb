"""Messages as bytes: JSON once, then the WebSocket frame (RFC 6455 §5.2) and the SSE text around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from amarktai.ports.accounts import StoredEvent
from amarktai.ports.live import Frame

_FIN_TEXT: Final = 0x81
_SHORT, _MEDIUM = 125, 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked, unfragmented text frame, as servers send it."""
    length = len(payload)
    if length <= _SHORT:
        return bytes((_FIN_TEXT, length)) + payload
    if length <= _MEDIUM:
        return bytes((_FIN_TEXT, 126)) + length.to_bytes(2) + payload
    return bytes((_FIN_TEXT, 127)) + length.to_bytes(8) + payload


def encode(message: Mapping[str, Any], *, seq: int | None = None) -> Frame:
    """Encode a message; one with a ``seq`` can be resumed from."""
    payload = orjson.dumps(message)
    identifier = b"id: %d\n" % seq if seq is not None else b""
    sse = b"%sevent: %s\ndata: %s\n\n" % (identifier, str(message["type"]).encode(), payload)
    return Frame(text_frame(payload), sse)


def encode_event(event: StoredEvent) -> Frame:
    """Encode an outbox row: its payload's fields beside type, seq and time."""
    message = {**event.payload, "type": event.type, "seq": event.seq, "at": event.created_at}
    return encode(message, seq=event.seq)
