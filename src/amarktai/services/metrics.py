"""Figures for a monitoring system: how fresh, how sure and how healthy everything is.

Read from the database when asked, so that they are as true as what other processes wrote; what is not known
is left out, never told as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from amarktai.ports.accounts import Heartbeat, SystemStore
from amarktai.ports.catalog import Catalog, FeedRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.feed import FeedState
from amarktai.ports.live import LiveHub
from amarktai.ports.live_accounts import Condition
from amarktai.ports.readiness import AUDIT_NOTE, BACKUP_NOTE, Machine, ReadinessStore, UserFacts


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge: its name without the platform's prefix, what it tells, and what tells its samples apart."""

    name: str
    told: str
    labels: tuple[str, ...] = ()


ACCOUNT: Final = ("user", "exchange")
#: Every metric. ``docs/metrics.md`` has the same table.
METRICS: Final = (
    Metric("account_active", "1 while a live account may take entries, else 0", ACCOUNT),
    Metric("account_reconcile_age_seconds", "since the account last agreed with the books", ACCOUNT),
    Metric("orders_in_doubt", "live orders whose outcome is not known", ("user",)),
    Metric("oldest_order_in_doubt_seconds", "since the oldest of them was made", ("user",)),
    Metric(
        "position_without_stop_seconds",
        "since a live position had no stop at rest at its exchange",
        (*ACCOUNT, "bot"),
    ),
    Metric("feed_live", "1 while an exchange's market data may be traded on, else 0", ("exchange",)),
    Metric("feed_age_seconds", "since market data last came", ("exchange",)),
    Metric("heartbeat_age_seconds", "since a process gave a sign of life", ("process", "pid")),
    Metric("errors", "errors that a process logged of late", ("process", "pid", "component")),
    Metric("event_lag_seconds", "from the last event's commit until dashboards were sent it"),
    Metric("dashboards", "connections that listen for events"),
    Metric("audit_age_seconds", "since all books were recomputed from the fills"),
    Metric("audit_ok", "1 when that found no difference, else 0"),
    Metric("backup_age_seconds", "since the last backup"),
    Metric("disk_free_bytes", "free on the disk with the data folder"),
    Metric("database_bytes", "size of the database"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value, and one value for each of its metric's labels."""

    value: float
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Readings:
    """The samples of each metric by its name; a metric of which nothing is known has none."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, name: str, value: float | None, *labels: str) -> None:
        if value is not None:
            self.samples.setdefault(name, []).append(Sample(value, labels))


class Metrics:
    def __init__(
        self,
        facts: ReadinessStore,
        system: SystemStore,
        catalog: Catalog,
        machine: Machine,
        live: LiveHub,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._system = system
        self._catalog = catalog
        self._machine = machine
        self._live = live
        self._clock = clock

    async def read(self) -> Readings:
        """Return every figure as of now. Raises: Unavailable when the database does not answer."""
        readings, now = Readings(), to_datetime(self._clock.now_ns())
        for user in await self._facts.users():
            read_user(readings, user, now)
        for feed in await self._catalog.feeds():
            _read_feed(readings, feed, now)
        for beat in await self._system.heartbeats():
            _read_process(readings, beat, now)
        audit, backup = await self._facts.note(AUDIT_NOTE), await self._facts.note(BACKUP_NOTE)
        readings.add("audit_age_seconds", _age(_time_in(audit, "checked_at"), now))
        readings.add("audit_ok", None if audit is None else float(audit.get("first_difference") is None))
        readings.add("backup_age_seconds", _age(_time_in(backup, "made_at"), now))
        readings.add("event_lag_seconds", self._live.lag_s)
        readings.add("dashboards", float(self._live.client_count))
        free, _ = await self._machine.disk()
        _, size = await self._system.database()
        readings.add("disk_free_bytes", float(free))
        readings.add("database_bytes", float(size))
        return readings


def read_user(readings: Readings, user: UserFacts, now: datetime) -> None:
    """Add what is known of one user's accounts, orders and positions."""
    name = str(user.user_id)
    for status in user.accounts:
        if status.condition is Condition.CLOSED:
            continue
        is_active = float(status.condition is Condition.ACTIVE)
        readings.add("account_active", is_active, name, status.platform)
        age = _age(status.reconciled_at, now)
        readings.add("account_reconcile_age_seconds", age, name, status.platform)
    readings.add("orders_in_doubt", float(user.doubtful), name)
    readings.add("oldest_order_in_doubt_seconds", _age(user.oldest_doubt, now), name)

    for bare in user.unprotected:
        age = _age(bare.since, now)
        readings.add("position_without_stop_seconds", age, name, bare.platform, str(bare.bot_id))


def _read_feed(readings: Readings, feed: FeedRow, now: datetime) -> None:
    readings.add("feed_live", float(feed.state is FeedState.LIVE), feed.platform)
    readings.add("feed_age_seconds", _age(feed.last_received_at, now), feed.platform)


def _read_process(readings: Readings, beat: Heartbeat, now: datetime) -> None:
    process = (beat.role, str(beat.pid))
    readings.add("heartbeat_age_seconds", _age(beat.beat_at, now), *process)
    for component, count in _errors_of(beat.detail):
        readings.add("errors", count, *process, component)


def _errors_of(detail: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    errors = detail.get("errors")
    items: Iterable[tuple[object, object]] = errors.items() if isinstance(errors, Mapping) else ()
    for component, count in items:
        if isinstance(count, int):
            yield str(component), float(count)


def _age(at: datetime | None, now: datetime) -> float | None:
    """Return seconds since then; a process whose clock is ahead has just been heard of."""
    return None if at is None else max(0.0, (now - at).total_seconds())


def _time_in(note: Mapping[str, object] | None, name: str) -> datetime | None:
    value = None if note is None else note.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) else None
