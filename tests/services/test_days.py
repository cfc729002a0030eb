"""Calendars: spans without holes or overlaps, in the user's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.services.days import (
    last_days,
    last_months,
    last_weeks,
    local_day,
    span_of,
    tax_year,
    week_name,
)

_DAY = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(_DAY, st.integers(1, 40))
def test_days_weeks_and_months_are_gapless_and_end_with_today(today: date, count: int) -> None:
    days = last_days(today, count)
    assert days[-1] == today and len(days) == count
    for spans in (last_weeks(today, count), last_months(today, count)):
        assert len(spans) == count and spans[-1][0] <= today <= spans[-1][1]
        for (_, last), (first, _) in pairwise(spans):
            assert first - last == timedelta(days=1)
    assert all(first.weekday() == 0 and last.weekday() == 6 for first, last in last_weeks(today, count))
    assert all(first.day == 1 for first, _ in last_months(today, count))


@given(_DAY)
def test_a_weeks_name_is_iso_and_every_day_of_it_has_the_same(today: date) -> None:
    monday = today - timedelta(days=today.weekday())
    assert datetime.strptime(f"{week_name(monday)}-1", "%G-W%V-%u").replace(tzinfo=UTC).date() == monday


def test_the_same_instant_is_another_day_elsewhere() -> None:
    at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert local_day(at, "UTC") == date(2026, 3, 1)
    assert local_day(at, "Africa/Johannesburg") == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("today", "back", "expected"),
    [
        ("2026-11-25", 0, ("2026-03-01", "2027-02-28")),
        ("2026-02-28", 0, ("2025-03-01", "2026-02-28")),
        ("2028-02-29", 0, ("2027-03-01", "2028-02-29")),
        ("2028-03-01", 0, ("2028-03-01", "2029-02-28")),
        ("2028-03-01", 1, ("2027-03-01", "2028-02-29")),
    ],
)
def test_a_tax_year_begins_on_the_first_of_march(today: str, back: int, expected: tuple[str, str]) -> None:
    first, last = tax_year(date.fromisoformat(today), back=back)
    assert (first.isoformat(), last.isoformat()) == expected


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.none() | st.dates(date(1990, 1, 1)))
def test_spans_end_today_or_before(today: date, first_day: date | None) -> None:
    for name in ("last_30_days", "month", "last_month", "year", "tax_year", "last_tax_year", "all"):
        first, last = span_of(name, today, first_day)
        assert first <= last <= today, name
