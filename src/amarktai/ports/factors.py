"""Second factors as a port of the store: one authenticator and recovery codes per user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from amarktai.ports.secrets import Sealed

#: What binds an encrypted seed to its kind of row; also its name there, for a user has one.
TOTP_PURPOSE: Final = "totp"


@dataclass(frozen=True, slots=True)
class StoredTotp:
    """A user's authenticator. It counts from ``confirmed_at`` on; ``last_step`` is the last code's."""

    sealed: Sealed
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int | None = None


class FactorStore(Protocol):
    async def totp(self, *, lock: bool = False) -> StoredTotp | None:
        """Return the tenant's authenticator; ``lock`` keeps others from using it until the commit."""

    async def put_totp(self, totp: StoredTotp) -> None:
        """Store an authenticator in place of the one that is there."""

    async def confirm_totp(self, at: datetime) -> None: ...

    async def use_step(self, step: int) -> None: ...

    async def replace_codes(self, hashes: Sequence[bytes], at: datetime) -> None: ...

    async def use_code(self, code_hash: bytes, at: datetime) -> bool:
        """Use a recovery code up; False when there is no such code, or it was used."""

    async def codes_left(self) -> int: ...

    async def remove(self) -> bool:
        """Remove authenticator and codes; False when there was none."""
