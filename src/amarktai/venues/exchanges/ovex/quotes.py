"""OVEX's quotes and trades as values of ours. Pure.

A quote names what goes in (``from``) and what comes out (``to``): who buys pays quote and gets base.
Its price is derived from the two amounts, whichever way round ``rate`` is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any, Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import AccountFill, OrderRecord
from amarktai.ports.venue import VenueStatus
from amarktai.venues.transport import exact

#: Fills are booked with prices of eight places.
PRICE_STEP: Final = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """So much base against so much quote in one market, seen from us."""

    base: str
    quote: str
    side: Side
    base_amount: Decimal
    quote_amount: Decimal

    @property
    def instrument_id(self) -> str:
        return f"{Platform.OVEX}:{self.base}/{self.quote}"

    @property
    def price(self) -> Decimal:
        """Quote per base, as exact as decimals are."""
        return self.quote_amount / self.base_amount


@dataclass(frozen=True, slots=True)
class DeskQuote:
    """What the desk offers until ``expires_ts`` (ns). Without a token it is indicative only."""

    terms: Exchanged
    token: str | None
    requested_at: datetime
    expires_ts: int


@dataclass(frozen=True, slots=True)
class DeskTrade:
    """An accepted quote. ``token`` is None where the list does not carry it."""

    trade_id: str
    terms: Exchanged
    token: str | None
    at: datetime


def read_quote(row: Mapping[str, Any]) -> DeskQuote:
    """Return an answer of get_quote."""
    return DeskQuote(
        terms=_terms(row),
        token=str(row.get("quote_token") or "") or None,
        requested_at=_instant(row["requested_at"]),
        expires_ts=to_ns(_instant(row["expires_at"])),
    )


def read_trade(row: Mapping[str, Any]) -> DeskTrade:
    """Return a row of rfq/trades, whose fields no document lists: those of its quote are expected."""
    told = row.get("created_at") or row.get("executed_at") or row["requested_at"]
    return DeskTrade(str(row["id"]), _terms(row), str(row.get("quote_token") or "") or None, _instant(told))


def _terms(row: Mapping[str, Any]) -> Exchanged:
    """Raises: ValueError for amounts that are nothing, or assets that are not the market's."""
    side = Side(str(row["side"]).lower())
    paid = (str(row["from_currency"]).upper(), exact(row["from_amount"]))
    got = (str(row["to_currency"]).upper(), exact(row["to_amount"]))
    (base, base_amount), (quote, quote_amount) = (got, paid) if side is Side.BUY else (paid, got)
    if base_amount <= 0 or quote_amount <= 0 or str(row["market"]).upper() != base + quote:
        raise ValueError(f"{row['market']}: {base_amount} {base} against {quote_amount} {quote}")
    return Exchanged(base, quote, side, base_amount, quote_amount)


def account_fill(trade: DeskTrade) -> AccountFill:
    """Return the execution of a trade.

    Its price has eight places, rounded in the desk's disfavour; the rest is the fee, so that price,
    quantity and fee give exactly what was paid or received.
    """
    terms = trade.terms
    rounding = ROUND_DOWN if terms.side is Side.BUY else ROUND_UP
    price = terms.price.quantize(PRICE_STEP, rounding)
    rest = terms.quote_amount - terms.base_amount * price
    return AccountFill(
        venue_trade_id=trade.trade_id,
        venue_order_id=venue_order_id(trade),
        client_order_id=None,
        instrument_id=terms.instrument_id,
        side=terms.side,
        quantity=terms.base_amount,
        price=price,
        fee_amount=rest if terms.side is Side.BUY else -rest,
        fee_asset=terms.quote,
        liquidity=Liquidity.TAKER,
        executed_at=trade.at,
    )


def order_record(trade: DeskTrade) -> OrderRecord:
    """Return the order that a trade is, a market order that was filled at once; whose, it cannot tell."""
    terms = trade.terms
    return OrderRecord(
        order_id=None,
        client_order_id="",
        venue_order_id=venue_order_id(trade),
        instrument_id=terms.instrument_id,
        side=terms.side,
        type=OrderType.MARKET,
        quantity=terms.base_amount,
        price=None,
        stop_price=None,
        status=VenueStatus.FILLED,
        filled_quantity=terms.base_amount,
        created_at=trade.at,
        updated_at=trade.at,
    )


def venue_order_id(trade: DeskTrade) -> str:
    """Return what names the order at OVEX: the quote's token, else the trade."""
    return trade.token or trade.trade_id


def _instant(told: Any) -> datetime:
    """Return the instant of Unix seconds or ISO 8601 with a timezone. Raises: ValueError."""
    if isinstance(told, int | Decimal):
        return to_datetime(int(told * NS_PER_S))
    at = datetime.fromisoformat(str(told))
    if at.tzinfo is None:
        raise ValueError(f"time {told!r} names no timezone")
    return to_datetime(to_ns(at))
