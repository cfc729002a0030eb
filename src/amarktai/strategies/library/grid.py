"""Grid: rests buys below the market and sells each one step higher, again and again.

Levels: ``price(k) = anchor ÷ (1 + spacing)^k``. Level k buys at price(k); once bought, it sells at
price(k − 1); once sold, it buys again. With nothing bought, the grid follows a rising market.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill_model import exact, refusal, round_price_against
from amarktai.domain.money import ZERO, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import (
    Account,
    Action,
    BarClosed,
    Decision,
    Gate,
    OrderClosed,
    OrderFilled,
    Place,
    Strategy,
    StrategyEvent,
    parameter,
)
from amarktai.strategies.sizing import cancel_all, entry_refusal, held_quantity, limit_quantity, sell_all

EXIT: Final = "exit"


@dataclass(frozen=True, slots=True)
class Params:
    levels: int = parameter(5, 1, 20, "Number of buy levels below the market")
    spacing: float = parameter(
        0.01, 0.002, 0.2, "Distance between levels; keep it above twice the fee", unit="ratio"
    )
    stop: float = parameter(
        0.1, 0, 0.5, "Sells everything so far below the lowest level, 0 for never", unit="ratio"
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Memory of the grid. anchor quote per base (0: none), budget quote per level, bought base."""

    anchor: Decimal = ZERO
    budget: Decimal = ZERO
    bought: Mapping[int, Decimal] | None = None

    def held_at(self, level: int) -> Decimal:
        return (self.bought or {}).get(level, ZERO)

    def with_held(self, level: int, quantity: Decimal) -> _Grid:
        bought = {**(self.bought or {}), level: quantity}
        return replace(self, bought={key: value for key, value in bought.items() if value > ZERO})


def _load(state: Mapping[str, Any]) -> _Grid:
    if not state:
        return _Grid()
    bought = {int(level): Decimal(quantity) for level, quantity in state["bought"].items()}
    return _Grid(Decimal(state["anchor"]), Decimal(state["budget"]), bought)


def _save(grid: _Grid) -> dict[str, Any]:
    bought = {str(level): str(quantity) for level, quantity in (grid.bought or {}).items()}
    return {"anchor": str(grid.anchor), "budget": str(grid.budget), "bought": bought}


def warmup(params: Params) -> int:
    return 1


def level_price(anchor: Decimal, level: int, params: Params) -> Decimal:
    """Return the unrounded price of a level; level 0 is the anchor."""
    price: Decimal = anchor / (1 + exact(params.spacing)) ** level
    return price


def decide(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Params) -> Decision:
    """Return what the grid does on the event."""
    grid = _load(state)
    match event:
        case BarClosed():
            return _on_bar(grid, exact(event.bar.close), account, params)
        case OrderFilled():
            return _on_fill(grid, event, account, params)
        case OrderClosed():
            return Decision(_save(grid), reason=f"{event.tag} ended: {event.reason}")


def _on_bar(grid: _Grid, close: Decimal, account: Account, params: Params) -> Decision:
    if EXIT in account.working:
        return Decision(_save(grid), verdict="hold", reason="the exit order is working")
    holding = refusal(held_quantity(account), close, account.instrument) is None
    if not grid.anchor:
        return _without_grid(close, account, params, holding=holding)
    gates = _gates(grid, close, params)
    if params.stop and gates[1].passed:
        return _sell_all(account, "stop loss", gates, holding=holding)
    if not holding and gates[0].passed:
        cancels = cancel_all(account, "following the market up")
        return Decision(_save(_Grid()), cancels, "hold", "following the market up", gates)
    actions = _missing_orders(grid, close, account, params)
    reason = "restored levels" if actions else "the grid is in place"
    return Decision(_save(grid), actions, "hold", reason, gates)


def _without_grid(close: Decimal, account: Account, params: Params, *, holding: bool) -> Decision:
    if holding:
        return _sell_all(account, "left over", (), holding=True)
    if account.working:
        return Decision(_save(_Grid()), verdict="hold", reason="old orders are being canceled")
    return _anchor(close, account, params)


def _gates(grid: _Grid, close: Decimal, params: Params) -> tuple[Gate, ...]:
    if not grid.anchor:
        return ()
    step_up = grid.anchor * (1 + exact(params.spacing))
    gates = [Gate("close a step above the anchor", float(close), ">", float(step_up), close > step_up)]
    if params.stop:
        floor = level_price(grid.anchor, params.levels, params) * (1 - exact(params.stop))
        gates.append(Gate("close below the stop", float(close), "<", float(floor), close < floor))
    return tuple(gates)


def _sell_all(account: Account, reason: str, gates: tuple[Gate, ...], *, holding: bool) -> Decision:
    actions: tuple[Action, ...] = cancel_all(account, reason)
    if holding:
        actions = (*actions, sell_all(account, EXIT, reason))
    return Decision(_save(_Grid()), actions, "sell", reason, gates)


def _anchor(close: Decimal, account: Account, params: Params) -> Decision:
    grid = _Grid(anchor=close, budget=min(account.stake, account.cash) / params.levels)
    orders = tuple(_buy(grid, level, account, params) for level in range(1, params.levels + 1))
    for order in orders:
        refused = _refusal(order, account)
        if refused:
            return Decision(_save(_Grid()), (), "blocked", f"{order.tag}: {refused}")
    return Decision(_save(grid), orders, "buy", "laid the grid", _gates(grid, close, params))


def _refusal(order: Place, account: Account) -> str | None:
    assert order.price is not None
    check = entry_refusal if order.side is Side.BUY else refusal
    return check(order.quantity, order.price, account.instrument)


def _buy(grid: _Grid, level: int, account: Account, params: Params) -> Place:
    instrument = account.instrument
    price = round_price_against(Side.SELL, level_price(grid.anchor, level, params), instrument.tick_size)
    quantity = limit_quantity(grid.budget, price, instrument)
    return Place(
        f"buy-{level}", Side.BUY, OrderType.LIMIT, quantity, price=price, reason=f"grid level {level}"
    )


def _sell(grid: _Grid, level: int, quantity: Decimal, account: Account, params: Params) -> Place:
    price = round_price_against(
        Side.BUY, level_price(grid.anchor, level - 1, params), account.instrument.tick_size
    )
    return Place(
        f"sell-{level}",
        Side.SELL,
        OrderType.LIMIT,
        quantity,
        price=price,
        reduce_only=True,
        reason=f"grid level {level}",
    )


def _missing_orders(grid: _Grid, close: Decimal, account: Account, params: Params) -> tuple[Action, ...]:
    """Return the orders that should rest and do not, for example after a rejection."""
    actions: list[Action] = []
    for level in range(1, params.levels + 1):
        if account.working & {f"buy-{level}", f"sell-{level}"}:
            continue
        held = grid.held_at(level)
        if held > ZERO:
            order = _sell(grid, level, held, account, params)
        else:
            order = _buy(grid, level, account, params)
            if order.price is None or order.price >= close:
                continue
        if _refusal(order, account) is None:
            actions.append(order)
    return tuple(actions)


def _on_fill(grid: _Grid, event: OrderFilled, account: Account, params: Params) -> Decision:
    if event.tag == EXIT:
        return Decision(_save(grid), reason="sold everything")
    level = int(event.tag.rpartition("-")[2])
    if event.side is Side.BUY:
        return _on_buy(grid, level, event, account, params)
    grid = grid.with_held(level, max(grid.held_at(level) - event.quantity, ZERO))
    if event.remaining > ZERO or not grid.anchor:
        return Decision(_save(grid), reason=f"{event.tag} filled")
    order = _buy(grid.with_held(level, ZERO), level, account, params)
    actions = (order,) if _refusal(order, account) is None else ()
    return Decision(_save(grid.with_held(level, ZERO)), actions, reason=f"{event.tag} filled")


def _on_buy(grid: _Grid, level: int, event: OrderFilled, account: Account, params: Params) -> Decision:
    """Note what was bought, and offer it one step higher once the level is complete.

    Where the venue took its fee in the base asset, less is there than was bought.
    """
    others = sum((value for key, value in (grid.bought or {}).items() if key != level), ZERO)
    there = floor_to_step(account.quantity - others, account.instrument.lot_size)
    held = min(grid.held_at(level) + event.quantity, max(there, ZERO))
    grid = grid.with_held(level, held)
    if event.remaining > ZERO or not grid.anchor:
        return Decision(_save(grid), reason=f"{event.tag} filled")
    order = _sell(grid, level, held, account, params)
    actions = (order,) if _refusal(order, account) is None else ()
    return Decision(_save(grid), actions, reason=f"{event.tag} filled")


STRATEGY = Strategy(
    id="grid",
    title="Grid",
    description="Earns on swings: rests buy orders at even steps below the market and sells each "
    "purchase one step higher. Buys all the way down in a falling market, so mind the stop.",
    source="Geometric spot grid as in Binance's “Spot Grid Trading” parameters (geometric mode), one "
    "budget share per level.",
    params=Params,
    warmup=warmup,
    decide=decide,
)
