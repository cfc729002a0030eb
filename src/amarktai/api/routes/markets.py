"""Instruments, candles and feeds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from amarktai.api.auth import Container, Who
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.base import Instant
from amarktai.api.models.markets import CandleList, FeedPage, InstrumentPage
from amarktai.api.paging import Cursor, Limit, page
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.instrument import Platform

router = APIRouter(prefix="/api", tags=["markets"], route_class=IdempotentRoute, responses=SIGNED_IN)

InstrumentId = Annotated[
    str, Query(pattern=r"^[a-z]{1,20}:[A-Za-z0-9]{1,20}/[A-Za-z0-9]{1,20}$", examples=["luno:BTC/ZAR"])
]
Timeframe = Annotated[str, Query(pattern=r"^[1-9][0-9]{0,2}[smhdw]$", examples=["1h"])]
CandleLimit = Annotated[int, Query(ge=1, le=5_000, description="Most bars.")]


@router.get("/instruments")
async def list_instruments(
    _: Who,
    services: Container,
    platform: Platform | None = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> InstrumentPage:
    """Return the markets that bots can trade, with fees, steps and the latest price."""
    found = await services.markets.instruments(platform=platform, cursor=cursor, limit=limit)
    return InstrumentPage.model_validate(page(found))


@router.get("/candles", responses=responses(404))
async def list_candles(
    _: Who,
    services: Container,
    instrument_id: InstrumentId,
    timeframe: Timeframe = "1h",
    until: Instant | None = None,
    limit: CandleLimit = 500,
) -> CandleList:
    """Return closed bars that end before ``until``, oldest first."""
    return CandleList.model_validate(
        await services.markets.candles(instrument_id, timeframe=timeframe, until=until, limit=limit)
    )


@router.get("/feeds")
async def list_feeds(_: Who, services: Container) -> FeedPage:
    """Return the health of each platform's market data."""
    return FeedPage.model_validate({"items": await services.markets.feeds(), "next_cursor": None})
