"""The models of the exchanges: money moves with trades only, and ids mean what each exchange says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.order import OrderType, Side
from amarktai.ports.exchange import ClientIdScope
from amarktai.ports.venue import OrderRequest, VenueRejected, VenueStatus
from amarktai.storm.exchange import FEE_RATIO, LOT, MANNERS, TICK, ModelExchange
from amarktai.storm.weather import CHANCES, Fault, Weather
from tests.fakes import HandClock, SeededIds, SeededRng

CLOCK = HandClock()
IDS = SeededIds(CLOCK, "exchange")
_NONE: dict[Fault, float] = dict.fromkeys(CHANCES, 0.0)


def exchange_of(platform: Platform, seed: str = "exchange") -> ModelExchange:
    fees = Fees(FEE_RATIO, FEE_RATIO, "test")
    market = Instrument(platform, "BTC", "ZAR", TICK, LOT, LOT, Decimal(10), fees)
    return ModelExchange(
        MANNERS[platform], {market.id: market}, {market.id: Decimal(1_000_000)},
        {"ZAR": Decimal(500_000)}, Weather(SeededRng(seed), dict(_NONE)), CLOCK,
    )  # fmt: skip


def request(
    exchange: ModelExchange,
    side: Side = Side.BUY,
    quantity: str = "0.01",
    price: Decimal | None = None,
    order_id: UUID | None = None,
) -> OrderRequest:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return OrderRequest(
        order_id or IDS.new(), next(iter(exchange.instruments)), side, kind, Decimal(quantity), price,
        None, False, False, None, 0, 2**62,
    )  # fmt: skip


def money_by_trades(exchange: ModelExchange, start: Decimal) -> dict[str, Decimal]:
    money = {"ZAR": start, "BTC": Decimal(0)}
    for fill in exchange.fills:
        sign = 1 if fill.side is Side.BUY else -1
        money["BTC"] += sign * fill.quantity
        money["ZAR"] -= sign * fill.quantity * fill.price
        money[fill.fee_asset] -= fill.fee_amount
    return money


@pytest.mark.parametrize("platform", list(Platform))
@given(seed=st.text(min_size=1, max_size=4), sides=st.lists(st.sampled_from(Side), max_size=8))
def test_what_is_there_is_what_was_traded(platform: Platform, seed: str, sides: list[Side]) -> None:
    exchange = exchange_of(platform, seed)
    for side in sides:
        exchange.move()
        try:
            exchange.place(request(exchange, side))
        except VenueRejected as refusal:
            assert refusal.code == "INSUFFICIENT"
    expected = money_by_trades(exchange, Decimal(500_000))
    assert {asset: exchange.money.get(asset, Decimal(0)) for asset in expected} == expected
    assert all(amount >= 0 for amount in expected.values())


@pytest.mark.parametrize("platform", [item for item in Platform if MANNERS[item].has_resting_orders])
def test_a_resting_order_fills_when_the_market_comes_to_it(platform: Platform) -> None:
    exchange = exchange_of(platform)
    record = exchange.place(request(exchange, price=Decimal(900_000)))
    assert record.status is VenueStatus.OPEN and not exchange.fills
    exchange.prices[record.instrument_id] = Decimal(890_000)
    for _ in range(20):
        exchange.prices[record.instrument_id] = Decimal(890_000)
        exchange.move()
    assert exchange.orders[record.venue_order_id].status is VenueStatus.FILLED
    assert {fill.price for fill in exchange.fills} == {Decimal(900_000)}


@pytest.mark.parametrize("platform", [item for item in Platform if MANNERS[item].has_resting_orders])
def test_an_id_is_taken_as_long_as_the_exchange_says(platform: Platform) -> None:
    exchange = exchange_of(platform)
    first = request(exchange, price=Decimal(900_000))
    record = exchange.place(first)
    with pytest.raises(VenueRejected, match="taken"):
        exchange.place(first)
    exchange.cancel(record.venue_order_id)
    if MANNERS[platform].scope is ClientIdScope.FOREVER:
        with pytest.raises(VenueRejected, match="taken"):
            exchange.place(first)
    else:
        exchange.place(first)
    assert exchange.arrived[first.order_id] == 3


def test_nothing_rests_where_there_are_no_resting_orders() -> None:
    exchange = exchange_of(Platform.OVEX)
    with pytest.raises(VenueRejected, match="resting"):
        exchange.place(request(exchange, price=Decimal(900_000)))


def test_a_late_fill_comes_to_a_canceled_order_and_leaves_it_canceled() -> None:
    exchange = exchange_of(Platform.LUNO)
    name = exchange.place(request(exchange, price=Decimal(900_000))).venue_order_id
    exchange.cancel(name)
    exchange.fill_late(name)
    record = exchange.orders[name]
    assert (record.status, record.filled_quantity) == (VenueStatus.CANCELED, record.quantity)


def test_a_difference_is_explained_by_what_was_paid_in_once() -> None:
    exchange = exchange_of(Platform.LUNO)
    exchange.pay_in("ZAR", Decimal(5))
    exchange.pay_in("ZAR", Decimal(7))
    assert not exchange.is_explained_by_deposits("ZAR", Decimal(7))
    assert exchange.is_explained_by_deposits("ZAR", Decimal(12))
    assert not exchange.is_explained_by_deposits("ZAR", Decimal(12))


def test_what_rests_is_not_available() -> None:
    exchange = exchange_of(Platform.LUNO)
    exchange.place(request(exchange, quantity="0.5", price=Decimal(900_000)))
    with pytest.raises(VenueRejected, match="enough"):
        exchange.place(replace(request(exchange, quantity="0.1")))
    balance = exchange.balances()["ZAR"]
    assert balance.total == Decimal(500_000)
    assert balance.reserved == Decimal("450450")
