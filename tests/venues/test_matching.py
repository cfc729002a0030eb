"""Matching one order with one tick: what holds for every book and every quote."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.market import NO_TS, EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderRequest
from amarktai.venues.matching import Match, Phase, match_tick, phase_of, read_tick
from tests.fakes import HandClock, SeededIds

LOT = Decimal("0.01")
INSTRUMENT = Instrument(
    venue=Platform.BINANCE,
    base="BTC",
    quote="USDT",
    tick_size=Decimal(1),
    lot_size=LOT,
    min_quantity=LOT,
    min_notional=ZERO,
    fees=Fees(ZERO, ZERO, "test"),
)
LEVELS = st.dictionaries(st.integers(80, 99), st.integers(1, 500), max_size=8)
QUANTITY = st.integers(1, 2_000).map(lambda lots: lots * LOT)


def order(side: Side, kind: OrderType, quantity: Decimal, price: int | None) -> OrderRequest:
    limit = None if price is None else Decimal(price)
    return OrderRequest(
        order_id=SeededIds(HandClock()).new(),
        instrument_id=INSTRUMENT.id,
        side=side,
        type=kind,
        quantity=quantity,
        price=limit if kind is OrderType.LIMIT else None,
        stop_price=limit if kind is OrderType.STOP_MARKET else None,
        post_only=False,
        reduce_only=False,
        oco_group=None,
        sent_ts=0,
        deadline_ts=NO_TS,
    )


def book_of(bids: dict[int, int], asks: dict[int, int]) -> OrderBook:
    book = OrderBook()
    book.load(
        {float(price): lots / 100 for price, lots in bids.items()},
        {float(price + 21): lots / 100 for price, lots in asks.items()},
    )
    return book


def match(request: OrderRequest, book: OrderBook | None, *, arrived: bool) -> Match:
    tick = read_tick(EventKind.QUOTE, 1, 99.0, 101.0, book)
    return match_tick(phase_of(request, arrived=arrived), INSTRUMENT, request, request.quantity, tick)


def filled(result: Match) -> Decimal:
    return sum((execution.quantity for execution in result.executions), ZERO)


@given(bids=LEVELS, asks=LEVELS, quantity=QUANTITY, side=st.sampled_from(Side))
def test_a_market_order_takes_the_best_levels_and_no_more_than_they_show(
    bids: dict[int, int], asks: dict[int, int], quantity: Decimal, side: Side
) -> None:
    book = book_of(bids, asks)
    result = match(order(side, OrderType.MARKET, quantity, None), book, arrived=False)
    levels = book.asks if side is Side.BUY else book.bids
    shown = sum((Decimal(str(size)) for size in levels.values()), ZERO)
    assert filled(result) == min(quantity, shown)
    assert bool(result.cancel_reason) == (shown < quantity)
    prices = [execution.price for execution in result.executions]
    assert prices == sorted(prices, reverse=side is Side.SELL)
    assert all(execution.liquidity is Liquidity.TAKER for execution in result.executions)


@given(
    bids=LEVELS,
    asks=LEVELS,
    quantity=QUANTITY,
    side=st.sampled_from(Side),
    price=st.integers(75, 125),
    arrived=st.booleans(),
)
def test_a_limit_order_never_fills_beyond_its_price_or_its_quantity(
    bids: dict[int, int], asks: dict[int, int], quantity: Decimal, side: Side, price: int, arrived: bool
) -> None:
    request = order(side, OrderType.LIMIT, quantity, price)
    result = match(request, book_of(bids, asks), arrived=arrived)
    assert filled(result) <= quantity
    assert not result.cancel_reason
    for execution in result.executions:
        assert execution.price <= price if side is Side.BUY else execution.price >= price
        assert execution.liquidity is (Liquidity.MAKER if arrived else Liquidity.TAKER)
        assert execution.price == price or not arrived


@given(stop=st.integers(90, 110), side=st.sampled_from(Side), quantity=QUANTITY)
def test_a_stop_fills_when_the_price_that_it_would_get_has_reached_it(
    stop: int, side: Side, quantity: Decimal
) -> None:
    result = match(order(side, OrderType.STOP_MARKET, quantity, stop), None, arrived=True)
    reached = stop <= 101 if side is Side.BUY else stop >= 99
    assert filled(result) == (quantity if reached else ZERO)


def test_orders_are_served_in_the_sequence_of_their_phases() -> None:
    one = Decimal(1)
    assert phase_of(order(Side.BUY, OrderType.MARKET, one, None), arrived=False) is Phase.MARKET
    assert phase_of(order(Side.BUY, OrderType.LIMIT, one, 90), arrived=False) is Phase.ARRIVAL
    assert phase_of(order(Side.SELL, OrderType.STOP_MARKET, one, 90), arrived=True) is Phase.STOP
    assert phase_of(order(Side.BUY, OrderType.LIMIT, one, 90), arrived=True) is Phase.RESTING
    assert sorted(Phase) == [Phase.MARKET, Phase.ARRIVAL, Phase.STOP, Phase.RESTING]
