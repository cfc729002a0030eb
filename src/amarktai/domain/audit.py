"""The audit log's chain: each fact carries the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditFact:
    """One state change: who did what to which object. ``before`` and ``after`` hold no secret."""

    actor: str
    action: str
    object_type: str
    object_id: str
    session_id: str | None = None
    ip: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A recorded fact in its place in the chain."""

    seq: int
    at: datetime
    fact: AuditFact
    prev_hash: bytes
    hash: bytes


def chain_hash(previous: bytes, seq: int, at: datetime, fact: AuditFact) -> bytes:
    """Return SHA-256 over the previous hash and the fact's canonical form."""
    canonical = json.dumps(
        [
            seq,
            at.astimezone(UTC).isoformat(),
            fact.actor,
            fact.session_id,
            fact.ip,
            fact.action,
            fact.object_type,
            fact.object_id,
            fact.before,
            fact.after,
            fact.reason,
        ],
        separators=(",", ":"),
        sort_keys=True,
        ensure_ascii=True,
    )
    return hashlib.sha256(previous + canonical.encode()).digest()


def first_break(rows: Iterable[AuditRow], *, after: tuple[int, bytes] = (0, GENESIS)) -> int | None:
    """Return the sequence of the first row that does not follow from the one before, or None.

    ``after`` is the sequence and hash of the last row that is known to be good.
    """
    seq, previous = after
    for row in rows:
        expected = chain_hash(previous, row.seq, row.at, row.fact)
        if row.seq != seq + 1 or row.prev_hash != previous or row.hash != expected:
            return row.seq
        seq, previous = row.seq, row.hash
    return None
