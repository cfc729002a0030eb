"""The audit log: every state change, by whom, chained so that an edit shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from amarktai.domain.audit import GENESIS, AuditFact, first_break
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Accounts, AuditStore
from amarktai.ports.clock import Clock, to_datetime

SYSTEM: Final = "system"
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The result of walking the chain. ``first_break`` is the first bad sequence, or None."""

    facts_checked: int
    first_break: int | None

    @property
    def ok(self) -> bool:
        return self.first_break is None


class AuditTrail:
    """Writes facts into a running transaction, and verifies the chain."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    async def record(
        self,
        store: AuditStore,
        who: Identity | str,
        action: str,
        on: tuple[str, UUID | str],
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """Add one fact to the transaction that ``store`` belongs to; make it the last statement there.

        ``who`` is the acting identity or ``SYSTEM``; ``on`` is the object's type and id. ``before`` and
        ``after`` are JSON values and never hold a secret.
        """
        fact = fact_of(who, action, on, before=before, after=after, reason=reason)
        await store.append(fact, to_datetime(self._clock.now_ns()))

    async def verify(self) -> AuditCheck:
        """Recompute the whole chain from its beginning."""
        checked, seen = 0, (0, GENESIS)
        async with self._accounts.unit(None) as unit:
            while rows := await unit.audit.read(seen[0], _BATCH):
                broken = first_break(rows, after=seen)
                if broken is not None:
                    return AuditCheck(checked, broken)
                checked += len(rows)
                seen = (rows[-1].seq, rows[-1].hash)
        return AuditCheck(checked, None)


def fact_of(
    who: Identity | str,
    action: str,
    on: tuple[str, UUID | str],
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> AuditFact:
    """Return what the log keeps of an action; see ``AuditTrail.record``."""
    person = who if isinstance(who, Identity) else None
    return AuditFact(
        actor=_actor(who),
        action=action,
        object_type=on[0],
        object_id=str(on[1]),
        session_id=str(person.session_id) if person and person.session_id else None,
        ip=person.ip if person else None,
        before=before,
        after=after,
        reason=reason,
    )


def _actor(who: Identity | str) -> str:
    if isinstance(who, str):
        return who
    through = f" token:{who.token_id}" if who.token_id else ""
    return f"user:{who.user_id}{through}"
