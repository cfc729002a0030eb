"""The paper venue on bars, quotes and books, and through a restart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Liquidity
from amarktai.domain.fill_model import BUDGET_SPENT
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.market import NO_TS, EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import Order, OrderState, OrderType, Side
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    VenueRejected,
    VenueStatus,
    WakeConditions,
)
from amarktai.venues.paper import HISTORY_LIMIT, PaperVenue
from tests.fakes import HandClock, SeededIds

D = Decimal
INSTRUMENT = Instrument(
    venue=Platform.BINANCE,
    base="BTC",
    quote="USDT",
    tick_size=D("0.01"),
    lot_size=D("0.001"),
    min_quantity=D("0.001"),
    min_notional=D(5),
    fees=Fees(maker=D("0.0005"), taker=D("0.001"), source="test"),
)
ID = INSTRUMENT.id
HOUR_NS = 3_600_000_000_000


class Market:
    """A paper venue with one instrument, and the events that a test shows to it."""

    def __init__(self, history_limit: int = HISTORY_LIMIT) -> None:
        self.clock = HandClock()
        self.ids = SeededIds(self.clock)
        self.venue = PaperVenue(
            platform=Platform.BINANCE,
            account="paper",
            instruments=[INSTRUMENT],
            origin=Origin.SYNTHETIC,
            clock=self.clock,
            history_limit=history_limit,
        )

    async def place(
        self,
        side: Side,
        kind: OrderType,
        quantity: str = "1",
        *,
        at: str | None = None,
        bot: int = 1,
        **more: object,
    ) -> UUID:
        """Create an order; ``at`` is the limit or the stop price."""
        price = None if at is None else D(at)
        stop = kind is OrderType.STOP_MARKET
        request = OrderRequest(
            order_id=self.ids.new(),
            instrument_id=ID,
            side=side,
            type=kind,
            quantity=D(quantity),
            price=None if stop else price,
            stop_price=price if stop else None,
            post_only=bool(more.get("post_only")),
            reduce_only=False,
            oco_group=str(more["group"]) if "group" in more else None,
            sent_ts=self.clock.now_ns(),
            deadline_ts=NO_TS,
            bot_id=UUID(int=bot),
            budget=D(str(more["budget"])) if "budget" in more else None,
        )
        await self.venue.create_order(request)
        return request.order_id

    def _show(self, kind: EventKind, *values: float, book: OrderBook | None = None) -> list[OrderReport]:
        a, b, c, d, e = (*values, *([0.0] * (5 - len(values))))
        self._last = (ID, kind, self.clock.now_ns(), a, b, c, d, e, book)
        return self.venue.on_event(*self._last)

    def begin(self, price: float) -> list[OrderReport]:
        return self._show(EventKind.BAR_OPEN, price)

    def close(self, first: float, high: float, low: float, last: float) -> list[OrderReport]:
        self.clock.advance(3600)
        return self._show(EventKind.BAR_CLOSE, first, high, low, last, 1.0)

    def quote(
        self, bid: float, ask: float, *, after_s: float = 1, book: OrderBook | None = None
    ) -> list[OrderReport]:
        self.clock.advance(after_s)
        return self._show(EventKind.QUOTE, bid, ask, book=book)

    def trade(self, price: float, quantity: float, *, book: OrderBook | None = None) -> list[OrderReport]:
        self.clock.advance(1)
        return self._show(EventKind.TRADE, price, quantity, 1.0, book=book)

    def more(self) -> list[OrderReport]:
        """Show the last event again, as an engine does until nothing comes."""
        return self.venue.on_event(*self._last)

    @property
    def wake(self) -> WakeConditions:
        return self.venue.wake_conditions(ID)


def book_of(bids: dict[float, float], asks: dict[float, float]) -> OrderBook:
    book = OrderBook()
    book.load(bids, asks)
    return book


@pytest.fixture
def market() -> Market:
    return Market()


class TestBars:
    async def test_a_market_order_fills_at_the_next_open_with_slippage_and_taker_fee(
        self, market: Market
    ) -> None:
        market.close(99, 101, 98, 100)
        await market.place(Side.BUY, OrderType.MARKET, "2")
        (report,) = market.begin(100.013)
        (fill,) = report.fills
        assert report.status is VenueStatus.FILLED
        assert fill.price == D("100.07")  # 100.013 × 1.0005 = 100.0630065, up to the tick
        assert fill.fee_amount == D("0.20014000")
        assert fill.fee_asset == "USDT"
        assert fill.liquidity is Liquidity.TAKER
        assert fill.origin is Origin.SYNTHETIC

    async def test_a_market_order_placed_inside_a_bar_waits_for_the_next_open(self, market: Market) -> None:
        market.begin(100)
        await market.place(Side.SELL, OrderType.MARKET)
        assert market.close(100, 110, 90, 105) == []
        (report,) = market.begin(105)
        assert report.fills[0].price == D("104.94")

    async def test_a_touch_does_not_fill_a_resting_limit(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, at="95")
        assert market.begin(100) == []
        assert market.close(100, 101, 95, 96) == []
        market.begin(96)
        (report,) = market.close(96, 97, 94.99, 95)
        assert report.fills[0].price == D(95)
        assert report.fills[0].liquidity is Liquidity.MAKER
        assert report.fills[0].fee_amount == D("0.0475")

    async def test_a_limit_that_crosses_the_open_is_a_taker(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, at="101")
        (report,) = market.begin(100)
        assert report.fills[0].price == D("100.05")
        assert report.fills[0].liquidity is Liquidity.TAKER

    async def test_a_post_only_limit_that_would_cross_the_open_is_ended(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, at="101", post_only=True)
        (report,) = market.begin(100)
        assert report.status is VenueStatus.CANCELED
        assert "post-only" in report.reason
        assert report.fills == ()

    async def test_the_stop_wins_over_the_target_in_one_bar_and_cancels_it(self, market: Market) -> None:
        market.begin(100)
        target = await market.place(Side.SELL, OrderType.LIMIT, at="105", group="exit")
        stop = await market.place(Side.SELL, OrderType.STOP_MARKET, at="95", group="exit")
        reports = {report.order_id: report for report in market.close(100, 106, 94, 100)}
        assert reports[stop].status is VenueStatus.FILLED
        assert reports[stop].fills[0].price == D("94.95")
        assert reports[target].status is VenueStatus.CANCELED
        assert market.more() == []
        assert await market.venue.fetch_open_orders() == []

    async def test_a_gap_through_the_stop_fills_at_the_worse_open(self, market: Market) -> None:
        market.begin(100)
        await market.place(Side.SELL, OrderType.STOP_MARKET, at="95")
        market.close(100, 101, 99, 100)
        market.begin(90)
        (report,) = market.close(90, 96, 89, 95)
        assert report.fills[0].price == D("89.95")

    async def test_a_stop_placed_in_answer_to_a_fill_inside_the_bar_takes_part_in_it(
        self, market: Market
    ) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, at="97")
        market.begin(100)
        assert len(market.close(100, 101, 90, 95)) == 1
        stop = await market.place(Side.SELL, OrderType.STOP_MARKET, at="92")
        target = await market.place(Side.SELL, OrderType.LIMIT, at="100.5")
        (report,) = market.more()
        assert report.order_id == stop
        assert market.more() == []
        assert [report.order_id for report in await market.venue.fetch_open_orders()] == [target]

    async def test_fills_that_nobody_asked_for_come_with_the_next_row(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, at="97")
        await market.place(Side.BUY, OrderType.LIMIT, at="96")
        market.begin(100)
        first = market.close(100, 101, 90, 95)
        late = market.begin(95)
        assert [len(first), len(late)] == [1, 1]
        assert late[0].at == first[0].at

    async def test_bots_do_not_wait_for_each_other(self, market: Market) -> None:
        for bot in range(5):
            await market.place(Side.BUY, OrderType.MARKET, bot=bot + 1)
            await market.place(Side.BUY, OrderType.LIMIT, at="95", bot=bot + 1)
            await market.place(Side.BUY, OrderType.LIMIT, at="94", bot=bot + 1)
        assert len(market.begin(100)) == 5
        assert market.more() == []
        assert [report.fills[0].price for report in market.close(100, 101, 90, 95)] == [D(95)] * 5
        assert [report.fills[0].price for report in market.more()] == [D(94)] * 5
        assert market.more() == []

    async def test_an_equal_row_that_follows_is_another_event(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, "3", at="95")
        market.quote(99, 100)
        assert len(market.trade(94, 1)) == 1
        assert market.more() == []
        (report,) = market.more()
        assert report.filled_quantity == D(2)

    async def test_a_group_name_may_serve_again(self, market: Market) -> None:
        for _ in range(2):
            market.begin(100)
            await market.place(Side.SELL, OrderType.LIMIT, at="105", group="exit")
            await market.place(Side.SELL, OrderType.STOP_MARKET, at="95", group="exit")
            reports = market.close(100, 101, 94, 100)
            assert sorted(report.status for report in reports) == [VenueStatus.CANCELED, VenueStatus.FILLED]
            assert market.more() == []

    async def test_bars_no_longer_fill_once_there_are_quotes(self, market: Market) -> None:
        market.quote(99, 101)
        await market.place(Side.BUY, OrderType.MARKET)
        assert market.begin(100) == []
        assert market.close(100, 120, 80, 100) == []
        assert not market.wake.every_bar


class TestQuotes:
    async def test_a_taker_pays_the_ask_of_the_first_quote_after_the_latency(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.MARKET)
        assert market.quote(99, 100, after_s=0.249) == []
        (report,) = market.quote(101, 102, after_s=0.001)
        assert report.fills[0].price == D(102)

    async def test_a_resting_limit_needs_the_other_side_strictly_beyond_it(self, market: Market) -> None:
        buy = await market.place(Side.BUY, OrderType.LIMIT, at="100")
        sell = await market.place(Side.SELL, OrderType.LIMIT, at="105")
        assert market.quote(101, 102) == []
        assert market.quote(99, 100) == []
        assert [report.order_id for report in market.quote(98, 99.99)] == [buy]
        assert market.quote(105, 106) == []
        (report,) = market.quote(105.01, 106)
        assert report.order_id == sell
        assert report.fills[0].price == D(105)
        assert report.fills[0].liquidity is Liquidity.MAKER

    async def test_a_crossing_limit_takes_the_better_quote(self, market: Market) -> None:
        await market.place(Side.SELL, OrderType.LIMIT, at="95")
        (report,) = market.quote(99, 100)
        assert report.fills[0].price == D(99)
        assert report.fills[0].liquidity is Liquidity.TAKER

    async def test_a_stop_sells_at_the_bid_that_reached_it(self, market: Market) -> None:
        await market.place(Side.SELL, OrderType.STOP_MARKET, at="95")
        assert market.quote(95.01, 96) == []
        (report,) = market.quote(93, 94)
        assert report.fills[0].price == D(93)

    async def test_a_post_only_order_that_would_trade_is_refused(self, market: Market) -> None:
        market.quote(99, 100)
        with pytest.raises(VenueRejected) as refused:
            await market.place(Side.BUY, OrderType.LIMIT, at="100", post_only=True)
        assert refused.value.code == "POST_ONLY_WOULD_TAKE"

    async def test_a_post_only_order_that_the_market_meets_on_its_way_is_ended(self, market: Market) -> None:
        market.quote(99, 100)
        await market.place(Side.BUY, OrderType.LIMIT, at="99.5", post_only=True)
        (report,) = market.quote(98, 99)
        assert report.status is VenueStatus.CANCELED

    async def test_a_print_beyond_a_limit_fills_it_up_to_its_size(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.LIMIT, "2", at="100")
        market.quote(101, 102)
        assert market.trade(100, 5) == []
        (first,) = market.trade(99.99, 0.75)
        assert (first.status, first.filled_quantity) == (VenueStatus.OPEN, D("0.75"))
        (second,) = market.trade(99.5, 9)
        assert (second.status, second.filled_quantity) == (VenueStatus.FILLED, D(2))
        assert [fill.price for fill in second.fills] == [D(100), D(100)]

    async def test_a_print_is_no_offer_for_a_taker(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.MARKET)
        assert market.trade(100, 5) == []

    async def test_small_orders_are_refused_by_the_last_known_price(self, market: Market) -> None:
        market.quote(99, 100)
        with pytest.raises(VenueRejected) as refused:
            await market.place(Side.BUY, OrderType.MARKET, "0.049")
        assert refused.value.code == "BELOW_MIN_NOTIONAL"
        await market.place(Side.BUY, OrderType.MARKET, "0.05")


class TestBooks:
    async def test_a_taker_walks_the_levels(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.MARKET, "3")
        book = book_of({99.0: 5.0}, {100.0: 1.0, 101.0: 1.5, 102.0: 9.0})
        (report,) = market.quote(99, 100, book=book)
        assert [(fill.price, fill.quantity) for fill in report.fills] == [
            (D(100), D(1)),
            (D(101), D("1.5")),
            (D(102), D("0.5")),
        ]
        assert report.status is VenueStatus.FILLED

    async def test_what_the_book_does_not_show_is_canceled(self, market: Market) -> None:
        await market.place(Side.SELL, OrderType.MARKET, "3")
        (report,) = market.quote(99, 100, book=book_of({99.0: 1.0, 98.0: 0.5004}, {100.0: 1.0}))
        assert report.status is VenueStatus.CANCELED
        assert report.filled_quantity == D("1.5")
        assert "exhausted" in report.reason

    async def test_the_rest_of_a_crossing_limit_rests(self, market: Market) -> None:
        order_id = await market.place(Side.BUY, OrderType.LIMIT, "3", at="100.5")
        book = book_of({99.0: 5.0}, {100.0: 1.0, 101.0: 9.0})
        (report,) = market.quote(99, 100, book=book)
        assert (report.status, report.filled_quantity) == (VenueStatus.OPEN, D(1))
        (report,) = market.quote(99, 100, book=book_of({99.0: 5.0}, {100.0: 0.5, 100.5: 7.0}))
        assert report.filled_quantity == D("1.5")
        assert report.fills[-1].price == D("100.5")
        assert report.fills[-1].liquidity is Liquidity.MAKER
        assert report.order_id == order_id

    async def test_two_exits_never_sell_twice(self, market: Market) -> None:
        stop = await market.place(Side.SELL, OrderType.STOP_MARKET, "1", at="95", group="exit")
        target = await market.place(Side.SELL, OrderType.LIMIT, "1", at="105", group="exit")
        book = book_of({99.0: 5.0}, {100.0: 5.0})
        market.quote(99, 100, book=book)
        (partly,) = market.trade(106, 0.3, book=book)
        assert (partly.order_id, partly.filled_quantity) == (target, D("0.3"))
        reports = {r.order_id: r for r in market.quote(94, 95, book=book_of({94.0: 5.0}, {95.0: 5.0}))}
        assert reports[stop].filled_quantity == D("0.7")
        assert reports[stop].status is reports[target].status is VenueStatus.CANCELED

    async def test_an_exit_placed_after_a_partial_one_sells_its_own_quantity(self, market: Market) -> None:
        target = await market.place(Side.SELL, OrderType.LIMIT, "1", at="105", group="exit")
        book = book_of({99.0: 5.0}, {100.0: 5.0})
        market.quote(99, 100, book=book)
        market.trade(106, 0.3, book=book)
        await market.venue.cancel_order(target, ID)
        await market.place(Side.SELL, OrderType.STOP_MARKET, "0.7", at="95", group="exit")
        (report,) = market.quote(94, 95, book=book_of({94.0: 5.0}, {95.0: 5.0}))
        assert (report.status, report.filled_quantity) == (VenueStatus.FILLED, D("0.7"))


class TestWakeConditions:
    async def test_nothing_rests(self, market: Market) -> None:
        assert market.wake == WakeConditions()

    async def test_they_are_the_nearest_prices(self, market: Market) -> None:
        market.quote(99, 100)
        for price in ("95", "97"):
            await market.place(Side.BUY, OrderType.LIMIT, at=price)
            await market.place(Side.SELL, OrderType.STOP_MARKET, at=price)
        for price in ("110", "108"):
            await market.place(Side.SELL, OrderType.LIMIT, at=price)
            await market.place(Side.BUY, OrderType.STOP_MARKET, at=price)
        assert market.wake.at_ts == market.clock.now_ns() + 250_000_000
        market.quote(99, 100)
        assert market.wake == WakeConditions(ask_below=97, bid_above=108, bid_below=97, ask_above=108)

    @given(
        quotes=st.lists(st.tuples(st.integers(90, 110), st.integers(1, 5)), min_size=1, max_size=30),
        orders=st.lists(
            st.tuples(st.sampled_from(Side), st.sampled_from(OrderType), st.integers(90, 110)), max_size=6
        ),
    )
    async def test_skipping_rows_that_do_not_wake_changes_nothing(
        self, quotes: list[tuple[int, int]], orders: list[tuple[Side, OrderType, int]]
    ) -> None:
        """An engine that shows only the rows that meet a condition gets the same fills."""
        results = []
        for skipping in (False, True):
            market = Market()
            fills = []
            market.quote(100, 101)
            for side, kind, price in orders:
                await market.place(side, kind, at=None if kind is OrderType.MARKET else str(price))
            for bid, spread in quotes:
                ask, wake = bid + spread, market.wake
                due = (
                    ask < wake.ask_below
                    or bid > wake.bid_above
                    or bid <= wake.bid_below
                    or ask >= wake.ask_above
                    or market.clock.now_ns() + 100_000_000 >= wake.at_ts
                )
                if due or not skipping:
                    fills += market.quote(bid, ask, after_s=0.1)
                else:
                    market.clock.advance(0.1)
            results.append([report for report in fills])
        assert results[0] == results[1]


class TestRecords:
    async def test_orders_survive_a_restart_only_by_being_restored(self, market: Market) -> None:
        order_id = await market.place(Side.BUY, OrderType.LIMIT, "2", at="100")
        market.quote(101, 102)
        (partly,) = market.trade(99, 0.5)
        later = Market()
        assert await later.venue.fetch_order(order_id, ID) is None
        later.venue.restore([_order(order_id, D("0.5"))])
        later.clock.advance(60)
        later.quote(101, 102)
        (report,) = later.trade(99, 5)
        assert report.filled_quantity == D(2)
        assert report.status is VenueStatus.FILLED
        assert [fill.quantity for fill in report.fills] == [D("1.5")]
        assert report.fills[0].venue_trade_id != partly.fills[0].venue_trade_id

    async def test_a_fill_that_was_not_booked_before_the_restart_keeps_its_id(self, market: Market) -> None:
        order_id = await market.place(Side.BUY, OrderType.LIMIT, "2", at="100")
        market.quote(101, 102)
        (first,) = market.quote(98, 99)
        later = Market()
        later.venue.restore([_order(order_id, ZERO)])
        (again,) = later.quote(98, 99)
        assert again.fills[0].venue_trade_id == first.fills[0].venue_trade_id

    async def test_a_closed_order_can_be_restored_into_the_records(self, market: Market) -> None:
        order = replace(_order(market.ids.new(), D(2)), state=OrderState.FILLED)
        market.venue.restore([order])
        report = await market.venue.fetch_order(order.id, ID)
        assert report is not None
        assert report.status is VenueStatus.FILLED
        assert await market.venue.fetch_open_orders() == []

    async def test_an_order_of_another_venue_is_not_restored(self, market: Market) -> None:
        with pytest.raises(BrokenInvariant):
            market.venue.restore([replace(_order(market.ids.new(), ZERO), instrument_id="luno:BTC/ZAR")])

    async def test_records_that_were_dropped_prove_no_absence(self) -> None:
        market = Market(history_limit=1)
        before = market.ids.new()
        for _ in range(3):
            market.clock.advance(1)
            order_id = await market.place(Side.BUY, OrderType.LIMIT, at="100")
            await market.venue.cancel_order(order_id, ID)
        with pytest.raises(OutcomeUnknown):
            await market.venue.fetch_order(before, ID)
        assert await market.venue.fetch_order(order_id, ID) is not None
        market.clock.advance(1)
        assert await market.venue.fetch_order(market.ids.new(), ID) is None

    async def test_only_what_the_venue_trades_can_be_shown_to_it(self, market: Market) -> None:
        with pytest.raises(BrokenInvariant):
            market.venue.on_event("luno:BTC/ZAR", EventKind.BAR_OPEN, 0, 1.0, 0, 0, 0, 0)


def _order(order_id: UUID, filled: Decimal) -> Order:
    return Order(
        id=order_id,
        user_id=order_id,
        book_id=order_id,
        bot_id=order_id,
        instrument_id=ID,
        tag="entry",
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=D(2),
        price=D(100),
        stop_price=None,
        post_only=False,
        reduce_only=False,
        oco_group=None,
        reason="",
        state=OrderState.PARTIAL if filled else OrderState.OPEN,
        filled_quantity=filled,
        reserved_asset="USDT",
        reserved_amount=D(200),
    )


class TestBudget:
    """A buy never costs more than was reserved for it."""

    async def test_a_gap_up_fills_what_the_budget_pays_and_cancels_the_rest(self, market: Market) -> None:
        market.close(99, 101, 98, 100)
        await market.place(Side.BUY, OrderType.MARKET, "2", budget="201.2")
        (report,) = market.begin(103)
        (fill,) = report.fills
        assert (fill.price, fill.quantity) == (D("103.06"), D("1.950"))
        assert fill.notional + fill.fee_amount <= D("201.2") < D("1.951") * fill.price * D("1.001")
        assert (report.status, report.filled_quantity) == (VenueStatus.CANCELED, D("1.950"))
        assert report.reason == BUDGET_SPENT
        assert list(await market.venue.fetch_open_orders()) == []

    async def test_a_budget_that_pays_no_lot_fills_nothing(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.MARKET, "0.05", budget="5")
        (report,) = market.begin(10_000)
        assert (report.status, report.fills, report.reason) == (VenueStatus.CANCELED, (), BUDGET_SPENT)

    async def test_levels_of_a_book_are_bought_while_the_budget_lasts(self, market: Market) -> None:
        await market.place(Side.BUY, OrderType.MARKET, "3", budget="251")
        book = OrderBook()
        book.load({99.0: 5.0}, {100.0: 1.0, 101.0: 1.0, 102.0: 5.0})
        (report,) = market.quote(99, 100, book=book)
        assert [(fill.price, fill.quantity) for fill in report.fills] == [
            (D(100), D(1)), (D(101), D(1)), (D(102), D("0.487"))
        ]  # fmt: skip
        cost = sum(fill.notional + fill.fee_amount for fill in report.fills)
        assert cost <= D(251) < cost + D("0.001") * 102 * D("1.001")
        assert (report.status, report.reason) == (VenueStatus.CANCELED, BUDGET_SPENT)
