"""ccxt signs, by our clock, what our transport sends once."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from urllib.parse import parse_qs

import httpx
import pytest

from amarktai.domain.errors import Forbidden, InvalidInput
from amarktai.domain.instrument import Platform
from amarktai.domain.provider import Credentials
from amarktai.domain.signing import kucoin_headers
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.budget import Priority
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route, RoutedCall
from amarktai.venues.error_table import Absent
from amarktai.venues.exchanges.binance import VENUE as BINANCE
from amarktai.venues.exchanges.binance import account as binance
from amarktai.venues.exchanges.binance.errors import DIALECT as BINANCE_DIALECT
from amarktai.venues.exchanges.kucoin import VENUE as KUCOIN
from amarktai.venues.exchanges.kucoin import account as kucoin
from amarktai.venues.exchanges.luno import VENUE as LUNO
from amarktai.venues.exchanges.luno import account as luno
from amarktai.venues.exchanges.luno.errors import DIALECT
from amarktai.venues.spec import load_specs
from amarktai.venues.transport import Call
from tests.fakes import HandClock
from tests.venues.exchanges.answers import Answers

KEY = Credentials("key", "secret", "passphrase")


def routed(route: Route, params: dict[str, object], **more: int | bool) -> RoutedCall:
    call = RoutedCall(route.method, route.path, route=route, params=params)
    return replace(call, **more)  # type: ignore[arg-type]


def test_a_binance_call_is_signed_over_what_leaves_and_expires_with_its_deadline() -> None:
    clock = HandClock()
    signer = CcxtSigner(BINANCE, KEY, clock, binance.receive_window)
    deadline_ts = clock.now_ns() + 1_500_000_000
    signed = signer(routed(binance.ORDER, {"symbol": "BTCUSDT", "quantity": "0.1"}, deadline_ts=deadline_ts))
    text = signed.body.decode()
    query, _, signature = text.rpartition("&signature=")
    assert hmac.new(b"secret", query.encode(), hashlib.sha256).hexdigest() == signature
    sent = parse_qs(query)
    assert sent["timestamp"] == [str(clock.now_ns() // 1_000_000)]
    assert sent["recvWindow"] == ["1500"]
    assert signed.path == "/api/v3/order"
    assert signed.headers["X-MBX-APIKEY"] == "key"
    cancel = signer(routed(binance.CANCEL, {"symbol": "BTCUSDT", "origClientOrderId": "a"}))
    assert (cancel.method, cancel.body) == ("DELETE", b"")
    assert "recvWindow=5000" in cancel.path


def test_a_kucoin_call_is_signed_as_the_exchange_documents_it_and_names_no_partner() -> None:
    clock = HandClock()
    signer = CcxtSigner(KUCOIN, KEY, clock, kucoin.time_window)
    deadline_ts = clock.now_ns() + 60_000_000_000
    signed = signer(routed(kucoin.PLACE, {"symbol": "BTC-USDT"}, deadline_ts=deadline_ts))
    now_ms = clock.now_ns() // 1_000_000
    request = ("POST", "/api/v1/hf/orders/sync", signed.body.decode())
    expected = kucoin_headers(("key", "secret", "passphrase"), now_ms, request, version="2")
    assert expected.items() <= dict(signed.headers).items()
    assert not any("PARTNER" in name for name in signed.headers)
    assert f'"clientTimestamp":{now_ms},"allowMaxTimeWindow":5000' in signed.body.decode()
    found = signer(routed(kucoin.BY_CLIENT_ID, {"clientOid": "abc", "symbol": "BTC-USDT"}))
    assert found.path == "/api/v1/hf/orders/client-order/abc?symbol=BTC-USDT"


def test_a_luno_call_carries_the_key_and_a_time_to_live() -> None:
    clock = HandClock()
    signer = CcxtSigner(LUNO, KEY, clock, luno.time_to_live)
    deadline_ts = clock.now_ns() + 4_000_000_000
    signed = signer(routed(luno.POST_ORDER, {"pair": "XBTZAR"}, is_write=True, deadline_ts=deadline_ts))
    assert signed.headers["Authorization"] == "Basic " + b64encode(b"key:secret").decode()
    path, _, query = signed.path.partition("?")
    assert path == "/api/1/postorder"
    assert parse_qs(query)["ttl"] == ["4000"]
    assert parse_qs(query)["timestamp"] == [str(clock.now_ns() // 1_000_000)]
    assert signer(routed(luno.ORDER_V3, {"id": "B"})).path == "/api/exchange/3/order?id=B"
    assert signer(routed(luno.LIST_V2, {})).path == "/api/exchange/2/listorders"
    assert signer(routed(luno.BALANCE, {})).path == "/api/1/balance"


def test_calls_are_dated_by_the_exchanges_clock() -> None:
    clock = HandClock()
    signer = CcxtSigner(BINANCE, KEY, clock)
    signer.offset_ns = -2_000_000_000
    signed = signer(routed(binance.ACCOUNT, {}))
    assert f"timestamp={clock.now_ns() // 1_000_000 - 2_000}" in signed.path


def test_an_exchange_that_ccxt_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput):
        CcxtSigner(load_specs()[Platform.VALR], KEY, HandClock())


class TestCalls:
    @pytest.fixture
    def answers(self) -> Answers:
        return Answers()

    @pytest.fixture
    def calls(self, answers: Answers) -> CcxtCalls:
        signer = CcxtSigner(LUNO, KEY, answers.clock, luno.time_to_live)
        return CcxtCalls(answers.transport(Platform.LUNO, signer), DIALECT)

    async def test_a_read_returns_the_payload_or_says_what_was_refused(
        self, answers: Answers, calls: CcxtCalls
    ) -> None:
        answers.on("GET /api/1/balance", 200, {"balance": []})
        assert await calls.read(luno.BALANCE) == {"balance": []}
        answers.on("GET /api/1/balance", 401, {})
        with pytest.raises(Forbidden):
            await calls.read(luno.BALANCE)
        answers.on("GET /api/exchange/3/order", 404, {"error": "no", "error_code": "ErrOrderNotFound"})
        with pytest.raises(Absent):
            await calls.read(luno.ORDER_V3, {"id": "B"})

    @pytest.mark.parametrize("broken", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
    async def test_a_create_leaves_once_and_its_silence_is_no_answer(
        self, answers: Answers, calls: CcxtCalls, broken: type[httpx.HTTPError]
    ) -> None:
        answers.call("POST /api/1/postorder", broken)
        with pytest.raises(OutcomeUnknown):
            await calls.write(luno.POST_ORDER, {"pair": "XBTZAR"}, priority=Priority.ORDER)
        assert len(answers.requests) == 1

    async def test_a_create_past_its_deadline_does_not_leave(
        self, answers: Answers, calls: CcxtCalls
    ) -> None:
        past = answers.clock.now_ns() - 1
        with pytest.raises(VenueRejected) as refused:
            await calls.write(luno.POST_ORDER, {}, priority=Priority.ORDER, deadline_ts=past)
        assert refused.value.code == "DEADLINE_PASSED"
        assert answers.requests == []

    async def test_a_refused_cancel_is_words_and_not_an_error(
        self, answers: Answers, calls: CcxtCalls
    ) -> None:
        answers.on("POST /api/1/stoporder", 200, {"success": True})
        assert await calls.cancel(luno.STOP_ORDER, {"order_id": "B"}) == ""
        answers.on(
            "POST /api/1/stoporder",
            400,
            {"error": "gone", "error_code": "ErrCannotStopUnknownOrNonPendingOrder"},
        )
        assert "gone" in await calls.cancel(luno.STOP_ORDER, {"order_id": "B"})

    async def test_every_call_costs_its_weight(self, answers: Answers) -> None:
        signer = CcxtSigner(BINANCE, KEY, answers.clock)
        calls = CcxtCalls(answers.transport(Platform.BINANCE, signer), BINANCE_DIALECT)
        answers.on("GET /api/v3/openOrders", 200, [])
        full = answers.budget.wait_ns(Priority.EXIT, 16_666)
        await calls.read(binance.OPEN_ORDERS)
        assert full == 0
        assert answers.budget.wait_ns(Priority.EXIT, 16_666 - 80) == 0
        assert answers.budget.wait_ns(Priority.EXIT, 16_666) > 0


def test_calls_show_no_secret() -> None:
    assert "secret" not in repr(Call("GET", "/")) + repr(KEY)
