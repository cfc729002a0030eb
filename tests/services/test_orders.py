"""The order path on a real database, with a venue behind a line that loses, doubles and delays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amarktai.domain.bot import BotStatus, TradingMode
from amarktai.domain.errors import BrokenInvariant, Unavailable
from amarktai.domain.fill_model import BUDGET_SPENT
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import EventKind
from amarktai.domain.money import ZERO
from amarktai.domain.order import TERMINAL, OrderState, Side
from amarktai.domain.stop import EmergencyStop, StopSource
from amarktai.ports.keys import AccountState
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.leases import PgLeases
from amarktai.strategies.contract import OrderClosed, OrderFilled
from amarktai.venues.paper import PaperVenue
from tests.fakes import SeededRng
from tests.services.order_desk import (
    LOT,
    MARKET,
    PRICE,
    TTL_S,
    OrderDesk,
    open_desk,
    order_desk,
    sent_once,
)
from tests.trading import trading
from tests.venues.faulty import NO_FAULTS, Faults, FaultyVenue

_numbers = count(1)
HALF = LOT / 2


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[OrderDesk]:
    async with order_desk(database_urls) as opened:
        yield opened


def reservation_of(desk: OrderDesk, key: str) -> Decimal:
    amount: Decimal = desk.witness.orders()[key]["reserved_amount"]
    return amount


def part(report: OrderReport, quantity: Decimal, number: str, **changes: Any) -> OrderReport:
    """Return a venue's word of a fill, made from a report that has one."""
    fill = replace(report.fills[0], quantity=quantity, venue_trade_id=number, fee_amount=Decimal("0.5"))
    return replace(report, fills=(fill,), **{"filled_quantity": quantity, **changes})


class TestSending:
    async def test_an_order_is_committed_as_being_sent_before_the_venue_hears_of_it(
        self, desk: OrderDesk
    ) -> None:
        await desk.buy("a")  # the witness in the venue asserts it
        assert desk.witness.state("a") is OrderState.OPEN
        assert desk.witness.events("a") == ["claim", "accept"]
        await desk.quote(PRICE)
        assert desk.witness.events("a") == ["claim", "accept", "fill_all"]
        await desk.assert_books_are_right()

    async def test_the_same_decision_is_sent_once_however_often_it_comes(self, desk: OrderDesk) -> None:
        intent = desk.intent("a", Side.BUY)
        await desk.submit(intent, intent)
        await desk.submit(intent)
        desk.service = desk.new_service()
        await desk.submit(intent)
        assert list(desk.venue.received.values()) == [1]
        assert len(desk.witness.orders()) == 1

    async def test_two_services_at_once_send_one_decision_once(self, desk: OrderDesk) -> None:
        other, intent = desk.new_service(), desk.intent("a", Side.BUY)
        outcomes = await asyncio.gather(
            *(service.submit(desk.who.user_id, [intent]) for service in (desk.service, other, desk.service))
        )
        assert len(outcomes) == 3
        assert list(desk.venue.received.values()) == [1]

    async def test_who_lost_the_lease_sends_and_cancels_nothing(self, desk: OrderDesk) -> None:
        await desk.buy("rests", price=Decimal(PRICE - 1_000))
        leases = PgLeases(desk.world.database)
        await leases.give_up(desk.lease)
        newer = await leases.take(desk.lease.name, "other", desk.world.clock.now_ns(), ttl_s=60)
        assert newer.fencing_token > desk.lease.fencing_token
        for attempt in (desk.buy("a"), desk.cancel("rests"), desk.restart()):
            with pytest.raises(Unavailable) as refused:
                await attempt
            assert refused.value.code == "LEASE_LOST"
        assert list(desk.witness.orders()) == ["rests"]
        assert desk.witness.state("rests") is OrderState.OPEN
        assert len(desk.venue.received) == 1
        desk.service = desk.new_service(lease=newer)
        await desk.buy("a")
        assert len(desk.venue.received) == 2

    async def test_a_create_that_was_held_up_past_its_deadline_does_not_leave(self, desk: OrderDesk) -> None:
        class Stalled(FaultyVenue):
            """A venue that takes ten minutes over an order."""

            async def create_order(self, request: OrderRequest) -> OrderReport:
                report = await super().create_order(request)
                desk.world.clock.advance(600)
                return report

        desk.service = desk.new_service(venue=Stalled(desk.venue, SeededRng()))
        await desk.submit(desk.intent("a", Side.BUY), desk.intent("b", Side.BUY))
        assert desk.witness.state("a") is OrderState.OPEN
        assert desk.witness.state("b") is OrderState.REJECTED
        assert desk.witness.orders()["b"]["reject_reason"].startswith("DEADLINE_PASSED")
        assert list(desk.venue.received) == [desk.order_id("a")]
        assert reservation_of(desk, "b") == ZERO

    async def test_a_venues_refusal_ends_the_order_and_frees_the_money(self, desk: OrderDesk) -> None:
        before = await desk.holdings()
        await desk.buy("a", price=Decimal(PRICE + 5_000), post_only=True)
        assert desk.witness.state("a") is OrderState.REJECTED
        assert desk.witness.orders()["a"]["reject_reason"].startswith("POST_ONLY_WOULD_TAKE")
        assert await desk.holdings() == before
        assert [type(notice.event) for notice in desk.notices] == [OrderClosed]


class TestSilence:
    @pytest.mark.parametrize("line", [Faults(lost_requests=1), Faults(lost_replies=1)])
    async def test_a_lost_answer_is_unknown_keeps_its_money_and_stops_entries(
        self, desk: OrderDesk, line: Faults
    ) -> None:
        desk.venue.faults = line
        await desk.buy("a")
        assert desk.witness.state("a") is OrderState.UNKNOWN
        assert reservation_of(desk, "a") > PRICE * LOT
        assert desk.service.doubtful_users == (desk.who.user_id,)
        desk.venue.faults = NO_FAULTS
        outcome = await desk.buy("b")
        assert outcome.denied[desk.bot.id].startswith("ACCOUNT_NOT_ACTIVE")
        assert desk.witness.state("b") is OrderState.DENIED
        assert not desk.notices or all(isinstance(item.event, OrderClosed) for item in desk.notices)

    async def test_an_accepted_order_is_found_again(self, desk: OrderDesk) -> None:
        desk.venue.faults = Faults(lost_replies=1)
        await desk.buy("a", price=Decimal(PRICE - 1_000))
        desk.venue.faults = NO_FAULTS
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.OPEN
        await desk.quote(PRICE - 2_000)
        assert desk.witness.state("a") is OrderState.FILLED
        await desk.reconcile()
        assert desk.service.doubtful_users == ()
        await desk.assert_books_are_right()

    async def test_an_order_that_filled_unheard_is_booked_once(self, desk: OrderDesk) -> None:
        desk.venue.faults = Faults(lost_replies=1)
        await desk.buy("a")
        desk.venue.faults = NO_FAULTS
        reports = desk.show(PRICE)
        assert [report.status for report in reports] == [VenueStatus.FILLED]
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.FILLED
        await desk.apply(*reports)
        await desk.assert_books_are_right()

    async def test_absence_proves_nothing_before_the_deadline(self, desk: OrderDesk) -> None:
        desk.venue.faults = Faults(lost_requests=1)
        await desk.buy("a")
        desk.venue.faults = NO_FAULTS
        desk.world.clock.advance(TTL_S)
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.UNKNOWN
        desk.world.clock.advance(0.001)
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.NOT_PLACED
        assert reservation_of(desk, "a") == ZERO
        await desk.buy("b")
        assert desk.witness.state("b") is OrderState.OPEN

    async def test_a_venue_that_does_not_answer_leaves_it_unknown(self, desk: OrderDesk) -> None:
        desk.venue.faults = Faults(lost_requests=1, lost_queries=1)
        await desk.buy("a")
        desk.world.clock.advance(3_600)
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.UNKNOWN
        assert reservation_of(desk, "a") > ZERO

    async def test_a_start_makes_what_was_being_sent_unknown_and_never_sends_it_again(
        self, desk: OrderDesk
    ) -> None:
        class Killed(BaseException):
            pass

        class Deadly(FaultyVenue):
            async def create_order(self, request: OrderRequest) -> OrderReport:
                await super().create_order(request)
                raise Killed

        desk.service = desk.new_service(venue=Deadly(desk.venue, SeededRng()))
        with pytest.raises(Killed):
            await desk.buy("a")
        assert desk.witness.state("a") is OrderState.SENDING
        service = desk.new_service()
        recovered = await service.recover(desk.who.user_id)
        assert [item.order.state for item in recovered] == [OrderState.UNKNOWN]
        await desk.restart()
        assert desk.witness.state("a") is OrderState.OPEN
        assert sent_once(desk)


class TestFills:
    async def test_reports_that_come_twice_or_backwards_are_booked_once(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        whole = desk.show(PRICE)[0]
        first = part(whole, HALF, "t1", status=VenueStatus.OPEN)
        second = replace(
            first, fills=(*first.fills, replace(first.fills[0], venue_trade_id="t2")), filled_quantity=LOT,
            status=VenueStatus.FILLED,
        )  # fmt: skip
        for reports in ((second, first), (first,), (second, second)):
            await desk.apply(*reports)
        assert desk.witness.state("a") is OrderState.FILLED
        assert sorted(row["venue_trade_id"] for row in desk.witness.fills()) == ["t1", "t2"]
        assert (await desk.holdings())["coins"] == LOT
        assert [type(item.event) for item in desk.notices] == [OrderFilled, OrderFilled]

    async def test_parts_lower_the_reservation_and_the_end_releases_it(self, desk: OrderDesk) -> None:
        await desk.buy("a", price=Decimal(PRICE))
        reserved = reservation_of(desk, "a")
        assert reserved == PRICE * LOT * (1 + MARKET.fees.taker)
        whole = desk.show(PRICE - 2)[0]
        await desk.apply(part(whole, HALF, "t1", status=VenueStatus.OPEN))
        assert desk.witness.state("a") is OrderState.PARTIAL
        assert reservation_of(desk, "a") == reserved / 2
        holdings = await desk.holdings()
        assert holdings["held"] - holdings["free"] == reserved / 2
        await desk.apply(part(whole, HALF, "t2", status=VenueStatus.FILLED, filled_quantity=LOT))
        assert desk.witness.state("a") is OrderState.FILLED
        assert reservation_of(desk, "a") == ZERO
        holdings = await desk.holdings()
        assert holdings["held"] == holdings["free"]

    async def test_more_than_was_ordered_is_refused_and_nothing_of_it_is_booked(
        self, desk: OrderDesk
    ) -> None:
        await desk.buy("a")
        whole = desk.show(PRICE)[0]
        beyond = part(whole, LOT + MARKET.lot_size, "t1", status=VenueStatus.FILLED)
        outcome = await desk.apply(beyond)
        assert desk.witness.fills() == []
        assert [(order.tag, "O6" in reason) for order, reason in outcome.refused] == [("a", True)]
        assert desk.witness.state("a") is OrderState.FILLED_PENDING_TRADES
        assert desk.witness.events("a") == ["claim", "accept", "refuse_fill"]
        assert desk.service.doubtful_users == (desk.who.user_id,)
        assert (await desk.buy("b")).denied[desk.bot.id].startswith("ACCOUNT_NOT_ACTIVE")

    async def test_a_refusal_is_told_once_and_ends_when_the_venue_says_what_fits(
        self, desk: OrderDesk
    ) -> None:
        await desk.buy("a")
        whole = desk.show(PRICE)[0]
        beyond = part(whole, LOT + MARKET.lot_size, "t1", status=VenueStatus.FILLED)
        await desk.apply(beyond)
        assert (await desk.apply(beyond)).refused == []
        assert desk.witness.events("a") == ["claim", "accept", "refuse_fill"]
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.FILLED
        await desk.assert_books_are_right()

    async def test_a_fill_that_the_ledger_refuses_stays_the_trouble_of_its_own_order(
        self, desk: OrderDesk
    ) -> None:
        await desk.submit(desk.intent("a", Side.BUY), desk.intent("b", Side.BUY))
        good, dear = desk.show(PRICE)
        (fill,) = dear.fills
        ruinous = replace(dear, fills=(replace(fill, fee_amount=Decimal(1_000_000)),))
        outcome = await desk.apply(good, ruinous)
        assert [(order.tag, "not enough ZAR" in reason) for order, reason in outcome.refused] == [("b", True)]
        assert desk.witness.state("a") is OrderState.FILLED
        assert desk.witness.state("b") is OrderState.FILLED_PENDING_TRADES
        assert [row["order_id"] for row in desk.witness.fills()] == [desk.order_id("a")]
        assert outcome.accounts[desk.bot.id].quantity == LOT
        assert (await desk.sell("c")).denied == {}  # what is held can be sold

    async def test_a_late_fill_that_the_books_refuse_puts_an_ended_order_in_doubt(
        self, desk: OrderDesk
    ) -> None:
        await desk.buy("a")
        whole = desk.show(PRICE)[0]
        await desk.apply(whole)
        await desk.apply(part(whole, LOT, "again", status=VenueStatus.FILLED, filled_quantity=2 * LOT))
        assert desk.witness.state("a") is OrderState.RESURRECTED
        assert len(desk.witness.fills()) == 1

    async def test_an_order_that_we_never_wrote_is_refused(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        stranger = replace(desk.show(PRICE)[0], order_id=desk.world.ids.new())
        with pytest.raises(BrokenInvariant, match="never wrote"):
            await desk.apply(stranger)
        with pytest.raises(BrokenInvariant, match="never wrote"):
            desk.service.owner_of(stranger.order_id)

    async def test_closed_with_trades_missing_waits_for_them(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        whole = desk.show(PRICE)[0]
        await desk.apply(replace(whole, fills=()))
        assert desk.witness.state("a") is OrderState.FILLED_PENDING_TRADES
        assert reservation_of(desk, "a") > ZERO
        assert (await desk.buy("b")).denied[desk.bot.id].startswith("ACCOUNT_NOT_ACTIVE")
        await desk.cancel("a")  # there is nothing to ask for any more
        assert desk.witness.state("a") is OrderState.FILLED_PENDING_TRADES
        await desk.reconcile()
        assert desk.witness.state("a") is OrderState.FILLED
        await desk.assert_books_are_right()

    @pytest.mark.parametrize("ending", ["canceled", "rejected", "not_placed"])
    async def test_a_fill_that_comes_after_the_end_is_booked(self, desk: OrderDesk, ending: str) -> None:
        if ending == "canceled":
            await desk.buy("a", price=Decimal(PRICE - 1_000))
            await desk.cancel("a")
        elif ending == "rejected":
            await desk.buy("a", price=Decimal(PRICE + 1_000), post_only=True)
        else:
            desk.venue.faults = Faults(lost_requests=1)
            await desk.buy("a")
            desk.venue.faults = NO_FAULTS
            desk.world.clock.advance(TTL_S + 1)
            await desk.reconcile()
        assert desk.witness.state("a") is OrderState(ending)
        await desk.buy("other")
        told = desk.show(PRICE)[0]
        order_id = desk.order_id("a")
        late = replace(told, order_id=order_id, fills=(replace(told.fills[0], order_id=order_id),))
        await desk.apply(part(late, HALF, "late-1", status=VenueStatus.OPEN))
        assert desk.witness.state("a") is OrderState.RESURRECTED
        assert desk.service.doubtful_users == (desk.who.user_id,)
        assert (await desk.holdings())["coins"] == HALF
        await desk.apply(
            part(late, HALF, "late-2", status=VenueStatus.FILLED, filled_quantity=LOT), told, told
        )
        assert desk.witness.state("a") is OrderState.FILLED
        assert (await desk.holdings())["coins"] == 2 * LOT
        report = await LedgerAudit(desk.world.reporting).audit(desk.who.user_id)
        assert report.ok, report.first_difference

    async def test_a_fill_of_an_order_that_never_left_breaks_the_proof(self, desk: OrderDesk) -> None:
        await desk.buy("big", Decimal(1))
        assert desk.witness.state("big") is OrderState.DENIED
        await desk.buy("a")
        told = desk.show(PRICE)[0]
        order_id = desk.order_id("big")
        with pytest.raises(BrokenInvariant, match="denied"):
            await desk.apply(replace(told, order_id=order_id))


class TestCancels:
    async def test_a_canceled_order_frees_what_it_held(self, desk: OrderDesk) -> None:
        before = await desk.holdings()
        await desk.buy("a", price=Decimal(PRICE - 1_000))
        assert (await desk.holdings())["free"] < before["free"]
        await desk.cancel("a")
        assert desk.witness.state("a") is OrderState.CANCELED
        assert await desk.holdings() == before
        await desk.cancel("a")
        assert desk.witness.events("a") == ["claim", "accept", "ask_cancel", "cancel"]

    async def test_a_fill_that_races_the_cancel_wins(self, desk: OrderDesk) -> None:
        await desk.buy("a", price=Decimal(PRICE - 1_000))
        reports = desk.show(PRICE - 2_000)
        await desk.cancel("a")
        assert desk.witness.state("a") is OrderState.FILLED
        await desk.apply(*reports)
        await desk.assert_books_are_right()

    async def test_the_part_that_filled_before_the_cancel_stays(self, desk: OrderDesk) -> None:
        await desk.buy("a", price=Decimal(PRICE - 1_000))
        held = desk.show(PRICE - 2_000)[0]
        await desk.apply(part(held, HALF, "t1", status=VenueStatus.OPEN))
        canceled = part(held, HALF, "t1", status=VenueStatus.CANCELED)
        await desk.apply(canceled, canceled)
        assert desk.witness.state("a") is OrderState.CANCELED
        assert (await desk.holdings())["coins"] == HALF
        assert reservation_of(desk, "a") == ZERO

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            (Faults(lost_cancels=1), OrderState.OPEN),
            (Faults(lost_cancel_replies=1), OrderState.CANCELED),
            (Faults(ignored_cancels=1), OrderState.OPEN),
        ],
    )
    async def test_a_cancel_without_an_answer_changes_nothing_by_itself(
        self, desk: OrderDesk, line: Faults, found: OrderState
    ) -> None:
        await desk.buy("a", price=Decimal(PRICE - 1_000))
        reserved = reservation_of(desk, "a")
        desk.venue.faults = line
        await desk.cancel("a")
        assert desk.witness.state("a") is OrderState.CANCEL_UNKNOWN
        assert reservation_of(desk, "a") == reserved
        assert desk.service.doubtful_users
        desk.venue.faults = NO_FAULTS
        await desk.reconcile()
        assert desk.witness.state("a") is found
        await desk.cancel("a")
        assert desk.witness.state("a") is OrderState.CANCELED
        await desk.assert_books_are_right()

    async def test_one_of_a_pair_cancels_the_other(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        await desk.quote(PRICE)
        await desk.submit(
            desk.intent("stop", Side.SELL, stop_price=Decimal(PRICE - 5_000), oco_group="g"),
            desk.intent("target", Side.SELL, price=Decimal(PRICE + 5_000), oco_group="g"),
        )
        assert desk.witness.state("stop") is desk.witness.state("target") is OrderState.OPEN
        assert (await desk.sell("more")).denied[desk.bot.id].startswith("INSUFFICIENT_FUNDS")
        await desk.quote(PRICE + 6_000)
        assert desk.witness.state("target") is OrderState.FILLED
        assert desk.witness.state("stop") is OrderState.CANCELED
        assert [item.event.tag for item in desk.notices if isinstance(item.event, OrderClosed)] == [
            "more",
            "stop",
        ]
        assert (await desk.holdings())["coins"] == ZERO
        await desk.assert_books_are_right()


class TestGates:
    @pytest.mark.parametrize(
        ("code", "options"),
        [
            ("STALE_DATA", {"data_ts": 0}),
            ("STALE_DATA", {"data_ts": 2**62}),
            ("MINIMUM_ORDER_SIZE", {"quantity": Decimal("0.00009")}),
            ("MINIMUM_ORDER_SIZE", {"quantity": Decimal("0.0001"), "price": Decimal(99_999)}),
            ("TICK_SIZE", {"price": Decimal("999999.5")}),
            ("LOT_SIZE", {"quantity": Decimal("0.0010005")}),
            ("NOT_EXITABLE", {"quantity": Decimal("0.0001"), "price": Decimal(120_000)}),
            ("INSUFFICIENT_FUNDS", {"quantity": Decimal("0.09")}),
        ],
    )
    async def test_a_gate_refuses_with_its_code_and_nothing_is_sent(
        self, desk: OrderDesk, code: str, options: dict[str, Any]
    ) -> None:
        outcome = await desk.buy("a", **options)
        assert outcome.denied[desk.bot.id].startswith(f"{code}: ")
        row = desk.witness.orders()["a"]
        assert (row["state"], row["reserved_amount"]) == ("denied", ZERO)
        assert row["reject_reason"] == outcome.denied[desk.bot.id]
        assert desk.venue.received == {}

    async def test_an_inactive_bot_may_sell_but_not_buy(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        await desk.quote(PRICE)
        desk.world.bots[desk.bot.id] = replace(desk.bot, status=BotStatus.PAUSED)
        assert (await desk.buy("b")).denied[desk.bot.id].startswith("BOT_NOT_ACTIVE")
        assert (await desk.sell("c", data_ts=0)).denied == {}
        assert desk.witness.state("c") is OrderState.OPEN

    async def test_an_order_never_trades_against_one_of_the_same_bot(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        await desk.quote(PRICE)
        await desk.sell("b", price=Decimal(PRICE + 1_000))
        outcome = await desk.buy("c", price=Decimal(PRICE + 1_000))
        assert outcome.denied[desk.bot.id].startswith("SELF_CROSSING")

    async def test_two_orders_of_one_batch_cannot_spend_the_same_money(self, desk: OrderDesk) -> None:
        big = Decimal("0.05")
        await desk.submit(desk.intent("a", Side.BUY, big), desk.intent("b", Side.BUY, big))
        assert [desk.witness.state(key) for key in "ab"] == [OrderState.OPEN, OrderState.DENIED]
        assert desk.witness.orders()["b"]["reject_reason"].startswith("INSUFFICIENT_FUNDS")

    async def test_the_first_gate_that_refuses_is_named(self, desk: OrderDesk) -> None:
        desk.world.bots[desk.bot.id] = replace(desk.bot, status=BotStatus.STOPPED)
        outcome = await desk.buy("a", Decimal(50), data_ts=0)
        assert outcome.denied[desk.bot.id].startswith("BOT_NOT_ACTIVE")


class TestEmergencyStop:
    """A stop comes on in another process, between two orders of one service (O20)."""

    @pytest.mark.parametrize("everybody", [False, True])
    async def test_after_its_commit_no_entry_leaves_and_every_exit_does(
        self, desk: OrderDesk, *, everybody: bool
    ) -> None:
        await desk.buy("a", LOT * 2)
        await desk.quote(PRICE)
        scope = None if everybody else desk.who.user_id
        stop = EmergencyStop(desk.world.ids.new(), scope, "odd", StopSource.API, desk.world.now, "user:x")
        async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
            assert await unit.stops.engage(stop)
        for key in ("b", "c"):
            assert (await desk.buy(key)).denied[desk.bot.id] == (
                "EMERGENCY_STOP_ACTIVE: an emergency stop is on: odd"
            )
        assert (await desk.sell("exit", LOT)).denied == {}
        assert sorted(desk.venue.received) == sorted([desk.order_id("a"), desk.order_id("exit")])
        async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
            assert await unit.stops.release(everybody=everybody, by="user:x", at=desk.world.now)
        assert (await desk.buy("d")).denied == {}

    async def test_another_users_stop_is_no_concern(self, desk: OrderDesk) -> None:
        other = desk.world.add_user(2)
        stop = EmergencyStop(
            desk.world.ids.new(), other.user_id, "odd", StopSource.API, desk.world.now, "user:x"
        )
        async with desk.world.store.unit_of_work(other.user_id) as unit:
            assert await unit.stops.engage(stop)
        assert (await desk.buy("a")).denied == {}

    async def test_the_file_stops_entries_without_a_word_to_the_database(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        await desk.quote(PRICE)
        desk.stop_file.write("smoke")
        assert "an emergency stop is on: smoke" in (await desk.buy("b")).denied[desk.bot.id]
        assert (await desk.sell("exit", Decimal("0.0009"))).denied == {}
        desk.stop_file.remove()
        assert (await desk.buy("c")).denied == {}


WITHDRAWS = "The key may withdraw money."


class TestHaltedAccounts:
    """The account at the exchange is halted by another process, between two orders of one service."""

    @pytest.fixture
    async def desk(self, database_urls: DatabaseUrls) -> AsyncIterator[OrderDesk]:
        async with order_desk(database_urls, TradingMode.LIVE) as opened:
            yield opened

    async def test_entries_are_refused_from_the_next_order_on_until_it_is_reopened(
        self, desk: OrderDesk
    ) -> None:
        await desk.buy("a")
        await desk.hold_back(AccountState.HALTED, WITHDRAWS)
        outcome = await desk.buy("b")
        assert outcome.denied[desk.bot.id].startswith(
            f"ACCOUNT_HALTED: the account at Luno is halted: {WITHDRAWS}"
        )
        assert desk.witness.state("b") is OrderState.DENIED
        assert list(desk.venue.received) == [desk.order_id("a")]
        desk.service = desk.new_service()
        assert (await desk.buy("c")).denied[desk.bot.id].startswith("ACCOUNT_HALTED: ")
        await desk.hold_back(AccountState.ACTIVE)
        assert (await desk.buy("d")).denied == {}
        assert len(desk.venue.received) == 2

    async def test_exits_stops_and_cancels_go_on(self, desk: OrderDesk) -> None:
        await desk.buy("a", LOT * 2)
        await desk.quote(PRICE)
        await desk.buy("rests", price=Decimal(PRICE - 5_000))
        await desk.hold_back(AccountState.HALTED, WITHDRAWS)
        await desk.sell("stop", stop_price=Decimal(PRICE - 5_000))
        assert desk.witness.state("stop") is OrderState.OPEN
        await desk.cancel("rests", "stop")
        assert desk.witness.state("rests") is desk.witness.state("stop") is OrderState.CANCELED
        await desk.sell("exit", LOT * 2)
        await desk.quote(PRICE)
        assert desk.witness.state("exit") is OrderState.FILLED
        await desk.assert_books_are_right()


async def _until_somebody_waits(superuser_url: str) -> None:
    """Wait until a connection to the test's database waits for a lock."""
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        for _ in range(1_000):
            cursor = await connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


class TestTheSystemsMode:
    """Another process switches the system, between two orders of one service."""

    async def test_on_paper_no_live_entry_leaves_from_the_next_order_on_and_every_exit_does(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with order_desk(database_urls, TradingMode.LIVE) as desk:
            await desk.buy("a", LOT * 2)
            await desk.quote(PRICE)
            await desk.world.let_trade(TradingMode.PAPER)
            assert (await desk.buy("b")).denied[desk.bot.id] == (
                "MODE_DISABLED: the system trades on paper, live orders do not leave"
            )
            desk.service = desk.new_service()
            assert (await desk.buy("c")).denied[desk.bot.id].startswith("MODE_DISABLED: ")
            assert (await desk.sell("exit", LOT)).denied == {}
            assert sorted(desk.venue.received) == sorted([desk.order_id("a"), desk.order_id("exit")])
            await desk.world.let_trade(TradingMode.LIVE)
            assert (await desk.buy("d")).denied == {}

    async def test_a_claim_that_waited_for_the_book_reads_the_mode_when_its_wait_ends(
        self, database_urls: DatabaseUrls, superuser_url: str
    ) -> None:
        async with order_desk(database_urls, TradingMode.LIVE) as desk:
            await desk.buy("a", LOT * 2)
            await desk.quote(PRICE)
            for fresh in (False, True):
                if fresh:
                    desk.service = desk.new_service()
                async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
                    await unit.ledger.lock_book(TradingMode.LIVE)
                    claim = asyncio.create_task(desk.buy(f"b{fresh}"))
                    await _until_somebody_waits(superuser_url)
                    await desk.world.let_trade(TradingMode.PAPER)
                assert (await claim).denied[desk.bot.id].startswith("MODE_DISABLED: ")
                await desk.world.let_trade(TradingMode.LIVE)
            assert list(desk.venue.received) == [desk.order_id("a")]

    async def test_paper_bots_trade_whatever_the_mode(self, desk: OrderDesk) -> None:
        await desk.world.let_trade(TradingMode.LIVE)
        assert (await desk.buy("a")).denied == {}


async def test_a_halt_at_the_exchange_is_none_of_papers_business(desk: OrderDesk) -> None:
    await desk.hold_back(AccountState.HALTED, WITHDRAWS)
    assert (await desk.buy("a")).denied == {}


# -- any history of faults ------------------------------------------------------------------------

_SHARE = st.sampled_from([0.0, 0.0, 0.3, 1.0])
_FAULTS = st.builds(
    Faults, lost_requests=_SHARE, lost_replies=_SHARE, lost_cancels=_SHARE, ignored_cancels=_SHARE,
    lost_cancel_replies=_SHARE, lost_queries=_SHARE, doubled=_SHARE, delayed=st.sampled_from([0.0, 0.5]),
    reordered=_SHARE,
)  # fmt: skip
_OFFSET = st.integers(-20, 20)
_SIZE = st.integers(1, 3)
_ACTION = st.one_of(
    st.tuples(st.just("faults"), _FAULTS),
    st.tuples(st.just("market"), st.sampled_from(Side), _SIZE),
    st.tuples(st.just("limit"), st.sampled_from(Side), _SIZE, _OFFSET),
    st.tuples(st.just("pair"), _SIZE),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("quote"), _OFFSET),
    st.tuples(st.just("quote"), _OFFSET),
    st.tuples(st.just("wait"), st.integers(1, 10)),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("restart")),
)


class _Story:
    """Plays actions at a desk; every quote is one of a few hundred rand around the price."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.intents: list[Any] = []

    def _intent(self, side: Side, size: int, **options: Any) -> Any:
        intent = self.desk.intent(f"o{len(self.intents)}", side, size * LOT, **options)
        self.intents.append(intent)
        return intent

    async def play(self, action: tuple[Any, ...]) -> None:  # one arm an action  # noqa: C901
        desk = self.desk
        match action:
            case ("faults", faults):
                desk.venue.faults = replace(faults, split_lot=desk.venue.faults.split_lot)
            case ("market", side, size):
                await desk.submit(self._intent(side, size))
            case ("limit", side, size, offset):
                await desk.submit(self._intent(side, size, price=Decimal(PRICE + 100 * offset)))
            case ("pair", size):
                group = f"g{len(self.intents)}"
                stop, target = Decimal(PRICE - 1_500), Decimal(PRICE + 1_500)
                await desk.submit(
                    self._intent(Side.SELL, size, stop_price=stop, oco_group=group),
                    self._intent(Side.SELL, size, price=target, oco_group=group),
                )
            case ("again", index) if self.intents:
                await desk.submit(self.intents[index % len(self.intents)])
            case ("cancel", index) if self.intents:
                await desk.cancel(self.intents[index % len(self.intents)].decision_key)
            case ("quote", offset):
                await desk.quote(PRICE + 100 * offset)
            case ("wait", seconds):
                desk.world.clock.advance(seconds)
            case ("reconcile",):
                await desk.reconcile()
            case ("restart",):
                await desk.restart()

    async def settle(self) -> None:
        """Let the faults stop and everything be heard."""
        desk = self.desk
        desk.venue.faults = replace(NO_FAULTS, split_lot=desk.venue.faults.split_lot)
        for _ in range(3):
            await desk.quote(PRICE)
        desk.world.clock.advance(TTL_S + 1)
        await desk.reconcile()
        assert desk.service.doubtful_users == ()


@given(st.lists(_ACTION, max_size=25), st.sampled_from([None, Decimal("0.0001")]))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_whatever_the_line_does_the_books_are_those_of_the_venue(
    module_database_urls: DatabaseUrls, actions: list[tuple[Any, ...]], split_lot: Decimal | None
) -> None:
    async def run() -> None:
        number = next(_numbers)
        async with trading(module_database_urls, f"story {number}") as world:
            desk = await open_desk(world, number=number, seed=f"line {number}")
            desk.venue.faults = replace(NO_FAULTS, split_lot=split_lot)
            story = _Story(desk)
            for action in (("quote", 0), ("market", Side.BUY, 3), ("quote", 0), *actions):
                await story.play(action)
            await story.settle()
            assert sent_once(desk)
            await desk.assert_books_are_right()
            for row in desk.witness.orders().values():
                assert row["reserved_amount"] == ZERO or OrderState(row["state"]) not in TERMINAL
            desk.witness.close()

    asyncio.run(run())


class TestBudget:
    async def test_a_market_buy_that_gaps_up_costs_what_was_reserved_and_no_more(
        self, desk: OrderDesk
    ) -> None:
        """The bot has no other money: the ledger would refuse a fill beyond the reservation (L8)."""
        quantity = Decimal("0.0894")
        await desk.buy("a", quantity)
        reserved = reservation_of(desk, "a")
        assert reserved > (await desk.holdings())["held"] - 1_000
        await desk.quote(PRICE * 1.05)
        order = desk.witness.orders()["a"]
        assert order["state"] == OrderState.CANCELED
        assert 0 < order["filled_quantity"] < quantity
        (fill,) = desk.witness.fills()
        assert fill["notional"] + fill["fee_amount"] <= reserved
        assert [type(notice.event) for notice in desk.notices] == [OrderFilled, OrderClosed]
        assert isinstance(desk.notices[1].event, OrderClosed)
        assert desk.notices[1].event.reason == BUDGET_SPENT
        assert (await desk.holdings())["free"] >= ZERO
        await desk.assert_books_are_right()

    async def test_a_restored_order_keeps_to_what_is_left_of_its_reservation(self, desk: OrderDesk) -> None:
        await desk.buy("a", Decimal("0.0894"), price=Decimal(PRICE - 1_000))
        order = (await desk.service.recover(desk.who.user_id))[0].order
        paper = PaperVenue(
            platform=Platform.LUNO, account="paper-1", instruments=[MARKET], origin=Origin.RECORDED,
            clock=desk.world.clock,
        )  # fmt: skip
        paper.restore([replace(order, reserved_amount=Decimal(1_000))])
        desk.world.clock.advance(1)
        now = desk.world.clock.now_ns()
        (report,) = paper.on_event(MARKET.id, EventKind.QUOTE, now, PRICE - 9_000, PRICE - 8_000, 0, 0, 0)
        assert 0 < sum(fill.notional + fill.fee_amount for fill in report.fills) <= 1_000
