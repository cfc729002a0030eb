"""Users' provider keys, and the state of their exchange accounts, as ports of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.domain.provider import ProviderId, TestOutcome
from amarktai.ports.secrets import Sealed

#: What binds an encrypted key to its kind of row.
KEY_PURPOSE: Final = "api_key"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A saved key. ``hint`` is its last characters; ``last_test`` the verdict, never the raw answer."""

    provider: ProviderId
    sealed: Sealed
    hint: str
    fingerprint: str
    created_at: datetime
    updated_at: datetime
    last_tested_at: datetime | None = None
    last_outcome: TestOutcome | None = None
    last_test: Mapping[str, Any] | None = None


class ProviderKeyStore(Protocol):
    async def list(self) -> list[StoredKey]: ...

    async def get(self, provider: ProviderId) -> StoredKey | None: ...

    async def put(self, key: StoredKey) -> None:
        """Store a key in place of the one that is there; ``created_at`` of that one stays."""

    async def record_test(
        self,
        provider: ProviderId,
        version: UUID,
        outcome: TestOutcome,
        verdict: Mapping[str, Any],
        at: datetime,
    ) -> bool:
        """Store what a test of this version found; False when the key was changed meanwhile."""

    async def delete(self, provider: ProviderId) -> StoredKey | None: ...


class AccountState(StrEnum):
    """Whether orders that add risk may go to a user's account at an exchange."""

    ACTIVE = "active"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """A user's account at an exchange, as far as we hold it back."""

    platform: Platform
    state: AccountState
    reason: str | None
    changed_at: datetime


class VenueAccountStore(Protocol):
    async def list(self) -> dict[Platform, VenueAccount]:
        """Return the accounts that were ever halted; one that is absent is active."""

    async def put(self, account: VenueAccount) -> None: ...
