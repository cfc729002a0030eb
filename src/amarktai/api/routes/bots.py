"""Bots and strategies."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from amarktai.api.auth import Container, Who, Writer
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.bots import (
    ActionBody,
    AllBotsAnswer,
    BotAnswer,
    BotChanges,
    BotPage,
    BotSparklines,
    DecisionPage,
    EquityCurve,
    NewBotBody,
    Span,
    StrategyList,
)
from amarktai.api.paging import Cursor, Limit, page
from amarktai.api.routing import IdempotentRoute
from amarktai.api.services import Services
from amarktai.domain.bot import BotAction, BotStatus, TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.user import Identity
from amarktai.ports.reports import BotFilter
from amarktai.services.bots import NewBot

router = APIRouter(prefix="/api", tags=["bots"], route_class=IdempotentRoute, responses=SIGNED_IN)
_NO_BODY = ActionBody()


@router.get("/strategies")
async def list_strategies(_: Who, services: Container) -> StrategyList:
    """Return the library's strategies with their parameters and sources."""
    return StrategyList.model_validate({"items": services.bot_views.strategies()})


@router.get("/bots")
async def list_bots(
    who: Who,
    services: Container,
    platform: Platform | None = None,
    status: BotStatus | None = None,
    mode: TradingMode | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> BotPage:
    """Return the user's bots; deleted ones only when asked for by status."""
    found = await services.bot_views.list_bots(
        who.user_id, BotFilter(platform, status, mode), cursor=cursor, limit=limit
    )
    return BotPage.model_validate(page(found))


@router.post("/bots", status_code=201, responses=responses(404, 409))
async def create_bot(body: NewBotBody, who: Writer, services: Container) -> BotAnswer:
    """Create a bot; its capital is reserved in the paper wallet, converted where the market needs it."""
    bot = await services.bots.create(who.user_id, NewBot(**body.model_dump()), by=who)
    return await _answer(services, who, bot.id)


@router.post("/bots/start-all")
async def start_all_bots(who: Writer, services: Container) -> AllBotsAnswer:
    """Start every bot that can be started."""
    return await _act_on_all(services, who, BotAction.START)


@router.post("/bots/pause-all")
async def pause_all_bots(who: Writer, services: Container) -> AllBotsAnswer:
    """Pause every active bot."""
    return await _act_on_all(services, who, BotAction.PAUSE)


@router.get("/bots/sparklines")
async def list_sparklines(who: Who, services: Container, mode: TradingMode | None = None) -> BotSparklines:
    """Return each bot's running realised profit of the last thirty days."""
    return BotSparklines.model_validate(await services.bot_views.sparklines(who.user_id, mode=mode))


@router.get("/bots/{bot_id:uuid}", responses=responses(404))
async def read_bot(bot_id: UUID, who: Who, services: Container) -> BotAnswer:
    """Return one bot."""
    return await _answer(services, who, bot_id)


@router.patch("/bots/{bot_id:uuid}", responses=responses(404, 409))
async def update_bot(bot_id: UUID, body: BotChanges, who: Writer, services: Container) -> BotAnswer:
    """Change a bot's name, parameters or risk mode; what is left out stays."""
    changes = body.model_dump(exclude_none=True)
    if changes:
        await services.bots.update(who.user_id, bot_id, changes, by=who)
    return await _answer(services, who, bot_id)


@router.delete("/bots/{bot_id:uuid}", responses=responses(404, 409))
async def delete_bot(bot_id: UUID, who: Writer, services: Container) -> BotAnswer:
    """Delete a bot: its position is closed, its capital released, its history kept."""
    return await _act(services, who, bot_id, BotAction.DELETE, None)


@router.post("/bots/{bot_id:uuid}/start", responses=responses(404, 409))
async def start_bot(bot_id: UUID, who: Writer, services: Container, body: ActionBody = _NO_BODY) -> BotAnswer:
    """Start a stopped or paused bot."""
    return await _act(services, who, bot_id, BotAction.START, body.reason)


@router.post("/bots/{bot_id:uuid}/pause", responses=responses(404, 409))
async def pause_bot(bot_id: UUID, who: Writer, services: Container, body: ActionBody = _NO_BODY) -> BotAnswer:
    """Pause a bot: it enters no more; an open position stays guarded."""
    return await _act(services, who, bot_id, BotAction.PAUSE, body.reason)


@router.post("/bots/{bot_id:uuid}/resume", responses=responses(404, 409))
async def resume_bot(
    bot_id: UUID, who: Writer, services: Container, body: ActionBody = _NO_BODY
) -> BotAnswer:
    """Resume a paused bot."""
    return await _act(services, who, bot_id, BotAction.RESUME, body.reason)


@router.post("/bots/{bot_id:uuid}/stop", responses=responses(404, 409))
async def stop_bot(bot_id: UUID, who: Writer, services: Container, body: ActionBody = _NO_BODY) -> BotAnswer:
    """Stop a bot: an open position is closed at the market."""
    return await _act(services, who, bot_id, BotAction.STOP, body.reason)


@router.get("/bots/{bot_id:uuid}/decisions", responses=responses(404))
async def list_decisions(
    bot_id: UUID, who: Who, services: Container, cursor: Cursor = None, limit: Limit = 50
) -> DecisionPage:
    """Return what the bot decided and why, the latest first."""
    found = await services.bot_views.decisions(who.user_id, bot_id, cursor=cursor, limit=limit)
    return DecisionPage.model_validate(page(found))


@router.get("/bots/{bot_id:uuid}/equity", responses=responses(404))
async def read_bot_equity(
    bot_id: UUID,
    who: Who,
    services: Container,
    range: Span = "month",  # noqa: A002  the API's word
) -> EquityCurve:
    """Return the bot's equity over time."""
    return EquityCurve.model_validate(await services.bot_views.equity(who.user_id, bot_id, range))


async def _answer(services: Services, who: Identity, bot_id: UUID) -> BotAnswer:
    return BotAnswer.model_validate({"bot": await services.bot_views.get(who.user_id, bot_id)})


async def _act(
    services: Services, who: Identity, bot_id: UUID, action: BotAction, reason: str | None
) -> BotAnswer:
    await services.bots.act(who.user_id, bot_id, action, reason, by=who)
    return await _answer(services, who, bot_id)


async def _act_on_all(services: Services, who: Identity, action: BotAction) -> AllBotsAnswer:
    done = await services.bots.act_on_all(who.user_id, action, by=who)
    return AllBotsAnswer.model_validate(done)
