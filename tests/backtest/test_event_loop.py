"""The order of events inside bars, with strategies written for each rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from amarktai.backtest.event_loop import Desk, EventLoop
from amarktai.backtest.result import SimulatedFill
from amarktai.domain.bar import Bars
from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import HONEST
from amarktai.domain.order import OrderType, Side
from amarktai.strategies.contract import (
    Account,
    Action,
    BarClosed,
    Cancel,
    Decision,
    OrderClosed,
    OrderFilled,
    Place,
    StrategyEvent,
)
from tests.backtest.bars import HOUR, bars_of
from tests.market_data import BINANCE

D = Decimal
DESK = Desk(BINANCE, D(10_000), D(1_000), HONEST)
FLAT = (100.0, 100.0, 100.0, 100.0)


class Player:
    """Answers the n-th bar close and fills and ends of named orders with set actions; keeps a log."""

    def __init__(self, **answers: tuple[Action, ...]) -> None:
        self._answers = answers
        self._bars = 0
        self.log: list[str] = []
        self.heard: list[OrderFilled | OrderClosed] = []
        self.accounts: list[Account] = []

    def __call__(
        self, state: Mapping[str, Any], event: StrategyEvent, account: Account, params: Any
    ) -> Decision:
        self.accounts.append(account)
        if not isinstance(event, BarClosed):
            self.heard.append(event)
        match event:
            case BarClosed():
                self._bars += 1
                name = f"bar_{self._bars}"
            case OrderFilled():
                name = f"filled_{event.tag}"
            case OrderClosed():
                name = f"closed_{event.tag}"
                self.log.append(f"{name}: {event.reason}")
                return Decision(state, self._answers.get(name, ()))
        self.log.append(name)
        return Decision(state, self._answers.get(name, ()))

    def run(self, *rows: tuple[float, float, float, float]) -> tuple[SimulatedFill, ...]:
        return self.run_bars(bars_of(*rows))

    def run_bars(self, bars: Bars) -> tuple[SimulatedFill, ...]:
        return EventLoop(self, None, DESK).run(bars, warmup=1, signals=None).fills


def buy(tag: str = "in", quantity: str = "1") -> Place:
    return Place(tag, Side.BUY, OrderType.MARKET, D(quantity), reason="test")


def rest(side: Side, price: str, tag: str, quantity: str = "1", **more: Any) -> Place:
    return Place(tag, side, OrderType.LIMIT, D(quantity), price=D(price), **more)


def stop(price: str, tag: str = "stop", quantity: str = "1", group: str | None = None) -> Place:
    return Place(tag, Side.SELL, OrderType.STOP_MARKET, D(quantity), stop_price=D(price), oco_group=group)


def told(fills: tuple[SimulatedFill, ...]) -> list[tuple[str, int, Decimal]]:
    return [(fill.tag, fill.ts // HOUR, fill.price) for fill in fills]


def test_a_market_order_fills_at_the_next_open_and_pays_its_fee() -> None:
    player = Player(bar_1=(buy(),))
    (fill,) = player.run(FLAT, (100.4, 101, 100, 101))
    assert (fill.ts, fill.price, fill.fee) == (HOUR, D("100.46"), D("0.10046000"))
    assert fill.liquidity is Liquidity.TAKER
    after = player.accounts[-1]
    assert after.cash == D(10_000) - D("100.46") - D("0.10046")
    assert (after.quantity, after.average_price) == (D(1), D("100.56046"))


def test_a_buy_that_gaps_up_past_its_reservation_fills_for_what_was_reserved() -> None:
    player = Player(bar_1=(buy(),))
    (fill,) = player.run(FLAT, (102, 103, 101, 102))
    assert fill.price == D("102.06")
    assert (
        fill.notional + fill.fee <= D("100.6") < (fill.quantity + BINANCE.lot_size) * fill.price * D("1.001")
    )
    assert [(type(event), event.tag) for event in player.heard] == [(OrderFilled, "in"), (OrderClosed, "in")]
    assert isinstance(player.heard[0], OrderFilled)
    assert player.heard[0].remaining == 1 - fill.quantity
    assert player.accounts[-1].working == frozenset()


def test_a_buy_that_its_reservation_pays_no_lot_of_is_canceled() -> None:
    player = Player(bar_1=(buy(quantity="0.1"),))
    assert player.run(FLAT, (10_000_000, 10_000_000, 10_000_000, 10_000_000)) == ()
    assert [(type(event), event.tag) for event in player.heard] == [(OrderClosed, "in")]


def test_what_answers_a_fill_at_the_open_is_active_in_the_same_bar() -> None:
    answers = (stop("95", group="g"), rest(Side.SELL, "110", "target", oco_group="g"))
    player = Player(bar_1=(buy(),), filled_in=answers)
    fills = player.run(FLAT, (100, 120, 94, 100))
    assert told(fills) == [("in", 1, D("100.05")), ("stop", 2, D("94.95"))]
    assert player.log[2:] == ["filled_stop", "closed_target: one cancels other: stop filled", "bar_2"]


def test_a_target_needs_the_price_to_go_through_it() -> None:
    answers = (rest(Side.SELL, "110", "target"),)
    player = Player(bar_1=(buy(),), filled_in=answers)
    fills = player.run(FLAT, (100, 110, 99, 100), (100, 110.5, 99, 100))
    assert told(fills)[1:] == [("target", 3, D(110))]
    assert fills[1].liquidity is Liquidity.MAKER


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    player = Player(bar_1=(buy(),), filled_in=(stop("95"),))
    fills = player.run(FLAT, FLAT, (90, 96, 89, 92))
    assert told(fills)[1:] == [("stop", 3, D("89.95"))]


def test_a_limit_buy_and_the_stop_that_answers_it_can_meet_in_one_bar() -> None:
    player = Player(bar_1=(rest(Side.BUY, "98", "in"),), filled_in=(stop("95"), rest(Side.SELL, "99", "out")))
    fills = player.run(FLAT, (100, 104, 94, 100))
    assert told(fills) == [("in", 2, D(98)), ("stop", 2, D("94.95"))]


def test_a_limit_sell_that_answers_a_fill_inside_the_bar_waits_for_the_next() -> None:
    player = Player(bar_1=(rest(Side.BUY, "98", "in"),), filled_in=(rest(Side.SELL, "99", "out"),))
    fills = player.run(FLAT, (100, 104, 97, 97), (97, 99.5, 96, 98))
    assert told(fills) == [("in", 2, D(98)), ("out", 3, D(99))]


def test_an_arriving_limit_order_that_crosses_takes_at_the_open() -> None:
    player = Player(bar_1=(rest(Side.BUY, "101", "in"),))
    (fill,) = player.run(FLAT, FLAT)
    assert (fill.ts, fill.price, fill.liquidity) == (HOUR, D("100.05"), Liquidity.TAKER)


def test_an_arriving_post_only_order_that_crosses_is_rejected() -> None:
    player = Player(bar_1=(rest(Side.BUY, "101", "in", post_only=True),))
    assert player.run(FLAT, FLAT) == ()
    assert player.log[1] == "closed_in: post-only would have crossed"


def test_a_market_order_that_answers_a_fill_waits_for_the_next_open() -> None:
    out = Place("out", Side.SELL, OrderType.MARKET, D(1))
    player = Player(bar_1=(buy(),), filled_in=(out,))
    assert told(player.run(FLAT, FLAT, (90, 90, 90, 90))) == [
        ("in", 1, D("100.05")),
        ("out", 2, D("89.95")),
    ]


def test_cancels_come_before_places_and_free_the_tag() -> None:
    player = Player(
        bar_1=(rest(Side.BUY, "90", "in"),),
        bar_2=(rest(Side.BUY, "95", "in"), Cancel("in", "moved")),
    )
    fills = player.run(FLAT, FLAT, (100, 100, 89, 89))
    assert told(fills) == [("in", 3, D(95))]
    assert "closed_in: moved" in player.log


def test_a_fill_that_cancels_a_later_arrival_prevents_it() -> None:
    player = Player(bar_1=(buy("one"), buy("two")), filled_one=(Cancel("two", "enough"),))
    assert told(player.run(FLAT, FLAT)) == [("one", 1, D("100.05"))]


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        (buy(quantity="200"), "cash"),
        (buy(quantity="0.000001"), "size"),
        (buy(quantity="0.01"), "value"),
        (stop("90"), "held"),
    ],
)
def test_orders_that_the_order_path_would_deny_end_at_once(wish: Place, word: str) -> None:
    player = Player(bar_1=(wish,))
    assert player.run(FLAT, FLAT) == ()
    assert player.log[1].startswith(f"closed_{wish.tag}: denied") and word in player.log[1]


def test_resting_buys_reserve_cash_and_sells_reserve_what_is_held() -> None:
    player = Player(
        bar_1=(rest(Side.BUY, "50", "low", "100"), rest(Side.BUY, "50", "more", "100")),
        bar_2=(Cancel("low", "test"), buy()),
        filled_in=(stop("10", "a"), stop("10", "b")),
    )
    player.run(FLAT, FLAT, FLAT)
    assert player.accounts[2].cash == D(10_000) - D("5005")
    assert "closed_more: denied: not enough cash" in player.log
    assert "closed_b: denied: more than is held" in player.log


def test_decisions_begin_with_the_warm_up() -> None:
    player = Player()
    EventLoop(player, None, DESK).run(bars_of(FLAT, FLAT, FLAT), warmup=3, signals=None)
    assert player.log == ["bar_1"]


def test_a_tag_that_works_cannot_be_placed_again() -> None:
    player = Player(bar_1=(rest(Side.BUY, "90", "in"),), bar_2=(rest(Side.BUY, "90", "in"),))
    with pytest.raises(BrokenInvariant, match="in"):
        player.run(FLAT, FLAT)


def test_a_strategy_that_answers_itself_for_ever_is_stopped() -> None:
    denied = buy(quantity="500")
    player = Player(bar_1=(denied,), closed_in=(denied,))
    with pytest.raises(BrokenInvariant, match="without end"):
        player.run(FLAT, FLAT)


def test_equity_is_cash_and_the_position_at_the_close() -> None:
    run = EventLoop(Player(bar_1=(buy(),)), None, DESK).run(
        bars_of(FLAT, (100, 110, 100, 110)), warmup=1, signals=None
    )
    assert run.equity.tolist() == pytest.approx([10_000, 10_000 - 100.05 - 0.10005 + 110])
    assert run.bars_held == 1
