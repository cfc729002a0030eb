"""A window of ``warmup`` bars gives the same gates as the whole history."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.bar import Bars
from amarktai.strategies.contract import Strategy, parse_params
from amarktai.strategies.registry import strategies
from tests.market_data import binance_1h, kucoin_4h, synthetic

SIGNAL_STRATEGIES = [item for item in strategies().values() if item.signals]
PARAMS: dict[str, list[dict[str, Any]]] = {
    "ema_cross": [{}, {"fast": 3, "slow": 5}, {"fast": 50, "slow": 200}],
    "rsi_reversion": [{}, {"period": 2}, {"period": 50}],
    "bollinger_breakout": [{}, {"period": 100, "width": 1.0}],
    "donchian_trend": [{}, {"entry_period": 55, "exit_period": 20}],
}
CASES = [(item, params) for item in SIGNAL_STRATEGIES for params in PARAMS[item.id]]
IDS = [f"{item.id}-{number}" for number, (item, _) in enumerate(CASES)]


def agree(item: Strategy, given_params: dict[str, Any], bars: Bars, ends: list[int]) -> None:
    assert item.signals is not None
    params = parse_params(item, given_params)
    length = item.warmup(params)
    whole = item.signals(bars, params)
    for end in ends:
        window = item.signals(bars.slice(max(end - length, 0), end), params).reading(-1)
        full = whole.reading(end - 1)
        assert (window.entry, window.exit) == (full.entry, full.exit)
        for near, far in zip(
            window.entry_gates + window.exit_gates, full.entry_gates + full.exit_gates, strict=True
        ):
            assert near.passed == far.passed
            assert near.value == pytest.approx(far.value, rel=1e-9)
            assert near.threshold == pytest.approx(far.threshold, rel=1e-9)


@pytest.mark.parametrize(("item", "params"), CASES, ids=IDS)
@given(seed=st.integers(0, 50), data=st.data())
@settings(max_examples=15)
def test_on_synthetic_bars(item: Strategy, params: dict[str, Any], seed: int, data: st.DataObject) -> None:
    bars = synthetic(4_000, seed)
    length = item.warmup(parse_params(item, params))
    ends = data.draw(st.lists(st.integers(length, len(bars)), min_size=20, max_size=20))
    agree(item, params, bars, ends)


@pytest.mark.data
@pytest.mark.parametrize("load", [binance_1h, kucoin_4h], ids=["binance_1h", "kucoin_4h"])
@pytest.mark.parametrize(("item", "params"), CASES, ids=IDS)
def test_on_recorded_bars(item: Strategy, params: dict[str, Any], load: Any) -> None:
    bars = load()
    length = item.warmup(parse_params(item, params))
    agree(item, params, bars, list(range(length, len(bars) + 1, 29)))


@pytest.mark.parametrize(("item", "params"), CASES, ids=IDS)
def test_the_first_decision_has_all_its_values(item: Strategy, params: dict[str, Any]) -> None:
    assert item.signals is not None
    parsed = parse_params(item, params)
    bars = synthetic(4_000, 7)
    reading = item.signals(bars.slice(0, item.warmup(parsed)), parsed).reading(-1)
    for gate in reading.entry_gates + reading.exit_gates:
        assert gate.value is not None and gate.threshold is not None
