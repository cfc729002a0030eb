"""A real account's own entries balance, and what the ledger's places leave out is known exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.money import LEDGER_STEP, ZERO
from amarktai.domain.order import Side
from amarktai.ledger import chart
from amarktai.ledger.booking import as_booked, book_fill
from amarktai.ledger.entry import Posting
from amarktai.ledger.live_books import (
    HandTrade,
    book_difference,
    book_explanation,
    book_hand_trade,
    book_opening,
    rounding_of,
    rounding_of_hand_trade,
)
from tests.trading import BTC_ZAR, user_id_of

D = Decimal
AT = datetime(2026, 1, 1, tzinfo=UTC)
BOT = user_id_of(7)
#: More places than the ledger keeps.
AMOUNTS = st.decimals("0.000000000001", "1000", places=12)


def moved(postings: tuple[Posting, ...], account: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for posting in postings:
        if posting.account == account:
            totals[posting.asset] = totals.get(posting.asset, ZERO) + posting.amount
    return totals


def exact(side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str) -> dict[str, Decimal]:
    """Return what an account moves by, by the exchange's own amounts."""
    sign = 1 if side is Side.BUY else -1
    totals = {"BTC": sign * quantity, "ZAR": -sign * quantity * price}
    totals[fee_asset] = totals.get(fee_asset, ZERO) - fee
    return totals


@given(st.sampled_from(Side), AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(("BTC", "ZAR")))
def test_a_fill_as_booked_and_its_rounding_are_the_whole_of_it(
    side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str
) -> None:
    fill = Fill(BOT, "t", side, quantity, price, fee, fee_asset, Liquidity.TAKER, AT, Origin.LIVE)
    booked = as_booked(fill, BTC_ZAR)
    assert as_booked(booked, BTC_ZAR) == booked, "what is stored is booked the same again"
    entry, lost = book_fill("k", BOT, BTC_ZAR, booked), rounding_of(fill, BTC_ZAR)
    held = moved(entry.postings, chart.bot_holding(BOT))
    for asset, amount in exact(side, quantity, price, fee, fee_asset).items():
        assert held.get(asset, ZERO) + lost.get(asset, ZERO) == amount


@given(st.sampled_from(Side), AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(("BTC", "ZAR", "BNB")))
def test_a_trade_by_hand_and_its_rounding_are_the_whole_of_it(
    side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str
) -> None:
    trade = HandTrade("t", "luno", "BTC", "ZAR", side, quantity, price, fee, fee_asset, AT)
    held, lost = moved(book_hand_trade(trade).postings, "venue:luno"), rounding_of_hand_trade(trade)
    for asset, amount in exact(side, quantity, price, fee, fee_asset).items():
        assert held.get(asset, ZERO) + lost.get(asset, ZERO) == amount
    assert all(abs(amount) <= 2 * LEDGER_STEP for amount in lost.values()), "bounded (L12)"


def test_what_was_there_at_first_is_no_deposit_and_a_difference_waits_in_suspense() -> None:
    opening = book_opening("luno", {"ZAR": D(5), "BTC": D(1)}, AT)
    assert moved(opening.postings, "venue:luno") == {"ZAR": 5, "BTC": 1}
    assert moved(opening.postings, chart.OUTSIDE) == {"ZAR": -5, "BTC": -1}
    difference = book_difference(BOT, "luno", {"ZAR": D(-3)}, AT)
    assert moved(difference.postings, chart.UNEXPLAINED) == {"ZAR": 3}


@pytest.mark.parametrize(
    ("cause", "account"),
    [("deposit", chart.OUTSIDE), ("withdrawal", chart.OUTSIDE), ("other", chart.OUTSIDE),
     ("fee", chart.ADJUSTMENTS), ("reward", chart.ADJUSTMENTS)],
)  # fmt: skip
def test_an_explained_difference_leaves_suspense(cause: str, account: str) -> None:
    found = book_difference(BOT, "luno", {"ZAR": D(3)}, AT)
    explained = book_explanation(BOT, "luno", "ZAR", D(3), cause=cause, note="so it was", at=AT)
    both = (*found.postings, *explained.postings)
    assert moved(both, chart.UNEXPLAINED) == {"ZAR": 0}
    assert moved(both, account) == {"ZAR": -3}
    assert explained.description == f"{cause}: so it was"
