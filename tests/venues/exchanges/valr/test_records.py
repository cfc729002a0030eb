"""VALR's rows: every documented order and execution reads as what it is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import VenueStatus
from amarktai.venues.exchanges.valr.records import account_fill, instant, instant_ns, iso, order_row
from tests.venues.exchanges.valr.bodies import bodies_of

OUR_ID = "0197d4960e9f72309aa1469965" + "5e7230"
FEES = {"BTCUSDT": Fees(Decimal("0.0008"), Decimal("0.001"), "test")}


def symbol_id(pair: str) -> str:
    return f"valr:{pair}"


STATUS = {
    "orderId": "0198178f-a957-7684-b650-eb987183f8e5",
    "orderStatusType": "Partially Filled",
    "currencyPair": "ETHBTC",
    "originalPrice": "0.03",
    "remainingQuantity": "0.032333",
    "originalQuantity": "0.033333",
    "orderSide": "sell",
    "orderType": "post-only limit",
    "failedReason": "",
    "orderUpdatedAt": "2025-07-17T08:47:05.537Z",
    "orderCreatedAt": "2025-07-17T08:45:47.735Z",
    "customerOrderId": OUR_ID,
    "timeInForce": "GTC",
}
FILL = {
    "price": "93129",
    "quantity": "0.0001",
    "currencyPair": "BTCUSDT",
    "tradedAt": "2025-06-13T09:21:48.393Z",
    "side": "buy",
    "sequenceId": 1368928567986636114,
    "id": "01976898-6969-7c30-b002-bb021d376c30",
    "orderId": "01976898-6967-7d63-88c1-8223d40cc39e",
    "fee": "0.0000001",
    "feeCurrency": "BTC",
}


def test_an_order_of_ours() -> None:
    row = order_row(STATUS, symbol_id)
    record = row.record
    assert record.order_id is not None
    assert record.order_id.hex == OUR_ID == record.client_order_id
    assert record.venue_order_id == STATUS["orderId"]
    assert (record.side, record.type, record.status) == (Side.SELL, OrderType.LIMIT, VenueStatus.OPEN)
    assert (record.quantity, record.filled_quantity) == (Decimal("0.033333"), Decimal("0.001"))
    assert (record.price, record.stop_price) == (Decimal("0.03"), None)
    assert record.created_at == datetime(2025, 7, 17, 8, 45, 47, 735_000, UTC)
    assert not row.is_failed


@pytest.mark.parametrize(
    ("label", "status"),
    [
        ("Placed", VenueStatus.OPEN),
        ("Active", VenueStatus.OPEN),
        ("Filled", VenueStatus.FILLED),
        ("Cancelled", VenueStatus.CANCELED),
        ("Failed", VenueStatus.CANCELED),
        ("Expired", VenueStatus.EXPIRED),
        ("Partially Filled and Cancelled Due To Slippage", VenueStatus.CANCELED),
    ],
)
def test_labels(label: str, status: VenueStatus) -> None:
    row = order_row(STATUS | {"orderStatusType": label}, symbol_id)
    assert row.record.status is status
    assert row.is_failed == (label == "Failed")


def test_a_label_that_no_document_lists_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="Frozen"):
        order_row(STATUS | {"orderStatusType": "Frozen"}, symbol_id)


def test_a_stop_limit_of_ours_is_a_stop_and_anybody_elses_is_not() -> None:
    stop = STATUS | {"orderType": "stop-loss-limit", "stopPrice": "0.031"}
    ours = order_row(stop, symbol_id).record
    assert (ours.type, ours.stop_price) == (OrderType.STOP_MARKET, Decimal("0.031"))
    assert order_row(stop | {"customerOrderId": "mine"}, symbol_id).record.type is None


@pytest.mark.data
@pytest.mark.parametrize(
    "route",
    [
        "/v1/orders/:currencyPair/orderid/:orderId",
        "/v1/orders/:currencyPair/customerorderid/:customerOrderId",
        "/v1/orders/open",
        "/v1/orders/history",
        "/v1/orders/history/summary/orderid/:orderId",
        "/v1/orders/history/summary/customerorderid/:customerOrderId",
        "/v1/orders/history/detail/orderid/:orderId",
        "/v1/orders/history/detail/customerorderid/:customerOrderId",
    ],
)
def test_every_documented_order_can_be_read(route: str) -> None:
    count = 0
    for status, body in bodies_of(route):
        if status != 200:
            continue
        for item in body if isinstance(body, list) else [body]:
            record = order_row(item, symbol_id).record
            assert 0 <= record.filled_quantity <= record.quantity
            assert record.updated_at is not None
            assert record.updated_at >= record.created_at
            count += 1
    assert count


@pytest.mark.data
def test_every_documented_execution_can_be_read() -> None:
    for route in ("/v1/account/tradehistory", "/v1/account/:currencyPair/tradehistory"):
        for _, rows in bodies_of(route):
            for row in rows:
                fill = account_fill(row, symbol_id, FEES)
                assert fill.quantity > 0
                assert fill.fee_asset in row["currencyPair"]


def test_a_taker_pays_the_fee_that_is_reported() -> None:
    fill = account_fill(FILL, symbol_id, FEES)
    assert (fill.fee_amount, fill.fee_asset) == (Decimal("0.0000001"), "BTC")
    assert fill.liquidity is Liquidity.TAKER
    assert fill.venue_trade_id == FILL["id"]
    assert fill.client_order_id is None


def test_a_maker_is_told_by_the_rate_of_the_fee() -> None:
    sold = FILL | {"side": "sell", "fee": "0.00745032", "feeCurrency": "USDT", "customerOrderId": OUR_ID}
    fill = account_fill(sold, symbol_id, FEES)
    assert fill.liquidity is Liquidity.MAKER
    assert fill.client_order_id == OUR_ID


def test_a_reward_is_a_negative_fee() -> None:
    row: dict[str, Any] = {key: value for key, value in FILL.items() if key not in ("fee", "feeCurrency")}
    row |= {"makerReward": "0.001", "makerRewardCurrency": "USDT"}
    fill = account_fill(row, symbol_id, FEES)
    assert (fill.fee_amount, fill.fee_asset) == (Decimal("-0.001"), "USDT")
    assert fill.liquidity is Liquidity.MAKER


def test_a_fee_that_is_not_told_is_not_zero() -> None:
    row = {key: value for key, value in FILL.items() if key != "fee"}
    with pytest.raises(KeyError):
        account_fill(row, symbol_id, FEES)


@pytest.mark.parametrize("field", ["price", "quantity", "fee"])
def test_a_number_with_a_comma_is_not_guessed(field: str) -> None:
    with pytest.raises(ArithmeticError):
        account_fill(FILL | {field: "114,953"}, symbol_id, FEES)


def test_times() -> None:
    assert instant_ns("2025-06-17T13:02:41.280178906Z") % 1_000_000_000 == 280_178_906
    assert instant_ns("2025-07-22T12:56:00Z") == 1_753_188_960_000_000_000
    assert instant("2025-07-22T12:56:00.5Z").microsecond == 500_000
    assert iso(instant_ns("2025-06-17T13:02:41.280178906Z")) == "2025-06-17T13:02:41.280Z"
    with pytest.raises(ValueError, match="time"):
        instant_ns("2025-06-17T13:02:41.28+02:00")
