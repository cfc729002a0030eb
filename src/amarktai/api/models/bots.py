"""Bots, their decisions and equity, and strategies over HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Body, Instant, Money, PlainJson, ShortText, Text, View
from amarktai.domain.bot import BotStatus, LifecycleStage, RiskMode, TradingMode
from amarktai.domain.instrument import Origin, Platform

BotName = Annotated[
    str, Field(pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", min_length=1, max_length=60)
]
Amount = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=8, allow_inf_nan=False)]
Span = Literal["day", "week", "month", "year", "all"]


class Gate(View):
    """One condition of a decision, with what was measured and what was needed."""

    name: str
    value: float | str | None
    op: str
    threshold: float | str | None
    passed: bool


class DecisionView(View):
    at: Instant
    verdict: Literal["buy", "sell", "hold", "blocked", "warming_up", "stale"]
    reason: str
    gates: list[Gate]
    data_age_s: float | None


class DecisionPage(View):
    items: list[DecisionView]
    next_cursor: str | None


class PositionView(View):
    quantity: Money
    average_price: Money
    value: Money | None
    mark_price: Money | None
    marked_at: Instant | None


class BotView(View):
    id: UUID
    name: str
    platform: Platform
    pair: str
    instrument_id: str
    strategy: str
    strategy_title: str
    params: dict[str, Any]
    timeframe: str
    risk_mode: RiskMode
    trading_mode: TradingMode
    status: BotStatus
    lifecycle_stage: LifecycleStage
    origin: Origin
    capital_zar: Money
    current_capital: Money | None = Field(description="Equity in ZAR; null without a rate or price.")
    quote_asset: str
    capital_quote: Money
    realized_profit: Money
    unrealized_profit: Money | None
    unrealized_reason: str | None
    profit_today: Money
    total_profit: Money
    total_fees: Money
    total_trades: int
    trades_today: int
    winning_trades: int
    losing_trades: int
    win_rate: float | None
    max_drawdown_percent: float | None
    position: PositionView | None
    pause_reason: str | None
    created_at: Instant
    started_at: Instant | None
    paused_at: Instant | None
    stopped_at: Instant | None
    last_trade_time: Instant | None
    last_decision: DecisionView | None
    next_decision_at: Instant | None
    rests_because: str | None = Field(description="Why a bot that is on does nothing now; null otherwise.")
    can_start: bool
    can_pause: bool
    can_resume: bool
    can_stop: bool
    can_delete: bool
    cannot_reason: str | None


class BotAnswer(View):
    bot: BotView


class BotPage(View):
    items: list[BotView]
    next_cursor: str | None


class NewBotBody(Body):
    name: BotName
    platform: ShortText
    pair: ShortText
    strategy: ShortText
    params: PlainJson = Field(default_factory=dict)
    timeframe: ShortText | None = None
    risk_mode: RiskMode
    capital_zar: Amount
    start: bool = False


class BotChanges(Body):
    name: BotName | None = None
    params: PlainJson | None = None
    risk_mode: RiskMode | None = None


class BotSparkline(View):
    bot_id: UUID
    values: list[Money] = Field(description="Realised profit since the first of the days, day by day.")


class BotSparklines(View):
    """Bots that realised nothing in these days are left out."""

    first: date
    last: date
    items: list[BotSparkline]
    currency: Literal["ZAR"]
    timezone: str


class ActionBody(Body):
    reason: Text | None = None


class SkippedBot(View):
    bot_id: UUID
    name: str
    reason: str


class AllBotsAnswer(View):
    changed: int
    skipped: list[SkippedBot]


class EquityPoint(View):
    at: Instant
    equity: Money
    realized_profit: Money
    unrealized_profit: Money | None
    drawdown_percent: float | None = Field(
        description="Below the highest point of the span so far, 0 to 100; null where nothing was at stake."
    )


class Drawdown(View):
    """A fall from a peak until the next higher one; deposits are neither gain nor fall."""

    peak_at: Instant
    trough_at: Instant
    recovered_at: Instant | None = Field(description="Null while it lasts.")
    depth: Money
    percent: float


class EquityCurve(View):
    items: list[EquityPoint]
    currency: Literal["ZAR"]
    max_drawdown_percent: float | None
    drawdowns: list[Drawdown] = Field(description="The five deepest of the span, the deepest first.")


class StrategyParameter(View):
    name: str
    description: str
    type: Literal["int", "float"]
    default: float
    low: float
    high: float
    unit: str


class StrategyView(View):
    id: str
    title: str
    description: str
    source: str
    kind: Literal["signals", "events"]
    default_timeframe: str
    parameters: list[StrategyParameter]


class StrategyList(View):
    items: list[StrategyView]
