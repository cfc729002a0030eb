"""Keeping secrets: sealing and opening them, proving at start that they can be opened, rotation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from amarktai.domain.errors import Unavailable
from amarktai.ports.accounts import Accounts, AccountUnit
from amarktai.ports.rng import Rng
from amarktai.ports.secrets import KeyRing, KeyRingSource, Sealed, SecretPlace
from amarktai.services.audit import SYSTEM, AuditTrail
from amarktai.services.envelope import rewrap, seal, unseal

_USERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RotationReport:
    """What a rotation did: the key that wraps everything now, and how many secrets it wrapped anew."""

    kek_id: str
    rewrapped: int


class Vault:
    """Seals secrets into rows and opens them. Nothing that it returns may be logged."""

    def __init__(self, accounts: Accounts, source: KeyRingSource, audit: AuditTrail, rng: Rng) -> None:
        self._accounts = accounts
        self._source = source
        self._audit = audit
        self._rng = rng

    async def seal(self, unit: AccountUnit, place: SecretPlace, secret: bytes) -> Sealed:
        """Encrypt a secret that the same transaction is going to write."""
        await unit.sealed.share_lock()  # first: a rotation must not end between the reading and the commit
        return seal(secret, place, self._source.read().current, self._rng)

    def unseal(self, sealed: Sealed, place: SecretPlace) -> bytes:
        """Decrypt a secret of this row. Raises: SecretUnreadable."""
        return unseal(sealed, place, self._source.read())

    async def prepare(self) -> None:
        """Make the first encryption key, or prove that the one that is there opens what is stored.

        Raises: Unavailable KEY_ENCRYPTION when secrets are stored that no known key opens; InvalidInput
        for a key that is weak, malformed or open to others.
        """
        needed = await self._needed()
        if not needed and not self._source.exists():
            self._source.create()
        ring = self._ring(needed)
        unknown = sorted(kek_id for kek_id in needed if ring.get(kek_id) is None)
        if unknown:
            raise _missing(self._source.place, unknown)

    async def rotate(self) -> RotationReport:
        """Wrap every secret with a new key, while others read and write; called again, it goes on.

        Until the last secret is wrapped anew the old key stays in its place beside the new one, so a
        stop at any moment loses nothing.
        """
        await self.prepare()
        ring = self._source.begin_rotation()
        rewrapped = 0
        async for user_id in self._users():
            async with self._accounts.unit(user_id) as unit:
                rewrapped += await self._rewrap_tenant(unit, ring)
        # Whoever read the old ring before the new one was there has committed once this lock is held.
        async with self._accounts.unit(None) as unit:
            await unit.sealed.exclude_lock()
        async for user_id in self._users():
            async with self._accounts.unit(user_id) as unit:
                rewrapped += await self._rewrap_tenant(unit, ring)
        async with self._accounts.unit(None) as unit:
            after = {"encryption_key": ring.current.id, "rewrapped": rewrapped}
            await self._audit.record(unit.audit, SYSTEM, "keys.rotated", ("keys", "all"), after=after)
        self._source.finish_rotation()
        return RotationReport(ring.current.id, rewrapped)

    async def _rewrap_tenant(self, unit: AccountUnit, ring: KeyRing) -> int:
        rows = await unit.sealed.under_other_keks(ring.current.id)
        for place, sealed in rows:
            await unit.sealed.rewrap(place, rewrap(sealed, place, ring, self._rng))
        return len(rows)

    async def _needed(self) -> set[str]:
        needed: set[str] = set()
        async for user_id in self._users():
            async with self._accounts.unit(user_id) as unit:
                needed |= await unit.sealed.kek_ids()
        return needed

    async def _users(self) -> AsyncIterator[UUID]:
        """Yield everybody, switched-off accounts included; a new account comes last."""
        after: UUID | None = None
        while True:
            async with self._accounts.unit(None) as unit:
                users = await unit.users.page(after, _USERS_AT_ONCE)
            for user in users:
                yield user.id
            if len(users) < _USERS_AT_ONCE:
                return
            after = users[-1].id

    def _ring(self, needed: set[str]) -> KeyRing:
        if needed and not self._source.exists():
            raise _missing(self._source.place, sorted(needed))
        return self._source.read()


def _missing(place: str, kek_ids: list[str]) -> Unavailable:
    return Unavailable(
        "KEY_ENCRYPTION",
        f"Saved keys are encrypted with the encryption key {', '.join(kek_ids)}, which is not in {place}.",
        "Put the right key back from your backup. Without it the saved keys cannot be read by anybody.",
    )
