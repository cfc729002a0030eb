"""What is kept for how long, as a port."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class RetentionStore(Protocol):
    async def user_ids(self) -> list[UUID]: ...

    async def prune_events(self, user_id: UUID, before: datetime) -> int: ...

    async def prune_decisions(self, user_id: UUID, keep: int) -> int:
        """Keep each bot's newest ``keep`` decisions."""

    async def prune_answers(self, user_id: UUID, before: datetime) -> int:
        """Forget answers to requests with an idempotency key."""

    async def prune_sessions(self, user_id: UUID, before: datetime) -> int:
        """Forget sessions that ended before."""
