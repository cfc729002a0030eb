"""Leases as a port: one holder at a time, with a token that fences off whoever held it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do something alone. A later holder has a higher token."""

    name: str
    holder: str
    fencing_token: int


class Leases(Protocol):
    async def take(self, name: str, holder: str, now_ns: int, *, ttl_s: float) -> Lease:
        """Take a free or expired lease. Raises: Conflict LEASE_HELD naming the holder."""

    async def renew(self, lease: Lease, now_ns: int, *, ttl_s: float) -> bool:
        """Extend a lease that is still ours; False when it is not."""

    async def give_up(self, lease: Lease) -> None:
        """Let the next holder in at once."""
