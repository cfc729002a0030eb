"""One request budget per (venue, IP), shared by all users, bots and purposes of this process.

A token bucket that refills evenly. Requests of lower priority leave a part of it alone: cancels and
exits always find room, and history waits for everything else. A ban that the venue announces
(Retry-After, HTTP 418 or 429) stops all requests until it is over.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import RateLimited
from amarktai.ports.clock import Clock


class Priority(IntEnum):
    """What a request is for, the most urgent first."""

    EXIT = 0  # cancels and orders that lower risk
    ORDER = 1  # other orders, reconciles
    QUOTE = 2  # market data that decisions are made on
    HISTORY = 3  # back-fill, warm-up


#: Share of the bucket that a priority leaves to the more urgent ones.
RESERVED: Final = {Priority.EXIT: 0.0, Priority.ORDER: 0.3, Priority.QUOTE: 0.4, Priority.HISTORY: 0.6}
#: Burst: how many seconds of the budget the bucket holds when it is full.
_BUCKET_S: Final = 10.0


class RequestBudget:
    """Spreads requests over time. Waits in the clock's time, in order of priority."""

    def __init__(self, venue: str, requests_per_minute: int, clock: Clock) -> None:
        self.venue = venue
        self._per_ns = requests_per_minute / (60 * NS_PER_S)
        self._capacity = max(1.0, requests_per_minute * _BUCKET_S / 60)
        self._tokens = self._capacity
        self._clock = clock
        self._filled_ts = clock.now_ns()
        self._banned_until_ts = 0
        self._waiting: dict[Priority, int] = dict.fromkeys(Priority, 0)

    @property
    def banned_until_ts(self) -> int | None:
        """Return when the venue lets us ask again (ns), None when it does now."""
        return self._banned_until_ts if self._banned_until_ts > self._clock.now_ns() else None

    def wait_ns(self, priority: Priority, weight: float = 1.0) -> int:
        """Return how long a request has to wait by now; 0 when it may go at once."""
        now = self._refill()
        ban = max(0, self._banned_until_ts - now)
        # A bucket smaller than the reserve and the request together would never let it through.
        needed = min(weight + RESERVED[priority] * self._capacity, self._capacity)
        short = needed - self._tokens
        return max(ban, 0 if short <= 0 else int(short / self._per_ns) + 1)

    async def acquire(self, priority: Priority, weight: float = 1.0) -> None:
        """Wait for room and take it. A more urgent request that waits goes first."""
        self._waiting[priority] += 1
        try:
            while True:
                wait = self.wait_ns(priority, weight)
                urgent = any(self._waiting[other] for other in Priority if other < priority)
                if wait == 0 and not urgent:
                    break
                await self._clock.sleep(max(wait / NS_PER_S, 0.001))
                await asyncio.sleep(0)
        finally:
            self._waiting[priority] -= 1
        self._tokens -= weight

    def take_now(self, priority: Priority, weight: float = 1.0) -> None:
        """Take room without waiting.

        Raises: RateLimited with the time to wait.
        """
        wait = self.wait_ns(priority, weight)
        if wait:
            seconds = -(-wait // NS_PER_S)
            raise RateLimited(
                "VENUE_BUDGET",
                f"The request budget of {self.venue} is used up",
                f"Try again in {seconds} s.",
                retry_after_s=seconds,
            )
        self._tokens -= weight

    def ban(self, seconds: float) -> None:
        """Stop all requests for that long, because the venue said so. A shorter ban changes nothing."""
        self._refill()
        self._banned_until_ts = max(self._banned_until_ts, self._clock.now_ns() + round(seconds * NS_PER_S))
        self._tokens = 0.0

    def _refill(self) -> int:
        """Add what has come in since the last look; a clock that steps back adds nothing."""
        now = self._clock.now_ns()
        elapsed = max(0, now - self._filled_ts)
        self._tokens = min(self._capacity, self._tokens + elapsed * self._per_ns)
        self._filled_ts = now
        return now
