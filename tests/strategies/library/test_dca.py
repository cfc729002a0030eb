from __future__ import annotations

import json
from decimal import Decimal

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import OrderClosed, parse_params
from amarktai.strategies.library.dca import STRATEGY, Params, decide
from tests.strategies.desk import Desk, cancels, closed_bar, filled, places

D = Decimal
PARAMS = Params(step=0.1, safety_orders=2, scale=2.0, target=0.05, stop=0.1, pause=2)


def opened(params: Params = PARAMS) -> Desk:
    """Return a desk in the middle of a round: 1 BTC bought at 100, its orders resting."""
    it = Desk(decide, params)
    it.tell(closed_bar(100))
    it.quantity, it.average_price = D(1), D("100.1")
    it.working = set(places(it.tell(filled("base", Side.BUY, "100", "1"))))
    return it


def test_a_round_starts_with_the_smallest_purchase() -> None:
    order = places(Desk(decide, PARAMS).tell(closed_bar(100)))["base"]
    assert (order.type, order.side) == (OrderType.MARKET, Side.BUY)
    assert order.quantity * 100 == pytest.approx(D(1000) / 7, rel=D("0.01"))


def test_the_first_fill_rests_larger_purchases_below_and_the_way_out() -> None:
    it = Desk(decide, PARAMS)
    it.tell(closed_bar(100))
    it.quantity, it.average_price = D("1.4"), D("100.1")
    orders = places(it.tell(filled("base", Side.BUY, "100", "1.4")))
    assert (orders["safety-1"].price, orders["safety-2"].price) == (D(90), D(81))
    assert orders["safety-2"].quantity > 2 * orders["safety-1"].quantity
    assert orders["target"].price == D("105.11")
    assert orders["stop"].stop_price == D("72.90")
    assert orders["target"].oco_group == orders["stop"].oco_group == "round-1"


def test_each_purchase_moves_the_target_to_the_new_average() -> None:
    it = opened()
    it.working -= {"safety-1"}
    it.quantity, it.average_price = D("4.1"), D(93)
    decision = it.tell(filled("safety-1", Side.BUY, "90", "3.1"))
    assert cancels(decision) == ["stop", "target"]
    target = places(decision)["target"]
    assert (target.price, target.quantity) == (D("97.65"), D("4.1"))
    assert places(decision)["stop"].quantity == D("4.1")


def test_after_the_target_the_rest_is_canceled_and_the_next_round_starts() -> None:
    it = opened()
    it.working = {"safety-1", "safety-2"}
    it.quantity, it.average_price = D(0), None
    assert cancels(it.tell(filled("target", Side.SELL, "105.11", "1"))) == ["safety-1", "safety-2"]
    it.working = set()
    assert "base" in places(it.tell(closed_bar(105)))


def test_after_a_stop_it_pauses() -> None:
    it = opened()
    it.working, it.quantity, it.average_price = set(), D(0), None
    it.tell(filled("stop", Side.SELL, "72", "1"))
    for _ in range(2):
        decision = it.tell(closed_bar(70))
        assert (decision.actions, decision.gates[0].passed) == ((), False)
    assert "base" in places(it.tell(closed_bar(70)))


def test_a_partly_filled_target_is_sized_again_only_when_it_no_longer_fits() -> None:
    it = opened()
    it.quantity = D("0.4")
    it.tell(filled("target", Side.SELL, "105.11", "0.6", "0.4"))
    assert it.tell(closed_bar(105)).actions == ()
    it.working -= {"target"}
    assert places(it.tell(closed_bar(105)))["target"].quantity == D("0.4")


def test_partial_purchases_are_covered_at_the_next_bar() -> None:
    it = opened()
    it.quantity, it.average_price = D(2), D(95)
    assert it.tell(filled("safety-1", Side.BUY, "90", "1", "1")).actions == ()
    assert places(it.tell(closed_bar(92)))["target"].quantity == 2


def test_a_first_purchase_that_never_filled_starts_over() -> None:
    it = Desk(decide, PARAMS)
    it.working = set(places(it.tell(closed_bar(100))))
    assert it.tell(closed_bar(100)).reason == "the first purchase is working"
    it.working = set()
    it.tell(OrderClosed("base", "denied"))
    assert "base" in places(it.tell(closed_bar(100)))


def test_a_position_it_does_not_remember_gets_its_way_out() -> None:
    it = Desk(decide, PARAMS, quantity=D(1), average_price=D(100))
    assert places(it.tell(closed_bar(99)))["target"].price == 105


def test_a_budget_below_the_minimum_is_refused_with_a_reason() -> None:
    decision = Desk(decide, PARAMS, stake=D(20)).tell(closed_bar(100))
    assert decision.verdict == "blocked" and "minimum" in decision.reason


def test_steps_that_reach_to_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match="safety orders"):
        parse_params(STRATEGY, {"step": 0.3, "safety_orders": 10})


def test_the_state_survives_json() -> None:
    it = opened()
    it.state = json.loads(json.dumps(it.state))
    assert it.tell(closed_bar(100)).actions == ()
