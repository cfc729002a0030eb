"""Runs a strategy over bars: signal strategies through the kernel, event strategies through the loop."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

import numpy as np

from amarktai.backtest import kernel
from amarktai.backtest.event_loop import Desk, EventLoop
from amarktai.backtest.metrics import Run, compute_metrics, drawdown_nb
from amarktai.backtest.result import BacktestResult, SimulatedFill, TradeTable, round_trips, trade_table
from amarktai.domain.bar import Bars, Floats, Int64s, timeframe_ns
from amarktai.domain.errors import InvalidInput
from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import (
    HONEST,
    NOTIONAL_GUARD,
    ExecutionProfile,
    fee,
    notional,
)
from amarktai.domain.instrument import Instrument
from amarktai.domain.order import Side
from amarktai.strategies.contract import Exits, Signals, Strategy
from amarktai.strategies.signal_trader import (
    ENTRY,
    ENTRY_SIGNAL,
    EXIT,
    EXIT_SIGNAL,
    STOP,
    STOP_LOSS,
    TAKE_PROFIT,
    TARGET,
    TRAILING_STOP,
    Decide,
    decider,
)
from amarktai.strategies.sizing import exit_fall

_EXITS: Final[dict[int, tuple[str, str]]] = {
    kernel.BY_SIGNAL: (EXIT, EXIT_SIGNAL),
    kernel.BY_STOP: (STOP, STOP_LOSS),
    kernel.BY_TRAILING_STOP: (STOP, TRAILING_STOP),
    kernel.BY_TARGET: (TARGET, TAKE_PROFIT),
    kernel.BY_STOP_AT_MARKET: (EXIT, TRAILING_STOP),
}


def run_backtest(
    strategy: Strategy,
    params: Any,
    bars: Bars,
    instrument: Instrument,
    *,
    capital: Decimal,
    stake: Decimal,
    profile: ExecutionProfile = HONEST,
) -> BacktestResult:
    """Return what the strategy would have done on the bars.

    Units: capital and stake in quote; the stake is the most that one position may cost.
    Raises: InvalidInput when the bars are too few or not in order, or the amounts are not positive.
    """
    _check(strategy, params, bars, capital, stake)
    desk = Desk(instrument, capital, stake, profile)
    if strategy.signals is None:
        return run_events(strategy, decider(strategy), params, bars, desk)
    signals = strategy.signals(bars, params)
    exits = strategy.exits(params) if strategy.exits else Exits()
    return _run_kernel(strategy, params, bars, desk, signals, exits)


def run_events(strategy: Strategy, decide: Decide, params: Any, bars: Bars, desk: Desk) -> BacktestResult:
    """Run a decider through the event loop, whichever kind of strategy it comes from."""
    signals = strategy.signals(bars, params) if strategy.signals else None
    loop = EventLoop(decide, params, desk)
    run = loop.run(bars, warmup=strategy.warmup(params), signals=signals)
    account = Run(
        capital=float(desk.capital),
        start_ts=int(bars.ts_open[0]),
        ts_close=_ts_close(bars),
        equity=run.equity,
        drawdown=drawdown_nb(run.equity, float(desk.capital)),
        fees=float(sum(fill.fee for fill in run.fills)),
        bars_held=run.bars_held,
    )
    table = trade_table(round_trips(run.fills))
    return _result(strategy, params, bars, desk, account, table, lambda: run.fills)


def _run_kernel(
    strategy: Strategy, params: Any, bars: Bars, desk: Desk, signals: Signals, exits: Exits
) -> BacktestResult:
    settings = kernel_settings(desk, exits, first_decision=strategy.warmup(params) - 1)
    ints, amounts, equity, drawdown = kernel.simulate_nb(
        np.array([0, len(bars)], dtype=np.int64),
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        signals.entry(),
        signals.exit(),
        settings[np.newaxis, :],
    )
    last = np.where(ints[:, kernel.TRADE_EXIT] >= 0, ints[:, kernel.TRADE_EXIT], len(bars))
    fees = amounts[:, [kernel.TRADE_ENTRY_FEE, kernel.TRADE_EXIT_FEE]]
    account = Run(
        capital=float(desk.capital),
        start_ts=int(bars.ts_open[0]),
        ts_close=_ts_close(bars),
        equity=equity,
        drawdown=drawdown,
        fees=float(np.nansum(fees)),
        bars_held=int((last - ints[:, kernel.TRADE_ENTRY]).sum()),
    )
    table = _kernel_table(bars, ints, amounts)
    load_fills = partial(kernel_fills, bars, desk.instrument, ints, amounts)
    return _result(strategy, params, bars, desk, account, table, load_fills)


def _kernel_table(bars: Bars, ints: Int64s, amounts: Floats) -> TradeTable:
    closed = ints[:, kernel.TRADE_EXIT] >= 0
    ints, amounts = ints[closed], amounts[closed]
    codes = ints[:, kernel.TRADE_EXIT_CODE]
    at_open = (codes == kernel.BY_SIGNAL) | (codes == kernel.BY_STOP_AT_MARKET)
    length = timeframe_ns(bars.timeframe)
    return TradeTable(
        opened_ts=bars.ts_open[ints[:, kernel.TRADE_ENTRY]],
        closed_ts=bars.ts_open[ints[:, kernel.TRADE_EXIT]] + np.where(at_open, 0, length),
        quantity=amounts[:, kernel.TRADE_QUANTITY],
        entry_price=amounts[:, kernel.TRADE_ENTRY_PRICE],
        exit_price=amounts[:, kernel.TRADE_EXIT_PRICE],
        fees=amounts[:, kernel.TRADE_ENTRY_FEE] + amounts[:, kernel.TRADE_EXIT_FEE],
        profit=amounts[:, kernel.TRADE_PROFIT],
    )


def kernel_settings(desk: Desk, exits: Exits, *, first_decision: int) -> Floats:
    """Return one row of the kernel's settings table: float64[SETTING_COUNT]."""
    instrument = desk.instrument
    row = np.zeros(kernel.SETTING_COUNT)
    row[[kernel.TICK_P, kernel.TICK_Q]] = instrument.tick_size.as_integer_ratio()
    row[[kernel.LOT_P, kernel.LOT_Q]] = instrument.lot_size.as_integer_ratio()
    row[kernel.MIN_QUANTITY] = float(instrument.min_quantity)
    row[kernel.MIN_NOTIONAL] = float(instrument.min_notional * (1 - NOTIONAL_GUARD))
    row[kernel.MAKER] = float(instrument.fees.maker)
    row[kernel.TAKER] = float(instrument.fees.taker)
    row[kernel.SLIPPAGE] = float(desk.profile.slippage_ratio)
    row[kernel.CUSHION] = float(instrument.fees.cushion)
    row[kernel.CAPITAL] = float(desk.capital)
    row[kernel.STAKE] = float(desk.stake)
    row[kernel.STOP] = exits.stop or 0.0
    row[kernel.TARGET] = exits.target or 0.0
    row[kernel.TRAILING] = exits.trailing or 0.0
    row[kernel.EXIT_FALL] = float(exit_fall(exits))
    row[kernel.FIRST_DECISION] = first_decision
    return row


def kernel_fills(
    bars: Bars, instrument: Instrument, ints: Int64s, amounts: Floats
) -> tuple[SimulatedFill, ...]:
    """Return the kernel's trades as decimal fills on the instrument's grid, in order of time."""
    fills: list[SimulatedFill] = []
    length = timeframe_ns(bars.timeframe)
    for row, amount in zip(ints.tolist(), amounts.tolist(), strict=True):
        quantity = _on_grid(amount[kernel.TRADE_QUANTITY], instrument.lot_size)
        ts_entry = int(bars.ts_open[row[kernel.TRADE_ENTRY]])
        price = _on_grid(amount[kernel.TRADE_ENTRY_PRICE], instrument.tick_size)
        fills.append(_fill(ts_entry, Side.BUY, price, quantity, instrument, (ENTRY, ENTRY_SIGNAL)))
        code = row[kernel.TRADE_EXIT_CODE]
        if code == kernel.STILL_OPEN:
            continue
        at_open = code in (kernel.BY_SIGNAL, kernel.BY_STOP_AT_MARKET)
        ts_exit = int(bars.ts_open[row[kernel.TRADE_EXIT]]) + (0 if at_open else length)
        price = _on_grid(amount[kernel.TRADE_EXIT_PRICE], instrument.tick_size)
        fills.append(_fill(ts_exit, Side.SELL, price, quantity, instrument, _EXITS[code]))
    return tuple(fills)


def _fill(
    ts: int,
    side: Side,
    price: Decimal,
    quantity: Decimal,
    instrument: Instrument,
    label: tuple[str, str],
) -> SimulatedFill:
    tag, reason = label
    liquidity = Liquidity.MAKER if tag == TARGET else Liquidity.TAKER
    cost = fee(notional(quantity, price), liquidity, instrument.fees)
    return SimulatedFill(ts, tag, side, price, quantity, cost, liquidity, reason)


def _on_grid(value: float, step: Decimal) -> Decimal:
    return (Decimal(value) / step).to_integral_value() * step


def _result(
    strategy: Strategy,
    params: Any,
    bars: Bars,
    desk: Desk,
    account: Run,
    trades: TradeTable,
    load_fills: Callable[[], tuple[SimulatedFill, ...]],
) -> BacktestResult:
    return BacktestResult(
        strategy_id=strategy.id,
        params=params,
        instrument_id=desk.instrument.id,
        timeframe=bars.timeframe,
        profile=desk.profile.name,
        capital=desk.capital,
        stake=desk.stake,
        ts_close=account.ts_close,
        equity=account.equity,
        drawdown=account.drawdown,
        trades=trades,
        metrics=compute_metrics(account, trades.profit),
        load_fills=load_fills,
    )


def _ts_close(bars: Bars) -> Int64s:
    return bars.ts_open + timeframe_ns(bars.timeframe)


def _check(strategy: Strategy, params: Any, bars: Bars, capital: Decimal, stake: Decimal) -> None:
    if capital <= 0 or stake <= 0:
        raise InvalidInput(
            "VALIDATION_ERROR", "Capital and stake must be above 0", "Give both as positive amounts."
        )
    needed = strategy.warmup(params) + 1
    if len(bars) < needed:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{strategy.title} needs at least {needed} bars here, there are {len(bars)}",
            "Give more bars or shorten the strategy's periods.",
        )
    if not bool((bars.ts_open[1:] > bars.ts_open[:-1]).all()):
        raise InvalidInput(
            "VALIDATION_ERROR", "The bars are not in the order of time", "Sort them and drop doubles."
        )
