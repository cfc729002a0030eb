"""The rows of Luno's answers. Amounts are decimal strings with eight places, times milliseconds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import BalanceChange, Permission
from amarktai.twins.calls import Call
from amarktai.twins.luno.wallets import account_id
from amarktai.twins.orders import Fill, Kind, Market, Order, State

_MS: Final = 1_000_000
_READ, _TRADE, _SEND = Permission.READ, Permission.TRADE, Permission.WITHDRAW


def money(amount: Decimal) -> str:
    """Return an amount as Luno prints it."""
    return f"{amount:.8f}"


def market_row(call: Call, market: Market) -> dict[str, Any]:
    is_suspended = market.symbol in call.exchange.suspended
    return {
        "market_id": market.symbol,
        "trading_status": "SUSPENDED" if is_suspended else "ACTIVE",
        "base_currency": market.base,
        "counter_currency": market.quote,
        "min_volume": str(market.min_quantity),
        "max_volume": str(market.max_quantity),
        "volume_scale": scale(market.lot),
        "min_price": str(market.tick),
        "max_price": str(market.start_price * 100),
        "price_scale": scale(market.tick),
        "fee_scale": 8,
    }


def statement_row(ts_ns: int, change: BalanceChange) -> dict[str, Any]:
    return {
        "row_index": change.row,
        "timestamp": ts_ns // _MS,
        "balance": money(change.total),
        "available": money(change.total - change.held),
        "balance_delta": money(change.total_delta),
        "available_delta": money(change.total_delta - change.held_delta),
        "account_id": str(account_id(change.account, change.asset)),
        "currency": change.asset,
        "description": change.kind,
        "kind": "FEE" if change.kind == "fee" else "EXCHANGE" if change.kind == "trade" else "TRANSFER",
        "reference": change.reference,
        "detail_fields": {},
    }


def state_v1(order: Order) -> str:
    return "PENDING" if order.is_live else "COMPLETE"


def status(order_state: State) -> str:
    """Return Luno's word: there is none for cancelled."""
    match order_state:
        case State.AWAITING:
            return "AWAITING"
        case State.OPEN:
            return "PENDING"
        case _:
            return "COMPLETE"


def figures(order: Order, market: Market) -> dict[str, Any]:
    wish = order.wish
    return {
        "order_id": order.id,
        "pair": wish.market,
        "limit_price": money(order.price),
        "limit_volume": money(wish.quantity if wish.kind is Kind.LIMIT and wish.quantity else ZERO),
        "base": money(order.filled),
        "counter": money(order.filled_quote),
        "fee_base": money(order.fees.get(market.base, ZERO)),
        "fee_counter": money(order.fees.get(market.quote, ZERO)),
        "time_in_force": wish.time_in_force.value,
        "creation_timestamp": order.created_ns // _MS,
        "completed_timestamp": order.ended_ns // _MS,
        "expiration_timestamp": 0,
    }


def order_v1(order: Order, markets: dict[str, Market]) -> dict[str, Any]:
    words = ("BID", "ASK") if order.wish.kind is Kind.LIMIT else ("BUY", "SELL")
    kind = words[0] if order.wish.side is Side.BUY else words[1]
    return {**figures(order, markets[order.wish.market]), "type": kind, "state": state_v1(order)}


def order_v2(order: Order, markets: dict[str, Market]) -> dict[str, Any]:
    wish, market = order.wish, markets[order.wish.market]
    kind = "STOP_LIMIT" if wish.stop else wish.kind.value.upper()
    row = {
        **figures(order, market),
        "client_order_id": wish.client_id,
        "side": wish.side.value.upper(),
        "type": kind,
        "status": status(order.state),
        "base_account_id": account_id(wish.account, market.base),
        "counter_account_id": account_id(wish.account, market.quote),
    }
    if wish.stop is not None:
        row["stop_price"] = money(wish.stop.price)
        row["stop_direction"] = "ABOVE" if wish.stop.rises else "BELOW"
    return row


def fill_row(fill: Fill, market: Market) -> dict[str, Any]:
    trade = fill.trade
    return {
        "pair": trade.market,
        "sequence": trade.number,
        "order_id": fill.order_id,
        "client_order_id": fill.client_id,
        "type": "BID" if fill.side is Side.BUY else "ASK",
        "is_buy": trade.taker_side is Side.BUY,
        "price": money(trade.price),
        "volume": money(trade.quantity),
        "base": money(trade.quantity),
        "counter": money(trade.notional),
        "fee_base": money(fill.fee if fill.fee_asset == market.base else ZERO),
        "fee_counter": money(fill.fee if fill.fee_asset == market.quote else ZERO),
        "timestamp": trade.ts_ns // _MS,
    }


def scale(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))
