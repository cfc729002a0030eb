"""Exact money: steps, scales and what is not a number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import LEDGER_STEP, ceil_to_step, floor_to_step, parse_decimal, to_ledger

_VALUE = st.decimals(-1_000_000, 1_000_000, places=10)
_STEP = st.sampled_from([Decimal("1e-8"), Decimal("0.0001"), Decimal("0.05"), Decimal(1), Decimal(25)])


@given(_VALUE, _STEP)
def test_a_value_lies_between_its_floor_and_ceiling(value: Decimal, step: Decimal) -> None:
    low, high = floor_to_step(value, step), ceil_to_step(value, step)
    assert low <= value <= high
    assert low % step == high % step == 0
    assert high - low == (0 if value % step == 0 else step)


@given(_VALUE)
def test_the_ledger_keeps_eight_places_and_loses_half_a_step_at_most(value: Decimal) -> None:
    kept = to_ledger(value)
    assert kept == to_ledger(kept)
    assert kept % LEDGER_STEP == 0
    assert abs(kept - value) <= LEDGER_STEP / 2


def test_halves_go_to_the_even_neighbour() -> None:
    assert to_ledger(Decimal("0.000000005")) == 0
    assert to_ledger(Decimal("0.000000015")) == Decimal("0.00000002")


@given(_VALUE)
def test_a_number_is_read_as_it_is_written(value: Decimal) -> None:
    assert parse_decimal(str(value), name="amount") == value


@pytest.mark.parametrize("text", ["", "ten", "1,5", "NaN", "Infinity", "-Infinity", "sNaN", "1 2"])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="amount") as refused:
        parse_decimal(text, name="amount")
    assert refused.value.code == "VALIDATION_ERROR"
