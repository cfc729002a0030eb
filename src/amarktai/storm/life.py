"""One life of the engine: from its lease to the moment something ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Conflict, Unavailable
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import Quote
from amarktai.ports.leases import Lease, Leases
from amarktai.ports.venue import OrderReport
from amarktai.services.arrivals import Arrivals
from amarktai.services.engine import TradingEngine
from amarktai.services.fleet import quote_rows
from amarktai.services.live_accounts import LiveAccounts
from amarktai.services.orders import OrderService
from amarktai.storm.loop import Killed, Turn
from amarktai.storm.weather import Fault, Weather

BAR_S: Final = 300
LEASE_TTL_S: Final = 60.0
_LEASE_RENEWAL_S: Final = 20.0
_LEASE_POLL_S: Final = 5.0
_SETTLE_EVERY_S: Final = 5.0
#: Without an order in doubt it is done in one round of so many, which costs less and misses nothing.
_CALM_ROUNDS: Final = 6
_KEYS_EVERY_S: Final = 60.0
_LOOK_EVERY_S: Final = 1.0
_SAVE_EVERY_S: Final = 120.0
#: So much after its end a bar closes.
_GRACE_NS: Final = NS_PER_S // 20


class Lifeline:
    """Where a life can end or stand still: wherever it is about to touch the world outside its memory.

    Between two such points only memory changes, so ending a life at each of them is ending it anywhere.
    """

    def __init__(self, weather: Weather, turn: Turn) -> None:
        self._weather = weather
        self._turn = turn
        self._thawed = asyncio.Event()
        self._thawed.set()
        self.is_dead = False

    @property
    def is_frozen(self) -> bool:
        return not self._thawed.is_set()

    async def point(self) -> None:
        """Pass a point where the process may be killed or frozen. Raises: Killed.

        It dies when its turn at the database has come: what PostgreSQL makes of a statement that is cut off
        depends on the machine, and a storm must not.
        """
        self.check()
        if self._weather.strikes(Fault.KILLED):
            await self.kill()
        self.check()
        if self._weather.strikes(Fault.FROZEN):
            self._thawed.clear()
        await self._thawed.wait()
        self.check()

    def die_if_struck(self) -> None:
        """Pass a point in the middle of a transaction, where nothing can wait. Raises: Killed."""
        self.check()
        if self._weather.strikes(Fault.KILLED):
            self.end()
        self.check()

    async def kill(self) -> None:
        """End it while none of its statements is under way."""
        async with self._turn.taken():
            self.end()

    def end(self) -> None:
        self.is_dead = True
        self._thawed.set()

    def thaw(self) -> None:
        self._thawed.set()

    def check(self) -> None:
        """Raises: Killed once it is dead."""
        if self.is_dead:
            raise Killed


@dataclass(frozen=True, slots=True)
class LifeParts:
    """What one engine is made of, all of it its own."""

    clock: Clock
    engine: TradingEngine
    orders: OrderService
    accounts: LiveAccounts
    arrivals: Arrivals
    lease: Lease
    leases: Leases
    lifeline: Lifeline
    row_of: dict[str, int]


class Life:
    """Runs the engine's duties side by side, as ``workers.engine`` does, at the storm's pace."""

    def __init__(
        self,
        parts: LifeParts,
        quotes: Callable[[], Sequence[Quote]],
        disconnect: Callable[[], Awaitable[None]],
    ) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._quotes = quotes
        self._disconnect = disconnect
        self._lock = asyncio.Lock()
        self.lifeline = parts.lifeline
        self.accounts = parts.accounts

    async def run(self) -> None:
        """Trade until something ends it."""
        parts = self._parts
        try:
            await parts.engine.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read_market())
                group.create_task(self._hear())
                group.create_task(self._settle())
                group.create_task(self._save())
                group.create_task(self._keep_lease())
                group.create_task(self._look_after_accounts(group))
        finally:
            await parts.accounts.close()
            await self._disconnect()

    async def reload(self, user_id: UUID, bot_id: UUID) -> None:
        async with self._lock:
            await self._parts.engine.reload(user_id, bot_id)

    async def _save(self) -> None:
        while True:
            await self._clock.sleep(_SAVE_EVERY_S)
            async with self._lock:
                await self._parts.engine.save()

    async def _settle(self) -> None:
        done = 0
        while True:
            await self._clock.sleep(_SETTLE_EVERY_S)
            done += 1
            if self._parts.orders.doubtful_users or done % _CALM_ROUNDS == 0:
                async with self._lock:
                    await self._parts.engine.settle()

    async def _read_market(self) -> None:
        while True:
            now = self._clock.now_ns()
            boundary = now - now % (BAR_S * NS_PER_S) + BAR_S * NS_PER_S
            await self._clock.sleep((boundary + _GRACE_NS - now) / NS_PER_S)
            async with self._lock:
                await self._parts.engine.tick(self._clock.now_ns())
                quotes = self._quotes()
                if quotes:
                    rows = quote_rows(quotes, self._parts.row_of, self._clock.now_ns())
                    await self._parts.engine.process(rows)

    async def _hear(self) -> None:
        while True:
            await self._parts.arrivals.wait()
            async with self._lock:
                await self._parts.engine.hear()

    async def _book(self, user_id: UUID, reports: Sequence[OrderReport]) -> None:
        async with self._lock:
            await self._parts.engine.book_live(user_id, reports)

    async def _look_after_accounts(self, group: asyncio.TaskGroup) -> None:
        accounts, next_look = self._parts.accounts, 0
        while True:
            if self._clock.now_ns() >= next_look:
                await accounts.follow_keys(group)
                next_look = self._clock.now_ns() + round(_KEYS_EVERY_S * NS_PER_S)
            for account in accounts.accounts:
                if account.is_due:
                    group.create_task(account.reconcile(self._book))
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _keep_lease(self) -> None:
        parts = self._parts
        while True:
            await self._clock.sleep(_LEASE_RENEWAL_S)
            if not await parts.leases.renew(parts.lease, self._clock.now_ns(), ttl_s=LEASE_TTL_S):
                raise Unavailable("LEASE_LOST", "Another engine has taken over", "This one stops by itself.")


async def take_lease(leases: Leases, clock: Clock, holder: str) -> Lease:
    """Take the engine's lease as soon as nobody holds it."""
    while True:
        try:
            return await leases.take("engine", holder, clock.now_ns(), ttl_s=LEASE_TTL_S)
        except Conflict:
            await clock.sleep(_LEASE_POLL_S)
