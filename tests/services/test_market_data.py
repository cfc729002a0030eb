"""Fetching history in pieces, importing files, reporting gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput, NotFound, Unavailable
from amarktai.domain.instrument import Origin
from amarktai.domain.market import empty_bars
from amarktai.services.market_data import FetchProgress, check_dataset, fetch_history, import_bars
from amarktai.storage.bar_files import read_bars
from amarktai.storage.candles import ParquetCandleStore
from tests.bars import HOUR, make_bars, take_bars

ID = "binance:BTC/USDT"


class FakeHistory:
    """An exchange with these bars that answers with at most ``page`` and fails after ``answers``."""

    def __init__(self, bars: Bars, page: int, answers: int = 10_000) -> None:
        self.bars, self.page, self.answers = bars, page, answers
        self.asked: list[int] = []

    async def fetch_history(self, instrument_id: str, timeframe: str, since_ts: int, limit: int) -> Bars:
        assert (instrument_id, timeframe) == (ID, "1h")
        if len(self.asked) >= self.answers:
            raise Unavailable("FEED_UNREACHABLE", "Binance does not answer", "Try again later.")
        self.asked.append(since_ts)
        start = int(np.searchsorted(self.bars.ts_open, since_ts))
        return self.bars.slice(start, start + min(limit, self.page))


def ignore(_: FetchProgress) -> None:
    """Take no notice of the progress."""


@settings(max_examples=40)
@given(
    held=st.sets(st.integers(0, 19)),
    missing=st.sets(st.integers(0, 19), max_size=6),
    page=st.integers(1, 7),
    stops_after=st.integers(0, 6),
)
async def test_a_fetch_goes_on_where_it_stopped(
    tmp_path_factory: pytest.TempPathFactory,
    held: set[int],
    missing: set[int],
    page: int,
    stops_after: int,
) -> None:
    """Whatever is stored before and wherever the exchange fails, calling again completes the span."""
    store = ParquetCandleStore(tmp_path_factory.mktemp("candles"))
    whole = make_bars(0, range(1, 21))
    theirs = take_bars(whole, sorted(set(range(20)) - missing))
    if held - missing:
        store.append(ID, take_bars(whole, sorted(held - missing)), Origin.RECORDED)
    failing = FakeHistory(theirs, page, stops_after)
    span = {"since_ts": 0, "until_ts": 20 * HOUR}
    try:
        await fetch_history(failing, store, ID, "1h", **span, progress=ignore)
    except Unavailable:
        assert len(failing.asked) == stops_after
    seen: list[FetchProgress] = []
    result = await fetch_history(FakeHistory(theirs, page), store, ID, "1h", **span, progress=seen.append)
    assert store.load(ID, "1h").close.tolist() == theirs.close.tolist()
    assert result.missing == len(missing)
    assert seen[-1].done == seen[-1].total == 20


async def test_what_is_stored_is_not_asked_for_again(tmp_path: Path) -> None:
    store = ParquetCandleStore(tmp_path)
    history = FakeHistory(make_bars(0, range(1, 11)), 100)
    first = await fetch_history(history, store, ID, "1h", since_ts=1, until_ts=9 * HOUR, progress=ignore)
    assert (first.new, first.requests, first.missing) == (8, 1, 0)
    again = await fetch_history(history, store, ID, "1h", since_ts=HOUR, until_ts=10 * HOUR, progress=ignore)
    assert (again.new, again.requests) == (1, 1)
    assert history.asked == [HOUR, 9 * HOUR]


async def test_an_empty_answer_ends_the_span(tmp_path: Path) -> None:
    history = FakeHistory(empty_bars("1h"), 100)
    store = ParquetCandleStore(tmp_path)
    result = await fetch_history(history, store, ID, "1h", since_ts=0, until_ts=5 * HOUR, progress=ignore)
    assert (result.new, result.requests, result.missing) == (0, 1, 5)


async def test_an_empty_span_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        await fetch_history(
            FakeHistory(make_bars(0, [1]), 1), ParquetCandleStore(tmp_path), ID, "1h",
            since_ts=HOUR, until_ts=HOUR, progress=ignore,
        )  # fmt: skip


def test_a_file_is_imported_whole_or_not_at_all(tmp_path: Path) -> None:
    store = ParquetCandleStore(tmp_path / "candles")
    path = tmp_path / "bars.csv"
    rows = ["time,open,high,low,close,volume", "0,1,2,0.5,1,1", "3600,1,2,0.5,1,1", "14400,1,2,0.5,1,0"]
    path.write_text("\n".join(rows))
    result = import_bars(read_bars, store, path, ID, "1h")
    assert (result.bars, result.new, result.gaps) == (3, 3, 2)
    assert import_bars(read_bars, store, path, ID, "1h").new == 0
    path.write_text("\n".join([*rows, "18000,1,2,3,1,1"]))
    with pytest.raises(InvalidInput, match=r"bars\.csv, row 4"):
        import_bars(read_bars, store, path, ID, "1h")
    assert len(store.load(ID, "1h")) == 3


def test_a_dataset_is_checked(tmp_path: Path) -> None:
    store = ParquetCandleStore(tmp_path)
    store.append(ID, take_bars(make_bars(0, range(1, 21)), [0, 2, 3, 8, 9]), Origin.RECORDED)
    report = check_dataset(store, ID, "1h")
    assert (report.bars, report.missing, report.zero_volume) == (5, 5, 0)
    assert [(gap.first_ts // HOUR, gap.count) for gap in report.gaps] == [(4, 4), (1, 1)]
    with pytest.raises(NotFound, match="4h"):
        check_dataset(store, ID, "4h")
