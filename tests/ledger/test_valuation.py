"""Value in rand: at the ledger's scale, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.instrument import Origin
from amarktai.domain.money import to_ledger
from amarktai.ledger.valuation import FxRate, no_rate_reason, rand_itself

AT = datetime(2026, 1, 1, 14, 30, tzinfo=UTC)
amounts = st.decimals("-1000000", "1000000", places=8, allow_nan=False)


@given(amount=amounts, rate=st.decimals("0.0001", "2000000", places=6, allow_nan=False))
def test_a_value_is_amount_times_rate_at_the_scale(amount: Decimal, rate: Decimal) -> None:
    value = FxRate("USDT", rate, "test", AT, Origin.RECORDED).to_zar(amount)
    assert value == to_ledger(value)
    assert abs(value - amount * rate) <= Decimal("0.000000005")


@given(amounts)
def test_a_rand_is_a_rand(amount: Decimal) -> None:
    assert rand_itself(AT, Origin.LIVE).to_zar(amount) == amount


def test_the_reason_names_asset_and_minute() -> None:
    assert no_rate_reason("USDT", AT) == "no ZAR rate for USDT at 2026-01-01 14:30 UTC"


def test_a_rate_has_the_places_that_are_stored_so_that_an_audit_finds_the_same_rand() -> None:
    quotient = Decimal("229.5") / 13  # 28 digits; with them this value would round the other way
    rate = FxRate("USDT", quotient, "ECB fixing", AT, Origin.RECORDED)
    assert rate.rate == Decimal("17.653846153846153846")
    assert rate.to_zar(Decimal("0.88490961")) == Decimal("15.62205811")


def test_a_rate_with_few_places_stays_as_it_is_written() -> None:
    assert str(FxRate("USDT", Decimal("18.5"), "test", AT, Origin.RECORDED).rate) == "18.5"
