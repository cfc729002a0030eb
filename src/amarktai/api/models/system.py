"""Mode, build, health, alerts and events over HTTP."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import Body, Instant, Text, View
from amarktai.domain.bot import TradingMode
from amarktai.domain.mode import SystemMode
from amarktai.domain.stop import StopSource


class ModeView(View):
    success: Literal[True]
    message: str
    mode: SystemMode
    base: TradingMode = Field(description="Whose entries may leave: paper bots' only, or live bots' too.")
    paperTrading: bool  # noqa: N815  the requirements name it so
    liveTrading: bool  # noqa: N815
    autopilot: bool
    updated_at: Instant
    updated_by: str


class ModeSwitch(Body):
    mode: SystemMode
    confirmation_token: str | None = Field(
        default=None,
        max_length=100,
        description="CONFIRM_LIVE_TRADING, for live, and for autopilot with real money.",
    )


class CheckView(View):
    name: str
    title: str
    status: Literal["ok", "failed"]
    value: str
    threshold: str
    remedy: str = Field(description="How it turns green.")
    age_s: float | None = Field(description="How old the fact is, where that matters.")


class LiveReadiness(View):
    success: Literal[True]
    ready: bool
    checks_passed: bool
    errors: list[str]
    checked_at: Instant
    build: str
    checks: list[CheckView]


class StopView(View):
    scope: Literal["user", "everybody"]
    reason: str
    source: StopSource = Field(description="Through what it was engaged.")
    engaged_at: Instant
    engaged_by: str
    released_at: Instant | None
    released_by: str | None


class StopStatus(View):
    """``enabled`` and ``active`` are the same: a stop of the user or of everybody is on."""

    enabled: bool
    active: bool
    reason: str | None
    activated_by: str | None
    updated_at: Instant | None
    stops: list[StopView] = Field(description="Those that are on, everybody's first.")
    history: list[StopView] = Field(description="The latest, newest first.")


class StopOrder(Body):
    reason: Text | None = Field(default=None, description="Its first 200 characters are kept.")
    everybody: bool = Field(default=False, description="Stop everybody's bots; for admins.")


class StopRelease(Body):
    everybody: bool = Field(default=False, description="Release everybody's stop; for admins.")


class BackendBuild(View):
    sha: str | None
    branch: str | None
    build_time: str | None
    python_version: str


class FrontendBuild(View):
    expected_sha: str | None
    note: str


class Deployment(View):
    environment: str
    host: str


class BuildView(View):
    success: Literal[True]
    backend: BackendBuild
    frontend: FrontendBuild
    deployment: Deployment


class ProcessView(View):
    role: str
    pid: int
    started_at: Instant
    beat_at: Instant
    healthy: bool
    detail: dict[str, Any]


class DatabaseView(View):
    version: str
    size_bytes: int


class StatusView(View):
    processes: list[ProcessView]
    database: DatabaseView
    sandbox: bool


class MarketChoice(View):
    """Which market bots see: the exchanges' public data, or the synthetic sandbox."""

    source: Literal["live", "sandbox"]


class PingView(View):
    status: Literal["healthy"]
    db: Literal["connected"]
    timestamp: Instant


class ReadyView(View):
    ready: bool
    issues: list[str]


class AlertView(View):
    id: UUID
    type: str
    severity: Literal["info", "warning", "critical"]
    message: str
    bot_id: UUID | None
    created_at: Instant
    acknowledged_at: Instant | None


class AlertPage(View):
    items: list[AlertView]
    next_cursor: str | None


class AuditFactView(View):
    """Who did what to which object, and when. ``hash`` chains it to the fact before it."""

    seq: int
    at: Instant
    actor: str
    actor_name: str | None
    action: str
    object_type: str
    object_id: str
    ip: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    hash: str


class AuditPage(View):
    items: list[AuditFactView]
    next_cursor: str | None


class AuditCheckView(View):
    ok: bool
    facts_checked: int
    first_break: int | None = Field(description="Sequence of the first fact that does not follow.")
    checked_at: Instant


class EventView(View):
    seq: int
    type: str
    payload: dict[str, Any]
    created_at: Instant


class EventPage(View):
    items: list[EventView]
    next_cursor: str | None
