"""VALR's twin, driven by VALR's own Python client (v1) and by hand (v2 and the WebSockets).

The client's WebSocket class has its address, TLS and an argument of old ``websockets`` versions built in,
so that it cannot be pointed at a twin unmodified.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import zlib
from decimal import Decimal, DefaultContext, localcontext
from typing import Any

import httpx
import pytest
import websockets

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock
from tests.twins.conftest import account

_PRECISION = DefaultContext.prec
with localcontext():  # importing the client sets the precision of decimals to 8, here and for new threads
    from valr_python import Client
    from valr_python.exceptions import APIError, RESTAPIException
DefaultContext.prec = _PRECISION

D = Decimal
PAIR = "BTCZAR"


class Official:
    """VALR's client, whose blocking calls run in threads."""

    def __init__(self, twin: RunningTwin) -> None:
        self._client = Client(api_key="key", api_secret="key-secret", base_url=twin.url)

    async def __call__(self, method: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(getattr(self._client, method), *args, **more)


@pytest.fixture
def official(valr: RunningTwin) -> Official:
    return Official(valr)


def headers(twin: RunningTwin, method: str, path: str, body: str = "", **changed: str) -> dict[str, str]:
    """Sign by hand as the collection says."""
    stamp = changed.get("stamp", str(twin.twin.clock.now_ns() // 1_000_000))
    text = f"{stamp}{method}{path}{body}"
    secret = changed.get("secret", "key-secret").encode()
    return {
        "X-VALR-API-KEY": changed.get("key", "key"),
        "X-VALR-SIGNATURE": hmac.new(secret, text.encode(), "sha512").hexdigest(),
        "X-VALR-TIMESTAMP": stamp,
    }


async def call(
    twin: RunningTwin, method: str, path: str, asked: dict[str, Any] | None = None
) -> tuple[int, Any]:
    body = "" if asked is None else json.dumps(asked)
    sent = {**headers(twin, method, path, body), "Content-Type": "application/json"}
    async with httpx.AsyncClient() as http:
        answer = await http.request(method, twin.url + path, content=body, headers=sent)
        return answer.status_code, answer.json() if answer.content else None


def limit(side: str = "BUY", price: str = "50000", quantity: str = "0.5", **more: Any) -> dict[str, Any]:
    return {"side": side, "quantity": quantity, "price": price, "pair": PAIR, **more}


# -- markets and the account ---------------------------------------------------------------------------


async def test_the_official_client_reads_the_market(official: Official) -> None:
    pair = next(p for p in await official("get_currency_pairs") if p["symbol"] == PAIR)
    assert (pair["tickSize"], pair["minBaseAmount"], pair["active"]) == ("1", "0.000008", True)
    summary = await official("get_market_summary", PAIR)
    assert (summary["bidPrice"], summary["askPrice"], summary["lastTradedPrice"]) == (
        "60000",
        "60100",
        "60000",
    )
    book = await official("get_order_book_public", PAIR)
    assert [(row["price"], row["orderCount"]) for row in book["Asks"]] == [("60100", 1), ("61000", 1)]
    full = await official("get_order_book_full_public", PAIR)
    assert full["Bids"][0]["quantity"] == "0.999" and full["Bids"][0]["id"]
    trades = await official("get_trade_history_public", PAIR)
    assert (trades[0]["quantity"], trades[0]["takerSide"]) == ("0.001", "sell")
    assert trades[0]["sequenceId"] > 2**53
    assert (await official("get_server_time"))["epochTime"] > 1_700_000_000
    assert "LIMIT_POST_ONLY" in await official("get_order_types", PAIR)
    assert await official("get_valr_status") == {"status": "online"}


async def test_candles_come_newest_first_by_seconds(valr: RunningTwin) -> None:
    async with httpx.AsyncClient(base_url=valr.url) as http:
        rows = (
            await http.get(f"/v1/public/{PAIR}/buckets", params={"periodSeconds": 3600, "limit": 24})
        ).json()
    times = [row["startTime"] for row in rows]
    assert len(rows) == 24 and times == sorted(times, reverse=True)


async def test_balances_rights_and_fees(official: Official, valr: RunningTwin) -> None:
    rows = {row["currency"]: row for row in await official("get_balances")}
    assert (rows["ZAR"]["available"], rows["ZAR"]["reserved"]) == ("1000000", "0")
    assert (await official("get_current_api_key_info"))["permissions"] == ["View access", "Trade"]
    valr.control.set_rights("key", permissions=frozenset(Permission), ip_allow=("127.0.0.1/32",))
    told = await official("get_current_api_key_info")
    assert told["permissions"] == ["View access", "Trade", "Internal Transfer", "Withdraw"]
    assert told["allowedIpAddressCidr"] == "127.0.0.1/32"
    fees = {row["currencyPair"]: row for row in (await call(valr, "GET", "/v1/account/fees/trade"))[1]}
    assert (fees[PAIR]["makerPercentage"], fees["BTCUSDT"]["takerPercentage"]) == ("0.18", "0.1")


# -- v2: what happened is what is answered -------------------------------------------------------------


async def test_a_limit_order_rests_is_found_by_both_ids_and_is_cancelled(valr: RunningTwin) -> None:
    code, placed = await call(valr, "POST", "/v2/orders/limit", limit(customerOrderId="mine"))
    assert code == 201
    by_id = (await call(valr, "GET", f"/v1/orders/{PAIR}/orderid/{placed['id']}"))[1]
    by_cid = (await call(valr, "GET", f"/v1/orders/{PAIR}/customerorderid/mine"))[1]
    assert by_id == by_cid and by_id["orderStatusType"] == "Placed"
    opened = (await call(valr, "GET", "/v1/orders/open"))[1]
    assert [(row["orderId"], row["filledPercentage"], row["status"]) for row in opened] == [
        (placed["id"], "0.00", "Placed")
    ]
    again = await call(valr, "POST", "/v2/orders/limit", limit(customerOrderId="mine"))
    assert (again[0], again[1]["code"]) == (400, -11502)
    asked = {"customerOrderId": "mine", "pair": PAIR}
    assert await call(valr, "DELETE", "/v2/orders/order", asked) == (200, {"id": "mine"})
    assert (await call(valr, "DELETE", "/v2/orders/order", asked))[1]["code"] == -1
    assert (await call(valr, "GET", "/v1/orders/history"))[1][-1]["orderStatusType"] == "Failed"
    shown = (await call(valr, "GET", "/v1/orders/history?showZeroVolumeCancels=true&excludeFailures=true"))[1]
    assert [row["orderStatusType"] for row in shown] == ["Cancelled"]
    assert (await call(valr, "POST", "/v2/orders/limit", limit(customerOrderId="mine")))[
        0
    ] == 201  # free again


async def test_market_orders_fill_and_are_summed_up(valr: RunningTwin) -> None:
    bought = (
        await call(valr, "POST", "/v2/orders/market", {"side": "BUY", "quoteAmount": "6010", "pair": PAIR})
    )[1]
    summary = (await call(valr, "GET", f"/v1/orders/history/summary/orderid/{bought['id']}"))[1]
    assert (summary["averagePrice"], summary["totalExecutedQuantity"]) == ("60100", "0.1")
    assert (summary["totalFee"], summary["feeCurrency"]) == ("0.00035", "BTC")
    await call(valr, "POST", "/v2/orders/market", {"side": "SELL", "baseAmount": "0.1", "pair": PAIR})
    fills = (await call(valr, "GET", "/v1/account/tradehistory?limit=1"))[1]
    assert (fills[0]["side"], fills[0]["fee"], fills[0]["feeCurrency"]) == ("sell", "21", "ZAR")
    older = (await call(valr, "GET", f"/v1/account/tradehistory?beforeId={fills[0]['id']}"))[1]
    assert [row["orderId"] for row in older] == [bought["id"]]
    steps = (await call(valr, "GET", f"/v1/orders/history/detail/orderid/{bought['id']}"))[1]
    assert [step["orderStatusType"] for step in steps] == ["Filled", "Placed"]


@pytest.mark.parametrize(
    ("kind", "asked", "code", "has_id"),
    [
        ("limit", limit(quantity="50"), -6, True),
        ("limit", limit(price="60100", postOnly=True), -11, True),
        ("limit", limit(price="50000.5"), -11, False),
        ("limit", limit(pair="XXXZAR"), -21, False),
        ("limit", limit(quantity="0.0000001"), -12007, False),
        ("limit", limit(side="buy"), -11, False),
        ("limit", limit(customerOrderId="a b"), -11, False),
        ("market", {"side": "BUY", "pair": PAIR, "baseAmount": "1", "quoteAmount": "1"}, -11, False),
        ("stop/limit", limit(stopPrice="60000", type="STOP_LOSS_LIMIT"), -11, True),
        ("stop/limit", limit(stopPrice="61000", type="TRAILING"), -12005, False),
    ],
)
async def test_a_wrong_order_gets_valrs_code(
    valr: RunningTwin, kind: str, asked: dict[str, Any], code: int, has_id: bool
) -> None:
    status, answer = await call(valr, "POST", f"/v2/orders/{kind}", asked)
    assert (status, answer["code"], "orderId" in answer) == (400, code, has_id)
    if has_id:
        shown = (await call(valr, "GET", f"/v1/orders/{PAIR}/orderid/{answer['orderId']}"))[1]
        assert shown["orderStatusType"] == "Failed" and shown["failedReason"] == answer["message"]


async def test_quantities_are_cut_and_own_orders_are_not_met(valr: RunningTwin) -> None:
    placed = (await call(valr, "POST", "/v2/orders/limit", limit("SELL", "60050", "0.123456789")))[1]
    shown = (await call(valr, "GET", f"/v1/orders/{PAIR}/orderid/{placed['id']}"))[1]
    assert shown["originalQuantity"] == "0.12345678"
    met = (await call(valr, "POST", "/v2/orders/limit", limit("BUY", "60050", "0.1")))[1]
    assert "your own order" in met["message"]


async def test_a_stop_limit_order_is_active_then_fires(valr: RunningTwin) -> None:
    asked = limit(price="60200", quantity="0.1", stopPrice="60100", type="STOP_LOSS_LIMIT")
    placed = (await call(valr, "POST", "/v2/orders/stop/limit", asked))[1]
    path = f"/v1/orders/{PAIR}/orderid/{placed['id']}"
    shown = (await call(valr, "GET", path))[1]
    assert (shown["orderStatusType"], shown["orderType"]) == ("Active", "stop-loss-limit")
    valr.control.crowd_takes(PAIR, "buy", D("0.01"))
    assert (await call(valr, "GET", path))[1]["orderStatusType"] == "Filled"


async def test_a_batch_does_each_by_itself_and_cancel_all_ends_what_is_left(valr: RunningTwin) -> None:
    requests = [
        {"type": "PLACE_LIMIT", "data": limit()},
        {"type": "PLACE_LIMIT", "data": limit(pair="XXXZAR")},
        {"type": "PLACE_MARKET", "data": {"side": "BUY", "baseAmount": "0.1", "pair": PAIR}},
    ]
    outcomes = (await call(valr, "POST", "/v1/batch/orders", {"requests": requests}))[1]["outcomes"]
    assert [outcome["accepted"] for outcome in outcomes] == [True, False, True]
    gone = await call(valr, "DELETE", f"/v1/orders/{PAIR}")
    assert gone == (200, [{"orderId": outcomes[0]["orderId"]}])


# -- v1: an answer before it has happened --------------------------------------------------------------


async def test_the_official_client_places_and_cancels_over_v1(official: Official) -> None:
    order = {"pair": PAIR, "side": "BUY", "quantity": D("0.5"), "price": D(50_000), "post_only": True}
    placed = await official("post_limit_order", **order, customer_order_id="mine")
    assert placed["customerOrderId"] == "mine"
    shown = await official("get_order_status", PAIR, customer_order_id="mine")
    assert (shown["orderId"], shown["orderStatusType"]) == (placed["id"], "Placed")
    short = await official("post_limit_order", **{**order, "quantity": D(50)})  # accepted, and fails later
    assert (await official("get_order_status", PAIR, order_id=short["id"]))[
        "failedReason"
    ] == "Insufficient Balance"
    bought = await official("post_market_order", pair=PAIR, side="BUY", quote_amount=D(6010))
    assert (await official("get_order_history_summary", order_id=bought["id"]))["total"] == "6010"
    assert len(await official("get_all_open_orders")) == 1
    with pytest.raises(APIError):
        await official("get_order_status", PAIR, order_id="nothing")


async def test_the_official_client_signs_the_body_of_a_delete(official: Official, valr: RunningTwin) -> None:
    placed = await official(
        "post_limit_order", pair=PAIR, side="BUY", quantity=D("0.5"), price=D(50_000), post_only=False
    )
    with pytest.raises(RESTAPIException) as error:  # it cannot read the documented empty body
        await official("delete_order", PAIR, order_id=placed["id"])
    assert error.value.status_code == 202
    assert (await official("get_order_status", PAIR, order_id=placed["id"]))["orderStatusType"] == "Cancelled"


# -- keys, clocks, limits ------------------------------------------------------------------------------


async def test_the_collections_signature_vectors_are_accepted() -> None:
    secret = "4961b74efac86b25cce8fbe4c9811c4c7a787b7a5996660afcc2e287ad864363"
    clock = HandClock(1_558_014_486_185 * 1_000_000)
    async with (
        running_twin("valr", accounts=[Account("k", secret, {})], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url) as http,
    ):
        signature = (
            "9d52c181ed69460b49307b7891f04658e938b21181173844b5018b2fe783a6d4"
            "c62b8e67a03de4d099e7437ebfabe12c56233b73c6a0cc0f7ae87e05f6289928"
        )
        sent = {"X-VALR-API-KEY": "k", "X-VALR-TIMESTAMP": "1558014486185", "X-VALR-SIGNATURE": signature}
        assert (await http.get("/v1/account/balances", headers=sent)).status_code == 200
        assert (await http.get("/v1/account/balances?x=1", headers=sent)).json()["code"] == -11252
        clock.advance_to(1_558_017_528_946 * 1_000_000)
        signature = (
            "09f536e3dfdad58443f16010a97a0a21ad27486b7b8d6d4103170d885410ed77"
            "f037f1fa628474190d4f5c08ca12c1acc850901f1c2e75c6d906ec3b32b008d0"
        )
        sent = {"X-VALR-API-KEY": "k", "X-VALR-TIMESTAMP": "1558017528946", "X-VALR-SIGNATURE": signature}
        body = '{"customerOrderId":"ORDER-000001","pair":"BTCUSDC","side":"BUY","quoteAmount":"80000"}'
        sent["Content-Type"] = "application/json"
        answer = await http.post("/v1/orders/market", content=body, headers=sent)
        assert answer.json()["code"] == -21  # signed well; the twin has no BTCUSDC


async def test_the_official_clients_own_signature_vectors() -> None:
    clock = HandClock(1_577_572_690_093 * 1_000_000)
    both = Account("k", "superdupersecret", {})
    async with (
        running_twin("valr", accounts=[both], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url) as http,
    ):
        for sub, start in (("", "647d2765"), ("909461317243875555", "3dc9ed14")):
            text = f"1577572690093GET/v1/account/balances{sub}"
            signature = hmac.new(b"superdupersecret", text.encode(), "sha512").hexdigest()
            assert signature.startswith(start)
            sent = {"X-VALR-API-KEY": "k", "X-VALR-TIMESTAMP": "1577572690093", "X-VALR-SIGNATURE": signature}
            sent |= {"X-VALR-SUB-ACCOUNT-ID": sub} if sub else {}
            assert (await http.get("/v1/account/balances", headers=sent)).status_code == 200


async def test_keys_clocks_and_content_types_are_checked(valr: RunningTwin) -> None:
    path = "/v1/account/balances"
    now = valr.twin.clock.now_ns() // 1_000_000
    async with httpx.AsyncClient(base_url=valr.url) as http:

        async def get(**changed: str) -> tuple[int, int | None]:
            answer = await http.get(path, headers=headers(valr, "GET", path, **changed))
            return answer.status_code, answer.json().get("code") if answer.status_code != 200 else None

        assert await get() == (200, None)
        assert (await http.get(path)).status_code == 403
        assert await get(secret="wrong") == (401, -11252)
        assert await get(key="nobody") == (401, -11252)
        assert await get(stamp=str(now - 60_000)) == (401, -11252)
        body = json.dumps(limit())
        post = headers(valr, "POST", "/v2/orders/limit", body)
        assert (await http.post("/v2/orders/limit", content=body, headers=post)).status_code == 403
        valr.control.set_rights("key", permissions=frozenset({Permission.READ}))
        assert (await call(valr, "POST", "/v2/orders/limit", limit()))[0] == 403
        valr.control.set_rights("key", ip_allow=("10.0.0.0/8",))
        assert await get() == (401, -11272)


async def test_thirty_public_calls_a_minute() -> None:
    clock = HandClock()
    async with (
        running_twin("valr", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url) as http,
    ):
        answers = [await http.get(f"/v1/public/{PAIR}/orderbook") for _ in range(31)]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        assert answers[-1].headers["x-valr-ratelimited"] == "true"
        assert (await http.get("/v1/public/time")).status_code == 200
        clock.advance(60)
        assert (await http.get(f"/v1/public/{PAIR}/orderbook")).status_code == 200


# -- streams -------------------------------------------------------------------------------------------


async def _connected(twin: RunningTwin, path: str) -> Any:
    socket = await websockets.connect(twin.ws_url + path, additional_headers=headers(twin, "GET", path))
    assert json.loads(await socket.recv())["type"] == "AUTHENTICATED"
    return socket


async def _next(socket: Any, kind: str) -> Any:
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if frame["type"] == kind:
            return frame


async def test_the_account_stream_greets_and_tells_everything(valr: RunningTwin) -> None:
    async with await _connected(valr, "/ws/account") as socket:
        greeting = [json.loads(await socket.recv()) for _ in range(7)]
        assert [frame["type"] for frame in greeting] == ["BALANCE_UPDATE"] * 6 + ["OPEN_ORDERS_UPDATE"]
        asked = limit(price="60100", quantity="0.5", customerOrderId="mine")
        placed = (await call(valr, "POST", "/v2/orders/limit", asked))[1]
        assert (await _next(socket, "ORDER_PROCESSED"))["data"] == {
            "orderId": placed["id"], "success": True, "failureReason": "", "customerOrderId": "mine",
        }  # fmt: skip
        assert (await _next(socket, "ORDER_STATUS_UPDATE"))["data"]["orderStatusType"] == "Placed"
        trade = (await _next(socket, "NEW_ACCOUNT_TRADE"))["data"]
        assert (trade["orderId"], trade["fee"], trade["feeCurrency"]) == (placed["id"], "0.00175", "BTC")
        update = (await _next(socket, "ORDER_STATUS_UPDATE"))["data"]
        assert (update["orderStatusType"], update["executedQuantity"], update["remainingQuantity"]) == (
            "Filled", "0.5", "0",
        )  # fmt: skip
        assert (await _next(socket, "OPEN_ORDERS_UPDATE"))["data"] == []
        failed = (await call(valr, "POST", "/v1/orders/limit", limit(quantity="50")))[1]
        processed = (await _next(socket, "ORDER_PROCESSED"))["data"]
        assert (processed["orderId"], processed["success"]) == (failed["id"], False)
        assert processed["failureReason"] == "Insufficient Balance"
        await call(valr, "DELETE", "/v1/orders/order", {"orderId": placed["id"], "pair": PAIR})
        assert (await _next(socket, "FAILED_CANCEL_ORDER"))["data"]["orderId"] == placed["id"]


async def test_full_books_follow_by_sequence_and_checksum(valr: RunningTwin) -> None:
    async with await _connected(valr, "/ws/trade") as socket:
        wanted = [
            {"event": event, "pairs": [PAIR]}
            for event in ("FULL_ORDERBOOK_UPDATE", "OB_L1_DIFF", "NEW_TRADE")
        ]
        await socket.send(json.dumps({"type": "SUBSCRIBE", "subscriptions": wanted}))
        snapshot = (await _next(socket, "FULL_ORDERBOOK_SNAPSHOT"))["data"]
        l1 = (await _next(socket, "OB_L1_SNAPSHOT"))["d"]
        book: dict[str, dict[str, tuple[Decimal, Decimal]]] = {"Asks": {}, "Bids": {}}
        _apply(book, snapshot)
        sequence, l1_sequence = snapshot["SequenceNumber"], l1["sq"]
        await call(valr, "POST", "/v2/orders/limit", limit(price="60100", quantity="1.2"))
        await call(valr, "DELETE", f"/v1/orders/{PAIR}")
        for _ in range(2):
            update = (await _next(socket, "FULL_ORDERBOOK_UPDATE"))["data"]
            entries = sum(len(row["Orders"]) for side in ("Asks", "Bids") for row in update[side])
            assert update["SequenceNumber"] == sequence + entries
            sequence = update["SequenceNumber"]
            _apply(book, update)
            assert update["Checksum"] == _checksum(book)
            diff = (await _next(socket, "OB_L1_DIFF"))["d"]
            assert diff["sq"] == l1_sequence + 1
            l1_sequence = diff["sq"]


def _apply(book: dict[str, dict[str, tuple[Decimal, Decimal]]], data: Any) -> None:
    for side in ("Asks", "Bids"):
        for row in data[side]:
            for order in row["Orders"]:
                if order["quantity"] == "0":
                    book[side].pop(order["orderId"], None)
                else:
                    book[side][order["orderId"]] = (D(row["Price"]), D(order["quantity"]))


def _checksum(book: dict[str, dict[str, tuple[Decimal, Decimal]]]) -> int:
    """Recompute it as the collection's prose says: bid and ask in turn, the best 25 orders of each."""
    bids = sorted(book["Bids"].items(), key=lambda item: -item[1][0])[:25]
    asks = sorted(book["Asks"].items(), key=lambda item: item[1][0])[:25]
    parts = []
    for place in range(25):
        for side in (bids, asks):
            if place < len(side):
                order_id, (_, quantity) = side[place]
                parts.append(f"{order_id}:{quantity.normalize():f}")
    return zlib.crc32(":".join(parts).encode())


async def test_trades_books_and_summaries_are_told(valr: RunningTwin) -> None:
    async with await _connected(valr, "/ws/trade") as socket:
        await socket.send(json.dumps({"type": "PING"}))
        assert json.loads(await socket.recv()) == {"type": "PONG", "message": "NO_SUBSCRIPTIONS"}
        events = ("AGGREGATED_ORDERBOOK_UPDATE", "MARKET_SUMMARY_UPDATE", "NEW_TRADE")
        wanted = [{"event": event, "pairs": [PAIR]} for event in events]
        await socket.send(json.dumps({"type": "SUBSCRIBE", "subscriptions": wanted}))
        for _ in events:
            await _next(socket, "SUBSCRIBED")
        valr.control.crowd_takes(PAIR, "buy", D("0.2"))
        assert (await _next(socket, "NEW_TRADE"))["data"]["takerSide"] == "buy"
        assert (await _next(socket, "AGGREGATED_ORDERBOOK_UPDATE"))["data"]["Asks"][0]["quantity"] == "0.8"
        assert (await _next(socket, "MARKET_SUMMARY_UPDATE"))["data"]["lastTradedPrice"] == "60100"
        await socket.send(json.dumps({"type": "SUBSCRIBE", "subscriptions": [{"event": "NO", "pairs": []}]}))
        assert (await _next(socket, "UNSUPPORTED"))["type"] == "UNSUPPORTED"


async def test_a_stream_without_a_good_key(valr: RunningTwin) -> None:
    path = "/ws/account"
    for sent in ({}, headers(valr, "GET", path, secret="wrong")):
        socket = await websockets.connect(valr.ws_url + path, additional_headers=sent)
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 20)


async def test_an_unknown_caller_is_closed_after_a_quarter_of_an_hour() -> None:
    clock = HandClock()
    async with running_twin("valr", accounts=[account()], turn_s=None, clock=clock) as twin:
        socket = await websockets.connect(f"{twin.ws_url}/ws/trade")
        await socket.send(json.dumps({"type": "PING"}))
        await socket.recv()
        clock.advance(901)
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 20)
