"""Health, build, mode, processes, alerts and the log of events."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from amarktai.api.auth import Admin, Container, Monitor, Who, Writer, admin
from amarktai.api.errors import PUBLIC, SIGNED_IN, responses
from amarktai.api.exposition import EXPOSITION, METRICS_ANSWER, exposition
from amarktai.api.models.system import (
    AlertPage,
    AuditCheckView,
    AuditPage,
    BuildView,
    EventPage,
    LiveReadiness,
    MarketChoice,
    ModeSwitch,
    ModeView,
    PingView,
    ReadyView,
    StatusView,
    StopOrder,
    StopRelease,
    StopStatus,
)
from amarktai.api.paging import Cursor, Limit, page
from amarktai.api.routing import IdempotentRoute
from amarktai.services.readiness import report_view

public = APIRouter(prefix="/api", tags=["system"])
router = APIRouter(prefix="/api", tags=["system"], route_class=IdempotentRoute, responses=SIGNED_IN)
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": ReadyView, "description": "Something is missing; the issues say what"}
}
AuditedType = Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$", examples=["bot"])]
AuditedId = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
After = Annotated[int | None, Query(ge=0, le=2**62, description="Only events with a greater sequence.")]


@public.get("/health/ping", responses=responses(503))
async def ping(services: Container) -> PingView:
    """Say that the server and its database answer."""
    return PingView.model_validate(await services.system.ping())


@public.get("/health/ready", responses=_NOT_READY)
async def read_readiness(response: Response, services: Container) -> ReadyView:
    """Say whether everything runs that trading needs."""
    issues = await services.system.issues()
    response.status_code = 503 if issues else 200
    return ReadyView(ready=not issues, issues=issues)


@public.get("/system/build", responses=PUBLIC)
async def read_build(services: Container) -> BuildView:
    """Return which build runs, and which dashboard it serves."""
    return BuildView.model_validate(services.build.view())


@router.get("/system/mode")
async def read_mode(who: Who, services: Container) -> ModeView:
    """Return the system's mode."""
    return ModeView.model_validate(await services.modes.current(who.user_id))


@router.post("/system/mode/switch", responses=responses(403, 409))
async def switch_mode(body: ModeSwitch, who: Writer, services: Container) -> ModeView:
    """Switch the mode. To paper at once; to live through every check, by an admin who proves who it is."""
    return ModeView.model_validate(await services.modes.switch(body.mode, body.confirmation_token, by=who))


@router.get("/system/metrics", response_class=Response, responses=METRICS_ANSWER)
async def read_metrics(_: Monitor, services: Container) -> Response:
    """Return the platform's metrics for Prometheus; an API token of an admin's may read them."""
    return Response(exposition(await services.metrics.read()), media_type=EXPOSITION)


@router.get("/system/mode/readiness", responses=responses(403))
async def read_live_readiness(_: Admin, services: Container) -> LiveReadiness:
    """Make every check that live trading needs, and return each with its value and threshold."""
    return LiveReadiness.model_validate(report_view(await services.readiness.report()))


@router.get("/system/emergency-stop/status")
async def read_emergency_stop(who: Who, services: Container) -> StopStatus:
    """Return whether an emergency stop is on for the user, and the latest ones."""
    return StopStatus.model_validate(await services.emergency.status(who.user_id))


@router.post("/system/emergency-stop", responses=responses(403))
async def engage_emergency_stop(body: StopOrder, who: Writer, services: Container) -> StopStatus:
    """Stop at once: nothing that adds risk leaves any more, active bots are paused, exits stay possible."""
    if body.everybody:
        await admin(who)
    answer = await services.emergency.engage(who, everybody=body.everybody, reason=body.reason)
    return StopStatus.model_validate(answer)


@router.post("/system/emergency-stop/disable", responses=responses(403))
async def release_emergency_stop(body: StopRelease, who: Writer, services: Container) -> StopStatus:
    """Release a stop. The bots that it paused stay paused."""
    if body.everybody:
        await admin(who)
    return StopStatus.model_validate(await services.emergency.release(who, everybody=body.everybody))


@router.get("/system/status")
async def read_status(_: Who, services: Container) -> StatusView:
    """Return the running processes and the database's size."""
    return StatusView.model_validate(await services.system.status())


@router.get("/system/market")
async def read_market(_: Who, services: Container) -> MarketChoice:
    """Return which market bots see."""
    return MarketChoice.model_validate({"source": await services.system.market()})


@router.post("/system/market", responses=responses(403))
async def switch_market(body: MarketChoice, who: Admin, services: Container) -> MarketChoice:
    """Let the engine start anew on the other market. Bots made on the first one rest until it is back."""
    source = await services.system.switch_market(body.source, by=who)
    return MarketChoice.model_validate({"source": source})


@router.get("/alerts")
async def list_alerts(who: Who, services: Container, cursor: Cursor = None, limit: Limit = 50) -> AlertPage:
    """Return alerts, the latest first."""
    return AlertPage.model_validate(page(await services.alerts.list_alerts(who, cursor=cursor, limit=limit)))


@router.post("/alerts/{alert_id:uuid}/acknowledge", status_code=204, responses=responses(404))
async def acknowledge_alert(alert_id: UUID, who: Writer, services: Container) -> None:
    """Mark an alert as known."""
    await services.alerts.acknowledge(who, alert_id)


@router.get("/audit")
async def list_audit(
    who: Who,
    services: Container,
    object_type: AuditedType = None,
    object_id: AuditedId = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AuditPage:
    """Return what was changed by whom, the latest first: an admin sees all, others what concerns them."""
    found = await services.audit.list_facts(
        who, object_type=object_type, object_id=object_id, cursor=cursor, limit=limit
    )
    return AuditPage.model_validate(page(found))


@router.get("/audit/verify", responses=responses(403))
async def verify_audit(_: Admin, services: Container) -> AuditCheckView:
    """Recompute the chain of the audit log from its beginning."""
    return AuditCheckView.model_validate(await services.audit.check_view())


@router.get("/events")
async def list_events(
    who: Who, services: Container, after: After = None, cursor: Cursor = None, limit: Limit = 50
) -> EventPage:
    """Return events after a sequence, oldest first; without one, the newest first."""
    found = await services.events.list_events(who, after=after, cursor=cursor, limit=limit)
    return EventPage.model_validate(page(found))
