"""Double entry: postings that balance in each asset, chained by hash.

An entry is made once and never changed; a correction is a new entry.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.money import ZERO, to_ledger

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: ``amount`` of ``asset`` into (+) or out of (−) ``account``."""

    account: str
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced set of postings.

    ``key`` names the source event, so that booking it again is recognised (L5). ``effective_at`` is
    when it happened; the store adds when it was recorded (L6).
    Raises: BrokenInvariant when an asset does not sum to zero or an amount exceeds the scale.
    """

    key: str
    kind: str
    description: str
    effective_at: datetime
    postings: tuple[Posting, ...]
    reference: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for asset, total in imbalance(self.postings).items():
            raise BrokenInvariant(f"entry {self.key} does not balance: {asset} is off by {total}")
        for posting in self.postings:
            if posting.amount != to_ledger(posting.amount):
                raise BrokenInvariant(
                    f"entry {self.key}: {posting.amount} has more places than the ledger keeps"
                )


def imbalance(postings: Iterable[Posting]) -> dict[str, Decimal]:
    """Return the assets whose postings do not sum to zero, with the difference."""
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for posting in postings:
        totals[posting.asset] += posting.amount
    return {asset: total for asset, total in totals.items() if total != ZERO}


def transfer(source: str, target: str, asset: str, amount: Decimal) -> tuple[Posting, Posting]:
    """Return the two legs that move ``amount`` from source to target."""
    return Posting(source, asset, -amount), Posting(target, asset, amount)


def merge(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return postings with equal account and asset added up, zero legs left out."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for posting in postings:
        totals[posting.account, posting.asset] += posting.amount
    return tuple(
        Posting(account, asset, amount) for (account, asset), amount in totals.items() if amount != ZERO
    )


def chain_hash(previous: bytes, seq: int, entry: Entry, recorded_at: datetime) -> bytes:
    """Return the entry's hash: SHA-256 over the previous hash and the entry's canonical form (L14).

    Everything that is shown of an entry is in it, both times included (L6).
    """
    canonical = json.dumps(
        [
            seq,
            entry.key,
            entry.kind,
            entry.description,
            entry.effective_at.astimezone(UTC).isoformat(),
            recorded_at.astimezone(UTC).isoformat(),
            dict(sorted(entry.reference.items())),
            [[p.account, p.asset, f"{to_ledger(p.amount):f}"] for p in entry.postings],
        ],
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(previous + canonical.encode()).digest()
