"""Binance's account: what leaves for each kind of order, records, and lists by days and numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from amarktai.domain.fill import Liquidity
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner
from amarktai.venues.exchanges.binance import VENUE
from amarktai.venues.exchanges.binance.account import DAY_MS, PAGE, BinanceAccount, receive_window
from amarktai.venues.exchanges.binance.errors import DIALECT
from tests.fakes import SeededIds
from tests.venues.exchanges.answers import Answers

BTC = VENUE.instrument("BTC/USDT")
KEY = Credentials("key", "secret")
START_MS = 1_767_225_600_000


@pytest.fixture
def answers() -> Answers:
    answers = Answers()
    answers.on("GET /api/v3/openOrders", 200, [])
    return answers


@pytest.fixture
def account(answers: Answers) -> BinanceAccount:
    signer = CcxtSigner(VENUE, KEY, answers.clock, receive_window)
    calls = CcxtCalls(answers.transport(VENUE.platform, signer), DIALECT)
    parts = answers.parts(VENUE, BTC)
    return BinanceAccount(calls, signer, parts, KEY, "ws://127.0.0.1:9")


def request(answers: Answers, **change: Any) -> OrderRequest:
    return answers.order(BTC, 60_000, 3, **change)


def order_row(number: int, **change: Any) -> dict[str, Any]:
    row = {
        "symbol": "BTCUSDT", "orderId": number, "clientOrderId": "by-hand", "price": "60000.00",
        "origQty": "0.00100000", "executedQty": "0.00000000", "status": "NEW", "timeInForce": "GTC",
        "type": "LIMIT", "side": "BUY", "stopPrice": "0.00000000", "time": START_MS + number,
        "updateTime": START_MS + number,
    }  # fmt: skip
    return row | change


def trade_row(number: int, **change: Any) -> dict[str, Any]:
    row = {
        "symbol": "BTCUSDT", "id": number, "orderId": 1, "price": "60000.00", "qty": "0.00050000",
        "commission": "0.00010000", "commissionAsset": "BNB", "time": START_MS + number, "isBuyer": True,
        "isMaker": False,
    }  # fmt: skip
    return row | change


def created(**change: Any) -> dict[str, Any]:
    row = {
        "symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "x", "transactTime": START_MS,
        "origQty": "0.00100000", "executedQty": "0.00000000", "status": "NEW", "type": "LIMIT", "side": "BUY",
        "fills": [],
    }  # fmt: skip
    return row | change


def sent(answers: Answers) -> dict[str, str]:
    (call,) = answers.sent("POST /api/v3/order")
    return {name: values[0] for name, values in parse_qs(call.content.decode()).items()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"type": "LIMIT", "timeInForce": "GTC", "price": "60000"}),
        ({"post_only": True}, {"type": "LIMIT_MAKER", "price": "60000"}),
        ({"type": OrderType.MARKET, "price": None}, {"type": "MARKET"}),
        (
            {"type": OrderType.STOP_MARKET, "side": Side.SELL, "price": None, "stop_price": Decimal(50_000)},
            {"type": "STOP_LOSS", "stopPrice": "50000"},
        ),
    ],
    ids=["limit", "post-only", "market", "stop"],
)
async def test_what_leaves_for_an_order(
    answers: Answers, account: BinanceAccount, change: dict[str, Any], expected: dict[str, str]
) -> None:
    answers.on("POST /api/v3/order", 200, created())
    order = request(answers, **change)
    await account.create_order(order)
    told = sent(answers)
    told.pop("signature")
    assert told == expected | {
        "symbol": "BTCUSDT", "side": order.side.upper(), "quantity": "0.001", "newOrderRespType": "FULL",
        "newClientOrderId": order.client_order_id, "recvWindow": "3000", "timestamp": str(START_MS),
    }  # fmt: skip


async def test_fills_that_happen_at_once_are_in_the_report_with_their_own_fee_asset(
    answers: Answers, account: BinanceAccount
) -> None:
    fills = [
        {
            "price": "59990.00",
            "qty": "0.00060000",
            "commission": "0.00002",
            "commissionAsset": "BNB",
            "tradeId": 5,
        },
        {
            "price": "60000.00",
            "qty": "0.00040000",
            "commission": "0.00001",
            "commissionAsset": "BNB",
            "tradeId": 6,
        },
    ]
    answers.on("POST /api/v3/order", 200, created(status="FILLED", executedQty="0.00100000", fills=fills))
    report = await account.create_order(request(answers))
    assert report.status is VenueStatus.FILLED
    assert sum(fill.quantity for fill in report.fills) == report.filled_quantity == Decimal("0.001")
    assert [fill.venue_trade_id for fill in report.fills] == ["BTCUSDT-5", "BTCUSDT-6"]
    assert {(fill.fee_asset, fill.liquidity) for fill in report.fills} == {("BNB", Liquidity.TAKER)}


async def test_an_answer_of_the_short_kind_is_an_accepted_order(
    answers: Answers, account: BinanceAccount
) -> None:
    short = {"symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "x", "transactTime": START_MS}
    answers.on("POST /api/v3/order", 200, short)
    report = await account.create_order(request(answers))
    assert (report.status, report.venue_order_id) == (VenueStatus.OPEN, "28")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"code": -2010, "msg": "Duplicate order sent."}, OutcomeUnknown, "DUPLICATE_CLIENT_ORDER_ID"),
        (400, {"code": -2010, "msg": "immediately match and take"}, VenueRejected, "POST_ONLY_WOULD_TAKE"),
        (400, {"code": -1021, "msg": "Timestamp is outside"}, VenueRejected, "CLOCK_DIFFERS"),
        (429, {"code": -1003, "msg": "Too much request weight used"}, VenueRejected, "VENUE_RATE_LIMITED"),
        (504, {"code": -1007, "msg": "Timeout waiting for response"}, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (400, {"code": -9999, "msg": "Something new"}, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (200, {"status": "NEW"}, OutcomeUnknown, "OUTCOME_UNKNOWN"),
    ],
)  # fmt: skip
async def test_what_a_refusal_of_a_create_means(
    answers: Answers, account: BinanceAccount, status: int, body: Any, kind: type[Exception], code: str
) -> None:
    answers.on("POST /api/v3/order", status, body)
    with pytest.raises(kind) as refused:
        await account.create_order(request(answers))
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert len(answers.sent("POST /api/v3/order")) == 1


async def test_a_cancel_that_finds_nothing_is_no_proof(answers: Answers, account: BinanceAccount) -> None:
    order_id = SeededIds(answers.clock).new()
    answers.on("DELETE /api/v3/order", 400, {"code": -2011, "msg": "Unknown order sent."})
    answers.on("GET /api/v3/order", 200, order_row(1, clientOrderId=order_id.hex))
    report = await account.cancel_order(order_id, BTC.id)
    assert report.status is VenueStatus.OPEN


async def test_an_archived_order_is_not_absent(answers: Answers, account: BinanceAccount) -> None:
    answers.on("GET /api/v3/order", 400, {"code": -2026, "msg": "Order was canceled or expired"})
    with pytest.raises(OutcomeUnknown):
        await account.fetch_order(SeededIds(answers.clock).new(), BTC.id)


class Trades:
    """myTrades and allOrders as Binance serves them: spans of a day, or on from a number."""

    def __init__(self, rows: list[dict[str, Any]], number: str, first: str) -> None:
        self.rows = rows
        self.number = number
        self.first = first
        self.asked: list[httpx.QueryParams] = []

    def __call__(self, request: httpx.Request) -> tuple[int, Any]:
        params = request.url.params
        self.asked.append(params)
        if "startTime" in params:
            since, until = int(params["startTime"]), int(params["endTime"])
            assert until - since < DAY_MS
            rows = [row for row in self.rows if since <= row["time"] <= until]
        else:
            rows = [row for row in self.rows if row[self.number] >= int(params[self.first])]
        return 200, rows[: int(params["limit"])]


async def test_fills_are_found_by_days_and_then_followed_by_numbers(
    answers: Answers, account: BinanceAccount
) -> None:
    rows = [trade_row(number, time=START_MS + 3 * DAY_MS + number) for number in range(1, 2 * PAGE + 3)]
    trades = Trades([trade_row(0, time=START_MS - 1), *rows], "id", "fromId")
    answers.call("GET /api/v3/myTrades", trades)
    answers.clock.advance(5 * 86_400)
    fills = await account.fetch_fills_since(START_MS * 1_000_000)
    assert len(fills) == len(rows)
    assert len(trades.asked) == 4 + 3
    assert {fill.fee_asset for fill in fills} == {"BNB"}


async def test_what_lies_far_back_is_read_from_the_beginning(
    answers: Answers, account: BinanceAccount
) -> None:
    trades = Trades([trade_row(1), trade_row(2)], "id", "fromId")
    answers.call("GET /api/v3/myTrades", trades)
    answers.clock.advance(400 * 86_400)
    assert len(await account.fetch_fills_since(0)) == 2
    assert [params.get("startTime") for params in trades.asked] == [None, None]


async def test_an_older_order_that_has_filled_since_is_among_the_records(
    answers: Answers, account: BinanceAccount
) -> None:
    answers.clock.advance(3_600)
    since_ts = answers.clock.now_ns()
    since_ms = since_ts // 1_000_000
    answers.call(
        "GET /api/v3/allOrders",
        Trades([order_row(9, time=since_ms + 5, updateTime=since_ms + 5)], "orderId", "orderId"),
    )
    answers.call("GET /api/v3/myTrades", Trades([trade_row(3, orderId=2, time=since_ms + 7)], "id", "fromId"))
    old = order_row(2, status="FILLED", executedQty="0.00100000", updateTime=since_ms + 7)
    answers.on("GET /api/v3/order", 200, old)
    answers.clock.advance(1)
    records = await account.fetch_records_since(since_ts)
    assert [record.venue_order_id for record in records] == ["2", "9"]


async def test_a_fee_is_all_commissions_together(answers: Answers, account: BinanceAccount) -> None:
    body = {
        kind: {"maker": maker, "taker": taker}
        for kind, maker, taker in (
            ("standardCommission", "0.001", "0.001"),
            ("specialCommission", "0", "0.0002"),
            ("taxCommission", "0.0001", "0.0001"),
        )
    }
    answers.on("GET /api/v3/account/commission", 200, body)
    fees = await account.fetch_fees(BTC)
    assert (fees.maker, fees.taker) == (Decimal("0.0011"), Decimal("0.0013"))
