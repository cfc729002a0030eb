"""Calls to an exchange that ccxt knows: ccxt names and signs the routes, our transport sends them.

ccxt's own HTTP is not used for accounts: it hides the status, rounds numbers to floats, shares its
last answer between calls and picks error classes by the address that it talks to. What is left to it
is what it is good at: where each route lives and how it is signed, kept up to date by many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import ccxt

from amarktai.domain.errors import InvalidInput
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import Clock
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.budget import Priority
from amarktai.venues.error_table import Dialect, error_of_write, payload_of_read, payload_of_write
from amarktai.venues.spec import VenueSpec
from amarktai.venues.transport import Call, Transport


@dataclass(frozen=True, slots=True)
class Route:
    """One route as ccxt names it: section of its API table, verb and path.

    ``weight`` is the exchange's own; ``version`` stands for ccxt's where it knows an older one only.
    """

    section: str
    method: str
    path: str
    weight: float = 1.0
    version: str = ""


@dataclass(frozen=True, slots=True)
class RoutedCall(Call):
    """A call before it is signed: the route and its parameters, all of them text."""

    route: Route = field(kw_only=True)
    params: Mapping[str, Any] = field(kw_only=True)


def no_date(call: Call, now_ms: int) -> Mapping[str, str]:
    """Return nothing to add to a call."""
    return {}


class CcxtSigner:
    """Turns routed calls into what leaves, dated by our clock. It keeps the exchange's clock offset.

    ``date`` returns what is added to a call just before it leaves, from the time in ms: how long the
    exchange may still accept it.
    """

    def __init__(
        self,
        spec: VenueSpec,
        credentials: Credentials | None,
        clock: Clock,
        date: Callable[[Call, int], Mapping[str, str]] = no_date,
    ) -> None:
        if spec.ccxt_id is None:
            raise InvalidInput("EXCHANGE_CONNECTION_ERROR", spec.note, "Choose another platform.")
        self._client = _open(spec.ccxt_id, credentials)
        self._version = self._client.version
        self._clock = clock
        self._date = date
        self.offset_ns = 0

    def __call__(self, call: Call) -> Call:
        """Return the call with its path, headers and body as they leave now."""
        assert isinstance(call, RoutedCall)
        route = call.route
        now_ms = self._client.dated_ms = (self._clock.now_ns() + self.offset_ns) // NS_PER_MS
        self._client.version = route.version or self._version
        params = {**call.params, **self._date(call, now_ms)}
        signed = self._client.sign(route.path, [route.section], route.method, params)
        address = urlsplit(signed["url"])
        return replace(
            call,
            path=address.path + (f"?{address.query}" if address.query else ""),
            headers=signed["headers"] or {},
            body=(signed["body"] or "").encode(),
        )


def _open(ccxt_id: str, credentials: Credentials | None) -> Any:
    """Return a ccxt exchange that signs with the time it is told, and not as ccxt's partner."""
    kind = getattr(ccxt, ccxt_id)
    dated = type(kind.__name__, (kind,), {"milliseconds": lambda self: self.dated_ms, "dated_ms": 0})
    options: dict[str, Any] = {
        "enableRateLimit": False,
        "options": {"maxRetriesOnFailure": 0, "uta": False, "hf": True, "recvWindow": None},
    }
    if credentials is not None:
        options["apiKey"] = credentials.api_key
        options["secret"] = credentials.api_secret
        options["password"] = credentials.passphrase
    client = dated(options)
    client.options["partner"] = {}
    return client


class CcxtCalls:
    """Reads and writes on one connection. Errors are the exchange's own, in our words."""

    def __init__(self, transport: Transport, dialect: Dialect) -> None:
        self._transport = transport
        self._dialect = dialect

    async def read(
        self,
        route: Route,
        params: Mapping[str, Any] | None = None,
        *,
        priority: Priority = Priority.ORDER,
        weight: float | None = None,
    ) -> Any:
        """Return the payload of an answer. ``weight`` where it depends on the parameters.

        Raises: Absent, Forbidden, InvalidInput, Unavailable.
        """
        call = self._call(route, params or {}, priority, weight=weight)
        return payload_of_read(self._dialect, await self._transport.send(call))

    async def write(
        self, route: Route, params: Mapping[str, Any], *, priority: Priority, deadline_ts: int | None = None
    ) -> Any:
        """Send a create, once, and return the payload of the answer.

        Raises: VenueRejected only for a refusal that the table knows as definitive, else OutcomeUnknown.
        """
        call = self._call(route, params, priority, is_write=True, deadline_ts=deadline_ts)
        return payload_of_write(self._dialect, await self._transport.send(call))

    async def cancel(self, route: Route, params: Mapping[str, Any]) -> str:
        """Ask for a cancel, once, and return what was said to it, empty when it was taken.

        A refused cancel is no proof of anything, so a refusal is not an error here.
        Raises: OutcomeUnknown when no readable answer came.
        """
        answer = await self._transport.send(self._call(route, params, Priority.EXIT, is_write=True))
        refusal = self._dialect.read_refusal(answer)
        return "" if refusal is None else str(error_of_write(self._dialect, *refusal))

    @staticmethod
    def _call(
        route: Route,
        params: Mapping[str, Any],
        priority: Priority,
        *,
        weight: float | None = None,
        is_write: bool = False,
        deadline_ts: int | None = None,
    ) -> RoutedCall:
        return RoutedCall(
            route.method,
            route.path,
            priority=priority,
            weight=weight or route.weight,
            is_write=is_write,
            deadline_ts=deadline_ts,
            route=route,
            params=params,
        )

    async def close(self) -> None:
        await self._transport.close()
