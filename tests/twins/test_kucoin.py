"""KuCoin's twin, driven by KuCoin's own Python client, by ccxt, and by hand where neither goes."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ccxt.pro
import httpx
import pytest
import websockets
from kucoin_universal_sdk.api import DefaultClient
from kucoin_universal_sdk.generate.account.account import GetSpotAccountListReqBuilder
from kucoin_universal_sdk.generate.account.fee import GetSpotActualFeeReqBuilder
from kucoin_universal_sdk.generate.spot import market, order
from kucoin_universal_sdk.model import (
    ClientOptionBuilder,
    TransportOptionBuilder,
    WebSocketClientOptionBuilder,
)
from kucoin_universal_sdk.model.common import RestError

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Permission
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock
from tests.twins.conftest import ASKS, BIDS, account

D = Decimal
SYMBOL = "BTC-USDT"


class Official:
    """KuCoin's client, pointed at the twin and nothing else changed; its blocking runs in threads."""

    def __init__(
        self, twin: RunningTwin, secret: str = "key-secret", passphrase: str = "pass-phrase"
    ) -> None:
        option = (
            ClientOptionBuilder().set_key("key").set_secret(secret).set_passphrase(passphrase)
            .set_spot_endpoint(twin.url)
            .set_transport_option(TransportOptionBuilder().set_keep_alive(True).set_max_retries(0).build())
            .set_websocket_client_option(WebSocketClientOptionBuilder().build()).build()
        )  # fmt: skip
        self.client = DefaultClient(option)
        rest = self.client.rest_service()
        self._apis = [
            rest.get_spot_service().get_market_api(), rest.get_spot_service().get_order_api(),
            rest.get_account_service().get_account_api(), rest.get_account_service().get_fee_api(),
        ]  # fmt: skip

    async def __call__(self, method: str, request: Any = None) -> Any:
        api = next(api for api in self._apis if hasattr(api, method))
        call = getattr(api, method)
        return await (
            asyncio.to_thread(call) if request is None else asyncio.to_thread(call, request.build())
        )

    async def refused(self, method: str, request: Any = None) -> str:
        with pytest.raises(RestError) as error:
            await self(method, request)
        if error.value.response is not None:
            return str(error.value.response.code)
        found = re.search(r'"code":"(\d+)"', str(error.value))  # any status but 200
        assert found is not None
        return found.group(1)


@pytest.fixture
def official(kucoin: RunningTwin) -> Official:
    return Official(kucoin)


def limit(side: str = "buy", price: str = "50000", size: str = "0.5", cid: str = "mine") -> Any:
    builder = order.AddOrderSyncReqBuilder().set_symbol(SYMBOL).set_side(side).set_type("limit")
    return builder.set_price(price).set_size(size).set_client_oid(cid)


def spend(funds: str) -> Any:
    return (
        order.AddOrderSyncReqBuilder().set_symbol(SYMBOL).set_side("buy").set_type("market").set_funds(funds)
    )


async def test_the_official_client_reads_the_market(official: Official) -> None:
    symbols = await official("get_all_symbols", market.GetAllSymbolsReqBuilder())
    row = next(s for s in symbols.data if s.symbol == SYMBOL)
    assert (row.price_increment, row.base_increment, row.fee_currency) == ("0.1", "0.00000001", "USDT")
    stats = await official("get24hr_stats", market.Get24hrStatsReqBuilder().set_symbol(SYMBOL))
    assert (stats.buy, stats.sell, stats.last) == ("60000", "60100", "60000")
    ticker = await official("get_ticker", market.GetTickerReqBuilder().set_symbol(SYMBOL))
    assert (ticker.best_bid, ticker.best_ask_size) == ("60000", "1")
    book = await official("get_full_order_book", market.GetFullOrderBookReqBuilder().set_symbol(SYMBOL))
    assert (book.bids[1], book.asks[1]) == (["59000", "2"], ["61000", "2"])
    trades = await official("get_trade_history", market.GetTradeHistoryReqBuilder().set_symbol(SYMBOL))
    assert (trades.data[-1].size, trades.data[-1].side.value) == ("0.001", "sell")
    candles = await official("get_klines", market.GetKlinesReqBuilder().set_symbol(SYMBOL).set_type("1hour"))
    times = [int(row[0]) for row in candles.data]
    assert len(times) > 1000 and {a - b for a, b in pairwise(times)} == {3600}
    assert (await official("get_server_time")).data > 1_700_000_000_000
    assert (await official("get_service_status")).status.value == "open"


async def test_a_limit_order_rests_is_found_by_both_ids_and_is_cancelled(official: Official) -> None:
    placed = await official("add_order_sync", limit())
    assert (placed.status.value, placed.remain_size) == ("open", "0.5")
    by_id = await official(
        "get_order_by_order_id",
        order.GetOrderByOrderIdReqBuilder().set_symbol(SYMBOL).set_order_id(placed.order_id),
    )
    by_cid = await official(
        "get_order_by_client_oid",
        order.GetOrderByClientOidReqBuilder().set_symbol(SYMBOL).set_client_oid("mine"),
    )
    assert by_id.id == by_cid.id and (by_cid.active, by_cid.in_order_book, by_cid.cancel_exist) == (
        True,
        True,
        False,
    )
    accounts = await official("get_spot_account_list", GetSpotAccountListReqBuilder().set_type("trade"))
    assert next(a.holds for a in accounts.data if a.currency == "USDT") == "25025"  # the fee on top
    active = await official("get_open_orders", order.GetOpenOrdersReqBuilder().set_symbol(SYMBOL))
    assert [o.client_oid for o in active.data] == ["mine"]
    cancel = order.CancelOrderByClientOidSyncReqBuilder().set_symbol(SYMBOL).set_client_oid("mine")
    gone = await official("cancel_order_by_client_oid_sync", cancel)
    assert (gone.status.value, gone.canceled_size) == ("done", "0.5")
    assert await official.refused("cancel_order_by_client_oid_sync", cancel) == "400100"
    assert await official.refused("add_order_sync", limit()) == "126044"  # a clientOid is never free again
    done = await official("get_closed_orders", order.GetClosedOrdersReqBuilder().set_symbol(SYMBOL))
    assert [(o.id, o.cancel_exist, o.deal_size) for o in done.items] == [(placed.order_id, True, "0")]


async def test_fills_page_backwards_and_fees_are_in_quote(official: Official) -> None:
    for _ in range(3):
        await official("add_order_sync", spend("601"))
    sale = order.AddOrderReqBuilder().set_symbol(SYMBOL).set_side("sell").set_type("market").set_size("0.01")
    await official("add_order", sale)

    def page() -> Any:
        return order.GetTradeHistoryReqBuilder().set_symbol(SYMBOL).set_limit(2)

    newest = await _fills(official, page())
    older = await _fills(official, page().set_last_id(newest.last_id))
    rows = [*newest.items, *older.items]
    assert [row.side.value for row in rows] == ["sell", "buy", "buy", "buy"]
    assert {(row.fee_currency, row.fee) for row in rows[1:]} == {("USDT", "0.601")}
    assert len({row.trade_id for row in rows}) == 4


async def _fills(official: Official, request: Any) -> Any:
    api = official.client.rest_service().get_spot_service().get_order_api()
    return await asyncio.to_thread(api.get_trade_history, request.build())


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (limit(price="50000.05"), "600100"),
        (limit(size="0.000000001"), "400100"),
        (limit(size="0.000010001"), "600100"),
        (limit(price="0.1", size="0.1"), "600101"),
        (limit(size="5"), "200004"),
        (spend("99950"), "200004"),  # there is no room for the fee
        (limit().set_symbol("XXX-USDT"), "400600"),
        (limit(cid="a b"), "400100"),
        (limit().set_post_only(True).set_time_in_force("IOC"), "400100"),
    ],
)
async def test_a_wrong_order_gets_kucoins_code(official: Official, request_: Any, code: str) -> None:
    assert await official.refused("add_order_sync", request_) == code


async def test_a_post_only_order_that_would_match_is_cancelled(official: Official) -> None:
    placed = await official("add_order_sync", limit(price="60100").set_post_only(True))
    assert (placed.status.value, placed.deal_size, placed.canceled_size) == ("done", "0", "0.5")


async def test_stop_orders_live_apart_until_they_fire(official: Official, kucoin: RunningTwin) -> None:
    stop = (
        order.AddStopOrderReqBuilder().set_symbol(SYMBOL).set_side("buy").set_type("limit").set_price("60200")
    )
    placed = await official(
        "add_stop_order", stop.set_size("0.1").set_stop_price("60100").set_client_oid("s")
    )
    active = await official("get_open_orders", order.GetOpenOrdersReqBuilder().set_symbol(SYMBOL))
    assert active.data == []
    waiting = await official("get_stop_orders_list", order.GetStopOrdersListReqBuilder().set_symbol(SYMBOL))
    assert [(o.id, o.stop, o.stop_price) for o in waiting.items] == [(placed.order_id, "entry", "60100")]
    kucoin.control.crowd_takes(SYMBOL, "buy", D("0.01"))
    fired = await official(
        "get_order_by_order_id",
        order.GetOrderByOrderIdReqBuilder().set_symbol(SYMBOL).set_order_id(placed.order_id),
    )
    assert (fired.active, fired.deal_size) == (False, "0.1")
    stop = (
        order.AddStopOrderReqBuilder().set_symbol(SYMBOL).set_side("sell").set_type("market").set_size("0.1")
    )
    placed = await official("add_stop_order", stop.set_stop_price("50000").set_client_oid("t"))
    cancel = order.CancelStopOrderByOrderIdReqBuilder().set_order_id(placed.order_id)
    assert (await official("cancel_stop_order_by_order_id", cancel)).cancelled_order_ids == [placed.order_id]


async def test_the_dead_mans_switch_cancels_what_rests() -> None:
    clock = HandClock()
    async with running_twin("kucoin", accounts=[account()], turn_s=None, clock=clock) as twin:
        twin.control.set_book(SYMBOL, BIDS, ASKS)
        placed = twin.control.trade("key", SYMBOL, "buy", D("0.1"), D(50_000))
        body = json.dumps({"timeout": 5, "symbols": SYMBOL})
        answer = await raw(twin, "POST", "/api/v1/hf/orders/dead-cancel-all", body)
        seconds = clock.now_ns() // 10**9
        assert answer.json()["data"] == {"currentTime": seconds, "triggerTime": seconds + 5}
        for _ in range(60):
            clock.advance(0.1)
            await asyncio.sleep(0)
            if clock.now_ns() // 10**9 < seconds + 5:
                assert placed.is_live
        assert not placed.is_live


# -- keys, clocks, limits ------------------------------------------------------------------------------


async def raw(twin: RunningTwin, method: str, path: str, body: str = "", **changed: str) -> httpx.Response:
    """Sign a call by hand as the documents say; ``changed`` replaces parts."""
    secret = changed.get("secret", "key-secret").encode()

    def digest(text: str) -> str:
        return b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()

    stamp = changed.get("stamp", str(twin.twin.clock.now_ns() // 1_000_000))
    headers = {
        "KC-API-KEY": changed.get("key", "key"),
        "KC-API-TIMESTAMP": stamp,
        "KC-API-SIGN": digest(f"{stamp}{method}{path}{body}"),
        "KC-API-PASSPHRASE": digest(changed.get("passphrase", "pass-phrase")),
        "KC-API-KEY-VERSION": changed.get("version", "3"),
    }
    async with httpx.AsyncClient() as http:
        return await http.request(method, twin.url + path, content=body, headers=headers)


async def test_each_header_is_checked(kucoin: RunningTwin) -> None:
    path = "/api/v1/accounts?type=trade"
    now = kucoin.twin.clock.now_ns() // 1_000_000
    for changed, code in (
        ({}, "200000"),
        ({"version": "2"}, "200000"),
        ({"version": "1"}, "400009"),
        ({"secret": "wrong"}, "400004"),
        ({"passphrase": "wrong"}, "400004"),
        ({"key": "nobody"}, "400003"),
        ({"key": ""}, "400001"),
        ({"stamp": str(now - 6_000)}, "400002"),
        ({"stamp": str(now + 10_000)}, "400002"),
    ):
        assert (await raw(kucoin, "GET", path, **changed)).json()["code"] == code, changed
    tampered = await raw(kucoin, "POST", "/api/v1/hf/orders", "{}")
    assert tampered.json()["code"] == "400600"  # signed well, but no order
    kucoin.control.set_rights("key", ip_allow=("10.0.0.1",))
    assert (await raw(kucoin, "GET", path)).json()["code"] == "400006"


async def test_rights_are_told_and_enforced(official: Official, kucoin: RunningTwin) -> None:
    assert (await official("get_apikey_info")).permission == "General,Spot"
    kucoin.control.set_rights("key", permissions=frozenset({Permission.READ, Permission.WITHDRAW}))
    assert (await official("get_apikey_info")).permission == "General,Transfer"
    assert await official.refused("add_order_sync", limit()) == "400007"
    fees = await official(
        "get_spot_actual_fee", GetSpotActualFeeReqBuilder().set_symbols("BTC-USDT,ETH-USDT")
    )
    assert [row.taker_fee_rate for row in fees.data] == ["0.001", "0.001"]


async def test_pools_run_dry_and_say_so() -> None:
    clock = HandClock()
    async with (
        running_twin("kucoin", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url) as http,
    ):
        path = "/api/v1/market/allTickers"
        answers = [await http.get(path) for _ in range(135)]
        assert [a.status_code for a in answers] == [200] * 133 + [429] * 2  # 2000 / 15
        assert answers[0].headers["gw-ratelimit-remaining"] == "1985"
        assert answers[-1].json()["code"] == "429000"
        clock.advance(30)
        assert (await http.get(path)).status_code == 200


# -- streams -------------------------------------------------------------------------------------------


async def _until(is_so: Any) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def test_the_official_stream_clients_hear_market_and_account(
    kucoin: RunningTwin, official: Official
) -> None:
    heard: dict[str, list[Any]] = {"level2": [], "orders": [], "balances": []}
    public = official.client.ws_service().new_spot_public_ws()
    private = official.client.ws_service().new_spot_private_ws()
    for socket in (public, private):
        await asyncio.to_thread(socket.start)
    await asyncio.to_thread(
        public.orderbook_increment, [SYMBOL], lambda _t, _s, data: heard["level2"].append(data)
    )
    await asyncio.to_thread(private.order_v2, lambda _t, _s, data: heard["orders"].append(data))
    await asyncio.to_thread(private.account, lambda _t, _s, data: heard["balances"].append(data))
    await official("add_order_sync", limit(price="60100"))
    await _until(lambda: len(heard["orders"]) == 3)
    assert [o.type.value for o in heard["orders"]] == ["received", "match", "filled"]
    await _until(lambda: heard["balances"] and heard["level2"])
    assert heard["balances"][0].relation_event == "trade.hold"
    assert heard["level2"][0].changes.asks[0][:2] == ["60100", "0.5"]
    for socket in (public, private):
        await asyncio.to_thread(socket.stop)


async def test_level2_has_a_number_for_each_change(kucoin: RunningTwin) -> None:
    async with await _connected(kucoin, "bullet-public") as socket:
        await socket.send(
            json.dumps({"id": 1, "type": "subscribe", "topic": f"/market/level2:{SYMBOL}", "response": True})
        )
        assert json.loads(await socket.recv()) == {"id": "1", "type": "ack"}
        before = kucoin.twin.exchange.books[SYMBOL].sequence
        kucoin.control.crowd_takes(SYMBOL, "buy", D("1.5"))
        kucoin.control.trade("key", SYMBOL, "buy", D("0.1"), D(50_000))
        for _ in range(2):
            data = json.loads(await asyncio.wait_for(socket.recv(), 5))["data"]
            numbers = [int(row[2]) for side in data["changes"].values() for row in side]
            assert sorted(numbers) == list(range(before + 1, before + 1 + len(numbers)))
            assert (data["sequenceStart"], data["sequenceEnd"]) == (min(numbers), max(numbers))
            before = max(numbers)
        assert before == kucoin.twin.exchange.books[SYMBOL].sequence


async def _connected(twin: RunningTwin, bullet: str) -> Any:
    answer = (await raw(twin, "POST", f"/api/v1/{bullet}")).json()["data"]
    socket = await websockets.connect(
        f"{answer['instanceServers'][0]['endpoint']}?token={answer['token']}&connectId=7"
    )
    assert json.loads(await socket.recv()) == {"id": "7", "type": "welcome"}
    return socket


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"topic": "", "type": "subscribe"}, 406),
        ({"topic": "/nothing:x", "type": "subscribe"}, 404),
        ({"topic": "/market/candles:BTC-USDT_9min", "type": "subscribe"}, 400),
        ({"topic": "/account/balance", "type": "subscribe", "privateChannel": True}, 403),
        ({"topic": f"/market/level2:{SYMBOL}", "type": "shout"}, 415),
    ],
)
async def test_a_wrong_subscription_gets_kucoins_code(
    kucoin: RunningTwin, asked: dict[str, Any], code: int
) -> None:
    async with await _connected(kucoin, "bullet-public") as socket:
        await socket.send(json.dumps({"id": 1, **asked}))
        assert json.loads(await socket.recv())["code"] == code
        await socket.send(json.dumps({"id": 2, "type": "ping"}))
        assert json.loads(await socket.recv())["type"] == "pong"


async def test_a_connection_without_a_token_or_without_pings_is_closed() -> None:
    clock = HandClock()
    async with running_twin("kucoin", accounts=[account()], turn_s=None, clock=clock) as twin:
        socket = await websockets.connect(f"{twin.ws_url}/?token=nothing")
        assert json.loads(await socket.recv())["code"] == 401
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        socket = await _connected(twin, "bullet-private")
        clock.advance(29)
        await asyncio.sleep(0)
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


@pytest.fixture
async def through_ccxt(kucoin: RunningTwin) -> AsyncIterator[Any]:
    names = (
        "public",
        "private",
        "futuresPublic",
        "futuresPrivate",
        "uta",
        "utaV2",
        "utaPrivate",
        "earn",
        "broker",
    )
    options = {"hf": True, "fetchMarkets": {"types": ["spot"]}, "fetchTickersFees": False}
    client = ccxt.pro.kucoin(
        {
            "apiKey": "key", "secret": "key-secret", "password": "pass-phrase", "options": options,
            "urls": {"api": dict.fromkeys((*names, "webExchange"), kucoin.url)},
        }
    )  # fmt: skip
    yield client
    await client.close()


async def test_ccxt_trades_and_watches(through_ccxt: Any, kucoin: RunningTwin) -> None:
    await through_ccxt.load_markets()
    watching = [
        asyncio.create_task(through_ccxt.watch_orders("BTC/USDT")),
        asyncio.create_task(through_ccxt.watch_balance()),
    ]
    await asyncio.sleep(1)
    order_ = await through_ccxt.create_order(
        "BTC/USDT", "limit", "buy", 0.5, 50_000, {"clientOrderId": "mine"}
    )
    orders, balance = await asyncio.wait_for(asyncio.gather(*watching), 10)
    assert (orders[-1]["id"], balance["USDT"]["used"]) == (order_["id"], 25_025.0)
    watching_book = asyncio.create_task(through_ccxt.watch_order_book("BTC/USDT"))
    for size in range(1, 50):  # it waits for a change after its snapshot
        kucoin.control.set_book(SYMBOL, {**BIDS, D(50_000): D(size)}, ASKS)
        await asyncio.sleep(0.1)
        if watching_book.done():
            break
    assert (await asyncio.wait_for(watching_book, 5))["bids"][0][0] == 60_000.0
    with pytest.raises(ccxt.InsufficientFunds):
        await through_ccxt.create_order("BTC/USDT", "limit", "buy", 5, 50_000)
    await through_ccxt.cancel_order(order_["id"], "BTC/USDT")
    with pytest.raises(ccxt.OrderNotFound):
        await through_ccxt.cancel_order(order_["id"], "BTC/USDT")
