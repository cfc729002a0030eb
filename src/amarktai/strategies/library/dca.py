"""DCA: buys once, buys more at set distances below, sells everything at a profit on the average.

One round: ``base`` (market buy) → ``safety-1`` … (limit buys, each larger by ``scale``) and ``target``
(limit sell of all that is held, at the average price with fees plus ``target``); with ``stop`` also a
stop below the last safety order. The next round starts at a later bar's close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill_model import affordable_quantity, exact, refusal, round_price_against
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.domain.risk import EXIT_HAIRCUT
from amarktai.strategies.contract import (
    Account,
    Action,
    BarClosed,
    Cancel,
    Decision,
    Gate,
    OrderClosed,
    OrderFilled,
    Place,
    Strategy,
    StrategyEvent,
    parameter,
)
from amarktai.strategies.sizing import cancel_all, entry_refusal, held_quantity, limit_quantity

BASE: Final = "base"
TARGET: Final = "target"
STOP: Final = "stop"


@dataclass(frozen=True, slots=True)
class Params:
    step: float = parameter(0.02, 0.002, 0.3, "Distance between purchases", unit="ratio")
    safety_orders: int = parameter(4, 0, 15, "Number of further purchases below the first")
    scale: float = parameter(1.5, 1, 4, "Each purchase is larger than the last by this factor")
    target: float = parameter(0.015, 0.001, 1, "Profit over the average price to sell at", unit="ratio")
    stop: float = parameter(0.1, 0, 0.5, "Stop loss below the last purchase level, 0 for none", unit="ratio")
    pause: int = parameter(12, 0, 1000, "Bars to wait after a stop loss", unit="bars")


@dataclass(frozen=True, slots=True)
class _Round:
    """Memory of the round. entry quote per base (0: none), budget quote, covered base, pause bars."""

    number: int = 0
    entry: Decimal = ZERO
    budget: Decimal = ZERO
    covered: Decimal = ZERO
    pause: int = 0


def _load(state: Mapping[str, Any]) -> _Round:
    if not state:
        return _Round()
    return _Round(
        number=int(state["number"]),
        entry=Decimal(state["entry"]),
        budget=Decimal(state["budget"]),
        covered=Decimal(state["covered"]),
        pause=int(state["pause"]),
    )


def _save(cycle: _Round) -> dict[str, Any]:
    return {
        "number": cycle.number,
        "entry": str(cycle.entry),
        "budget": str(cycle.budget),
        "covered": str(cycle.covered),
        "pause": cycle.pause,
    }


def warmup(params: Params) -> int:
    return 1


def check(params: Params) -> str | None:
    if (1 - params.step) ** params.safety_orders < 0.05:
        return f"{params.safety_orders} safety orders at steps of {params.step} reach below 5 % of the price"
    return None


def decide(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Params) -> Decision:
    """Return what the round does on the event."""
    cycle = _load(state)
    match event:
        case BarClosed():
            return _on_bar(cycle, exact(event.bar.close), account, params)
        case OrderFilled():
            return _on_fill(cycle, event, account, params)
        case OrderClosed():
            return _on_closed(cycle, event, account, params)


def _on_bar(cycle: _Round, close: Decimal, account: Account, params: Params) -> Decision:
    if BASE in account.working:
        return Decision(_save(cycle), verdict="hold", reason="the first purchase is working")
    if refusal(held_quantity(account), close, account.instrument) is None:
        cycle, actions = _cover(_adopted(cycle, account, close), account, params)
        return Decision(
            _save(cycle), actions, "hold", "waiting for the target", _gates(account, close, params)
        )
    if account.working:
        cycle = replace(cycle, entry=ZERO, covered=ZERO)
        cancels = cancel_all(account, "the round is over")
        return Decision(_save(cycle), cancels, "hold", "old orders are being canceled")
    if cycle.pause > 0:
        gate = Gate("bars left of the pause", float(cycle.pause), "<", 1.0, passed=False)
        rested = replace(cycle, pause=cycle.pause - 1)
        return Decision(_save(rested), verdict="hold", reason="pausing after a stop loss", gates=(gate,))
    return _start(cycle, close, account, params)


def _adopted(cycle: _Round, account: Account, close: Decimal) -> _Round:
    """Take over a position that this state has not seen bought."""
    if cycle.entry:
        return cycle
    return replace(cycle, entry=account.average_price or close, covered=ZERO)


def _gates(account: Account, close: Decimal, params: Params) -> tuple[Gate, ...]:
    target = _target_price(account, params)
    return (Gate("close above the target", float(close), ">", float(target), close > target),)


def _share(index: int, params: Params) -> Decimal:
    """Return the part of the budget that purchase ``index`` gets; 0 is the first."""
    scale = exact(params.scale)
    total = sum((scale**power for power in range(params.safety_orders + 1)), ZERO)
    share: Decimal = scale**index / total
    return share


def _start(cycle: _Round, close: Decimal, account: Account, params: Params) -> Decision:
    budget = min(account.stake, account.cash)
    cycle = replace(cycle, number=cycle.number + 1, entry=ZERO, budget=budget, covered=ZERO)
    quantity = affordable_quantity(budget * _share(0, params), close, account.instrument)
    reach = (1 - exact(params.step)) ** params.safety_orders * (1 - exact(params.stop))
    fall = max(1 - reach, EXIT_HAIRCUT)
    refused = entry_refusal(quantity, close, account.instrument, fall)
    if refused:
        return Decision(_save(cycle), verdict="blocked", reason=refused)
    order = Place(BASE, Side.BUY, OrderType.MARKET, quantity, reason="first purchase")
    return Decision(_save(cycle), (order,), "buy", "a new round")


def _on_fill(cycle: _Round, event: OrderFilled, account: Account, params: Params) -> Decision:
    if event.side is Side.SELL:
        return _on_sale(cycle, event, account, params)
    if event.remaining > ZERO:
        return Decision(_save(cycle), reason=f"{event.tag} filled in part")
    if event.tag == BASE:
        return _on_base(cycle, event.price, account, params)
    cycle, cover = _cover(cycle, account, params)
    return Decision(_save(cycle), cover, reason=f"{event.tag} filled")


def _on_base(cycle: _Round, entry: Decimal, account: Account, params: Params) -> Decision:
    """Lay the safety orders below the first purchase and offer what it bought."""
    cycle = replace(cycle, entry=entry)
    safety = _safety_orders(cycle, account, params)
    cycle, cover = _cover(cycle, account, params)
    return Decision(_save(cycle), (*cover, *safety), reason=f"{BASE} filled")


def _on_closed(cycle: _Round, event: OrderClosed, account: Account, params: Params) -> Decision:
    """React to the end of an order; a first purchase that ended in part is one all the same."""
    entry = account.average_price
    in_part = event.tag == BASE and entry is not None and not cycle.entry
    if in_part and entry is not None and refusal(held_quantity(account), entry, account.instrument) is None:
        return _on_base(cycle, entry, account, params)
    return Decision(_save(cycle), reason=f"{event.tag} ended: {event.reason}")


def _on_sale(cycle: _Round, event: OrderFilled, account: Account, params: Params) -> Decision:
    if refusal(held_quantity(account), event.price, account.instrument) is None:
        covered = event.remaining if event.tag == TARGET else ZERO
        return Decision(_save(replace(cycle, covered=covered)), reason=f"{event.tag} filled in part")
    pause = params.pause if event.tag == STOP else 0
    cycle = replace(cycle, entry=ZERO, covered=ZERO, pause=pause)
    left = cancel_all(account, "the round is over", but=event.tag)
    return Decision(_save(cycle), left, reason=f"sold by {event.tag}")


def _safety_orders(cycle: _Round, account: Account, params: Params) -> tuple[Action, ...]:
    instrument = account.instrument
    orders: list[Action] = []
    for index in range(1, params.safety_orders + 1):
        unrounded = cycle.entry * (1 - exact(params.step)) ** index
        price = round_price_against(Side.SELL, unrounded, instrument.tick_size)
        quantity = limit_quantity(cycle.budget * _share(index, params), price, instrument)
        if price > ZERO and entry_refusal(quantity, price, instrument) is None:
            tag = f"safety-{index}"
            orders.append(
                Place(tag, Side.BUY, OrderType.LIMIT, quantity, price=price, reason=f"purchase {index + 1}")
            )
    return tuple(orders)


def _target_price(account: Account, params: Params) -> Decimal:
    average = account.average_price or ZERO
    price = average * (1 + exact(params.target))
    return round_price_against(Side.BUY, price, account.instrument.tick_size)


def _cover(cycle: _Round, account: Account, params: Params) -> tuple[_Round, tuple[Action, ...]]:
    """Return the orders that make target and stop cover exactly what is held now."""
    held = held_quantity(account)
    wanted = {TARGET, STOP} if params.stop else {TARGET}
    if held == cycle.covered and wanted <= account.working:
        return cycle, ()
    actions: list[Action] = [Cancel(tag, "resized") for tag in (STOP, TARGET) if tag in account.working]
    group = f"round-{cycle.number}"
    if params.stop:
        lowest = cycle.entry * (1 - exact(params.step)) ** params.safety_orders * (1 - exact(params.stop))
        stop_price = round_price_against(Side.SELL, lowest, account.instrument.tick_size)
        actions.append(
            Place(
                STOP,
                Side.SELL,
                OrderType.STOP_MARKET,
                held,
                stop_price=stop_price,
                reduce_only=True,
                oco_group=group,
                reason="stop loss",
            )
        )
    actions.append(
        Place(
            TARGET,
            Side.SELL,
            OrderType.LIMIT,
            held,
            price=_target_price(account, params),
            reduce_only=True,
            oco_group=group,
            reason="take profit",
        )
    )
    return replace(cycle, covered=held), tuple(actions)


STRATEGY = Strategy(
    id="dca",
    title="DCA",
    description="Averages down: buys, buys larger amounts at set distances below, and sells everything "
    "at a profit over the average price.",
    source="Dollar-cost averaging (Graham, “The Intelligent Investor”, 1949) in the form of base and "
    "safety orders with step and volume scale, as 3Commas' DCA bots name them.",
    params=Params,
    warmup=warmup,
    decide=decide,
    check=check,
)
