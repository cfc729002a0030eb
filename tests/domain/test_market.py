"""Bars that must not be traded on, gaps, and bars from quotes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.bar import NS_PER_S, Bars
from amarktai.domain.market import (
    DirtyRows,
    OrderBook,
    aggregate_bars,
    compute_quote_bars,
    count_gaps,
    empty_bars,
    find_dirty_bar,
)

HOUR = 3_600 * NS_PER_S


def clean_bars(count: int = 4) -> Bars:
    close = np.arange(1, count + 1, dtype=np.float64) * 10
    return Bars("1h", np.arange(count) * HOUR, close, close + 1, close - 1, close, np.ones(count))


def changed(name: str, row: int, value: float) -> Bars:
    bars = clean_bars()
    column = getattr(bars, name).copy()
    column[row] = value
    return replace(bars, **{name: column})


def test_clean_bars_pass() -> None:
    assert find_dirty_bar(clean_bars()) is None
    assert find_dirty_bar(empty_bars("1h")) is None


@pytest.mark.parametrize(
    ("bars", "row", "said"),
    [
        (changed("close", 2, np.nan), 2, "not a number"),
        (changed("low", 1, 0), 1, "above zero"),
        (changed("high", 3, 5), 3, "high"),
        (changed("low", 1, 25), 1, "low"),
        (changed("volume", 0, -1), 0, "volume"),
        (changed("volume", 0, np.nan), 0, "volume"),
        (changed("ts_open", 2, HOUR), 2, "rise"),
        (changed("ts_open", 2, 2 * HOUR + 1), 2, "1h bar"),
    ],
)
def test_the_first_dirty_bar_is_named(bars: Bars, row: int, said: str) -> None:
    found = find_dirty_bar(bars)
    assert found is not None
    assert found[0] == row
    assert said in found[1]


def test_gaps_are_missing_bars() -> None:
    bars = clean_bars()
    assert count_gaps(bars) == 0
    assert count_gaps(replace(bars, ts_open=np.array([0, 1, 5, 6]) * HOUR)) == 3
    assert count_gaps(empty_bars("1h")) == 0


@given(st.lists(st.tuples(st.integers(0, 20 * 3_600), st.integers(1, 1_000)), min_size=1, max_size=60))
def test_bars_from_quotes_are_clean_and_hold_every_quote(points: list[tuple[int, int]]) -> None:
    points.sort()
    ts = np.array([second for second, _ in points], dtype=np.int64) * NS_PER_S
    bid = np.array([price for _, price in points], dtype=np.float64)
    bars = compute_quote_bars(ts, bid, bid + 2, "1h")
    assert find_dirty_bar(bars) is None
    assert len(bars) == len({second // 3_600 for second, _ in points})
    for row in range(len(bars)):
        inside = (ts >= bars.ts_open[row]) & (ts < bars.ts_open[row] + HOUR)
        mids = bid[inside] + 1
        assert (bars.open[row], bars.close[row]) == (mids[0], mids[-1])
        assert (bars.high[row], bars.low[row]) == (mids.max(), mids.min())


def test_no_quotes_give_no_bars() -> None:
    nothing = np.empty(0)
    assert len(compute_quote_bars(nothing.astype(np.int64), nothing, nothing, "1h")) == 0


def test_a_book_is_swept_from_its_best_level() -> None:
    book = OrderBook()
    for price, quantity in ((101.0, 1.0), (100.0, 2.0), (102.0, 3.0)):
        book.set_level(is_bid=False, price=price, quantity=quantity)
    book.set_level(is_bid=False, price=102.0, quantity=0.0)
    assert book.sweep(is_buy=True, quantity=2.5) == [(100.0, 2.0), (101.0, 0.5)]
    assert book.sweep(is_buy=True, quantity=9) == [(100.0, 2.0), (101.0, 1.0)]
    assert book.sweep(is_buy=False, quantity=1) == []
    assert (book.best_ask(), book.best_bid()) == (100.0, None)


@given(st.binary(max_size=400))
@settings(max_examples=40)
def test_the_best_prices_are_those_of_the_levels_that_are_left(changes: bytes) -> None:
    """Each byte is a change: one bit of side, five of price, two of quantity."""
    book = OrderBook()
    levels: dict[bool, dict[float, float]] = {True: {}, False: {}}
    for change in changes:
        is_bid, price, quantity = bool(change & 1), float(1 + (change >> 1 & 31)), float(change >> 6)
        book.set_level(is_bid=is_bid, price=price, quantity=quantity)
        levels[is_bid][price] = quantity
        bids, asks = ([at for at, amount in levels[side].items() if amount] for side in (True, False))
        assert book.best_bid() == (max(bids) if bids else None)
        assert book.best_ask() == (min(asks) if asks else None)


def test_a_level_that_comes_and_goes_for_ever_costs_no_memory() -> None:
    book = OrderBook()
    book.set_level(is_bid=True, price=9.0, quantity=1.0)
    for _ in range(5_000):
        book.set_level(is_bid=True, price=5.0, quantity=1.0)
        book.set_level(is_bid=True, price=5.0, quantity=0.0)
    assert book.best_bid() == 9.0
    assert len(book._bid_prices) < 300


def test_a_book_that_is_loaded_forgets_what_it_had() -> None:
    book = OrderBook()
    book.set_level(is_bid=True, price=5.0, quantity=1.0)
    book.load({3.0: 1.0, 4.0: 2.0}, {})
    assert (book.best_bid(), book.best_ask()) == (4.0, None)
    assert dict(book.bids) == {3.0: 1.0, 4.0: 2.0}


def test_reasons_are_counted() -> None:
    dirty = DirtyRows()
    dirty.add("crossed", 2)
    dirty.add("crossed")
    dirty.add("nan", 0)
    assert dirty.counts == {"crossed": 3}


@given(st.sets(st.integers(0, 40), min_size=1, max_size=30))
def test_larger_bars_are_made_of_the_smaller_ones_that_exist(hours: set[int]) -> None:
    count = len(hours)
    close = np.arange(1, count + 1, dtype=np.float64)
    ts = np.array(sorted(hours), dtype=np.int64) * HOUR
    small = Bars("1h", ts, close, close + 1, close - 0.5, close, np.ones(count))
    large = aggregate_bars(small, "4h")
    assert find_dirty_bar(large) is None
    assert large.volume.sum() == count
    assert len(large) == len({hour // 4 for hour in hours})
    assert (large.open[0], large.close[-1]) == (small.open[0], small.close[-1])
    assert len(aggregate_bars(empty_bars("1h"), "4h")) == 0
