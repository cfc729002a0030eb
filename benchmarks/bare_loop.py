"""The bare numba loop that the kernel is measured against: the same steps, and nothing else.

Averages, signal arrays, one loop with entry, stop, target, trailing stop and exit at prices as they
are (no ticks, no minimums, no guards, no second instrument), trade list, equity, drawdown, figures.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_NS_A_DAY = 86_400_000_000_000


@njit(cache=True, error_model="numpy")
def _ema(close, period):  # type: ignore[no-untyped-def]
    out = np.full(close.shape[0], np.nan)
    average = close[:period].mean()
    out[period - 1] = average
    weight = 2.0 / (period + 1.0)
    for i in range(period, close.shape[0]):
        average += weight * (close[i] - average)
        out[i] = average
    return out


@njit(cache=True, error_model="numpy")
def _crosses(fast, slow):  # type: ignore[no-untyped-def]
    entry = np.zeros(fast.shape[0], np.bool_)
    exit_ = np.zeros(fast.shape[0], np.bool_)
    for i in range(1, fast.shape[0]):
        entry[i] = fast[i] > slow[i] and fast[i - 1] <= slow[i - 1]
        exit_[i] = fast[i] < slow[i] and fast[i - 1] >= slow[i - 1]
    return entry, exit_


@njit(cache=True, error_model="numpy")
def _simulate(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0913, PLR0915
    open_, high, low, close, entry, exit_, first, stop, target, trailing, fee, stake, capital, cushion, lot
):
    n = close.shape[0]
    equity, drawdown = np.empty(n), np.empty(n)
    rows = np.empty((n // 2 + 1, 6))
    count, cash, peak = 0, capital, capital
    quantity, cost, stop_at, target_at, highest = 0.0, 0.0, 0.0, math.inf, 0.0
    to_buy, to_sell = 0.0, False
    for i in range(n):
        price = 0.0
        if to_buy > 0.0:
            quantity, to_buy = to_buy, 0.0
            bought_at = open_[i]
            cost = quantity * bought_at * (1.0 + fee)
            cash -= cost
            stop_at = bought_at * (1.0 - stop) if stop > 0.0 else 0.0
            target_at = bought_at * (1.0 + target) if target > 0.0 else math.inf
            highest = bought_at
            rows[count, 0], rows[count, 2], rows[count, 3] = i - 1, quantity, bought_at
        elif to_sell:
            price, to_sell = open_[i], False
            rows[count, 1] = i - 1
        if quantity > 0.0:
            if price == 0.0 and low[i] <= stop_at:
                price = min(stop_at, open_[i])
                rows[count, 1] = i
            elif price == 0.0 and high[i] > target_at:
                price = target_at
                rows[count, 1] = i
            if price > 0.0:
                received = quantity * price * (1.0 - fee)
                cash += received
                rows[count, 4], rows[count, 5] = price, received - cost
                count += 1
                quantity = 0.0
        if quantity > 0.0:
            value = cash + quantity * close[i]
            if trailing > 0.0:
                highest = max(highest, high[i])
                stop_at = max(stop_at, highest * (1.0 - trailing))
            to_sell = exit_[i]
        else:
            value = cash
            if entry[i] and i >= first:
                to_buy = math.floor(min(stake, cash) / (close[i] * (1.0 + fee + cushion)) * lot) / lot
        equity[i] = value
        peak = max(peak, value)
        drawdown[i] = value / peak - 1.0
    return rows[:count].copy(), equity, drawdown


@njit(cache=True, error_model="numpy")
def _daily_returns(ts, equity, capital):  # type: ignore[no-untyped-def]
    out = np.empty((ts[-1] - ts[0]) // _NS_A_DAY + 2)
    count, before, day_end = 0, capital, (ts[0] // _NS_A_DAY + 1) * _NS_A_DAY
    for i in range(1, equity.shape[0]):
        if ts[i] >= day_end:
            out[count] = equity[i - 1] / before - 1.0
            count, before, day_end = count + 1, equity[i - 1], day_end + _NS_A_DAY
    return out[:count].copy()


def run(  # noqa: PLR0913 - a benchmark's constants
    columns: Any,
    fast: int,
    slow: int,
    stop: float,
    fee: float,
    stake: float,
    capital: float,
    cushion: float,
    lot: float,
) -> tuple[Any, ...]:
    """Return (opened_ts, closed_ts, quantity, entry price, exit price, profit) of the closed trades."""
    entry, exit_ = _crosses(_ema(columns.close, fast), _ema(columns.close, slow))
    rows, equity, drawdown = _simulate(
        columns.open, columns.high, columns.low, columns.close, entry, exit_, 300,
        stop, 0.0, 0.0, fee, stake, capital, cushion, lot,
    )  # fmt: skip
    _figures(_daily_returns(columns.ts, equity, capital), equity, drawdown, rows[:, 5], capital)
    ts_close = columns.ts + 60_000_000_000
    return (ts_close[rows[:, 0].astype(np.int64)], ts_close[rows[:, 1].astype(np.int64)],
            rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5])  # fmt: skip


def _figures(daily: Any, equity: Any, drawdown: Any, profits: Any, capital: float) -> tuple[float, ...]:
    growth = equity[-1] / capital
    wins, losses = profits[profits > 0].sum(), -profits[profits < 0].sum()
    cagr = growth ** (365 / len(daily)) - 1 if growth > 0 else math.nan
    return (
        growth - 1,
        cagr,
        daily.mean() / daily.std(ddof=1) * math.sqrt(365),
        daily.mean() / math.sqrt((np.minimum(daily, 0) ** 2).mean()) * math.sqrt(365),
        cagr / -drawdown.min(),
        (profits > 0).mean(),
        wins / losses,
        profits.mean(),
    )
