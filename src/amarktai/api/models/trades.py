"""Round trips, fills, orders, the wallet and the ledger over HTTP."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Body, Instant, Money, View
from amarktai.api.models.bots import Amount
from amarktai.domain.bot import TradingMode
from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import OrderState, OrderType, Side
from amarktai.domain.round_trip import RoundTripStatus


class TradeView(View):
    """A round trip. Money is ZAR; ``*_quote`` is in ``quote_asset``."""

    id: UUID
    bot_id: UUID
    bot_name: str
    platform: Platform
    pair: str
    side: Literal["long"]
    mode: TradingMode
    status: RoundTripStatus
    origin: Origin
    quantity: Money
    entry_price: Money | None
    exit_price: Money | None
    opened_at: Instant
    closed_at: Instant | None
    profit_loss: Money | None
    profit_percent: float | None
    gross_profit: Money | None
    fees: Money | None
    quote_asset: str
    profit_loss_quote: Money | None
    zar_rate: Money | None
    zar_rate_source: str | None
    zar_rate_at: Instant | None
    zar_reason: str | None
    exit_reason: str | None
    strategy: str


class FillView(View):
    id: UUID
    order_id: UUID
    trade_id: UUID
    side: Side
    quantity: Money
    price: Money
    notional: Money
    fee_amount: Money
    fee_asset: str
    liquidity: Liquidity
    executed_at: Instant
    recorded_at: Instant
    zar_rate: Money | None
    zar_rate_source: str | None
    zar_rate_at: Instant | None
    ledger_entry_id: UUID
    origin: Origin
    venue_trade_id: str


class TradePage(View):
    items: list[TradeView]
    next_cursor: str | None
    total: int | None = Field(description="All that match; null for a span of time with too many to count.")


class TradeAnswer(View):
    trade: TradeView
    fills: list[FillView]


class OrderView(View):
    id: UUID
    client_order_id: str
    bot_id: UUID
    bot_name: str
    platform: Platform
    pair: str
    mode: TradingMode
    tag: str
    side: Side
    type: OrderType
    state: OrderState
    quantity: Money
    filled_quantity: Money
    price: Money | None
    stop_price: Money | None
    average_price: Money | None
    post_only: bool
    reduce_only: bool
    reason: str
    reject_reason: str | None
    reserved_asset: str
    reserved_amount: Money
    created_at: Instant
    updated_at: Instant
    closed_at: Instant | None


class OrderPage(View):
    items: list[OrderView]
    next_cursor: str | None


class OrderEventView(View):
    at: Instant
    from_state: str | None
    to_state: str
    event: str
    detail: str


class OrderAnswer(View):
    order: OrderView
    events: list[OrderEventView]
    fills: list[FillView]


class PostingView(View):
    account: str
    asset: str
    amount: Money


class EntryView(View):
    id: UUID
    seq: int
    kind: str
    book: TradingMode
    effective_at: Instant
    recorded_at: Instant
    description: str
    reference: dict[str, Any]
    postings: list[PostingView]
    hash: str
    prev_hash: str


class EntryPage(View):
    items: list[EntryView]
    next_cursor: str | None


class AccountView(View):
    """What an account holds of one asset; the bot where it is a bot's."""

    account: str
    asset: str
    amount: Money
    bot_id: UUID | None
    bot_name: str | None


class AccountPage(View):
    items: list[AccountView]
    next_cursor: str | None


class StatementLine(View):
    """What one entry did to the account: ``debit`` came in, ``credit`` went out; the balance after it."""

    entry_id: UUID
    seq: int
    kind: str
    description: str
    effective_at: Instant
    debit: Money | None
    credit: Money | None
    balance: Money


class Statement(View):
    items: list[StatementLine]
    next_cursor: str | None


class LedgerCheck(View):
    ok: bool
    entries_checked: int
    first_difference: str | None
    checked_at: Instant
    imbalance: dict[str, Money]


class AssetView(View):
    asset: str
    available: Money
    allocated: Money
    value_zar: Money | None
    rate: Money | None
    rate_source: str | None
    rate_at: Instant | None
    value_reason: str | None


class ConversionView(View):
    at: Instant
    bot_id: UUID
    from_asset: str
    from_amount: Money
    to_asset: str
    to_amount: Money
    rate: Money
    rate_source: str
    rate_at: Instant


class WalletView(View):
    mode: Literal["paper"]
    currency: Literal["ZAR"]
    total: Money | None
    available: Money
    allocated: Money | None
    reserved: Money | None = None
    assets: list[AssetView]
    conversions: list[ConversionView]


class WalletAnswer(View):
    wallet: WalletView


class Funding(Body):
    amount: Amount
