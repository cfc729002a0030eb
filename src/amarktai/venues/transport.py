"""HTTP to one exchange: one budget, no retries, and errors that say what is known of the outcome.

A read that fails raises Unavailable. A write that fails is definitive only when the exchange's own
answer is on the list of its refusals (the adapter decides); everything else (timeout, reset, 5xx, an
unreadable body, a redirect) raises ``OutcomeUnknown``, because the exchange may have done it (O4).

A call waits for its room in the budget first; only then is it dated and signed, and only then is its
deadline looked at, so that neither grows old in the queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import httpx

from amarktai.domain.errors import AmarktaiError, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.ports.clock import Clock
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.budget import Priority, RequestBudget

TIMEOUT_S: Final = 10.0
#: How long an order that adds risk may wait for room, and a write for its connection: together they stay
#: within the second after an emergency stop (O20).
ENTRY_WAIT_NS: Final = 600 * 1_000_000
_WRITE_TIMEOUT: Final = httpx.Timeout(TIMEOUT_S, connect=0.4, pool=0.4)
#: How long we stay away when an exchange bans us without saying for how long.
BAN_S: Final = 120.0
_LIMITED: Final = frozenset({418, 429})
#: Orders that leave at once; all of their connections are kept for the answers' reading that follows.
_CONNECTIONS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is what gets signed, query included; ``body`` the exact bytes that leave.

    ``is_write`` marks creates and cancels, whose silence is never an answer. ``deadline_ts`` (ns): it
    does not leave after that.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    priority: Priority = Priority.ORDER
    weight: float = 1.0
    is_write: bool = False
    deadline_ts: int | None = None


#: Returns the call as it leaves now: with its timestamp, its key and its signature.
Signer = Callable[[Call], Call]


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


def ban_seconds(answer: httpx.Response) -> float:
    """Return how long an answer that limits us keeps us away: Retry-After, or a careful guess."""
    told = answer.headers.get("retry-after", "")
    return float(told) if told.strip().isdigit() else BAN_S


class Transport:
    """Sends calls to one base address. The client is closed by whoever opened the transport."""

    def __init__(
        self,
        platform: Platform,
        base_url: str,
        budget: RequestBudget,
        clock: Clock,
        *,
        sign: Signer = lambda call: call,
        client: httpx.AsyncClient | None = None,
        is_limited: Callable[[httpx.Response], bool] = lambda answer: answer.status_code in _LIMITED,
        ban_s: Callable[[httpx.Response], float] = ban_seconds,
    ) -> None:
        self._platform = platform
        self._base_url = base_url.rstrip("/")
        self._budget = budget
        self._clock = clock
        self._sign = sign
        self._is_limited = is_limited
        self._ban_s = ban_s
        self._client = client or httpx.AsyncClient(
            timeout=TIMEOUT_S,
            follow_redirects=False,
            transport=httpx.AsyncHTTPTransport(retries=0, limits=_CONNECTIONS),
        )

    async def send(self, call: Call) -> Answer:
        """Send one request, once.

        Raises: Unavailable when a read did not get an answer; OutcomeUnknown when a write did not get a
        readable one; VenueRejected DEADLINE_PASSED when it did not leave, because there was no room in
        time. Answers of the exchange itself, also refusals, are returned.
        """
        asked_ts, wait_ns = self._clock.now_ns(), self._budget.wait_ns(call.priority, call.weight)
        self._check_deadline(call, asked_ts, wait_ns)
        await self._budget.acquire(call.priority, call.weight)
        self._check_deadline(call, asked_ts)
        signed = self._sign(call)
        try:
            answer = await self._client.request(
                signed.method,
                self._base_url + signed.path,
                headers=dict(signed.headers),
                content=signed.body,
                timeout=_WRITE_TIMEOUT if call.is_write else TIMEOUT_S,
            )
        except httpx.HTTPError as error:
            # From None: the foreign error holds the request, and that holds the key.
            raise self._failure(call, f"did not answer ({type(error).__name__})") from None
        if self._is_limited(answer):
            self._budget.ban(self._ban_s(answer))
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

    def _check_deadline(self, call: Call, asked_ts: int, wait_ns: int = 0) -> None:
        if call.deadline_ts is None:
            return
        # What adds risk waits no longer than an emergency stop may take to be heeded (O20).
        adds_risk = call.is_write and call.priority is Priority.ORDER
        latest = min(call.deadline_ts, asked_ts + ENTRY_WAIT_NS) if adds_risk else call.deadline_ts
        if self._clock.now_ns() + wait_ns < latest:
            return
        raise VenueRejected(
            "DEADLINE_PASSED",
            f"The request could not leave for {DISPLAY_NAMES[self._platform]} before its deadline.",
            "Nothing was sent. The bot decides anew on its next bar.",
        )

    def _failure(self, call: Call, what: str) -> AmarktaiError:
        return failure(self._platform, what, is_write=call.is_write)


def failure(platform: Platform, what: str, *, is_write: bool) -> AmarktaiError:
    """Return the error of a call whose answer says nothing: an unknown outcome for a write."""
    sentence = f"{DISPLAY_NAMES[platform]} {what}."
    if is_write:
        return OutcomeUnknown("OUTCOME_UNKNOWN", sentence, "The platform asks the exchange what happened.")
    return Unavailable("VENUE_UNREACHABLE", sentence, "It is tried again by itself.")


@contextmanager
def decoding(platform: Platform, *, is_write: bool = False) -> Iterator[None]:
    """Turn what a foreign body can do to our parsing (a field missing, not a number) into our errors.

    Raises: Unavailable, or OutcomeUnknown for the answer to a write.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        what = f"sent an answer of an unknown form ({type(error).__name__}: {error})"
        raise failure(platform, what, is_write=is_write) from error


def exact(value: Any) -> Decimal:
    """Return a number of an exchange, exactly as it wrote it.

    Raises: ValueError for anything that is not a finite number; a float is none, for it is not exact.
    """
    if isinstance(value, float | bool):
        raise ValueError(f"{value!r} is not an exact number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number
