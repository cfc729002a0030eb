"""Fills: the notional is exact."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.order import Side

amounts = st.decimals("0.00000001", "100000", places=8, allow_nan=False)


@given(quantity=amounts, price=amounts)
def test_the_notional_is_quantity_times_price(quantity: Decimal, price: Decimal) -> None:
    fill = Fill(
        UUID(int=1), "t1", Side.BUY, quantity, price, Decimal(0), "ZAR", Liquidity.MAKER,
        datetime(2026, 1, 1, tzinfo=UTC), Origin.RECORDED,
    )  # fmt: skip
    assert fill.notional == quantity * price
