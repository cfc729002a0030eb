"""Pieces that turn an exchange's rows into records and reports of ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.money import ZERO
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import AccountFill, Balance, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus

NS_PER_MS: Final = 1_000_000
_UUID_VERSION: Final = 7


def order_id_of(client_order_id: str | None) -> UUID | None:
    """Return our order's id when a client order id is one that we make, else None."""
    if client_order_id is None or len(client_order_id) != 32:
        return None
    try:
        found = UUID(hex=client_order_id)
    except ValueError:
        return None
    return found if found.version == _UUID_VERSION and found.hex == client_order_id else None


def instant(milliseconds: Any) -> datetime:
    """Return the instant of an exchange's milliseconds, exactly."""
    return to_datetime(int(milliseconds) * NS_PER_MS)


def whole_ms(ts: int) -> int:
    """Return a time (ns) cut to the exchanges' milliseconds, so that what shares its ms is not lost."""
    return ts // NS_PER_MS * NS_PER_MS


def report_of(order_id: UUID, record: OrderRecord, fills: Iterable[AccountFill]) -> OrderReport:
    """Return an order's record and executions as the order path wants them."""
    return OrderReport(
        order_id=order_id,
        venue_order_id=record.venue_order_id,
        status=record.status,
        filled_quantity=record.filled_quantity,
        fills=tuple(fill.of_order(order_id) for fill in fills),
        at=record.updated_at or record.created_at,
    )


def accepted_report(request: OrderRequest, venue_order_id: str, at: datetime) -> OrderReport:
    """Return the report of an order that the exchange took without saying more."""
    return OrderReport(request.order_id, venue_order_id, VenueStatus.OPEN, ZERO, (), at)


def sum_balances(rows: Iterable[tuple[str, Decimal, Decimal]]) -> dict[str, Balance]:
    """Return (asset, total, reserved) rows summed by asset, without those that are zero."""
    found: dict[str, Balance] = {}
    for asset, total, reserved in rows:
        before = found.get(asset, Balance(asset, ZERO, ZERO))
        found[asset] = Balance(asset, before.total + total, before.reserved + reserved)
    return {asset: balance for asset, balance in found.items() if balance.total or balance.reserved}
