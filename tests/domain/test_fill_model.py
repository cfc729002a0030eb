from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import (
    HONEST,
    OpenVerdict,
    Placed,
    PriceRange,
    SimulatedOrder,
    affordable_quantity,
    buy_reservation,
    exact,
    fee,
    limit_is_traded_through,
    next_bar_fill,
    notional,
    open_outcome,
    refusal,
    round_price_against,
    round_quantity_down,
    stop_base_price,
    stop_is_hit,
    taker_price,
    within_budget,
)
from amarktai.domain.instrument import Fees, Instrument
from amarktai.domain.order import OrderType, Side
from tests.market_data import BINANCE, KUCOIN

D = Decimal
PRICES = st.integers(1, 10_000_000).map(lambda cents: D(cents) / 100)
TICK = D("0.01")


def limit(side: Side, price: str, sequence: int = 1, **changes: object) -> SimulatedOrder:
    values: dict[str, object] = {"placed": Placed.EARLIER, **changes}
    return SimulatedOrder(sequence, side, OrderType.LIMIT, D(1), price=D(price), **values)  # type: ignore[arg-type]


def stop(side: Side, price: str, sequence: int = 1, placed: Placed = Placed.EARLIER) -> SimulatedOrder:
    return SimulatedOrder(sequence, side, OrderType.STOP_MARKET, D(1), stop_price=D(price), placed=placed)


def bar(open_: str, high: str, low: str) -> PriceRange:
    return PriceRange(D(open_), D(high), D(low))


@given(price=PRICES, side=st.sampled_from(Side))
def test_a_takers_price_is_worse_than_the_market_and_on_the_grid(price: Decimal, side: Side) -> None:
    got = taker_price(side, price, HONEST.slippage_ratio, TICK)
    assert got % TICK == 0
    assert got >= price if side is Side.BUY else got <= price
    assert abs(got - price) <= price * HONEST.slippage_ratio + TICK


@given(ticks=st.integers(1, 10**8), side=st.sampled_from(Side))
def test_float_noise_does_not_cost_a_tick(ticks: int, side: Side) -> None:
    price = ticks * TICK
    noisy = exact(float(price) * (1 + 2**-52))
    assert round_price_against(side, noisy, TICK) == price


@given(quantity=st.decimals(0, 1000, places=9))
def test_a_quantity_rounds_down_to_the_lot(quantity: Decimal) -> None:
    got = round_quantity_down(quantity, D("0.001"))
    assert got % D("0.001") == 0
    assert D("-0.001") < got - quantity <= D("5e-10")


def test_a_limit_order_needs_more_than_a_touch() -> None:
    assert not limit_is_traded_through(Side.BUY, D(100), low=D(100), high=D(101))
    assert limit_is_traded_through(Side.BUY, D(100), low=D("99.99"), high=D(101))
    assert not limit_is_traded_through(Side.SELL, D(100), low=D(99), high=D(100))
    assert limit_is_traded_through(Side.SELL, D(100), low=D(99), high=D("100.01"))


def test_a_stop_fires_on_a_touch_at_the_worse_of_stop_and_open() -> None:
    assert stop_is_hit(Side.SELL, D(100), low=D(100), high=D(105))
    assert not stop_is_hit(Side.SELL, D(100), low=D("100.01"), high=D(105))
    assert stop_is_hit(Side.BUY, D(100), low=D(95), high=D(100))
    assert stop_base_price(Side.SELL, D(100), bar_open=D(90)) == 90
    assert stop_base_price(Side.SELL, D(100), bar_open=D(110)) == 100
    assert stop_base_price(Side.BUY, D(100), bar_open=D(110)) == 110


def test_a_market_order_fills_at_the_open_with_slippage() -> None:
    order = SimulatedOrder(1, Side.BUY, OrderType.MARKET, D(1), placed=Placed.AT_CLOSE)
    outcome = open_outcome(order, D(1000), BINANCE, HONEST)
    assert (outcome.verdict, outcome.price) == (OpenVerdict.FILL, D("1000.50"))


@pytest.mark.parametrize(
    ("price", "post_only", "verdict", "filled_at"),
    [
        ("1000.50", False, OpenVerdict.FILL, D("1000.50")),
        ("1100", False, OpenVerdict.FILL, D("1000.50")),
        ("1100", True, OpenVerdict.REJECT, None),
        ("1000.49", False, OpenVerdict.REST, None),
        ("1000", True, OpenVerdict.REST, None),
    ],
)
def test_an_arriving_limit_order_takes_when_a_takers_price_respects_it(
    price: str, post_only: bool, verdict: OpenVerdict, filled_at: Decimal | None
) -> None:
    order = limit(Side.BUY, price, placed=Placed.AT_CLOSE, post_only=post_only)
    outcome = open_outcome(order, D(1000), BINANCE, HONEST)
    assert (outcome.verdict, outcome.price) == (verdict, filled_at)


def test_a_stop_never_fills_on_arrival() -> None:
    outcome = open_outcome(stop(Side.SELL, "2000", placed=Placed.AT_CLOSE), D(1000), BINANCE, HONEST)
    assert outcome.verdict is OpenVerdict.REST


def test_inside_a_bar_the_stop_comes_before_the_target() -> None:
    orders = [limit(Side.SELL, "110", 1), stop(Side.SELL, "90", 2)]
    fill = next_bar_fill(orders, bar("100", "120", "80"), BINANCE, HONEST)
    assert fill is not None
    assert (fill.order.sequence, fill.price, fill.liquidity) == (2, D("89.95"), Liquidity.TAKER)


def test_the_falling_leg_meets_the_highest_buy_first_and_the_rising_leg_the_lowest_sell() -> None:
    orders = [
        limit(Side.SELL, "108", 1),
        limit(Side.SELL, "104", 2),
        limit(Side.BUY, "92", 3),
        limit(Side.BUY, "96", 4),
        stop(Side.SELL, "94", 5),
        stop(Side.BUY, "106", 6),
    ]
    left, sequence = list(orders), []
    while fill := next_bar_fill(left, bar("100", "110", "90"), BINANCE, HONEST):
        left.remove(fill.order)
        sequence.append(fill.order.sequence)
    assert sequence == [4, 5, 3, 2, 6, 1]


def test_of_what_is_placed_inside_a_bar_only_stops_take_part() -> None:
    assert (
        next_bar_fill(
            [limit(Side.SELL, "105", placed=Placed.INSIDE)], bar("100", "110", "90"), BINANCE, HONEST
        )
        is None
    )
    fill = next_bar_fill(
        [stop(Side.SELL, "95", placed=Placed.INSIDE)], bar("100", "110", "90"), BINANCE, HONEST
    )
    assert fill is not None and fill.price == taker_price(Side.SELL, D(95), HONEST.slippage_ratio, TICK)


def test_a_maker_gets_its_own_price_even_when_the_market_gaps_beyond_it() -> None:
    fill = next_bar_fill([limit(Side.BUY, "100")], bar("90", "95", "85"), BINANCE, HONEST)
    assert fill is not None
    assert (fill.price, fill.liquidity) == (D(100), Liquidity.MAKER)


def test_fees_follow_liquidity_and_the_ledgers_scale() -> None:
    value = notional(D("0.12345678"), D("123.4"))
    assert value == D("15.23456665")
    assert fee(value, Liquidity.MAKER, KUCOIN.fees) == D("0.01218765")
    assert fee(value, Liquidity.TAKER, KUCOIN.fees) == D("0.01523457")


@given(
    budget=st.decimals(D("0.01"), 100_000, places=2),
    price=st.decimals(D("0.01"), 100_000, places=2),
)
def test_a_market_buy_never_costs_more_than_its_budget_while_the_cushion_lasts(
    budget: Decimal, price: Decimal
) -> None:
    quantity = affordable_quantity(budget, price, BINANCE)
    filled_at = price * D("1.004")
    value = quantity * filled_at
    assert value + value * BINANCE.fees.taker <= budget + D("0.00001")
    assert buy_reservation(quantity, None, price, BINANCE.fees) <= budget + D("0.00001")


@given(
    budget=st.decimals(D("0.01"), 100_000, places=2),
    price=st.decimals(D("0.01"), 100_000, places=2),
    run=st.decimals(0, D("0.0249"), places=4),
)
def test_a_venue_with_a_wide_spread_leaves_more_room(budget: Decimal, price: Decimal, run: Decimal) -> None:
    desk = replace(BINANCE, fees=Fees(D(0), D(0), "all-in", cushion=D("0.025")))
    quantity = affordable_quantity(budget, price, desk)
    reserved = buy_reservation(quantity, None, price, desk.fees)
    assert reserved <= budget + D("0.00001")
    assert within_budget(quantity, price * (1 + run), Liquidity.TAKER, reserved, desk) == quantity


def test_nothing_is_affordable_without_a_budget() -> None:
    assert affordable_quantity(D(0), D(100), BINANCE) == 0
    assert affordable_quantity(D(-5), D(100), BINANCE) == 0


def test_a_limit_buy_reserves_at_its_own_price() -> None:
    assert buy_reservation(D(2), D(100), D(999), BINANCE.fees) == D("200.2")


@pytest.mark.parametrize(
    ("quantity", "price", "word"),
    [("0", "100", "size"), ("0.000001", "9999999", "size"), ("0.04", "100", "value")],
)
def test_a_refusal_names_what_is_too_small(quantity: str, price: str, word: str) -> None:
    text = refusal(D(quantity), D(price), BINANCE)
    assert text is not None and word in text


def test_an_order_of_exactly_the_minimum_is_accepted() -> None:
    assert refusal(D("0.05"), D(100), BINANCE) is None


@given(
    lots=st.integers(1, 10**9),
    price=PRICES,
    budget=st.integers(0, 10**13).map(lambda steps: D(steps) / 10**8),
    liquidity=st.sampled_from(Liquidity),
    market=st.sampled_from([BINANCE, KUCOIN]),
)
def test_a_buy_costs_at_most_its_budget_and_not_a_lot_less_than_it_could(
    lots: int, price: Decimal, budget: Decimal, liquidity: Liquidity, market: Instrument
) -> None:
    def cost(quantity: Decimal) -> Decimal:
        value = notional(quantity, price)
        return value + fee(value, liquidity, market.fees)

    wanted = lots * market.lot_size
    got = within_budget(wanted, price, liquidity, budget, market)
    assert 0 <= got <= wanted
    assert got % market.lot_size == 0
    assert cost(got) <= budget or got == 0
    assert got == wanted or cost(got + market.lot_size) > budget - D("1e-7")


@given(lots=st.integers(1, 10**7), at=PRICES)
def test_a_reservation_pays_for_its_own_price_and_a_sale_has_no_budget(lots: int, at: Decimal) -> None:
    wanted = lots * BINANCE.lot_size
    reserved = buy_reservation(wanted, None, at, BINANCE.fees)
    slipped = taker_price(Side.BUY, at, HONEST.slippage_ratio, BINANCE.tick_size)
    assert within_budget(wanted, at, Liquidity.TAKER, reserved, BINANCE) == wanted
    assert within_budget(wanted, slipped, Liquidity.TAKER, None, BINANCE) == wanted
