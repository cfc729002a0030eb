"""Positions at average cost: nothing is lost between what came in, what went out and what is held."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.money import LEDGER_STEP, ZERO, floor_to_step
from amarktai.domain.order import Side
from amarktai.domain.position import Execution, Position, apply_execution

_MONEY = st.decimals(Decimal("0.01"), Decimal(1_000_000), places=8)
_BUY = st.tuples(st.just(Side.BUY), _MONEY, _MONEY, st.decimals(0, Decimal("0.01"), places=4), st.booleans())
_SELL = st.tuples(
    st.just(Side.SELL), st.decimals(0, 1, places=4), _MONEY, st.decimals(0, Decimal("0.01"), places=4),
    st.booleans(),
)  # fmt: skip


@given(st.lists(st.one_of(_BUY, _SELL), max_size=30))
def test_cash_spent_and_received_is_cost_and_realised_profit(
    steps: list[tuple[Side, Decimal, Decimal, Decimal, bool]],
) -> None:
    position, paid, realised_sum, coins = Position(), ZERO, ZERO, ZERO
    for side, size, notional, ratio, in_base in steps:
        if side is Side.SELL:
            size = floor_to_step(position.quantity * size, LEDGER_STEP)
            in_base = False
            if size <= ZERO:
                continue
        fee = floor_to_step((size if in_base else notional) * ratio, LEDGER_STEP)
        execution = Execution(
            side, size, notional, fee_in_base=fee if in_base else ZERO, fee_in_quote=ZERO if in_base else fee
        )
        position, realised = apply_execution(position, execution)
        paid += (notional if side is Side.BUY else -notional) + execution.fee_in_quote
        coins += (size if side is Side.BUY else -size) - execution.fee_in_base
        realised_sum += realised.net
        assert realised.net == realised.gross - realised.fees
        assert side is Side.SELL or realised.net == ZERO
        assert position.quantity == coins
        assert position.cost - realised_sum == paid
        assert ZERO <= position.entry_fees <= position.cost or position.is_flat
        if position.is_flat:
            assert (position.cost, position.entry_fees, position.average_price) == (ZERO, ZERO, None)


@given(_MONEY, _MONEY, st.sampled_from([LEDGER_STEP, Decimal(1)]))
def test_a_sale_of_more_than_is_held_is_refused(held: Decimal, notional: Decimal, excess: Decimal) -> None:
    position, _ = apply_execution(Position(), Execution(Side.BUY, held, notional))
    with pytest.raises(BrokenInvariant, match="larger than the position"):
        apply_execution(position, Execution(Side.SELL, held + excess, notional))
    with pytest.raises(BrokenInvariant, match="larger than the position"):
        apply_execution(position, Execution(Side.SELL, held, notional, fee_in_base=excess))


def test_fees_belong_to_the_trade_that_paid_them() -> None:
    position, _ = apply_execution(
        Position(), Execution(Side.BUY, Decimal(2), Decimal(200), fee_in_quote=Decimal(2))
    )
    assert position.average_price == Decimal(101)
    position, realised = apply_execution(
        position, Execution(Side.SELL, Decimal(1), Decimal(110), fee_in_quote=Decimal("1.1"))
    )
    assert (realised.gross, realised.fees, realised.net) == (Decimal(10), Decimal("2.1"), Decimal("7.9"))
    assert position == Position(Decimal(1), Decimal(101), Decimal(1))
