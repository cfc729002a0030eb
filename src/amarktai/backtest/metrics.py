"""What a backtest's equity and trades amount to, each figure with its formula and source.

A figure that is not defined is None, and ``reasons`` says why; never 0, infinity or NaN. Rates per
year are given from six months on only: a shorter run says too little about a year.

Daily returns are those of the equity at the last close of each UTC day (the first from the starting
capital), because returns of single bars make ratios of different timeframes incomparable. Markets
are open every day, so a year has 365 of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats, Int64s

DAYS_A_YEAR: Final = 365
MIN_DAYS_FOR_A_YEAR: Final = 182
NS_A_DAY: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one run. Money in quote, ratios as plain numbers (0.1 is 10 %).

    - total_return: final equity ÷ capital − 1.
    - cagr: (final equity ÷ capital)^(365 ÷ days) − 1.
    - sharpe: mean ÷ sample deviation of daily returns × √365, risk-free rate 0. Sharpe (1994), ex-post
      form. ``sharpe_daily`` is the same without × √365.
    - sortino: mean daily return ÷ downside deviation × √365, where the downside deviation is
      √(mean(min(return, 0)²)) over all days. Sortino and Price (1994), target 0.
    - max_drawdown: the lowest equity ÷ peak − 1 at closes, in [−1, 0].
    - calmar: cagr ÷ −max_drawdown. Young (1991), over the whole run.
    - win_rate: trades with profit above 0 ÷ closed trades.
    - profit_factor: sum of profits ÷ sum of losses of closed trades, net of fees.
    - expectancy: mean net profit of a closed trade, in quote.
    - exposure: share of bars at whose close a position was held.
    """

    capital: float
    final_equity: float
    days: float
    trade_count: int
    winning_count: int
    losing_count: int
    fees: float
    exposure: float
    total_return: float
    max_drawdown: float
    cagr: float | None
    sharpe: float | None
    sharpe_daily: float | None
    sortino: float | None
    sortino_daily: float | None
    calmar: float | None
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    reasons: dict[str, str] = field(default_factory=dict)


@njit(cache=True, error_model="numpy")
def drawdown_nb(equity: Floats, capital: float) -> Floats:
    """Return equity ÷ its peak so far − 1, the peak starting at ``capital``: float64[n]."""
    out = np.empty(equity.shape[0])
    peak = capital
    for i in range(equity.shape[0]):
        peak = max(peak, equity[i])
        out[i] = equity[i] / peak - 1.0
    return out


@njit(cache=True, error_model="numpy")
def daily_returns_nb(ts_close: Int64s, equity: Floats, capital: float) -> Floats:
    """Return one simple return for each UTC day that has a close: float64[days].

    A close at midnight belongs to the day that it ends. Nothing follows a day that lost everything.
    """
    n = equity.shape[0]
    if n == 0:
        return np.empty(0)
    out = np.empty((ts_close[n - 1] - ts_close[0]) // NS_A_DAY + 2)
    count = 0
    before = capital
    day_end = ((ts_close[0] - 1) // NS_A_DAY + 1) * NS_A_DAY
    for i in range(n):
        if before <= 0.0:
            break
        if ts_close[i] > day_end:
            out[count] = equity[i - 1] / before - 1.0
            count += 1
            before = equity[i - 1]
            day_end = ((ts_close[i] - 1) // NS_A_DAY + 1) * NS_A_DAY
    if before > 0.0:
        out[count] = equity[n - 1] / before - 1.0
        count += 1
    return out[:count].copy()


@dataclass(frozen=True, slots=True)
class Run:
    """The account over a run.

    Shapes: ts_close int64[n] ns UTC, equity and drawdown float64[n].  Units: capital, equity, fees in
    quote; start_ts ns UTC, the first bar's open.
    """

    capital: float
    start_ts: int
    ts_close: Int64s
    equity: Floats
    drawdown: Floats
    fees: float
    bars_held: int


def compute_metrics(run: Run, profits: Floats) -> Metrics:
    """Return the figures of a run. An empty run has no return and no trades.

    Shapes: profits float64[t], net of fees in quote, one for each closed trade.
    """
    reasons: dict[str, str] = {}
    n = len(run.equity)
    final = float(run.equity[-1]) if n else run.capital
    days = float(run.ts_close[-1] - run.start_ts) / NS_A_DAY if n else 0.0
    max_drawdown = float(run.drawdown.min()) if n else 0.0
    cagr = _cagr(final / run.capital, days, reasons)
    daily = daily_returns_nb(run.ts_close, run.equity, run.capital)
    sharpe_daily, sortino_daily = _daily_ratios(daily, reasons)
    winners, losers = profits[profits > 0], profits[profits < 0]
    return Metrics(
        capital=run.capital,
        final_equity=final,
        days=days,
        trade_count=len(profits),
        winning_count=len(winners),
        losing_count=len(losers),
        fees=run.fees,
        exposure=run.bars_held / n if n else 0.0,
        total_return=final / run.capital - 1.0,
        max_drawdown=max_drawdown,
        cagr=cagr,
        sharpe=_yearly("sharpe", sharpe_daily, days, reasons),
        sharpe_daily=sharpe_daily,
        sortino=_yearly("sortino", sortino_daily, days, reasons),
        sortino_daily=sortino_daily,
        calmar=_calmar(cagr, max_drawdown, reasons),
        win_rate=_per_trade("win_rate", float(len(winners)), profits, reasons),
        profit_factor=_profit_factor(winners, losers, reasons),
        expectancy=_per_trade("expectancy", float(profits.sum()), profits, reasons),
        reasons=reasons,
    )


def _too_short(days: float) -> str:
    return f"the run spans {days:.1f} days; a yearly figure needs {MIN_DAYS_FOR_A_YEAR}"


def _cagr(growth: float, days: float, reasons: dict[str, str]) -> float | None:
    if days < MIN_DAYS_FOR_A_YEAR:
        reasons["cagr"] = _too_short(days)
        return None
    if growth <= 0.0:
        reasons["cagr"] = "nothing of the capital was left"
        return None
    return float(growth ** (DAYS_A_YEAR / days) - 1.0)


def _daily_ratios(daily: Floats, reasons: dict[str, str]) -> tuple[float | None, float | None]:
    if len(daily) < 2:
        for name in ("sharpe_daily", "sortino_daily"):
            reasons[name] = "fewer than two days"
        return None, None
    mean = float(daily.mean())
    deviation = float(daily.std(ddof=1))
    downside = math.sqrt(float((np.minimum(daily, 0.0) ** 2).mean()))
    return (
        _ratio("sharpe_daily", mean, deviation, "the daily returns do not vary", reasons),
        _ratio("sortino_daily", mean, downside, "no day lost money", reasons),
    )


def _ratio(name: str, value: float, divisor: float, reason: str, reasons: dict[str, str]) -> float | None:
    ratio = value / divisor if divisor > 0.0 else math.nan
    if math.isfinite(ratio):
        return ratio
    reasons[name] = reason if not divisor > 0.0 else "too large to state"
    return None


def _yearly(name: str, daily: float | None, days: float, reasons: dict[str, str]) -> float | None:
    if daily is None:
        reasons[name] = reasons[f"{name}_daily"]
        return None
    if days < MIN_DAYS_FOR_A_YEAR:
        reasons[name] = _too_short(days)
        return None
    return daily * math.sqrt(DAYS_A_YEAR)


def _calmar(cagr: float | None, max_drawdown: float, reasons: dict[str, str]) -> float | None:
    if cagr is None:
        reasons["calmar"] = reasons["cagr"]
        return None
    return _ratio("calmar", cagr, -max_drawdown, "the equity never fell below a peak", reasons)


def _per_trade(name: str, total: float, profits: Floats, reasons: dict[str, str]) -> float | None:
    return _ratio(name, total, float(len(profits)), "no trade was closed", reasons)


def _profit_factor(winners: Floats, losers: Floats, reasons: dict[str, str]) -> float | None:
    reason = "no trade lost money" if len(winners) else "no trade was closed with a profit or a loss"
    return _ratio("profit_factor", float(winners.sum()), -float(losers.sum()), reason, reasons)
