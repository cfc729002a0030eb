"""The engine's worker tells people of feeds that fall silent, of a disk that fails, of a broken promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest

from amarktai.domain.bot import BotStatus
from amarktai.domain.errors import BrokenInvariant, Conflict
from amarktai.domain.instrument import Platform
from amarktai.domain.market import EventKind
from amarktai.domain.money import ZERO
from amarktai.domain.user import Identity
from amarktai.ports.clock import to_datetime
from amarktai.ports.engine import EngineNotice
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.ports.venue import OrderReport, VenueStatus
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.leases import PgLeases
from amarktai.storage.system import PgSystem
from amarktai.venues.paper import PaperVenue
from amarktai.workers.engine import (
    FEED_ALERT_REST_S,
    LEASE_TTL_S,
    SAVE_EVERY_S,
    EngineDuties,
    EngineWorker,
    StartAnew,
    wait_for_lease,
)
from tests.fakes import HandStopFile
from tests.services.engine_desk import EngineRig, engine_rig
from tests.trading import BTC_ZAR, trading


class Silence:
    """Nobody changes a bot, nobody watches prices."""

    async def notices(self) -> AsyncIterator[EngineNotice]:
        await asyncio.Event().wait()
        yield  # type: ignore[misc]  # never reached: it makes this a generator

    async def publish(self, prices: Mapping[str, tuple[float, int]]) -> None:
        """Drop them."""

    async def decided(self, user_id: UUID, bot_ids: Sequence[UUID]) -> None:
        """Tell nobody."""


@dataclass
class Surroundings:
    """What a test changes around the worker."""

    status: FeedStatus
    problem: str | None = None
    times_asked: int = 0
    clock_step_ns: int = 0
    stop_file: HandStopFile = field(default_factory=HandStopFile)

    def recording_problem(self) -> str | None:
        self.times_asked += 1
        return self.problem


@asynccontextmanager
async def running(rig: EngineRig, around: Surroundings) -> AsyncIterator[asyncio.Task[None]]:
    clock = rig.world.clock
    quiet = Silence()
    leases = PgLeases(rig.world.database)
    lease = await leases.take("engine-worker", "test", clock.now_ns(), ttl_s=1e9)
    duties = EngineDuties(
        clock=clock, feed=rig.feed, catalog=rig.world.catalog, leases=leases, prices=quiet, changes=quiet,
        beats=PgSystem(rig.world.database), feed_status=lambda _: around.status, notices=rig.notices,
        emergency=rig.emergency(around.stop_file),
        recording_problem=around.recording_problem, clock_step_ns=lambda: around.clock_step_ns,
    )  # fmt: skip
    task = asyncio.create_task(EngineWorker(rig.engine, lease, duties).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(rig: EngineRig, holds: Callable[[], Awaitable[bool]]) -> None:
    """Let the worker's seconds pass until the condition holds."""
    for _ in range(400):
        if await holds():
            return
        rig.world.clock.advance(SAVE_EVERY_S)
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to hold")


async def _asked_after(around: Surroundings, times: int) -> bool:
    """Return whether the worker has finished a round since: it asks the recorder last."""
    return around.times_asked > times


async def _kinds(rig: EngineRig, who: Identity) -> list[str]:
    return [event.payload["alert_type"] for event in await rig.events(who, "alert")]


async def _states(rig: EngineRig, who: Identity) -> list[str]:
    return [event.payload["state"] for event in await rig.events(who, "feed_changed")]


async def test_a_feed_that_falls_silent_is_told_to_all_and_alerts_those_with_bots(
    database_urls: DatabaseUrls,
) -> None:
    async with engine_rig(database_urls) as rig:
        trader, onlooker = rig.world.add_user(1), rig.world.add_user(2)
        await rig.world.fund(trader, Decimal(50_000))
        await rig.add_bot(trader, "Luno bot")
        around = Surroundings(FeedStatus(FeedState.LIVE, "Prices arrive."))
        async with running(rig, around):

            async def told(*states: str) -> bool:
                return await _states(rig, onlooker) == list(states)

            await until(rig, lambda: told("live"))
            around.status = FeedStatus(FeedState.STALE, "No price for a minute.")
            await until(rig, lambda: told("live", "stale"))
            around.status = FeedStatus(FeedState.LIVE, "Prices arrive.")
            await until(rig, lambda: told("live", "stale", "live"))
            around.status = FeedStatus(FeedState.UNREACHABLE, "Luno does not answer.")
            await until(rig, lambda: told("live", "stale", "live", "unreachable"))
            saved = around.times_asked
            await until(rig, lambda: _asked_after(around, saved))
            assert await _kinds(rig, trader) == ["feed_stale"], "a feed that comes and goes alerts once"
            assert await _kinds(rig, onlooker) == []
            rig.world.clock.advance(FEED_ALERT_REST_S)
            around.status = FeedStatus(FeedState.LIVE, "Prices arrive.")
            await until(rig, lambda: told("live", "stale", "live", "unreachable", "live"))
            around.status = FeedStatus(FeedState.UNREACHABLE, "Luno does not answer.")

            async def alerted() -> bool:
                return await _kinds(rig, trader) == ["feed_stale", "feed_unreachable"]

            await until(rig, alerted)
            assert await told("live", "stale", "live", "unreachable", "live", "unreachable")
        message = (await rig.events(trader, "alert"))[-1].payload["message"]
        assert message.startswith("Luno: Luno does not answer.")


async def test_a_recorder_that_cannot_write_is_told_to_admins(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        trader, admin = rig.world.add_user(1), rig.world.add_user(2)
        async with rig.world.database.transaction(None) as connection:
            await connection.exec_driver_sql(
                "UPDATE users SET role = 'admin' WHERE email = 'user2@example.org'"
            )
        around = Surroundings(FeedStatus(FeedState.LIVE, ""), "The disk is full.")
        async with running(rig, around):

            async def told(count: int) -> bool:
                return len(await _kinds(rig, admin)) == count

            await until(rig, lambda: told(1))
            around.problem, seen = None, around.times_asked

            await until(rig, lambda: _asked_after(around, seen))
            around.problem = "The disk is full."
            await until(rig, lambda: told(2))
        assert await _kinds(rig, admin) == ["recording_failed"] * 2
        assert await _kinds(rig, trader) == []


async def test_a_set_clock_is_told_and_lets_the_next_process_reconcile(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        admin = rig.world.add_user(1)
        async with rig.world.database.transaction(None) as connection:
            await connection.exec_driver_sql("UPDATE users SET role = 'admin'")
        around = Surroundings(FeedStatus(FeedState.LIVE, ""), clock_step_ns=900_000_000)
        async with running(rig, around) as task:
            seen = around.times_asked
            await until(rig, lambda: _asked_after(around, seen + 2))
            assert not task.done(), "a slewed clock is no set one"
            around.clock_step_ns = -3_600_000_000_000

            async def ended() -> bool:
                return task.done()

            await until(rig, ended)
            assert isinstance(task.exception(), ExceptionGroup)
            assert task.exception().subgroup(StartAnew) is not None  # type: ignore[union-attr]
        assert await _kinds(rig, admin) == ["clock_step"]


class Inventive(PaperVenue):
    """A venue that reports an order of nobody's."""

    def on_event(self, instrument_id: str, kind: EventKind, ts: int, *_: object) -> list[OrderReport]:
        return [OrderReport(UUID(int=7), "v1", VenueStatus.OPEN, ZERO, (), to_datetime(ts))]


async def test_a_broken_promise_ends_the_process_and_is_told(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        who = rig.world.add_user()
        await rig.world.fund(who, Decimal(50_000))
        await rig.add_bot(who, "Luno bot")
        rig.venue.inner = Inventive(
            platform=Platform.LUNO, account="paper", instruments=[BTC_ZAR], origin=rig.feed.origin,
            clock=rig.world.clock,
        )  # fmt: skip
        with pytest.raises(ExceptionGroup) as ended:
            async with running(rig, Surroundings(FeedStatus(FeedState.LIVE, ""))) as task:
                await task
        assert ended.group_contains(BrokenInvariant, match="which we never wrote")
        alerts = await rig.events(who, "alert")
        assert [event.payload["alert_type"] for event in alerts] == ["broken_invariant"]
        assert "which we never wrote" in alerts[0].payload["message"]


async def test_a_second_engine_waits_and_then_refuses(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        leases = PgLeases(world.database)
        first = await leases.take("engine", "first", world.clock.now_ns(), ttl_s=LEASE_TTL_S)
        second = asyncio.create_task(wait_for_lease(leases, world.clock))
        for _ in range(500):
            if second.done():
                break
            world.clock.advance(1)
            assert await leases.renew(first, world.clock.now_ns(), ttl_s=LEASE_TTL_S)
            await asyncio.sleep(0.01)
        with pytest.raises(Conflict) as refused:
            await second
        assert refused.value.code == "LEASE_HELD"


async def test_a_killed_engines_lease_is_waited_out(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        leases = PgLeases(world.database)
        dead = await leases.take("engine", "dead", world.clock.now_ns(), ttl_s=LEASE_TTL_S)
        second = asyncio.create_task(wait_for_lease(leases, world.clock))
        for _ in range(500):
            if second.done():
                break
            world.clock.advance(1)
            await asyncio.sleep(0.01)
        assert (await second).fencing_token > dead.fencing_token


async def test_the_stop_file_pauses_everybodys_bots(database_urls: DatabaseUrls) -> None:
    async with engine_rig(database_urls) as rig:
        who = rig.world.add_user(1)
        await rig.world.fund(who, Decimal(50_000))
        bot = await rig.add_bot(who, "Luno bot")
        around = Surroundings(FeedStatus(FeedState.LIVE, "Prices arrive."))
        async with running(rig, around):

            async def is_paused() -> bool:
                return (await rig.stored(bot)).status is BotStatus.PAUSED

            await until(rig, lambda: _asked_after(around, 0))
            assert not await is_paused()
            around.stop_file.write("smoke")
            await until(rig, is_paused)
        (told,) = await rig.events(who, "emergency_stop")
    assert told.payload["enabled"] and told.payload["scope"] == "everybody"
