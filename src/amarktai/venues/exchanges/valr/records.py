"""VALR's rows as records of ours: orders in their four shapes, executions, times.

The status, history, open list and stream name the same things differently. Amounts are strings, times
ISO 8601 with up to nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side, order_id_of
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.venue import VenueStatus
from amarktai.venues.transport import exact

#: Our stops are stop-limits there.
_TYPES: Final = {
    "limit": OrderType.LIMIT,
    "post-only limit": OrderType.LIMIT,
    "market": OrderType.MARKET,
    "stop-loss-limit": OrderType.STOP_MARKET,
}
_STATUSES: Final = {
    "Placed": VenueStatus.OPEN,
    "Active": VenueStatus.OPEN,
    "Partially Filled": VenueStatus.OPEN,
    "Order Modified": VenueStatus.OPEN,
    "Order price has been modified due to slippage limits": VenueStatus.OPEN,
    "Filled": VenueStatus.FILLED,
    "Cancelled": VenueStatus.CANCELED,
    "Partially Filled and Cancelled Due To Slippage": VenueStatus.CANCELED,
    "Failed": VenueStatus.CANCELED,
    "Expired": VenueStatus.EXPIRED,
}
FAILED: Final = "Failed"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order, whether VALR failed it, and its words for why. A failed order never traded."""

    record: OrderRecord
    is_failed: bool
    reason: str


def order_row(row: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRow:
    """Return an order of the status routes, the history, the open list or the stream."""
    client_order_id = str(row.get("customerOrderId") or "")
    kind = str(row.get("orderType") or row["type"])
    label = str(row.get("orderStatusType") or row["status"])
    quantity = exact(row["originalQuantity"])
    filled = quantity - exact(row["remainingQuantity"])
    if "totalExecutedQuantity" in row:
        filled = exact(row["totalExecutedQuantity"])
    order_id = order_id_of(client_order_id)
    record = OrderRecord(
        order_id=order_id,
        client_order_id=client_order_id,
        venue_order_id=str(row["orderId"]),
        instrument_id=id_of_symbol(str(row["currencyPair"])),
        side=Side(str(row.get("orderSide") or row["side"]).lower()),
        type=_type_of(kind, is_ours=order_id is not None),
        quantity=quantity,
        price=_positive(row.get("originalPrice") or row.get("price")),
        stop_price=_positive(row.get("stopPrice")),
        status=_status_of(label, kind, quantity, filled),
        filled_quantity=filled,
        created_at=instant(row.get("orderCreatedAt") or row["createdAt"]),
        updated_at=instant(row.get("orderUpdatedAt") or row["updatedAt"]),
    )
    return OrderRow(record, label == FAILED, str(row.get("failedReason") or ""))


def _type_of(kind: str, *, is_ours: bool) -> OrderType | None:
    """Return our type of an order; a stop-limit of somebody else is of a kind that we do not place."""
    found = _TYPES.get(kind)
    return None if found is OrderType.STOP_MARKET and not is_ours else found


def _status_of(label: str, kind: str, quantity: Decimal, filled: Decimal) -> VenueStatus:
    """Raises: ValueError for a label that no source lists."""
    if kind in ("simple", "instant") or label.startswith("Instant Order"):
        # Bought by hand in the app, at once or not at all.
        return VenueStatus.FILLED if filled == quantity else VenueStatus.CANCELED
    try:
        return _STATUSES[label]
    except KeyError:
        raise ValueError(f"order status {label!r}") from None


def account_fill(
    row: Mapping[str, Any], id_of_symbol: Callable[[str], str], fees: Mapping[str, Fees]
) -> AccountFill:
    """Return an execution of tradehistory or of the stream. ``fees`` are the account's own by pair.

    Raises: KeyError when it tells neither a fee nor a reward: a cost is never taken for zero.
    """
    pair = str(row["currencyPair"])
    side = Side(str(row["side"]).lower())
    quantity, price = exact(row["quantity"]), exact(row["price"])
    is_rewarded = "makerReward" in row
    fee = -exact(row["makerReward"]) if is_rewarded else exact(row["fee"])
    received = quantity if side is Side.BUY else quantity * price
    return AccountFill(
        venue_trade_id=str(row["id"]),
        venue_order_id=str(row["orderId"]),
        client_order_id=str(row["customerOrderId"]) if row.get("customerOrderId") else None,
        instrument_id=id_of_symbol(pair),
        side=side,
        quantity=quantity,
        price=price,
        fee_amount=fee,
        fee_asset=str(row["makerRewardCurrency" if is_rewarded else "feeCurrency"]),
        liquidity=Liquidity.MAKER if is_rewarded else _liquidity_of(fee / received, fees.get(pair)),
        executed_at=instant(row["tradedAt"]),
    )


def _liquidity_of(rate: Decimal, fees: Fees | None) -> Liquidity:
    """Return which of the account's two rates was charged; the dearer one where they are the same."""
    if fees is None:
        return Liquidity.TAKER
    is_nearer = abs(rate - fees.maker) < abs(rate - fees.taker)
    return Liquidity.MAKER if is_nearer else Liquidity.TAKER


def instant(text: Any) -> datetime:
    """Return the UTC instant of ISO 8601 as VALR writes it, to the microsecond.

    Raises: ValueError.
    """
    return to_datetime(instant_ns(text))


def instant_ns(text: Any) -> int:
    """Return nanoseconds since the epoch of VALR's ISO 8601 in UTC, exactly.

    Raises: ValueError.
    """
    whole, _, fraction = str(text).removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    if len(fraction) > 9 or (fraction and not fraction.isdigit()):
        raise ValueError(f"time {text!r}")
    return int(seconds) * NS_PER_S + int(fraction.ljust(9, "0") or 0)


def iso(ts: int) -> str:
    """Return an instant (ns) as VALR's filters take it, cut to the millisecond."""
    at = to_datetime(ts)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _positive(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    number = exact(value)
    return number if number > ZERO else None
