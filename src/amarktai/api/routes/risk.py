"""Risk limits: what binds you, and how much of it is used; circuit breakers, and their reset."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from amarktai.api.auth import Container, Proven, Who, writer
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.risk import BreakerPage, BreakersView, LimitOrder, LimitScope, ResetOrder, RiskView
from amarktai.api.paging import Cursor, page
from amarktai.api.paging import Limit as PageLimit
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.risk_limits import EVERYBODY, Limit, LimitKind, Scope
from amarktai.domain.user import Identity

router = APIRouter(prefix="/api", tags=["risk"], route_class=IdempotentRoute, responses=SIGNED_IN)


@router.get("/risk")
async def read_risk(who: Who, services: Container, mode: TradingMode | None = None) -> RiskView:
    """Return every limit that binds you and its use in one book, by default the one that trades."""
    return RiskView.model_validate(await services.risk_limits.view(who, mode))


@router.put("/risk/limits", status_code=204, responses=responses(403, 404))
async def put_limit(body: LimitOrder, who: Proven, services: Container) -> None:
    """Set a limit of yours, of a bot of yours, or as an admin of everybody. It binds within a second."""
    await writer(who)
    names = tuple(body.names) if body.names is not None else None
    scope = _scope(body.scope, body.bot_id, who)
    await services.risk_limits.put(who, Limit(body.kind, scope, body.amount, names))


@router.delete("/risk/limits/{kind}", status_code=204, responses=responses(403, 404))
async def remove_limit(
    kind: LimitKind, scope: LimitScope, who: Proven, services: Container, bot_id: UUID | None = None
) -> None:
    """Remove a limit."""
    await writer(who)
    await services.risk_limits.remove(who, kind, _scope(scope, bot_id, who))


@router.get("/circuit-breaker/status")
async def read_breakers(who: Who, services: Container, mode: TradingMode | None = None) -> BreakersView:
    """Return what is tripped and lets nothing of yours enter, in one book, by default the one that trades."""
    return BreakersView.model_validate(await services.breakers.status(who, mode))


@router.get("/circuit-breaker/history")
async def list_trips(
    who: Who, services: Container, cursor: Cursor = None, limit: PageLimit = 50
) -> BreakerPage:
    """Return every trip, open or over, the newest first."""
    return BreakerPage.model_validate(page(await services.breakers.history(who, cursor=cursor, limit=limit)))


@router.post("/circuit-breaker/reset", status_code=204, responses=responses(403, 404, 409))
async def reset_breaker(body: ResetOrder, who: Proven, services: Container) -> None:
    """Let entries through again. What tripped it is measured from now on; a day's loss is not forgotten."""
    await writer(who)
    await services.breakers.reset(who, body.breaker_id, body.reason)


def _scope(scope: LimitScope, bot_id: UUID | None, who: Identity) -> Scope:
    if (scope == "bot") != (bot_id is not None):
        raise InvalidInput("LIMIT_INVALID", "A bot's limit, and no other, needs its bot_id", "Correct it.")
    return EVERYBODY if scope == "everybody" else Scope(who.user_id, bot_id)
