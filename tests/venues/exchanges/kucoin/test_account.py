"""KuCoin's account: synchronous creates, records without a status, lists page by page."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest

from amarktai.domain.fill import Liquidity
from amarktai.domain.order import OrderType
from amarktai.domain.provider import Credentials
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner
from amarktai.venues.exchanges.kucoin import VENUE
from amarktai.venues.exchanges.kucoin.account import PAGE, KucoinAccount, time_window
from amarktai.venues.exchanges.kucoin.errors import DIALECT, ban_seconds
from tests.fakes import SeededIds
from tests.venues.exchanges.answers import Answers

BTC = VENUE.instrument("BTC/USDT")
START_MS = 1_767_225_600_000


def ok(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


@pytest.fixture
def answers() -> Answers:
    answers = Answers()
    answers.on("GET /api/v1/hf/orders/active/symbols", 200, ok({"symbols": []}))
    return answers


@pytest.fixture
def account(answers: Answers) -> KucoinAccount:
    signer = CcxtSigner(VENUE, Credentials("key", "secret", "pass"), answers.clock, time_window)
    calls = CcxtCalls(answers.transport(VENUE.platform, signer), DIALECT)
    parts = answers.parts(VENUE, BTC)
    return KucoinAccount(VENUE, calls, signer, parts)


def request(answers: Answers, **change: Any) -> OrderRequest:
    return answers.order(BTC, 60_000, 3, **change)


def placed(**change: Any) -> dict[str, Any]:
    row = {
        "orderId": "67111a7c", "clientOid": "x", "orderTime": START_MS, "originSize": "0.001",
        "dealSize": "0", "remainSize": "0.001", "canceledSize": "0", "status": "open", "matchTime": START_MS,
    }  # fmt: skip
    return ok(row | change)


def order_row(number: int, **change: Any) -> dict[str, Any]:
    row = {
        "id": f"o{number}", "clientOid": "by-hand", "symbol": "BTC-USDT", "type": "limit", "side": "buy",
        "price": "60000", "size": "0.001", "dealSize": "0", "active": False, "cancelExist": True,
        "createdAt": START_MS + number, "lastUpdatedAt": START_MS + number,
    }  # fmt: skip
    return row | change


def fill_row(number: int, **change: Any) -> dict[str, Any]:
    row = {
        "id": number, "orderId": "67111a7c", "tradeId": number, "symbol": "BTC-USDT", "side": "buy",
        "liquidity": "taker", "price": "60000", "size": "0.0005", "fee": "0.03", "feeCurrency": "USDT",
        "createdAt": START_MS + number,
    }  # fmt: skip
    return row | change


class TestCreate:
    async def test_what_leaves_for_a_post_only_order(self, answers: Answers, account: KucoinAccount) -> None:
        answers.on("POST /api/v1/hf/orders/sync", 200, placed())
        order = request(answers, post_only=True)
        report = await account.create_order(order)
        assert (report.status, report.venue_order_id) == (VenueStatus.OPEN, "67111a7c")
        (sent,) = answers.sent("POST /api/v1/hf/orders/sync")
        assert orjson.loads(sent.content) == {
            "clientOid": order.client_order_id, "symbol": "BTC-USDT", "side": "buy", "size": "0.001",
            "type": "limit", "price": "60000", "timeInForce": "GTC", "postOnly": True,
            "clientTimestamp": START_MS, "allowMaxTimeWindow": 3000,
        }  # fmt: skip

    async def test_what_filled_at_once_is_fetched(self, answers: Answers, account: KucoinAccount) -> None:
        answers.on("POST /api/v1/hf/orders/sync", 200, placed(dealSize="0.001", status="done"))
        rows = [fill_row(2), fill_row(1)]
        answers.on("GET /api/v1/hf/fills", 200, ok({"items": rows, "lastId": 1}))
        report = await account.create_order(request(answers, type=OrderType.MARKET, price=None))
        assert report.status is VenueStatus.FILLED
        assert [fill.venue_trade_id for fill in report.fills] == ["1", "2"]
        assert {(fill.fee_asset, fill.liquidity) for fill in report.fills} == {("USDT", Liquidity.TAKER)}

    async def test_fills_that_cannot_be_fetched_do_not_undo_the_order(
        self, answers: Answers, account: KucoinAccount
    ) -> None:
        answers.on("POST /api/v1/hf/orders/sync", 200, placed(dealSize="0.0004"))
        answers.on("GET /api/v1/hf/fills", 500, None)
        report = await account.create_order(request(answers))
        assert (report.status, report.filled_quantity, report.fills) == (
            VenueStatus.OPEN,
            Decimal("0.0004"),
            (),
        )

    async def test_a_post_only_order_that_would_take_is_refused(
        self, answers: Answers, account: KucoinAccount
    ) -> None:
        answers.on("POST /api/v1/hf/orders/sync", 200, placed(status="done", canceledSize="0.001"))
        with pytest.raises(VenueRejected) as refused:
            await account.create_order(request(answers, post_only=True))
        assert refused.value.code == "POST_ONLY_WOULD_TAKE"

    async def test_a_stop_is_refused_before_it_leaves(self, answers: Answers, account: KucoinAccount) -> None:
        stop = request(answers, type=OrderType.STOP_MARKET, price=None, stop_price=Decimal(50_000))
        with pytest.raises(VenueRejected) as refused:
            await account.create_order(stop)
        assert refused.value.code == "ORDER_TYPE_UNSUPPORTED"
        assert answers.requests == []

    async def test_an_order_below_the_smallest_worth_is_refused_before_it_leaves(
        self, answers: Answers, account: KucoinAccount
    ) -> None:
        with pytest.raises(VenueRejected) as refused:
            await account.create_order(request(answers, quantity=Decimal("0.00001"), price=Decimal(1)))
        assert refused.value.code == "BELOW_MIN_NOTIONAL"
        assert answers.requests == []

    @pytest.mark.parametrize("body", [None, {"code": "200000"}, ok({"orderId": "x"}), {"data": {}}])
    async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(
        self, answers: Answers, account: KucoinAccount, body: Any
    ) -> None:
        answers.on("POST /api/v1/hf/orders/sync", 200, body)
        with pytest.raises(OutcomeUnknown):
            await account.create_order(request(answers))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"active": True}, VenueStatus.OPEN),
        ({"dealSize": "0.001", "cancelExist": False}, VenueStatus.FILLED),
        ({"dealSize": "0.0005"}, VenueStatus.CANCELED),
        ({"dealSize": "0.001"}, VenueStatus.FILLED),
        ({"size": "0", "dealSize": "0.002", "cancelExist": False}, VenueStatus.FILLED),
    ],
)
async def test_a_status_follows_from_what_was_filled(
    answers: Answers, account: KucoinAccount, change: dict[str, Any], status: VenueStatus
) -> None:
    answers.on("GET /api/v1/hf/orders/o1", 200, ok(order_row(1, **change)))
    record = await account.fetch_record("o1", BTC.id)
    assert record is not None
    assert record.status is status
    answers.on("GET /api/v1/hf/orders/o1", 200, {"code": "400100", "msg": "order_not_exist"})
    assert await account.fetch_record("o1", BTC.id) is None


async def test_closed_orders_are_paged_back_to_the_time_that_was_asked_for(
    answers: Answers, account: KucoinAccount
) -> None:
    rows = [order_row(number) for number in range(3 * PAGE, 0, -1)]

    def page(request: httpx.Request) -> tuple[int, Any]:
        start = int(request.url.params.get("lastId", 0))
        return 200, ok({"items": rows[start : start + PAGE], "lastId": start + PAGE})

    answers.call("GET /api/v1/hf/orders/done", page)
    records = await account.fetch_records_since((START_MS + PAGE + 1) * 1_000_000)
    assert len(records) == 2 * PAGE
    assert records[0].venue_order_id == f"o{PAGE + 1}"
    assert len(answers.sent("GET /api/v1/hf/orders/done")) == 3


async def test_fills_are_asked_for_in_spans_of_seven_days(answers: Answers, account: KucoinAccount) -> None:
    answers.on("GET /api/v1/hf/fills", 200, ok({"items": [fill_row(1)], "lastId": 1}))
    answers.clock.advance(15 * 86_400)
    fills = await account.fetch_fills_since(START_MS * 1_000_000)
    spans = [
        (int(item.url.params["startAt"]), int(item.url.params["endAt"]))
        for item in answers.sent("GET /api/v1/hf/fills")
    ]
    assert spans[0][0] == START_MS
    assert [after[0] - before[1] for before, after in pairwise(spans)] == [1, 1]
    assert len(fills) == 1  # the same fill in three spans is one


async def test_only_the_trading_account_counts(answers: Answers, account: KucoinAccount) -> None:
    rows = [{"currency": "USDT", "type": "trade", "balance": "10", "available": "9", "holds": "1"}]
    answers.on("GET /api/v1/accounts", 200, ok(rows))
    balances = await account.fetch_balances()
    assert (balances["USDT"].total, balances["USDT"].reserved) == (Decimal(10), Decimal(1))
    (asked,) = answers.sent("GET /api/v1/accounts")
    assert asked.url.params["type"] == "trade"


async def test_an_order_older_than_the_records_is_not_absent(
    answers: Answers, account: KucoinAccount
) -> None:
    order_id = SeededIds(answers.clock).new()
    answers.on(
        f"GET /api/v1/hf/orders/client-order/{order_id.hex}", 200, {"code": "400100", "msg": "not exist"}
    )
    answers.on("GET /api/v1/hf/orders/done", 200, ok({"items": [], "lastId": 0}))
    assert await account.fetch_order(order_id, BTC.id) is None
    answers.clock.advance(4 * 86_400)
    with pytest.raises(OutcomeUnknown):
        await account.fetch_order(order_id, BTC.id)


@pytest.mark.parametrize(("headers", "seconds"), [({"gw-ratelimit-reset": "12500"}, 12.5), ({}, 30.0)])
def test_a_used_up_pool_keeps_us_away_for_as_long_as_it_says(headers: dict[str, str], seconds: float) -> None:
    assert ban_seconds(httpx.Response(429, headers=headers)) == seconds
