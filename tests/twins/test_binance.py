"""Binance's twin, driven by Binance's own Python client, by ccxt, and by hand where neither goes."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import ccxt.pro
import httpx
import pytest
import websockets
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError, UnauthorizedError
from binance_sdk_spot.spot import Spot

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.order import Side
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock
from tests.twins.conftest import ASKS, BIDS, account
from tests.twins.waiting import until

D = Decimal
SYMBOL = "BTCUSDT"
BUY = {"symbol": SYMBOL, "side": "BUY"}


def spot(twin: RunningTwin, secret: str = "key-secret") -> Any:
    """Return the official client, pointed at the twin and nothing else changed."""
    return Spot(
        config_rest_api=ConfigurationRestAPI(
            api_key="key", api_secret=secret, base_path=twin.url, retries=0, timeout=20_000
        ),
        config_ws_api=ConfigurationWebSocketAPI(
            api_key="key", api_secret=secret, stream_url=f"{twin.ws_url}/ws-api/v3"
        ),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=twin.ws_url),
    )


class Official:
    """The client's REST calls, whose blocking runs in threads."""

    def __init__(self, twin: RunningTwin, secret: str = "key-secret") -> None:
        self._rest = spot(twin, secret).rest_api

    async def __call__(self, method: str, **params: Any) -> Any:
        answer = await asyncio.to_thread(getattr(self._rest, method), **params)
        return answer.data()

    async def refused(self, method: str, **params: Any) -> tuple[Any, Any]:
        with pytest.raises((BadRequestError, UnauthorizedError)) as error:
            await self(method, **params)
        return error.value.args[0], error.value.args[1]


@pytest.fixture
def official(binance: RunningTwin) -> Official:
    return Official(binance)


async def test_the_official_client_reads_the_market(official: Official) -> None:
    info = await official("exchange_info")
    symbol = next(s for s in info.symbols if s.symbol == SYMBOL)
    assert (symbol.status, symbol.base_asset, symbol.quote_asset) == ("TRADING", "BTC", "USDT")
    assert {f.rate_limit_type for f in info.rate_limits} == {"REQUEST_WEIGHT", "ORDERS"}
    book = await official("depth", symbol=SYMBOL, limit=1)
    assert [D(book.bids[0][0]), D(book.asks[0][0]), D(book.asks[0][1])] == [60_000, 60_100, 1]
    day = (await official("ticker24hr", symbol=SYMBOL)).actual_instance
    assert (D(day.bid_price), D(day.last_price)) == (D(60_000), D(60_000))
    trades = await official("get_trades", symbol=SYMBOL)
    assert (D(trades[-1].qty), trades[-1].is_buyer_maker) == (D("0.001"), True)
    klines = await official("klines", symbol=SYMBOL, interval="1h", limit=48)
    opens = [int(row[0]) for row in klines]
    assert len(opens) == 48 and {b - a for a, b in pairwise(opens)} == {3_600_000}
    assert (await official("time")).server_time > 1_700_000_000_000


async def test_a_limit_order_rests_is_found_by_both_ids_and_is_cancelled(official: Official) -> None:
    order = await official(
        "new_order",
        **BUY,
        type="LIMIT",
        time_in_force="GTC",
        quantity=0.5,
        price=50_000,
        new_client_order_id="mine",
    )
    by_id = await official("get_order", symbol=SYMBOL, order_id=order.order_id)
    assert by_id == await official("get_order", symbol=SYMBOL, orig_client_order_id="mine")
    assert (by_id.status, D(by_id.orig_qty)) == ("NEW", D("0.5"))
    usdt = next(b for b in (await official("get_account")).balances if b.asset == "USDT")
    assert D(usdt.locked) == 25_000
    assert [o.client_order_id for o in await official("get_open_orders")] == ["mine"]
    assert await official.refused(
        "new_order",
        **BUY,
        type="LIMIT",
        time_in_force="GTC",
        quantity=0.5,
        price=1_000,
        new_client_order_id="mine",
    ) == (-2010, "Duplicate order sent.")
    cancelled = await official("delete_order", symbol=SYMBOL, orig_client_order_id="mine")
    assert (cancelled.status, cancelled.orig_client_order_id) == ("CANCELED", "mine")
    assert cancelled.client_order_id != "mine"
    assert await official.refused("delete_order", symbol=SYMBOL, orig_client_order_id="mine") == (
        -2011,
        "Unknown order sent.",
    )
    assert await official.refused("get_order", symbol=SYMBOL, orig_client_order_id="nobody") == (
        -2013,
        "Order does not exist.",
    )
    again = await official(
        "new_order",
        **BUY,
        type="LIMIT",
        time_in_force="GTC",
        quantity=0.5,
        price=1_000,
        new_client_order_id="mine",
    )
    assert again.order_id != order.order_id  # the id is free once the order is not open


async def test_market_orders_fill_with_fees_and_list_their_trades(official: Official) -> None:
    bought = await official("new_order", **BUY, type="MARKET", quote_order_qty=70_000)
    assert bought.status == "FILLED" and [D(f.price) for f in bought.fills] == [60_100, 61_000]
    assert {f.commission_asset for f in bought.fills} == {"BTC"}
    sold = await official("new_order", symbol=SYMBOL, side="SELL", type="MARKET", quantity=0.1)
    assert (D(sold.fills[0].commission), sold.fills[0].commission_asset) == (D(6), "USDT")
    first = await official("my_trades", symbol=SYMBOL, limit=2, from_id=1)
    rest = await official("my_trades", symbol=SYMBOL, from_id=first[-1].id + 1)
    assert [t.order_id for t in [*first, *rest]] == [bought.order_id] * 2 + [sold.order_id]
    orders = await official("all_orders", symbol=SYMBOL)
    assert [o.order_id for o in orders] == [bought.order_id, sold.order_id]


@pytest.mark.parametrize(
    ("order", "code", "text"),
    [
        ({"type": "LIMIT", "quantity": 1, "price": 1}, -1102, "timeInForce"),
        (
            {"type": "LIMIT", "time_in_force": "GTC", "quantity": 1, "price": 50_000.001},
            -1013,
            "PRICE_FILTER",
        ),
        ({"type": "LIMIT", "time_in_force": "GTC", "quantity": 0.000001, "price": 50_000}, -1013, "LOT_SIZE"),
        ({"type": "LIMIT", "time_in_force": "GTC", "quantity": 0.123456789, "price": 5}, -1111, "precision"),
        ({"type": "LIMIT", "time_in_force": "GTC", "quantity": 0.00001, "price": 50_000}, -1013, "NOTIONAL"),
        (
            {"type": "LIMIT", "time_in_force": "GTC", "quantity": 5, "price": 50_000},
            -2010,
            "insufficient balance",
        ),
        ({"type": "LIMIT_MAKER", "quantity": 0.1, "price": 60_100}, -2010, "immediately match"),
        ({"type": "STOP_LOSS", "quantity": 0.1, "stop_price": 60_000}, -2010, "trigger immediately"),
        ({"type": "MARKET", "quantity": 1, "quote_order_qty": 1}, -1128, "Combination"),
        ({"type": "MARKET", "quantity": 1, "price": 1}, -1106, "price"),
        ({"type": "MARKET", "quantity": 1, "new_client_order_id": "a b"}, -1100, "newClientOrderId"),
    ],
)
async def test_a_wrong_order_gets_binances_code(
    official: Official, order: dict[str, Any], code: int, text: str
) -> None:
    got = await official.refused("new_order", **BUY, **order)
    assert got[0] == code and text in got[1]


async def test_a_stop_fires_and_a_halted_market_refuses(official: Official, binance: RunningTwin) -> None:
    stop = await official("new_order", **BUY, type="STOP_LOSS", quantity=0.1, stop_price=60_100)
    binance.control.crowd_takes(SYMBOL, "buy", D("0.01"))
    fired = await official("get_order", symbol=SYMBOL, order_id=stop.order_id)
    assert (fired.status, D(fired.executed_qty)) == ("FILLED", D("0.1"))
    binance.control.suspend(SYMBOL)
    assert await official.refused("new_order", **BUY, type="MARKET", quantity=0.1) == (
        -2010,
        "Market is closed.",
    )


async def test_fees_in_bnb_cost_a_quarter_less() -> None:
    async with running_twin("binance", accounts=[account(pays_fees_in="BNB")], turn_s=None) as twin:
        twin.control.set_book("BTCUSDT", BIDS, ASKS)
        twin.control.set_book("BNBUSDT", {D(599): D(9)}, {D(600): D(9)})
        twin.control.crowd_takes("BNBUSDT", "buy", D("0.01"))
        bought = await Official(twin)("new_order", **BUY, type="MARKET", quantity=0.1)
        assert bought.fills[0].commission_asset == "BNB"
        assert D(bought.fills[0].commission) == D("6.01") * D("0.75") / 600


# -- keys, clocks, limits ------------------------------------------------------------------------------


def signed(params: dict[str, Any], stamp_ms: int, secret: str = "key-secret") -> str:
    query = urlencode({**params, "timestamp": stamp_ms})
    return query + "&signature=" + hmac.new(secret.encode(), query.encode(), "sha256").hexdigest()


async def get(twin: RunningTwin, query: str, key: str = "key") -> tuple[int, Any]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{twin.url}/api/v3/account?{query}", headers={"X-MBX-APIKEY": key})
        return answer.status_code, answer.json().get("code")


async def test_signature_clock_and_key_are_checked() -> None:
    clock = HandClock()
    now = clock.now_ns() // 1_000_000
    async with running_twin("binance", accounts=[account()], turn_s=None, clock=clock) as twin:
        assert await get(twin, signed({}, now)) == (200, None)
        assert await get(twin, signed({}, now * 1000)) == (200, None)  # microseconds are taken, too
        assert await get(twin, signed({}, now, "wrong")) == (400, -1022)
        assert await get(twin, signed({}, now - 5_001)) == (400, -1021)
        assert await get(twin, signed({"recvWindow": 6_000}, now - 5_001)) == (200, None)
        assert await get(twin, signed({"recvWindow": 60_001}, now)) == (400, -1131)
        assert await get(twin, signed({}, now + 1_001)) == (400, -1021)
        assert await get(twin, signed({}, now), key="nobody") == (401, -2015)
        assert await get(twin, signed({}, now), key="") == (401, -2014)
        twin.control.set_rights("key", ip_allow=("10.0.0.1",))
        assert await get(twin, signed({}, now)) == (401, -2015)


async def test_the_documents_signature_vector_is_accepted() -> None:
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    query = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        "&timestamp=1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    clock = HandClock(1_499_827_319_559 * 1_000_000)
    async with (
        running_twin("binance", accounts=[Account(key, secret, {})], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(headers={"X-MBX-APIKEY": key}) as http,
    ):
        answer = await http.post(f"{twin.url}/api/v3/order", content=query, headers=_FORM)
        assert answer.json()["code"] == -1121  # signed well; the twin has no LTCBTC
        forged = await http.post(
            f"{twin.url}/api/v3/order", content=query.replace("0.1", "0.2"), headers=_FORM
        )
        assert forged.json()["code"] == -1022


_FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_too_much_weight_is_refused_then_banned() -> None:
    clock = HandClock()
    async with (
        running_twin("binance", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url) as http,
    ):
        deep: dict[str, str | int] = {"symbol": SYMBOL, "limit": 5000}
        answers = [await http.get("/api/v3/depth", params=deep) for _ in range(36)]
        assert [a.status_code for a in answers] == [200] * 24 + [429] * 10 + [418] * 2
        assert answers[23].headers["x-mbx-used-weight-1m"] == "6000"
        assert (int(answers[24].headers["retry-after"]), int(answers[35].headers["retry-after"])) == (61, 120)
        clock.advance(121)
        assert (await http.get("/api/v3/depth", params=deep)).status_code == 200


async def test_rights_are_told_and_enforced(binance: RunningTwin, official: Official) -> None:
    async with httpx.AsyncClient() as http:

        async def restrictions() -> Any:
            stamp = (await http.get(f"{binance.url}/api/v3/time")).json()["serverTime"]
            url = f"{binance.url}/sapi/v1/account/apiRestrictions?{signed({}, stamp)}"
            return (await http.get(url, headers={"X-MBX-APIKEY": "key"})).json()

        told = await restrictions()
        assert (told["enableWithdrawals"], told["enableSpotAndMarginTrading"]) == (False, True)
        binance.control.set_rights("key", permissions=frozenset({Permission.READ, Permission.WITHDRAW}))
        told = await restrictions()
        assert (told["enableWithdrawals"], told["enableSpotAndMarginTrading"]) == (True, False)
    assert (await official.refused("new_order", **BUY, type="MARKET", quantity=0.1))[0] == -2015


# -- streams -------------------------------------------------------------------------------------------


async def test_depth_frames_rebuild_the_book(binance: RunningTwin, official: Official) -> None:
    async with websockets.connect(
        f"{binance.ws_url}/stream?streams=btcusdt@depth@100ms/btcusdt@trade"
    ) as socket:
        snapshot = await official("depth", symbol=SYMBOL)
        await official("new_order", **BUY, type="MARKET", quantity=1.2)
        await official("new_order", **BUY, type="LIMIT", time_in_force="GTC", quantity=0.1, price=59_500)
        book = {"b": {D(p): D(q) for p, q in snapshot.bids}, "a": {D(p): D(q) for p, q in snapshot.asks}}
        last, trades = snapshot.last_update_id, 0
        end = (await official("depth", symbol=SYMBOL)).last_update_id
        while last < end:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 20))
            if frame["stream"] == "btcusdt@trade":
                trades += 1
                continue
            diff = frame["data"]
            if diff["u"] <= last:
                continue
            assert diff["U"] <= last + 1
            last = diff["u"]
            for side in ("b", "a"):
                for price, quantity in diff[side]:
                    book[side][D(price)] = D(quantity)
        assert trades == 2
    now = await official("depth", symbol=SYMBOL)
    for side, levels in (("b", now.bids), ("a", now.asks)):
        assert {p: q for p, q in book[side].items() if q} == {D(p): D(q) for p, q in levels}


async def test_the_official_stream_client_gets_depth_and_book_tickers(binance: RunningTwin) -> None:
    client = spot(binance)
    connection = await client.websocket_streams.create_connection()
    frames: dict[str, list[Any]] = {"depth": [], "top": []}
    depth = await connection.diff_book_depth(symbol="btcusdt", update_speed="100ms")
    depth.on("message", frames["depth"].append)
    top = await connection.book_ticker(symbol="btcusdt")
    top.on("message", frames["top"].append)
    wanted = {"btcusdt@depth@100ms", "btcusdt@bookTicker"}
    await until(lambda: any(wanted <= c.topics.keys() for c in binance.twin.connections))
    binance.control.set_book(SYMBOL, {D(60_050): D(1)}, ASKS)
    await until(lambda: bool(frames["depth"] and frames["top"]))
    assert D(frames["top"][-1].b) == 60_050 and frames["depth"][0].e == "depthUpdate"
    await connection.close_connection(close_session=True)


async def test_the_official_websocket_api_trades_and_hears_of_it(binance: RunningTwin) -> None:
    connection = await spot(binance).websocket_api.create_connection()
    subscribed = await connection.user_data_stream_subscribe_signature()
    events: list[Any] = []
    subscribed.stream.on("message", events.append)
    placed = await connection.order_place(
        symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.5, price=60_100,
        new_client_order_id="mine",
    )  # fmt: skip
    assert placed.data().result.status == "FILLED"
    await until(lambda: len(events) >= 3)
    told = [event.actual_instance for event in events]
    kinds = [type(event).__name__ for event in told]
    assert kinds == ["ExecutionReport", "ExecutionReport", "OutboundAccountPosition"]
    assert [report.X for report in told[:2]] == ["NEW", "FILLED"]
    await connection.close_connection(close_session=True)


@pytest.fixture
async def through_ccxt(binance: RunningTwin) -> AsyncIterator[Any]:
    paths = {"public": "/api/v3", "private": "/api/v3", "v1": "/api/v1", "sapi": "/sapi/v1"}
    ws = {"spot": f"{binance.ws_url}/ws", "ws-api": {"spot": f"{binance.ws_url}/ws-api/v3"}}
    urls = {**{name: binance.url + path for name, path in paths.items()}, "ws": ws}
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    client = ccxt.pro.binance(
        {"apiKey": "key", "secret": "key-secret", "urls": {"api": urls}, "options": options}
    )
    yield client
    await client.close()


async def test_ccxt_trades_and_watches(through_ccxt: Any) -> None:
    await through_ccxt.load_markets()
    watching = [
        asyncio.create_task(through_ccxt.watch_orders("BTC/USDT")),
        asyncio.create_task(through_ccxt.watch_balance()),
    ]
    await asyncio.sleep(0.5)
    order = await through_ccxt.create_order(
        "BTC/USDT", "limit", "buy", 0.5, 50_000, {"clientOrderId": "mine"}
    )
    assert (order["status"], order["clientOrderId"]) == ("open", "mine")
    orders, balance = await asyncio.wait_for(asyncio.gather(*watching), 30)
    assert (orders[-1]["id"], balance["USDT"]["used"]) == (order["id"], 25_000.0)
    assert (await through_ccxt.fetch_trading_fee("BTC/USDT"))["taker"] == 0.001
    with pytest.raises(ccxt.InsufficientFunds):
        await through_ccxt.create_order("BTC/USDT", "limit", "buy", 5, 50_000)
    await through_ccxt.cancel_order(order["id"], "BTC/USDT")
    with pytest.raises(ccxt.OrderNotFound):
        await through_ccxt.cancel_order(order["id"], "BTC/USDT")
    assert len(await through_ccxt.fetch_ohlcv("BTC/USDT", "1h")) == 500


async def test_a_manual_trade_and_a_deposit_reach_the_user_stream(binance: RunningTwin) -> None:
    async with websockets.connect(f"{binance.ws_url}/ws-api/v3") as socket:
        stamp = binance.twin.clock.now_ns() // 1_000_000
        params = {"apiKey": "key", "timestamp": stamp}
        payload = f"apiKey=key&timestamp={stamp}"
        params["signature"] = hmac.new(b"key-secret", payload.encode(), "sha256").hexdigest()
        await socket.send(
            json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params})
        )
        assert json.loads(await socket.recv())["status"] == 200
        binance.control.deposit("key", "USDT", D(5))
        binance.control.trade("key", SYMBOL, Side.BUY, D("0.1"))
        kinds: list[str] = []
        with suppress(TimeoutError):
            while len(kinds) < 5:
                kinds.append(json.loads(await asyncio.wait_for(socket.recv(), 20))["event"]["e"])
        position = "outboundAccountPosition"
        assert kinds == ["balanceUpdate", position, "executionReport", "executionReport", position]
