"""The emergency stop: engaged at once and without a question, released by a person (O20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from amarktai.domain.stop import EmergencyStop, StopSource, said
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import EmergencyStopChanged
from amarktai.ports.ids import Ids
from amarktai.ports.stops import StopFile
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.bots import BotService
from amarktai.services.views import instant

#: Why a bot is paused that an emergency stop has paused.
PAUSED_BY_STOP: Final = "EMERGENCY_STOP"
_NO_REASON: Final = "no reason given"
_SHOWN: Final = 20


class Emergency:
    """Stops of one user and of everybody.

    The stop is committed before anything else happens: from then on the gates refuse what adds risk.
    Only then bots are paused, one user after the other, which makes the engine cancel resting entries.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, *, bots: BotService, file: StopFile) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._bots = bots
        self._file = file
        self._is_heeded = False

    async def status(self, user_id: UUID) -> dict[str, Any]:
        """Return what is on for the user, and the latest stops."""
        async with self._store.unit_of_work(user_id) as unit:
            return _status_view(await unit.stops.active(), await unit.stops.history(_SHOWN))

    async def engage(self, who: Identity, *, everybody: bool, reason: str | None) -> dict[str, Any]:
        """Stop the user's bots, or everybody's; that they are stopped already is as good."""
        await self._engage(who.user_id, who, everybody=everybody, reason=reason, source=StopSource.API)
        return await self.status(who.user_id)

    async def engage_for_all(self, reason: str | None, source: StopSource) -> bool:
        """Stop everybody from the machine itself; False when that is so already."""
        by = f"system:{source}"
        return await self._engage(None, by, everybody=True, reason=reason, source=source)

    async def release(self, who: Identity, *, everybody: bool) -> dict[str, Any]:
        """Release the user's stop, or everybody's with its file. Paused bots stay paused."""
        await self._release(who.user_id, who, everybody=everybody)
        return await self.status(who.user_id)

    async def release_for_all(self) -> bool:
        """Release everybody's stop from the machine itself; False when there was none."""
        return await self._release(None, f"system:{StopSource.COMMAND}", everybody=True)

    async def heed_file(self) -> bool:
        """Engage for everybody when the file is there, once for as long as it is; True when that is new."""
        reason = self._file.reason()
        if reason is None or self._is_heeded:
            self._is_heeded = reason is not None
            return False
        is_new = await self.engage_for_all(reason, StopSource.FILE)
        self._is_heeded = bool(await self._store.user_ids())  # nobody there yet: again for who comes
        return is_new

    async def _engage(
        self,
        user_id: UUID | None,
        by: Identity | str,
        *,
        everybody: bool,
        reason: str | None,
        source: StopSource,
    ) -> bool:
        text = said(reason or "") or _NO_REASON
        now = to_datetime(self._clock.now_ns())
        scope = None if everybody else user_id
        stop = EmergencyStop(self._ids.new(), scope, text, source, now, actor_of(by))
        affected = await self._affected(user_id, everybody=everybody)
        if not affected:
            return False  # nobody is there yet
        async with self._store.unit_of_work(affected[0]) as unit:
            is_new = await unit.stops.engage(stop)
            if is_new:
                fact = fact_of(by, "emergency_stop.engaged", _about(scope), after={"reason": text})
                await unit.audit.append(fact, now)
        for each in affected:  # again too: whoever engaged it before may have died before this
            async with self._store.unit_of_work(each) as unit:
                await self._bots.pause_active(unit, PAUSED_BY_STOP, by=by)
                if is_new:
                    await self._tell(unit, stop, now)
        return is_new

    async def _release(self, user_id: UUID | None, by: Identity | str, *, everybody: bool) -> bool:
        if everybody:
            self._file.remove()  # first: the engine would engage again as long as it is there
        now = to_datetime(self._clock.now_ns())
        affected = await self._affected(user_id, everybody=everybody)
        if not affected:
            return False
        async with self._store.unit_of_work(affected[0]) as unit:
            released = await unit.stops.release(everybody=everybody, by=actor_of(by), at=now)
            if released is None:
                return False
            scope = released.user_id
            await unit.audit.append(fact_of(by, "emergency_stop.released", _about(scope)), now)
        for each in affected:
            async with self._store.unit_of_work(each) as unit:
                await self._tell(unit, released, now)
        return True

    async def _affected(self, user_id: UUID | None, *, everybody: bool) -> list[UUID]:
        if not everybody:
            assert user_id is not None, "a stop of one user has that user"
            return [user_id]
        return await self._store.user_ids()

    async def _tell(self, unit: UnitOfWork, stop: EmergencyStop, at: datetime) -> None:
        is_on = stop.released_at is None
        whose = "your bots" if stop.user_id else "everybody's bots"
        message = (
            f"Emergency stop of {whose}: {stop.reason}. Nothing that adds risk leaves; exits stay possible."
            if is_on
            else f"The emergency stop of {whose} is released. Bots that it paused stay paused."
        )
        payload = EmergencyStopChanged(message=message, enabled=is_on, scope=_scope(stop), reason=stop.reason)
        name = "emergency_stop" if is_on else "emergency_stop_deactivated"
        await unit.outbox.emit([(name, payload)], at)


def _about(user_id: UUID | None) -> tuple[str, UUID | str]:
    return ("user", user_id) if user_id else ("system", "emergency_stop")


def _scope(stop: EmergencyStop) -> str:
    return "user" if stop.user_id else "everybody"


def _status_view(active: Sequence[EmergencyStop], history: Sequence[EmergencyStop]) -> dict[str, Any]:
    """Return the state as ``GET /api/system/emergency-stop/status`` shows it."""
    first = active[0] if active else None
    newest = max((stop.released_at or stop.engaged_at for stop in history), default=None)
    return {
        "enabled": first is not None,
        "active": first is not None,
        "reason": first.reason if first else None,
        "activated_by": first.engaged_by if first else None,
        "updated_at": instant(newest),
        "stops": [_stop_view(stop) for stop in active],
        "history": [_stop_view(stop) for stop in history],
    }


def _stop_view(stop: EmergencyStop) -> dict[str, Any]:
    return {
        "scope": _scope(stop),
        "reason": stop.reason,
        "source": stop.source.value,
        "engaged_at": instant(stop.engaged_at),
        "engaged_by": stop.engaged_by,
        "released_at": instant(stop.released_at),
        "released_by": stop.released_by,
    }
