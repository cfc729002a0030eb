"""Luno's twin, driven by Luno's own Python client, by ccxt, and by hand where neither goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ccxt.pro
import httpx
import pytest
import websockets
from luno_python.client import Client
from luno_python.error import APIError
from luno_python.stream_client import stream_market

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Permission
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock
from tests.twins.conftest import account
from tests.twins.waiting import until

D = Decimal
PAIR = "XBTZAR"


class Official:
    """Luno's client, whose blocking calls run in threads."""

    def __init__(self, twin: RunningTwin, key: str = "key", secret: str = "key-secret") -> None:
        self._client = Client(base_url=twin.url, api_key_id=key, api_key_secret=secret)

    async def __call__(self, method: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(getattr(self._client, method), *args, **more)

    async def refused(self, method: str, *args: Any, **more: Any) -> str:
        with pytest.raises(APIError) as error:
            await self(method, *args, **more)
        return str(error.value.code)


@pytest.fixture
def official(luno: RunningTwin) -> Official:
    return Official(luno)


async def test_the_official_client_reads_the_market(official: Official) -> None:
    market = next(m for m in (await official("markets"))["markets"] if m["market_id"] == PAIR)
    assert (market["price_scale"], market["volume_scale"]) == (0, 6)
    ticker = await official("get_ticker", PAIR)
    assert [D(ticker[name]) for name in ("bid", "ask", "last_trade")] == [60_000, 60_100, 60_000]
    assert {row["pair"] for row in (await official("get_tickers"))["tickers"]} >= {PAIR, "ETHZAR"}
    book = await official("get_order_book", PAIR)
    assert [D(level["price"]) for level in book["bids"]] == [60_000, 59_000]
    assert len((await official("get_order_book_full", PAIR))["asks"]) == 2
    trades = (await official("list_trades", PAIR))["trades"]
    assert (D(trades[0]["volume"]), trades[0]["is_buy"]) == (D("0.001"), False)
    candles = (await official("get_candles", 3600, PAIR, 0))["candles"]
    assert len(candles) == 1000
    assert {b["timestamp"] - a["timestamp"] for a, b in pairwise(candles)} == {3_600_000}


async def test_a_limit_order_rests_is_found_by_both_ids_and_is_cancelled(official: Official) -> None:
    placed = await official("post_limit_order", PAIR, "50000", "BID", "0.5", client_order_id="mine")
    order = await official("get_order_v3", client_order_id="mine")
    assert order == await official("get_order_v2", placed["order_id"])
    assert (order["status"], order["side"], order["type"], D(order["base"])) == (
        "PENDING",
        "BUY",
        "LIMIT",
        D(0),
    )
    zar = next(b for b in (await official("get_balances"))["balance"] if b["asset"] == "ZAR")
    assert D(zar["reserved"]) == 25_000
    assert await official("stop_order", placed["order_id"]) == {"success": True}
    order = await official("get_order_v3", client_order_id="mine")
    assert (order["status"], D(order["base"])) == ("COMPLETE", D(0))
    assert await official.refused("stop_order", placed["order_id"]) == "ErrCannotStopUnknownOrNonPendingOrder"
    again = ("post_limit_order", PAIR, "50000", "BID", "0.5")
    assert await official.refused(*again, client_order_id="mine") == "ErrDuplicateClientOrderID"


async def test_market_orders_pay_fees_in_what_they_receive(official: Official) -> None:
    bought = await official("post_market_order", PAIR, "BUY", counter_volume="6010")
    order = await official("get_order_v2", bought["order_id"])
    assert (D(order["base"]), D(order["counter"])) == (D("0.1"), D(6010))
    assert (D(order["fee_base"]), D(order["fee_counter"])) == (D("0.0006"), D(0))
    await official("post_market_order", PAIR, "SELL", base_volume="0.1")
    buy, sale = (await official("list_user_trades", PAIR))["trades"]
    assert (buy["type"], sale["type"], D(sale["fee_counter"])) == ("BID", "ASK", D(36))
    assert (
        await official.refused("post_market_order", PAIR, "BUY", counter_volume="999999")
        == "ErrNotEnoughLiquidity"
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (("XXXZAR", "1", "BID", "1"), "ErrInvalidMarketPair"),
        ((PAIR, "50000.5", "BID", "0.5"), "ErrPriceDenominationNotAllowed"),
        ((PAIR, "50000", "BID", "0.0000005"), "ErrVolumeDenominationNotAllowed"),
        ((PAIR, "50000", "BID", "0.00005"), "ErrVolumeTooLow"),
        ((PAIR, "50000", "BID", "1000001"), "ErrVolumeTooHigh"),
        ((PAIR, "50000", "BUY", "0.5"), "ErrInvalidOrderSide"),
        ((PAIR, "59999", "BID", "100"), "ErrInsufficientBalance"),
        ((PAIR, "x", "BID", "1"), "ErrInvalidArguments"),
    ],
)
async def test_a_wrong_order_gets_lunos_code(official: Official, order: tuple[str, ...], code: str) -> None:
    assert await official.refused("post_limit_order", *order) == code


async def test_order_options_are_checked(official: Official, luno: RunningTwin) -> None:
    bid = ("post_limit_order", PAIR, "60100", "BID", "0.1")
    assert await official.refused(*bid, post_only=True) == "ErrOrderCanceled"
    assert await official.refused(*bid, post_only=True, time_in_force="IOC") == "ErrPostOnlyNotAllowed"
    assert await official.refused(*bid, client_order_id="a b") == "ErrInvalidClientOrderId"
    assert await official.refused(*bid, timestamp=1, ttl=1000) == "ErrDeadlineExceeded"
    assert await official.refused(*bid, base_account_id=1) == "ErrInvalidAccountID"
    assert await official.refused(*bid, stop_price="61000") == "ErrInvalidStopDirection"
    luno.control.suspend(PAIR)
    assert await official.refused(*bid) == "ErrMarketUnavailable"


async def test_a_stop_limit_order_waits_and_fires(official: Official, luno: RunningTwin) -> None:
    stop = await official(
        "post_limit_order", PAIR, "60200", "BID", "0.1", stop_price="60100", stop_direction="ABOVE"
    )
    assert (await official("get_order_v2", stop["order_id"]))["status"] == "AWAITING"
    luno.control.crowd_takes(PAIR, "buy", D("0.01"))
    fired = await official("get_order_v2", stop["order_id"])
    assert (fired["type"], fired["status"], D(fired["base"])) == ("STOP_LIMIT", "COMPLETE", D("0.1"))


async def test_lists_page_without_a_gap(official: Official) -> None:
    for number in range(5):
        await official(
            "post_limit_order", PAIR, str(50_000 + number), "BID", "0.01", client_order_id=f"c{number}"
        )
        await official("post_market_order", PAIR, "BUY", counter_volume="100")
        await asyncio.sleep(0.002)  # pages go by the millisecond
    seen: list[str] = []
    before = None
    while page := (await official("list_orders_v2", created_before=before, limit=2))["orders"]:
        seen += [order["client_order_id"] for order in page]
        before = page[-1]["creation_timestamp"]
    assert seen == ["c4", "c3", "c2", "c1", "c0"]
    assert len((await official("list_orders_v2", closed=True, limit=3))["orders"]) == 3
    first = (await official("list_user_trades", PAIR, limit=3))["trades"]
    rest = (await official("list_user_trades", PAIR, after_seq=first[-1]["sequence"] + 1))["trades"]
    assert len(first + rest) == 5
    newest = (await official("list_user_trades", PAIR, sort_desc=True, limit=1))["trades"]
    assert newest[0] == rest[-1]


async def test_the_statement_and_transfers_of_a_wallet(official: Official, luno: RunningTwin) -> None:
    await official("post_market_order", PAIR, "BUY", counter_volume="6010")
    luno.control.deposit("key", "ZAR", D(500))
    rows = (await official("get_balances"))["balance"]
    wallet = next(int(row["account_id"]) for row in rows if row["asset"] == "ZAR")
    assert wallet > 2**53
    moves = (await official("list_transactions", wallet, 0, -100))["transactions"]
    assert D(moves[-1]["balance_delta"]) == 500
    assert sum(D(row["balance_delta"]) for row in moves) == D(moves[-1]["balance"])
    transfers = (await official("list_transfers", wallet))["transfers"]
    assert [(D(row["amount"]), row["inbound"]) for row in transfers] == [(D(500), True), (D(1_000_000), True)]


async def test_keys_and_rights(luno: RunningTwin, official: Official) -> None:
    assert await Official(luno, secret="wrong").refused("get_balances") == "ErrUnauthorised"
    probe = ("validate", "junk", "XBT")
    assert await official.refused(*probe) == "ErrInsufficientPerms"
    luno.control.set_rights("key", permissions=frozenset({Permission.READ, Permission.WITHDRAW}))
    assert await official.refused(*probe) == "ErrDisallowedTarget"
    assert await official.refused("post_limit_order", PAIR, "50000", "BID", "0.1") == "ErrInsufficientPerms"
    luno.control.set_rights("key", ip_allow=("10.0.0.0/8",))
    assert await official.refused("get_balances") == "ErrUnauthorised"
    luno.control.set_rights("key", ip_allow=(), is_revoked=True)
    assert await official.refused("get_balances") == "ErrApiKeyRevoked"


async def test_more_than_300_calls_a_minute_are_refused() -> None:
    clock = HandClock()
    async with (
        running_twin("luno", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=twin.url, params={"pair": PAIR}) as http,
    ):
        codes = [(await http.get("/api/1/orderbook_top")).status_code for _ in range(302)]
        assert codes == [200] * 300 + [429] * 2
        clock.advance(60)
        assert (await http.get("/api/1/orderbook_top")).status_code == 200


async def test_the_official_stream_client_keeps_the_book(luno: RunningTwin, official: Official) -> None:
    states: list[Any] = []
    task = asyncio.create_task(
        stream_market(PAIR, "key", "key-secret", lambda *seen: states.append(seen), base_url=luno.ws_url)
    )
    await until(lambda: len(states) == 1)
    await official("post_limit_order", PAIR, "59500", "BID", "0.5")
    await official("post_market_order", PAIR, "BUY", counter_volume="70000")
    await official("stop_order", (await official("list_orders_v2"))["orders"][0]["order_id"])
    await until(lambda: len(states) == 4)
    task.cancel()
    shown, book = states[-1][1], await official("get_order_book_full", PAIR)
    for side, orders in (("asks", shown.asks), ("bids", shown.bids)):
        assert [(o.price, o.volume) for o in orders] == [(D(o["price"]), D(o["volume"])) for o in book[side]]


async def _user_stream(twin: RunningTwin) -> Any:
    socket = await websockets.connect(f"{twin.ws_url}/api/1/userstream")
    await socket.send(json.dumps({"api_key_id": "key", "api_key_secret": "key-secret"}))
    return socket


async def _until_complete(socket: Any) -> list[dict[str, Any]]:
    """Return the frames up to the order's last status."""
    frames: list[dict[str, Any]] = []
    while not frames or (frames[-1]["order_status_update"] or {}).get("status") != "COMPLETE":
        frames.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
    return frames


async def test_the_user_stream_tells_status_fills_and_balances_and_replays(
    luno: RunningTwin, official: Official
) -> None:
    placed = await official("post_limit_order", PAIR, "60100", "BID", "0.5", client_order_id="mine")
    socket = await _user_stream(luno)
    frames = await _until_complete(socket)
    kinds = [frame["type"] for frame in frames]
    assert kinds.count("order_fill") == 1
    fill = next(frame["order_fill_update"] for frame in frames if frame["type"] == "order_fill")
    assert (fill["client_order_id"], D(fill["base_delta"]), D(fill["base_fee"])) == (
        "mine",
        D("0.5"),
        D("0.003"),
    )
    states = [f["order_status_update"]["status"] for f in frames if f["type"] == "order_status"]
    assert states == ["PENDING", "COMPLETE"]
    balances = [frame["balance_update"] for frame in frames if frame["type"] == "balance_update"]
    assert all(row["row_index"] >= 1 for row in balances)
    assert fill["order_id"] == placed["order_id"]
    await socket.close()
    again = await _user_stream(luno)  # what was missed in the last minutes comes again
    assert [frame["type"] for frame in await _until_complete(again)] == kinds
    await again.close()


async def test_a_stream_without_a_good_key_is_cut(luno: RunningTwin) -> None:
    for text in ("{}", "no json", json.dumps({"api_key_id": "key", "api_key_secret": "wrong"})):
        socket = await websockets.connect(f"{luno.ws_url}/api/1/stream/{PAIR}")
        await socket.send(text)
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 20)


@pytest.fixture
async def through_ccxt(luno: RunningTwin) -> AsyncIterator[Any]:
    api, exchange = f"{luno.url}/api", f"{luno.url}/api/exchange"
    urls = {"public": api, "private": api, "exchange": exchange, "exchangePrivate": exchange}
    client = ccxt.pro.luno(
        {"apiKey": "key", "secret": "key-secret", "urls": {"api": {**urls, "ws": f"{luno.ws_url}/api/1"}}}
    )
    yield client
    await client.close()


async def test_ccxt_trades_and_watches(through_ccxt: Any) -> None:
    await through_ccxt.load_markets()
    ticker = await through_ccxt.fetch_ticker("BTC/ZAR")
    assert (ticker["bid"], ticker["ask"]) == (60_000.0, 60_100.0)
    order = await through_ccxt.create_order(
        "BTC/ZAR", "limit", "buy", 0.5, 50_000, {"client_order_id": "mine"}
    )
    assert [o["id"] for o in await through_ccxt.fetch_open_orders("BTC/ZAR")] == [order["id"]]
    assert (await through_ccxt.fetch_balance())["ZAR"]["used"] == 25_000
    book = await through_ccxt.watch_order_book("BTC/ZAR")
    assert book["bids"][0][0] == 60_000
    with pytest.raises(ccxt.DuplicateOrderId):
        await through_ccxt.create_order("BTC/ZAR", "limit", "buy", 0.5, 50_000, {"client_order_id": "mine"})
    with pytest.raises(ccxt.InsufficientFunds):
        await through_ccxt.create_order("BTC/ZAR", "limit", "buy", 500, 50_000)
    await through_ccxt.cancel_order(order["id"], "BTC/ZAR")


async def test_only_named_accounts_exist() -> None:
    async with running_twin("luno", accounts=[account("only")], turn_s=None) as twin:
        assert await Official(twin).refused("get_balances") == "ErrUnauthorised"
        assert len((await Official(twin, "only", "only-secret")("get_balances"))["balance"]) >= 3
