"""The engine: priority, exact balances, and what each kind of order does."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.order import Side
from amarktai.twins.accounts import InsufficientFunds
from amarktai.twins.matching import Event, Exchange
from amarktai.twins.orders import BookChange, Change, OrderChange, State, Stop, TimeInForce
from amarktai.twins.rules import ClientIds, Reason, Refused, fee_in_quote
from tests.twins.exchanges import NOW, check_sound, make_exchange, submit, wish

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def refused(exchange: Exchange, *args: Any, **more: Any) -> Reason:
    with pytest.raises(Refused) as refusal:
        submit(exchange, *args, **more)
    return refusal.value.reason


# -- priority and price --------------------------------------------------------------------------------


def test_best_price_then_oldest_first_at_the_makers_price() -> None:
    exchange = make_exchange()
    late = submit(exchange, "ann", SELL, "1", "101")
    first = submit(exchange, "ann", SELL, "1", "100")
    second = submit(exchange, "ann", SELL, "1", "100")
    taker = submit(exchange, "bob", BUY, "2.5", "101")
    assert [(f.trade.maker_order, f.trade.price, f.trade.quantity) for f in taker.fills] == [
        (first.id, D(100), D(1)),
        (second.id, D(100), D(1)),
        (late.id, D(101), D("0.5")),
    ]
    assert (taker.state, late.state, late.remaining) == (State.FILLED, State.OPEN, D("0.5"))
    check_sound(exchange)


def test_what_a_better_price_saves_is_released_at_once() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "90")
    order = submit(exchange, "bob", BUY, "3", "100")
    usd = exchange.balances.get("bob", "USD")
    assert (usd.total, usd.held) == (D(910), D(200))
    assert order.held == D(200)


def test_buyers_pay_fees_in_base_and_sellers_in_quote() -> None:
    exchange = make_exchange()
    maker = submit(exchange, "ann", SELL, "1", "100")
    taker = submit(exchange, "bob", BUY, "1", "100")
    assert (maker.fees, taker.fees) == ({"USD": D("0.1")}, {"BTC": D("0.002")})
    assert exchange.balances.get("ann", "USD").total == D("1099.9")
    assert exchange.balances.get("bob", "BTC").total == D("10.998")
    check_sound(exchange)


def test_a_fee_in_quote_is_held_on_top() -> None:
    exchange = make_exchange(fee=fee_in_quote(8, ROUND_HALF_UP), holds_fee=True)
    assert submit(exchange, "bob", BUY, "1", "100").held == D("100.2")
    submit(exchange, "ann", SELL, "1", "100")
    assert exchange.balances.get("bob", "USD").total == D("899.9")  # it waited: the maker's rate
    assert refused(exchange, "bob", BUY, "8.99", "100") is Reason.INSUFFICIENT_FUNDS
    check_sound(exchange)


def test_a_rebate_comes_from_the_exchange() -> None:
    exchange = make_exchange(fee=lambda asked: (asked.market.quote, D(-1)))
    submit(exchange, "ann", SELL, "1", "100")
    submit(exchange, "bob", BUY, "1", "100")
    assert exchange.balances.get("ann", "USD").total == D(1101)
    check_sound(exchange)


# -- kinds of orders -----------------------------------------------------------------------------------


def test_post_only_never_takes() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "100")
    assert refused(exchange, "bob", BUY, "1", "100", post_only=True) is Reason.WOULD_MATCH
    assert submit(exchange, "bob", BUY, "1", "99.9", post_only=True).state is State.OPEN
    cancelling = make_exchange(post_only_fails_as_cancelled=True)
    submit(cancelling, "ann", SELL, "1", "100")
    assert submit(cancelling, "bob", BUY, "1", "100", post_only=True).state is State.CANCELLED
    check_sound(cancelling)


def test_ioc_takes_what_there_is_and_fok_all_or_nothing() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "100")
    killed = submit(exchange, "bob", BUY, "2", "100", time_in_force=TimeInForce.FOK)
    assert (killed.state, killed.filled) == (State.EXPIRED, D(0))
    taken = submit(exchange, "bob", BUY, "2", "100", time_in_force=TimeInForce.IOC)
    assert (taken.state, taken.filled) == (State.EXPIRED, D(1))
    check_sound(exchange)


def test_a_market_order_by_quote_buys_whole_lots_and_never_overspends() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "99.7")
    submit(exchange, "ann", SELL, "1", "100.3")
    order = submit(exchange, "bob", BUY, None, quote_quantity=D("150"))
    assert order.state is State.FILLED
    assert D("150") - D("100.3") * D("0.001") < order.filled_quote <= D(150)
    assert order.filled % D("0.001") == 0
    check_sound(exchange)


def test_a_market_sale_by_quote_spans_levels() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", BUY, "1", "100")
    submit(exchange, "ann", BUY, "1", "99")
    order = submit(exchange, "bob", SELL, None, quote_quantity=D("150"))
    assert order.state is State.FILLED and len(order.fills) == 2
    check_sound(exchange)


def test_a_market_order_in_a_thin_book_expires_or_is_refused() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "100")
    order = submit(exchange, "bob", BUY, "2")
    assert (order.state, order.filled) == (State.EXPIRED, D(1))
    strict = make_exchange(market_fills_or_fails=True)
    submit(strict, "ann", SELL, "1", "100")
    assert refused(strict, "bob", BUY, "2") is Reason.NOT_ENOUGH_LIQUIDITY
    assert refused(strict, "bob", BUY, None, quote_quantity=D(101)) is Reason.NOT_ENOUGH_LIQUIDITY
    check_sound(strict)


def test_a_stop_waits_then_fires_at_its_price() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", BUY, "1", "100")
    submit(exchange, "bob", SELL, "1", "100")  # the last price is 100
    stop = submit(exchange, "bob", SELL, "2", "95", stop=Stop(D(98), rises=False))
    assert (stop.state, stop.held) == (State.AWAITING, D(2))
    submit(exchange, "ann", BUY, "5", "97")
    assert stop.state is State.AWAITING
    submit(exchange, "bob", SELL, "1", "97")
    assert (stop.state, stop.filled_quote) == (State.FILLED, D(194))
    check_sound(exchange)


def test_a_stop_that_would_fire_at_once_is_refused_and_a_waiting_one_can_be_cancelled() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", BUY, "1", "100")
    submit(exchange, "bob", SELL, "1", "100")
    assert refused(exchange, "bob", SELL, "1", stop=Stop(D(100), rises=False)) is Reason.STOP_WOULD_TRIGGER
    stop = submit(exchange, "bob", BUY, "1", "110", stop=Stop(D(105), rises=True))
    exchange.cancel(stop, NOW)
    assert exchange.live_orders("bob") == []
    check_sound(exchange)


def test_a_fired_market_stop_without_funds_expires() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "100")
    submit(exchange, "bob", BUY, "1", "100")
    stop = submit(exchange, "bob", BUY, "9", stop=Stop(D(101), rises=True))
    submit(exchange, "ann", SELL, "9", "101")
    submit(exchange, "bob", BUY, "0.001", "101")
    assert stop.state is State.EXPIRED and stop.reason == Reason.INSUFFICIENT_FUNDS.value
    check_sound(exchange)


def test_self_trades_as_the_exchange_rules() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", SELL, "1", "100")
    assert submit(exchange, "ann", BUY, "1", "100").state is State.FILLED
    check_sound(exchange)
    strict = make_exchange(refuses_self_trade=True)
    submit(strict, "ann", SELL, "1", "100")
    assert refused(strict, "ann", BUY, "1", "100") is Reason.SELF_TRADE


# -- ids, refusals, cancels ----------------------------------------------------------------------------


def test_client_ids_are_taken_while_open_or_for_ever() -> None:
    exchange = make_exchange()
    order = submit(exchange, "ann", SELL, "1", "100", client_id="x")
    assert refused(exchange, "ann", SELL, "1", "100", client_id="x") is Reason.DUPLICATE_CLIENT_ID
    assert submit(exchange, "bob", SELL, "1", "100", client_id="x").id != order.id
    exchange.cancel(order, NOW)
    again = submit(exchange, "ann", SELL, "1", "100", client_id="x")
    assert exchange.by_client_id("ann", "x") is again
    strict = make_exchange(client_ids=ClientIds.FOR_EVER)
    strict.cancel(submit(strict, "ann", SELL, "1", "100", client_id="x"), NOW)
    assert refused(strict, "ann", SELL, "1", "100", client_id="x") is Reason.DUPLICATE_CLIENT_ID


def test_a_refused_order_leaves_nothing_and_frees_its_client_id() -> None:
    exchange = make_exchange(client_ids=ClientIds.FOR_EVER)
    before = exchange.by_client_id("ann", "x")
    assert refused(exchange, "ann", BUY, "11", "100", client_id="x") is Reason.INSUFFICIENT_FUNDS
    assert exchange.orders == {} and exchange.by_client_id("ann", "x") is before is None
    assert submit(exchange, "ann", BUY, "1", "100", client_id="x").state is State.OPEN
    check_sound(exchange)


def test_failed_orders_are_kept_where_the_exchange_keeps_them() -> None:
    exchange = make_exchange(keeps_failed=True)
    with pytest.raises(Refused) as refusal:
        submit(exchange, "ann", BUY, "11", "100", client_id="x")
    order = refusal.value.order
    assert order is not None and order.state is State.FAILED
    assert exchange.by_client_id("ann", "x") is order
    live = submit(exchange, "ann", BUY, "1", "100", client_id="x")
    with pytest.raises(Refused) as refusal:
        submit(exchange, "ann", BUY, "1", "100", client_id="x")
    assert refusal.value.order is not None
    assert exchange.by_client_id("ann", "x") is live
    assert exchange.live_orders("ann") == [live]


def test_only_live_orders_can_be_cancelled() -> None:
    exchange = make_exchange()
    order = submit(exchange, "ann", SELL, "1", "100")
    exchange.cancel(order, NOW)
    assert exchange.balances.get("ann", "BTC").held == 0
    with pytest.raises(Refused, match="not live"):
        exchange.cancel(order, NOW)


def test_withdrawing_more_than_is_free_is_refused() -> None:
    exchange = make_exchange()
    submit(exchange, "ann", BUY, "9", "100")
    with pytest.raises(InsufficientFunds):
        exchange.deposit("ann", "USD", D(-101), NOW)
    exchange.deposit("ann", "USD", D(-100), NOW)
    check_sound(exchange)


# -- the crowd and what is told ------------------------------------------------------------------------


def test_the_crowds_new_quotes_trade_against_waiting_orders() -> None:
    exchange = make_exchange()
    exchange.set_crowd_book("BTCUSD", {D(99): D(1)}, {D(101): D(1)}, NOW)
    order = submit(exchange, "ann", BUY, "1", "100")
    exchange.set_crowd_book("BTCUSD", {D(97): D(1)}, {D(98): D(3)}, NOW)
    assert (order.state, order.filled_quote) == (State.FILLED, D(100))
    book = exchange.books["BTCUSD"]
    assert [(level.price, level.quantity) for level in book.asks.best_first()] == [(D(98), D(2))]
    exchange.crowd_takes("BTCUSD", BUY, D("0.5"), NOW)
    assert book.last == D(98)
    check_sound(exchange)


def test_every_change_is_told_once_and_in_order() -> None:
    exchange = make_exchange()
    told: list[Event] = []
    exchange.listeners.append(told.extend)
    submit(exchange, "ann", SELL, "1", "100")
    submit(exchange, "bob", BUY, "3", "100")
    books = [event for event in told if isinstance(event, BookChange)]
    assert [change.sequence for change in books] == [2, 3]
    assert (len(books[1].trades), books[1].created and books[1].created[3]) == (1, D(2))
    orders = [(event.change, event.state) for event in told if isinstance(event, OrderChange)]
    assert orders == [
        (Change.ACCEPTED, State.OPEN),
        (Change.ACCEPTED, State.OPEN),
        (Change.FILLED, State.FILLED),
        (Change.FILLED, State.OPEN),
    ]


def test_a_snapshot_stays_as_it_was() -> None:
    exchange = make_exchange()
    order = submit(exchange, "ann", SELL, "1", "100")
    old = exchange.snapshot()
    exchange.cancel(order, NOW)
    assert old.orders[order.id].state is State.OPEN
    assert old.listeners == []


# -- whatever happens ----------------------------------------------------------------------------------

_accounts = st.sampled_from(["ann", "bob"])
_sides = st.sampled_from([BUY, SELL])
_prices = st.integers(970, 1030).map(lambda ticks: str(D(ticks) / 10))
_quantities = st.integers(1, 6_000).map(lambda lots: str(D(lots) / 1000))
_stops = st.one_of(st.none(), st.builds(Stop, _prices.map(D), st.booleans()))
_limits = st.tuples(
    st.just("limit"),
    _accounts,
    _sides,
    _quantities,
    _prices,
    st.sampled_from(list(TimeInForce)),
    st.booleans(),
    _stops,
)
_markets = st.tuples(st.just("market"), _accounts, _sides, _quantities, _stops)
_spends = st.tuples(st.just("spend"), _accounts, _sides, st.integers(1, 2_000))
_cancels = st.tuples(st.just("cancel"), st.integers(0, 30))
_quotes = st.tuples(st.just("quote"), st.integers(975, 1025), st.integers(1, 20), _quantities)
_takes = st.tuples(st.just("take"), _sides, _quantities)
_actions = st.lists(st.one_of(_limits, _markets, _spends, _cancels, _quotes, _takes), max_size=30)
_rules = st.fixed_dictionaries(
    {
        "refuses_self_trade": st.booleans(),
        "keeps_failed": st.booleans(),
        "market_fills_or_fails": st.booleans(),
        "post_only_fails_as_cancelled": st.booleans(),
    }
)


def act(exchange: Exchange, action: tuple[Any, ...]) -> None:
    match action:
        case ("limit", account, side, quantity, price, tif, post_only, stop):
            more = {"time_in_force": tif, "post_only": post_only, "stop": stop}
            exchange.submit(wish(account, side, quantity, price, **more), NOW)
        case ("market", account, side, quantity, stop):
            exchange.submit(wish(account, side, quantity, stop=stop), NOW)
        case ("spend", account, side, amount):
            exchange.submit(wish(account, side, None, quote_quantity=D(amount)), NOW)
        case ("cancel", number):
            orders = list(exchange.orders.values())
            if orders:
                exchange.cancel(orders[number % len(orders)], NOW)
        case ("quote", ticks, gap, quantity):
            bid, ask = D(ticks) / 10, D(ticks + gap) / 10
            exchange.set_crowd_book("BTCUSD", {bid: D(quantity)}, {ask: D(quantity)}, NOW)
        case ("take", side, quantity):
            exchange.crowd_takes("BTCUSD", side, D(quantity), NOW)


@given(actions=_actions, rules=_rules, in_quote=st.booleans())
@settings(max_examples=150)
def test_nothing_is_made_of_nothing_and_nobody_owes(
    actions: list[tuple[Any, ...]], rules: dict[str, bool], in_quote: bool
) -> None:
    fees: dict[str, Any] = {"fee": fee_in_quote(2, ROUND_DOWN), "holds_fee": True} if in_quote else {}
    exchange = make_exchange(**rules, **fees)
    sequences: list[int] = []
    exchange.listeners.append(
        lambda events: sequences.extend(e.sequence for e in events if isinstance(e, BookChange))
    )
    for action in actions:
        try:
            act(exchange, action)
        except Refused as refusal:
            assert refusal.reason in Reason
        check_sound(exchange)
    assert sequences == list(range(2, len(sequences) + 2))
    for trade in exchange.trades["BTCUSD"]:
        assert trade.quantity > 0 and trade.price > 0


@given(st.lists(st.tuples(_quantities, _prices), min_size=1, max_size=8), _quantities)
@settings(max_examples=60)
def test_fills_follow_price_then_time(asks: list[tuple[str, str]], wanted: str) -> None:
    exchange = make_exchange()
    exchange.deposit("ann", "BTC", D(100), NOW)
    exchange.deposit("bob", "USD", D(1_000_000), NOW)
    resting = [submit(exchange, "ann", SELL, quantity, price) for quantity, price in asks]
    taker = submit(exchange, "bob", BUY, wanted)
    served = [fill.trade.maker_order for fill in taker.fills]
    queue = sorted(resting, key=lambda order: (order.price, order.number))
    assert served == [order.id for order in queue][: len(served)]
    assert all(order.state is State.FILLED for order in queue[: len(served) - 1])
