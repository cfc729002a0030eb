"""Randomness from the operating system, and repeatable randomness from a seed."""

from __future__ import annotations

import hashlib
import os


class SystemRng:
    def bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def uniform(self) -> float:
        return int.from_bytes(os.urandom(7)) / 2**56


class SeededRng:
    """SHA-256 in counter mode: the same seed gives the same bytes on every machine."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._block = 0
        self._pool = b""

    def bytes(self, count: int) -> bytes:
        while len(self._pool) < count:
            self._pool += hashlib.sha256(self._seed + self._block.to_bytes(8)).digest()
            self._block += 1
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken

    def uniform(self) -> float:
        return int.from_bytes(self.bytes(6)) / 2**48
