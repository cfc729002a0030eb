"""Retention: events, decisions, idempotency answers and ended sessions are not kept for ever.

Orders, fills, ledger entries, round trips and the audit log always are.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from amarktai.ports.retention import RetentionStore

DECISIONS_KEPT: Final = 500
ANSWERS_KEPT: Final = timedelta(days=1)
SESSIONS_KEPT: Final = timedelta(days=7)


class Retention:
    def __init__(self, store: RetentionStore, *, events_kept: timedelta) -> None:
        self._store = store
        self._events_kept = events_kept

    async def prune(self, now: datetime) -> int:
        """Remove what is older than its limit and return how many rows went."""
        removed = 0
        for user_id in await self._store.user_ids():
            removed += await self._store.prune_events(user_id, now - self._events_kept)
            removed += await self._store.prune_decisions(user_id, DECISIONS_KEPT)
            removed += await self._store.prune_answers(user_id, now - ANSWERS_KEPT)
            removed += await self._store.prune_sessions(user_id, now - SESSIONS_KEPT)
        return removed
