"""Profits and platforms: the shapes that the requirements fix."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from amarktai.api.auth import Container, Who
from amarktai.api.csv_answers import CSV, csv_answer
from amarktai.api.errors import SIGNED_IN
from amarktai.api.models.bots import Span
from amarktai.api.models.profits import (
    Benchmark,
    BookEquity,
    PlatformBots,
    PlatformSummary,
    ProfitReport,
    ProfitsAnswer,
    ProfitSpan,
    ProfitSummary,
)
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Platform

router = APIRouter(prefix="/api", tags=["profits"], route_class=IdempotentRoute, responses=SIGNED_IN)
_profits: TypeAdapter[ProfitsAnswer] = TypeAdapter(ProfitsAnswer)


@router.get("/profits")
async def read_profits(
    who: Who,
    services: Container,
    period: Literal["daily", "weekly", "monthly", "all"] = "daily",
    mode: TradingMode | None = None,
) -> ProfitsAnswer:
    """Return realised profit per day, week or month, in the user's timezone."""
    return _profits.validate_python(await services.profits.profits(who.user_id, period=period, mode=mode))


@router.get("/profits/summary")
async def read_profit_summary(
    who: Who, services: Container, mode: TradingMode | None = None
) -> ProfitSummary:
    """Return realised and unrealised profit apart, with counts, fees and equity."""
    return ProfitSummary.model_validate(await services.profits.summary(who.user_id, mode=mode))


@router.get("/profits/equity")
async def read_equity(
    who: Who,
    services: Container,
    mode: TradingMode | None = None,
    range: Span = "month",  # noqa: A002  the API's word
) -> BookEquity:
    """Return the user's equity over time."""
    return BookEquity.model_validate(await services.profits.equity(who.user_id, mode=mode, span=range))


@router.get("/profits/report")
async def read_profit_report(
    who: Who, services: Container, span: ProfitSpan = "last_30_days", mode: TradingMode | None = None
) -> ProfitReport:
    """Return what was realised in a span, by day, bot, platform and pair. A tax year begins on 1 March."""
    return ProfitReport.model_validate(await services.profits.report(who.user_id, span=span, mode=mode))


@router.get("/profits/export", responses=CSV, response_class=StreamingResponse)
async def export_profits(
    who: Who, services: Container, span: ProfitSpan = "last_30_days", mode: TradingMode | None = None
) -> StreamingResponse:
    """Return the days of a span as CSV."""
    return await csv_answer(services.exports.profits(who.user_id, span=span, mode=mode), f"profits-{span}")


@router.get("/profits/benchmark")
async def read_benchmark(
    who: Who,
    services: Container,
    mode: TradingMode | None = None,
    range: Span = "month",  # noqa: A002  the API's word
) -> Benchmark:
    """Return what the same money in bitcoin would be worth, over the same range as the equity."""
    return Benchmark.model_validate(await services.benchmark.equity(who.user_id, mode=mode, span=range))


@router.get("/platforms/summary")
async def read_platforms(who: Who, services: Container, mode: TradingMode | None = None) -> PlatformSummary:
    """Return the five platforms with their figures; those without market data say so."""
    return PlatformSummary.model_validate(await services.platforms.summary(who.user_id, mode=mode))


@router.get("/platforms/{platform}/bots")
async def list_platform_bots(
    platform: Platform, who: Who, services: Container, mode: TradingMode | None = None
) -> PlatformBots:
    """Return the platform's bots, the most profitable first."""
    return PlatformBots.model_validate(await services.platforms.bots(who.user_id, platform, mode=mode))
