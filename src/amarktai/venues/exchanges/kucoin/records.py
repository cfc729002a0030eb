"""KuCoin's orders (the ``hf`` form) and fills as records of ours, from REST and from the account's stream.

Amounts are decimal strings; times are milliseconds in orders and fills, nanoseconds in the stream.
KuCoin tells no status of a closed order: it is filled when its whole size is, else it was canceled.
Source: specification of kucoin-universal-sdk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side, order_id_of
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus
from amarktai.venues.account_records import instant
from amarktai.venues.transport import exact

#: Beyond this a time cannot be milliseconds (the year 5138).
_MS_END: Final = 100_000_000_000_000


def order_record(row: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRecord:
    """Return an order of the hf routes. A size of zero (a buy by funds) is what it traded."""
    client_order_id = str(row.get("clientOid") or "")
    filled = exact(row["dealSize"])
    quantity = exact(row.get("size") or "0") or filled
    return OrderRecord(
        order_id=order_id_of(client_order_id),
        client_order_id=client_order_id,
        venue_order_id=str(row["id"]),
        instrument_id=id_of_symbol(str(row["symbol"])),
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        quantity=quantity,
        price=_positive(row.get("price")),
        stop_price=None,
        status=VenueStatus.OPEN if row["active"] else _closed(filled, quantity),
        filled_quantity=filled,
        created_at=instant(row["createdAt"]),
        updated_at=instant(row["lastUpdatedAt"]),
    )


def account_fill(
    row: Mapping[str, Any], id_of_symbol: Callable[[str], str], asset_of: Callable[[str], str]
) -> AccountFill:
    """Return an execution of hf/fills. Its id counts over all markets; it carries no client order id."""
    return AccountFill(
        venue_trade_id=str(row["id"]),
        venue_order_id=str(row["orderId"]),
        client_order_id=None,
        instrument_id=id_of_symbol(str(row["symbol"])),
        side=Side(row["side"]),
        quantity=exact(row["size"]),
        price=exact(row["price"]),
        fee_amount=exact(row["fee"]),
        fee_asset=asset_of(str(row["feeCurrency"])),
        liquidity=Liquidity(row["liquidity"]),
        executed_at=instant(row["createdAt"]),
    )


def placed_report(request: OrderRequest, row: Mapping[str, Any]) -> OrderReport:
    """Return the answer to a synchronous create: how far it got, without its executions."""
    filled, size = exact(row["dealSize"]), exact(row["originSize"])
    is_open = row["status"] != "done"
    return OrderReport(
        request.order_id,
        str(row["orderId"]),
        VenueStatus.OPEN if is_open else _closed(filled, size or request.quantity),
        filled,
        (),
        instant(row.get("matchTime") or row["orderTime"]),
    )


def record_of_change(data: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRecord:
    """Return the order of a message of tradeOrdersV2. ``ts`` is in nanoseconds."""
    client_order_id = str(data.get("clientOid") or "")
    filled = exact(data.get("filledSize") or "0")  # a new order's message has none
    quantity = exact(data.get("originSize") or data.get("size") or "0") or filled
    is_closed = data["status"] == "done"
    return OrderRecord(
        order_id=order_id_of(client_order_id),
        client_order_id=client_order_id,
        venue_order_id=str(data["orderId"]),
        instrument_id=id_of_symbol(str(data["symbol"])),
        side=Side(data["side"]),
        type=OrderType(data["orderType"]),
        quantity=quantity,
        price=_positive(data.get("price")),
        stop_price=None,
        status=_closed(filled, quantity) if is_closed else VenueStatus.OPEN,
        filled_quantity=filled,
        created_at=_instant_of_stream(data["orderTime"]),
        updated_at=_instant_of_stream(data["ts"]),
    )


def _instant_of_stream(time: Any) -> datetime:
    """Return an instant of the stream: some messages tell milliseconds, others nanoseconds."""
    told = int(time)
    return instant(told) if told < _MS_END else to_datetime(told)


def _closed(filled: Decimal, quantity: Decimal) -> VenueStatus:
    return VenueStatus.FILLED if filled >= quantity > ZERO else VenueStatus.CANCELED


def _positive(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    number = exact(value)
    return number if number > ZERO else None
