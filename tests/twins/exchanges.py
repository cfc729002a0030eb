"""A small exchange for the tests of the engine: one market, two accounts, round numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from amarktai.domain.order import Side
from amarktai.twins.matching import Exchange
from amarktai.twins.orders import Kind, Market, NewOrder, Order
from amarktai.twins.rules import ClientIds, Rules, fee_in_received_asset

D = Decimal
NOW: Final = 1_767_225_600_000_000_000
MARKET: Final = Market(
    symbol="BTCUSD", base="BTC", quote="USD", tick=D("0.1"), lot=D("0.001"), min_quantity=D("0.001"),
    max_quantity=D(1000), min_notional=D(0), maker_rate=D("0.001"), taker_rate=D("0.002"),
    start_price=D(100),
)  # fmt: skip


def make_exchange(**rules: Any) -> Exchange:
    """Return an exchange with ann and bob, who have 1000 USD and 10 BTC each."""
    given = {"client_ids": ClientIds.WHILE_OPEN, "fee": fee_in_received_asset(8, ROUND_HALF_UP), **rules}
    exchange = Exchange([MARKET], Rules(**given), lambda number: f"o{number}")
    for account in ("ann", "bob"):
        exchange.deposit(account, "USD", D(1000), NOW)
        exchange.deposit(account, "BTC", D(10), NOW)
    return exchange


def wish(account: str, side: Side, quantity: str | None, price: str | None = None, **more: Any) -> NewOrder:
    """Return a limit order, or a market order when there is no price."""
    return NewOrder(
        account,
        "BTCUSD",
        side,
        Kind.MARKET if price is None else Kind.LIMIT,
        None if quantity is None else D(quantity),
        price=None if price is None else D(price),
        **more,
    )


def submit(exchange: Exchange, *args: Any, **more: Any) -> Order:
    """Place what ``wish`` says."""
    return exchange.submit(wish(*args, **more), NOW)


def check_sound(exchange: Exchange) -> None:
    """Assert what holds after every action: nothing made of nothing, no debt, holds explained."""
    assert {asset: total for asset, total in exchange.balances.sums().items() if total} == {}
    held: dict[tuple[str, str], Decimal] = {}
    for account in ("ann", "bob"):
        for order in exchange.live_orders(account):
            asset = "USD" if order.wish.side is Side.BUY else "BTC"
            held[account, asset] = held.get((account, asset), D(0)) + order.held
            assert order.held >= 0
        for asset, balance in exchange.balances.of(account).items():
            assert 0 <= balance.held <= balance.total, (account, asset, balance)
            assert balance.held == held.get((account, asset), 0), (account, asset)
    book = exchange.books["BTCUSD"]
    bid, ask = book.bids.best(), book.asks.best()
    assert bid is None or ask is None or bid.price < ask.price
    for side in (book.bids, book.asks):
        for level in side.best_first():
            assert level.quantity == sum(order.remaining for order in level.orders.values()) > 0
