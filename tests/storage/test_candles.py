"""The Parquet store of bars: merging, origins, faults of the disk."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.errors import Conflict, InvalidInput, Unavailable
from amarktai.domain.instrument import Origin
from amarktai.storage.candles import ParquetCandleStore
from tests.bars import HOUR, make_bars, take_bars

ID = "binance:BTC/USDT"
YEAR_2024 = 473_352  # hours since 1970


@pytest.fixture
def store(tmp_path: Path) -> ParquetCandleStore:
    return ParquetCandleStore(tmp_path / "candles")


def test_what_was_stored_is_loaded(store: ParquetCandleStore) -> None:
    bars = make_bars(YEAR_2024 - 2, [1, 2, 3, 4, 5])
    assert store.append(ID, bars, Origin.RECORDED) == 5
    loaded = store.load(ID, "1h")
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        assert getattr(loaded, name).tolist() == getattr(bars, name).tolist()
    part = store.load(ID, "1h", since_ts=int(bars.ts_open[1]), until_ts=int(bars.ts_open[3]))
    assert part.close.tolist() == [2, 3]


def test_absent_data_is_empty(store: ParquetCandleStore) -> None:
    assert len(store.load(ID, "1h")) == 0
    assert store.datasets() == []


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.integers(1, 99)), min_size=1, max_size=6))
def test_the_newest_write_of_a_bar_wins(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int, int]]
) -> None:
    store = ParquetCandleStore(tmp_path_factory.mktemp("candles"))
    expected: dict[int, float] = {}
    for first, count, price in writes:
        bars = make_bars(YEAR_2024 - 15 + first, [price] * count)
        before = len(expected)
        expected.update({int(ts): float(price) for ts in bars.ts_open})
        assert store.append(ID, bars, Origin.RECORDED) == len(expected) - before
    loaded = store.load(ID, "1h")
    assert dict(zip(loaded.ts_open.tolist(), loaded.close.tolist(), strict=True)) == expected
    assert (np.diff(loaded.ts_open) > 0).all()


def test_datasets_are_listed_with_their_gaps(store: ParquetCandleStore) -> None:
    store.append(ID, take_bars(make_bars(YEAR_2024 - 3, range(1, 8)), [0, 1, 4, 6]), Origin.RECORDED)
    (info,) = store.datasets()
    assert (info.instrument_id, info.timeframe, info.origin) == (ID, "1h", Origin.RECORDED)
    assert (info.bar_count, info.gaps) == (4, 3)
    assert (info.last_ts - info.first_ts) // HOUR == 6


def test_dirty_bars_are_refused_and_nothing_is_written(store: ParquetCandleStore) -> None:
    bars = make_bars(YEAR_2024, [1, 2, 3])
    with pytest.raises(InvalidInput, match=r"bar 2 of 3 cannot be stored"):
        store.append(ID, replace(bars, close=np.array([1.0, np.nan, 3.0])), Origin.RECORDED)
    assert store.datasets() == []


def test_origins_do_not_mix(store: ParquetCandleStore) -> None:
    store.append(ID, make_bars(YEAR_2024, [1]), Origin.SYNTHETIC)
    with pytest.raises(Conflict, match="synthetic"):
        store.append(ID, make_bars(YEAR_2024, [1]), Origin.RECORDED)


def test_unknown_names_are_refused(store: ParquetCandleStore) -> None:
    for instrument_id in ("BTC/USDT", "nowhere:BTC/USDT", "binance:BTC"):
        with pytest.raises(InvalidInput):
            store.load(instrument_id, "1h")
    with pytest.raises(InvalidInput, match="timeframe"):
        store.load(ID, "../../etc")


def test_a_broken_file_is_named(store: ParquetCandleStore, tmp_path: Path) -> None:
    store.append(ID, make_bars(YEAR_2024, [1]), Origin.RECORDED)
    path = tmp_path / "candles/binance/BTC-USDT/1h/2024.parquet"
    path.write_bytes(b"nothing")
    with pytest.raises(Unavailable, match=r"2024\.parquet") as broken:
        store.load(ID, "1h")
    assert broken.value.code == "DATASET_BROKEN"
    with pytest.raises(Unavailable):
        store.datasets()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "candles").write_text("a file where the folder should be")
    with pytest.raises(Unavailable) as refused:
        ParquetCandleStore(tmp_path / "candles").append(ID, make_bars(1, [1]), Origin.RECORDED)
    assert refused.value.code == "DATA_FOLDER"
    assert refused.value.action


def test_a_writer_that_was_killed_leaves_the_old_file(store: ParquetCandleStore, tmp_path: Path) -> None:
    store.append(ID, make_bars(YEAR_2024, [1]), Origin.RECORDED)
    folder = tmp_path / "candles/binance/BTC-USDT/1h"
    (folder / "2024.parquet.part").write_bytes(b"half a fi")
    assert store.load(ID, "1h").close.tolist() == [1]
    store.append(ID, make_bars(YEAR_2024 + 1, [2]), Origin.RECORDED)
    assert store.load(ID, "1h").close.tolist() == [1, 2]
    assert sorted(os.listdir(folder)) == [".lock", "2024.parquet"]


def test_writers_take_turns(store: ParquetCandleStore) -> None:
    def write(hour: int) -> int:
        return store.append(ID, make_bars(YEAR_2024 + hour, [hour + 1]), Origin.RECORDED)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(12))) == 12
    assert store.load(ID, "1h").close.tolist() == list(range(1, 13))
