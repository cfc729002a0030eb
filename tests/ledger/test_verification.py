"""Checking a book: a chain that is whole passes, one that was touched is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amarktai.ledger.entry import GENESIS, Entry, chain_hash, transfer
from amarktai.ledger.verification import BookCheck, RecordedEntry

AT = datetime(2026, 1, 1, tzinfo=UTC)


def chain(amounts: list[Decimal]) -> list[RecordedEntry]:
    entries, digest = [], GENESIS
    for seq, amount in enumerate(amounts, start=1):
        at = AT + timedelta(minutes=seq)
        made = Entry(f"k{seq}", "funding", "test", at, transfer("funding", "holding:wallet", "ZAR", amount))
        previous, digest = digest, chain_hash(digest, seq, made, at)
        postings = [(leg.account, leg.asset, leg.amount) for leg in made.postings]
        entries.append(
            RecordedEntry(seq, "funding", f"k{seq}", "test", {}, at, at, postings, previous, digest)
        )
    return entries


amount_lists = st.lists(st.decimals("0.01", "1000", places=2), min_size=2, max_size=8)


@given(amount_lists)
def test_a_whole_chain_passes_and_folds_to_the_balance(amounts: list[Decimal]) -> None:
    entries, check = chain(amounts), BookCheck()
    assert [check.take(entry) for entry in entries] == [None] * len(entries)
    assert check.finish(entries[-1].seq, entries[-1].hash) is None
    assert check.balances["holding:wallet", "ZAR"] == sum(amounts, Decimal(0))


@given(amount_lists, st.data())
def test_a_dropped_changed_or_cut_entry_is_noticed(amounts: list[Decimal], data: st.DataObject) -> None:
    entries = chain(amounts)
    at = data.draw(st.integers(0, len(entries) - 1))
    head = entries[-1]
    how = data.draw(st.sampled_from(["drop", "change"]))
    touched = [*entries[:at], *entries[at + 1 :]]
    if how == "change":
        touched = [*entries[:at], replace(entries[at], description="touched"), *entries[at + 1 :]]
    check = BookCheck()
    found = [difference for entry in touched if (difference := check.take(entry)) is not None]
    assert found or check.finish(head.seq, head.hash) is not None
