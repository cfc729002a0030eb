"""One HTTP call as a twin sees it, its answer, and the table of what a twin answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import orjson

from amarktai.twins.accounts import Account, Permission
from amarktai.twins.faults import Fault, FaultKind, Operation
from amarktai.twins.matching import Exchange
from amarktai.twins.orders import Order

Row = TypeVar("Row")


@dataclass(slots=True)
class Answer:
    """What goes back. ``body`` is JSON unless it is bytes already."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


class Refusal(Exception):
    """The call ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Call:
    """A request. ``exchange`` is what it reads: the real one, or an earlier one under a stale fault."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    now_ns: int
    exchange: Exchange
    parts: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    fault: Fault | None = None
    _params: dict[str, str] | None = None

    @property
    def target(self) -> str:
        """The path with its query, as it was sent: what most exchanges sign."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def now_ms(self) -> int:
        return self.now_ns // 1_000_000

    @property
    def owner(self) -> Account:
        """The account of an authenticated call."""
        if self.account is None:
            raise LookupError("the route is public")
        return self.account

    @property
    def params(self) -> dict[str, str]:
        """The parameters of query and form body; of a name given twice, the last."""
        if self._params is None:
            self._params = dict(parse_qsl(self.query, keep_blank_values=True))
            if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
                self._params |= dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return self._params

    def all(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for key, value in parse_qsl(self.query, keep_blank_values=True) if key == name]

    def json(self) -> Any:
        """Return the JSON body, {} when there is none. Raises: ValueError."""
        return orjson.loads(self.body) if self.body else {}

    def order(self, order_id: str) -> Order | None:
        """Return the caller's order, unless a fault hides it."""
        order = self.exchange.orders.get(order_id)
        return None if order is None or order.wish.account != self.owner.key else self._unless_hidden(order)

    def order_by_client_id(self, client_id: str) -> Order | None:
        """Return the caller's latest order of that client id, unless a fault hides it."""
        return self._unless_hidden(self.exchange.by_client_id(self.owner.key, client_id))

    def _unless_hidden(self, order: Order | None) -> Order | None:
        return None if self._is_struck(FaultKind.NOT_FOUND) else order

    def listed(self, rows: Sequence[Row], limit: int) -> list[Row]:
        """Return rows (oldest first) of a listing, without the newest page under that fault."""
        return list(rows[:-limit]) if self._is_struck(FaultKind.MISSING_PAGE) else list(rows)

    def _is_struck(self, kind: FaultKind) -> bool:
        return self.fault is not None and self.fault.kind is kind


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. ``needs`` is None for a public one; ``weight`` is what it costs in rate limits."""

    method: str
    path: str
    operation: Operation
    handler: Handler
    needs: Permission | None = None
    weight: int = 1


_PART: Final = re.compile(r"\{(\w+)\}")


class Router:
    """Finds the route of a path; a literal path wins over one with parts."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._literal = {(r.method, r.path): r for r in routes if "{" not in r.path}
        self._patterns = [
            (re.compile(_PART.sub(r"(?P<\1>[^/]+)", r.path)), r) for r in routes if "{" in r.path
        ]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and the path's parts, or None."""
        route = self._literal.get((method, path))
        if route is not None:
            return route, {}
        for pattern, route in self._patterns:
            if route.method == method and (match := pattern.fullmatch(path)) is not None:
                return route, match.groupdict()
        return None
