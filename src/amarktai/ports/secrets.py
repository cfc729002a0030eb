"""Secrets at rest as a port: the keys that encrypt them, and what an encrypted one looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Kek:
    """A key-encryption key: 256 bits. ``id`` is derived from it and tells nothing about it."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key-encryption keys that are known, the present one first; older ones only during a rotation."""

    keys: tuple[Kek, ...]

    @property
    def current(self) -> Kek:
        return self.keys[0]

    def get(self, kek_id: str) -> Kek | None:
        return next((kek for kek in self.keys if kek.id == kek_id), None)


class KeyRingSource(Protocol):
    """Where the key ring is kept. It is read anew each time, so that a rotation reaches every process."""

    @property
    def place(self) -> str:
        """Return where people find it, for messages."""

    def exists(self) -> bool: ...

    def read(self) -> KeyRing:
        """Raises: InvalidInput KEY_ENCRYPTION for a weak, open or malformed one; Unavailable when absent."""

    def create(self) -> None:
        """Make the first key; one that is there already stays. Raises: InvalidInput where it cannot."""

    def begin_rotation(self) -> KeyRing:
        """Put a new key before the present one; go on with a rotation that was begun."""

    def finish_rotation(self) -> None:
        """Forget every key but the present one."""


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Which row a secret belongs to. A secret in any other row does not open."""

    purpose: str
    user_id: UUID
    name: str
    version: UUID


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted secret: its own key, wrapped by the key-encryption key ``kek_id``, and itself."""

    version: UUID
    kek_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class SealedRows(Protocol):
    """The tenant's encrypted secrets, whatever they are for: what a rotation goes through."""

    async def share_lock(self) -> None:
        """Keep a rotation from ending until the commit. Take it before the key ring is read."""

    async def exclude_lock(self) -> None:
        """Wait for everybody who is writing a secret, and keep others from it until the commit."""

    async def kek_ids(self) -> set[str]:
        """Return which key-encryption keys the tenant's secrets need."""

    async def under_other_keks(self, kek_id: str) -> list[tuple[SecretPlace, Sealed]]:
        """Return the tenant's secrets that another key than ``kek_id`` wraps, locked until the commit."""

    async def rewrap(self, place: SecretPlace, sealed: Sealed) -> None:
        """Store the new wrapping of a secret."""
