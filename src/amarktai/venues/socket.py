"""A WebSocket that stays: it connects anew after every loss, and says each time that something was lost.

What the frames mean is the exchanges' business. A connection that is silent for too long is taken for
dead, although it stands. Nothing that was sent before a loss is sent again by itself: whoever reads
``messages`` greets and subscribes at each ``Opened``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.ports.clock import Clock
from amarktai.ports.rng import Rng
from amarktai.venues.backoff import LONGEST_PAUSE_S, Backoff
from amarktai.venues.budget import RequestBudget
from amarktai.venues.transport import BAN_S

OPEN_TIMEOUT_S: Final = 10.0
#: A full order book of an exchange in one frame.
LARGEST_FRAME: Final = 16 * 1024 * 1024
_LIMITED: Final = frozenset({418, 429})
_REFUSED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class SocketPlan:
    """How one stream is connected and kept.

    ``address`` is asked before each connection, for it may hold a fresh token; ``headers`` for each
    handshake, for they may be signed. ``ping`` gives the exchange's own heartbeat message, sent every
    ``ping_every_s``; None where the protocol's pings are enough. ``silence_s`` is how long nothing may
    come before the connection counts as dead.
    """

    platform: Platform
    address: Callable[[], Awaitable[str]]
    headers: Callable[[], Mapping[str, str]] = dict
    ping: Callable[[], str] | None = None
    ping_every_s: float = 30.0
    silence_s: float = 60.0


def fixed(address: str) -> Callable[[], Awaitable[str]]:
    """Return an address that never changes as ``SocketPlan.address`` wants it."""

    async def same() -> str:
        return address

    return same


@dataclass(frozen=True, slots=True)
class Opened:
    """A new connection stands; nothing was sent on it yet."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone, or could not be made. The next try is at ``retry_at_ts`` (ns)."""

    reason: str
    retry_at_ts: int


@dataclass(slots=True)
class _Life:
    """One connection while it stands. ``ending`` is why we ended it ourselves."""

    connection: ClientConnection
    opened_ts: int
    heard_ts: int
    ending: str | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class ReconnectingSocket:
    """One stream of one exchange. ``budget`` learns of bans that the handshake tells."""

    def __init__(self, plan: SocketPlan, clock: Clock, rng: Rng, budget: RequestBudget | None = None) -> None:
        self._plan = plan
        self._clock = clock
        self._budget = budget
        self._backoff = Backoff(rng)
        self._life: _Life | None = None
        self._name = DISPLAY_NAMES[plan.platform]

    async def messages(self) -> AsyncIterator[bytes | Opened | Lost]:
        """Yield ``Opened``, then the frames as they were sent, then ``Lost``, and so on until canceled."""
        while True:
            try:
                life = await self._open()
            except (OSError, WebSocketException, TimeoutError, Unavailable) as error:
                lost = self._lost(self._refusal(error))
            else:
                yield Opened()
                try:
                    async for frame in self._frames(life):
                        yield frame
                finally:
                    await self._end(life)
                if self._clock.now_ns() - life.opened_ts >= LONGEST_PAUSE_S * NS_PER_S:
                    self._backoff.reset()  # a connection that lived: not one that opens and falls at once
                lost = self._lost(life.ending or _why_closed(life.connection))
            yield lost
            await self._clock.sleep(max(0, lost.retry_at_ts - self._clock.now_ns()) / NS_PER_S)

    async def send(self, text: str) -> None:
        """Send a frame on the present connection; on a lost one it is dropped, and ``Lost`` follows."""
        if self._life is None:
            return
        try:
            await self._life.connection.send(text)
        except ConnectionClosed:
            return  # the reader meets the same end and reports it

    async def restart(self, reason: str) -> None:
        """End the present connection, because what came over it cannot be relied on; a new one follows."""
        if self._life is not None:
            self._life.ending = reason
            await self._life.connection.close()

    async def _open(self) -> _Life:
        connection = await connect(
            await self._plan.address(),
            additional_headers=dict(self._plan.headers()),
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1.0,
            max_size=LARGEST_FRAME,
        )
        now = self._clock.now_ns()
        life = _Life(connection, now, now)
        life.tasks.append(asyncio.create_task(self._watch(life)))
        if self._plan.ping is not None:
            life.tasks.append(asyncio.create_task(self._beat(life, self._plan.ping)))
        self._life = life
        return life

    async def _frames(self, life: _Life) -> AsyncIterator[bytes]:
        while True:
            try:
                frame = await life.connection.recv(decode=False)
            except ConnectionClosed:
                return
            life.heard_ts = self._clock.now_ns()
            yield frame

    async def _watch(self, life: _Life) -> None:
        """End the connection once it has been silent for too long."""
        limit = round(self._plan.silence_s * NS_PER_S)
        while (left := life.heard_ts + limit - self._clock.now_ns()) > 0:
            await self._clock.sleep(left / NS_PER_S)
        life.ending = f"{self._name} has sent nothing for {self._plan.silence_s:.0f} s."
        await life.connection.close()

    async def _beat(self, life: _Life, ping: Callable[[], str]) -> None:
        try:
            while True:
                await self._clock.sleep(self._plan.ping_every_s)
                await life.connection.send(ping())
        except ConnectionClosed:
            return  # the reader meets the same end and reports it

    async def _end(self, life: _Life) -> None:
        self._life = None
        for task in life.tasks:
            task.cancel()
        await asyncio.gather(*life.tasks, return_exceptions=True)
        await life.connection.close()

    def _lost(self, reason: str) -> Lost:
        retry_at_ts = self._clock.now_ns() + round(self._backoff.next_s() * NS_PER_S)
        banned_until_ts = self._budget.banned_until_ts if self._budget is not None else None
        return Lost(reason, max(retry_at_ts, banned_until_ts or 0))

    def _refusal(self, error: Exception) -> str:
        """Return why no connection came about, in a sentence."""
        if isinstance(error, Unavailable):
            return error.detail
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            if status in _LIMITED and self._budget is not None:
                told = error.response.headers.get("Retry-After", "")
                self._budget.ban(float(told) if told.isdigit() else BAN_S)
            if status in _REFUSED:
                return (
                    f"{self._name} refuses the stream (HTTP {status}): the key, its rights or its addresses."
                )
            return f"{self._name} refuses the stream (HTTP {status})."
        if isinstance(error, TimeoutError):
            return f"{self._name}'s stream did not answer in time."
        return f"{self._name}'s stream cannot be reached ({type(error).__name__})."


def _why_closed(connection: ClientConnection) -> str:
    code = connection.close_code
    return f"The stream ended (code {code})." if code is not None else "The stream broke off."
