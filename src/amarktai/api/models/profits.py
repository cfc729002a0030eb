"""Profits and platforms over HTTP: the shapes that the requirements fix."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Instant, Money, View
from amarktai.api.models.bots import BotView, EquityCurve
from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.ports.feed import FeedState

Mode = TradingMode | Literal["all"]


class DayProfit(View):
    date: date
    profit: Money


class DailyProfits(View):
    """Thirty days up to today, oldest first; a day without fills is 0."""

    period: Literal["daily"]
    mode: Mode
    items: list[DayProfit]
    total: Money
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str


class WeekProfit(View):
    week: str
    profit: Money
    period: str


class WeeklyProfits(View):
    """Twelve weeks, which begin on Monday, oldest first."""

    period: Literal["weekly"]
    mode: Mode
    items: list[WeekProfit]
    total: Money
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str


class MonthProfit(View):
    month: str
    profit: Money
    period: str


class MonthlyProfits(View):
    """Twelve months, oldest first."""

    period: Literal["monthly"]
    mode: Mode
    items: list[MonthProfit]
    total: Money
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str


class AllProfits(View):
    period: Literal["all"]
    mode: Mode
    total_profit: Money
    profit_today: Money
    profit_yesterday: Money
    best_day: DayProfit | None
    avg_daily: Money | None
    daily_series: list[DayProfit]
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str


ProfitsAnswer = DailyProfits | WeeklyProfits | MonthlyProfits | AllProfits


class BotProfit(View):
    bot_id: UUID
    bot_name: str
    realized_profit: Money
    fees: Money
    trades: int
    win_rate: float | None
    expectancy: Money | None = Field(description="Profit of a closed round trip, on average.")


class PlatformProfit(View):
    platform: Platform
    realized_profit: Money
    fees: Money
    trades: int
    win_rate: float | None
    expectancy: Money | None


class PairProfit(View):
    platform: Platform
    pair: str
    realized_profit: Money
    fees: Money
    trades: int
    win_rate: float | None
    expectancy: Money | None


class ProfitSummary(View):
    """Realised and unrealised apart; ``total_profit`` is their sum, null while a part is unknown."""

    success: Literal[True]
    mode: Mode
    realized_profit: Money
    realized_reason: str | None = Field(description="Which fills could not be valued in rand, if any.")
    unrealized_profit: Money | None
    unrealized_reason: str | None
    total_profit: Money | None
    profit_today: Money
    profit_yesterday: Money
    best_day: DayProfit | None
    avg_daily: Money | None
    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: float | None
    total_fees: Money
    fx_profit: Money | None
    fx_reason: str | None
    rounding: Money | None = Field(description="What the parts leave of the change in equity.")
    equity: Money | None
    equity_reason: str | None
    deposits: Money
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str
    marked_at: Instant | None
    by_bot: list[BotProfit]
    by_platform: list[PlatformProfit]
    by_pair: list[PairProfit]


ProfitSpan = Literal["last_30_days", "month", "last_month", "year", "tax_year", "last_tax_year", "all"]


class RunningDay(DayProfit):
    running: Money = Field(description="Profit since the first day of the span.")
    fees: Money
    trades: int
    wins: int
    losses: int


class ProfitReport(View):
    """What was realised within a span of days; days on which nothing filled are left out."""

    span: ProfitSpan
    first: date
    last: date
    mode: Mode
    realized_profit: Money
    realized_reason: str | None = Field(description="Which fills could not be valued in rand, if any.")
    fees: Money
    trades: int
    winning_trades: int
    losing_trades: int
    win_rate: float | None
    expectancy: Money | None = Field(description="Profit of a closed round trip, on average.")
    days: list[RunningDay]
    by_bot: list[BotProfit]
    by_platform: list[PlatformProfit]
    by_pair: list[PairProfit]
    currency: Literal["ZAR"]
    timestamp: Instant
    timezone: str


class BenchmarkPoint(View):
    at: Instant
    equity: Money


class Benchmark(View):
    """The same money in bitcoin: what was there at the start of the range, and each later deposit when it
    came, held as coins. Empty with a reason when prices are missing.
    """

    mode: Mode
    instrument_id: str
    origin: Origin | None
    items: list[BenchmarkPoint]
    change_percent: float | None
    reason: str | None
    currency: Literal["ZAR"]


class BookEquity(EquityCurve):
    mode: Mode


class PlatformView(View):
    platform: Platform
    display_name: str
    connected: bool
    status_message: str
    origin: Origin | None
    bots_count_total: int
    bots_active: int
    bot_limit: int
    profit_today: Money
    profit_total: Money
    trades_today: int
    win_rate: float | None
    feed_state: FeedState | None
    feed_age_s: float | None


class PlatformSummary(View):
    success: Literal[True]
    mode: Mode
    platforms: list[PlatformView] = Field(min_length=5, max_length=5)
    total_platforms: int
    timestamp: Instant


class PlatformBots(View):
    success: Literal[True]
    platform: Platform
    display_name: str
    mode: Mode
    bots: list[BotView]
    total_bots: int
    timestamp: Instant
