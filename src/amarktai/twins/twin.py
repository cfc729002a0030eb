"""What every twin shares: accounts, engine, faults, the way of a call, and its connections."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import ClassVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from amarktai.domain.errors import InvalidInput
from amarktai.ports.clock import Clock
from amarktai.ports.rng import Rng
from amarktai.twins.accounts import Account, Permission, check_accounts
from amarktai.twins.calls import Answer, Call, Refusal, Route, Router
from amarktai.twins.candles import Candles
from amarktai.twins.faults import Fault, FaultKind, Faults
from amarktai.twins.limits import Bans
from amarktai.twins.market import Crowd, SyntheticCrowd
from amarktai.twins.matching import Event, Exchange
from amarktai.twins.orders import BookChange, Market
from amarktai.twins.rules import Rules, arithmetic
from amarktai.twins.streams import Connection


@dataclass(frozen=True, slots=True)
class Setting:
    """With what a twin is made. ``markets`` and ``crowds`` default to the exchange's own and synthetic ones.

    ``is_quiet``: nobody reads the market's streams, so they are sent seldom.
    ``turn_s`` is how often the crowd moves; None: only when told to. ``limits_rates`` is off for
    benchmarks, which ask more often than any exchange allows.
    """

    accounts: Sequence[Account]
    clock: Clock
    rng: Rng
    markets: Sequence[Market] | None = None
    crowds: Mapping[str, Crowd] | None = None
    turn_s: float | None = 1.0
    is_quiet: bool = False
    limits_rates: bool = True


Listener = Callable[[Connection], Awaitable[None]]


class Twin(ABC):
    """One exchange. Subclasses say how it names, signs, limits, answers and refuses."""

    name: ClassVar[str]
    default_markets: ClassVar[Sequence[Market]]
    #: Seconds between the server's WebSocket pings; None where the exchange sends none.
    ping_s: ClassVar[float | None] = None
    keys_have_secrets: ClassVar[bool] = True

    def __init__(self, setting: Setting) -> None:
        self.clock, self.rng = setting.clock, setting.rng
        self.turn_s = setting.turn_s
        self.is_quiet = setting.is_quiet
        self.limits_rates = setting.limits_rates
        self.accounts = check_accounts(list(setting.accounts), have_secrets=self.keys_have_secrets)
        self.faults = Faults(setting.rng)
        self.bans = Bans()
        self.connections: list[Connection] = []
        self.down_until_ns = 0
        self.base_url = ""
        markets = list(setting.markets or self.default_markets)
        self.exchange = Exchange(markets, self.rules(), self.new_order_id)
        self.router = Router(self.routes())
        now = self.clock.now_ns()
        self.candles = {m.symbol: Candles(m, setting.rng.bytes(8), now) for m in markets}
        self.crowds: dict[str, Crowd] = {m.symbol: SyntheticCrowd(m, setting.rng) for m in markets}
        self._use_crowds(setting.crowds or {})
        self.exchange.listeners.append(self._on_events)
        for account in self.accounts.values():
            for asset, amount in account.balances.items():
                self.exchange.deposit(account.key, asset, amount, now, "opening balance")
        self.move_markets()

    @classmethod
    def make_up_key(cls, rng: Rng) -> tuple[str, str, str]:
        """Return a key, its secret and its passphrase in the exchange's form; empty where it has none."""
        return rng.bytes(32).hex(), rng.bytes(32).hex(), ""

    # -- what an exchange defines --------------------------------------------------------------------

    @abstractmethod
    def rules(self) -> Rules:
        """Return how the engine treats client ids, fees and doubtful orders."""

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Return every endpoint."""

    @abstractmethod
    def new_order_id(self, number: int) -> str:
        """Return the exchange's id for its n-th order."""

    @abstractmethod
    def authenticate(self, call: Call, route: Route) -> Account:
        """Return whose call it is. Raises: Refusal in the exchange's own form."""

    @abstractmethod
    def meter(self, call: Call, route: Route) -> None:
        """Count the call against the rate limits. Raises: Refusal when it is over one."""

    @abstractmethod
    def forbidden(self, call: Call, needed: Permission) -> Answer:
        """Return what a key without that right is told."""

    @abstractmethod
    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        """Return what a caller over its rate limit is told."""

    @abstractmethod
    def banned(self, call: Call, left_s: int) -> Answer:
        """Return what a banned address is told."""

    @abstractmethod
    def refused(self, call: Call) -> Answer:
        """Return a refusal that is not the caller's fault (REFUSE, REFUSE_AFTER)."""

    @abstractmethod
    def server_error(self, call: Call) -> Answer:
        """Return the exchange's 5xx (SERVER_ERROR, DONE_BUT_ERROR)."""

    @abstractmethod
    def unknown_route(self, call: Call) -> Answer:
        """Return what a path that does not exist is told."""

    @abstractmethod
    def listener(self, path: str) -> Listener | None:
        """Return what serves a WebSocket on that path."""

    @abstractmethod
    def on_events(self, events: Sequence[Event]) -> None:
        """Tell the connections what one action changed."""

    def headers(self, call: Call) -> dict[str, str]:
        """Return what every answer carries in its head."""
        return {}

    async def run(self) -> None:
        """Do what the exchange does by itself until cancelled."""
        if self.turn_s is None:
            return
        while True:
            await self.clock.sleep(self.turn_s)
            if not self.is_down:
                self.move_markets()

    # -- the way of a call -----------------------------------------------------------------------------

    @property
    def is_down(self) -> bool:
        return self.clock.now_ns() < self.down_until_ns

    async def answer(self, call: Call) -> Answer | None:
        """Return the answer, or None for a connection that breaks without one."""
        answer = await self._answer(call)
        if answer is not None:
            answer.headers |= self.headers(call)
        return answer

    async def _answer(self, call: Call) -> Answer | None:
        found = self.router.find(call.method, call.path)
        if found is None:
            return self.unknown_route(call)
        route, call.parts = found
        try:
            self._admit(call, route)
            call.fault = self.faults.take(route.operation, call.account.key if call.account else None)
            if call.fault is None:
                return route.handler(call)
            return await self._answer_with_fault(call, route, call.fault)
        except Refusal as refusal:
            return refusal.answer

    def _admit(self, call: Call, route: Route) -> None:
        """Check ban, rate limit, key and right. Raises: Refusal."""
        left_s = self.bans.left_s(call.address, call.now_ns)
        if left_s:
            raise Refusal(self.banned(call, left_s))
        if self.limits_rates:
            self.meter(call, route)
        if route.needs is None:
            return
        call.account = self.authenticate(call, route)
        if not call.account.allows(route.needs):
            raise Refusal(self.forbidden(call, route.needs))

    async def _answer_with_fault(self, call: Call, route: Route, fault: Fault) -> Answer | None:
        kind = fault.kind
        not_done = self._undone(call, fault)
        if kind is FaultKind.DROP_REQUEST or not_done is not None:
            return not_done
        if kind is FaultKind.DELAY:
            await self.clock.sleep(fault.seconds)
            call.now_ns = self.clock.now_ns()
        if fault.snapshot is not None:
            call.exchange = fault.snapshot
        answer = self._handled(call, route)
        if kind is FaultKind.DUPLICATE:
            answer = self._handled(call, route)
        if kind is FaultKind.DELAY_REPLY:
            await self.clock.sleep(fault.seconds)
        if kind is FaultKind.DROP_REPLY:
            return None
        if kind is FaultKind.DONE_BUT_ERROR:
            return self.server_error(call)
        return self.refused(call) if kind is FaultKind.REFUSE_AFTER else answer

    def _handled(self, call: Call, route: Route) -> Answer:
        try:
            return route.handler(call)
        except Refusal as refusal:
            return refusal.answer

    def _undone(self, call: Call, fault: Fault) -> Answer | None:
        """Return the answer of a fault that keeps the exchange from doing anything."""
        retry_after_s = max(1, round(fault.seconds))
        match fault.kind:
            case FaultKind.REFUSE:
                return self.refused(call)
            case FaultKind.SERVER_ERROR:
                return self.server_error(call)
            case FaultKind.RATE_LIMIT:
                return self.too_many(call, retry_after_s)
            case FaultKind.BAN:
                self.bans.ban(call.address, retry_after_s, call.now_ns)
                return self.banned(call, retry_after_s)
            case _:
                return None

    # -- connections -----------------------------------------------------------------------------------

    async def serve_socket(self, socket: WebSocket) -> None:
        """Serve one WebSocket until either side ends it."""
        client = socket.client
        listener = self.listener(socket.url.path)
        if self.is_down or client is None:
            socket.scope["state"]["transport"].abort()
            return
        if listener is None or self.bans.left_s(client.host, self.clock.now_ns()):
            await socket.close()
            return
        connection = Connection(socket, self.faults, self.clock.now_ns, socket.headers, client.host)
        await socket.accept()
        self.connections.append(connection)
        writer = asyncio.create_task(connection.write())
        try:
            with suppress(WebSocketDisconnect):  # the client left: nothing is owed to it
                await listener(connection)
                connection.cut_off()
                await writer
        finally:
            self.connections.remove(connection)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    def connections_of(self, key: str) -> list[Connection]:
        """Return the account's open connections."""
        return [c for c in self.connections if c.account is not None and c.account.key == key]

    # -- the world -------------------------------------------------------------------------------------

    def move_markets(self) -> None:
        """Let each crowd take one turn."""
        with localcontext(arithmetic()):
            for symbol, crowd in self.crowds.items():
                if symbol not in self.exchange.suspended:
                    crowd.move(self.exchange, self.clock.now_ns())

    def last_price(self, symbol: str, exchange: Exchange | None = None) -> Decimal:
        """Return the latest trade's price; every market has had one when the twin starts."""
        last = (exchange or self.exchange).books[symbol].last
        return self.exchange.markets[symbol].start_price if last is None else last

    def _on_events(self, events: Sequence[Event]) -> None:
        with localcontext(arithmetic()):
            for event in events:
                if isinstance(event, BookChange):
                    for trade in event.trades:
                        self.candles[event.market].add(trade)
            self.on_events(events)

    def _use_crowds(self, crowds: Mapping[str, Crowd]) -> None:
        unknown = sorted(crowds.keys() - self.crowds.keys())
        if unknown:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"{self.name} has no market {unknown[0]}",
                "Its markets here: " + ", ".join(sorted(self.crowds)),
            )
        self.crowds.update(crowds)
