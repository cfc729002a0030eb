"""What readiness asks of the books, the machine and the running processes, as ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.domain.provider import ProviderId, TestOutcome
from amarktai.domain.readiness import Report
from amarktai.ports.live_accounts import AccountStatus

#: Names of notes that other commands leave for the gate, in the platform's settings.
BACKUP_NOTE = "backup"
REHEARSAL_NOTE = "rehearsal"
AUDIT_NOTE = "audit"


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A saved key's last test. ``may_trade`` is None where the provider does not tell all of its rights."""

    outcome: TestOutcome | None
    may_trade: bool | None


@dataclass(frozen=True, slots=True)
class Unprotected:
    """A live bot's open position with no stop at rest at its exchange, and since when."""

    bot_id: UUID
    platform: Platform
    since: datetime


@dataclass(frozen=True, slots=True)
class UserFacts:
    """One user's keys and accounts. ``doubtful`` orders have no known outcome."""

    user_id: UUID
    email: str
    keys: Mapping[ProviderId, KeyFact]
    accounts: Sequence[AccountStatus]
    doubtful: int
    oldest_doubt: datetime | None
    unprotected: Sequence[Unprotected] = ()


class ReadinessStore(Protocol):
    async def users(self) -> list[UserFacts]:
        """Return the active users' facts."""

    async def note(self, name: str) -> Mapping[str, Any] | None:
        """Return what a command noted of its last success, None when it never had one."""

    async def put_note(self, name: str, value: Mapping[str, Any], at: datetime) -> None: ...

    async def stop_for_all(self) -> str | None:
        """Return why everybody is stopped, None when nobody is."""

    async def limits_for_all(self) -> list[str]:
        """Return which kinds of limits are set for everybody."""

    async def clock(self) -> datetime:
        """Return the database's time."""

    async def keep(self, report_id: UUID, report: Report, by: str) -> None:
        """Store a report; the mode can become live with it for a minute."""


class Machine(Protocol):
    """What readiness asks beside the database."""

    @property
    def build(self) -> str:
        """The running build's name; one that ends with ``+`` has changes that no commit has."""

    @property
    def stand_ins(self) -> Sequence[str]:
        """Return the services in whose place the settings put another server."""

    async def disk(self) -> tuple[int, int]:
        """Return the free and all bytes of the disk with the data folder."""

    async def ask_server(self) -> None:
        """Ask the server for a sign of life. Raises: Unavailable with what to do."""

    async def ask_realtime(self) -> None:
        """Ask the realtime channel. Raises: Unavailable with what to do."""

    def stop_file(self) -> str | None:
        """Return what the stop file on disk says, None without one."""
