"""Rows as the API and the events show them: one shape per noun, used by both."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from amarktai.domain.bot import Bot
from amarktai.domain.money import to_ledger
from amarktai.domain.order import Order
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger.recomputation import RecordedFill
from amarktai.ports.store import NewFill


def money(value: Decimal | None) -> str | None:
    """Return a decimal string without exponent; None stays None."""
    return None if value is None else f"{value:f}"


def instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def fill_view(row: NewFill | RecordedFill) -> dict[str, Any]:
    """Return a fill as ``GET /api/trades/{id}`` shows it."""
    fill, rate = row.fill, row.rate
    return {
        "id": str(row.id),
        "order_id": str(fill.order_id),
        "trade_id": str(row.round_trip_id),
        "side": fill.side.value,
        "quantity": money(fill.quantity),
        "price": money(fill.price),
        "notional": money(to_ledger(fill.notional)),
        "fee_amount": money(fill.fee_amount),
        "fee_asset": fill.fee_asset,
        "liquidity": fill.liquidity.value,
        "executed_at": instant(fill.executed_at),
        "recorded_at": instant(row.recorded_at),
        "zar_rate": money(rate.rate) if rate else None,
        "zar_rate_source": rate.source if rate else None,
        "zar_rate_at": instant(rate.at) if rate else None,
        "ledger_entry_id": str(row.ledger_entry_id),
        "origin": fill.origin.value,
        "venue_trade_id": fill.venue_trade_id,
    }


def round_trip_view(trip: RoundTrip, bot: Bot) -> dict[str, Any]:
    """Return a round trip as ``GET /api/trades`` shows it."""
    return trade_view(trip, bot_name=bot.name, platform=bot.platform.value, mode=bot.mode.value)


def trade_view(trip: RoundTrip, *, bot_name: str, platform: str, mode: str) -> dict[str, Any]:
    """Return a round trip as ``GET /api/trades`` shows it. Percent is net profit over entry cost."""
    entry_cost = trip.entry_notional
    percent = trip.profit_quote / entry_cost * 100 if entry_cost and trip.exit_quantity else None
    return {
        "id": str(trip.id),
        "bot_id": str(trip.bot_id),
        "bot_name": bot_name,
        "platform": platform,
        "pair": trip.instrument_id.partition(":")[2],
        "side": "long",
        "mode": mode,
        "status": trip.status.value,
        "origin": trip.origin.value,
        "quantity": money(trip.entry_quantity),
        "entry_price": money(trip.entry_price),
        "exit_price": money(trip.exit_price),
        "opened_at": instant(trip.opened_at),
        "closed_at": instant(trip.closed_at),
        "profit_loss": money(trip.profit_zar) if trip.exit_quantity else None,
        "profit_percent": round(float(percent), 4) if percent is not None else None,
        "gross_profit": money(trip.gross_zar) if trip.exit_quantity else None,
        "fees": money(trip.fees_zar) if trip.exit_quantity else None,
        "quote_asset": trip.quote_asset,
        "profit_loss_quote": money(trip.profit_quote),
        "zar_rate": money(trip.zar_rate),
        "zar_rate_source": trip.zar_rate_source,
        "zar_rate_at": instant(trip.zar_rate_at),
        "zar_reason": trip.zar_reason,
        "exit_reason": trip.exit_reason,
        "strategy": trip.strategy,
    }


def order_view(order: Order, bot: Bot, *, at: datetime, average_price: Decimal | None) -> dict[str, Any]:
    """Return the part of an order that its realtime event carries."""
    return {
        "id": str(order.id),
        "client_order_id": order.client_order_id,
        "bot_id": str(order.bot_id),
        "bot_name": bot.name,
        "platform": bot.platform.value,
        "pair": bot.pair,
        "mode": bot.mode.value,
        "tag": order.tag,
        "side": order.side.value,
        "type": order.type.value,
        "state": order.state.value,
        "quantity": money(order.quantity),
        "filled_quantity": money(order.filled_quantity),
        "price": money(order.price),
        "stop_price": money(order.stop_price),
        "average_price": money(average_price),
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
        "reason": order.reason,
        "reserved_asset": order.reserved_asset,
        "reserved_amount": money(order.reserved_amount),
        "updated_at": instant(at),
    }
