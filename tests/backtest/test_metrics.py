from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.backtest.metrics import (
    NS_A_DAY,
    Metrics,
    Run,
    compute_metrics,
    daily_returns_nb,
    drawdown_nb,
)


def metrics_of(
    equity: list[float], profits: list[float] | None = None, capital: float = 100.0, held: int = 0
) -> Metrics:
    """Return the figures of a run with one close a day, at midnight."""
    values = np.array(equity)
    return compute_metrics(
        Run(
            capital=capital,
            start_ts=0,
            ts_close=(np.arange(len(equity), dtype=np.int64) + 1) * NS_A_DAY,
            equity=values,
            drawdown=drawdown_nb(values, capital),
            fees=1.5,
            bars_held=held,
        ),
        np.array(profits or [], dtype=np.float64),
    )


def test_every_figure_by_hand() -> None:
    returns = [0.02, -0.01, 0.03, -0.02] * 91 + [0.01]
    equity = (100 * np.cumprod(1 + np.array(returns))).tolist()
    got = metrics_of(equity, [5.0, -2.0, 3.0, -1.0, 0.0], held=73)
    mean, deviation = np.mean(returns), np.std(returns, ddof=1)
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    assert got.days == 365
    assert got.total_return == pytest.approx(equity[-1] / 100 - 1)
    assert got.cagr == pytest.approx(got.total_return)
    assert got.sharpe == pytest.approx(mean / deviation * math.sqrt(365))
    assert got.sharpe_daily == pytest.approx(mean / deviation)
    assert got.sortino == pytest.approx(mean / downside * math.sqrt(365))
    assert got.max_drawdown == pytest.approx(-0.02)
    assert got.cagr is not None
    assert got.calmar == pytest.approx(got.cagr / 0.02)
    assert (got.trade_count, got.winning_count, got.losing_count) == (5, 2, 2)
    assert got.win_rate == pytest.approx(0.4)
    assert got.profit_factor == pytest.approx(8 / 3)
    assert got.expectancy == pytest.approx(1.0)
    assert got.exposure == pytest.approx(73 / 365)
    assert got.reasons == {}


def test_nothing_is_given_per_year_before_six_months() -> None:
    got = metrics_of([101.0, 100.5, 102.0])
    assert (got.cagr, got.sharpe, got.sortino, got.calmar) == (None, None, None, None)
    assert got.sharpe_daily is not None and got.sortino_daily is not None
    for name in ("cagr", "sharpe", "sortino", "calmar"):
        assert "needs 182" in got.reasons[name]


def test_without_trades_nothing_is_given_per_trade() -> None:
    got = metrics_of([100.0] * 200)
    assert (got.win_rate, got.profit_factor, got.expectancy) == (None, None, None)
    assert (got.sharpe, got.sortino, got.calmar) == (None, None, None)
    assert got.reasons["win_rate"] == "no trade was closed"
    assert got.reasons["sharpe"] == "the daily returns do not vary"
    assert got.reasons["sortino"] == "no day lost money"
    assert got.cagr == 0.0


def test_without_losses_the_profit_factor_is_unknown_not_infinite() -> None:
    got = metrics_of([101.0, 102.0], [1.0, 1.0])
    assert got.profit_factor is None
    assert got.reasons["profit_factor"] == "no trade lost money"


def test_losing_everything_has_no_growth_rate() -> None:
    got = metrics_of([50.0] * 199 + [0.0])
    assert got.cagr is None and got.reasons["cagr"] == "nothing of the capital was left"
    assert got.max_drawdown == -1.0


def test_a_day_that_lost_everything_is_the_last_return() -> None:
    stamps = (np.arange(4, dtype=np.int64) + 1) * NS_A_DAY
    got = daily_returns_nb(stamps, np.array([90.0, 0.0, 0.0, 5.0]), 100.0)
    assert got.tolist() == pytest.approx([-0.1, -1.0])


def test_an_empty_run_has_figures_that_say_so() -> None:
    got = metrics_of([])
    assert (got.total_return, got.max_drawdown, got.exposure, got.trade_count) == (0, 0, 0, 0)
    assert got.reasons["sharpe"] == "fewer than two days"


def test_days_end_at_midnight_utc_and_gaps_are_one_return() -> None:
    hour = NS_A_DAY // 24
    stamps = np.array([23 * hour, NS_A_DAY, NS_A_DAY + hour, 5 * NS_A_DAY], dtype=np.int64)
    got = daily_returns_nb(stamps, np.array([101.0, 110.0, 99.0, 121.0]), 100.0)
    assert got.tolist() == pytest.approx([0.1, -0.1, 2 / 9])
    late = np.array([NS_A_DAY + hour, 2 * NS_A_DAY, 2 * NS_A_DAY + hour], dtype=np.int64)
    assert daily_returns_nb(late, np.array([105.0, 110.0, 99.0]), 100.0).tolist() == pytest.approx(
        [0.1, -0.1]
    )


@given(
    equity=st.lists(st.one_of(st.just(0.0), st.floats(0.01, 1e6)), max_size=400),
    profits=st.lists(st.floats(-1e6, 1e6), max_size=20),
)
def test_a_figure_is_finite_or_none_with_a_reason(equity: list[float], profits: list[float]) -> None:
    got = metrics_of(equity, profits)
    assert -1.0 <= got.max_drawdown <= 0.0
    for item in dataclasses.fields(got):
        value = getattr(got, item.name)
        if value is None:
            assert got.reasons[item.name]
        elif isinstance(value, float):
            assert math.isfinite(value), item.name
