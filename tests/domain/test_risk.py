"""The gates: doubt means no trade, exits stay possible, and every refusal names its gate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bot import BotStatus, TradingMode
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderIntent, OrderType, Side
from amarktai.domain.risk import EXIT_HAIRCUT, GateContext, first_denial, reservation
from tests.trading import user_id_of

D = Decimal
MARKET = Instrument(
    Platform.LUNO, "BTC", "ZAR", D(1), D("0.001"), D("0.002"), D(10), Fees(D("0.001"), D("0.002"), "test")
)
OPEN = GateContext(
    None,
    TradingMode.PAPER,
    TradingMode.PAPER,
    BotStatus.ACTIVE,
    None,
    True,
    None,
    1.0,
    30.0,
    D(1_000_000),
    D(10),
    (),
)
BUY = OrderIntent(
    user_id_of(1), MARKET.id, "k", "entry", Side.BUY, OrderType.LIMIT, D(1), D(1_000), 0, price=D(1_000)
)
SELL = replace(BUY, side=Side.SELL)


def test_an_account_that_is_held_back_takes_exits_only() -> None:
    held = replace(OPEN, held_back="the account at Luno is being reconciled")
    denial = first_denial(BUY, MARKET, held)
    assert denial is not None and (denial.gate, denial.code) == ("account", "ACCOUNT_NOT_ACTIVE")
    assert denial.detail == held.held_back
    assert first_denial(SELL, MARKET, held) is None


LIVE = replace(OPEN, base=TradingMode.LIVE, trading_mode=TradingMode.LIVE)


def code(intent: OrderIntent, context: GateContext) -> str | None:
    denial = first_denial(intent, MARKET, context)
    return denial.code if denial else None


def test_with_every_gate_open_an_order_leaves() -> None:
    assert code(BUY, OPEN) is None
    assert code(SELL, OPEN) is None


CLOSED = {
    "EMERGENCY_STOP_ACTIVE": replace(OPEN, stop="too hot"),
    "MODE_DISABLED": replace(OPEN, trading_mode=TradingMode.LIVE),
    "BOT_NOT_ACTIVE": replace(OPEN, bot_status=BotStatus.PAUSED),
    "ACCOUNT_HALTED": replace(LIVE, halt="The key may withdraw money."),
    "ACCOUNT_NOT_ACTIVE": replace(OPEN, account_active=False),
    "STALE_DATA": replace(OPEN, data_age_s=30.5),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_stops_an_entry_does_not_stop_an_exit(name: str) -> None:
    assert code(BUY, CLOSED[name]) == name
    assert code(SELL, CLOSED[name]) is None


def test_a_halted_account_says_why_and_what_to_do_and_leaves_paper_alone() -> None:
    halted = replace(LIVE, halt="The key may withdraw money.", account_active=False)
    denial = first_denial(BUY, MARKET, halted)
    assert denial is not None and denial.code == "ACCOUNT_HALTED"
    assert "Luno is halted: The key may withdraw money. Save a key" in denial.detail
    assert code(BUY, replace(OPEN, halt="The key may withdraw money.")) is None


@pytest.mark.parametrize("age", [float("nan"), float("inf"), -0.001, 30.001])
def test_an_age_that_is_not_known_to_be_small_is_stale(age: float) -> None:
    assert code(BUY, replace(OPEN, data_age_s=age)) == "STALE_DATA"


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("MINIMUM_ORDER_SIZE", replace(BUY, quantity=D("0.001"))),
        ("MINIMUM_ORDER_SIZE", replace(BUY, quantity=ZERO)),
        ("MINIMUM_ORDER_SIZE", replace(BUY, quantity=D("0.009"))),
        ("TICK_SIZE", replace(BUY, price=D("1000.5"))),
        ("TICK_SIZE", replace(BUY, price=None, stop_price=D(-1), type=OrderType.STOP_MARKET)),
        ("LOT_SIZE", replace(BUY, quantity=D("1.0005"))),
        ("NOT_EXITABLE", replace(BUY, quantity=D("0.013"))),
        ("INSUFFICIENT_FUNDS", replace(BUY, quantity=D(1_000))),
        ("INSUFFICIENT_FUNDS", replace(SELL, quantity=D("10.001"))),
    ],
)
def test_the_order_itself_is_measured(name: str, wish: OrderIntent) -> None:
    assert code(wish, OPEN) == name


@given(st.integers(1, 2_000), st.lists(st.integers(1, 2_000), max_size=5), st.sampled_from(Side))
def test_an_order_never_meets_one_of_the_other_side(price: int, others: list[int], side: Side) -> None:
    context = replace(OPEN, opposing=[D(other) for other in others])
    wish = replace(BUY, side=side, price=D(price), quantity=D(10))
    meets = any(price >= other if side is Side.BUY else price <= other for other in others)
    assert (code(wish, context) == "SELF_CROSSING") is (meets and code(wish, OPEN) is None)


@given(st.integers(2, 500), st.integers(1, 100_000))
def test_every_entry_can_be_sold_after_the_fall(lots: int, price: int) -> None:
    quantity = lots * MARKET.lot_size
    if code(replace(BUY, quantity=quantity, price=D(price)), OPEN) is None:
        assert quantity * price * (1 - EXIT_HAIRCUT) >= MARKET.min_notional


@given(st.integers(2, 5_000), st.integers(100, 100_000), st.sampled_from(Side), st.booleans())
def test_the_reservation_covers_the_order_with_its_fee(
    lots: int, price: int, side: Side, at_market: bool
) -> None:
    quantity = lots * MARKET.lot_size
    kind = OrderType.MARKET if at_market else OrderType.LIMIT
    wish = replace(
        BUY, side=side, quantity=quantity, type=kind, price=None if at_market else D(price),
        reference_price=D(price),
    )  # fmt: skip
    asset, amount = reservation(wish, MARKET)
    if side is Side.SELL:
        assert (asset, amount) == ("BTC", quantity)
        return
    assert asset == "ZAR"
    assert amount >= quantity * price * (1 + MARKET.fees.taker)
    context = replace(OPEN, free_cash=amount)
    assert code(wish, context) in {None, "NOT_EXITABLE", "MINIMUM_ORDER_SIZE"}
    assert code(wish, replace(context, free_cash=amount - D("0.00000001"))) is not None
