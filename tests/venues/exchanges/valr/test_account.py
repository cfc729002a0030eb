"""VALR's account where the twin does not go: refusals that no table knows, doubtful pages, exact bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from amarktai.domain.errors import Unavailable
from amarktai.domain.order import OrderType
from amarktai.domain.provider import Credentials
from amarktai.domain.signing import valr_headers
from amarktai.ports.exchange import StreamGap
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.exchanges.valr import VENUE
from amarktai.venues.exchanges.valr.account import ValrAccount
from amarktai.venues.exchanges.valr.calls import ValrCalls, signing
from tests.domain.test_signing import VALR_SECRET
from tests.venues.exchanges.answers import Answers
from tests.venues.exchanges.valr.test_records import FILL, STATUS

KEY = Credentials("key", VALR_SECRET)


@pytest.fixture
def answers() -> Answers:
    answers = Answers()
    answers.on("GET /v1/orders/open", 200, [])
    answers.on("GET /v1/orders/history", 200, [])
    answers.on(
        "GET /v1/account/fees/trade",
        200,
        [{"currencyPair": "BTCZAR", "makerPercentage": "0.18", "takerPercentage": "0.35"}],
    )
    answers.on("GET /v1/account/BTCZAR/tradehistory", 200, [])
    return answers


@pytest.fixture
def account(answers: Answers) -> ValrAccount:
    calls = ValrCalls(answers.transport(VENUE.platform, signing(KEY, answers.clock)))
    parts = answers.parts(VENUE)
    return ValrAccount(calls, parts, KEY, "ws://127.0.0.1:9")


@pytest.fixture
def request_(answers: Answers) -> OrderRequest:
    return answers.order(VENUE.instrument("BTC/ZAR"), 900_000, 10, quantity=Decimal("0.001000"))


def lookup(request: OrderRequest) -> str:
    return f"GET /v1/orders/BTCZAR/customerorderid/{request.client_order_id}"


def status(request: OrderRequest, label: str, **more: str) -> dict[str, Any]:
    return {
        **STATUS, "currencyPair": "BTCZAR", "originalPrice": "900000", "originalQuantity": "0.001",
        "remainingQuantity": "0.001", "orderSide": "buy", "orderType": "limit", "orderStatusType": label,
        "orderUpdatedAt": "2026-01-01T00:00:00.000Z", "orderCreatedAt": "2026-01-01T00:00:00.000Z",
        "customerOrderId": request.client_order_id, **more,
    }  # fmt: skip


BODIES: Mapping[OrderType, tuple[str, dict[str, Any]]] = {
    OrderType.LIMIT: (
        "POST /v2/orders/limit",
        {"quantity": "0.001000", "timeInForce": "GTC", "price": "900000", "postOnly": False},
    ),
    OrderType.MARKET: ("POST /v2/orders/market", {"baseAmount": "0.001000"}),
    OrderType.STOP_MARKET: (
        "POST /v2/orders/stop/limit",
        {
            "quantity": "0.001000", "timeInForce": "GTC", "price": "945000", "stopPrice": "900000",
            "type": "STOP_LOSS_LIMIT",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OrderType)
async def test_what_a_create_says_and_how_it_is_signed(
    answers: Answers, account: ValrAccount, request_: OrderRequest, kind: OrderType
) -> None:
    route, expected = BODIES[kind]
    answers.on(route, 201, {"id": "7"})
    answers.on("GET /v1/orders/BTCZAR/orderid/7", 200, status(request_, "Placed", orderType="market"))
    stop = Decimal(900_000) if kind is OrderType.STOP_MARKET else None
    report = await account.create_order(replace(request_, type=kind, stop_price=stop))
    assert (report.order_id, report.status) == (request_.order_id, VenueStatus.OPEN)
    (sent,) = answers.sent(route)
    who = {"side": "BUY", "pair": "BTCZAR", "customerOrderId": request_.client_order_id}
    assert orjson.loads(sent.content) == who | expected
    assert sent.headers["content-type"] == "application/json"
    stamp = int(sent.headers["x-valr-timestamp"])
    assert stamp == answers.clock.now_ns() // 1_000_000
    signed = valr_headers(("key", VALR_SECRET), stamp, ("POST", sent.url.path, sent.content.decode()))
    assert sent.headers["x-valr-signature"] == signed["X-VALR-SIGNATURE"]


async def test_a_cancel_signs_its_body(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    answers.on("DELETE /v2/orders/order", 200, {"id": request_.client_order_id})
    answers.on(lookup(request_), 200, status(request_, "Cancelled"))
    report = await account.cancel_order(request_.order_id, request_.instrument_id)
    assert report.status is VenueStatus.CANCELED
    (sent,) = answers.sent("DELETE /v2/orders/order")
    assert orjson.loads(sent.content) == {"customerOrderId": request_.client_order_id, "pair": "BTCZAR"}
    stamp = int(sent.headers["x-valr-timestamp"])
    signed = valr_headers(("key", VALR_SECRET), stamp, ("DELETE", sent.url.path, sent.content.decode()))
    assert sent.headers["x-valr-signature"] == signed["X-VALR-SIGNATURE"]


async def test_a_refusal_that_no_table_knows_is_judged_by_the_record(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    answers.on("POST /v2/orders/limit", 400, {"orderId": "7", "code": -77, "message": "new"})
    failed = status(request_, "Failed", failedReason="It would have matched.")
    answers.on(lookup(request_), 200, failed)
    answers.on("GET /v1/orders/history", 200, [failed])
    with pytest.raises(VenueRejected, match="It would have matched"):
        await account.create_order(request_)


async def test_such_a_refusal_of_an_order_that_stands_is_the_order(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    """As when a request arrives twice: the second is failed under the id of the first, which stands."""
    answers.on("POST /v2/orders/limit", 400, {"orderId": "8", "code": -77, "message": "duplicate id"})
    answers.on(lookup(request_), 200, status(request_, "Failed", orderId="8"))
    answers.on("GET /v1/orders/history", 200, [status(request_, "Failed", orderId="8")])
    answers.on("GET /v1/orders/open", 200, [status(request_, "Placed", orderId="7")])
    report = await account.create_order(request_)
    assert (report.venue_order_id, report.status) == ("7", VenueStatus.OPEN)


async def test_a_duplicate_by_an_unknown_code_is_never_taken_for_refused(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    answers.on("POST /v2/orders/limit", 400, {"orderId": "8", "code": -77, "message": "Duplicate id"})
    answers.on("GET /v1/orders/history", 200, [status(request_, "Failed", orderId="8")])
    with pytest.raises(OutcomeUnknown):
        await account.create_order(request_)


@pytest.mark.parametrize("can_be_read", [True, False])
async def test_without_a_record_it_stays_unknown(
    answers: Answers, account: ValrAccount, request_: OrderRequest, can_be_read: bool
) -> None:
    answers.on("POST /v2/orders/limit", 400, {"code": -77, "message": "new"})
    if not can_be_read:
        answers.call("GET /v1/orders/history", httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown, match="new"):
        await account.create_order(request_)


@pytest.mark.parametrize("answer", [(202, {"id": "7"}), (201, {}), (201, None), (201, [])])
async def test_an_answer_that_proves_nothing_is_no_answer(
    answers: Answers, account: ValrAccount, request_: OrderRequest, answer: tuple[int, Any]
) -> None:
    answers.on("POST /v2/orders/limit", *answer)
    with pytest.raises(OutcomeUnknown):
        await account.create_order(request_)
    assert len(answers.sent("POST /v2/orders/limit")) == 1


async def test_absent_is_what_lookup_open_list_and_history_lack(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    answers.on(lookup(request_), 400, {"code": -1, "message": "Invalid Order. "})
    assert await account.fetch_order(request_.order_id, request_.instrument_id) is None
    (history,) = answers.sent("GET /v1/orders/history")
    assert history.url.params["showZeroVolumeCancels"] == "true"
    answers.on("GET /v1/orders/open", 200, [status(request_, "Placed")])
    assert await account.fetch_order(request_.order_id, request_.instrument_id) is not None
    answers.call("GET /v1/orders/open", httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown):
        await account.fetch_order(request_.order_id, request_.instrument_id)


async def test_an_order_older_than_the_records_is_never_called_absent(
    answers: Answers, account: ValrAccount, request_: OrderRequest
) -> None:
    answers.on(lookup(request_), 400, {"code": -1, "message": "Invalid Order. "})
    answers.clock.advance(400 * 86_400)
    with pytest.raises(OutcomeUnknown) as unknown:
        await account.fetch_order(request_.order_id, request_.instrument_id)
    assert unknown.value.code == "RECORDS_TOO_OLD"


async def test_a_history_that_does_not_end_is_an_error_and_no_list(
    answers: Answers, account: ValrAccount
) -> None:
    page = [FILL | {"id": str(number)} for number in range(100)]
    answers.on("GET /v1/account/tradehistory", 200, page)
    with pytest.raises(Unavailable, match="same page"):
        await account.fetch_fills_since(0)


async def test_a_row_that_slips_to_the_next_page_counts_once(answers: Answers, account: ValrAccount) -> None:
    """A new row came in between two pages: the last of the first page is the first of the second."""
    rows = [FILL | {"id": f"{number:03d}"} for number in range(150)]

    def pages(request: httpx.Request) -> tuple[int, Any]:
        skip = int(request.url.params["skip"])
        return 200, rows[max(0, skip - 1) : max(0, skip - 1) + 100]

    answers.call("GET /v1/account/tradehistory", pages)
    fills = await account.fetch_fills_since(0)
    assert len(fills) == 150


async def test_fees_are_percents_there(answers: Answers, account: ValrAccount) -> None:
    fees = await account.fetch_fees(VENUE.instrument("BTC/ZAR"))
    assert (fees.maker, fees.taker) == (Decimal("0.0018"), Decimal("0.0035"))
    assert "account/fees/trade" in fees.source
    with pytest.raises(Unavailable):
        await account.fetch_fees(VENUE.instrument("ETH/ZAR"))


async def test_lent_money_is_not_available(answers: Answers, account: ValrAccount) -> None:
    row = {
        "currency": "USDT",
        "available": "44822.97549155",
        "reserved": "99.99925",
        "total": "145612.43129945",
    }
    answers.on(
        "GET /v1/account/balances", 200, [row, row | {"currency": "BTC", "total": "0", "available": "0"}]
    )
    balances = await account.fetch_balances()
    assert set(balances) == {"USDT"}
    assert str(balances["USDT"].available) == "44822.97549155"
    assert str(balances["USDT"].total) == "145612.43129945"


async def test_a_stream_that_cannot_be_opened_is_a_gap_each_time(
    answers: Answers, account: ValrAccount
) -> None:
    answers.on("GET /v1/account/fees/trade", 403, None)
    events = account.events()
    refused = [await anext(events)]
    waiting = asyncio.ensure_future(anext(events))
    for _ in range(100):
        answers.clock.advance(1)
        await asyncio.sleep(0)
    refused.append(await waiting)
    for gap in refused:
        assert isinstance(gap, StreamGap)
        assert "refused" in gap.reason
    await account.close()
