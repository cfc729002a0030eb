"""Bars from files that people have: CSV, Arrow (feather) and Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from amarktai.domain.bar import Bars, Floats, Int64s
from amarktai.domain.errors import InvalidInput
from amarktai.domain.market import find_dirty_bar

PRICE_COLUMNS: Final = ("open", "high", "low", "close", "volume")
#: Names under which files keep the bar's open time, tried in this order.
TIME_COLUMNS: Final = ("ts_open", "datetime", "date", "open_time", "timestamp", "time")
#: An integer time is read by its size: seconds, milliseconds, microseconds or nanoseconds.
_UNIT_NS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))


def read_bars(path: Path, timeframe: str, columns: Mapping[str, str] | None = None) -> Bars:
    """Read bars of one instrument from a .csv, .feather, .arrow or .parquet file.

    ``columns`` maps our names (ts_open, open, high, low, close, volume) to the file's where they
    differ. Times are the bar's open, as a timestamp, ISO text, or a whole number since 1970.

    Raises: InvalidInput naming the file, the row and what to do.
    """
    frame = _read_table(path)
    mapping = _map_columns(path, frame, dict(columns or {}))
    ts_open = _read_times(path, frame[mapping["ts_open"]])
    prices = [_read_numbers(path, frame[mapping[name]]) for name in PRICE_COLUMNS]
    bars = Bars(timeframe, ts_open, *prices)
    dirty = find_dirty_bar(bars)
    if dirty is not None:
        row, reason = dirty
        raise _bad_row(path, row, reason)
    return bars


def _read_table(path: Path) -> pl.DataFrame:
    readers = {
        ".csv": lambda: pl.read_csv(path, infer_schema=False),
        ".feather": lambda: pl.read_ipc(path),
        ".arrow": lambda: pl.read_ipc(path),
        ".parquet": lambda: pl.read_parquet(path),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{path.name}: unknown kind of file {path.suffix!r}",
            f"Give a file that ends in {', '.join(readers)}.",
        )
    try:
        frame = reader()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{path.name} cannot be read: {error}", "Check that the file is whole."
        ) from error
    if frame.is_empty():
        raise InvalidInput("VALIDATION_ERROR", f"{path.name} holds no rows", "Give a file with bars.")
    return frame


def _map_columns(path: Path, frame: pl.DataFrame, columns: dict[str, str]) -> dict[str, str]:
    if "ts_open" not in columns:
        columns["ts_open"] = next((name for name in TIME_COLUMNS if name in frame.columns), TIME_COLUMNS[0])
    mapping = {name: columns.get(name, name) for name in ("ts_open", *PRICE_COLUMNS)}
    missing = [name for name in mapping.values() if name not in frame.columns]
    if missing:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{path.name} has no column {', '.join(missing)}",
            f"Its columns are {', '.join(frame.columns)}: say which of them is which.",
        )
    return mapping


def _read_times(path: Path, column: pl.Series) -> Int64s:
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        return _whole(path, column, column.cast(pl.Datetime("ns")).cast(pl.Int64))
    text = column.cast(pl.String).str.strip_chars()
    numbers = text.cast(pl.Int64, strict=False)
    if numbers[0] is None:
        return _whole(path, column, _parse_iso(text))
    times = _whole(path, column, numbers)
    largest = int(np.abs(times).max())
    return times * next((factor for limit, factor in _UNIT_NS if largest < limit), 1)


def _whole(path: Path, column: pl.Series, parsed: pl.Series) -> Int64s:
    """Return the parsed times; each must be there."""
    if parsed.null_count():
        row = int(parsed.is_null().arg_max() or 0)
        raise _bad_row(path, row, f"{column[row]!r} is no time")
    times: Int64s = parsed.to_numpy().astype(np.int64)
    return times


def _parse_iso(text: pl.Series) -> pl.Series:
    """Read ISO 8601; a time without an offset is UTC."""
    zoned = text.str.replace("Z$", "+00:00").str.to_datetime(
        time_unit="ns", time_zone="UTC", strict=False, format="%+"
    )
    if zoned.null_count() == len(zoned):
        zoned = text.str.to_datetime(time_unit="ns", strict=False)
    return zoned.cast(pl.Int64)


def _read_numbers(path: Path, column: pl.Series) -> Floats:
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count():
        row = int(numbers.is_null().arg_max() or 0)
        raise _bad_row(path, row, f"{column.name} is {column[row]!r}, not a number")
    values: Floats = numbers.to_numpy().astype(np.float64)
    return values


def _bad_row(path: Path, row: int, reason: str) -> InvalidInput:
    return InvalidInput(
        "VALIDATION_ERROR",
        f"{path.name}, row {row + 1}: {reason}",
        "Correct or remove that row (rows are counted from 1, without the heading).",
    )
