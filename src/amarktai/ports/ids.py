"""Ids as a port: UUIDv7 from the clock, repeatable from a seed in replay."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    def new(self) -> UUID:
        """Return a fresh UUIDv7."""
