"""Fees as the books take them: never more coins than the account has, never a price that nobody told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.ledger import chart
from amarktai.ledger.booking import book_fill, execution_of, fee_in_quote
from amarktai.ports.clock import to_datetime
from tests.trading import BTC_ZAR

BOT = UUID(int=7)
FILL = Fill(
    UUID(int=1), "t1", Side.BUY, Decimal("0.29571682"), Decimal(44_950), Decimal("0.0003"), "BTC",
    Liquidity.TAKER, to_datetime(0), Origin.LIVE,
)  # fmt: skip

fees = st.decimals(min_value=0, max_value="0.01", places=14)


def held(fill: Fill) -> Decimal:
    """Return the coins that booking the fill puts into the bot's holding."""
    entry = book_fill("fill", BOT, BTC_ZAR, fill)
    return sum(
        (
            posting.amount
            for posting in entry.postings
            if (posting.account, posting.asset) == (chart.bot_holding(BOT), "BTC")
        ),
        ZERO,
    )


@given(fees)
def test_a_fee_in_coins_never_leaves_more_than_the_account_has(amount: Decimal) -> None:
    fill = replace(FILL, fee_amount=amount)
    assert fill.quantity - amount - Decimal("1e-8") < held(fill) <= fill.quantity - amount
    assert held(fill) == fill.quantity - execution_of(fill, BTC_ZAR).fee_in_base


def test_fees_are_worth_their_own_price() -> None:
    assert fee_in_quote(FILL, BTC_ZAR) == Decimal("0.0003") * 44_950
    assert fee_in_quote(replace(FILL, fee_asset="ZAR", fee_amount=Decimal(12)), BTC_ZAR) == 12
    assert fee_in_quote(replace(FILL, fee_asset="BNB", fee_amount=ZERO), BTC_ZAR) == 0
    with pytest.raises(BrokenInvariant, match="a fee in BNB"):
        fee_in_quote(replace(FILL, fee_asset="BNB"), BTC_ZAR)
