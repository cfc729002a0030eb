"""Luno's orders (the v2 form) and trades as records of ours. Source: Luno API 1.2.5 and ``luno-go``.

Luno has no "canceled": a completed order whose filled base is short of its volume was canceled, or
ran out of time. Amounts are decimal strings, times milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side, order_id_of
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.venue import VenueStatus
from amarktai.venues.account_records import instant
from amarktai.venues.transport import exact

_SIDES: Final = {"BUY": Side.BUY, "BID": Side.BUY, "SELL": Side.SELL, "ASK": Side.SELL}
_TYPES: Final = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET, "STOP_LIMIT": OrderType.STOP_MARKET}
_OPEN: Final = frozenset({"AWAITING", "PENDING"})


def order_record(row: Mapping[str, Any], id_of_symbol: Callable[[str], str]) -> OrderRecord:
    """Return an order of routes v2 and v3.

    A market order's volume is what it traded where Luno tells none. Our stop orders are stop-limits
    there; one that somebody else placed has a type that we do not place.
    """
    client_order_id = str(row.get("client_order_id") or "")
    order_id = order_id_of(client_order_id)
    order_type: OrderType | None = _TYPES[row["type"]]
    if order_type is OrderType.STOP_MARKET and order_id is None:
        order_type = None
    filled, volume = exact(row["base"]), exact(row["limit_volume"])
    quantity = filled if order_type is OrderType.MARKET and volume == ZERO else volume
    return OrderRecord(
        order_id=order_id,
        client_order_id=client_order_id,
        venue_order_id=str(row["order_id"]),
        instrument_id=id_of_symbol(str(row["pair"])),
        side=_SIDES[row["side"]],
        type=order_type,
        quantity=quantity,
        price=_positive(row.get("limit_price")),
        stop_price=_positive(row.get("stop_price")),
        status=_status(row, filled, quantity),
        filled_quantity=filled,
        created_at=instant(row["creation_timestamp"]),
        updated_at=_instant_or_none(row.get("completed_timestamp")),
    )


def account_fill(
    row: Mapping[str, Any], id_of_symbol: Callable[[str], str], asset_of: Callable[[str], tuple[str, str]]
) -> AccountFill:
    """Return a trade of listtrades. ``asset_of`` gives (base, quote) of a pair in our codes.

    Luno charges in one of the pair's assets: in which, the two fee fields tell. A sequence counts
    within a pair, so the pair is part of the trade's id. We were the taker when the taker's side
    (``is_buy``) is our order's own.

    Raises: ValueError when both fees are charged at once, which no source describes.
    """
    pair = str(row["pair"])
    base, quote = asset_of(pair)
    side = _SIDES[row["type"]]
    fee_base, fee_quote = exact(row["fee_base"]), exact(row["fee_counter"])
    if fee_base and fee_quote:
        raise ValueError(f"trade {row['sequence']} charges fees in two assets")
    in_base = bool(fee_base) or (not fee_quote and side is Side.BUY)
    return AccountFill(
        venue_trade_id=f"{pair}-{int(row['sequence'])}",
        venue_order_id=str(row["order_id"]),
        client_order_id=str(row["client_order_id"]) if row.get("client_order_id") else None,
        instrument_id=id_of_symbol(pair),
        side=side,
        quantity=exact(row["volume"]),
        price=exact(row["price"]),
        fee_amount=fee_base if in_base else fee_quote,
        fee_asset=base if in_base else quote,
        liquidity=Liquidity.TAKER if row["is_buy"] == (side is Side.BUY) else Liquidity.MAKER,
        executed_at=instant(row["timestamp"]),
    )


def _status(row: Mapping[str, Any], filled: Decimal, quantity: Decimal) -> VenueStatus:
    if row["status"] in _OPEN:
        return VenueStatus.OPEN
    if row["status"] != "COMPLETE":
        raise ValueError(f"order status {row['status']!r}")
    if filled >= quantity > ZERO:
        return VenueStatus.FILLED
    expires, completed = int(row.get("expiration_timestamp") or 0), int(row.get("completed_timestamp") or 0)
    ran_out = 0 < expires <= completed or row.get("time_in_force") in ("IOC", "FOK")
    return VenueStatus.EXPIRED if ran_out else VenueStatus.CANCELED


def _positive(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    number = exact(value)
    return number if number > ZERO else None


def _instant_or_none(milliseconds: Any) -> datetime | None:
    return instant(milliseconds) if milliseconds else None
