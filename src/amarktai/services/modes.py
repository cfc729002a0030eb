"""The system's mode, and the one way into live trading.

Whoever wants real money to trade comes through ``Modes.switch``: an admin, with the words of confirmation,
with every check of readiness met. The database refuses any other writer. The way back needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Conflict, Forbidden, InvalidInput
from amarktai.domain.mode import SystemMode
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import ModeSwitched
from amarktai.ports.ids import Ids
from amarktai.ports.modes import ModeRow
from amarktai.ports.readiness import ReadinessStore
from amarktai.ports.store import Store
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.readiness import Readiness, sentence
from amarktai.services.views import instant

#: What a person types who lets real money trade.
CONFIRMATION: Final = "CONFIRM_LIVE_TRADING"


@dataclass(frozen=True, slots=True)
class Gate:
    """What live trading needs: the checks, where their reports are kept, and fresh proof of who asks.

    ``prove`` raises Forbidden STEP_UP_NEEDED when a session's proof is too old.
    """

    readiness: Readiness
    reports: ReadinessStore
    prove: Callable[[Identity], None]


class Modes:
    def __init__(self, store: Store, gate: Gate, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock
        self._ids = ids

    async def switch(self, mode: SystemMode, confirmation: str | None, *, by: Identity) -> dict[str, Any]:
        """Switch the system; that it is in that mode already is as good.

        Autopilot without the confirmation trades on paper; with it, with real money, as live does.
        Raises: Forbidden for who is no admin, except to paper; InvalidInput CONFIRMATION_NEEDED;
        Conflict LIVE_NOT_READY with the open checks.
        """
        base = _base_of(mode, confirmation)
        async with self._store.unit_of_work(by.user_id) as unit:
            before = await unit.modes.current()
        if (before.mode, before.base) == (mode, base):
            return mode_view(before, f"The system is in {mode} mode already.")
        if mode is not SystemMode.PAPER and not by.is_admin:
            raise Forbidden("FORBIDDEN", f"Only admins at a browser switch to {mode}.", "Ask an admin.")
        report_id = None
        if base is TradingMode.LIVE:
            _confirm(confirmation)
            self._gate.prove(by)
            report_id = await self._pass_gate(by)
        after = await self._write(mode, base, report_id, by)
        return mode_view(after, told(after))

    async def current(self, user_id: UUID) -> dict[str, Any]:
        """Return the mode as ``GET /api/system/mode`` shows it."""
        async with self._store.unit_of_work(user_id) as unit:
            row = await unit.modes.current()
        return mode_view(row, told(row))

    async def _pass_gate(self, by: Identity) -> UUID:
        """Return the id of a report in which every check is met. Raises: Conflict LIVE_NOT_READY."""
        report, report_id = await self._gate.readiness.report(), self._ids.new()
        await self._gate.reports.keep(report_id, report, actor_of(by))
        if not report.is_ready:
            raise Conflict(
                "LIVE_NOT_READY",
                f"Not ready for live trading. {'; '.join(sentence(check) for check in report.open)}.",
                "Turn every check green; each says how on the Risk screen.",
            )
        return report_id

    async def _write(
        self, mode: SystemMode, base: TradingMode, report_id: UUID | None, by: Identity
    ) -> ModeRow:
        """Commit the mode with its audit fact first; then tell everybody."""
        row = ModeRow(mode, base, to_datetime(self._clock.now_ns()), actor_of(by))
        async with self._store.unit_of_work(by.user_id) as unit:
            before = await unit.modes.current(lock=True)
            await unit.modes.switch(row, report_id)
            fact = fact_of(
                by, "mode.switched", ("system", "mode"),
                before={"mode": before.mode, "base": before.base},
                after={"mode": mode, "base": base, "readiness": str(report_id) if report_id else None},
            )  # fmt: skip
            await unit.audit.append(fact, row.updated_at)
        payload = ModeSwitched(message=told(row), mode=mode, base=base, mode_data=mode_data(row))
        for user_id in await self._store.user_ids():
            async with self._store.unit_of_work(user_id) as unit:
                await unit.outbox.emit([("mode_switched", payload)], row.updated_at)
        return row


def _base_of(mode: SystemMode, confirmation: str | None) -> TradingMode:
    """Return whose entries may leave in that mode: autopilot's stay on paper unless somebody confirms."""
    if mode is SystemMode.AUTOPILOT:
        return TradingMode.LIVE if confirmation is not None else TradingMode.PAPER
    return TradingMode(mode.value)


def _confirm(confirmation: str | None) -> None:
    if confirmation != CONFIRMATION:
        raise InvalidInput(
            "CONFIRMATION_NEEDED",
            "Trading with real money needs its confirmation",
            f"Send confirmation_token {CONFIRMATION}, or type it in the dialog.",
        )


def told(row: ModeRow) -> str:
    """Return the mode in a sentence."""
    if row.mode is SystemMode.AUTOPILOT:
        if row.base is TradingMode.LIVE:
            return "Autopilot with real money: live bots may enter."
        return "Autopilot on paper: simulated money, until the live gate is passed."
    if row.base is TradingMode.LIVE:
        return "Live: bots trade with real money."
    return "Paper: simulated money. Live bots only close what they hold."


def mode_data(row: ModeRow) -> dict[str, Any]:
    """Return the mode's flags, of which exactly one is set, and its base."""
    return {
        "mode": row.mode.value,
        "base": row.base.value,
        "paperTrading": row.mode is SystemMode.PAPER,
        "liveTrading": row.mode is SystemMode.LIVE,
        "autopilot": row.mode is SystemMode.AUTOPILOT,
        "updated_at": instant(row.updated_at),
        "updated_by": row.updated_by,
    }


def mode_view(row: ModeRow, message: str) -> dict[str, Any]:
    """Return the mode as the API shows it."""
    return {"success": True, "message": message, **mode_data(row)}
