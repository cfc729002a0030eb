"""Rows of candles become clean, closed bars in order."""

from __future__ import annotations

from typing import Any

from amarktai.venues.candle_rows import clean_bars, closed_bars
from tests.bars import HOUR


def candle(hour: int, close: str = "100.0", high: str = "101.0") -> list[Any]:
    return [hour * 3_600_000, "100.0", high, "99.0", close, "1.0"]


def test_only_clean_bars_are_left_and_in_order() -> None:
    rows = [
        candle(97), candle(96), [98 * 3_600_000, None, "1", "1", "1", "1"], candle(99), candle(95, high="5"),
        candle(97), candle(100),
    ]  # fmt: skip
    bars, dropped = clean_bars("1h", rows)
    assert bars.ts_open.tolist() == [96 * HOUR, 97 * HOUR, 99 * HOUR, 100 * HOUR]
    assert dropped == 3


def test_a_bar_that_still_runs_and_what_was_not_asked_for_are_cut_off() -> None:
    bars, _ = clean_bars("1h", [candle(hour) for hour in range(80, 101)])
    cut = closed_bars(bars, 90 * HOUR, 50, 100 * HOUR)
    assert cut.ts_open.tolist() == [hour * HOUR for hour in range(90, 100)]
    assert len(closed_bars(bars, 90 * HOUR, 3, 100 * HOUR)) == 3


def test_no_rows_are_no_bars() -> None:
    bars, dropped = clean_bars("1h", [])
    assert (len(bars), dropped) == (0, 0)
    assert len(closed_bars(bars, 0, 10, 100 * HOUR)) == 0
