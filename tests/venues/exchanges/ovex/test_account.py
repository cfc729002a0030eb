"""OVEX's account: one quote, one acceptance, and only the trades tell what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.domain.signing import bearer_headers
from amarktai.ports.exchange import (
    BalanceChanged,
    FillReported,
    OrderChanged,
    OrderTerms,
    Recall,
    StreamGap,
    recall_nothing,
)
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.account import AccountParts
from amarktai.venues.exchanges.ovex import VENUE
from amarktai.venues.exchanges.ovex.account import OvexAccount
from amarktai.venues.exchanges.ovex.calls import OvexCalls
from tests.fakes import SeededIds, SeededRng
from tests.venues.exchanges.ovex.desk import Desk
from tests.venues.exchanges.ovex.test_quotes import BUY

ACCEPT = "POST /api/v2/rfq/accept_quote"


def open_at(desk: Desk, recall: Recall = recall_nothing) -> OvexAccount:
    transport = desk.transport(
        VENUE.platform, lambda call: replace(call, headers=bearer_headers("secret-key"))
    )
    parts = AccountParts("me", VENUE.instruments, (), desk.clock, SeededRng(), desk.budget)
    return OvexAccount(OvexCalls(transport), parts, recall)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def account(desk: Desk) -> OvexAccount:
    return open_at(desk)


def request(desk: Desk, side: Side = Side.BUY, seed: str = "a") -> OrderRequest:
    now = desk.clock.now_ns()
    return OrderRequest(
        order_id=SeededIds(desk.clock, seed).new(), instrument_id="ovex:BTC/ZAR", side=side,
        type=OrderType.MARKET, quantity=Decimal("0.00123"), price=None, stop_price=None, post_only=False,
        reduce_only=False, oco_group=None, sent_ts=now, deadline_ts=now + 10_000_000_000,
    )  # fmt: skip


@pytest.mark.parametrize("side", Side)
async def test_a_market_order_is_a_quote_that_is_accepted_once(
    desk: Desk, account: OvexAccount, side: Side
) -> None:
    order = request(desk, side)
    report = await account.create_order(order)
    assert (report.status, report.filled_quantity) == (VenueStatus.FILLED, order.quantity)
    (fill,) = report.fills
    assert fill.price == (desk.ask if side is Side.BUY else desk.bid)
    assert (fill.quantity, fill.fee_asset) == (order.quantity, "ZAR")
    assert desk.accepts == 1
    (sent,) = desk.sent(ACCEPT)
    assert sent.headers["authorization"] == "Bearer secret-key"
    asked = [item.url.params for item in desk.sent("GET /api/v2/rfq/get_quote")]
    for params in asked:
        assert params["to_amount" if params["side"] == "buy" else "from_amount"] == "0.00123"
    assert await account.fetch_open_orders() == ()


@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.STOP_MARKET])
async def test_nothing_can_rest(desk: Desk, account: OvexAccount, kind: OrderType) -> None:
    order = replace(request(desk), type=kind, price=Decimal(1_000_000), stop_price=Decimal(1_000_000))
    with pytest.raises(VenueRejected):
        await account.create_order(order)
    assert not desk.requests


def no_token(desk: Desk) -> None:
    desk.has_tokens = False


def far_apart(desk: Desk) -> None:
    desk.bid = Decimal(1_900_000)


def another_amount(desk: Desk) -> None:
    def quote(asked: httpx.Request) -> tuple[int, Any]:
        _, row = Desk.quote(desk, asked)
        key = "to_amount" if row["side"] == "buy" else "from_amount"
        return 200, row | {key: "0.00124"}

    desk.call("GET /api/v2/rfq/get_quote", quote)


def expired(desk: Desk) -> None:
    def quote(asked: httpx.Request) -> tuple[int, Any]:
        _, row = Desk.quote(desk, asked)
        return 200, row | {"expires_at": desk.now_s}

    desk.call("GET /api/v2/rfq/get_quote", quote)


def another_market(desk: Desk) -> None:
    desk.on("GET /api/v2/rfq/get_quote", 200, BUY | {"market": "ethzar", "to_currency": "eth"})


def same_token(desk: Desk) -> None:
    def quote(asked: httpx.Request) -> tuple[int, Any]:
        _, row = Desk.quote(desk, asked)
        return 200, row | {"quote_token": "used"}

    desk.call("GET /api/v2/rfq/get_quote", quote)


def silent(desk: Desk) -> None:
    desk.call("GET /api/v2/rfq/get_quote", httpx.ReadTimeout)


def refusing(desk: Desk) -> None:
    desk.on("GET /api/v2/rfq/get_quote", 422, {"errors": ["amount too small"]})


@pytest.mark.parametrize(
    "spoil", [no_token, far_apart, another_amount, expired, another_market, silent, refusing]
)
async def test_a_quote_that_is_not_what_was_asked_is_not_accepted(
    desk: Desk, account: OvexAccount, spoil: Any
) -> None:
    spoil(desk)
    with pytest.raises(VenueRejected) as refused:
        await account.create_order(request(desk))
    assert refused.value.detail
    assert desk.accepts == 0


async def test_a_token_is_accepted_once_whatever_the_desk_says(desk: Desk, account: OvexAccount) -> None:
    same_token(desk)
    desk.on(ACCEPT, 200, {})
    await account.create_order(request(desk))
    with pytest.raises(VenueRejected, match="accepted before"):
        await account.create_order(request(desk, seed="b"))
    assert len(desk.sent(ACCEPT)) == 1


async def test_after_its_deadline_nothing_is_asked(desk: Desk, account: OvexAccount) -> None:
    order = request(desk)
    desk.clock.advance(11)
    with pytest.raises(VenueRejected) as refused:
        await account.create_order(order)
    assert refused.value.code == "DEADLINE_PASSED"
    assert not desk.requests


@pytest.mark.parametrize(
    "reply", [httpx.ReadTimeout, httpx.ReadError, (500, {}), (422, {"errors": ["x"]}), (400, {"error": "x"})]
)
async def test_an_acceptance_without_a_clear_answer_is_unknown(
    desk: Desk, account: OvexAccount, reply: Any
) -> None:
    desk.call(ACCEPT, reply)
    order = request(desk)
    with pytest.raises(OutcomeUnknown):
        await account.create_order(order)
    assert len(desk.sent(ACCEPT)) == 1
    assert await account.fetch_order(order.order_id, order.instrument_id) is None


async def test_an_acceptance_whose_answer_was_lost_is_found_in_the_trades(
    desk: Desk, account: OvexAccount
) -> None:
    def lost(asked: httpx.Request) -> tuple[int, Any]:
        desk.accept(asked)
        raise httpx.ReadTimeout("lost")

    desk.call(ACCEPT, lost)
    order = request(desk)
    with pytest.raises(OutcomeUnknown):
        await account.create_order(order)
    found = await account.fetch_order(order.order_id, order.instrument_id)
    assert found is not None
    assert (found.status, found.filled_quantity) == (VenueStatus.FILLED, order.quantity)
    canceled = await account.cancel_order(order.order_id, order.instrument_id)
    assert canceled.status is VenueStatus.FILLED


async def test_a_refused_key_accepted_nothing(desk: Desk, account: OvexAccount) -> None:
    desk.on(ACCEPT, 403, {"error": {"code": 2004, "message": "invalid key"}})
    with pytest.raises(VenueRejected, match="invalid key"):
        await account.create_order(request(desk))


async def test_an_accepted_quote_whose_trade_is_not_listed_yet_is_open(
    desk: Desk, account: OvexAccount
) -> None:
    desk.on(ACCEPT, 200, {})
    order = request(desk)
    report = await account.create_order(order)
    assert (report.status, report.filled_quantity) == (VenueStatus.OPEN, ZERO)
    desk.add(next(row for row in desk.open.values() if row["quote_token"] == report.venue_order_id))
    found = await account.fetch_order(order.order_id, order.instrument_id)
    assert found is not None
    assert found.venue_order_id == report.venue_order_id


# -- without tokens in the list --------------------------------------------------------------------------


async def test_without_tokens_a_trade_is_known_by_its_exact_terms(desk: Desk, account: OvexAccount) -> None:
    desk.lists_tokens = False
    order = request(desk)
    report = await account.create_order(order)
    assert report.status is VenueStatus.FILLED


async def test_two_trades_that_fit_leave_it_unknown(desk: Desk, account: OvexAccount) -> None:
    desk.lists_tokens = False
    desk.on(ACCEPT, 200, {})
    order = request(desk)
    await account.create_order(order)
    row = next(row for row in desk.open.values() if row["side"] == "buy")
    desk.add(row)
    desk.add(row)
    with pytest.raises(OutcomeUnknown, match="2 trades"):
        await account.fetch_order(order.order_id, order.instrument_id)


async def test_a_trade_that_is_another_orders_is_not_taken_twice(desk: Desk, account: OvexAccount) -> None:
    desk.lists_tokens = False
    first, second = request(desk, seed="a"), request(desk, seed="b")
    await account.create_order(first)
    desk.call(ACCEPT, httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown):
        await account.create_order(second)
    assert await account.fetch_order(second.order_id, second.instrument_id) is None


async def test_an_order_of_an_earlier_process_is_recalled_or_stays_unknown(desk: Desk) -> None:
    order = request(desk)
    await open_at(desk).create_order(order)
    with pytest.raises(OutcomeUnknown):
        await open_at(desk).fetch_order(order.order_id, order.instrument_id)

    async def recall(order_id: UUID) -> OrderTerms | None:
        return OrderTerms(order.side, order.quantity) if order_id == order.order_id else None

    found = await open_at(desk, recall).fetch_order(order.order_id, order.instrument_id)
    assert found is not None
    never = request(desk, seed="never")
    later = open_at(desk, recall)
    desk.clock.advance(3_600)
    assert await later.fetch_order(SeededIds(desk.clock).new(), never.instrument_id) is None


async def test_a_recalled_name_finds_its_trade_among_its_likes(desk: Desk) -> None:
    desk.lists_tokens = False
    first, second = request(desk, seed="a"), request(desk, seed="b")
    before = open_at(desk)
    names = {}
    for order in (first, second):
        names[order.order_id] = (await before.create_order(order)).venue_order_id

    async def recall(order_id: UUID) -> OrderTerms | None:
        return OrderTerms(first.side, first.quantity, names[order_id])

    later = open_at(desk, recall)
    for order in (second, first):
        found = await later.fetch_order(order.order_id, order.instrument_id)
        assert found is not None and found.venue_order_id == names[order.order_id]
    assert len(set(names.values())) == 2


async def test_a_desk_that_cannot_be_asked_proves_nothing(desk: Desk, account: OvexAccount) -> None:
    desk.call("GET /api/v2/rfq/trades", httpx.ReadTimeout)
    order = request(desk)
    with pytest.raises(OutcomeUnknown):
        await account.fetch_order(order.order_id, order.instrument_id)
    with pytest.raises(OutcomeUnknown):
        await account.cancel_order(order.order_id, order.instrument_id)


async def test_a_quote_that_costs_more_than_is_reserved_is_not_accepted(
    desk: Desk, account: OvexAccount
) -> None:
    order = request(desk)
    cost = desk.ask * order.quantity
    with pytest.raises(VenueRejected, match="more than is reserved"):
        await account.create_order(replace(order, budget=cost - Decimal("0.00000001")))
    assert desk.accepts == 0
    await account.create_order(replace(order, budget=cost))
    assert desk.accepts == 1


# -- records and money -----------------------------------------------------------------------------------


async def test_trades_are_complete_over_many_pages(desk: Desk, account: OvexAccount) -> None:
    since_ts = desk.clock.now_ns()
    for _ in range(130):
        desk.clock.advance(1)
        desk.add(BUY | {"quote_token": f"t{len(desk.trades)}"})
    fills = await account.fetch_fills_since(since_ts)
    assert [fill.venue_trade_id for fill in fills] == [str(1_000 + number) for number in range(130)]
    records = await account.fetch_records_since(since_ts + 65_000_000_000)
    assert len(records) == 66
    assert (await account.fetch_record("t3", "ovex:BTC/ZAR")) is not None
    assert (await account.fetch_record("1003", "ovex:BTC/ZAR")) is not None
    assert (await account.fetch_record("none", "ovex:BTC/ZAR")) is None


async def test_a_list_that_does_not_end_is_an_error(desk: Desk, account: OvexAccount) -> None:
    page = [BUY | {"id": number, "created_at": desk.now_s} for number in range(50)]
    desk.on("GET /api/v2/rfq/trades", 200, page)
    with pytest.raises(Unavailable):
        await account.fetch_fills_since(0)


async def test_a_row_of_an_unknown_form_is_an_error_and_no_trade_less(
    desk: Desk, account: OvexAccount
) -> None:
    desk.on("GET /api/v2/rfq/trades", 200, [BUY | {"id": 1}, {"id": 2, "price": "1"}])
    with pytest.raises(Unavailable, match="unknown form"):
        await account.fetch_fills_since(0)


async def test_balances_and_fees(desk: Desk, account: OvexAccount) -> None:
    rows = [
        {"currency": "zar", "balance": "100.50", "locked": "9.5"},
        {"currency": "eth", "balance": "0.0", "locked": "0.0"},
    ]
    desk.on("GET /api/v2/accounts", 200, rows)
    balances = await account.fetch_balances()
    assert set(balances) == {"ZAR"}
    assert (balances["ZAR"].total, balances["ZAR"].reserved) == (Decimal("110"), Decimal("9.5"))
    fees = await account.fetch_fees(VENUE.instruments[0])
    assert (fees.maker, fees.taker) == (ZERO, ZERO)
    desk.on("GET /api/v2/accounts", 401, {"error": "no"})
    with pytest.raises(Forbidden):
        await account.fetch_balances()


async def test_what_differs_from_look_to_look_is_told(desk: Desk, account: OvexAccount) -> None:
    desk.on("GET /api/v2/accounts", 200, [{"currency": "zar", "balance": "100", "locked": "0"}])
    events = account.events()
    assert isinstance(await anext(events), StreamGap)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.01)
    desk.add(BUY | {"quote_token": "t"})
    desk.on("GET /api/v2/accounts", 200, [{"currency": "zar", "balance": "99", "locked": "0"}])
    desk.clock.advance(5)
    changed = await asyncio.wait_for(waiting, 10)
    assert isinstance(changed, OrderChanged)
    assert changed.venue_order_id == "t"
    filled, balance = await anext(events), await anext(events)
    assert isinstance(filled, FillReported)
    assert isinstance(balance, BalanceChanged)
    assert (balance.asset, balance.total) == ("ZAR", Decimal(99))
    desk.call("GET /api/v2/accounts", httpx.ReadTimeout)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.01)
    desk.clock.advance(5)
    assert isinstance(await asyncio.wait_for(waiting, 10), StreamGap)
    await account.close()
