"""Turns a signal strategy into the same ``decide`` as an event strategy has. Pure.

The trade, in tags: ``entry`` (market buy) → ``stop`` and ``target`` (a one-cancels-other pair) →
``exit`` (market sell). At a bar's close, in this order:

- Flat: buys when every entry gate passes and no exit gate does. The size is what the stake pays at
  the close with taker fee and cushion. Refused when the venue would not take the order, or when what
  it buys could not be sold again at its stop.
- Holding: sells at market when an exit gate passes. Otherwise restores a protective order that is
  missing, otherwise raises the trailing stop if that is at least one tick higher. A stop that would
  be at or above the close is a sale at market instead.

The state is JSON-like: decimals are strings. It is a memory aid only: what is held and which orders
work comes from the account, so a lost state is adopted from there and nothing is sold twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill_model import exact, refusal, round_price_against
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import (
    Account,
    Action,
    BarClosed,
    Cancel,
    Decision,
    Exits,
    OrderClosed,
    OrderFilled,
    Place,
    Strategy,
    StrategyEvent,
)
from amarktai.strategies.sizing import entry_quantity, held_quantity, sell_all

Decide = Callable[[Mapping[str, Any], StrategyEvent, Account, Any], Decision]

ENTRY: Final = "entry"
EXIT: Final = "exit"
STOP: Final = "stop"
TARGET: Final = "target"

ENTRY_SIGNAL: Final = "entry signal"
EXIT_SIGNAL: Final = "exit signal"
STOP_LOSS: Final = "stop loss"
TAKE_PROFIT: Final = "take profit"
TRAILING_STOP: Final = "trailing stop"

ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class _Trade:
    """Memory of the trade in hand. Units: quantity base, notional quote, prices quote per base."""

    number: int = 0  # of the position, for the name of its OCO group
    quantity: Decimal = ZERO  # bought so far
    notional: Decimal = ZERO
    highest: Decimal = ZERO
    stop_price: Decimal = ZERO  # 0 while none is set
    stop_reason: str = STOP_LOSS
    leaving: str = ""  # the reason of the exit under way

    @property
    def entry_price(self) -> Decimal:
        return self.notional / self.quantity

    @property
    def oco_group(self) -> str:
        return f"exit-{self.number}"


def _load(state: Mapping[str, Any]) -> _Trade:
    if not state:
        return _Trade()
    return _Trade(
        number=int(state["number"]),
        quantity=Decimal(state["quantity"]),
        notional=Decimal(state["notional"]),
        highest=Decimal(state["highest"]),
        stop_price=Decimal(state["stop_price"]),
        stop_reason=str(state["stop_reason"]),
        leaving=str(state["leaving"]),
    )


def _save(trade: _Trade) -> dict[str, Any]:
    return {
        "number": trade.number,
        "quantity": str(trade.quantity),
        "notional": str(trade.notional),
        "highest": str(trade.highest),
        "stop_price": str(trade.stop_price),
        "stop_reason": trade.stop_reason,
        "leaving": trade.leaving,
    }


def decider(strategy: Strategy) -> Decide:
    """Return the strategy's one callable, ``decide(state, event, account, params) → Decision``.

    Event strategies bring it; signal strategies get it from here, and then need ``BarClosed.signal``.
    """
    if strategy.decide is not None:
        return strategy.decide
    exits_of = strategy.exits

    def decide(state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any) -> Decision:
        exits = exits_of(params) if exits_of else Exits()
        return decide_signal(state, event, account, exits)

    return decide


def decide_signal(state: Mapping[str, Any], event: StrategyEvent, account: Account, exits: Exits) -> Decision:
    """Return what a signal strategy with these exits does on the event.

    Raises: BrokenInvariant for a closed bar without a signal reading.
    """
    trade = _load(state)
    match event:
        case BarClosed():
            return _on_bar(trade, event, account, exits)
        case OrderFilled():
            return _on_fill(trade, event, account, exits)
        case OrderClosed():
            return _on_closed(trade, event, account, exits)


def _on_bar(trade: _Trade, event: BarClosed, account: Account, exits: Exits) -> Decision:
    if event.signal is None:
        raise BrokenInvariant("a signal strategy was given a closed bar without its signal reading")
    close, held = exact(event.bar.close), held_quantity(account)
    sellable = refusal(held, close, account.instrument) is None
    if ENTRY in account.working:
        return _while_entering(trade, event, account, sellable=sellable)
    known = trade.quantity > ZERO and held >= max(
        account.instrument.min_quantity, account.instrument.lot_size
    )
    if not known and not sellable:
        return _while_flat(trade, event, account, exits)
    if not known:
        trade = _adopt(trade, account, close)
    trade = replace(trade, highest=max(trade.highest, exact(event.bar.high)))
    return _while_holding(trade, event, account, exits)


def _adopt(trade: _Trade, account: Account, close: Decimal) -> _Trade:
    """Take over a position whose entry this state has not seen, at its average price."""
    price = account.average_price if account.average_price is not None else close
    return _Trade(trade.number + 1, account.quantity, account.quantity * price, price)


def _while_entering(trade: _Trade, event: BarClosed, account: Account, *, sellable: bool) -> Decision:
    assert event.signal is not None
    gates = event.signal.exit_gates
    if not event.signal.exit:
        return Decision(_save(trade), verdict="hold", reason="the entry order is working", gates=gates)
    cancel = Cancel(ENTRY, EXIT_SIGNAL)
    if not sellable:
        return Decision(_save(trade), (cancel,), "sell", EXIT_SIGNAL, gates)
    left = replace(trade, leaving=EXIT_SIGNAL)
    return Decision(_save(left), (cancel, *_sale(account, EXIT_SIGNAL)), "sell", EXIT_SIGNAL, gates)


def _while_flat(trade: _Trade, event: BarClosed, account: Account, exits: Exits) -> Decision:
    assert event.signal is not None
    state = _save(_Trade(trade.number))
    gates = event.signal.entry_gates
    leftovers = tuple(Cancel(tag, "flat") for tag in (STOP, TARGET) if tag in account.working)
    if not event.signal.entry:
        return Decision(state, leftovers, "hold", "an entry gate is closed", gates)
    if event.signal.exit:
        return Decision(state, leftovers, "hold", "the entry and the exit signal contradict", gates)
    quantity, refused = entry_quantity(account, exact(event.bar.close), exits)
    if refused:
        return Decision(state, leftovers, "blocked", refused, gates)
    order = Place(ENTRY, Side.BUY, OrderType.MARKET, quantity, reason=ENTRY_SIGNAL)
    return Decision(state, (*leftovers, order), "buy", ENTRY_SIGNAL, gates)


def _while_holding(trade: _Trade, event: BarClosed, account: Account, exits: Exits) -> Decision:
    assert event.signal is not None
    gates = event.signal.exit_gates
    if EXIT in account.working:
        return Decision(_save(trade), verdict="hold", reason="the exit order is working", gates=gates)
    reason = EXIT_SIGNAL if event.signal.exit else trade.leaving
    close = exact(event.bar.close)
    raised = _raise_stop(trade, account, exits)
    if not reason and raised.stop_price >= close:
        reason = raised.stop_reason
    refused = refusal(held_quantity(account), close, account.instrument)
    if reason and not refused:
        left = replace(raised, leaving=reason)
        return Decision(_save(left), _sale(account, reason), "sell", reason, gates)
    moved = raised.stop_price > trade.stop_price
    actions = _protection(raised, account, exits, moved=moved)
    if reason:
        return Decision(_save(raised), actions, "blocked", f"{reason}: {refused}", gates)
    return Decision(_save(raised), actions, "hold", "no exit gate passes", gates)


def _sale(account: Account, reason: str) -> tuple[Action, ...]:
    cancels = tuple(Cancel(tag, reason) for tag in (STOP, TARGET) if tag in account.working)
    return (*cancels, sell_all(account, EXIT, reason))


def _raise_stop(trade: _Trade, account: Account, exits: Exits) -> _Trade:
    """Return the trade with the stop that its exits ask for now; a stop is never lowered."""
    tick_size = account.instrument.tick_size
    if exits.stop is not None:
        price = trade.entry_price * (ONE - exact(exits.stop))
        trade = _raised(trade, round_price_against(Side.SELL, price, tick_size), STOP_LOSS)
    if exits.trailing is not None:
        price = trade.highest * (ONE - exact(exits.trailing))
        trade = _raised(trade, round_price_against(Side.SELL, price, tick_size), TRAILING_STOP)
    return trade


def _raised(trade: _Trade, stop_price: Decimal, reason: str) -> _Trade:
    if stop_price <= trade.stop_price:
        return trade
    return replace(trade, stop_price=stop_price, stop_reason=reason)


def _protection(trade: _Trade, account: Account, exits: Exits, *, moved: bool) -> tuple[Action, ...]:
    """Return what makes the working stop and target those that the trade asks for."""
    quantity = held_quantity(account)
    actions: list[Action] = []
    if trade.stop_price > ZERO and (moved or STOP not in account.working):
        if STOP in account.working:
            actions.append(Cancel(STOP, "raised"))
        actions.append(
            Place(
                STOP,
                Side.SELL,
                OrderType.STOP_MARKET,
                quantity,
                stop_price=trade.stop_price,
                reduce_only=True,
                oco_group=trade.oco_group,
                reason=trade.stop_reason,
            )
        )
    if exits.target is not None and TARGET not in account.working:
        price = trade.entry_price * (ONE + exact(exits.target))
        actions.append(
            Place(
                TARGET,
                Side.SELL,
                OrderType.LIMIT,
                quantity,
                price=round_price_against(Side.BUY, price, account.instrument.tick_size),
                reduce_only=True,
                oco_group=trade.oco_group,
                reason=TAKE_PROFIT,
            )
        )
    return tuple(actions)


def _on_fill(trade: _Trade, event: OrderFilled, account: Account, exits: Exits) -> Decision:
    if event.tag == ENTRY:
        return _on_entry_fill(trade, event, account, exits)
    if refusal(held_quantity(account), event.price, account.instrument) is None:
        return Decision(_save(trade), reason=f"{event.tag} filled in part")
    cancels = tuple(
        Cancel(tag, "sold") for tag in (STOP, TARGET) if tag in account.working and tag != event.tag
    )
    return Decision(_save(_Trade(trade.number)), cancels, reason=f"sold by {event.tag}")


def _on_entry_fill(trade: _Trade, event: OrderFilled, account: Account, exits: Exits) -> Decision:
    if trade.quantity == ZERO:
        trade = _Trade(trade.number + 1)
    trade = replace(
        trade,
        quantity=trade.quantity + event.quantity,
        notional=trade.notional + event.quantity * event.price,
    )
    if event.remaining > ZERO or trade.leaving:
        return Decision(_save(trade), reason="bought in part")
    return _protect(trade, account, exits, "bought")


def _on_closed(trade: _Trade, event: OrderClosed, account: Account, exits: Exits) -> Decision:
    """React to the end of an order that is not complete; protective ones are restored at the close."""
    if event.tag == ENTRY and trade.quantity > ZERO and not trade.leaving:
        return _protect(trade, account, exits, "bought in part")
    return Decision(_save(trade), reason=f"{event.tag} ended: {event.reason}")


def _protect(trade: _Trade, account: Account, exits: Exits, reason: str) -> Decision:
    trade = _raise_stop(replace(trade, highest=trade.entry_price), account, exits)
    if held_quantity(account) < max(account.instrument.min_quantity, account.instrument.lot_size):
        return Decision(_save(trade), reason=f"{reason}, too little to sell")
    return Decision(_save(trade), _protection(trade, account, exits, moved=False), reason=reason)
