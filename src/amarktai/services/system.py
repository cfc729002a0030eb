"""The platform about itself: what keeps it from working, its processes, and the log of events."""

from __future__ import annotations

from typing import Any, Final

from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.readiness import BEAT_LIMIT
from amarktai.domain.user import Identity
from amarktai.ports.accounts import EventStore, Heartbeat, StoredEvent, SystemStore
from amarktai.ports.clock import Clock, to_datetime
from amarktai.services.audit import fact_of
from amarktai.services.paging import Page, decode_cursor, encode_cursor

#: The exchanges' public data, or the seeded synthetic market.
LIVE: Final = "live"
SANDBOX: Final = "sandbox"
MARKETS: Final = (LIVE, SANDBOX)
#: The workers that a ready platform has.
NEEDED_ROLES: Final = ("engine",)


class System:
    def __init__(self, store: SystemStore, *, clock: Clock, market: str) -> None:
        self._store = store
        self._clock = clock
        self._default_market = market

    async def ping(self) -> dict[str, Any]:
        """Return that the database answers. Raises: Unavailable."""
        await self._store.ping()
        return {"status": "healthy", "db": "connected", "timestamp": to_datetime(self._clock.now_ns())}

    async def issues(self) -> list[str]:
        """Return what keeps the platform from working, each as a sentence; empty when ready."""
        try:
            beats = await self._store.heartbeats()
        except Unavailable as error:
            return [error.detail]
        healthy = {beat.role for beat in beats if self._is_healthy(beat)}
        return [f"The {role} does not run." for role in NEEDED_ROLES if role not in healthy]

    async def market(self) -> str:
        """Return which market bots see: ``live`` or ``sandbox``."""
        return await self._store.market() or self._default_market

    async def is_sandbox(self) -> bool:
        """Return whether bots see the sandbox."""
        return await self.market() == SANDBOX

    async def switch_market(self, source: str, *, by: Identity) -> str:
        """Let the engine start anew on the other market; bots of the first one rest until it is back.

        Raises: InvalidInput for anything but ``live`` and ``sandbox``.
        """
        if source not in MARKETS:
            raise InvalidInput("VALIDATION_ERROR", f"{source!r} is no market", "Choose live or sandbox.")
        before = await self.market()
        if source != before:
            fact = fact_of(
                by, "market.switched", ("system", "market"),
                before={"source": before}, after={"source": source},
            )  # fmt: skip
            await self._store.choose_market(source, to_datetime(self._clock.now_ns()), fact)
        return source

    async def status(self) -> dict[str, Any]:
        """Return processes, database and market as ``GET /api/system/status`` shows them."""
        beats = await self._store.heartbeats()
        version, size_bytes = await self._store.database()
        return {
            "processes": [
                {
                    "role": beat.role,
                    "pid": beat.pid,
                    "started_at": beat.started_at,
                    "beat_at": beat.beat_at,
                    "healthy": self._is_healthy(beat),
                    "detail": beat.detail,
                }
                for beat in beats
            ],
            "database": {"version": version, "size_bytes": size_bytes},
            "sandbox": await self.is_sandbox(),
        }

    def _is_healthy(self, beat: Heartbeat) -> bool:
        return to_datetime(self._clock.now_ns()) - beat.beat_at <= BEAT_LIMIT


class EventHistory:
    """The outbox as a list: what happened, for the activity view."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def list_events(self, who: Identity, *, after: int | None, cursor: str | None, limit: int) -> Page:
        """Return events after a sequence, oldest first; without one, the newest first."""
        if after is not None:
            since = decode_cursor(cursor, int)[0] if cursor else after
            rows = await self._store.after(who.user_id, since, limit + 1)
        else:
            until = decode_cursor(cursor, int)[0] if cursor else None
            rows = await self._store.before(who.user_id, until, limit + 1)
        more = encode_cursor(rows[limit - 1].seq) if len(rows) > limit else None
        return Page([event_view(row) for row in rows[:limit]], more)


def event_view(row: StoredEvent) -> dict[str, Any]:
    """Return an event as ``GET /api/events`` shows it."""
    return {"seq": row.seq, "type": row.type, "payload": row.payload, "created_at": row.created_at}
