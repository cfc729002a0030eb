"""What is refused of an order before it leaves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderRequest, VenueRejected
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.order_rules import check_steps
from tests.fakes import HandClock, SeededIds

INSTRUMENT = VENUE.instrument("BTC/ZAR")


def request(
    order_type: OrderType, quantity: str, price: str | None = None, stop_price: str | None = None
) -> OrderRequest:
    return OrderRequest(
        order_id=SeededIds(HandClock()).new(),
        instrument_id=INSTRUMENT.id,
        side=Side.BUY,
        type=order_type,
        quantity=Decimal(quantity),
        price=None if price is None else Decimal(price),
        stop_price=None if stop_price is None else Decimal(stop_price),
        post_only=False,
        reduce_only=False,
        oco_group=None,
        sent_ts=0,
        deadline_ts=1,
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (request(OrderType.LIMIT, "0.001"), "PRICE_MISSING"),
        (request(OrderType.LIMIT, "0.001", "0"), "PRICE_MISSING"),
        (request(OrderType.STOP_MARKET, "0.001", "1000000"), "PRICE_MISSING"),
        (request(OrderType.STOP_MARKET, "0.001", stop_price="1.5"), "PRICE_OFF_TICK"),
        (request(OrderType.LIMIT, "0.001", "1000000.5"), "PRICE_OFF_TICK"),
        (request(OrderType.LIMIT, "0.0010005", "1000000"), "QUANTITY_OFF_LOT"),
        (request(OrderType.MARKET, "0"), "BELOW_MIN_QUANTITY"),
        (request(OrderType.MARKET, "-0.001"), "BELOW_MIN_QUANTITY"),
    ],
)
def test_what_is_off_the_market_rules_is_refused(order: OrderRequest, code: str) -> None:
    with pytest.raises(VenueRejected) as refused:
        check_steps(INSTRUMENT, order)
    assert refused.value.code == code


def test_what_keeps_the_rules_passes() -> None:
    check_steps(INSTRUMENT, request(OrderType.MARKET, "0.001"))
    check_steps(INSTRUMENT, request(OrderType.LIMIT, "0.000001", "1000000"))
    check_steps(INSTRUMENT, request(OrderType.STOP_MARKET, "0.001", stop_price="900000"))
