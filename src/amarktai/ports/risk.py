"""Risk limits as a port."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from amarktai.domain.risk_limits import Limit, LimitKind, Scope


class LimitStore(Protocol):
    """The tenant's limits and everybody's, within one transaction."""

    async def list(self) -> list[Limit]:
        """Return every limit that binds the tenant: everybody's, theirs, their bots'."""

    async def put(self, limit: Limit, at: datetime, by: str) -> None:
        """Set a limit, in place of one of the same kind and scope."""

    async def remove(self, kind: LimitKind, scope: Scope) -> Limit | None:
        """Remove a limit and return it; None when there was none."""
