"""The backtest kernel: arrays in, arrays out, one pass, compiled. No clock, dice, I/O or objects.

Simulates signal strategies with the rules of ``domain/fill_model`` (profile ``honest``) and the trader
of ``strategies/signal_trader``. The lines here repeat those decimal formulas in float64; property and
parity tests hold the two equal. Ticks and lots come as fractions p ÷ q, so that a price on the grid
is the float64 nearest to its decimal and comparisons with recorded prices are exact.

Several instruments run in one call: their bars lie one after another and ``offsets`` marks where each
begins. Each has its own account, as each bot has its own reserved capital.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from amarktai.domain.bar import Floats, Int64s

# Columns of the settings table, one row an instrument.
TICK_P: Final = 0
TICK_Q: Final = 1
LOT_P: Final = 2
LOT_Q: Final = 3
MIN_QUANTITY: Final = 4  # base
MIN_NOTIONAL: Final = 5  # quote, guard already taken off
MAKER: Final = 6  # ratio
TAKER: Final = 7
SLIPPAGE: Final = 8
CUSHION: Final = 9
CAPITAL: Final = 10  # quote
STAKE: Final = 11
STOP: Final = 12  # ratio, 0 is off
TARGET: Final = 13
TRAILING: Final = 14
EXIT_FALL: Final = 15  # ratio, sizing.exit_fall
FIRST_DECISION: Final = 16  # index of the first bar that is decided on
SETTING_COUNT: Final = 17

# Columns of the trade tables, one row a round trip.
TRADE_INSTRUMENT: Final = 0
TRADE_ENTRY: Final = 1  # index of the bar, in the whole array
TRADE_EXIT: Final = 2  # −1 while open
TRADE_EXIT_CODE: Final = 3
TRADE_INT_COUNT: Final = 4
TRADE_QUANTITY: Final = 0
TRADE_ENTRY_PRICE: Final = 1
TRADE_EXIT_PRICE: Final = 2
TRADE_ENTRY_FEE: Final = 3
TRADE_EXIT_FEE: Final = 4
TRADE_PROFIT: Final = 5  # net of fees, quote
TRADE_FLOAT_COUNT: Final = 6

# Exit codes.
STILL_OPEN: Final = 0
BY_SIGNAL: Final = 1
BY_STOP: Final = 2
BY_TRAILING_STOP: Final = 3
BY_TARGET: Final = 4
BY_STOP_AT_MARKET: Final = 5  # the raised stop was at or above the close: sold at the next open

_GUARD: Final = 5e-7  # fill_model.STEP_GUARD
_LEDGER: Final = 1e8  # 10^money.LEDGER_SCALE


@njit(cache=True, error_model="numpy")
def floor_to_step_nb(value: float, p: float, q: float) -> float:
    """Return ``round_price_against(SELL)`` and ``round_quantity_down`` for the step p ÷ q."""
    return math.floor(value * q / p + _GUARD) * p / q


@njit(cache=True, error_model="numpy")
def ceil_to_step_nb(value: float, p: float, q: float) -> float:
    """Return ``round_price_against(BUY)`` for the step p ÷ q."""
    return math.ceil(value * q / p - _GUARD) * p / q


@njit(cache=True, error_model="numpy")
def to_ledger_nb(value: float) -> float:
    """Return ``money.to_ledger``: eight places, half to even."""
    return float(np.rint(value * _LEDGER)) / _LEDGER


@njit(cache=True, error_model="numpy")
def entry_quantity_nb(budget: float, price: float, s: Floats) -> float:
    """Return ``sizing.entry_quantity``: base units to buy, 0 when refused."""
    if budget <= 0.0:
        return 0.0
    unit_cost = price * (1.0 + s[TAKER] + s[CUSHION])
    quantity = floor_to_step_nb(budget / unit_cost, s[LOT_P], s[LOT_Q])
    if quantity <= 0.0 or quantity < s[MIN_QUANTITY] or quantity * price < s[MIN_NOTIONAL]:
        return 0.0
    left = floor_to_step_nb(quantity * (1.0 - s[TAKER]), s[LOT_P], s[LOT_Q])
    if left <= 0.0 or left < s[MIN_QUANTITY] or left * price * (1.0 - s[EXIT_FALL]) < s[MIN_NOTIONAL]:
        return 0.0
    return quantity


@njit(cache=True, error_model="numpy")
def buy_reservation_nb(quantity: float, price: float, s: Floats) -> float:
    """Return ``fill_model.buy_reservation`` of a market buy, in quote."""
    return to_ledger_nb(quantity * price * (1.0 + s[TAKER] + s[CUSHION]))


@njit(cache=True, error_model="numpy")
def buy_cost_nb(quantity: float, price: float, taker: float) -> float:
    """Return what a taker pays for a buy, fee included, in quote."""
    value = to_ledger_nb(quantity * price)
    return float(value + to_ledger_nb(value * taker))


@njit(cache=True, error_model="numpy")
def within_budget_nb(quantity: float, price: float, budget: float, s: Floats) -> float:
    """Return ``fill_model.within_budget`` of a taker's fill, in base."""
    budget += 0.5 / _LEDGER  # both sides are whole ledger steps, as near as floats come to them
    if buy_cost_nb(quantity, price, s[TAKER]) <= budget:
        return quantity
    p, q = s[LOT_P], s[LOT_Q]
    lots = math.floor(budget / (price * (1.0 + s[TAKER])) * q / p + _GUARD)
    while lots > 0.0 and buy_cost_nb(lots * p / q, price, s[TAKER]) > budget:
        lots -= 1.0
    return float(max(lots, 0.0) * p / q)


@njit(cache=True, error_model="numpy")
def simulate_nb(  # noqa: C901, PLR0915  long: one pass over the bars, reads top to bottom
    offsets: Int64s,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    entry: np.ndarray,
    exit_: np.ndarray,
    settings: Floats,
) -> tuple[np.ndarray, np.ndarray, Floats, Floats]:
    """Simulate each instrument's signals and return its trades and equity.

    Shapes: offsets int64[k + 1]; open_, high, low, close float64[n]; entry, exit_ bool[n];
    settings float64[k, SETTING_COUNT] → trade integers int64[t, TRADE_INT_COUNT], trade amounts
    float64[t, TRADE_FLOAT_COUNT], equity float64[n] in quote at each close, drawdown float64[n] in
    [−1, 0].  A position open at the end is the instrument's last row, marked STILL_OPEN.
    """
    n = close.shape[0]
    equity = np.empty(n)
    drawdown = np.empty(n)
    # A trade needs an entry signal of its own: room for all of them. Growing the tables inside the
    # loop would keep it from running in registers (measured: half the speed).
    capacity = np.count_nonzero(entry)
    ints = np.empty((capacity, TRADE_INT_COUNT), np.int64)
    amounts = np.empty((capacity, TRADE_FLOAT_COUNT))
    count = 0
    for k in range(offsets.shape[0] - 1):
        # Views that start at 0 let the compiler drop the checks for negative indexes; scalars, the
        # reloads of settings after each write to an output.
        first, last = offsets[k], offsets[k + 1]
        opens, highs, lows, closes = open_[first:last], high[first:last], low[first:last], close[first:last]
        entries, exits = entry[first:last], exit_[first:last]
        equities, drawdowns = equity[first:last], drawdown[first:last]
        s = settings[k]
        tick_p, tick_q = s[TICK_P], s[TICK_Q]
        maker, taker, stake, min_notional = s[MAKER], s[TAKER], s[STAKE], s[MIN_NOTIONAL]
        buy_factor, sell_factor = 1.0 + s[SLIPPAGE], 1.0 - s[SLIPPAGE]
        first_decision = int(s[FIRST_DECISION])
        stop_ratio, target_ratio, trailing_ratio = s[STOP], s[TARGET], s[TRAILING]
        cash = s[CAPITAL]
        peak = cash
        quantity = 0.0
        cost = 0.0
        stop_price = 0.0
        resting_stop = 0.0  # the stop that the venue has taken: 0 while its value is too small
        stop_code = BY_STOP
        target_price = math.inf
        highest = 0.0
        entry_price = 0.0
        to_buy = 0.0
        budget = 0.0
        sell_code = 0
        for i in range(last - first):
            exit_code = 0
            exit_price = 0.0
            is_entry = False
            if to_buy > 0.0:
                entry_price = ceil_to_step_nb(opens[i] * buy_factor, tick_p, tick_q)
                quantity = within_budget_nb(to_buy, entry_price, budget, s)
                is_entry = quantity > 0.0
                to_buy = 0.0
            if is_entry:
                value = to_ledger_nb(quantity * entry_price)
                entry_fee = to_ledger_nb(value * taker)
                cost = value + entry_fee
                cash -= cost
                stop_price = 0.0
                stop_code = BY_STOP
                if stop_ratio > 0.0:
                    level = floor_to_step_nb(entry_price * (1.0 - stop_ratio), tick_p, tick_q)
                    if level > stop_price:
                        stop_price = level
                if trailing_ratio > 0.0:
                    level = floor_to_step_nb(entry_price * (1.0 - trailing_ratio), tick_p, tick_q)
                    if level > stop_price:
                        stop_price = level
                        stop_code = BY_TRAILING_STOP
                resting_stop = stop_price if quantity * opens[i] >= min_notional else 0.0
                target_price = math.inf
                if target_ratio > 0.0:
                    level = ceil_to_step_nb(entry_price * (1.0 + target_ratio), tick_p, tick_q)
                    if quantity * level >= min_notional:
                        target_price = level
                highest = entry_price
                ints[count, TRADE_INSTRUMENT] = k
                ints[count, TRADE_ENTRY] = first + i
                amounts[count, TRADE_QUANTITY] = quantity
                amounts[count, TRADE_ENTRY_PRICE] = entry_price
                amounts[count, TRADE_ENTRY_FEE] = entry_fee
            elif sell_code != 0:
                exit_code = sell_code
                exit_price = floor_to_step_nb(opens[i] * sell_factor, tick_p, tick_q)
                sell_code = 0
            if quantity > 0.0:
                if exit_code == 0:
                    if lows[i] <= resting_stop:
                        exit_code = stop_code
                        base = min(resting_stop, opens[i])
                        exit_price = floor_to_step_nb(base * sell_factor, tick_p, tick_q)
                    elif highs[i] > target_price:
                        exit_code = BY_TARGET
                        exit_price = target_price
                if exit_code != 0:
                    value = to_ledger_nb(quantity * exit_price)
                    exit_fee = to_ledger_nb(value * (maker if exit_code == BY_TARGET else taker))
                    cash += value - exit_fee
                    ints[count, TRADE_EXIT] = first + i
                    ints[count, TRADE_EXIT_CODE] = exit_code
                    amounts[count, TRADE_EXIT_PRICE] = exit_price
                    amounts[count, TRADE_EXIT_FEE] = exit_fee
                    amounts[count, TRADE_PROFIT] = value - exit_fee - cost
                    count += 1
                    quantity = 0.0
            if quantity > 0.0:
                held_value = quantity * closes[i]
                value = cash + held_value
                if trailing_ratio > 0.0:
                    highest = max(highest, highs[i])
                    level = floor_to_step_nb(highest * (1.0 - trailing_ratio), tick_p, tick_q)
                    if level > stop_price:
                        stop_price = level
                        stop_code = BY_TRAILING_STOP
                if held_value < min_notional:
                    if resting_stop != stop_price:
                        resting_stop = 0.0
                elif exits[i]:
                    sell_code = BY_SIGNAL
                elif stop_price >= closes[i]:
                    sell_code = BY_STOP_AT_MARKET
                else:
                    resting_stop = stop_price
            else:
                value = cash
                if entries[i] and not exits[i] and i >= first_decision:
                    to_buy = entry_quantity_nb(min(stake, cash), closes[i], s)
                    budget = buy_reservation_nb(to_buy, closes[i], s)
            equities[i] = value
            peak = max(peak, value)
            drawdowns[i] = value / peak - 1.0
        if quantity > 0.0:
            ints[count, TRADE_EXIT] = -1
            ints[count, TRADE_EXIT_CODE] = STILL_OPEN
            amounts[count, TRADE_EXIT_PRICE] = math.nan
            amounts[count, TRADE_EXIT_FEE] = math.nan
            amounts[count, TRADE_PROFIT] = math.nan
            count += 1
    return ints[:count].copy(), amounts[:count].copy(), equity, drawdown
