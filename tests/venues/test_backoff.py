"""Pauses after failures: they grow, they end growing, they differ."""

from __future__ import annotations

from amarktai.venues.backoff import LONGEST_PAUSE_S, Backoff
from tests.fakes import SeededRng


def test_pauses_double_up_to_a_minute_and_are_varied_by_half() -> None:
    backoff = Backoff(SeededRng())
    pauses = [backoff.next_s() for _ in range(10)]
    for count, pause in enumerate(pauses):
        middle = min(2.0**count, LONGEST_PAUSE_S)
        assert 0.5 * middle <= pause <= 1.5 * middle
    assert len(set(pauses)) == len(pauses)


def test_success_starts_anew() -> None:
    backoff = Backoff(SeededRng())
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.5
