"""Every fault, struck at Luno's twin (no signatures there), and each exchange's own words for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import websockets

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.errors import InvalidInput
from amarktai.twins.faults import Fault, FaultKind, Faults, Operation
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock, SeededRng
from tests.twins.conftest import ASKS, BIDS, account

D = Decimal
PAIR = "XBTZAR"
ORDER = {"pair": PAIR, "type": "BID", "price": "50000", "volume": "0.1"}


@pytest.fixture
async def http(luno: RunningTwin) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"{luno.url}/api", auth=("key", "key-secret"), timeout=10
    ) as client:
        yield client


def placed(twin: RunningTwin) -> int:
    return len(twin.twin.exchange.orders_of["key"])


async def post(http: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await http.post("/1/postorder", data={**ORDER, **more})


# -- calls ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        (FaultKind.REFUSE, 503, 0),
        (FaultKind.REFUSE_AFTER, 503, 1),
        (FaultKind.SERVER_ERROR, 500, 0),
        (FaultKind.DONE_BUT_ERROR, 500, 1),
        (FaultKind.RATE_LIMIT, 429, 0),
        (FaultKind.BAN, 429, 0),
        (FaultKind.DUPLICATE, 200, 2),
        (FaultKind.DELAY, 200, 1),
        (FaultKind.DELAY_REPLY, 200, 1),
    ],
)
async def test_what_is_answered_and_what_is_done(
    luno: RunningTwin, http: httpx.AsyncClient, kind: FaultKind, status: int, done: int
) -> None:
    fault = luno.control.arm(kind, "create", seconds=0.05)
    assert (await post(http)).status_code == status
    assert (placed(luno), fault.struck) == (done, 1)


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.DROP_REQUEST, 0), (FaultKind.DROP_REPLY, 1)])
async def test_a_broken_connection_says_nothing(
    luno: RunningTwin, http: httpx.AsyncClient, kind: FaultKind, done: int
) -> None:
    luno.control.arm(kind, "create")
    with pytest.raises(httpx.TransportError):
        await post(http)
    assert placed(luno) == done
    assert (await post(http)).status_code == 200  # once only


async def test_a_duplicate_meets_the_rule_for_client_ids(luno: RunningTwin, http: httpx.AsyncClient) -> None:
    luno.control.arm("duplicate", "create")
    assert (await post(http, client_order_id="mine")).json()["error_code"] == "ErrDuplicateClientOrderID"
    assert placed(luno) == 1


async def test_a_delay_books_late_and_a_late_reply_books_at_once() -> None:
    clock = HandClock()
    async with (
        running_twin("luno", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=f"{twin.url}/api", auth=("key", "key-secret")) as http,
    ):
        for kind, done_meanwhile in (("delay", 0), ("delay_reply", 1)):
            before = placed(twin)
            twin.control.arm(kind, "create", seconds=3600)
            asking = asyncio.create_task(post(http))
            await asyncio.sleep(0.2)
            assert (placed(twin) - before, asking.done()) == (done_meanwhile, False)
            clock.advance(3600)
            assert (await asking).status_code == 200
            assert placed(twin) - before == 1
        assert twin.twin.exchange.orders_of["key"][0].created_ns == clock.now_ns() - 3600 * 10**9


async def test_a_ban_lasts(luno: RunningTwin, http: httpx.AsyncClient) -> None:
    luno.control.arm("ban", "ticker", seconds=60)
    for _ in range(2):
        assert (await http.get("/1/ticker", params={"pair": PAIR})).status_code == 429
    luno.twin.bans.ban("127.0.0.1", 0, luno.twin.clock.now_ns())
    assert (await http.get("/1/ticker", params={"pair": PAIR})).status_code == 200


async def test_a_live_order_is_not_found(luno: RunningTwin, http: httpx.AsyncClient) -> None:
    order_id = (await post(http, client_order_id="mine")).json()["order_id"]
    luno.control.arm("not_found", count=3)
    by_cid = {"client_order_id": "mine"}
    assert (await http.get("/exchange/3/order", params=by_cid)).json()["error_code"] == "ErrOrderNotFound"
    assert (await http.get(f"/exchange/2/orders/{order_id}")).status_code == 404
    assert (await http.post("/1/stoporder", data={"order_id": order_id})).status_code == 400
    assert (await http.get("/exchange/3/order", params=by_cid)).json()["order_id"] == order_id


async def test_a_listing_lacks_its_newest_page(luno: RunningTwin, http: httpx.AsyncClient) -> None:
    ids = [(await post(http)).json()["order_id"] for _ in range(3)]
    luno.control.arm("missing_page", "open_orders")
    page = {"limit": 2}
    assert [
        o["order_id"] for o in (await http.get("/exchange/2/listorders", params=page)).json()["orders"]
    ] == ids[:1]
    whole = (await http.get("/exchange/2/listorders", params=page)).json()["orders"]
    assert [o["order_id"] for o in whole] == ids[:0:-1]


async def test_a_stale_read_shows_what_was(luno: RunningTwin, http: httpx.AsyncClient) -> None:
    socket = await _stream(luno)  # what is open stays out of the copy
    order_id = (await post(http)).json()["order_id"]
    luno.control.arm("stale", count=None)
    await http.post("/1/stoporder", data={"order_id": order_id})
    await post(http, client_order_id="new")  # writes reach the exchange as it is
    assert (await http.get(f"/exchange/2/orders/{order_id}")).json()["status"] == "PENDING"
    zar = next(b for b in (await http.get("/1/balance")).json()["balance"] if b["asset"] == "ZAR")
    assert D(zar["reserved"]) == 5_000
    luno.control.clear()
    assert (await http.get(f"/exchange/2/orders/{order_id}")).json()["status"] == "COMPLETE"
    assert placed(luno) == 2
    await socket.close()


async def test_faults_are_aimed_at_operations_accounts_and_turns(
    luno: RunningTwin, http: httpx.AsyncClient
) -> None:
    luno.control.arm("refuse", "create", key="other")
    luno.control.arm("refuse", "create", key="key", skip=1, count=2)
    answers = [(await post(http)).status_code for _ in range(4)]
    assert answers == [200, 503, 503, 200]
    assert (await http.get("/1/balance")).status_code == 200


def test_chance_follows_the_seed() -> None:
    def struck(seed: str) -> list[bool]:
        faults = Faults(SeededRng(seed))
        faults.arm(Fault(FaultKind.REFUSE, chance=0.5, count=None))
        return [faults.take(Operation.CREATE, None) is not None for _ in range(200)]

    assert struck("a") == struck("a") != struck("b")
    assert 60 < sum(struck("a")) < 140


def test_a_fault_that_cannot_strike_is_refused() -> None:
    for kind, operation in (
        (FaultKind.GAP, Operation.CREATE),
        (FaultKind.STALE, Operation.CANCEL),
        (FaultKind.MISSING_PAGE, Operation.BALANCES),
        (FaultKind.REFUSE, Operation.MARKET_STREAM),
    ):
        with pytest.raises(InvalidInput, match="cannot strike"):
            Fault(kind, operation)


@pytest.mark.parametrize(
    ("name", "kind", "path", "status", "words"),
    [
        ("binance", "refuse", "/api/v3/time", 503, '"code":-1008'),
        ("binance", "server_error", "/api/v3/time", 500, '"code":-1001'),
        ("binance", "rate_limit", "/api/v3/time", 429, '"code":-1003'),
        ("binance", "ban", "/api/v3/time", 418, "IP banned until"),
        ("kucoin", "refuse", "/api/v1/timestamp", 200, '"code":"400200"'),
        ("kucoin", "server_error", "/api/v1/timestamp", 500, '"code":"500000"'),
        ("kucoin", "rate_limit", "/api/v1/timestamp", 429, '"code":"429000"'),
        ("kucoin", "ban", "/api/v1/timestamp", 429, "1015"),
        ("valr", "refuse", "/v1/public/time", 400, '"code":-32'),
        ("valr", "server_error", "/v1/public/time", 500, "Internal server error"),
        ("valr", "rate_limit", "/v1/public/time", 429, "<html>"),
        ("valr", "ban", "/v1/public/time", 429, "<html>"),
        ("ovex", "refuse", "/api/v2/markets", 503, '"error_code":"unavailable"'),
        ("ovex", "server_error", "/api/v2/markets", 500, '"error_code":"internal"'),
        ("ovex", "rate_limit", "/api/v2/markets", 429, '"error_code":"rate_limited"'),
        ("ovex", "ban", "/api/v2/markets", 429, '"error_code":"rate_limited"'),
    ],
)
async def test_each_exchange_fails_in_its_own_words(
    name: str, kind: str, path: str, status: int, words: str
) -> None:
    async with running_twin(name, accounts=[account()], turn_s=None) as twin, httpx.AsyncClient() as http:
        twin.control.arm(kind, seconds=5)
        answer = await http.get(twin.url + path)
        assert answer.status_code == status and words in answer.text
        assert (await http.get(twin.url + "/nothing/here")).status_code in (403, 404)


# -- streams -------------------------------------------------------------------------------------------


async def _stream(twin: RunningTwin) -> Any:
    socket = await websockets.connect(f"{twin.ws_url}/api/1/stream/{PAIR}")
    await socket.send(json.dumps({"api_key_id": "key", "api_key_secret": "key-secret"}))
    await socket.recv()  # the snapshot
    return socket


async def _sequences(socket: Any, count: int) -> list[int]:
    return [int(json.loads(await asyncio.wait_for(socket.recv(), 20))["sequence"]) for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("gap", [1, 3]), ("repeat", [1, 2, 2, 3]), ("reorder", [1, 3, 2])],
)
async def test_a_stream_loses_doubles_or_swaps_a_frame(luno: RunningTwin, kind: str, seen: list[int]) -> None:
    async with await _stream(luno) as socket:
        start = luno.twin.exchange.books[PAIR].sequence
        luno.control.arm(kind, "market_stream", skip=1)
        for _ in range(3):
            luno.control.crowd_takes(PAIR, "buy", D("0.001"))
        assert await _sequences(socket, len(seen)) == [start + offset for offset in seen]


async def test_a_silent_stream_stays_open_and_loses_its_frames() -> None:
    clock = HandClock()
    async with running_twin("luno", accounts=[account()], turn_s=None, clock=clock) as twin:
        twin.control.set_book(PAIR, BIDS, ASKS)
        async with await _stream(twin) as socket:
            start = twin.twin.exchange.books[PAIR].sequence
            twin.control.arm("silence", "market_stream", seconds=30)
            for _ in range(2):
                twin.control.crowd_takes(PAIR, "buy", D("0.001"))
            clock.advance(31)
            twin.control.crowd_takes(PAIR, "buy", D("0.001"))
            assert await _sequences(socket, 1) == [start + 3]


async def test_a_stream_is_closed_in_the_middle(luno: RunningTwin) -> None:
    socket = await _stream(luno)
    luno.control.arm("close", "market_stream")
    luno.control.crowd_takes(PAIR, "buy", D("0.001"))
    with pytest.raises(websockets.ConnectionClosed):
        await asyncio.wait_for(socket.recv(), 20)


# -- the exchange itself -------------------------------------------------------------------------------


@pytest.mark.parametrize("cancel_all", [False, True])
async def test_a_restart_breaks_everything_and_keeps_or_cancels_orders(cancel_all: bool) -> None:
    clock = HandClock()
    async with (
        running_twin("luno", accounts=[account()], turn_s=None, clock=clock) as twin,
        httpx.AsyncClient(base_url=f"{twin.url}/api", auth=("key", "key-secret")) as http,
    ):
        order_id = (await post(http)).json()["order_id"]
        socket = await _stream(twin)
        twin.control.restart(seconds=60, cancel_all=cancel_all)
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(socket.recv(), 20)
        with pytest.raises(httpx.TransportError):
            await http.get("/1/balance")
        with pytest.raises((websockets.InvalidHandshake, EOFError, ConnectionError)):
            await websockets.connect(f"{twin.ws_url}/api/1/userstream")
        clock.advance(61)
        status = (await http.get(f"/exchange/2/orders/{order_id}")).json()["status"]
        assert status == ("COMPLETE" if cancel_all else "PENDING")
