"""What every account at an exchange must do, against that exchange's twin. Adapters join by subclassing.

The twin is the exchange: its control says what really happened, and arms the faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.exchange import (
    AccountEvent,
    BalanceChanged,
    ExchangeAccount,
    FillReported,
    OrderChanged,
    StreamGap,
)
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, TradingVenue, VenueRejected, VenueStatus
from amarktai.twins.server import RunningTwin
from amarktai.venues.budget import RequestBudget
from tests.contract.venue_contract import VenueContract
from tests.fakes import HandClock


@dataclass(slots=True)
class Rig:
    """An account at a twin. ``symbol``, ``base`` and ``quote`` are the twin's own names."""

    twin: RunningTwin
    account: ExchangeAccount
    budget: RequestBudget
    clock: HandClock
    key: str
    symbol: str
    base: str
    quote: str
    instrument: Instrument

    def balance(self, asset: str) -> tuple[Decimal, Decimal]:
        """Return (total, held) as the exchange has it."""
        return self.twin.control.balances(self.key).get(asset, (ZERO, ZERO))

    @property
    def live_count(self) -> int:
        return len(self.twin.twin.exchange.live_orders(self.key))


class ExchangeContract(VenueContract):
    """Subclass it, and give the fixtures ``rig`` and ``clock``.

    The rig's account has plenty of base and quote, so that it can hold every order below.
    """

    #: The exchange's own names of the assets that pay, where they are not ours (Luno: XBT).
    asset_names: dict[str, str] = {}  # noqa: RUF012 - overridden, never changed
    unknown_venue_order_id = "00000000-0000-0000-0000-000000000000"
    #: More executions and orders than the exchange gives on one page.
    more_than_a_page = 120
    #: What the twin calls a list of closed orders, where it does not tell it from one of open orders.
    history_operation = "order_history"

    @pytest.fixture
    async def venue(self, rig: Rig) -> ExchangeAccount:
        self.rig = rig
        self.calm()
        return rig.account

    def calm(self) -> None:
        """Put the market 10 % above the resting order, deep on both sides, with nothing between."""
        self.rig.twin.control.set_book(self.rig.symbol, {self.bid: Decimal(50)}, {self.ask: Decimal(50)})

    @property
    def bid(self) -> Decimal:
        """Below the resting order."""
        return self.limit_price * 8 / 10

    @property
    def ask(self) -> Decimal:
        return self.limit_price * 11 / 10

    def trade_through(self, venue: TradingVenue, price: Decimal) -> None:
        self.rig.twin.control.crowd_takes(self.rig.symbol, Side.SELL, Decimal(1))

    def market_order(self, clock: HandClock, side: Side, seed: str) -> OrderRequest:
        return replace(self.request(clock, seed), type=OrderType.MARKET, side=side, price=None)

    def asset(self, name: str) -> str:
        """Return our code of an asset of the exchange."""
        return next((ours for ours, theirs in self.asset_names.items() if theirs == name), name)

    async def settle(self) -> None:
        """Let what the exchange shows late become visible: nothing by default."""

    # -- orders --------------------------------------------------------------------------------------------

    async def test_a_client_id_serves_once(self, venue: TradingVenue, clock: HandClock) -> None:
        """That an id is taken means that an order with it exists: it may be this very one (O4)."""
        request = self.request(clock)
        await venue.create_order(request)
        with pytest.raises(OutcomeUnknown):
            await venue.create_order(request)
        assert len(await venue.fetch_open_orders()) == 1

    async def test_a_request_that_arrives_twice_is_not_taken_for_refused(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        self.rig.twin.control.arm("duplicate", "create")
        request = self.request(clock)
        with suppress(OutcomeUnknown):  # as good an answer as the report
            await venue.create_order(request)
        report = await venue.fetch_order(request.order_id, request.instrument_id)
        assert report is not None
        assert report.status is VenueStatus.OPEN
        assert self.rig.live_count == 1

    @pytest.mark.parametrize("side", Side)
    async def test_a_market_order_is_filled_and_says_so(
        self, venue: ExchangeAccount, clock: HandClock, side: Side
    ) -> None:
        request = self.market_order(clock, side, "m")
        await venue.create_order(request)
        await self.settle()
        report = await venue.fetch_order(request.order_id, request.instrument_id)
        assert report is not None
        assert report.status is VenueStatus.FILLED
        assert sum(fill.quantity for fill in report.fills) == report.filled_quantity == request.quantity
        assert {fill.price for fill in report.fills} == {self.ask if side is Side.BUY else self.bid}
        assert {fill.side for fill in report.fills} == {side}
        assert {fill.liquidity for fill in report.fills} == {Liquidity.TAKER}

    async def test_a_resting_order_that_is_filled_was_a_maker(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.trade_through(venue, self.limit_price)
        await self.settle()
        report = await venue.fetch_order(request.order_id, request.instrument_id)
        assert report is not None
        assert {fill.liquidity for fill in report.fills} == {Liquidity.MAKER}

    async def test_a_partial_fill_is_an_open_order_with_a_fill(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.rig.twin.control.crowd_takes(self.rig.symbol, Side.SELL, request.quantity / 4)
        await self.settle()
        report = await venue.fetch_order(request.order_id, request.instrument_id)
        assert report is not None
        assert report.status is VenueStatus.OPEN
        assert [fill.quantity for fill in report.fills] == [request.quantity / 4]
        (listed,) = await venue.fetch_open_orders()
        assert listed.filled_quantity == request.quantity / 4
        canceled = await venue.cancel_order(request.order_id, request.instrument_id)
        assert canceled.status is VenueStatus.CANCELED
        assert canceled.filled_quantity == request.quantity / 4

    async def test_a_post_only_order_never_takes(self, venue: ExchangeAccount, clock: HandClock) -> None:
        request = replace(self.request(clock), price=self.ask * 11 / 10, post_only=True)
        with pytest.raises(VenueRejected):
            await venue.create_order(request)
        assert self.rig.live_count == 0
        assert await venue.fetch_fills_since(request.sent_ts) == []

    async def test_what_the_account_cannot_pay_is_refused_with_words_and_advice(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = replace(self.request(clock), quantity=self.quantity * 1_000_000)
        with pytest.raises(VenueRejected) as refused:
            await venue.create_order(request)
        assert refused.value.code == "INSUFFICIENT_FUNDS"
        assert refused.value.detail
        assert refused.value.action

    async def test_an_order_type_that_the_exchange_lacks_is_refused(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        for kind in set(OrderType) - venue.capabilities.order_types:
            request = replace(self.request(clock), type=kind, stop_price=self.limit_price)
            with pytest.raises(VenueRejected):
                await venue.create_order(request)
        assert self.rig.live_count == 0

    # -- silence -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("fault", ["drop_reply", "done_but_error", "refuse_after"])
    async def test_a_create_whose_answer_is_lost_is_unknown_and_then_found(
        self, venue: ExchangeAccount, clock: HandClock, fault: str
    ) -> None:
        self.rig.twin.control.arm(fault, "create")
        request = self.request(clock)
        with pytest.raises(OutcomeUnknown):
            await venue.create_order(request)
        assert self.rig.live_count == 1
        found = await venue.fetch_order(request.order_id, request.instrument_id)
        assert found is not None
        assert found.status is VenueStatus.OPEN

    @pytest.mark.parametrize("fault", ["drop_request", "server_error"])
    async def test_a_create_that_got_lost_is_unknown_and_then_absent(
        self, venue: ExchangeAccount, clock: HandClock, fault: str
    ) -> None:
        self.rig.twin.control.arm(fault, "create")
        request = self.request(clock)
        with pytest.raises(OutcomeUnknown):
            await venue.create_order(request)
        assert self.rig.live_count == 0
        assert await venue.fetch_order(request.order_id, request.instrument_id) is None

    @pytest.mark.parametrize("fault", ["drop_reply", "done_but_error"])
    async def test_a_cancel_whose_answer_is_lost_is_no_answer(
        self, venue: ExchangeAccount, clock: HandClock, fault: str
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.rig.twin.control.arm(fault, "cancel")
        try:
            report = await venue.cancel_order(request.order_id, request.instrument_id)
        except OutcomeUnknown:
            found = await venue.fetch_order(request.order_id, request.instrument_id)
            assert found is not None
            report = found
        assert report.status is VenueStatus.CANCELED

    @pytest.mark.parametrize("fault", ["drop_request", "server_error"])
    async def test_a_cancel_that_got_lost_leaves_the_order_open(
        self, venue: ExchangeAccount, clock: HandClock, fault: str
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.rig.twin.control.arm(fault, "cancel")
        with pytest.raises(OutcomeUnknown):
            await venue.cancel_order(request.order_id, request.instrument_id)
        assert self.rig.live_count == 1

    async def test_a_live_order_that_is_said_not_to_exist_is_not_absent(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.rig.twin.control.arm("not_found", "order")
        try:
            found = await venue.fetch_order(request.order_id, request.instrument_id)
        except OutcomeUnknown:
            return
        assert found is not None

    async def test_a_cancel_that_finds_no_order_proves_nothing(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        self.rig.twin.control.arm("not_found", "cancel")
        try:
            report = await venue.cancel_order(request.order_id, request.instrument_id)
        except OutcomeUnknown:
            return
        assert report.status is VenueStatus.OPEN
        assert self.rig.live_count == 1

    async def test_a_read_without_an_answer_says_so(self, venue: ExchangeAccount, clock: HandClock) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        reads: dict[str, Callable[[], Awaitable[object]]] = {
            "balances": venue.fetch_balances,
            "open_orders": venue.fetch_open_records,
            self.history_operation: lambda: venue.fetch_records_since(0),
            "fills": lambda: venue.fetch_fills_since(0),
        }
        for operation, read in reads.items():
            self.rig.twin.control.clear()
            self.rig.twin.control.arm("server_error", operation, count=None)
            with pytest.raises(Unavailable):
                await read()

    async def test_being_told_to_slow_down_stops_everything(self, venue: ExchangeAccount) -> None:
        self.rig.twin.control.arm("rate_limit", "balances", seconds=30)
        with pytest.raises(Unavailable):
            await venue.fetch_balances()
        assert self.rig.budget.banned_until_ts is not None

    async def test_a_revoked_key_is_said_and_sends_nothing(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        self.rig.twin.control.set_rights(self.rig.key, is_revoked=True)
        with pytest.raises(Forbidden) as refused:
            await venue.fetch_balances()
        assert refused.value.action
        with pytest.raises(VenueRejected):
            await venue.create_order(self.request(clock))

    # -- records -------------------------------------------------------------------------------------------

    async def test_an_order_is_found_by_the_exchanges_id(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        request = self.request(clock)
        created = await venue.create_order(request)
        record = await venue.fetch_record(created.venue_order_id, request.instrument_id)
        assert record is not None
        assert (record.order_id, record.client_order_id) == (request.order_id, request.client_order_id)
        assert (record.side, record.type) == (request.side, request.type)
        assert (record.quantity, record.price) == (request.quantity, request.price)
        assert record.instrument_id == request.instrument_id
        assert record.status is VenueStatus.OPEN
        assert await venue.fetch_record(self.unknown_venue_order_id, request.instrument_id) is None

    async def test_orders_by_hand_are_seen_and_are_not_ours(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        ours = self.request(clock)
        await venue.create_order(ours)
        self.rig.twin.control.trade(self.rig.key, self.rig.symbol, Side.BUY, self.quantity, self.limit_price)
        records = await venue.fetch_open_records()
        assert len(records) == 2
        assert {record.order_id for record in records} == {ours.order_id, None}
        assert [report.order_id for report in await venue.fetch_open_orders()] == [ours.order_id]

    async def test_records_are_complete_also_those_without_a_fill(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        since_ts = clock.now_ns()
        for _ in range(self.more_than_a_page):
            clock.advance(0.01)
            self.rig.twin.control.trade(
                self.rig.key, self.rig.symbol, Side.BUY, self.quantity, self.limit_price
            )
        self.rig.twin.control.cancel_all(self.rig.key)
        clock.advance(0.01)
        request = self.request(clock)
        await venue.create_order(request)
        await self.settle()
        records = await venue.fetch_records_since(since_ts)
        assert len({record.venue_order_id for record in records}) == len(records)
        assert len(records) == self.more_than_a_page + 1
        assert [record.created_at for record in records] == sorted(record.created_at for record in records)
        assert records[-1].order_id == request.order_id
        assert {record.status for record in records[:-1]} == {VenueStatus.CANCELED}

    async def test_fills_are_complete_and_explain_the_balances_to_the_last_digit(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        rig, since_ts = self.rig, clock.now_ns()
        before = {asset: rig.balance(asset)[0] for asset in (rig.base, rig.quote)}
        for count in range(self.more_than_a_page):
            clock.advance(0.01)
            side = Side.SELL if count % 3 == 0 else Side.BUY
            rig.twin.control.trade(rig.key, rig.symbol, side, self.quantity)
        await venue.create_order(self.market_order(clock, Side.BUY, "m"))
        await self.settle()
        fills = await venue.fetch_fills_since(since_ts)
        assert len({fill.venue_trade_id for fill in fills}) == len(fills) == self.more_than_a_page + 1
        assert [fill.executed_at for fill in fills] == sorted(fill.executed_at for fill in fills)
        expected = dict(before)
        for fill in fills:
            sign = 1 if fill.side is Side.BUY else -1
            expected[rig.base] += sign * fill.quantity
            expected[rig.quote] -= sign * fill.quantity * fill.price
            expected[self.asset_names.get(fill.fee_asset, fill.fee_asset)] -= fill.fee_amount
        assert expected == {asset: rig.balance(asset)[0] for asset in expected}

    async def test_what_is_older_than_asked_for_is_left_out(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        await venue.create_order(self.market_order(clock, Side.BUY, "old"))
        clock.advance(3_600)
        self.calm()
        since_ts = clock.now_ns()
        request = self.market_order(clock, Side.BUY, "new")
        await venue.create_order(request)
        await self.settle()
        (fill,) = await venue.fetch_fills_since(since_ts)
        (record,) = await venue.fetch_records_since(since_ts)
        assert record.order_id == request.order_id
        assert fill.venue_order_id == record.venue_order_id

    # -- money ---------------------------------------------------------------------------------------------

    async def test_balances_are_the_exchanges(self, venue: ExchangeAccount, clock: HandClock) -> None:
        await venue.create_order(self.request(clock))
        balances = await venue.fetch_balances()
        for name in (self.rig.base, self.rig.quote):
            total, held = self.rig.balance(name)
            balance = balances[self.asset(name)]
            assert (balance.total, balance.reserved) == (total, held)
        assert balances[self.asset(self.rig.quote)].reserved > 0
        assert all(balance.total for balance in balances.values())

    async def test_fees_are_the_accounts_own_with_their_source(self, venue: ExchangeAccount) -> None:
        market = self.rig.twin.twin.exchange.markets[self.rig.symbol]
        fees = await venue.fetch_fees(self.rig.instrument)
        assert (fees.maker, fees.taker) == (market.maker_rate, market.taker_rate)
        assert fees.source

    # -- the stream ----------------------------------------------------------------------------------------

    async def test_the_stream_begins_with_a_gap_and_tells_orders_fills_and_balances(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        async with self.listening(venue) as heard:
            assert isinstance(heard[0], StreamGap)
            request = self.request(clock)
            await venue.create_order(request)
            await self.until(lambda: any(tells_order(event, request) for event in heard))
            await self.until(lambda: any(isinstance(event, BalanceChanged) for event in heard))
            count = len(heard)
            self.trade_through(venue, self.limit_price)
            await self.until(lambda: any(tells_fill(event, request) for event in heard[count:]))

    async def test_a_stream_that_breaks_off_comes_back_with_a_gap(
        self, venue: ExchangeAccount, clock: HandClock
    ) -> None:
        async with self.listening(venue) as heard:
            count = len(heard)
            self.rig.twin.control.disconnect()
            await self.until(lambda: any(isinstance(event, StreamGap) for event in heard[count:]))
            await self.until(self.is_streaming)
            count = len(heard)
            request = self.request(clock)
            await venue.create_order(request)
            await self.until(lambda: any(tells_order(event, request) for event in heard[count:]))

    @asynccontextmanager
    async def listening(self, venue: ExchangeAccount) -> AsyncIterator[Sequence[AccountEvent]]:
        """Collect what the stream says, from when it is connected."""
        heard: list[AccountEvent] = []

        async def listen() -> None:
            async for event in venue.events():
                heard.append(event)

        task = asyncio.create_task(listen())
        try:
            await self.until(lambda: bool(heard) and self.is_streaming())
            yield heard
        finally:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError)

    def is_streaming(self) -> bool:
        """Return whether the exchange has the account's stream open."""
        return bool(self.rig.twin.twin.connections_of(self.rig.key))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something, with time going on."""
        async with asyncio.timeout(20):
            while not holds():
                self.rig.clock.advance(0.05)
                await asyncio.sleep(0.005)

    # -- capabilities --------------------------------------------------------------------------------------

    async def test_capabilities_say_something_of_everything(self, venue: ExchangeAccount) -> None:
        table = venue.capabilities.table
        assert len(table) >= 15
        assert all(row.note.endswith(".") for row in table.values())


def tells_order(event: AccountEvent, request: OrderRequest) -> bool:
    return isinstance(event, OrderChanged) and event.client_order_id in (None, request.client_order_id)


def tells_fill(event: AccountEvent, request: OrderRequest) -> bool:
    if isinstance(event, FillReported):
        return event.fill.client_order_id in (None, request.client_order_id)
    return tells_order(event, request)
