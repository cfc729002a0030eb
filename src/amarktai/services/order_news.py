"""What an account's stream says of an order, and whether the books may lack it."""

from __future__ import annotations

from dataclasses import dataclass

from amarktai.domain.order import TERMINAL, OrderState
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.store import StoredOrder, UnitOfWork
from amarktai.ports.venue import VenueStatus


@dataclass(frozen=True, slots=True)
class Hint:
    """What the stream has said of an order: how it is now, or that it was filled, or only that it changed."""

    venue_order_id: str
    client_order_id: str | None
    record: OrderRecord | None = None
    fill: AccountFill | None = None


async def is_news(unit: UnitOfWork, stored: StoredOrder, hint: Hint) -> bool:
    """Return whether the books may lack something: a look costs the exchange's requests."""
    order = stored.order
    if order.state is OrderState.FILLED:
        return False  # it can be filled no further
    if hint.fill is not None:
        trade_id = hint.fill.venue_trade_id
        return not await unit.trades.known_fills(stored.platform, stored.account, [trade_id])
    if hint.record is None:
        return True
    has_ended = hint.record.status is not VenueStatus.OPEN and order.state not in TERMINAL
    return has_ended or hint.record.filled_quantity > order.filled_quantity
