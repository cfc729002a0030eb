"""The rows of KuCoin's answers. Amounts are plain decimal strings, times milliseconds unless said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import orjson

from amarktai.domain.money import ZERO
from amarktai.twins.accounts import Account, BalanceChange
from amarktai.twins.calls import Call
from amarktai.twins.candles import Candle
from amarktai.twins.orders import Fill, Market, Order, State

#: Without 1month: a twin has no calendar months.
CANDLE_TYPES: Final = {
    "1min": 60, "3min": 180, "5min": 300, "15min": 900, "30min": 1800, "1hour": 3600, "2hour": 7200,
    "4hour": 14400, "6hour": 21600, "8hour": 28800, "12hour": 43200, "1day": 86400, "1week": 604800,
}  # fmt: skip
_MS: Final = 1_000_000
_NS: Final = 1_000_000_000


def plain(amount: Decimal) -> str:
    """Return an amount as KuCoin prints it: no exponent, no trailing zeros."""
    return f"{amount.normalize():f}" if amount else "0"


def user_id(account: Account) -> int:
    """Return the uid of an account."""
    return int.from_bytes(account.key.encode()[-4:])


def wallet_id(account: Account, asset: str) -> str:
    """Return the id of an account's wallet in one currency."""
    return str(int.from_bytes(f"{asset}{account.key}".encode()[:5]))


def is_waiting_stop(order: Order) -> bool:
    return order.state is State.AWAITING


def symbol_row(call: Call, market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "name": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "market": "USDS" if market.quote == "USDT" else market.quote,
        "baseMinSize": plain(market.min_quantity),
        "quoteMinSize": plain(market.min_notional),
        "baseMaxSize": plain(market.max_quantity),
        "quoteMaxSize": "99999999",
        "baseIncrement": plain(market.lot),
        "quoteIncrement": "0.000001",
        "priceIncrement": plain(market.tick),
        "priceLimitRate": "0.1",
        "minFunds": plain(market.min_notional),
        "isMarginEnabled": False,
        "enableTrading": market.symbol not in call.exchange.suspended,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
        "callauctionIsEnabled": False,
        "callauctionPriceFloor": None,
        "callauctionPriceCeiling": None,
        "callauctionFirstStageStartTime": None,
        "callauctionSecondStageStartTime": None,
        "callauctionThirdStageStartTime": None,
        "tradingStartTime": None,
    }


def currency_row(asset: str) -> dict[str, Any]:
    return {
        "currency": asset,
        "name": asset,
        "fullName": asset,
        "precision": 8,
        "confirms": None,
        "contractAddress": None,
        "isMarginEnabled": False,
        "isDebitEnabled": False,
        "chains": [],
    }


def day_figures(day: Candle | None, last: Decimal) -> dict[str, str | None]:
    if day is None:
        return dict.fromkeys(("changeRate", "changePrice", "high", "low", "vol", "volValue", "averagePrice"))
    change = last - day.open
    return {
        "changeRate": f"{change / day.open:.4f}",
        "changePrice": plain(change),
        "high": plain(day.high),
        "low": plain(day.low),
        "vol": plain(day.volume),
        "volValue": plain(day.turnover),
        "averagePrice": f"{day.turnover / day.volume:.8f}" if day.volume else None,
    }


def ticker_row(call: Call, market: Market) -> dict[str, Any]:
    """Return the fields of level1 and of the ticker topic."""
    book, trades = call.exchange.books[market.symbol], call.exchange.trades[market.symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return {
        "sequence": str(book.sequence),
        "price": plain(trades[-1].price) if trades else None,
        "size": plain(trades[-1].quantity) if trades else None,
        "bestBid": plain(bid.price) if bid else None,
        "bestBidSize": plain(bid.quantity) if bid else None,
        "bestAsk": plain(ask.price) if ask else None,
        "bestAskSize": plain(ask.quantity) if ask else None,
    }


def book_rows(call: Call, market: Market, depth: int) -> dict[str, Any]:
    """Return the best ``depth`` levels of both sides."""
    book = call.exchange.books[market.symbol]
    sides = {
        name: [
            [plain(level.price), plain(level.quantity)]
            for level, _ in zip(side.best_first(), range(depth), strict=False)
        ]
        for name, side in (("bids", book.bids), ("asks", book.asks))
    }
    return {"time": call.now_ms, "sequence": str(book.sequence), **sides}


def candle_row(candle: Candle) -> list[str]:
    """Return [time (s), open, close, high, low, volume, turnover]."""
    figures = (candle.open, candle.close, candle.high, candle.low, candle.volume, candle.turnover)
    return [str(candle.ts_open_ns // _NS), *(plain(figure) for figure in figures)]


def sizes(order: Order) -> dict[str, str]:
    left = order.remaining
    return {
        "dealSize": plain(order.filled),
        "remainSize": plain(left if order.is_live else ZERO),
        "canceledSize": plain(ZERO if order.is_live else left),
    }


def order_row(order: Order, market: Market) -> dict[str, Any]:
    """Return an order as the order queries show it."""
    wish = order.wish
    funds = wish.quote_quantity or order.price * order.quantity
    left = funds - order.filled_quote
    return {
        "id": order.id,
        "clientOid": wish.client_id,
        "symbol": wish.market,
        "opType": "DEAL",
        "type": wish.kind.value,
        "side": wish.side.value,
        "price": plain(order.price),
        "size": plain(wish.quantity or ZERO),
        "funds": plain(funds),
        "dealSize": plain(order.filled),
        "dealFunds": plain(order.filled_quote),
        "remainSize": plain(order.remaining if order.is_live else ZERO),
        "remainFunds": plain(left),
        "cancelledSize": plain(ZERO if order.is_live else order.remaining),
        "cancelledFunds": plain(ZERO if order.is_live or order.state is State.FILLED else left),
        "fee": plain(order.fees.get(market.quote, ZERO)),
        "feeCurrency": market.quote,
        "stp": None,
        "timeInForce": wish.details.get("tif", "GTC"),
        "postOnly": wish.post_only,
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": 0,
        "channel": "API",
        "remark": wish.details.get("remark"),
        "tags": wish.details.get("tags"),
        "cancelExist": order.state in (State.CANCELLED, State.EXPIRED),
        "tradeType": "TRADE",
        "inOrderBook": order.state is State.OPEN,
        "active": order.is_live,
        "tax": "0",
        "createdAt": order.created_ns // _MS,
        "lastUpdatedAt": order.updated_ns // _MS,
    }


def fill_row(call: Call, number: int, fill: Fill, market: Market) -> dict[str, Any]:
    trade = fill.trade
    is_maker = trade.maker_order == fill.order_id
    order = call.exchange.orders[fill.order_id]
    return {
        "id": number,
        "orderId": fill.order_id,
        "counterOrderId": trade.taker_order if is_maker else trade.maker_order,
        "tradeId": trade.number,
        "symbol": trade.market,
        "side": fill.side.value,
        "liquidity": fill.liquidity.value,
        "type": order.wish.kind.value,
        "forceTaker": False,
        "price": plain(trade.price),
        "size": plain(trade.quantity),
        "funds": plain(trade.notional),
        "fee": plain(fill.fee),
        "feeRate": plain(market.maker_rate if is_maker else market.taker_rate),
        "feeCurrency": fill.fee_asset,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "createdAt": trade.ts_ns // _MS,
    }


def stop_row(call: Call, order: Order) -> dict[str, Any]:
    wish = order.wish
    market = call.exchange.markets[wish.market]
    stop = wish.stop
    return {
        "id": order.id,
        "symbol": wish.market,
        "userId": str(user_id(call.owner)),
        "status": "NEW",
        "type": wish.kind.value,
        "side": wish.side.value,
        "price": plain(order.price),
        "size": plain(wish.quantity or ZERO),
        "funds": plain(wish.quote_quantity) if wish.quote_quantity else None,
        "stp": None,
        "timeInForce": wish.details.get("tif", "GTC"),
        "cancelAfter": -1,
        "postOnly": wish.post_only,
        "hidden": False,
        "iceberg": False,
        "visibleSize": None,
        "channel": "API",
        "clientOid": wish.client_id,
        "remark": wish.details.get("remark"),
        "tags": wish.details.get("tags"),
        "relatedNo": None,
        "orderTime": order.created_ns,
        "domainId": "kucoin",
        "tradeSource": "USER",
        "tradeType": "TRADE",
        "feeCurrency": market.quote,
        "takerFeeRate": plain(market.taker_rate),
        "makerFeeRate": plain(market.maker_rate),
        "createdAt": order.created_ns // _MS,
        "stop": "entry" if stop is not None and stop.rises else "loss",
        "stopTriggerTime": None,
        "stopPrice": plain(stop.price) if stop is not None else None,
        "limitPrice": None,
        "pop": None,
        "activateCondition": None,
    }


def ledger_row(number: int, ts_ns: int, change: BalanceChange) -> dict[str, Any]:
    kinds = {"trade": "TRADE_EXCHANGE", "fee": "TRADE_EXCHANGE", "deposit": "DEPOSIT"}
    return {
        "id": str(number),
        "currency": change.asset,
        "amount": plain(abs(change.total_delta)),
        "fee": "0",
        "tax": "0",
        "balance": plain(change.total),
        "accountType": "TRADE_HF",
        "bizType": kinds.get(change.kind, "WITHDRAWAL"),
        "direction": "in" if change.total_delta > 0 else "out",
        "createdAt": str(ts_ns // _MS),
        "context": orjson.dumps({"orderId": change.reference}).decode(),
    }
