"""Passwords: argon2id with a limit on how many are hashed at once, and a refusal of weak ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from zxcvbn import zxcvbn

from amarktai.domain.errors import InvalidInput
from amarktai.ports.rng import Rng

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128
#: zxcvbn's third of five steps: at least 10^8 guesses, offline lists included.
MIN_SCORE: Final = 3
_SALT_BYTES: Final = 16
#: Longer texts only cost time; what matters of them is in the beginning.
_JUDGED_LENGTH: Final = 64


class Passwords:
    """Hashes and verifies. ``memory_kib`` and ``time_cost`` are argon2id's; lower them in tests only."""

    def __init__(self, rng: Rng, *, memory_kib: int = 65_536, time_cost: int = 3, at_once: int = 2) -> None:
        self._rng = rng
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._slots = asyncio.Semaphore(at_once)
        self._nobody = self._hasher.hash("nobody has this password", salt=rng.bytes(_SALT_BYTES))

    async def hash(self, password: str) -> str:
        """Return the encoded argon2id hash with its own salt."""
        salt = self._rng.bytes(_SALT_BYTES)
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password, salt=salt)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether the password fits. Without a stored hash it takes as long, and is False."""
        async with self._slots:
            fits = await asyncio.to_thread(self._fits, stored or self._nobody, password)
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Return whether the hash was made with other figures than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False


def check_strength(password: str, *, known: Sequence[str]) -> None:
    """Refuse passwords that lists and patterns would find. ``known``: the user's name and address.

    Raises: InvalidInput WEAK_PASSWORD with what is wrong with it.
    """
    if len(password) < MIN_LENGTH:
        raise _weak(f"The password needs at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise _weak(f"The password has more than {MAX_LENGTH} characters.")
    parts = [part for text in known for part in (text, *text.replace("@", " ").replace(".", " ").split())]
    judged = zxcvbn(password[:_JUDGED_LENGTH], user_inputs=["amarktai", "trading", "bitcoin", *parts])
    if judged["score"] < MIN_SCORE:
        warning = judged["feedback"]["warning"] or "The password is too easy to guess."
        raise _weak(f"{warning.rstrip('.')}.")


def _weak(detail: str) -> InvalidInput:
    return InvalidInput(
        "WEAK_PASSWORD", detail, f"Use {MIN_LENGTH} characters or more: three or four uncommon words do well."
    )
