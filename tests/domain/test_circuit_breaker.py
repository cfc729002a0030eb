"""A breach trips its breaker with the figures of the moment; a day's loss is over with the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import LATCHING, first_open, next_day, tripped_by
from amarktai.domain.risk_limits import EVERYBODY, Breach, Limit, LimitKind, Scope

K, D = LimitKind, Decimal
ADA, BO, BOT = UUID(int=1), UUID(int=2), UUID(int=11)
AT = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
JOBURG = "Africa/Johannesburg"

zones = st.sampled_from([JOBURG, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
moments = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2028, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


def breach(kind: LimitKind, used: str | None = "7", scope: Scope = EVERYBODY) -> Breach:
    return Breach(Limit(kind, scope, D(5)), None if used is None else D(used), "it is 7, the limit is 5")


@pytest.mark.parametrize("kind", sorted(LATCHING))
def test_a_trip_keeps_the_figures_of_the_moment(kind: LimitKind) -> None:
    trip = tripped_by(UUID(int=9), breach(kind, scope=Scope(ADA)), TradingMode.LIVE, AT, JOBURG)
    assert trip is not None
    assert (trip.threshold, trip.figure, trip.reason) == (D(5), D(7), "it is 7, the limit is 5")
    assert trip.is_open(AT)
    by_rule = kind is K.DAILY_LOSS
    assert (trip.resets_at is not None) == by_rule
    assert trip.is_open(AT + timedelta(days=2)) != by_rule
    assert not replace(trip, reset_at=AT).is_open(AT)


def test_what_is_not_known_or_does_not_latch_trips_nothing() -> None:
    assert tripped_by(UUID(int=9), breach(K.DRAWDOWN, None), TradingMode.LIVE, AT, JOBURG) is None
    for kind in set(K) - LATCHING - {K.ALLOWED_PAIRS}:
        assert tripped_by(UUID(int=9), breach(kind), TradingMode.LIVE, AT, JOBURG) is None
    pairs = Breach(Limit(K.ALLOWED_PAIRS, EVERYBODY, names=()), None, "none")
    assert tripped_by(UUID(int=9), pairs, TradingMode.LIVE, AT, JOBURG) is None


@given(moments, zones)
def test_the_next_day_begins_at_midnight_there(at: datetime, zone: str) -> None:
    begins = next_day(at, zone)
    assert begins > at
    local = begins.astimezone(ZoneInfo(zone))
    assert local.date() == at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    assert (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < local.date()


def test_the_first_that_binds_is_the_one() -> None:
    trips = [
        tripped_by(UUID(int=number), breach(kind, scope=scope), TradingMode.LIVE, AT, JOBURG)
        for number, (kind, scope) in enumerate(
            [(K.DAILY_LOSS, EVERYBODY), (K.DRAWDOWN, Scope(BO)), (K.ERRORS_PER_HOUR, Scope(ADA, BOT))]
        )
    ]
    known = [trip for trip in trips if trip is not None]
    assert first_open(known, ADA, BOT, AT) is known[0]
    tomorrow = AT + timedelta(days=1)
    assert first_open(known, ADA, BOT, tomorrow) is known[2]
    assert first_open(known, ADA, UUID(int=12), tomorrow) is None
