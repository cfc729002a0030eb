from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import BarClosed, Exits, OrderClosed
from amarktai.strategies.registry import strategy
from amarktai.strategies.signal_trader import decide_signal, decider
from tests.market_data import BINANCE
from tests.strategies.desk import NO_BARS, Desk, cancels, closed_bar, filled, places

D = Decimal
BOTH = Exits(stop=0.02, target=0.05)


def desk(exits: Exits = BOTH, **changes: Any) -> Desk:
    return Desk(decide_signal, exits, **changes)


def bought(exits: Exits = BOTH, price: str = "100") -> Desk:
    """Return a desk that holds 9 BTC bought at ``price`` with its protection in place."""
    it = desk(exits)
    it.tell(closed_bar(100, entry=True))
    it.quantity, it.average_price = D(9), D(price)
    decision = it.tell(filled("entry", Side.BUY, price, "9"))
    it.working = set(places(decision))
    return it


def test_it_buys_what_the_stake_pays_with_fee_and_cushion() -> None:
    decision = desk().tell(closed_bar(100, entry=True))
    (order,) = decision.actions
    assert decision.verdict == "buy"
    assert order == places(decision)["entry"]
    assert (order.side, order.type, order.quantity) == (Side.BUY, OrderType.MARKET, D("9.94035"))


def test_it_never_spends_more_than_its_cash() -> None:
    decision = desk(cash=D(100)).tell(closed_bar(100, entry=True))
    assert places(decision)["entry"].quantity == D("0.99403")


@pytest.mark.parametrize(
    ("entry", "exit_", "verdict"), [(False, False, "hold"), (False, True, "hold"), (True, True, "hold")]
)
def test_it_stays_flat_without_a_clear_entry(entry: bool, exit_: bool, verdict: str) -> None:
    decision = desk().tell(closed_bar(100, entry=entry, exit_=exit_))
    assert (decision.actions, decision.verdict) == ((), verdict)
    assert decision.reason


@pytest.mark.parametrize(("stake", "word"), [("0.001", "size"), ("4", "value"), ("6", "sold again")])
def test_it_refuses_what_the_venue_would_refuse_or_what_it_could_not_sell(stake: str, word: str) -> None:
    decision = desk(stake=D(stake)).tell(closed_bar(100, entry=True))
    assert (decision.actions, decision.verdict) == ((), "blocked")
    assert word in decision.reason


def test_a_complete_entry_is_protected_by_a_pair_that_cancels_each_other() -> None:
    it = desk()
    it.tell(closed_bar(100, entry=True))
    it.quantity = D("8.991004")  # a venue that took its fee in base
    decision = it.tell(filled("entry", Side.BUY, "100", "9"))
    stop, target = places(decision)["stop"], places(decision)["target"]
    assert (stop.type, stop.stop_price, stop.quantity) == (OrderType.STOP_MARKET, D(98), D("8.99100"))
    assert (target.type, target.price, target.quantity) == (OrderType.LIMIT, D(105), D("8.99100"))
    assert stop.oco_group == target.oco_group != None  # noqa: E711
    assert stop.reduce_only and target.reduce_only


def test_protection_waits_for_the_last_part_and_uses_the_average_price() -> None:
    it = desk()
    it.tell(closed_bar(100, entry=True))
    it.quantity, it.working = D(3), {"entry"}
    assert it.tell(filled("entry", Side.BUY, "100", "3", "3")).actions == ()
    it.quantity, it.working = D(6), set()
    decision = it.tell(filled("entry", Side.BUY, "110", "3"))
    assert places(decision)["stop"].stop_price == D("102.90")
    assert places(decision)["stop"].quantity == 6


def test_an_entry_that_ends_in_part_is_protected_all_the_same() -> None:
    it = desk()
    it.tell(closed_bar(100, entry=True))
    it.quantity, it.working = D(3), {"entry"}
    it.tell(filled("entry", Side.BUY, "100", "3", "3"))
    it.working = set()
    assert places(it.tell(OrderClosed("entry", "canceled")))["stop"].quantity == 3


def test_an_entry_that_never_filled_leaves_it_flat() -> None:
    it = desk()
    it.tell(closed_bar(100, entry=True))
    assert it.tell(OrderClosed("entry", "denied")).actions == ()
    assert it.tell(closed_bar(100, entry=True)).verdict == "buy"


def test_it_waits_for_a_working_entry_and_withdraws_it_on_the_exit_signal() -> None:
    it = desk(working={"entry"})
    assert it.tell(closed_bar(100, entry=True)).actions == ()
    assert cancels(it.tell(closed_bar(100, exit_=True))) == ["entry"]


def test_a_partly_filled_entry_is_sold_on_the_exit_signal_and_not_protected_afterwards() -> None:
    it = desk()
    it.tell(closed_bar(100, entry=True))
    it.quantity, it.working = D(3), {"entry"}
    it.tell(filled("entry", Side.BUY, "100", "3", "3"))
    decision = it.tell(closed_bar(100, exit_=True))
    assert cancels(decision) == ["entry"]
    assert places(decision)["exit"].quantity == 3
    it.working = {"exit"}
    assert it.tell(OrderClosed("entry", "canceled")).actions == ()


def test_the_exit_signal_cancels_the_pair_and_sells_everything() -> None:
    it = bought()
    decision = it.tell(closed_bar(101, exit_=True))
    assert decision.verdict == "sell"
    assert cancels(decision) == ["stop", "target"]
    order = places(decision)["exit"]
    assert (order.type, order.quantity, order.reduce_only) == (OrderType.MARKET, D(9), True)


def test_an_exit_that_ends_unfilled_is_tried_again() -> None:
    it = bought()
    it.tell(closed_bar(101, exit_=True))
    it.working = {"exit"}
    assert it.tell(closed_bar(101, exit_=True)).actions == ()
    it.working = set()
    it.tell(OrderClosed("exit", "rejected"))
    assert places(it.tell(closed_bar(101)))["exit"].quantity == 9


def test_the_trailing_stop_follows_the_highest_price_by_whole_ticks() -> None:
    it = bought(Exits(trailing=0.1))
    assert it.tell(closed_bar(100, high=100)).actions == ()
    decision = it.tell(closed_bar(104, high=105.008))
    assert cancels(decision) == ["stop"]
    assert places(decision)["stop"].stop_price == D("94.50")
    assert places(decision)["stop"].reason == "trailing stop"
    assert it.tell(closed_bar(104, high=105.009)).actions == ()
    assert it.tell(closed_bar(100, high=101)).actions == ()


def test_a_trailing_stop_that_overtakes_the_close_sells_at_market() -> None:
    it = bought(Exits(trailing=0.1))
    decision = it.tell(closed_bar(100, high=120))
    assert cancels(decision) == ["stop"]
    assert places(decision)["exit"].reason == "trailing stop"


@pytest.mark.parametrize(("lost", "kept"), [("stop", "target"), ("target", "stop")])
def test_a_missing_protective_order_is_put_back(lost: str, kept: str) -> None:
    it = bought()
    it.working = {kept}
    it.tell(OrderClosed(lost, "rejected"))
    assert list(places(it.tell(closed_bar(100)))) == [lost]


@pytest.mark.parametrize("tag", ["stop", "target", "exit"])
def test_after_the_sale_it_is_flat_and_cancels_what_is_left(tag: str) -> None:
    it = bought()
    it.working -= {tag}
    it.quantity, it.average_price = D(0), None
    decision = it.tell(filled(tag, Side.SELL, "105", "9"))
    assert set(cancels(decision)) == it.working
    it.working = set()
    assert it.tell(closed_bar(100, entry=True)).verdict == "buy"


def test_a_partial_sale_keeps_the_rest_protected() -> None:
    it = bought()
    it.quantity, it.working = D(4), {"target"}
    assert it.tell(filled("target", Side.SELL, "105", "5", "4")).actions == ()
    it.working = set()
    decision = it.tell(closed_bar(104))
    assert {tag: order.quantity for tag, order in places(decision).items()} == {"stop": 4, "target": 4}


def test_a_position_it_does_not_remember_is_adopted_at_its_average_price() -> None:
    it = desk(quantity=D(9), average_price=D(100))
    decision = it.tell(closed_bar(101))
    assert places(decision)["stop"].stop_price == 98


def test_dust_counts_as_flat() -> None:
    it = desk(quantity=D("0.00000900"))
    assert it.tell(closed_bar(100, entry=True)).verdict == "buy"


def test_a_position_below_the_minimum_value_is_held_and_says_why() -> None:
    it = bought(Exits())
    it.instrument = replace(BINANCE, min_notional=D(100_000))
    decision = it.tell(closed_bar(100, exit_=True))
    assert (decision.verdict, decision.actions) == ("blocked", ())
    assert "minimum" in decision.reason


def test_the_state_survives_json() -> None:
    it = bought()
    it.state = json.loads(json.dumps(it.state))
    assert it.tell(closed_bar(101)).actions == ()


def test_a_bar_without_signals_is_our_own_mistake() -> None:
    with pytest.raises(BrokenInvariant):
        desk().tell(BarClosed(closed_bar(1).bar, NO_BARS))


def test_both_kinds_of_strategies_have_one_callable() -> None:
    grid, cross = strategy("grid"), strategy("ema_cross")
    assert decider(grid) is grid.decide
    it = Desk(decider(cross), cross.params())
    assert places(it.tell(closed_bar(100, entry=True)))["entry"].side is Side.BUY
