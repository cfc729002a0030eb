from __future__ import annotations

import json
from decimal import Decimal

import pytest

from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import OrderClosed
from amarktai.strategies.library.grid import STRATEGY, Params, decide
from tests.strategies.desk import Desk, cancels, closed_bar, filled, places

D = Decimal


def laid(stop: float = 0.1, levels: int = 3) -> Desk:
    """Return a desk whose grid rests below 100 in steps of 10 %."""
    it = Desk(decide, Params(levels=levels, spacing=0.1, stop=stop))
    it.working = set(places(it.tell(closed_bar(100))))
    return it


def test_it_lays_even_steps_below_the_market_with_equal_budgets() -> None:
    orders = places(Desk(decide, Params(levels=3, spacing=0.1)).tell(closed_bar(100)))
    assert [(order.type, order.price) for order in orders.values()] == [
        (OrderType.LIMIT, D("90.90")),
        (OrderType.LIMIT, D("82.64")),
        (OrderType.LIMIT, D("75.13")),
    ]
    for order in orders.values():
        assert order.price is not None
        assert D(333) < order.quantity * order.price * D("1.001") <= D(1000) / 3


def test_a_bought_level_sells_one_step_higher_and_then_buys_again() -> None:
    it = laid()
    it.working -= {"buy-2"}
    it.quantity = D("4.03")
    sell = places(it.tell(filled("buy-2", Side.BUY, "82.64", "4.03")))["sell-2"]
    assert (sell.side, sell.price, sell.quantity) == (Side.SELL, D("90.91"), D("4.03"))
    it.quantity = D(0)
    again = places(it.tell(filled("sell-2", Side.SELL, "90.91", "4.03")))["buy-2"]
    assert (again.side, again.price) == (Side.BUY, D("82.64"))


def test_a_fee_taken_in_base_makes_the_sale_smaller() -> None:
    it = laid()
    it.working -= {"buy-1"}
    it.quantity = D("3.9960049")
    sell = places(it.tell(filled("buy-1", Side.BUY, "90.90", "4")))["sell-1"]
    assert sell.quantity == D("3.99600")


def test_partial_fills_wait_for_the_rest_and_are_sold_when_the_order_ends() -> None:
    it = laid()
    it.quantity = D(1)
    assert it.tell(filled("buy-1", Side.BUY, "90.90", "1", "2.66")).actions == ()
    assert it.tell(closed_bar(91)).actions == ()
    it.working -= {"buy-1"}
    it.tell(OrderClosed("buy-1", "canceled"))
    assert places(it.tell(closed_bar(91)))["sell-1"].quantity == 1


def test_it_follows_a_rising_market_while_nothing_is_bought() -> None:
    it = laid()
    decision = it.tell(closed_bar(111))
    assert (sorted(cancels(decision)), places(decision)) == (["buy-1", "buy-2", "buy-3"], {})
    assert it.tell(closed_bar(111)).reason == "old orders are being canceled"
    it.working = set()
    assert places(it.tell(closed_bar(112)))["buy-1"].price == D("101.81")


def test_it_does_not_move_while_something_is_bought() -> None:
    it = laid()
    it.working -= {"buy-1"}
    it.quantity = D("3.66")
    it.tell(filled("buy-1", Side.BUY, "90.90", "3.66"))
    it.working |= {"sell-1"}
    assert it.tell(closed_bar(111)).actions == ()


def test_the_stop_sells_everything_and_a_new_grid_follows() -> None:
    it = laid()
    it.working -= {"buy-1"}
    it.quantity = D("3.66")
    it.tell(filled("buy-1", Side.BUY, "90.90", "3.66"))
    it.working |= {"sell-1"}
    assert it.tell(closed_bar(67.7)).actions == ()
    decision = it.tell(closed_bar(67.6))
    assert sorted(cancels(decision)) == ["buy-2", "buy-3", "sell-1"]
    assert places(decision)["exit"].quantity == D("3.66")
    it.working = {"exit"}
    assert it.tell(closed_bar(60)).actions == ()
    it.working, it.quantity = set(), D(0)
    it.tell(filled("exit", Side.SELL, "60", "3.66"))
    assert set(places(it.tell(closed_bar(60)))) == {"buy-1", "buy-2", "buy-3"}


def test_an_exit_that_failed_is_tried_again() -> None:
    it = laid()
    it.working, it.quantity = set(), D(3)
    it.state = {}
    assert places(it.tell(closed_bar(60)))["exit"].reason == "left over"


def test_a_rejected_level_is_restored_unless_it_would_cross() -> None:
    it = laid()
    it.working -= {"buy-1", "buy-3"}
    assert set(places(it.tell(closed_bar(80)))) == {"buy-3"}


def test_levels_below_the_minimum_are_refused_with_a_reason() -> None:
    decision = Desk(decide, Params(levels=20), stake=D(50)).tell(closed_bar(100))
    assert (decision.verdict, decision.actions) == ("blocked", ())
    assert "minimum" in decision.reason


def test_the_trace_shows_its_thresholds_and_the_state_survives_json() -> None:
    it = laid()
    it.state = json.loads(json.dumps(it.state))
    gates = it.tell(closed_bar(100)).gates
    assert [(gate.op, gate.threshold) for gate in gates] == [
        (">", 110.0),
        ("<", pytest.approx(67.618, abs=1e-3)),
    ]


def test_it_needs_one_bar() -> None:
    assert STRATEGY.warmup(Params()) == 1
