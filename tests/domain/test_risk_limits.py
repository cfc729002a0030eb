"""A limit says what it is: an amount above zero, a whole count, or the pairs that may be traded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.domain.risk_limits import EVERYBODY, Limit, LimitKind

K, D = LimitKind, Decimal


@pytest.mark.parametrize(
    ("kind", "amount", "names"),
    [
        (K.DAILY_LOSS, D(0), None),
        (K.EXPOSURE, D(-5), None),
        (K.EXPOSURE, None, None),
        (K.EXPOSURE, D(5), ("BTC/ZAR",)),
        (K.DRAWDOWN, D("100.1"), None),
        (K.ORDERS_PER_DAY, D("2.5"), None),
        (K.ALLOWED_PAIRS, D(5), None),
        (K.ALLOWED_PAIRS, None, None),
        (K.DAILY_LOSS, None, ("BTC/ZAR",)),
    ],
)
def test_what_limits_nothing_sensible_is_refused(
    kind: LimitKind, amount: Decimal | None, names: tuple[str, ...] | None
) -> None:
    with pytest.raises(InvalidInput, match=kind.value):
        Limit(kind, EVERYBODY, amount, names)


@pytest.mark.parametrize("kind", [kind for kind in LimitKind if kind is not K.ALLOWED_PAIRS])
def test_every_amount_is_a_limit(kind: LimitKind) -> None:
    assert Limit(kind, EVERYBODY, D(10)).amount == 10


def test_no_pair_at_all_may_be_allowed() -> None:
    assert Limit(K.ALLOWED_PAIRS, EVERYBODY, names=()).names == ()
