"""The rows of VALR's answers: plain decimal strings and ISO times."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.ports.clock import to_datetime
from amarktai.twins.book import Book
from amarktai.twins.candles import Candle
from amarktai.twins.orders import Fill, Kind, Market, Order, State, Trade
from amarktai.twins.rules import Reason
from amarktai.twins.valr.errors import SLIPPAGE, failure

#: VALR's sequence ids are beyond what a float can hold.
_FIRST_SEQUENCE: Final = 1_368_928_567_986_000_000
_LEVELS: Final = 40


def plain(amount: Decimal) -> str:
    """Return an amount as VALR prints it: no exponent, no trailing zeros."""
    return f"{amount.normalize():f}" if amount else "0"


def iso(ts_ns: int) -> str:
    """Return a time as VALR prints it."""
    return to_datetime(ts_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ts_ns // 1_000_000 % 1000:03d}Z"


def from_iso(text: str) -> int:
    """Return nanoseconds of an ISO 8601 time; without a zone it is UTC. Raises: ValueError."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000) * 1_000_000


def sequence_id(trade: Trade) -> int:
    return _FIRST_SEQUENCE + trade.number


def trade_id(trade: Trade) -> str:
    """Return the id of a trade: a UUIDv7 of its time and number."""
    ms = trade.ts_ns // 1_000_000
    return str(UUID(int=ms << 80 | 0x7 << 76 | 0b10 << 62 | trade.number))


def status(order: Order) -> str:
    """Return VALR's label of an order's state."""
    match order.state:
        case State.AWAITING:
            return "Active"
        case State.OPEN:
            return "Partially Filled" if order.filled else "Placed"
        case State.FILLED:
            return "Filled"
        case State.FAILED:
            return "Failed"
        case _:
            return "Cancelled"


def order_type(order: Order) -> str:
    """Return VALR's word for the kind of order."""
    if order.wish.stop is not None:
        return str(order.wish.details["type"])
    if order.wish.kind is Kind.MARKET:
        return "market"
    return "post-only limit" if order.wish.post_only else "limit"


def failed_reason(order: Order) -> str:
    if order.state is State.FAILED:
        return failure(Reason(order.reason))[1]
    return SLIPPAGE if order.state is State.EXPIRED and order.wish.kind is Kind.MARKET else ""


def _client_id(order: Order) -> dict[str, str]:
    return {"customerOrderId": order.wish.client_id} if order.wish.client_id else {}


def status_row(order: Order) -> dict[str, Any]:
    """Return an order as /v1/orders/{pair}/orderid/{id} shows it."""
    wish = order.wish
    return {
        "orderId": order.id,
        "orderStatusType": status(order),
        "currencyPair": wish.market,
        "originalPrice": plain(order.price),
        "remainingQuantity": plain(order.remaining),
        "originalQuantity": plain(order.quantity),
        "orderSide": wish.side.value,
        "orderType": order_type(order),
        "failedReason": failed_reason(order),
        "orderUpdatedAt": iso(order.updated_ns),
        "orderCreatedAt": iso(order.created_ns),
        **_client_id(order),
        "timeInForce": wish.time_in_force.value,
        **({"stopPrice": plain(wish.stop.price)} if wish.stop else {}),
    }


def open_row(order: Order) -> dict[str, Any]:
    """Return an order as /v1/orders/open shows it: other names for the same things."""
    wish = order.wish
    kind = "post-only limit" if wish.post_only else order_type(order)
    percentage = order.filled / order.quantity * 100 if order.quantity else ZERO
    return {
        "orderId": order.id,
        "side": wish.side.value,
        "remainingQuantity": plain(order.remaining),
        "price": plain(order.price),
        "currencyPair": wish.market,
        "createdAt": iso(order.created_ns),
        "originalQuantity": plain(order.quantity),
        "filledPercentage": f"{percentage:.2f}",
        **({"stopPrice": plain(wish.stop.price)} if wish.stop else {}),
        "updatedAt": iso(order.updated_ns),
        "status": status(order),
        "type": kind,
        "timeInForce": wish.time_in_force.value,
        **_client_id(order),
        "allowMargin": False,
    }


def summary_row(order: Order, market: Market) -> dict[str, Any]:
    """Return an order as history and summary show it: with average price, total and fee."""
    asset = market.base if order.wish.side is Side.BUY else market.quote
    average = order.average_price
    return {
        **status_row(order),
        "averagePrice": "0" if average is None else plain(average),
        "total": plain(order.filled_quote),
        "totalExecutedQuantity": plain(order.filled),
        "totalFee": plain(order.fees.get(asset, ZERO)),
        "feeCurrency": asset,
    }


def detail_rows(order: Order) -> list[dict[str, Any]]:
    """Return the steps of an order's life, newest first."""
    head = {**status_row(order), "executedPrice": "0", "executedQuantity": "0", "executedFee": "0"}
    placed = {**head, "orderStatusType": "Active" if order.wish.stop else "Placed", "failedReason": ""}
    placed |= {"remainingQuantity": plain(order.quantity), "orderUpdatedAt": iso(order.created_ns)}
    rows, done = [placed], ZERO
    for fill in order.fills:
        done += fill.trade.quantity
        label = "Filled" if done == order.quantity else "Partially Filled"
        rows.append(
            {
                **head,
                "orderStatusType": label,
                "remainingQuantity": plain(order.quantity - done),
                "orderUpdatedAt": iso(fill.trade.ts_ns),
                **executed(fill),
            }
        )
    if order.state in (State.CANCELLED, State.EXPIRED, State.FAILED):
        rows.append(head)
    return rows[::-1]


def executed(fill: Fill | None) -> dict[str, str]:
    """Return what one execution did, for the status update that tells it."""
    price, quantity, fee = (
        (ZERO, ZERO, ZERO) if fill is None else (fill.trade.price, fill.trade.quantity, fill.fee)
    )
    return {
        "executedPrice": plain(price),
        "executedQuantity": plain(quantity),
        "executedFee": plain(fee),
    }


def fill_row(fill: Fill) -> dict[str, Any]:
    """Return an execution as the account's trade history shows it."""
    trade = fill.trade
    fee = {"fee": plain(fill.fee), "feeCurrency": fill.fee_asset}
    if fill.fee < 0:
        fee = {"makerReward": plain(-fill.fee), "makerRewardCurrency": fill.fee_asset}
    return {
        "price": plain(trade.price),
        "quantity": plain(trade.quantity),
        "currencyPair": trade.market,
        "tradedAt": iso(trade.ts_ns),
        "side": fill.side.value,
        "sequenceId": sequence_id(trade),
        "id": trade_id(trade),
        "orderId": fill.order_id,
        **fee,
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    """Return a public trade."""
    return {
        "price": plain(trade.price),
        "quantity": plain(trade.quantity),
        "currencyPair": trade.market,
        "tradedAt": iso(trade.ts_ns),
        "takerSide": trade.taker_side.value,
        "sequenceId": sequence_id(trade),
        "id": trade_id(trade),
        "quoteVolume": plain(trade.notional),
    }


def pair_row(market: Market, *, is_active: bool) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "shortName": f"{market.base}/{market.quote}",
        "active": is_active,
        "minBaseAmount": plain(market.min_quantity),
        "maxBaseAmount": plain(market.max_quantity),
        "minQuoteAmount": plain(market.min_notional),
        "maxQuoteAmount": "5000000",
        "tickSize": plain(market.tick),
        "baseDecimalPlaces": "8",
        "marginTradingAllowed": False,
        "currencyPairType": "SPOT",
    }


def summary_of_market(
    market: Market, book: Book, day: Candle | None, last: Decimal, now_ns: int
) -> dict[str, Any]:
    """Return the ticker."""
    bid, ask = book.bids.best(), book.asks.best()
    opened = last if day is None else day.open
    return {
        "currencyPair": market.symbol,
        "askPrice": plain(ask.price if ask else ZERO),
        "bidPrice": plain(bid.price if bid else ZERO),
        "lastTradedPrice": plain(last),
        "previousClosePrice": plain(opened),
        "baseVolume": plain(day.volume if day else ZERO),
        "quoteVolume": plain(day.turnover if day else ZERO),
        "highPrice": plain(day.high if day else last),
        "lowPrice": plain(day.low if day else last),
        "created": iso(now_ns),
        "changeFromPrevious": f"{(last - opened) / opened * 100:.2f}",
        "markPrice": plain(last),
    }


def aggregated_book(symbol: str, book: Book, now_ns: int) -> dict[str, Any]:
    """Return the best forty levels a side."""
    sides = {
        name: [
            {
                "side": side.side.value,
                "quantity": plain(level.quantity),
                "price": plain(level.price),
                "currencyPair": symbol,
                "orderCount": len(level.orders),
            }
            for level, _ in zip(side.best_first(), range(_LEVELS), strict=False)
        ]
        for name, side in (("Asks", book.asks), ("Bids", book.bids))
    }
    return {**sides, "LastChange": iso(now_ns), "SequenceNumber": book.sequence}


def full_book(symbol: str, book: Book, now_ns: int, sequence: int) -> dict[str, Any]:
    """Return every order."""
    sides = {
        name: [
            {
                "side": side.side.value,
                "quantity": plain(order.remaining),
                "price": plain(level.price),
                "currencyPair": symbol,
                "id": order.id,
                "positionAtPrice": place,
            }
            for level in side.best_first()
            for place, order in enumerate(level.orders.values(), start=1)
        ]
        for name, side in (("Asks", book.asks), ("Bids", book.bids))
    }
    return {**sides, "LastChange": iso(now_ns), "SequenceNumber": sequence}


def bucket_row(symbol: str, candle: Candle, seconds: int) -> dict[str, Any]:
    """Return one candle."""
    return {
        "currencyPairSymbol": symbol,
        "bucketPeriodInSeconds": seconds,
        "startTime": to_datetime(candle.ts_open_ns).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "open": plain(candle.open),
        "high": plain(candle.high),
        "low": plain(candle.low),
        "close": plain(candle.close),
        "volume": plain(candle.volume),
        "quoteVolume": plain(candle.turnover),
    }
