"""Calls to OVEX: everything in the query, a bearer key where one is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from amarktai.domain.instrument import Platform
from amarktai.domain.signing import bearer_headers
from amarktai.ports.clock import Clock
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.error_table import payload_of_read
from amarktai.venues.exchanges.ovex.errors import DIALECT
from amarktai.venues.transport import Answer, Call, Transport

BASE_URL: Final = "https://www.ovex.io"
_PREFIX: Final = "/api/v2"


def open_transport(base_url: str, budget: RequestBudget, clock: Clock, api_key: str = "") -> Transport:
    """Return a connection; without a key it reaches public routes only."""

    def sign(call: Call) -> Call:
        return replace(call, headers=bearer_headers(api_key)) if api_key else call

    return Transport(Platform.OVEX, base_url, budget, clock, sign=sign)


class OvexCalls:
    """Reads and the one write over a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(
        self, path: str, query: Mapping[str, str] | None = None, *, priority: Priority = Priority.ORDER
    ) -> Any:
        """Return the body of an answer. Raises: Absent, Forbidden, Unavailable."""
        asked = _PREFIX + path + (f"?{urlencode(query)}" if query else "")
        return payload_of_read(DIALECT, await self._transport.send(Call("GET", asked, priority=priority)))

    async def accept(self, token: str, *, priority: Priority, deadline_ts: int) -> Answer:
        """Accept a quote, once; the caller judges the answer.

        Raises: OutcomeUnknown; VenueRejected when it did not leave.
        """
        path = f"{_PREFIX}/rfq/accept_quote?{urlencode({'quote_token': token})}"
        call = Call("POST", path, priority=priority, is_write=True, deadline_ts=deadline_ts)
        return await self._transport.send(call)

    async def close(self) -> None:
        await self._transport.close()
