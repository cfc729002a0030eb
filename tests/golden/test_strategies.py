from __future__ import annotations

import json

import pytest

from amarktai.strategies.contract import Strategy
from amarktai.strategies.registry import strategies
from tests.golden.strategy_results import GOLDEN, SERIES, SYNTHETIC, outcome

RECORDED = json.loads(GOLDEN.read_text())


def assert_golden(strategy: Strategy, series: str) -> None:
    got, want = outcome(strategy, series), RECORDED[series][strategy.id]
    assert want["trades"] > 5
    assert got == {
        name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        for name, value in want.items()
    }


@pytest.mark.parametrize("strategy", strategies().values(), ids=lambda item: item.id)
def test_on_synthetic_bars(strategy: Strategy) -> None:
    assert_golden(strategy, SYNTHETIC)


@pytest.mark.data
@pytest.mark.parametrize("series", [name for name in SERIES if name != SYNTHETIC])
@pytest.mark.parametrize("strategy", strategies().values(), ids=lambda item: item.id)
def test_on_recorded_bars(strategy: Strategy, series: str) -> None:
    assert_golden(strategy, series)


def test_every_strategy_has_its_golden_results() -> None:
    for series in SERIES:
        assert set(RECORDED[series]) == set(strategies())
