"""Batches: cutting, joining, sorting, and single events collected into one."""

from __future__ import annotations

import numpy as np

from amarktai.domain.market import EventKind
from amarktai.venues.batches import (
    RowBuffer,
    bar_batch,
    between,
    concat,
    cut,
    quote_batch,
    renumber,
    sort_by_time,
    take,
)
from tests.bars import HOUR, make_bars


def test_pieces_join_to_the_whole() -> None:
    ts = np.arange(10, dtype=np.int64)
    whole = quote_batch(0, ts, np.ones(10), np.ones(10) * 2)
    pieces = list(cut(whole, 3))
    assert [len(piece) for piece in pieces] == [3, 3, 3, 1]
    assert concat(pieces).ts.tolist() == ts.tolist()
    assert between(whole, 2, 5).ts.tolist() == [2, 3, 4]
    assert take(whole, ts % 2 == 0).ts.tolist() == [0, 2, 4, 6, 8]
    assert renumber(whole, np.array([7], dtype=np.int32)).instrument.tolist() == [7] * 10


def test_closings_come_before_openings_at_one_instant() -> None:
    rows = sort_by_time(concat([bar_batch(0, make_bars(1, [5, 6])), bar_batch(1, make_bars(0, [7, 8]))]))
    at = rows.ts == 2 * HOUR
    assert rows.kind[at].tolist() == [EventKind.BAR_CLOSE, EventKind.BAR_CLOSE, EventKind.BAR_OPEN]
    assert rows.ts.tolist() == sorted(rows.ts.tolist())


def test_single_events_become_one_batch_in_their_order() -> None:
    rows = RowBuffer()
    rows.quote(2, 5, 6, (99.0, 101.0, 3.0, 4.0))
    rows.trade(1, 4, 7, 100.0, 0.5, -1.0)
    assert len(rows) == 2
    batch = rows.take()
    assert len(rows) == 0
    assert batch.ts.tolist() == [5, 4]
    assert batch.received_ts.tolist() == [6, 7]
    assert batch.instrument.tolist() == [2, 1]
    assert batch.kind.tolist() == [EventKind.QUOTE, EventKind.TRADE]
    assert (batch.a.tolist(), batch.b.tolist()) == ([99.0, 100.0], [101.0, 0.5])
    assert (batch.c.tolist(), batch.d.tolist()) == ([3.0, -1.0], [4.0, 0.0])
    assert batch.ts.dtype == np.int64
    assert batch.kind.dtype == np.int8
    assert batch.a.dtype == np.float64
