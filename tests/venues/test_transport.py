"""The one HTTP transport: what leaves, how often, and what its silence and its answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Platform
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.transport import BAN_S, Call, Transport, decoding, exact
from tests.fakes import HandClock

READ = Call("GET", "/v1/orders?limit=1")
WRITE = Call("POST", "/v2/orders", {"X-Key": "k"}, b'{"price":"1.10"}', is_write=True)


class Exchange:
    """Answers as it is told, and keeps every request that reached it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)


def answering(status: int, body: bytes = b"", **headers: str) -> Exchange:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(lambda _: httpx.Response(status, content=body, headers=sent))


def failing(error: type[httpx.HTTPError]) -> Exchange:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("secret-key in the foreign error")

    return Exchange(fail)


class Desk:
    """A transport to one exchange, on a clock that is moved by hand."""

    def __init__(self, exchange: Exchange, clock: HandClock | None = None, **options: Any) -> None:
        self.exchange = exchange
        self.clock = clock or HandClock()
        self.budget = RequestBudget("valr", 60, self.clock)
        client = httpx.AsyncClient(transport=httpx.MockTransport(exchange))
        self.transport = Transport(
            Platform.VALR, "https://exchange/api/", self.budget, self.clock, client=client, **options
        )


async def test_what_leaves_is_exactly_the_call() -> None:
    desk = Desk(answering(201, b'{"id":"7"}'))
    answer = await desk.transport.send(WRITE)
    (request,) = desk.exchange.requests
    assert str(request.url) == "https://exchange/api/v2/orders"
    assert (request.method, request.content, request.headers["X-Key"]) == ("POST", WRITE.body, "k")
    assert answer.is_success
    assert answer.body == {"id": "7"}


async def test_numbers_stay_as_they_were_written() -> None:
    answer = await Desk(answering(200, b'{"fee":0.10,"id":1368928567986638852}')).transport.send(READ)
    assert str(answer.body["fee"]) == "0.10"
    assert answer.body["id"] == 1368928567986638852


async def test_an_empty_answer_is_none() -> None:
    answer = await Desk(answering(202, b" \n")).transport.send(WRITE)
    assert answer.body is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refusal_of_the_exchange_is_returned_for_the_adapter_to_judge(status: int) -> None:
    answer = await Desk(answering(status, b'{"code":-6}')).transport.send(WRITE)
    assert (answer.status, answer.is_success, answer.body) == (status, False, {"code": -6})


SILENCES = {
    "timeout": failing(httpx.ReadTimeout),
    "reset": failing(httpx.ReadError),
    "no connection": failing(httpx.ConnectError),
    "half an answer": failing(httpx.RemoteProtocolError),
    "server error": answering(500, b'{"code":-6}'),
    "bad gateway": answering(502, b"<html>"),
    "redirect": answering(302, b"", Location="https://elsewhere/"),
    "unreadable": answering(200, b"<html>maintenance</html>"),
    "not text": answering(200, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("exchange", SILENCES.values(), ids=SILENCES)
async def test_silence_after_a_write_is_an_unknown_outcome_and_nothing_is_sent_again(
    exchange: Exchange,
) -> None:
    exchange.requests.clear()
    with pytest.raises(OutcomeUnknown) as unknown:
        await Desk(exchange).transport.send(WRITE)
    assert len(exchange.requests) == 1
    assert unknown.value.detail.startswith("VALR ")
    assert "secret" not in f"{unknown.value} {unknown.value.__cause__}"


@pytest.mark.parametrize("exchange", SILENCES.values(), ids=SILENCES)
async def test_silence_after_a_read_is_unavailable(exchange: Exchange) -> None:
    exchange.requests.clear()
    with pytest.raises(Unavailable):
        await Desk(exchange).transport.send(READ)
    assert len(exchange.requests) == 1


@pytest.mark.parametrize(
    ("exchange", "seconds"),
    [
        (answering(429, b"{}", Retry_After="7"), 7.0),
        (answering(418, b"{}"), BAN_S),
        (answering(429, b"<html>slow down</html>"), BAN_S),
    ],
    ids=["told how long", "banned", "an HTML page"],
)
async def test_a_ban_is_obeyed(exchange: Exchange, seconds: float) -> None:
    desk = Desk(exchange)
    answer = await desk.transport.send(READ)
    assert answer.status in (418, 429)
    assert desk.budget.banned_until_ts == desk.clock.now_ns() + round(seconds * NS_PER_S)


async def test_an_exchange_may_tell_its_limit_in_its_own_way() -> None:
    def is_limited(answer: httpx.Response) -> bool:
        return "x-valr-ratelimited" in answer.headers

    desk = Desk(answering(400, b"{}", x_valr_ratelimited="true"), is_limited=is_limited)
    await desk.transport.send(READ)
    assert desk.budget.banned_until_ts is not None


async def test_a_call_is_signed_once_there_is_room_for_it() -> None:
    clock = HandClock()

    def sign(call: Call) -> Call:
        return replace(call, headers={"X-Time": str(clock.now_ns())})

    desk = Desk(answering(200, b"{}"), clock, sign=sign)
    desk.budget.ban(5)
    waiting = asyncio.create_task(desk.transport.send(READ))
    for _ in range(5):
        await asyncio.sleep(0.005)
        assert not desk.exchange.requests
        desk.clock.advance(1)
    for _ in range(10):
        desk.clock.advance(1)
        await asyncio.sleep(0.005)
    await waiting
    sent_ts = int(desk.exchange.requests[0].headers["X-Time"])
    assert sent_ts >= HandClock().now_ns() + 5 * NS_PER_S


async def test_what_cannot_leave_before_its_deadline_does_not_leave() -> None:
    desk = Desk(answering(201, b"{}"))
    desk.budget.ban(30)
    late = replace(WRITE, deadline_ts=desk.clock.now_ns() + 10 * NS_PER_S)
    with pytest.raises(VenueRejected) as refused:
        await desk.transport.send(late)
    assert refused.value.code == "DEADLINE_PASSED"
    assert not desk.exchange.requests


async def test_a_deadline_that_passes_in_the_queue_counts() -> None:
    desk = Desk(answering(201, b"{}"))
    for _ in range(10):
        desk.budget.take_now(Priority.EXIT)
    urgent = replace(
        WRITE, priority=Priority.EXIT, weight=3.0, deadline_ts=desk.clock.now_ns() + 4 * NS_PER_S
    )
    waiting = asyncio.create_task(desk.transport.send(urgent))
    await asyncio.sleep(0.005)
    desk.clock.advance(60)
    with pytest.raises(VenueRejected):
        await waiting
    assert not desk.exchange.requests


async def test_a_call_in_time_leaves() -> None:
    desk = Desk(answering(201, b"{}"))
    await desk.transport.send(replace(WRITE, deadline_ts=desk.clock.now_ns() + 1))
    assert len(desk.exchange.requests) == 1


async def test_every_call_takes_its_weight_from_the_budget() -> None:
    desk = Desk(answering(200, b"{}"))
    await desk.transport.send(replace(READ, weight=6.0))
    assert desk.budget.wait_ns(Priority.EXIT, 4.0) == 0
    assert desk.budget.wait_ns(Priority.EXIT, 5.0) > 0


@pytest.mark.parametrize(("is_write", "error"), [(False, Unavailable), (True, OutcomeUnknown)])
@pytest.mark.parametrize("body", [{}, None, [], {"price": "ten"}, {"price": 1.5}, {"price": "NaN"}])
def test_a_body_of_another_form_is_no_answer(body: Any, is_write: bool, error: type[Exception]) -> None:
    with pytest.raises(error), decoding(Platform.VALR, is_write=is_write):
        exact(body["price"])


def test_exact_numbers_keep_their_digits() -> None:
    assert str(exact("0.100")) == "0.100"
    assert exact(7) == Decimal(7)


@pytest.mark.parametrize(("priority", "may_wait"), [(Priority.ORDER, False), (Priority.EXIT, True)])
async def test_only_what_lowers_risk_may_wait_longer_than_an_emergency_stop_takes(
    priority: Priority, may_wait: bool
) -> None:
    desk = Desk(answering(201, b"{}"))
    call = replace(WRITE, priority=priority, deadline_ts=desk.clock.now_ns() + 5_000_000_000)
    for _ in range(10):  # the budget's burst
        desk.budget.take_now(Priority.EXIT)
    sending = asyncio.ensure_future(desk.transport.send(call))
    for _ in range(20):
        await asyncio.sleep(0)
        desk.clock.advance(0.2)
    if may_wait:
        assert (await sending).is_success
    else:
        with pytest.raises(VenueRejected, match="could not leave"):
            await sending
        assert desk.exchange.requests == []
