"""The mode and its gate as the mock knows them: the program's own shapes, over checks that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter

from amarktai.domain.bot import TradingMode
from amarktai.domain.mode import SystemMode
from amarktai.domain.readiness import Check, Name, Report, Status
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
