"""Readiness for live trading: the facts gathered, judged, and told in one list.

The same list is in the API, on the Risk screen, in ``amarktai ready`` and behind the switch to live.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from amarktai.domain import readiness as rules
from amarktai.domain.errors import AmarktaiError
from amarktai.domain.instrument import DISPLAY_NAMES
from amarktai.domain.provider import TestOutcome
from amarktai.domain.readiness import AccountFact, Check, Name, ProcessFact, Report
from amarktai.domain.risk_limits import NEEDED_FOR_LIVE
from amarktai.ports.accounts import Heartbeat, SystemStore
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.live_accounts import AccountStatus, Condition
from amarktai.ports.readiness import (
    AUDIT_NOTE,
    BACKUP_NOTE,
    REHEARSAL_NOTE,
    Machine,
    ReadinessStore,
    UserFacts,
)
from amarktai.services.system import System
from amarktai.services.views import instant

#: What a check of an unread fact says to do.
_REMEDY: Final = "Start the platform: amarktai up."
_WORKING: Final = frozenset({TestOutcome.WORKS})


class Readiness:
    """Asks everything anew each time. Only facts that take long come from notes, with their age."""

    def __init__(
        self, store: ReadinessStore, system_store: SystemStore, system: System, machine: Machine, clock: Clock
    ) -> None:
        self._store = store
        self._system_store = system_store
        self._system = system
        self._machine = machine
        self._clock = clock

    async def report(self) -> Report:
        """Make every check; one whose fact cannot be had is failed."""
        checks = [await self._one(name, check) for name, check in self._checks().items()]
        return Report(to_datetime(self._clock.now_ns()), self._machine.build, checks)

    def _checks(self) -> Mapping[Name, Callable[[], Awaitable[Check]]]:
        return {
            Name.SERVER: lambda: self._answer(Name.SERVER, self._machine.ask_server),
            Name.REALTIME: lambda: self._answer(Name.REALTIME, self._machine.ask_realtime),
            Name.DATABASE: self._database,
            Name.PROCESSES: lambda: self._processes(rules.judge_processes),
            Name.ERRORS: lambda: self._processes(rules.judge_errors),
            Name.FAULTS: lambda: self._processes(rules.judge_faults),
            Name.DISK: self._disk,
            Name.CLOCK: self._clocks,
            Name.MARKET: self._market,
            Name.KEYS: self._keys,
            Name.ACCOUNTS: self._accounts,
            Name.ORDERS: self._orders,
            Name.PROFIT: self._profit,
            Name.STOP: self._stop,
            Name.LIMITS: self._limits,
            Name.BACKUP: self._backup,
            Name.REHEARSAL: self._rehearsal,
        }

    async def _one(self, name: Name, check: Callable[[], Awaitable[Check]]) -> Check:
        try:
            return await check()
        except AmarktaiError as error:
            is_silent = error.code == "UNAVAILABLE"  # the database: trying again is no remedy
            return rules.unread(name, error.detail, _REMEDY if is_silent else error.action)

    @property
    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ns())

    async def _answer(self, name: Name, ask: Callable[[], Awaitable[None]]) -> Check:
        started = self._clock.now_ns()
        await ask()
        return rules.judge_answer(name, self._ms_since(started))

    def _ms_since(self, started_ns: int) -> float:
        return (self._clock.now_ns() - started_ns) / 1e6

    async def _database(self) -> Check:
        started = self._clock.now_ns()
        await self._system_store.ping()
        took_ms = self._ms_since(started)
        version, _ = await self._system_store.database()
        return rules.judge_database(took_ms, version)

    async def _processes(self, judge: Callable[[list[ProcessFact], datetime], Check]) -> Check:
        beats = await self._system_store.heartbeats()
        return judge([_process(beat) for beat in beats], self._now)

    async def _disk(self) -> Check:
        return rules.judge_disk(*await self._machine.disk())

    async def _clocks(self) -> Check:
        before = self._clock.now_ns()
        theirs = await self._store.clock()
        middle = to_datetime((before + self._clock.now_ns()) // 2)
        return rules.judge_clock({"the database": (theirs - middle).total_seconds()})

    async def _market(self) -> Check:
        is_sandbox = await self._system.is_sandbox()
        return rules.judge_market(is_sandbox=is_sandbox, stand_ins=self._machine.stand_ins)

    async def _keys(self) -> Check:
        working, viewing, refused = list[str](), list[str](), list[str]()
        for user in await self._store.users():
            for provider, key in sorted(user.keys.items()):
                if provider.platform is None or key.outcome is None:
                    continue
                told = (
                    refused if key.outcome not in _WORKING else viewing if key.may_trade is False else working
                )
                told.append(f"{DISPLAY_NAMES[provider.platform]} of {user.email}")
        return rules.judge_keys(working, viewing, refused)

    async def _accounts(self) -> Check:
        facts = [
            _account(user, status)
            for user in await self._store.users()
            for status in user.accounts
            if status.condition is not Condition.CLOSED
        ]
        return rules.judge_accounts(facts, self._now)

    async def _orders(self) -> Check:
        users = await self._store.users()
        oldest = min((user.oldest_doubt for user in users if user.oldest_doubt is not None), default=None)
        return rules.judge_orders(sum(user.doubtful for user in users), oldest, self._now)

    async def _profit(self) -> Check:
        note = await self._store.note(AUDIT_NOTE)
        return rules.judge_profit(_time(note, "checked_at"), (note or {}).get("first_difference"), self._now)

    async def _stop(self) -> Check:
        return rules.judge_stop(self._machine.stop_file() or await self._store.stop_for_all())

    async def _limits(self) -> Check:
        return rules.judge_limits(
            await self._store.limits_for_all(), [kind.value for kind in NEEDED_FOR_LIVE]
        )

    async def _backup(self) -> Check:
        return rules.judge_backup(_time(await self._store.note(BACKUP_NOTE), "made_at"), self._now)

    async def _rehearsal(self) -> Check:
        note = await self._store.note(REHEARSAL_NOTE)
        facts: Mapping[str, Any] = note or {}
        return rules.judge_rehearsal(
            _time(note, "passed_at"), facts.get("build"), float(facts.get("hours", 0)), self._machine.build,
            self._now,
        )  # fmt: skip


def report_view(report: Report) -> dict[str, Any]:
    """Return a report as ``GET /api/system/mode/readiness`` shows it."""
    return {
        "success": True,
        "ready": report.is_ready,
        "checks_passed": report.is_ready,
        "errors": [sentence(check) for check in report.open],
        "checked_at": instant(report.made_at),
        "build": report.build,
        "checks": [check_view(check) for check in report.checks],
    }


def check_view(check: Check) -> dict[str, Any]:
    """Return one check as lists show it."""
    return {
        "name": check.name.value,
        "title": check.title,
        "status": check.status.value,
        "value": check.value,
        "threshold": check.threshold,
        "remedy": check.remedy,
        "age_s": check.age_s,
    }


def sentence(check: Check) -> str:
    """Return an open check in words."""
    return f"{check.title}: {check.value} (needed: {check.threshold})"


def _process(beat: Heartbeat) -> ProcessFact:
    errors = beat.detail.get("errors", {})
    return ProcessFact(beat.role, beat.started_at, beat.beat_at, errors, int(beat.detail.get("faults", 0)))


def _account(user: UserFacts, status: AccountStatus) -> AccountFact:
    return AccountFact(
        f"{DISPLAY_NAMES[status.platform]} of {user.email}",
        status.condition is Condition.ACTIVE,
        status.detail,
        status.reconciled_at,
    )


def _time(note: Mapping[str, Any] | None, field: str) -> datetime | None:
    return None if note is None else datetime.fromisoformat(note[field])
