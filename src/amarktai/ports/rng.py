"""Randomness as a port: the operating system's in production, seeded in replay and tests."""

from __future__ import annotations

from typing import Protocol


class Rng(Protocol):
    def bytes(self, count: int) -> bytes:
        """Return random bytes."""

    def uniform(self) -> float:
        """Return a float in [0, 1)."""
