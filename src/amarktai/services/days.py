"""Days, weeks and months in a user's time zone: a day starts at 00:00 there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def local_day(at: datetime, timezone: str) -> date:
    """Return the user's day in which an instant lies."""
    return at.astimezone(ZoneInfo(timezone)).date()


def last_days(today: date, count: int) -> list[date]:
    """Return the last ``count`` days, today included, oldest first."""
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def last_weeks(today: date, count: int) -> list[tuple[date, date]]:
    """Return (Monday, Sunday) of the last ``count`` weeks, this one included, oldest first."""
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in range(count - 1, -1, -1)]
    return [(start, start + timedelta(days=6)) for start in starts]


def last_months(today: date, count: int) -> list[tuple[date, date]]:
    """Return (first day, last day) of the last ``count`` months, this one included, oldest first."""
    spans: list[tuple[date, date]] = []
    first = today.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    for _ in range(count):
        spans.append((first, following - timedelta(days=1)))
        first, following = (first - timedelta(days=1)).replace(day=1), first
    return spans[::-1]


def tax_year(today: date, *, back: int = 0) -> tuple[date, date]:
    """Return (1 March, end of February) of the South African tax year of a day, or of one before it."""
    start = today.year - back - (today.month < 3)
    return date(start, 3, 1), date(start + 1, 3, 1) - timedelta(days=1)


def span_of(name: str, today: date, first_day: date | None) -> tuple[date, date]:
    """Return the first and last day of a named span that holds or precedes today.

    ``all`` begins on ``first_day``, or today when there is none. Raises: KeyError for an unknown name.
    """
    month = today.replace(day=1)
    spans = {
        "last_30_days": (today - timedelta(days=29), today),
        "month": (month, today),
        "last_month": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
        "year": (date(today.year, 1, 1), today),
        "tax_year": (tax_year(today)[0], today),
        "last_tax_year": tax_year(today, back=1),
        "all": (min(first_day or today, today), today),
    }
    return spans[name]


def week_name(monday: date) -> str:
    """Return a week's ISO 8601 name, for example 2026-W47."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02d}"
