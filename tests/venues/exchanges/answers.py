"""An exchange that answers route by route as a test says. It stands behind httpx, not behind our code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderRequest
from amarktai.venues.account import AccountParts
from amarktai.venues.budget import RequestBudget
from amarktai.venues.spec import VenueSpec
from amarktai.venues.transport import Signer, Transport
from tests.fakes import HandClock, SeededIds, SeededRng

Reply = tuple[int, Any] | Callable[[httpx.Request], tuple[int, Any]] | type[httpx.HTTPError]


class Answers:
    """Replies by (method, path without query). Every request is kept."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Reply] = {}
        self.requests: list[httpx.Request] = []
        self.clock = HandClock()
        self.budget = RequestBudget("test", 100_000, self.clock)

    def on(self, route: str, status: int, body: Any) -> None:
        """Answer ``METHOD /path`` with a JSON body."""
        method, path = route.split(" ")
        self.routes[method, path] = (status, body)

    def call(self, route: str, reply: Reply) -> None:
        """Answer ``METHOD /path`` by a function, or break off with an error of httpx."""
        method, path = route.split(" ")
        self.routes[method, path] = reply

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.routes.get((request.method, request.url.path))
        if reply is None:
            raise AssertionError(f"no answer for {request.method} {request.url.path}")
        if isinstance(reply, type):
            raise reply("broken off")
        status, body = reply(request) if callable(reply) else reply
        return httpx.Response(status, content=json.dumps(body).encode())

    def transport(self, platform: Platform, sign: Signer = lambda call: call) -> Transport:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return Transport(platform, "https://exchange", self.budget, self.clock, sign=sign, client=client)

    def parts(self, spec: VenueSpec, *watched: Instrument) -> AccountParts:
        """Return what an account at this exchange is opened with."""
        return AccountParts(
            "main", spec.instruments, [item.id for item in watched], self.clock, SeededRng(), self.budget
        )

    def order(self, instrument: Instrument, price: int, seconds: int, /, **change: Any) -> OrderRequest:
        """Return a limit buy of 0.001 that may leave for so long, changed as a test wants it."""
        now = self.clock.now_ns()
        buy = OrderRequest(
            order_id=SeededIds(self.clock).new(), instrument_id=instrument.id, side=Side.BUY,
            type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(price), stop_price=None,
            post_only=False, reduce_only=False, oco_group=None, sent_ts=now,
            deadline_ts=now + seconds * NS_PER_S,
        )  # fmt: skip
        return replace(buy, **change)

    def sent(self, route: str) -> list[httpx.Request]:
        method, path = route.split(" ")
        return [item for item in self.requests if (item.method, item.url.path) == (method, path)]
