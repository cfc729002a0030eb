"""What a caller of Binance signs: query and body as sent, or over a WebSocket the sorted parameters."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from amarktai.twins.calls import Call


@dataclass(slots=True)
class SocketCall(Call):
    """A request over the WebSocket API."""


def signed_texts(call: Call) -> list[str]:
    """Return the texts that a caller may have signed."""
    if isinstance(call, SocketCall):
        pairs = sorted((name, value) for name, value in call.params.items() if name != "signature")
        return ["&".join(f"{name}={value}" for name, value in pairs), urlencode(pairs)]
    query = "&".join(part for part in call.query.split("&") if not part.startswith("signature="))
    body = "&".join(part for part in call.body.decode().split("&") if not part.startswith("signature="))
    return [query + body]
