"""Real accounts: no new risk before one complete look agrees with the books, and nothing is ever adopted,
invented or lost (O5, O8, O14, O18)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from amarktai.domain.bot import BotAction, TradingMode
from amarktai.domain.errors import Conflict, InvalidInput, NotFound
from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderIntent, OrderState, OrderType, Side
from amarktai.ports.exchange import ClientIdScope, StreamGap
from amarktai.ports.live_accounts import Cause, Condition, WorkingKey
from amarktai.ports.venue import OrderReport
from amarktai.storage.embedded import DatabaseUrls
from tests.hand_exchange import HandExchange, changed
from tests.services.engine_desk import bot_service
from tests.services.live_desk import CAPITAL, LOT, SPARE, LiveDesk, live_desk
from tests.trading import BTC_ZAR, user_id_of

D = Decimal


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[LiveDesk]:
    async with live_desk(database_urls) as desk:
        yield desk
        assert all(count == 1 for count in desk.exchange.created.values()), "sent once (O2)"
        await desk.assert_books_are_right()


async def test_the_first_look_takes_over_what_lies_beside_the_bots(desk: LiveDesk) -> None:
    assert desk.condition == Condition.RECONCILING
    assert await desk.reconcile()
    assert desk.condition == Condition.ACTIVE and desk.account.status.opened_at is not None
    assert await desk.beside() == {"ZAR": SPARE}
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        (row,) = await unit.live_accounts.tie_outs(Platform.LUNO, 1)
        saved = (await unit.live_accounts.statuses())[Platform.LUNO]
    assert (row.asset, row.venue_total, row.ledger_total, row.difference) == (
        "ZAR",
        D(150_000),
        D(150_000),
        D(0),
    )
    assert saved == desk.account.status


async def test_an_account_that_another_program_trades_on_all_day_is_reconciled(desk: LiveDesk) -> None:
    desk.exchange.pay("BTC", D(10))
    await desk.reconcile()
    for _ in range(3_000):
        desk.exchange.trade_by_hand(BTC_ZAR, Side.BUY, LOT)
        desk.exchange.trade_by_hand(BTC_ZAR, Side.SELL, LOT)
    desk.exchange.pay("ZAR", D(100_000))  # what the fees have cost beside the bot's capital, and more
    assert await desk.reconcile()
    (paid_in,) = await desk.differences()
    assert (paid_in.asset, paid_in.amount) == ("ZAR", D(100_000))
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        assert len(await unit.live_accounts.external_orders(10_000)) == 6_000


async def test_the_executions_of_an_outage_are_booked_a_part_at_a_time(desk: LiveDesk) -> None:
    await desk.reconcile()
    for _ in range(3):
        await desk.buy(price=D(900_000))
    await desk.hear()
    for name in list(desk.exchange.orders):
        for _ in range(200):
            desk.exchange.fill(name, LOT / 200)
    parts: list[list[int]] = []

    async def book(user_id: UUID, reports: Sequence[OrderReport]) -> None:
        parts.append([len(report.fills) for report in reports])
        await desk.book(user_id, reports)

    assert await desk.account.reconcile(book)
    assert parts == [[200, 200], [200]], "whole orders, some hundred executions in one transaction"
    assert [order.state for order in await desk.stored()] == [OrderState.FILLED] * 3


async def test_nothing_is_bought_before_the_account_was_reconciled(desk: LiveDesk) -> None:
    outcome = await desk.buy()
    assert (
        "ACCOUNT_NOT_ACTIVE" in outcome.denied[desk.bot.id] and "just started" in outcome.denied[desk.bot.id]
    )
    await desk.reconcile()
    await desk.buy()
    await desk.hear()
    assert [order.state for order in await desk.stored()] == [OrderState.DENIED, OrderState.FILLED]


@pytest.mark.parametrize("what", ["fills", "balances", "open records", "records", "order"])
async def test_a_look_that_is_not_complete_opens_nothing(desk: LiveDesk, what: str) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    desk.exchange.orders.clear()  # a look at the resting order itself is needed too
    desk.exchange.silent.add(what)
    await desk.account.distrust("a test")
    assert not await desk.reconcile()
    assert desk.condition == Condition.DEGRADED and "cannot be trusted" in desk.account.status.detail
    outcome = await desk.buy()
    assert "ACCOUNT_NOT_ACTIVE" in outcome.denied[desk.bot.id]


async def test_an_execution_that_nobody_told_of_is_found_and_booked_once(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    (order,) = await desk.stored()
    desk.exchange.fill(desk.exchange.order_of(order.id).venue_order_id, LOT)
    for _ in range(3):
        assert await desk.reconcile()
    (order,) = await desk.stored()
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, LOT)
    assert desk.condition == Condition.ACTIVE and await desk.differences() == []


async def test_what_the_stream_tells_is_read_from_the_records_and_booked(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    (order,) = await desk.stored()
    record = desk.exchange.order_of(order.id)
    desk.world.clock.advance(2)
    desk.exchange.fill(record.venue_order_id, LOT)
    desk.exchange.tell(changed(record))
    await desk.hear()
    assert (await desk.stored())[0].state is OrderState.FILLED


async def test_news_of_an_order_that_has_just_been_answered_waits_for_its_booking(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    (order,) = await desk.stored()
    record = desk.exchange.order_of(order.id)
    desk.exchange.tell(changed(record))  # as the answer has said
    desk.exchange.fill(record.venue_order_id, LOT)
    desk.exchange.tell(changed(record))
    await desk.hear()
    assert (await desk.stored())[0].state is OrderState.OPEN
    for _ in range(500):
        desk.world.clock.advance(0.1)
        await desk.hear()
        if (await desk.stored())[0].state is OrderState.FILLED:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody looked at it")


async def test_what_the_books_know_costs_no_request(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy()
    await desk.hear()
    (order,) = await desk.stored()
    assert order.state is OrderState.FILLED
    desk.world.clock.advance(2)
    looks = desk.exchange.looks
    desk.exchange.tell(changed(desk.exchange.order_of(order.id)))
    await desk.hear()
    assert desk.exchange.looks == looks


async def test_a_lost_answer_is_looked_up_and_never_sent_again(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.is_deaf = True
    await desk.buy()
    await desk.hear()
    assert [order.state for order in await desk.stored()] == [OrderState.UNKNOWN]
    assert await desk.reconcile()
    assert [order.state for order in await desk.stored()] == [OrderState.FILLED]
    assert desk.condition == Condition.ACTIVE


async def test_an_order_that_never_arrived_ends_after_two_complete_absences(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.silent.add("create")
    await desk.buy()
    await desk.hear()
    for seconds, state in ((1, "unknown"), (20, "unknown"), (1, "unknown"), (5, "not_placed")):
        desk.world.clock.advance(seconds)
        await desk.orders.reconcile(desk.who.user_id)
        await desk.hear()
        assert [order.state for order in await desk.stored()] == [state], seconds


async def test_a_cancel_of_an_order_on_its_way_is_made_up_for(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    (order,) = await desk.stored()
    assert order.state is OrderState.SENDING
    await desk.orders.cancel(desk.who.user_id, [order.id])
    await desk.hear()
    assert (await desk.stored())[0].state is OrderState.CANCELED


async def test_a_gap_holds_the_account_back_until_the_next_complete_look(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.tell(StreamGap("the connection broke"))
    await desk.hear()
    assert desk.condition == Condition.RECONCILING
    assert "the connection broke" in (await desk.buy()).denied[desk.bot.id]
    await desk.round()
    assert desk.condition == Condition.ACTIVE


async def test_exits_leave_whatever_the_account_is(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy()
    await desk.hear()
    await desk.account.distrust("a test")
    held = (await desk.orders.accounts(desk.who.user_id, [desk.bot.id]))[desk.bot.id].quantity
    outcome = await desk.submit(Side.SELL, held)
    await desk.hear()
    assert not outcome.denied
    assert (await desk.stored())[-1].state is OrderState.FILLED


async def test_a_trade_by_hand_is_known_and_not_adopted(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.world.clock.advance(1)
    desk.exchange.trade_by_hand(BTC_ZAR, Side.BUY, D("0.02"))
    resting = desk.exchange.rest_by_hand(BTC_ZAR, Side.SELL, D("0.01"), D(2_000_000))
    assert await desk.reconcile()
    assert desk.condition == Condition.ACTIVE, "it is explained by the exchange's own record"
    assert await desk.beside() == {"ZAR": SPARE - 20_000, "BTC": D("0.01998")}
    assert await desk.stored() == []
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        external = {
            row["venue_order_id"]: row["status"] for row in await unit.live_accounts.external_orders(9)
        }
    assert external == {"v1": "filled", resting.venue_order_id: "open"}
    assert await desk.reconcile() and await desk.differences() == []


@pytest.mark.parametrize("amount", [D("0.00000001"), D("-0.00000001"), D(500), D("-500")])
async def test_the_smallest_difference_has_a_name_and_stops_new_risk(desk: LiveDesk, amount: Decimal) -> None:
    await desk.reconcile()
    desk.exchange.pay("ZAR", amount)
    await desk.round(61)
    (difference,) = await desk.differences()
    assert (difference.asset, difference.amount, difference.cause) == ("ZAR", amount, None)
    assert desk.condition == Condition.UNEXPLAINED
    assert "differs from the books" in (await desk.buy()).denied[desk.bot.id]
    assert await desk.alerts() == ["account_differs"]
    await desk.round(61)
    assert len(await desk.differences()) == 1, "it is booked once"
    cause = Cause.DEPOSIT if amount > 0 else Cause.WITHDRAWAL
    await desk.explain.explain(desk.who, difference.id, cause, "")
    await desk.round()
    await desk.round(2)
    assert desk.condition == Condition.ACTIVE
    assert await desk.beside() == {"ZAR": SPARE + amount}


async def test_what_cannot_have_been_is_no_explanation(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.pay("ZAR", D(500))
    await desk.reconcile()
    (difference,) = await desk.differences()
    for cause, note in ((Cause.WITHDRAWAL, ""), (Cause.FEE, ""), (Cause.OTHER, "  ")):
        with pytest.raises(InvalidInput):
            await desk.explain.explain(desk.who, difference.id, cause, note)
    with pytest.raises(NotFound):
        await desk.explain.explain(desk.who, user_id_of(99), Cause.DEPOSIT, "")
    view = await desk.explain.explain(desk.who, difference.id, Cause.OTHER, "found it")
    assert (view["cause"], view["note"], view["amount"]) == ("other", "found it", "500.00000000")
    with pytest.raises(Conflict, match="explained"):
        await desk.explain.explain(desk.who, difference.id, Cause.DEPOSIT, "")


async def test_bots_that_have_more_than_the_account_are_held_back(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.world.clock.advance(1)
    desk.exchange.trade_by_hand(BTC_ZAR, Side.BUY, D("0.06"))
    await desk.reconcile()
    assert desk.condition == Condition.UNEXPLAINED
    assert "10000 ZAR more by the books" in desk.account.status.detail


async def test_an_exchange_with_another_clock_is_not_traded_on(desk: LiveDesk) -> None:
    for offset, condition in ((3_000_000_000, Condition.DEGRADED), (-2_000_000_000, Condition.ACTIVE)):
        desk.opener.offset_ns = offset
        await desk.reconcile()
        assert desk.condition == condition
    desk.opener.offset_ns = -2_000_000_001
    await desk.reconcile()
    assert "-2.0 s apart" in desk.account.status.detail


async def test_an_account_that_trades_all_the_while_is_compared_when_it_rests(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.rest_by_hand(BTC_ZAR, Side.BUY, D(1), D(1))
    desk.exchange.trades_while_read = 99
    assert not await desk.reconcile()
    assert "no one moment" in desk.account.status.detail
    desk.exchange.trades_while_read = 2
    assert await desk.reconcile() and desk.condition == Condition.ACTIVE


async def test_rounding_is_known_to_the_last_place(desk: LiveDesk) -> None:
    await desk.reconcile()
    desk.exchange.price = D("1000000.123456789")
    await desk.buy(D("0.01234567"))
    await desk.hear()
    assert await desk.reconcile() and desk.condition == Condition.ACTIVE
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        rows = {row.asset: row for row in await unit.live_accounts.tie_outs(Platform.LUNO, 1)}
    assert rows["ZAR"].rounded != 0 and rows["BTC"].rounded != 0
    assert all(row.difference == 0 for row in rows.values())
    assert await desk.reconcile() and await desk.differences() == [], "it is counted once"


async def test_another_key_closes_the_account_and_opens_it_anew(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy()
    await desk.hear()
    other = HandExchange(desk.world.clock, {"ZAR": D(7)})
    desk.opener.keys = {WorkingKey(desk.who.user_id, Platform.LUNO, "print-2"): other}
    await desk.open()
    assert desk.exchange.is_closed and desk.condition == Condition.RECONCILING
    assert "being reconciled" in (await desk.buy()).denied[desk.bot.id]
    assert not await desk.reconcile()
    assert desk.condition == Condition.RECONCILING
    assert "1 booked ones are not in its list" in desk.account.status.detail, "it is another account"


async def test_an_untested_key_opens_nothing_and_closes_nothing(desk: LiveDesk) -> None:
    await desk.reconcile()
    (key,) = desk.opener.keys
    desk.opener.keys = {replace(key, is_tested=False): desk.exchange}
    await desk.open()
    assert desk.condition == Condition.ACTIVE
    desk.opener.keys = {WorkingKey(desk.who.user_id, Platform.VALR, "new", is_tested=False): desk.exchange}
    await desk.open()
    assert desk.accounts.accounts == []
    assert "no tested key" in (await desk.buy()).denied[desk.bot.id]


async def test_where_trades_carry_no_ids_an_order_in_doubt_is_settled_first(
    database_urls: DatabaseUrls,
) -> None:
    async with live_desk(database_urls) as desk:
        await desk.reconcile()
        nameless = HandExchange(desk.world.clock, {"ZAR": CAPITAL + SPARE}, scope=ClientIdScope.NONE)
        desk.opener.keys = {WorkingKey(desk.who.user_id, Platform.LUNO, "nameless"): nameless}
        await desk.open()
        await desk.reconcile()
        nameless.silent.add("create")
        await desk.buy()
        await desk.hear()
        nameless.silent.clear()
        nameless.trade_by_hand(BTC_ZAR, Side.BUY, LOT)
        assert not await desk.reconcile(), "the trade may be that order's"
        assert await desk.beside() == {"ZAR": SPARE}


async def test_a_late_execution_of_an_order_too_old_for_the_lists_is_ours(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    (order,) = await desk.stored()
    for _ in range(3):
        desk.world.clock.advance(900)
        await desk.reconcile()
    desk.exchange.fill(desk.exchange.order_of(order.id).venue_order_id, LOT)
    assert await desk.reconcile()
    assert await desk.reconcile(), "and is not taken for a trade by hand afterwards"
    assert (await desk.stored())[0].state is OrderState.FILLED
    assert desk.condition == Condition.ACTIVE and await desk.beside() == {"ZAR": SPARE}


async def test_a_look_that_ends_after_its_account_was_left_says_nothing(desk: LiveDesk) -> None:
    account = desk.account
    desk.opener.keys.clear()
    await desk.open()
    assert await account.reconcile(desk.book)
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        saved = (await unit.live_accounts.statuses())[Platform.LUNO]
    assert saved.condition is Condition.CLOSED and "key is gone" in saved.detail


async def test_bots_that_share_an_account_never_trade_with_one_another(desk: LiveDesk) -> None:
    await desk.world.fund(desk.who, D(10_000), TradingMode.LIVE)
    other = await desk.world.add_bot(desk.who, BTC_ZAR, D(10_000), mode=TradingMode.LIVE)
    await desk.reconcile()
    await desk.buy(price=D(900_000))
    await desk.hear()
    intent = OrderIntent(
        other.id, BTC_ZAR.id, "k", "k", Side.SELL, OrderType.LIMIT, LOT, desk.exchange.price,
        desk.world.clock.now_ns(), price=D(900_000),
    )  # fmt: skip
    outcome = await desk.orders.submit(desk.who.user_id, [intent])
    assert outcome.denied[other.id].startswith("SELF_CROSSING")


async def test_two_users_may_be_the_two_sides_of_one_trade(desk: LiveDesk) -> None:
    await desk.reconcile()
    await desk.buy()
    await desk.hear()
    second = desk.world.add_user(2)
    await desk.world.fund(second, D(50_000), TradingMode.LIVE)
    bot = await desk.world.add_bot(second, BTC_ZAR, D(50_000), mode=TradingMode.LIVE)
    exchange = HandExchange(desk.world.clock, {"ZAR": D(50_000)})
    desk.opener.keys[WorkingKey(second.user_id, Platform.LUNO, "second")] = exchange
    await desk.open()
    theirs = next(item for item in desk.accounts.accounts if item.key.user_id == second.user_id)
    assert await theirs.reconcile(desk.book)
    intent = OrderIntent(
        bot.id, BTC_ZAR.id, "k", "k", Side.BUY, OrderType.MARKET, LOT, exchange.price,
        desk.world.clock.now_ns(),
    )  # fmt: skip
    await desk.orders.submit(second.user_id, [intent])
    await desk.hear()
    assert exchange.fills[0].venue_trade_id == desk.exchange.fills[0].venue_trade_id
    held = (await desk.orders.accounts(second.user_id, [bot.id]))[bot.id]
    assert held.quantity > 0, "the second one's execution is booked too"


async def test_a_deleted_bots_money_lies_beside_the_others_again(desk: LiveDesk) -> None:
    await desk.reconcile()
    bots = bot_service(desk.world)
    await bots.act(desk.who.user_id, desk.bot.id, BotAction.DELETE)
    assert await desk.beside() == {"ZAR": SPARE + CAPITAL}
    assert await desk.reconcile() and await desk.differences() == []
