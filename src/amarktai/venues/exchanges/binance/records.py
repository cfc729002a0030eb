"""Binance's orders and trades as records of ours, from REST and from execution reports.

Amounts are decimal strings, times milliseconds. Trade and order numbers count within a market.
Source: Binance spot API documents, "Account trade list", "Query order", "Order Update".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side, order_id_of
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus
from amarktai.venues.account_records import instant
from amarktai.venues.transport import exact

_TYPES: Final = {
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP_MARKET,
}
#: A rejected order never rested and has no fills: it ended, as a canceled one does.
STATUSES: Final = {
    "NEW": VenueStatus.OPEN,
    "PENDING_NEW": VenueStatus.OPEN,
    "PARTIALLY_FILLED": VenueStatus.OPEN,
    "PENDING_CANCEL": VenueStatus.OPEN,
    "FILLED": VenueStatus.FILLED,
    "CANCELED": VenueStatus.CANCELED,
    "REJECTED": VenueStatus.CANCELED,
    "EXPIRED": VenueStatus.EXPIRED,
    "EXPIRED_IN_MATCH": VenueStatus.EXPIRED,
}


def order_record(row: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRecord:
    """Return an order of GET order, openOrders and allOrders."""
    client_order_id = str(row["clientOrderId"])
    return OrderRecord(
        order_id=order_id_of(client_order_id),
        client_order_id=client_order_id,
        venue_order_id=str(row["orderId"]),
        instrument_id=id_of_symbol(str(row["symbol"])),
        side=Side(str(row["side"]).lower()),
        type=_TYPES.get(row["type"]),
        quantity=exact(row["origQty"]),
        price=_positive(row["price"]),
        stop_price=_positive(row.get("stopPrice", "0")),
        status=STATUSES[row["status"]],
        filled_quantity=exact(row["executedQty"]),
        created_at=instant(row["time"]),
        updated_at=instant(row["updateTime"]),
    )


def account_fill(
    row: Mapping[str, Any], id_of_symbol: Callable[[str], str], asset_of: Callable[[str], str]
) -> AccountFill:
    """Return a trade of myTrades. It does not carry the client order id."""
    symbol = str(row["symbol"])
    return AccountFill(
        venue_trade_id=f"{symbol}-{int(row['id'])}",
        venue_order_id=str(row["orderId"]),
        client_order_id=None,
        instrument_id=id_of_symbol(symbol),
        side=Side.BUY if row["isBuyer"] else Side.SELL,
        quantity=exact(row["qty"]),
        price=exact(row["price"]),
        fee_amount=exact(row["commission"]),
        fee_asset=asset_of(str(row["commissionAsset"])),
        liquidity=Liquidity.MAKER if row["isMaker"] else Liquidity.TAKER,
        executed_at=instant(row["time"]),
    )


def created_report(request: OrderRequest, row: Mapping[str, Any]) -> OrderReport:
    """Return the answer to a create (FULL, or ACK where Binance says no more).

    What fills at once has taken; the fills carry no time of their own, so theirs is the order's.
    """
    at = instant(row["transactTime"])
    fills = tuple(
        Fill(
            order_id=request.order_id,
            venue_trade_id=f"{row['symbol']}-{int(fill['tradeId'])}",
            side=request.side,
            quantity=exact(fill["qty"]),
            price=exact(fill["price"]),
            fee_amount=exact(fill["commission"]),
            fee_asset=str(fill["commissionAsset"]),
            liquidity=Liquidity.TAKER,
            executed_at=at,
            origin=Origin.LIVE,
        )
        for fill in row.get("fills") or ()
    )
    status = STATUSES[row["status"]] if "status" in row else VenueStatus.OPEN
    filled = exact(row.get("executedQty", "0"))
    return OrderReport(request.order_id, str(row["orderId"]), status, filled, fills, at)


def record_of_report(event: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRecord:
    """Return the order of an execution report: its own id is in ``C`` when ``c`` is a cancel's."""
    client_order_id = str(event.get("C") or event["c"])
    return OrderRecord(
        order_id=order_id_of(client_order_id),
        client_order_id=client_order_id,
        venue_order_id=str(event["i"]),
        instrument_id=id_of_symbol(str(event["s"])),
        side=Side(str(event["S"]).lower()),
        type=_TYPES.get(event["o"]),
        quantity=exact(event["q"]),
        price=_positive(event["p"]),
        stop_price=_positive(event["P"]),
        status=STATUSES[event["X"]],
        filled_quantity=exact(event["z"]),
        created_at=instant(event["O"]),
        updated_at=instant(event["T"]),
    )


def fill_of_report(event: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> AccountFill:
    """Return the execution of a report of type TRADE."""
    return AccountFill(
        venue_trade_id=f"{event['s']}-{int(event['t'])}",
        venue_order_id=str(event["i"]),
        client_order_id=str(event.get("C") or event["c"]),
        instrument_id=id_of_symbol(str(event["s"])),
        side=Side(str(event["S"]).lower()),
        quantity=exact(event["l"]),
        price=exact(event["L"]),
        fee_amount=exact(event["n"]),
        fee_asset=str(event["N"]),
        liquidity=Liquidity.MAKER if event["m"] else Liquidity.TAKER,
        executed_at=instant(event["T"]),
    )


def _positive(value: Any) -> Decimal | None:
    number = exact(value)
    return number if number > ZERO else None
