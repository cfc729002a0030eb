from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, parse_params
from amarktai.strategies.registry import strategy

VALUES = st.lists(st.sampled_from([float("nan"), 1.0, 2.0, 3.0]), min_size=1, max_size=12)


@given(values=VALUES, op=st.sampled_from(Op), limit=st.sampled_from([1.0, 2.0]), data=st.data())
def test_a_reading_says_what_the_series_says(
    values: list[float], op: Op, limit: float, data: st.DataObject
) -> None:
    moving = data.draw(st.booleans())
    threshold = np.full(len(values), limit) if moving else limit
    gate = GateSeries("gate", np.array(values), op, threshold)
    passed = gate.passed()
    for index in (*range(len(values)), -1):
        reading = gate.reading(index)
        assert reading.passed == passed[index]
        assert (reading.value is None) == np.isnan(values[index])
        assert reading.threshold == limit


@given(values=VALUES, op=st.sampled_from(Op))
def test_nothing_passes_on_nan(values: list[float], op: Op) -> None:
    series = np.array(values)
    passed = GateSeries("gate", series, op, 2.0).passed()
    assert not (passed & np.isnan(series)).any()


def test_a_cross_needs_both_sides() -> None:
    gate = GateSeries("gate", np.array([1.0, 3, 3, 2, 3, np.nan, 3]), Op.CROSSES_ABOVE, 2.0)
    assert gate.passed().tolist() == [False, True, False, False, True, False, False]
    below = GateSeries("gate", np.array([3.0, 1, 1, 2, 1]), Op.CROSSES_BELOW, 2.0)
    assert below.passed().tolist() == [False, True, False, False, True]


def test_entry_needs_every_gate_and_exit_any() -> None:
    yes, no = (GateSeries("g", np.array([value]), Op.ABOVE, 1.0) for value in (2.0, 0.0))
    signals = Signals(entry_gates=(yes, no), exit_gates=(yes, no))
    assert (bool(signals.entry()[0]), bool(signals.exit()[0])) == (False, True)
    reading = signals.reading(0)
    assert (reading.entry, reading.exit) == (False, True)


def test_zero_switches_an_exit_off() -> None:
    assert Exits.of(stop=0.02) == Exits(stop=0.02, target=None, trailing=None)


@pytest.mark.parametrize(
    ("given_params", "word"),
    [
        ({"fsat": 3}, "fast"),
        ({"fast": 1}, "2 to 200"),
        ({"fast": 2.5}, "whole"),
        ({"fast": "12"}, "number"),
        ({"fast": True}, "number"),
        ({"stop": float("nan")}, "0 to 0.5"),
        ({"fast": 30, "slow": 20}, "shorter"),
    ],
)
def test_bad_parameters_are_refused_by_name(given_params: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_params(strategy("ema_cross"), given_params)
    assert word in f"{caught.value.detail} {caught.value.action}"
