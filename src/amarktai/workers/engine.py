"""The engine process: one feed, one engine, one lease, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import BrokenInvariant, Conflict, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Platform
from amarktai.ports.catalog import Catalog, FeedRow, MarkRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.engine import Changes, Heartbeats, MarketSwitched, PriceTicker
from amarktai.ports.feed import Feed, FeedState, FeedStatus
from amarktai.ports.leases import Lease, Leases
from amarktai.ports.venue import OrderReport
from amarktai.services.alerts import Notices
from amarktai.services.arrivals import Arrivals
from amarktai.services.emergency import Emergency
from amarktai.services.engine import TradingEngine
from amarktai.services.live_accounts import LiveAccounts
from amarktai.workers.heartbeat import beat

log = structlog.get_logger(__name__)

LEASE_TTL_S: Final = 15.0
LEASE_RENEWAL_S: Final = 4.0
SAVE_EVERY_S: Final = 1.0
SETTLE_EVERY_S: Final = 5.0
TIMER_GRACE_S: Final = 0.05
#: A feed that comes and goes is alerted once in this time; its changes are told all the same.
FEED_ALERT_REST_S: Final = 900.0
_SICK: Final = frozenset({FeedState.STALE, FeedState.UNREACHABLE})


#: A machine's clock that left the engine's by more than this was set, not slewed.
CLOCK_STEP_LIMIT_S: Final = 1.0
CLOCK_CHECK_S: Final = 1.0
STOP_FILE_CHECK_S: Final = 1.0


class StartAnew(Exception):
    """The market was switched, its rules can be read at last, or the clock was set: the next process
    recovers, reconciles and trades on."""


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """The real accounts, and where their exchanges' answers arrive."""

    accounts: LiveAccounts
    arrivals: Arrivals


@dataclass(frozen=True, slots=True)
class EngineDuties:
    """What the worker calls besides the engine."""

    clock: Clock
    feed: Feed
    catalog: Catalog
    leases: Leases
    prices: PriceTicker
    changes: Changes
    beats: Heartbeats
    feed_status: Callable[[Platform], FeedStatus]
    notices: Notices
    emergency: Emergency
    recording_problem: Callable[[], str | None]
    unverified: frozenset[Platform] = frozenset()
    live: LiveDesk | None = None
    clock_step_ns: Callable[[], int] = lambda: 0


class EngineWorker:
    """Runs the engine's duties side by side; all touch the engine under one lock."""

    def __init__(self, engine: TradingEngine, lease: Lease, duties: EngineDuties) -> None:
        self._engine = engine
        self._lease = lease
        self._duties = duties
        self._lock = asyncio.Lock()
        self._feed_states: dict[Platform, FeedState] = {}
        self._feed_alerts: dict[Platform, int] = {}
        self._recording_problem: str | None = None

    async def run(self) -> None:
        """Trade until cancelled.

        Raises: Unavailable when the lease is lost to another engine; BrokenInvariant, after its users
        were told, when a promise of the order path does not hold.
        """
        duties = self._duties
        now = to_datetime(duties.clock.now_ns())
        await duties.catalog.put_instruments(list(duties.feed.instruments), duties.feed.origin, now)
        try:
            await self._engine.start()
            log.info("engine is trading", bots=len(self._engine.runners), origin=duties.feed.origin.value)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read_market())
                group.create_task(self._fire_timers())
                group.create_task(self._hear_changes())
                group.create_task(self._save())
                group.create_task(self._settle())
                group.create_task(self._tell_prices())
                group.create_task(self._keep_lease())
                group.create_task(self._watch_clock())
                group.create_task(self._heed_stop_file())
                if duties.live is not None:
                    group.create_task(duties.live.accounts.run(self._book_live))
                    group.create_task(self._hear_exchanges(duties.live.arrivals))
                group.create_task(beat(duties.beats, duties.clock, "engine", self._detail))
        except* BrokenInvariant as broken:
            await self._tell_broken(broken)
            raise
        finally:
            await self._leave()

    def _detail(self) -> dict[str, Any]:
        counters = self._engine.counters
        return {
            "origin": self._duties.feed.origin.value,
            "bots": len(self._engine.runners),
            "events": counters.events,
            "decisions": counters.decisions,
            "refused_rows": self._engine.refused_rows(),
        }

    async def _tell_broken(self, broken: BaseExceptionGroup[BrokenInvariant]) -> None:
        """Tell everybody whose bots this stops. A database that is gone too must not hide the cause."""
        cause: BaseException = broken
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        log.critical("trading stops: a promise of ours does not hold", reason=str(cause))
        message = f"Trading has stopped: {cause} Your bots go on when the engine has started anew."
        with suppress(Unavailable):
            for user_id in {runner.bot.user_id for runner in self._engine.runners.values()}:
                await self._duties.notices.alert(user_id, "broken_invariant", "critical", message)

    async def _leave(self) -> None:
        with suppress(Unavailable):
            await self._engine.save()
        await self._duties.feed.close()

    async def _read_market(self) -> None:
        async for batch in self._duties.feed.batches():
            async with self._lock:
                await self._engine.process(batch)

    async def _hear_exchanges(self, arrivals: Arrivals) -> None:
        """Book what exchanges answer as soon as it is there."""
        while True:
            await arrivals.wait()
            async with self._lock:
                await self._engine.hear()

    async def _book_live(self, user_id: UUID, reports: Sequence[OrderReport]) -> None:
        async with self._lock:
            await self._engine.book_live(user_id, reports)

    async def _fire_timers(self) -> None:
        """Close bars on the clock even when no data comes."""
        while True:
            await self._duties.clock.sleep(TIMER_GRACE_S)
            now = self._duties.clock.now_ns()
            if self._engine.is_timer_due(now):
                async with self._lock:
                    await self._engine.tick(now)

    async def _hear_changes(self) -> None:
        async for notice in self._duties.changes.notices():
            if isinstance(notice, MarketSwitched):
                raise StartAnew
            async with self._lock:
                await self._engine.reload(notice.user_id, notice.bot_id)

    async def _save(self) -> None:
        while True:
            await self._duties.clock.sleep(SAVE_EVERY_S)
            async with self._lock:
                decided = await self._engine.save()
            for user_id, bot_ids in decided.items():
                if bot_ids:
                    await self._duties.prices.decided(user_id, bot_ids)
            await self._save_market()

    async def _settle(self) -> None:
        while True:
            await self._duties.clock.sleep(SETTLE_EVERY_S)
            async with self._lock:
                await self._engine.settle()

    async def _save_market(self) -> None:
        """Write last prices and the feeds' health, for the other processes."""
        duties, now = self._duties, to_datetime(self._duties.clock.now_ns())
        marks = [
            MarkRow(lane.instrument.id, mark.price, mark.at, mark.origin)
            for index, lane in enumerate(self._engine.lanes)
            if (mark := self._engine.mark(index)) is not None
        ]
        await duties.catalog.put_marks(marks)
        by_platform: dict[Platform, list[Instrument]] = {}
        for instrument in duties.feed.instruments:
            by_platform.setdefault(instrument.venue, []).append(instrument)
        for platform, instruments in by_platform.items():
            status = duties.feed_status(platform)
            if platform in duties.unverified and status.state is FeedState.LIVE:
                raise StartAnew
            await duties.catalog.put_feed(self._feed_row(platform, status, len(instruments)), now)
            if status.state is not self._feed_states.get(platform, FeedState.CONNECTING):
                await self._tell_feed(platform, status)
            self._feed_states[platform] = status.state
        await self._tell_recording()

    async def _tell_feed(self, platform: Platform, status: FeedStatus) -> None:
        """Tell everybody of the change, and alert those whose bots trade on what went silent."""
        duties, now = self._duties, self._duties.clock.now_ns()
        await duties.notices.feed_changed(platform, status.state, duties.feed.origin, status.message)
        alerted = self._feed_alerts.get(platform)
        if status.state not in _SICK or (
            alerted is not None and now - alerted < FEED_ALERT_REST_S * NS_PER_S
        ):
            return
        self._feed_alerts[platform] = now
        bots = [runner.bot for runner in self._engine.runners.values()]
        for user_id in sorted({bot.user_id for bot in bots if bot.platform is platform}):
            message = (
                f"{DISPLAY_NAMES[platform]}: {status.message} Your bots there place no orders meanwhile."
            )
            await duties.notices.alert(user_id, f"feed_{status.state}", "warning", message)

    async def _tell_recording(self) -> None:
        problem, before = self._duties.recording_problem(), self._recording_problem
        self._recording_problem = problem
        if problem is not None and problem != before:
            await self._duties.notices.alert_admins("recording_failed", "warning", problem)

    def _feed_row(self, platform: Platform, status: FeedStatus, count: int) -> FeedRow:
        return FeedRow(
            platform,
            self._duties.feed.origin,
            status.state,
            status.message,
            _instant(status.last_received_ts),
            _instant(status.retry_at_ts),
            count,
        )

    async def _tell_prices(self) -> None:
        while True:
            await self._duties.clock.sleep(0.25)
            prices = self._engine.changed_prices()
            if prices:
                await self._duties.prices.publish(prices)

    async def _watch_clock(self) -> None:
        """Start anew when the machine's clock was set: bars and deadlines belong to the new time."""
        while True:
            await self._duties.clock.sleep(CLOCK_CHECK_S)
            step_s = self._duties.clock_step_ns() / NS_PER_S
            if abs(step_s) > CLOCK_STEP_LIMIT_S:
                message = f"The machine's clock was set by {step_s:+.1f} s; the engine starts anew."
                log.warning("the machine's clock was set", step_s=step_s)
                await self._duties.notices.alert_admins("clock_step", "warning", message)
                raise StartAnew

    async def _heed_stop_file(self) -> None:
        """Make a stop of the file on disk, which the gates obey already: bots pause and people are told."""
        while True:
            await self._duties.clock.sleep(STOP_FILE_CHECK_S)
            if await self._duties.emergency.heed_file():
                log.critical("emergency stop by the file on disk")

    async def _keep_lease(self) -> None:
        duties = self._duties
        while True:
            await duties.clock.sleep(LEASE_RENEWAL_S)
            if not await duties.leases.renew(self._lease, duties.clock.now_ns(), ttl_s=LEASE_TTL_S):
                raise Unavailable(
                    "LEASE_LOST",
                    "Another engine has taken over trading on this database",
                    "Run one engine per database; this one stops by itself.",
                )


def _instant(ts_ns: int | None) -> datetime | None:
    return None if ts_ns is None else to_datetime(ts_ns)


async def wait_for_lease(leases: Leases, clock: Clock) -> Lease:
    """Take the engine's lease; wait out one that a killed engine left behind, but no live one.

    Raises: Conflict LEASE_HELD when another engine keeps renewing it.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    waited_s = 0.0
    while True:
        try:
            return await leases.take("engine", holder, clock.now_ns(), ttl_s=LEASE_TTL_S)
        except Conflict as held:
            if waited_s > LEASE_TTL_S + LEASE_RENEWAL_S:
                raise
            log.info("waiting for the engine's lease", reason=held.detail)
        await clock.sleep(1.0)
        waited_s += 1.0
