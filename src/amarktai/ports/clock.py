"""Time as a port: real in production, virtual in replay, hand-moved in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The only source of time. Every instant is UTC."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait in this clock's time."""


class SettableClock(Clock, Protocol):
    """A clock that the engine may move: the virtual one of a replay. A real clock ignores it."""

    def advance_to(self, ts_ns: int) -> None: ...


def to_datetime(ts_ns: int) -> datetime:
    """Return the UTC instant, exact to the microsecond (the rest is cut off)."""
    return _EPOCH + timedelta(microseconds=ts_ns // 1_000)


def to_ns(instant: datetime) -> int:
    """Return nanoseconds since the epoch of an aware datetime."""
    delta = instant - _EPOCH
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000
