"""Emergency stops as ports: their rows in the database, and the file that works without one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from amarktai.domain.stop import EmergencyStop


class StopStore(Protocol):
    """The tenant's stops and everybody's, within the present transaction."""

    async def active(self) -> Sequence[EmergencyStop]:
        """Return those that are on for the tenant, everybody's first."""

    async def history(self, limit: int) -> Sequence[EmergencyStop]:
        """Return the latest, on or released, newest first."""

    async def engage(self, stop: EmergencyStop) -> bool:
        """Write a stop; False, and nothing written, when its scope is stopped already."""

    async def release(self, *, everybody: bool, by: str, at: datetime) -> EmergencyStop | None:
        """Release the scope's stop and return it as it is then; None when none was on."""


class StopFile(Protocol):
    """A file whose presence stops everybody, whatever else is down. Read before every order."""

    def reason(self) -> str | None:
        """Return why, or None when there is no such file. A file that cannot be read stops too."""

    def write(self, reason: str) -> None:
        """Make the file. Raises: Unavailable when the disk does not allow it."""

    def remove(self) -> None:
        """Remove it; that it is not there is as good. Raises: Unavailable."""
