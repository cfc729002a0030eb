"""What happens in an exchange account beside the bots' trades, as entries: what was there at first, what its
owner trades by hand, and what differs without a reason that the exchange tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import Side
from amarktai.ledger import chart
from amarktai.ledger.booking import as_booked
from amarktai.ledger.entry import Entry, merge, transfer

#: Where an explained difference comes from or goes to, by its cause.
_OTHER_SIDE: Final = {
    "deposit": chart.OUTSIDE,
    "withdrawal": chart.OUTSIDE,
    "fee": chart.ADJUSTMENTS,
    "reward": chart.ADJUSTMENTS,
    "other": chart.OUTSIDE,
}


@dataclass(frozen=True, slots=True)
class HandTrade:
    """An execution of an order that is none of ours. Units: quantity base, price quote per base."""

    trade_id: str
    platform: str
    base: str
    quote: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee_amount: Decimal
    fee_asset: str
    executed_at: datetime


def book_opening(platform: str, amounts: Mapping[str, Decimal], at: datetime) -> Entry:
    """What an account holds when the platform first reads it: a flow, never profit."""
    legs = [
        transfer(chart.OUTSIDE, chart.venue(platform), asset, amounts[asset]) for asset in sorted(amounts)
    ]
    return Entry(
        f"opening:{platform}:{at.isoformat()}", "opening", "In the account when it was first read", at,
        merge(posting for pair in legs for posting in pair), {"platform": platform},
    )  # fmt: skip


def hand_trade_key(platform: str, trade_id: str) -> str:
    """Return the idempotency key of a trade by hand (L5)."""
    return f"hand:{platform}:{trade_id}"


def book_hand_trade(trade: HandTrade) -> Entry:
    """A trade by the account's owner: it moves what lies beside the bots, and is nobody's profit here."""
    account, other = chart.venue(trade.platform), chart.BY_HAND
    sign = 1 if trade.side is Side.BUY else -1
    legs = (
        *transfer(other, account, trade.base, sign * to_ledger(trade.quantity)),
        *transfer(account, other, trade.quote, sign * to_ledger(trade.price * trade.quantity)),
        *transfer(account, other, trade.fee_asset, to_ledger(trade.fee_amount)),
    )
    verb = "Bought" if trade.side is Side.BUY else "Sold"
    return Entry(
        hand_trade_key(trade.platform, trade.trade_id),
        "hand_trade",
        f"{verb} {trade.quantity:f} {trade.base} at {trade.price:f} {trade.quote} by hand",
        trade.executed_at,
        merge(legs),
        {"platform": trade.platform},
    )


def book_difference(
    difference_id: UUID, platform: str, amounts: Mapping[str, Decimal], at: datetime
) -> Entry:
    """What the exchange has more (or less) than the books: named, and in suspense until it is explained."""
    legs = [
        transfer(chart.UNEXPLAINED, chart.venue(platform), asset, amounts[asset]) for asset in sorted(amounts)
    ]
    return Entry(
        f"difference:{difference_id.hex}", "difference", f"{platform} differs from the books", at,
        merge(posting for pair in legs for posting in pair), {"platform": platform},
    )  # fmt: skip


def book_explanation(
    difference_id: UUID, platform: str, asset: str, amount: Decimal, *, cause: str, note: str, at: datetime
) -> Entry:
    """A person says what a difference was: it leaves suspense."""
    return Entry(
        f"explained:{difference_id.hex}", "explanation", f"{cause}: {note}" if note else cause, at,
        transfer(_OTHER_SIDE[cause], chart.UNEXPLAINED, asset, amount), {"platform": platform},
    )  # fmt: skip


def rounding_of(fill: Fill, instrument: Instrument) -> dict[str, Decimal]:
    """Return by how much the account moved more than ``book_fill`` booked for this fill, by asset.

    Exchanges keep more places than the ledger; what falls under them must be known to compare exactly.
    """
    sign, booked = 1 if fill.side is Side.BUY else -1, as_booked(fill, instrument)
    moved = {instrument.base: sign * (fill.quantity - booked.quantity)}
    _add(moved, instrument.quote, -sign * (fill.notional - to_ledger(booked.notional)))
    _add(moved, fill.fee_asset, booked.fee_amount - fill.fee_amount)
    return {asset: amount for asset, amount in moved.items() if amount}


def rounding_of_hand_trade(trade: HandTrade) -> dict[str, Decimal]:
    """Return by how much the account moved more than ``book_hand_trade`` booked."""
    sign = 1 if trade.side is Side.BUY else -1
    notional = trade.price * trade.quantity
    moved = {trade.base: sign * (trade.quantity - to_ledger(trade.quantity))}
    _add(moved, trade.quote, -sign * (notional - to_ledger(notional)))
    _add(moved, trade.fee_asset, -(trade.fee_amount - to_ledger(trade.fee_amount)))
    return {asset: amount for asset, amount in moved.items() if amount}


def _add(amounts: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    amounts[asset] = amounts.get(asset, ZERO) + amount
