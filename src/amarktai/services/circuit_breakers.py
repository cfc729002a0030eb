"""Circuit breakers as people see and reset them, and the watch that trips them when nothing wants in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import LATCHING, RULE, Trip
from amarktai.domain.errors import Conflict, Forbidden, NotFound
from amarktai.domain.risk_limits import EVERYBODY, LimitKind
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import CircuitBreakerChanged
from amarktai.ports.ids import Ids
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.alerts import Notices
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.risk import trip_breakers
from amarktai.services.risk_figures import FigureReader, Figures
from amarktai.services.risk_limits import scope_name
from amarktai.services.views import instant


class CircuitBreakers:
    def __init__(self, store: Store, clock: Clock, figures: FigureReader) -> None:
        self._store = store
        self._clock = clock
        self._figures = figures

    async def status(self, who: Identity, mode: TradingMode | None) -> dict[str, Any]:
        """Return the breakers that let nothing of the user's enter, in one book."""
        at = to_datetime(self._clock.now_ns())
        async with self._store.snapshot(who.user_id) as unit:
            chosen = (await unit.reports.setting()).book(mode)
            trips = [trip for trip in (await unit.breakers.state(chosen)).trips if trip.is_open(at)]
            names = await _names(unit)
        return {
            "mode": chosen.value,
            "tripped": bool(trips),
            "breakers": [_view(trip, names, who, at) for trip in trips],
        }

    async def history(self, who: Identity, *, cursor: str | None, limit: int) -> Page:
        """Return every trip of the user's and everybody's breakers, the newest first."""
        at = to_datetime(self._clock.now_ns())
        after = None if cursor is None else decode_cursor(cursor, datetime, UUID)
        async with self._store.snapshot(who.user_id) as unit:
            trips = await unit.breakers.page((after[0], after[1]) if after else None, limit + 1)
            names = await _names(unit)
        more = encode_cursor(trips[limit - 1].tripped_at, trips[limit - 1].id) if len(trips) > limit else None
        return Page([_view(trip, names, who, at) for trip in trips[:limit]], more)

    async def reset(self, who: Identity, trip_id: UUID, reason: str) -> None:
        """Reset a breaker: its limit is measured from now on.

        Raises: NotFound; Forbidden for everybody's unless an admin asks; Conflict NOT_TRIPPED, and
        BREAKER_HOLDS for a day's loss that is still there: a day cannot begin anew.
        """
        at = to_datetime(self._clock.now_ns())
        trip = await self._find(who, trip_id, at)
        if trip.kind is LimitKind.DAILY_LOSS:
            await self._refuse_while_lost(who, trip, at)
        async with self._store.unit_of_work(who.user_id) as unit:
            if await unit.breakers.reset(trip_id, at, actor_of(who), reason) is None:
                raise _not_tripped()
            fact = fact_of(
                who,
                "circuit_breaker.reset",
                ("circuit_breaker", trip_id),
                before={"reason": trip.reason, "tripped_at": trip.tripped_at.isoformat()},
                reason=reason,
            )
            await unit.audit.append(fact, at)
        for user_id in await _whom(self._store, trip):
            async with self._store.unit_of_work(user_id) as unit:
                await unit.outbox.emit([("circuit_breaker_reset", _told(trip, is_on=False))], at)

    async def _find(self, who: Identity, trip_id: UUID, at: datetime) -> Trip:
        async with self._store.snapshot(who.user_id) as unit:
            trip = await unit.breakers.get(trip_id)
        if trip is None:
            raise NotFound("NOT_FOUND", "There is no such circuit breaker.", "Reload the Risk screen.")
        if trip.scope == EVERYBODY and not who.is_admin:
            raise Forbidden(
                "FORBIDDEN", "Only admins at a browser reset everybody's circuit breakers.", "Ask an admin."
            )
        if not trip.is_open(at):
            raise _not_tripped()
        return trip

    async def _refuse_while_lost(self, who: Identity, trip: Trip, at: datetime) -> None:
        async with self._store.snapshot(who.user_id) as unit:
            limits = [
                limit
                for limit in await unit.limits.list()
                if limit.kind is trip.kind and limit.scope == trip.scope
            ]
            figures = None if trip.scope == EVERYBODY else await self._figures.of(unit, trip.mode, at)
        if figures is None:
            figures = await self._figures.of_everybody(trip.mode, at)
        if any(figures.use_of(limit).is_spent for limit in limits):
            raise Conflict(
                "BREAKER_HOLDS",
                f"The loss is still there: {trip.reason}.",
                f"It resets itself at {trip.resets_at:%Y-%m-%d %H:%M} UTC; to go on before, raise the limit.",
            )


class BreakerWatch:
    """Trips breakers whose limit is reached though no bot wants in, and tells people of every trip."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, figures: FigureReader, notices: Notices) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._figures = figures
        self._notices = notices

    async def run_round(self) -> int:
        """Look once; return how many trips people were told of."""
        users = await self._store.user_ids()
        for mode in TradingMode:
            for user_id in users:
                await self._trip(user_id, mode, is_first=user_id == users[0])
        return await self._tell_all(users)

    async def _trip(self, user_id: UUID, mode: TradingMode, *, is_first: bool) -> None:
        """Trip what a user's figures have reached; everybody's are looked at once, with the first user."""
        at = to_datetime(self._clock.now_ns())
        async with self._store.snapshot(user_id) as unit:
            limits = [limit for limit in await unit.limits.list() if limit.kind in LATCHING]
            mine = [limit for limit in limits if limit.scope.user_id is not None]
            shared = [limit for limit in limits if limit.scope == EVERYBODY and is_first]
            figures = await self._figures.of(unit, mode, at) if mine else Figures([], {})
        found = [figures.reached(limit) for limit in mine]
        if shared:
            everybody = await self._figures.of_everybody(mode, at)
            found += [everybody.reached(limit) for limit in shared]
        breaches = [breach for breach in found if breach is not None]
        if breaches:
            async with self._store.unit_of_work(user_id) as unit:
                await trip_breakers(unit, self._ids, breaches, mode, at)

    async def _tell_all(self, users: Sequence[UUID]) -> int:
        told = 0
        for user_id in users:
            async with self._store.snapshot(user_id) as unit:
                untold = await unit.breakers.untold()
            for trip in untold:
                await self._tell(user_id, trip)
                told += 1
        return told

    async def _tell(self, finder: UUID, trip: Trip) -> None:
        at = to_datetime(self._clock.now_ns())
        for user_id in await _whom(self._store, trip):
            await self._notices.alert(
                user_id, "circuit_breaker", "critical", _message(trip, is_on=True), bot_id=trip.scope.bot_id
            )
            async with self._store.unit_of_work(user_id) as unit:
                await unit.outbox.emit([("circuit_breaker_tripped", _told(trip, is_on=True))], at)
        async with self._store.unit_of_work(finder) as unit:
            await unit.breakers.mark_told(trip.id, at)


async def _whom(store: Store, trip: Trip) -> Sequence[UUID]:
    """Return whom a trip is news to."""
    return await store.user_ids() if trip.scope.user_id is None else [trip.scope.user_id]


def _message(trip: Trip, *, is_on: bool) -> str:
    if not is_on:
        return f"The circuit breaker is reset: {trip.reason}."
    until = (
        "until a person resets it on the Risk screen"
        if trip.resets_at is None
        else "until the next day begins"
    )
    return f"Circuit breaker ({trip.mode}): {trip.reason}. Nothing enters {until}; exits stay possible."


def _told(trip: Trip, *, is_on: bool) -> CircuitBreakerChanged:
    return CircuitBreakerChanged(
        message=_message(trip, is_on=is_on),
        breaker_id=trip.id,
        tripped=is_on,
        mode=trip.mode.value,
        entity_type=scope_name(trip.scope),
        entity_id=trip.scope.bot_id or trip.scope.user_id,
        trigger_type=trip.kind.value,
        trigger_reason=trip.reason,
    )


def _not_tripped() -> Conflict:
    return Conflict("NOT_TRIPPED", "This circuit breaker is not tripped.", "Reload the Risk screen.")


async def _names(unit: UnitOfWork) -> Mapping[UUID, str]:
    return {bot.id: bot.name for bot in await unit.bots.list()}


def _view(trip: Trip, names: Mapping[UUID, str], who: Identity, at: datetime) -> dict[str, Any]:
    is_open = trip.is_open(at)
    by_rule = trip.reset_at is None and not is_open
    return {
        "id": trip.id,
        "tripped": is_open,
        "mode": trip.mode.value,
        "entity_type": scope_name(trip.scope),
        "entity_id": trip.scope.bot_id or trip.scope.user_id,
        "entity_name": names.get(trip.scope.bot_id) if trip.scope.bot_id else None,
        "trigger_type": trip.kind.value,
        "trigger_reason": trip.reason,
        "tripped_at": instant(trip.tripped_at),
        "metrics_at_trip": trip.figures,
        "can_reset": is_open and (trip.scope != EVERYBODY or who.is_admin),
        "resets_at": instant(trip.resets_at),
        "reset_at": instant(trip.resets_at if by_rule else trip.reset_at),
        "reset_by": RULE if by_rule else trip.reset_by,
        "reset_reason": trip.reset_reason,
    }
