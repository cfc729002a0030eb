"""Requests with an ``Idempotency-Key``: done once, and answered the same way again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from amarktai.domain.errors import Conflict, InvalidInput
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Accounts
from amarktai.ports.clock import Clock, to_datetime

MAX_KEY_LENGTH: Final = 200
_KEPT_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request with the key was answered."""

    status: int
    body: bytes


class Idempotency:
    def __init__(self, accounts: Accounts, *, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    async def begin(self, who: Identity, key: str, *request: bytes) -> Answer | None:
        """Claim the key for this request; return the earlier answer when it was done already.

        Raises: InvalidInput IDEMPOTENCY_KEY_REUSED for another request under the same key; Conflict
        IDEMPOTENCY_IN_PROGRESS while the first one runs (or never finished).
        """
        if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
            raise InvalidInput(
                "VALIDATION_ERROR", f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters.", "Shorten it."
            )
        digest = hashlib.sha256(b"\0".join(request)).digest()
        now = to_datetime(self._clock.now_ns())
        async with self._accounts.unit(who.user_id) as unit:
            await unit.answers.forget_before(now - _KEPT_FOR)
            stored = await unit.answers.begin(key, digest, now)
        if stored is None:
            return None
        if stored.request_hash != digest:
            raise InvalidInput(
                "IDEMPOTENCY_KEY_REUSED",
                "This idempotency key was used for another request.",
                "Use a new key for each new request.",
            )
        if stored.status is None:
            raise Conflict(
                "IDEMPOTENCY_IN_PROGRESS",
                "The first request with this key has not finished.",
                "Wait and ask again; if it stays so, look whether it took effect before using a new key.",
            )
        return Answer(stored.status, stored.response or b"")

    async def finish(self, who: Identity, key: str, answer: Answer) -> None:
        """Keep the answer for a day."""
        async with self._accounts.unit(who.user_id) as unit:
            await unit.answers.finish(key, answer.status, answer.body)

    async def release(self, who: Identity, key: str) -> None:
        """Give the key back after a request that changed nothing."""
        async with self._accounts.unit(who.user_id) as unit:
            await unit.answers.release(key)
