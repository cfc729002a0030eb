"""How each money event becomes an entry: funding, allocation, conversion, fill, release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import LEDGER_STEP, ZAR, ceil_to_step, to_ledger
from amarktai.domain.order import Side
from amarktai.domain.position import Execution
from amarktai.ledger import chart
from amarktai.ledger.entry import Entry, Posting, merge, transfer
from amarktai.ledger.valuation import FxRate


def book_funding(key: str, amount: Decimal, at: datetime) -> Entry:
    """Money from outside into the paper wallet: a flow, never profit."""
    return Entry(
        key, "funding", f"Paper wallet funded with {amount:f} ZAR", at,
        transfer(chart.FUNDING, chart.WALLET, ZAR, amount),
    )  # fmt: skip


def book_allocation(bot_id: UUID, bot_name: str, amount: Decimal, at: datetime) -> Entry:
    """A bot's capital leaves the wallet: no other bot can spend it."""
    return Entry(
        f"allocate:{bot_id.hex}", "allocation", f"Capital reserved for {bot_name}", at,
        transfer(chart.WALLET, chart.bot_holding(bot_id), ZAR, amount), {"bot_id": str(bot_id)},
    )  # fmt: skip


def book_conversion(
    key: str, bot_id: UUID, *, sell: tuple[str, Decimal], buy: tuple[str, Decimal], rate: FxRate, at: datetime
) -> Entry:
    """A bot's money changes currency at a dated rate, visibly."""
    holding = chart.bot_holding(bot_id)
    (sold_asset, sold), (bought_asset, bought) = sell, buy
    return Entry(
        key,
        "conversion",
        f"Converted {sold:f} {sold_asset} to {bought:f} {bought_asset}",
        at,
        (
            *transfer(holding, chart.CONVERSION, sold_asset, sold),
            *transfer(chart.CONVERSION, holding, bought_asset, bought),
        ),
        {
            "bot_id": str(bot_id),
            "rate": f"{rate.rate:f}",
            "rate_source": rate.source,
            "rate_at": rate.at.isoformat(),
        },
    )


def book_release(
    bot_id: UUID, bot_name: str, holdings: Mapping[str, Decimal], at: datetime, target: str = chart.WALLET
) -> Entry:
    """What is left of a bot's capital goes back to where it came from, coins too small to sell included."""
    holding = chart.bot_holding(bot_id)
    legs = [transfer(holding, target, asset, amount) for asset, amount in sorted(holdings.items())]
    return Entry(
        f"release:{bot_id.hex}", "release", f"Capital of {bot_name} released", at,
        tuple(posting for pair in legs for posting in pair), {"bot_id": str(bot_id)},
    )  # fmt: skip


def book_fill(key: str, bot_id: UUID, instrument: Instrument, fill: Fill) -> Entry:
    """A trade: asset legs and quote legs through the pair's market account, fee legs in the fee's asset."""
    holding, other = chart.bot_holding(bot_id), chart.market(instrument.id)
    notional = to_ledger(fill.notional)
    if fill.side is Side.BUY:
        legs = (
            *transfer(other, holding, instrument.base, fill.quantity),
            *transfer(holding, other, instrument.quote, notional),
        )
    else:
        legs = (
            *transfer(holding, other, instrument.base, fill.quantity),
            *transfer(other, holding, instrument.quote, notional),
        )
    fee_legs: tuple[Posting, ...] = transfer(
        holding,
        chart.fees(instrument.venue),
        fill.fee_asset,
        booked_fee(fill.fee_asset, fill.fee_amount, instrument),
    )
    verb = "Bought" if fill.side is Side.BUY else "Sold"
    return Entry(
        key,
        "fill",
        f"{verb} {fill.quantity:f} {instrument.base} at {fill.price:f} {instrument.quote}",
        fill.executed_at,
        merge((*legs, *fee_legs)),
        {"bot_id": str(bot_id), "order_id": str(fill.order_id), "origin": fill.origin.value},
    )


def as_booked(fill: Fill, instrument: Instrument) -> Fill:
    """Return a fill in the ledger's places: what is stored of it, and everything derived from that.

    What this leaves out of the exchange's own amounts is ``live_books.rounding_of``.
    """
    fee = booked_fee(fill.fee_asset, fill.fee_amount, instrument)
    return replace(fill, quantity=to_ledger(fill.quantity), price=to_ledger(fill.price), fee_amount=fee)


def fill_key(platform: str, account: str, venue_trade_id: str) -> str:
    """Return the idempotency key of a fill's entry (L5)."""
    return f"fill:{platform}:{account}:{venue_trade_id}"


def booked_fee(asset: str, amount: Decimal, instrument: Instrument) -> Decimal:
    """Return a fill's fee in the ledger's places; one in coins is rounded up.

    Exchanges keep more places than the ledger. A bot must never believe that it holds a part of a coin
    that its account does not have: its last sale would be refused.
    """
    return ceil_to_step(amount, LEDGER_STEP) if asset == instrument.base else to_ledger(amount)


def fee_in_quote(fill: Fill, instrument: Instrument) -> Decimal:
    """Return the fill's fee in the quote asset, a fee in coins at the fill's own price.

    Raises: BrokenInvariant for a fee in a third asset: its worth in the quote asset is not in the fill,
    and the fill's price is not its price.
    """
    if fill.fee_asset == instrument.quote or not fill.fee_amount:
        return fill.fee_amount
    if fill.fee_asset == instrument.base:
        return fill.fee_amount * fill.price
    raise BrokenInvariant(
        f"a fee in {fill.fee_asset} on {instrument.id} cannot be valued; let the exchange charge its fees in"
        f" {instrument.base} or {instrument.quote}"
    )


def execution_of(fill: Fill, instrument: Instrument) -> Execution:
    """Return the fill's amounts for the position, with its fee in base or in quote.

    Paper venues charge in one of the two; a fee in a third asset leaves the position alone and is
    an expense of its own. The fee is rounded as it is posted, so that position and holding agree.
    """
    fee = booked_fee(fill.fee_asset, fill.fee_amount, instrument)
    return Execution(
        fill.side,
        fill.quantity,
        to_ledger(fill.notional),
        fee_in_base=fee if fill.fee_asset == instrument.base else Decimal(0),
        fee_in_quote=fee if fill.fee_asset == instrument.quote else Decimal(0),
    )
