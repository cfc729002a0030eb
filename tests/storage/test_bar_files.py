"""Bars from CSV, Arrow and Parquet files, and what is said about files that are not right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import InvalidInput
from amarktai.storage.bar_files import read_bars

START = datetime(2024, 1, 1, tzinfo=UTC)
START_NS = 1_704_067_200 * NS_PER_S


def frame(**changes: pl.Series) -> pl.DataFrame:
    base = pl.DataFrame(
        {
            "date": [START + timedelta(hours=hour) for hour in range(3)],
            "open": [1.0, 2.0, 3.0],
            "high": [2.0, 3.0, 4.0],
            "low": [0.5, 1.5, 2.5],
            "close": [1.5, 2.5, 3.5],
            "volume": [10.0, 0.0, 12.0],
        }
    )
    return base.with_columns(**changes)


def check(path: Path, **columns: str) -> None:
    bars = read_bars(path, "1h", columns)
    assert bars.ts_open.tolist() == [START_NS + hour * 3_600 * NS_PER_S for hour in range(3)]
    assert bars.close.tolist() == [1.5, 2.5, 3.5]
    assert bars.volume.tolist() == [10.0, 0.0, 12.0]


def test_every_kind_of_file_reads_the_same(tmp_path: Path) -> None:
    frame().write_csv(tmp_path / "a.csv")
    frame().write_ipc(tmp_path / "a.feather")
    frame().write_ipc(tmp_path / "a.arrow")
    frame().write_parquet(tmp_path / "a.parquet")
    for path in tmp_path.iterdir():
        check(path)


@pytest.mark.parametrize("per_second", [1, 1_000, 1_000_000, 1_000_000_000])
def test_whole_numbers_are_read_by_their_size(tmp_path: Path, per_second: int) -> None:
    times = pl.Series([(START_NS // NS_PER_S + hour * 3_600) * per_second for hour in range(3)])
    frame(date=times).write_csv(tmp_path / "a.csv")
    frame(date=times).write_parquet(tmp_path / "a.parquet")
    check(tmp_path / "a.csv")
    check(tmp_path / "a.parquet")


@pytest.mark.parametrize("shape", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_iso_times_are_read(tmp_path: Path, shape: str) -> None:
    times = pl.Series([(START + timedelta(hours=hour)).strftime(shape) for hour in range(3)])
    frame(date=times).write_csv(tmp_path / "a.csv")
    check(tmp_path / "a.csv")


def test_columns_of_other_names_can_be_named(tmp_path: Path) -> None:
    frame().rename({"date": "when", "close": "last"}).write_parquet(tmp_path / "a.parquet")
    check(tmp_path / "a.parquet", ts_open="when", close="last")
    with pytest.raises(InvalidInput, match=r"no column ts_open, close") as refused:
        read_bars(tmp_path / "a.parquet", "1h")
    assert "when" in refused.value.action


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("close", ["1.5", "oops", "3.5"], "row 2: close is 'oops'"),
        ("close", ["1.5", "2.5", "NaN"], "row 3: a price is not a number"),
        ("high", ["2", "1", "4"], "row 2: the high"),
        ("date", ["2024-01-01 00:00:00", "soon", "2024-01-01 02:00:00"], "row 2: 'soon' is no time"),
        ("date", ["2024-01-01 01:00:00", "2024-01-01 00:00:00", "2024-01-01 02:00:00"], "row 2: the time"),
        ("date", ["2024-01-01 00:00:00", "2024-01-01 01:30:00", "2024-01-01 02:00:00"], "row 2: the time"),
        ("volume", ["1", "", "3"], "row 2: volume"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, column: str, values: list[str], said: str) -> None:
    frame(**{column: pl.Series(values)}).write_csv(tmp_path / "bars.csv")
    with pytest.raises(InvalidInput) as refused:
        read_bars(tmp_path / "bars.csv", "1h")
    assert refused.value.detail.startswith(f"bars.csv, {said}")
    assert refused.value.action


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.parquet").write_text("x")
    frame().head(0).write_csv(tmp_path / "empty.csv")
    for name, said in (
        ("a.txt", "unknown kind"),
        ("a.parquet", "cannot be read"),
        ("gone.csv", "cannot be read"),
        ("empty.csv", "holds no rows"),
    ):
        with pytest.raises(InvalidInput, match=said):
            read_bars(tmp_path / name, "1h")
