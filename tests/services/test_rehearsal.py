"""What a rehearsal concludes: it passes only when the books agree and the day had all that it should."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amarktai.domain.instrument import Platform
from amarktai.services.rehearsal import RehearsalResult, TieOut
from amarktai.services.rehearsal_script import Incident, Story

D = Decimal
AGREES = TieOut(Platform.LUNO, "ZAR", D("1070.000000004"), D(1_070), D("0.000000004"))


def good() -> RehearsalResult:
    return RehearsalResult(1, tie_outs=[AGREES], story=Story(alerted=True))


def test_rounding_explains_a_difference_to_the_last_unit() -> None:
    assert AGREES.difference == 0 and good().ok
    for amount in ("venue", "ledger", "rounded"):
        off = replace(AGREES, **{amount: getattr(AGREES, amount) + D("0.00000001")})
        assert off.difference != 0
        assert not replace(good(), tie_outs=[AGREES, off]).ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"unsettled": 1},
        {"trespassed": 1},
        {"stranded": 1},
        {"by_hand": {"luno:BTC/ZAR": D(1)}},
        {"story": Story(alerted=True, bought={"luno:BTC/ZAR": D(1)})},
        {"story": Story(alerted=False)},
        {"story": Story(alerted=True, deposits={(Platform.LUNO, "ZAR"): D(5)})},
        {"conditions": {Platform.LUNO: "it differs"}},
        {"story": Story(alerted=True, undone=[Incident.DEPOSIT])},
    ],
)
def test_anything_that_went_wrong_or_did_not_happen_fails_it(wrong: dict[str, object]) -> None:
    assert not replace(good(), **wrong).ok  # type: ignore[arg-type]
