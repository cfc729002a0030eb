"""Kernel and event loop make the same trades; and what the driver refuses."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.backtest.driver import run_backtest, run_events
from amarktai.backtest.event_loop import Desk
from amarktai.backtest.result import BacktestResult
from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput
from amarktai.domain.fill_model import HONEST, ExecutionProfile
from amarktai.domain.instrument import Instrument
from amarktai.strategies.contract import Exits, Strategy, parse_params
from amarktai.strategies.registry import strategies, strategy
from amarktai.strategies.signal_trader import decider
from tests.backtest.bars import HOUR, bars_of, drawn_bars
from tests.backtest.scripted import SCRIPTED, script
from tests.market_data import BINANCE, KUCOIN, binance_1h, kucoin_4h, synthetic

D = Decimal
CAPITAL, STAKE = D(10_000), D(3_000)
SIGNAL_STRATEGIES = [item for item in strategies().values() if item.signals]
EVENT_STRATEGIES = [item for item in strategies().values() if item.decide]
ALL_EXITS = {"stop": 0.03, "target": 0.04, "trailing": 0.025}


def both(
    item: Strategy, params: Any, bars: Bars, instrument: Instrument, stake: Decimal = STAKE
) -> tuple[BacktestResult, BacktestResult]:
    desk = Desk(instrument, CAPITAL, stake, HONEST)
    by_kernel = run_backtest(item, params, bars, instrument, capital=CAPITAL, stake=stake)
    return by_kernel, run_events(item, decider(item), params, bars, desk)


def assert_equal(by_kernel: BacktestResult, by_events: BacktestResult) -> None:
    assert by_kernel.fills == by_events.fills
    assert by_kernel.round_trips == by_events.round_trips
    np.testing.assert_allclose(by_kernel.equity, by_events.equity, rtol=0, atol=1e-6)
    for column in dataclasses.fields(by_kernel.trades):
        got, want = (getattr(result.trades, column.name) for result in (by_kernel, by_events))
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-7)
    one, other = by_kernel.metrics, by_events.metrics
    assert one.trade_count == other.trade_count == len(by_kernel.round_trips)
    assert one.exposure == other.exposure
    assert one.fees == pytest.approx(other.fees, abs=1e-5)
    assert one.reasons == other.reasons


@pytest.mark.data
@pytest.mark.parametrize("exits", [{}, ALL_EXITS], ids=["defaults", "all exits"])
@pytest.mark.parametrize("item", SIGNAL_STRATEGIES, ids=lambda item: item.id)
def test_parity_on_recorded_binance_hours(item: Strategy, exits: dict[str, float]) -> None:
    bars = binance_1h().slice(46_000, 58_419)
    by_kernel, by_events = both(item, parse_params(item, exits), bars, BINANCE)
    assert len(by_kernel.round_trips) > 50
    assert_equal(by_kernel, by_events)


@pytest.mark.data
@pytest.mark.parametrize("exits", [{}, ALL_EXITS], ids=["defaults", "all exits"])
@pytest.mark.parametrize("item", SIGNAL_STRATEGIES, ids=lambda item: item.id)
def test_parity_on_recorded_kucoin_bars(item: Strategy, exits: dict[str, float]) -> None:
    by_kernel, by_events = both(item, parse_params(item, exits), kucoin_4h(), KUCOIN)
    assert len(by_kernel.round_trips) > 50
    assert_equal(by_kernel, by_events)


@pytest.mark.parametrize("exits", [{}, ALL_EXITS], ids=["defaults", "all exits"])
@pytest.mark.parametrize("item", SIGNAL_STRATEGIES, ids=lambda item: item.id)
def test_parity_on_synthetic_bars(item: Strategy, exits: dict[str, float]) -> None:
    by_kernel, by_events = both(item, parse_params(item, exits), synthetic(4_000, 21), BINANCE)
    assert len(by_kernel.round_trips) > 10
    assert_equal(by_kernel, by_events)


RATIOS = st.sampled_from([0.0, 0.005, 0.01, 0.02, 0.05, 0.1])


@given(
    bars=drawn_bars(),
    data=st.data(),
    stop=RATIOS,
    target=RATIOS,
    trailing=RATIOS,
    stake=st.sampled_from([D(7), D(3_000), D(9_999)]),
    instrument=st.sampled_from([BINANCE, KUCOIN]),
)
@settings(max_examples=200)
def test_parity_on_any_bars_and_signals(
    bars: Bars,
    data: st.DataObject,
    stop: float,
    target: float,
    trailing: float,
    stake: Decimal,
    instrument: Instrument,
) -> None:
    indexes = st.lists(st.integers(0, len(bars) - 1), max_size=len(bars))
    params = script(
        len(bars),
        entry=data.draw(indexes),
        exit_=data.draw(indexes),
        exits=Exits.of(stop=stop, target=target, trailing=trailing),
        warmup=data.draw(st.integers(1, 2)),
    )
    assert_equal(*both(SCRIPTED, params, bars, instrument, stake))


@pytest.mark.parametrize("item", EVENT_STRATEGIES, ids=lambda item: item.id)
def test_event_strategies_run_through_the_loop(item: Strategy) -> None:
    result = run_backtest(
        item, parse_params(item, {}), synthetic(3_000, 22), BINANCE, capital=CAPITAL, stake=STAKE
    )
    assert result.metrics.trade_count == len(result.round_trips) > 10
    earned = sum(trip.profit for trip in result.round_trips)
    held = float(result.equity[-1]) - float(CAPITAL + earned)
    assert abs(held) < float(STAKE)


def test_an_exit_on_the_signal_by_hand() -> None:
    bars = bars_of((100, 101, 99, 100), (100, 102, 99, 101), (102, 104, 101, 103), (104, 105, 103, 104))
    result = run_backtest(
        SCRIPTED, script(4, entry=[0], exit_=[2]), bars, BINANCE, capital=CAPITAL, stake=D(1_000)
    )
    (trip,) = result.round_trips
    assert (trip.opened_ts, trip.closed_ts) == (HOUR, 3 * HOUR)
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (D("9.94035"), D("100.05"), D("103.94"))
    bought, sold = D("9.94035") * D("100.05"), D("9.94035") * D("103.94")
    fees = (bought + sold) * D("0.001")
    assert trip.fees == pytest.approx(fees, abs=D("1e-7"))
    assert trip.profit == pytest.approx(sold - bought - fees, abs=D("1e-7"))
    assert result.metrics.exposure == 0.5
    assert float(result.equity[-1]) == pytest.approx(float(CAPITAL + trip.profit))


def test_the_target_and_the_trailing_stop_by_hand() -> None:
    bars = bars_of(
        (100, 100, 100, 100),
        (100, 103, 100, 103),
        (103, 106, 103, 105),
        (104, 104, 100, 101),
        (101, 101, 101, 101),
    )
    target = run_backtest(
        SCRIPTED, script(5, entry=[0], exits=Exits(target=0.05)), bars, BINANCE, capital=CAPITAL, stake=STAKE
    )
    assert [(fill.reason, fill.price, fill.ts // HOUR) for fill in target.fills[1:]] == [
        ("take profit", D("105.06"), 3)
    ]
    trailing = run_backtest(
        SCRIPTED,
        script(5, entry=[0], exits=Exits(trailing=0.03)),
        bars,
        BINANCE,
        capital=CAPITAL,
        stake=STAKE,
    )
    assert [(fill.reason, fill.price, fill.ts // HOUR) for fill in trailing.fills[1:]] == [
        ("trailing stop", D("102.76"), 4)
    ]


def test_slippage_comes_from_the_profile() -> None:
    bars = bars_of((100, 100, 100, 100), (100, 100, 100, 100))
    profile = ExecutionProfile("rough", D("0.01"))
    result = run_backtest(
        SCRIPTED, script(2, entry=[0]), bars, BINANCE, capital=CAPITAL, stake=STAKE, profile=profile
    )
    assert (result.profile, result.fills[0].price) == ("rough", D(101))
    assert result.round_trips == ()


@pytest.mark.parametrize(("capital", "stake", "word"), [(D(0), D(1), "above 0"), (D(1), D(-1), "above 0")])
def test_amounts_must_be_positive(capital: Decimal, stake: Decimal, word: str) -> None:
    bars = synthetic(1_000, 1)
    item = strategy("ema_cross")
    with pytest.raises(InvalidInput, match=word):
        run_backtest(item, parse_params(item, {}), bars, BINANCE, capital=capital, stake=stake)


def test_too_few_bars_are_refused_with_the_number_needed() -> None:
    item = strategy("ema_cross")
    with pytest.raises(InvalidInput, match="needs at least"):
        run_backtest(item, parse_params(item, {}), synthetic(50, 1), BINANCE, capital=CAPITAL, stake=STAKE)


def test_bars_out_of_order_are_refused() -> None:
    item = strategy("donchian_trend")
    bars = synthetic(100, 1)
    shuffled = replace(bars, ts_open=bars.ts_open[::-1].copy())
    with pytest.raises(InvalidInput, match="order of time"):
        run_backtest(item, parse_params(item, {}), shuffled, BINANCE, capital=CAPITAL, stake=STAKE)
