"""The mode and its gate as the mock knows them: the program's own shapes, over checks that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from amarktai.api.models.risk import BreakersView, BreakerView, LimitOrder, LimitView, ResetOrder, RiskView
from amarktai.domain.bot import TradingMode
from amarktai.domain.mode import SystemMode
from amarktai.domain.readiness import Check, Name, Report, Status
from amarktai.domain.risk_limits import NEEDED_FOR_LIVE, LimitKind
from amarktai.ports.modes import ModeRow
from amarktai.services.modes import mode_data, mode_view, told
from amarktai.services.readiness import report_view
from tests.e2e import mock_market as market
from tests.e2e.mock_keys import refused
from tests.e2e.mock_market import Row


@dataclass
class Modes:
    """What the gate finds: the names in ``open`` are not met."""

    mode: ModeRow = field(
        default_factory=lambda: ModeRow(SystemMode.PAPER, TradingMode.PAPER, market.NOW, "system")
    )
    open: set[Name] = field(default_factory=set)
    limits: list[Row] = field(default_factory=list)
    trips: list[Row] = field(default_factory=list)

    def report(self) -> Row:
        checks = [
            Check(name, Status.FAILED if name in self.open else Status.OK, "as found", "as needed", "Do it.")
            for name in Name
        ]
        return report_view(Report(market.NOW, "a1b2c3d4e5f6", checks))


def mode_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api/system/mode")
    modes: Modes = account.modes

    @api.get("")
    async def read() -> Row:
        return mode_view(modes.mode, told(modes.mode))

    @api.get("/readiness")
    async def readiness() -> Row:
        return modes.report()

    @api.post("/switch")
    async def switch(body: Row) -> Any:
        mode = SystemMode(body["mode"])
        if mode is SystemMode.LIVE and not account.secrets.fresh:
            return refused(403, "STEP_UP_NEEDED", "This change needs a fresh proof.")
        base = TradingMode.LIVE if mode is SystemMode.LIVE else TradingMode.PAPER
        modes.mode = replace(modes.mode, mode=mode, base=base)
        await account.push(
            "mode_switched", message=told(modes.mode), mode=mode, base=base, mode_data=mode_data(modes.mode)
        )
        return mode_view(modes.mode, told(modes.mode))

    return api


def limit(kind: LimitKind, amount: str | None, **facts: Any) -> Row:
    """Return a limit as the API shows it; nothing of it is used unless ``facts`` say so."""
    row = {
        "kind": kind, "scope": "everybody", "bot_id": None, "bot_name": None, "amount": amount,
        "names": None, "used": "0.00", "spent": False, **facts,
    }  # fmt: skip
    return LimitView.model_validate(row).model_dump(mode="json")


def trip(kind: LimitKind, reason: str, **facts: Any) -> Row:
    """Return a tripped breaker of the user's as the API shows it."""
    row = {
        "id": UUID(int=1), "tripped": True, "mode": "paper", "entity_type": "user", "entity_id": UUID(int=2),
        "entity_name": None, "trigger_type": kind, "trigger_reason": reason, "tripped_at": market.NOW,
        "metrics_at_trip": {"figure": "7", "threshold": "5"}, "can_reset": True, "resets_at": None,
        "reset_at": None, "reset_by": None, "reset_reason": None, **facts,
    }  # fmt: skip
    return BreakerView.model_validate(row).model_dump(mode="json")


def breaker_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api/circuit-breaker")
    modes: Modes = account.modes

    @api.get("/status")
    async def status() -> Row:
        tripped = [row for row in modes.trips if row["tripped"]]
        view = BreakersView(mode=TradingMode.PAPER, tripped=bool(tripped), breakers=[])
        return {**view.model_dump(mode="json"), "breakers": tripped}

    @api.get("/history")
    async def history() -> Row:
        return {"items": modes.trips, "next_cursor": None}

    @api.post("/reset")
    async def reset(body: Row) -> Any:
        if not account.secrets.fresh:
            return refused(403, "STEP_UP_NEEDED", "This change needs a fresh proof.")
        wanted = ResetOrder.model_validate(body)
        row = next(row for row in modes.trips if row["id"] == str(wanted.breaker_id))
        if row["trigger_type"] == LimitKind.DAILY_LOSS:
            return refused(409, "BREAKER_HOLDS", "The loss is still there.")
        over = {"tripped": False, "reset_by": "user:ada", "reset_reason": wanted.reason}
        row.update(over, reset_at=row["tripped_at"])
        return Response(status_code=204)

    return api


def risk_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api/risk")
    modes: Modes = account.modes

    @api.get("")
    async def read() -> Row:
        view = RiskView(mode=TradingMode.PAPER, needed_for_live=list(NEEDED_FOR_LIVE), limits=[])
        return {**view.model_dump(mode="json"), "limits": modes.limits}

    @api.put("/limits", status_code=204)
    async def put(body: Row) -> None:
        wanted = LimitOrder.model_validate(body)
        amount = f"{wanted.amount:f}" if wanted.amount is not None else None
        facts = {"scope": wanted.scope, "bot_id": wanted.bot_id, "names": wanted.names}
        modes.limits.append(limit(wanted.kind, amount, **facts))

    @api.delete("/limits/{kind}", status_code=204)
    async def remove(kind: str, scope: str) -> None:
        modes.limits = [row for row in modes.limits if (row["kind"], row["scope"]) != (kind, scope)]

    return api
