"""The system's one mode as a port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.mode import SystemMode


@dataclass(frozen=True, slots=True)
class ModeRow:
    """The mode, and its base: which book's entries may leave. ``updated_by`` as in the audit log."""

    mode: SystemMode
    base: TradingMode
    updated_at: datetime
    updated_by: str


class ModeStore(Protocol):
    """Within one transaction."""

    async def current(self, *, lock: bool = False) -> ModeRow:
        """Return the mode, held until the commit when ``lock`` says so."""

    async def switch(self, row: ModeRow, readiness_id: UUID | None) -> None:
        """Write the mode; from the commit on no entry of another base is claimed.

        Raises: Forbidden LIVE_GATE when it would become live without a complete report of the last minute:
        the database itself refuses that.
        """
