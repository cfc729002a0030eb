"""Entries: they balance, keep to the scale, and their chain notices every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import BrokenInvariant
from amarktai.ledger.entry import GENESIS, Entry, Posting, chain_hash, imbalance, merge, transfer

AT = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.decimals("-1000000", "1000000", places=8, allow_nan=False)
accounts = st.sampled_from(["holding:wallet", "funding", "fees:luno", "market:luno:BTC/ZAR"])
assets = st.sampled_from(["ZAR", "BTC", "USDT"])
transfers = st.lists(st.tuples(accounts, accounts, assets, amounts), min_size=1, max_size=8)


def entry(postings: tuple[Posting, ...], key: str = "k") -> Entry:
    return Entry(key, "test", "a test", AT, postings)


@given(transfers)
def test_transfers_always_balance(moves: list[tuple[str, str, str, Decimal]]) -> None:
    legs = tuple(leg for move in moves for leg in transfer(*move))
    assert imbalance(legs) == {}
    assert imbalance(merge(legs)) == {}


@given(transfers)
def test_merging_keeps_what_each_account_gets(moves: list[tuple[str, str, str, Decimal]]) -> None:
    legs = [leg for move in moves for leg in transfer(*move)]

    def sums(postings: list[Posting] | tuple[Posting, ...]) -> dict[tuple[str, str], Decimal]:
        totals: dict[tuple[str, str], Decimal] = {}
        for leg in postings:
            totals[leg.account, leg.asset] = totals.get((leg.account, leg.asset), Decimal(0)) + leg.amount
        return {key: total for key, total in totals.items() if total}

    assert sums(merge(legs)) == sums(legs)


def test_an_entry_that_does_not_balance_is_refused() -> None:
    with pytest.raises(BrokenInvariant, match="ZAR is off by 1"):
        entry((Posting("a", "ZAR", Decimal(3)), Posting("b", "ZAR", Decimal(-2))))


def test_an_amount_beyond_the_scale_is_refused() -> None:
    with pytest.raises(BrokenInvariant, match="places"):
        entry(transfer("a", "b", "ZAR", Decimal("0.000000001")))


@pytest.mark.parametrize(
    "other",
    [
        Entry("k2", "test", "a test", AT, transfer("a", "b", "ZAR", Decimal(1))),
        Entry("k", "other", "a test", AT, transfer("a", "b", "ZAR", Decimal(1))),
        Entry("k", "test", "another", AT, transfer("a", "b", "ZAR", Decimal(1))),
        Entry("k", "test", "a test", AT + timedelta(seconds=1), transfer("a", "b", "ZAR", Decimal(1))),
        Entry("k", "test", "a test", AT, transfer("a", "c", "ZAR", Decimal(1))),
        Entry("k", "test", "a test", AT, transfer("a", "b", "USD", Decimal(1))),
        Entry("k", "test", "a test", AT, transfer("a", "b", "ZAR", Decimal(2))),
        Entry("k", "test", "a test", AT, transfer("a", "b", "ZAR", Decimal(1)), {"bot_id": "1"}),
    ],
)
def test_the_hash_covers_everything(other: Entry) -> None:
    one = Entry("k", "test", "a test", AT, transfer("a", "b", "ZAR", Decimal(1)))
    assert chain_hash(GENESIS, 1, one, AT) != chain_hash(GENESIS, 1, other, AT)
    assert chain_hash(GENESIS, 1, one, AT) != chain_hash(GENESIS, 2, one, AT)
    assert chain_hash(GENESIS, 1, one, AT) != chain_hash(bytes([1]) * 32, 1, one, AT)
