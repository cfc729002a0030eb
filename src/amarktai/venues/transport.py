"""HTTP to one exchange: one budget, no retries, and errors that say what is known of the outcome.

A read that fails raises Unavailable. A write that fails is definitive only when the exchange's own
answer is on the list of its refusals (the adapter decides); everything else (timeout, reset, 5xx, an
unreadable body, a redirect) raises ``OutcomeUnknown``, because the exchange may have done it (O4).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.ports.venue import OutcomeUnknown
from amarktai.venues.budget import Priority, RequestBudget

TIMEOUT_S: Final = 10.0
#: How long we stay away when an exchange bans us without saying for how long.
BAN_S: Final = 120.0
_LIMITED: Final = frozenset({418, 429})


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is what gets signed, query included; ``body`` the exact bytes that leave.

    ``is_write`` marks creates and cancels, whose silence is never an answer.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    priority: Priority = Priority.ORDER
    weight: float = 1.0
    is_write: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the parsed JSON (None when the body is empty) and the headers.

    Numbers stay exact: a JSON number with a fraction is a Decimal, read from its own digits.
    """

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport:
    """Sends calls to one base address. The client is closed by whoever opened the transport."""

    def __init__(
        self,
        platform: Platform,
        base_url: str,
        budget: RequestBudget,
        *,
        client: httpx.AsyncClient | None = None,
        is_limited: Callable[[httpx.Response], bool] = lambda answer: answer.status_code in _LIMITED,
    ) -> None:
        self._platform = platform
        self._base_url = base_url.rstrip("/")
        self._budget = budget
        self._is_limited = is_limited
        self._client = client or httpx.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, transport=httpx.AsyncHTTPTransport(retries=0)
        )

    async def send(self, call: Call) -> Answer:
        """Send one request, once.

        Raises: Unavailable when a read did not get an answer; OutcomeUnknown when a write did not get a
        readable one. Answers of the exchange itself, also refusals, are returned.
        """
        await self._budget.acquire(call.priority, call.weight)
        try:
            answer = await self._client.request(
                call.method, self._base_url + call.path, headers=dict(call.headers), content=call.body
            )
        except httpx.HTTPError as error:
            raise self._failure(call, f"did not answer: {type(error).__name__}") from error
        if self._is_limited(answer):
            self._budget.ban(_ban_seconds(answer))
        if answer.status_code >= 500 or 300 <= answer.status_code < 400:
            raise self._failure(call, f"answered with HTTP {answer.status_code}")
        try:
            body = json.loads(answer.content, parse_float=Decimal) if answer.content.strip() else None
        except ValueError as error:
            if self._is_limited(answer):  # some send an HTML page with it
                body = None
            else:
                raise self._failure(call, "sent an answer that cannot be read") from error
        return Answer(answer.status_code, body, answer.headers)

    async def close(self) -> None:
        await self._client.aclose()

    def _failure(self, call: Call, what: str) -> Exception:
        sentence = f"{DISPLAY_NAMES[self._platform]} {what}."
        if call.is_write:
            return OutcomeUnknown(
                "OUTCOME_UNKNOWN", sentence, "The platform asks the exchange what happened."
            )
        return Unavailable("VENUE_UNREACHABLE", sentence, "It is tried again by itself.")


def _ban_seconds(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.strip().isdigit() else BAN_S
