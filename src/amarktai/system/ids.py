"""UUIDv7 from a clock and random bits: one implementation, repeatable when both are."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from amarktai.ports.clock import Clock
from amarktai.ports.rng import Rng

_COUNTER_BITS: Final = 12


class TimeIds:
    """RFC 9562 UUIDv7 with a counter in ``rand_a``, so that ids of one millisecond stay in order."""

    def __init__(self, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._last_ms = 0
        self._counter = 0

    def new(self) -> UUID:
        ms = self._clock.now_ns() // 1_000_000
        if ms > self._last_ms:
            self._last_ms, self._counter = ms, 0
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._last_ms, self._counter = self._last_ms + 1, 0
        value = self._last_ms << 80 | 0x7 << 76 | self._counter << 64 | 0b10 << 62
        return UUID(int=value | int.from_bytes(self._rng.bytes(8)) >> 2)
