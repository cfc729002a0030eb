"""Calls to VALR: JSON bodies, signed byte for byte as they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import orjson

from amarktai.domain.instrument import Platform
from amarktai.domain.provider import Credentials
from amarktai.domain.signing import valr_headers
from amarktai.ports.clock import Clock
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.error_table import payload_of_read
from amarktai.venues.exchanges.valr.errors import DIALECT
from amarktai.venues.transport import Answer, Call, Signer, Transport

BASE_URL: Final = "https://api.valr.com"
STREAM_URL: Final = "wss://api.valr.com"
_LIMITED: Final = frozenset({418, 429})


def signing(credentials: Credentials, clock: Clock) -> Signer:
    """Return what dates and signs a call just before it leaves."""

    def sign(call: Call) -> Call:
        text = (call.method, call.path, call.body.decode())
        signed = valr_headers(
            (credentials.api_key, credentials.api_secret), clock.now_ns() // NS_PER_MS, text
        )
        return replace(call, headers={**call.headers, **signed})

    return sign


def is_limited(answer: httpx.Response) -> bool:
    """Return whether VALR tells us to slow down; it marks such answers with a header, too."""
    return answer.status_code in _LIMITED or answer.headers.get("x-valr-ratelimited") == "true"


def open_transport(
    base_url: str, budget: RequestBudget, clock: Clock, credentials: Credentials | None = None
) -> Transport:
    """Return a connection; without credentials it reaches public routes only."""
    sign = (lambda call: call) if credentials is None else signing(credentials, clock)
    return Transport(Platform.VALR, base_url, budget, clock, sign=sign, is_limited=is_limited)


class ValrCalls:
    """Reads and writes over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(
        self, path: str, query: Mapping[str, str] | None = None, *, priority: Priority = Priority.ORDER
    ) -> Any:
        """Return the body of an answer. Raises: Absent, Forbidden, InvalidInput, Unavailable."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return payload_of_read(DIALECT, await self._transport.send(Call("GET", asked, priority=priority)))

    async def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        priority: Priority,
        deadline_ts: int | None = None,
    ) -> Answer:
        """Send a create or a cancel, once; the caller judges the answer.

        Raises: OutcomeUnknown; VenueRejected when it did not leave.
        """
        return await self._transport.send(
            Call(
                method, path, {"Content-Type": "application/json"}, orjson.dumps(body),
                priority=priority, is_write=True, deadline_ts=deadline_ts,
            )
        )  # fmt: skip

    async def close(self) -> None:
        await self._transport.close()
