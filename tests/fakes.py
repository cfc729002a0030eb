"""Fakes of the ports that many tests share: time moved by hand, seeded randomness, repeatable ids."""

from __future__ import annotations

import asyncio
import hashlib
from uuid import UUID

_START_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


class HandClock:
    """A clock that moves only when a test says so; sleepers wait for that."""

    def __init__(self, now_ns: int = _START_NS) -> None:
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, seconds: float) -> None:
        self._now_ns += round(seconds * 1_000_000_000)
        for until, event in self._sleepers:
            if until <= self._now_ns:
                event.set()

    def advance_to(self, ts_ns: int) -> None:
        self.advance(max(0, ts_ns - self._now_ns) / 1_000_000_000)

    async def sleep(self, seconds: float) -> None:
        sleeper = (self._now_ns + round(seconds * 1_000_000_000), asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    @property
    def sleeper_count(self) -> int:
        """Return how many tasks wait for time to pass."""
        return len(self._sleepers)


class HandStopFile:
    """The file that stops everybody, without a disk."""

    def __init__(self) -> None:
        self.text: str | None = None

    def reason(self) -> str | None:
        return self.text

    def write(self, reason: str) -> None:
        self.text = reason

    def remove(self) -> None:
        self.text = None


class SeededRng:
    """Random-looking bytes that follow from the seed."""

    def __init__(self, seed: str = "seed") -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            self._drawn += 1
            out += hashlib.sha256(self._seed + self._drawn.to_bytes(8)).digest()
        return out[:count]

    def uniform(self) -> float:
        return int.from_bytes(self.bytes(6)) / 2**48


class SeededIds:
    """UUIDv7 of the fake clock's time with seeded random bits."""

    def __init__(self, clock: HandClock, seed: str = "ids") -> None:
        self._clock = clock
        self._rng = SeededRng(seed)
        self._made = 0

    def new(self) -> UUID:
        self._made += 1
        millis = self._clock.now_ns() // 1_000_000
        value = (millis << 80) | (0x7 << 76) | ((self._made & 0xFFF) << 64) | (0b10 << 62)
        return UUID(int=value | (int.from_bytes(self._rng.bytes(8)) >> 2))
