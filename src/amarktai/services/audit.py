"""The audit log: every state change, by whom, chained so that an edit shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from amarktai.domain.audit import GENESIS, AuditFact, first_break
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Accounts, AuditFilter, AuditStore, NamedFact
from amarktai.ports.clock import Clock, to_datetime
from amarktai.services.paging import Page, decode_cursor, encode_cursor

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

    async def list_facts(
        self,
        who: Identity,
        *,
        object_type: str | None,
        object_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Return one page of facts, newest first: an admin sees all, others what concerns them."""
        before = decode_cursor(cursor, int)[0] if cursor else None
        wanted = AuditFilter(None if who.is_admin else who.user_id, object_type, object_id)
        async with self._accounts.unit(who.user_id) as unit:
            rows = await unit.audit.page(wanted, before, limit + 1)
        following = encode_cursor(rows[limit - 1].row.seq) if len(rows) > limit else None
        return Page([fact_view(row) for row in rows[:limit]], following)

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

    async def check_view(self) -> Mapping[str, Any]:
        """Verify the chain and return the result as ``GET /api/audit/verify`` shows it."""
        check = await self.verify()
        return {
            "ok": check.ok,
            "facts_checked": check.facts_checked,
            "first_break": check.first_break,
            "checked_at": to_datetime(self._clock.now_ns()).isoformat(),
        }


def fact_view(named: NamedFact) -> dict[str, Any]:
    """Return a fact as ``GET /api/audit`` shows it."""
    row, fact = named.row, named.row.fact
    return {
        "seq": row.seq,
        "at": row.at.isoformat(),
        "actor": fact.actor,
        "actor_name": named.actor_name,
        "action": fact.action,
        "object_type": fact.object_type,
        "object_id": fact.object_id,
        "ip": fact.ip,
        "before": fact.before,
        "after": fact.after,
        "reason": fact.reason,
        "hash": row.hash.hex(),
    }


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
        actor=actor_of(who),
        action=action,
        object_type=on[0],
        object_id=str(on[1]),
        session_id=str(person.session_id) if person and person.session_id else None,
        ip=person.ip if person else None,
        before=before,
        after=after,
        reason=reason,
    )


def actor_of(who: Identity | str) -> str:
    if isinstance(who, str):
        return who
    through = f" token:{who.token_id}" if who.token_id else ""
    return f"user:{who.user_id}{through}"
