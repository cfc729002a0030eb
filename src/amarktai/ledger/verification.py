"""Proof that a book is what it was: the chain of hashes and the balance of every entry (L1, L14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from amarktai.domain.money import ZERO
from amarktai.ledger.entry import GENESIS, Entry, Posting, chain_hash, imbalance


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it should be, with both values."""

    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry as it is stored. Postings as (account, asset, amount), in their order."""

    seq: int
    kind: str
    key: str
    description: str
    reference: dict[str, str]
    effective_at: datetime
    recorded_at: datetime
    postings: Sequence[tuple[str, str, Decimal]]
    prev_hash: bytes
    hash: bytes


class BookCheck:
    """Walks one book in the order of its chain and keeps what its entries add up to.

    ``balances`` is the fold of all postings (L7); ``imbalance`` the assets that do not sum to zero over
    the whole book.
    """

    def __init__(self) -> None:
        self.checked = 0
        self.balances: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        self._seq = 0
        self._hash = GENESIS
        self._recorded_at: datetime | None = None
        self._totals: dict[str, Decimal] = defaultdict(lambda: ZERO)

    def take(self, entry: RecordedEntry) -> Difference | None:
        """Check the next entry and return what is wrong with it, None when nothing is."""
        self.checked += 1
        for account, asset, amount in entry.postings:
            self.balances[account, asset] += amount
            self._totals[asset] += amount
        found = self._difference(entry)
        self._seq, self._hash, self._recorded_at = entry.seq, entry.hash, entry.recorded_at
        return found

    def finish(self, head_seq: int, head_hash: bytes) -> Difference | None:
        """Compare the chain's end with what the book says it is: a cut tail shows here."""
        if self._seq != head_seq:
            return Difference("the book's last entry", f"number {head_seq}", f"number {self._seq}")
        if self._hash != head_hash:
            return Difference("the book's last hash", head_hash.hex(), self._hash.hex())
        return None

    @property
    def imbalance(self) -> dict[str, Decimal]:
        return {asset: total for asset, total in sorted(self._totals.items()) if total != ZERO}

    def _difference(self, entry: RecordedEntry) -> Difference | None:
        where = f"entry {entry.seq}"
        if entry.seq != self._seq + 1:
            return Difference(
                f"the entry after {self._seq}", f"number {self._seq + 1}", f"number {entry.seq}"
            )
        if entry.prev_hash != self._hash:
            return Difference(f"{where}, previous hash", self._hash.hex(), entry.prev_hash.hex())
        postings = tuple(Posting(*posting) for posting in entry.postings)
        for asset, total in imbalance(postings).items():
            return Difference(f"{where}, sum of {asset}", "0", f"{total:f}")
        if self._recorded_at is not None and entry.recorded_at < self._recorded_at:
            earliest = f"{self._recorded_at.isoformat()} or later"
            return Difference(f"{where}, time recorded", earliest, entry.recorded_at.isoformat())
        expected = _hash_of(entry, postings)
        if entry.hash != expected:
            return Difference(f"{where}, hash of its content", expected.hex(), entry.hash.hex())
        return None


def _hash_of(entry: RecordedEntry, postings: tuple[Posting, ...]) -> bytes:
    content = Entry(entry.key, entry.kind, entry.description, entry.effective_at, postings, entry.reference)
    return chain_hash(entry.prev_hash, entry.seq, content, entry.recorded_at)
