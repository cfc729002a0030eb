"""The compiled scan reads quotes as a plain loop would, however they are cut into pieces."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.market import NO_TS, EventKind, MarketBatch
from amarktai.services.market_scan import ScanState
from tests.services.engine_desk import quotes

SIZE = 3
_PRICE = st.one_of(
    st.floats(1, 100, allow_nan=False), st.sampled_from([0.0, -1.0, float("nan"), float("inf"), 50.0])
)
_ROW = st.tuples(st.integers(0, 3), st.integers(0, SIZE - 1), _PRICE, _PRICE, st.sampled_from([0, 0, 0, 3]))
_WAKE = st.tuples(*(st.one_of(st.none(), st.floats(1, 100)) for _ in range(4)), st.integers(0, 40))


def batch_of(rows: list[tuple[int, int, float, float, int]]) -> MarketBatch:
    times = np.cumsum([row[0] for row in rows], dtype=np.int64)
    batch = quotes([(int(ts), row[2], row[3]) for ts, row in zip(times, rows, strict=True)])
    batch.instrument[:] = [row[1] for row in rows]
    batch.kind[:] = [row[4] for row in rows]
    return batch


def state_with(wakes: list[tuple[float | None, ...]]) -> ScanState:
    state = ScanState(SIZE)
    for index, (ask_below, bid_above, bid_below, ask_above, at_ts) in enumerate(wakes):
        state.wake_ask_below[index] = -np.inf if ask_below is None else ask_below
        state.wake_bid_above[index] = np.inf if bid_above is None else bid_above
        state.wake_bid_below[index] = -np.inf if bid_below is None else bid_below
        state.wake_ask_above[index] = np.inf if ask_above is None else ask_above
        state.wake_at_ts[index] = at_ts or NO_TS
    return state


def needs_attention(state: ScanState, batch: MarketBatch, row: int, timer_ts: int) -> bool:
    index, ts = batch.instrument[row], batch.received_ts[row]
    bid, ask = batch.a[row], batch.b[row]
    if ts >= timer_ts or batch.kind[row] != EventKind.QUOTE or not 0 < bid <= ask < np.inf:
        return True
    return bool(
        ts >= state.wake_at_ts[index]
        or ask < state.wake_ask_below[index]
        or bid > state.wake_bid_above[index]
        or bid <= state.wake_bid_below[index]
        or ask >= state.wake_ask_above[index]
    )


def assert_same(one: ScanState, other: ScanState) -> None:
    for item in fields(ScanState):
        np.testing.assert_array_equal(getattr(one, item.name), getattr(other, item.name), item.name)


@given(
    st.lists(_ROW, min_size=1, max_size=40),
    st.lists(_WAKE, min_size=SIZE, max_size=SIZE),
    st.integers(0, 80),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_the_scan_is_the_plain_loop(
    rows: list[tuple[int, int, float, float, int]],
    wakes: list[tuple[float | None, ...]],
    timer_ts: int,
    cuts: list[int],
) -> None:
    batch = batch_of(rows)
    plain, whole, pieces = state_with(wakes), state_with(wakes), state_with(wakes)
    expected = next(
        (row for row in range(len(batch)) if needs_attention(plain, batch, row, timer_ts)), len(batch)
    )
    for row in range(expected):
        plain.take_quote(
            int(batch.instrument[row]), float(batch.a[row]), float(batch.b[row]), int(batch.received_ts[row])
        )
    assert whole.scan(batch, 0, timer_ts) == expected
    assert_same(whole, plain)
    bounds = [0, *sorted(cut for cut in cuts if cut <= len(batch)), len(batch)]
    for start, stop in pairwise(bounds):
        part = MarketBatch(*(getattr(batch, item.name)[start:stop] for item in fields(MarketBatch)))
        if start + pieces.scan(part, 0, timer_ts) < stop:
            break
    assert_same(pieces, plain)
