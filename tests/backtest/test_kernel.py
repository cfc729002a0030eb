"""The kernel's float64 formulas against the decimal ones, and its trades against a slow reading."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.backtest import kernel
from amarktai.backtest.driver import kernel_settings
from amarktai.backtest.event_loop import Desk
from amarktai.domain.fill_model import HONEST, exact, round_price_against, round_quantity_down, taker_price
from amarktai.domain.money import to_ledger
from amarktai.domain.order import Side
from amarktai.strategies.contract import Account, Exits
from amarktai.strategies.sizing import entry_quantity
from tests.backtest.bars import bars_of
from tests.market_data import BINANCE, synthetic

D = Decimal
STEPS = st.sampled_from(
    [D("0.01"), D("0.1"), D("0.5"), D("1"), D("10"), D("0.00001"), D("0.00000001"), D("0.05")]
)
COUNTS = st.integers(1, 99_999_999)
RATIOS = st.integers(0, 3_000).map(lambda parts: D(parts) / 10_000)


@given(step=STEPS, count=COUNTS, ratio=RATIOS)
def test_rounding_equals_the_decimal_fill_model(step: Decimal, count: int, ratio: Decimal) -> None:
    p, q = step.as_integer_ratio()
    price = step * count
    for factor in (1 - ratio, 1 + ratio):
        down = kernel.floor_to_step_nb(float(price) * float(factor), p, q)
        up = kernel.ceil_to_step_nb(float(price) * float(factor), p, q)
        assert down == float(round_price_against(Side.SELL, price * factor, step))
        assert up == float(round_price_against(Side.BUY, price * factor, step))
        assert down == float(round_quantity_down(price * factor, step))


@given(price=st.floats(0.01, 1e6), side=st.sampled_from(Side))
def test_a_takers_price_equals_the_decimal_fill_model_off_the_grid_too(price: float, side: Side) -> None:
    slippage = float(HONEST.slippage_ratio)
    want = taker_price(side, exact(price), HONEST.slippage_ratio, D("0.01"))
    if side is Side.BUY:
        assert kernel.ceil_to_step_nb(price * (1.0 + slippage), 1, 100) == float(want)
    else:
        assert kernel.floor_to_step_nb(price * (1.0 - slippage), 1, 100) == float(want)


@given(units=st.integers(-(10**12), 10**12))
def test_the_ledgers_rounding_is_the_same(units: int) -> None:
    value = D(units).scaleb(-9)
    if units % 10 == 5 or units % 10 == -5:
        return  # a tie, which float64 cannot represent
    assert kernel.to_ledger_nb(float(value)) == float(to_ledger(value))


EXITS = st.builds(
    Exits.of,
    stop=st.sampled_from([0.0, 0.02, 0.3]),
    trailing=st.sampled_from([0.0, 0.05]),
    target=st.sampled_from([0.0, 0.1]),
)


@given(
    cash=st.integers(-100, 200_000).map(lambda cents: D(cents) / 100),
    stake=st.integers(1, 200_000).map(lambda cents: D(cents) / 100),
    price=st.integers(1, 10**7).map(lambda cents: D(cents) / 100),
    min_quantity=st.sampled_from([D("0.00001"), D("0.01"), D(1)]),
    exits=EXITS,
)
def test_sizes_and_refusals_equal_the_traders(
    cash: Decimal, stake: Decimal, price: Decimal, min_quantity: Decimal, exits: Exits
) -> None:
    instrument = replace(BINANCE, min_quantity=min_quantity)
    account = Account(instrument, D(1000), stake, cash, D(0), None, frozenset())
    quantity, refused = entry_quantity(account, price, exits)
    settings = kernel_settings(Desk(instrument, D(1000), stake, HONEST), exits, first_decision=0)
    got = kernel.entry_quantity_nb(float(min(stake, cash)), float(price), settings)
    assert got == (0.0 if refused else float(quantity))


def _simulate(offsets: list[int], settings: list[np.ndarray], seed: int = 3) -> tuple[np.ndarray, ...]:
    bars = synthetic(3_000, seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    entry, exit_ = rng.integers(0, 9, 3_000) == 0, rng.integers(0, 9, 3_000) == 0
    return kernel.simulate_nb(
        np.array(offsets, dtype=np.int64), bars.open, bars.high, bars.low, bars.close, entry, exit_,
        np.array(settings),
    )  # fmt: skip


def _settings(stake: int = 1_000, first_decision: int = 0) -> np.ndarray:
    desk = Desk(BINANCE, D(10_000), D(stake), HONEST)
    exits = Exits(stop=0.02, target=0.04, trailing=0.03)
    return kernel_settings(desk, exits, first_decision=first_decision)


def test_several_instruments_in_one_call_equal_one_call_each() -> None:
    settings = [_settings(), _settings(stake=3_000)]
    ints, amounts, equity, drawdown = _simulate([0, 1_200, 3_000], settings)
    first = _simulate([0, 1_200], settings[:1])
    second = _simulate([1_200, 3_000], settings[1:])
    assert len(ints) > 50
    np.testing.assert_array_equal(amounts, np.concatenate([first[1], second[1]]))
    np.testing.assert_array_equal(ints[:, 1:], np.concatenate([first[0][:, 1:], second[0][:, 1:]]))
    assert set(ints[:, kernel.TRADE_INSTRUMENT]) == {0, 1}
    np.testing.assert_array_equal(equity, np.concatenate([first[2][:1_200], second[2][1_200:]]))
    np.testing.assert_array_equal(drawdown, np.concatenate([first[3][:1_200], second[3][1_200:]]))


def test_nothing_is_decided_before_the_first_decision() -> None:
    ints, _, equity, _ = _simulate([0, 3_000], [_settings(first_decision=1_000)])
    assert ints[:, kernel.TRADE_ENTRY].min() > 1_000
    assert (equity[:1_001] == 10_000).all()


def test_there_is_room_for_a_trade_in_every_bar() -> None:
    count = 500
    open_, low = np.full(count, 100.0), np.full(count, 90.0)
    entry, exit_ = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    ints, amounts, equity, _ = kernel.simulate_nb(
        np.array([0, count]), open_, open_, low, open_, entry, exit_, _settings(stake=100)[np.newaxis, :]
    )
    assert ints[:, kernel.TRADE_ENTRY].tolist() == list(range(1, count))
    assert (ints[:, kernel.TRADE_EXIT_CODE] == kernel.BY_STOP).all()
    assert amounts[:, kernel.TRADE_PROFIT].sum() == pytest.approx(equity[-1] - 10_000)


def test_drawdown_is_equity_over_its_peak() -> None:
    _, _, equity, drawdown = _simulate([0, 3_000], [_settings()])
    peak = np.maximum.accumulate(np.maximum(equity, 10_000))
    np.testing.assert_allclose(drawdown, equity / peak - 1, atol=1e-15)
    assert drawdown.min() < -0.01


def test_an_open_position_is_marked_and_has_no_exit() -> None:
    bars = bars_of((100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 100))
    entry, exit_ = np.array([True, False, False]), np.zeros(3, dtype=np.bool_)
    ints, amounts, _, _ = kernel.simulate_nb(
        np.array([0, 3]), bars.open, bars.high, bars.low, bars.close, entry, exit_,
        kernel_settings(Desk(BINANCE, D(10_000), D(1_000), HONEST), Exits(), first_decision=0)[np.newaxis, :],
    )  # fmt: skip
    assert ints.tolist() == [[0, 1, -1, kernel.STILL_OPEN]]
    assert np.isnan(amounts[0, kernel.TRADE_PROFIT])
