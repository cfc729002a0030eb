"""Pieces that turn an exchange's rows into records and reports of ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.money import ZERO
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import Balance
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus

NS_PER_MS: Final = 1_000_000


def instant(milliseconds: Any) -> datetime:
    """Return the instant of an exchange's milliseconds, exactly."""
    return to_datetime(int(milliseconds) * NS_PER_MS)


def whole_ms(ts: int) -> int:
    """Return a time (ns) cut to the exchanges' milliseconds, so that what shares its ms is not lost."""
    return ts // NS_PER_MS * NS_PER_MS


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
