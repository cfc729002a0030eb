"""Breakers as people meet them: tripped by the watch, told once, reset by who may, measured anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from amarktai.domain.errors import Conflict, Forbidden, NotFound
from amarktai.domain.risk_limits import EVERYBODY, Limit, LimitKind, Scope
from amarktai.domain.user import Role
from amarktai.services.alerts import Notices
from amarktai.services.circuit_breakers import BreakerWatch, CircuitBreakers
from amarktai.services.fx import FxRates
from amarktai.services.risk_figures import FigureReader
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from tests.services.order_desk import PRICE, OrderDesk, order_desk
from tests.services.test_risk import limit, refused, round_trip

K, D = LimitKind, Decimal


class Rooms:
    """What the platform has beside the engine: the watch, and the screen's service."""

    def __init__(self, desk: OrderDesk) -> None:
        world = desk.world
        figures = FigureReader(world.store, lambda: FxRates([], max_age_s=900.0))
        self.alerting = PgAlerting(world.database)
        notices = Notices(self.alerting, clock=world.clock, ids=world.ids)
        self.watch = BreakerWatch(world.store, world.clock, world.ids, figures, notices)
        self.breakers = CircuitBreakers(world.store, world.clock, figures)
        self.desk = desk

    async def shown(self) -> list[dict[str, object]]:
        status = await self.breakers.status(self.desk.who, self.desk.bot.mode)
        assert status["tripped"] == bool(status["breakers"])
        found: list[dict[str, object]] = status["breakers"]
        return found

    async def alerts(self) -> list[str]:
        async with self.alerting.alerts(self.desk.who.user_id) as store:
            return [row.message for row in await store.page(None, 50) if row.type == "circuit_breaker"]

    async def events(self) -> list[str]:
        query = "SELECT type FROM outbox WHERE user_id = %s AND type LIKE 'circuit%%' ORDER BY seq"
        return [str(row["type"]) for row in self.desk.witness.rows(query, self.desk.who.user_id)]


@pytest.fixture
async def rooms(database_urls: DatabaseUrls) -> AsyncIterator[Rooms]:
    async with order_desk(database_urls) as desk:
        desk.service.risk.value_with(lambda _: D(str(PRICE)), lambda _: None)
        yield Rooms(desk)


async def test_the_watch_trips_what_nobody_met_and_tells_once(rooms: Rooms) -> None:
    desk = rooms.desk
    await round_trip(desk, "a", PRICE * 0.85)
    await limit(desk, K.DAILY_LOSS, 1_000)
    assert await rooms.watch.run_round() == 0
    await limit(desk, K.DAILY_LOSS, 100)
    assert await rooms.watch.run_round() == 1
    assert await rooms.watch.run_round() == 0
    (told,) = await rooms.alerts()
    assert told.startswith("Circuit breaker (paper): everybody's loss of today is R 15")
    assert told.endswith("Nothing enters until the next day begins; exits stay possible.")
    assert await rooms.events() == ["circuit_breaker_tripped"]
    (shown,) = await rooms.shown()
    assert (shown["entity_type"], shown["trigger_type"]) == ("everybody", "daily_loss_zar")
    assert shown["metrics_at_trip"] == {"figure": "R 151.85", "threshold": "R 100.00"}
    await desk.quote(PRICE)
    assert "CIRCUIT_BREAKER" in (refused(desk, await desk.buy("b")) or "")


async def test_what_an_entry_met_is_told_by_the_watch(rooms: Rooms) -> None:
    desk = rooms.desk
    await round_trip(desk, "a", PRICE * 0.9)
    await limit(desk, K.CONSECUTIVE_LOSSES, 1, Scope(desk.who.user_id, desk.bot.id))
    await desk.quote(PRICE)
    await desk.buy("b")
    assert await rooms.alerts() == []
    assert await rooms.watch.run_round() == 1
    assert await rooms.alerts() == [
        "Circuit breaker (paper): the bot's losses in a row is 1, the limit is 1. Nothing enters until a"
        " person resets it on the Risk screen; exits stay possible."
    ]
    (shown,) = await rooms.shown()
    assert (shown["entity_type"], shown["entity_id"]) == ("bot", desk.bot.id)
    assert shown["entity_name"] == desk.bot.name


async def test_a_person_resets_it_and_it_is_measured_anew(rooms: Rooms) -> None:
    desk = rooms.desk
    await round_trip(desk, "a", PRICE * 0.9)
    await limit(desk, K.CONSECUTIVE_LOSSES, 1, Scope(desk.who.user_id))
    await rooms.watch.run_round()
    (shown,) = await rooms.shown()
    trip_id = UUID(str(shown["id"]))
    desk.world.clock.advance(5)
    await rooms.breakers.reset(desk.who, trip_id, "The market was closed.")
    assert await rooms.shown() == []
    assert await rooms.watch.run_round() == 0, "the old loss does not count again"
    with pytest.raises(Conflict, match="not tripped"):
        await rooms.breakers.reset(desk.who, trip_id, "again")
    with pytest.raises(NotFound):
        await rooms.breakers.reset(desk.who, UUID(int=7), "none")
    assert await rooms.events() == ["circuit_breaker_tripped", "circuit_breaker_reset"]
    await round_trip(desk, "b", PRICE * 0.9)
    assert await rooms.watch.run_round() == 1
    history = await rooms.breakers.history(desk.who, cursor=None, limit=1)
    assert [row["tripped"] for row in history.items] == [True]
    older = await rooms.breakers.history(desk.who, cursor=history.next_cursor, limit=1)
    assert [(row["tripped"], row["reset_reason"]) for row in older.items] == [
        (False, "The market was closed.")
    ]
    assert older.next_cursor is None


async def test_a_days_loss_is_not_forgotten_on_the_day(rooms: Rooms) -> None:
    desk = rooms.desk
    await round_trip(desk, "a", PRICE * 0.85)
    scope = Scope(desk.who.user_id)
    await limit(desk, K.DAILY_LOSS, 100, scope)
    await rooms.watch.run_round()
    (shown,) = await rooms.shown()
    trip_id = UUID(str(shown["id"]))
    with pytest.raises(Conflict, match="The loss is still there"):
        await rooms.breakers.reset(desk.who, trip_id, "go on")
    await limit(desk, K.DAILY_LOSS, 1_000, scope)
    await rooms.breakers.reset(desk.who, trip_id, "The limit was too low.")
    assert await rooms.shown() == [] and await rooms.watch.run_round() == 0
    await limit(desk, K.DAILY_LOSS, 100, scope)
    await rooms.watch.run_round()
    assert len(await rooms.shown()) == 1
    desk.world.clock.advance(timedelta(days=1).total_seconds())
    assert await rooms.shown() == []
    (latest, _) = (await rooms.breakers.history(desk.who, cursor=None, limit=9)).items
    assert (latest["tripped"], latest["reset_by"]) == (False, "system:rule")


async def test_what_is_not_known_trips_nothing(rooms: Rooms) -> None:
    desk = rooms.desk
    await desk.buy("a")
    await desk.quote(PRICE)  # held, and no mark is stored: what it is worth is not known
    await limit(desk, K.DAILY_LOSS, 1)
    await limit(desk, K.DRAWDOWN, 1)
    assert await rooms.watch.run_round() == 0
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        await unit.limits.put(Limit(K.CONSECUTIVE_LOSSES, EVERYBODY, D(1)), desk.world.now, "ada")
    assert await rooms.watch.run_round() == 0


async def test_everybodys_are_reset_by_admins_only(rooms: Rooms) -> None:
    desk = rooms.desk
    await round_trip(desk, "a", PRICE * 0.9)
    await limit(desk, K.CONSECUTIVE_LOSSES, 1)
    await rooms.watch.run_round()
    (shown,) = await rooms.shown()
    other = desk.world.add_user(2)
    with pytest.raises(Forbidden, match="Only admins"):
        await rooms.breakers.reset(other, UUID(str(shown["id"])), "me too")
    (seen,) = (await rooms.breakers.status(other, desk.bot.mode))["breakers"]
    assert (seen["tripped"], seen["can_reset"]) == (True, False)
    admin = replace(desk.who, user=replace(desk.who.user, role=Role.ADMIN), session_id=UUID(int=5))
    await rooms.breakers.reset(admin, UUID(str(shown["id"])), "Seen by the admin.")
    assert (await rooms.breakers.status(other, desk.bot.mode))["tripped"] is False
