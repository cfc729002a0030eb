"""The rows of Binance's answers. Amounts are strings with eight places, times milliseconds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.calls import Call
from amarktai.twins.candles import Candle
from amarktai.twins.orders import Fill, Market, Order, State, Trade

#: Without 1s and 1M: a twin counts its trades by the minute.
INTERVALS: Final = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400,
    "6h": 21600, "8h": 28800, "12h": 43200, "1d": 86400, "3d": 259200, "1w": 604800,
}  # fmt: skip
#: Order types that have a stop price, a limit price; and all.
STOP_TYPES: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
LIMIT_TYPES: Final = ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
ORDER_TYPES: Final = ("LIMIT", "LIMIT_MAKER", "MARKET", *STOP_TYPES)
_MS: Final = 1_000_000


def money(amount: Decimal) -> str:
    """Return an amount as Binance prints it."""
    return f"{amount:.8f}"


def limit_row(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def symbol_row(call: Call, market: Market) -> dict[str, Any]:
    lots = {
        "minQty": money(market.min_quantity),
        "maxQty": money(market.max_quantity),
        "stepSize": money(market.lot),
    }
    return {
        "symbol": market.symbol,
        "status": "HALT" if market.symbol in call.exchange.suspended else "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": money(market.tick),
                "maxPrice": money(market.start_price * 100),
                "tickSize": money(market.tick),
            },
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {
                "filterType": "NOTIONAL",
                "minNotional": money(market.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def top(call: Call, market: Market) -> dict[str, Any]:
    book = call.exchange.books[market.symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return {
        "symbol": market.symbol,
        "bidPrice": money(bid.price if bid else ZERO),
        "bidQty": money(bid.quantity if bid else ZERO),
        "askPrice": money(ask.price if ask else ZERO),
        "askQty": money(ask.quantity if ask else ZERO),
    }


def depth_rows(call: Call, market: Market, limit: int) -> dict[str, Any]:
    """Return the body of /depth."""
    book = call.exchange.books[market.symbol]
    sides = {
        name: [
            [money(level.price), money(level.quantity)]
            for level, _ in zip(side.best_first(), range(limit), strict=False)
        ]
        for name, side in (("bids", book.bids), ("asks", book.asks))
    }
    return {"lastUpdateId": book.sequence, **sides}


def public_trade(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.number,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.notional),
        "time": trade.ts_ns // _MS,
        "isBuyerMaker": trade.taker_side is Side.SELL,
        "isBestMatch": True,
    }


def aggregate_row(trade: Trade) -> dict[str, Any]:
    """Return a trade as aggTrades shows it: each is an aggregate of its own."""
    return {
        "a": trade.number,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "f": trade.number,
        "l": trade.number,
        "T": trade.ts_ns // _MS,
        "m": trade.taker_side is Side.SELL,
        "M": True,
    }


def kline_row(candle: Candle, seconds: int) -> list[Any]:
    opened = candle.ts_open_ns // _MS
    return [
        opened,
        money(candle.open),
        money(candle.high),
        money(candle.low),
        money(candle.close),
        money(candle.volume),
        opened + seconds * 1000 - 1,
        money(candle.turnover),
        candle.trade_count,
        money(candle.bought),
        money(candle.bought_turnover),
        "0",
    ]


def rates(market: Market) -> dict[str, str]:
    return {
        "maker": money(market.maker_rate),
        "taker": money(market.taker_rate),
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }


def status(order: Order, state: State | None = None, filled: Decimal | None = None) -> str:
    """Return Binance's word for an order's state (now, or at an earlier change)."""
    match order.state if state is None else state:
        case State.FILLED:
            return "FILLED"
        case State.CANCELLED:
            return "CANCELED"
        case State.EXPIRED:
            return "EXPIRED"
        case State.FAILED:
            return "REJECTED"
        case _:
            return "PARTIALLY_FILLED" if (order.filled if filled is None else filled) else "NEW"


def figures(order: Order) -> dict[str, Any]:
    wish = order.wish
    return {
        "symbol": wish.market,
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": wish.client_id,
        "price": money(order.price),
        "origQty": money(order.quantity),
        "executedQty": money(order.filled),
        "origQuoteOrderQty": money(wish.quote_quantity or ZERO),
        "cummulativeQuoteQty": money(order.filled_quote),
        "status": status(order),
        "timeInForce": wish.time_in_force.value,
        "type": wish.details.get("type", wish.kind.value.upper()),
        "side": wish.side.value.upper(),
        "selfTradePreventionMode": "NONE",
        **({"stopPrice": money(wish.stop.price)} if wish.stop else {}),
    }


def order_row(order: Order) -> dict[str, Any]:
    """Return an order as the order queries show it."""
    is_working = order.state is not State.AWAITING
    return {
        **figures(order),
        "stopPrice": money(order.wish.stop.price if order.wish.stop else ZERO),
        "icebergQty": "0.00000000",
        "time": order.created_ns // _MS,
        "updateTime": order.updated_ns // _MS,
        "isWorking": is_working,
        "workingTime": order.created_ns // _MS if is_working else -1,
    }


def new_order_row(order: Order, wanted: str) -> dict[str, Any]:
    row = {**figures(order), "transactTime": order.created_ns // _MS}
    if wanted == "ACK":
        names = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
        return {name: row[name] for name in names}
    row["workingTime"] = -1 if order.state is State.AWAITING else order.created_ns // _MS
    if wanted == "RESULT":
        return row
    fills = [
        {
            "price": money(fill.trade.price),
            "qty": money(fill.trade.quantity),
            "commission": money(fill.fee),
            "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade.number,
        }
        for fill in order.fills
    ]
    return {**row, "fills": fills}


def cancel_row(order: Order, cancel_id: str, now_ms: int) -> dict[str, Any]:
    return {
        **figures(order),
        "origClientOrderId": order.wish.client_id,
        "clientOrderId": cancel_id,
        "transactTime": now_ms,
    }


def fill_row(fill: Fill) -> dict[str, Any]:
    trade = fill.trade
    return {
        "symbol": trade.market,
        "id": trade.number,
        "orderId": int(fill.order_id),
        "orderListId": -1,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.notional),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": trade.ts_ns // _MS,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.liquidity is Liquidity.MAKER,
        "isBestMatch": True,
    }
