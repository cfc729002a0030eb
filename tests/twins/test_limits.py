"""Windows of rate limits, and bans."""

from __future__ import annotations

from amarktai.twins.limits import Bans, Meter

SECOND = 1_000_000_000


def test_a_window_counts_each_caller_and_starts_anew() -> None:
    meter = Meter(limit=3, window_s=10)
    assert [meter.charge("a", 2, 0), meter.charge("a", 1, SECOND), meter.charge("a", 1, 9 * SECOND)] == [
        True,
        True,
        False,
    ]
    assert meter.charge("b", 3, SECOND)
    assert (meter.used("a", 9 * SECOND), meter.used("a", 10 * SECOND)) == (4, 0)
    assert meter.charge("a", 3, 10 * SECOND)
    assert meter.reset_ms(9 * SECOND) == 1_000


def test_a_ban_ends() -> None:
    bans = Bans()
    assert bans.left_s("x", 0) == 0
    bans.ban("x", 2, 10 * SECOND)
    assert [bans.left_s("x", at) for at in (10 * SECOND, 11 * SECOND + 1, 12 * SECOND)] == [2, 1, 0]
    assert bans.left_s("y", 10 * SECOND) == 0
