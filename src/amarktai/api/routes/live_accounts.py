"""Real exchange accounts: what they are trusted for, and what waits for a person."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from amarktai.api.auth import Container, Proven, Who, Writer, writer
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.live_accounts import (
    AccountsView,
    DifferenceView,
    Explanation,
    OrderResolution,
    TieOutList,
)
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.instrument import Platform

router = APIRouter(prefix="/api", tags=["accounts"], route_class=IdempotentRoute, responses=SIGNED_IN)
Days = Annotated[int, Query(ge=1, le=366, description="How many days, the newest first.")]


@router.get("/accounts")
async def read_accounts(who: Who, services: Container) -> AccountsView:
    """Return every exchange account with a key, and everything that waits for a person."""
    return AccountsView.model_validate(await services.accounts.overview(who))


@router.get("/accounts/{platform}/tie-outs")
async def list_tie_outs(
    platform: Annotated[Platform, Path()], who: Who, services: Container, days: Days = 30
) -> TieOutList:
    """Return what an account held beside what the ledger said, per asset and day."""
    items = await services.accounts.tie_outs(who.user_id, platform, days)
    return TieOutList.model_validate({"items": items})


@router.post("/accounts/differences/{difference_id:uuid}/explain", responses=responses(404, 409))
async def explain_difference(
    difference_id: UUID, body: Explanation, who: Writer, services: Container
) -> DifferenceView:
    """Say what a difference was. When none is open any more, the account is compared anew."""
    found = await services.differences.explain(who, difference_id, body.cause, body.note)
    return DifferenceView.model_validate(found)


@router.post(
    "/orders/{order_id:uuid}/resolve",
    status_code=202,
    responses=responses(403, 404, 409),
    dependencies=[Depends(writer)],
)
async def resolve_order(order_id: UUID, body: OrderResolution, who: Proven, services: Container) -> None:
    """Say that an order in doubt is over. The engine ends it; what is reported later is booked still."""
    await services.resolutions.ask(who, order_id, body.note)
