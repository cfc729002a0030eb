"""Bars in Parquet: ``<root>/<venue>/<BASE-QUOTE>/<timeframe>/<year>.parquet``.

A file is written beside its place and then moved there, so that a reader or a killed writer never
leaves half a file. A writer of a dataset holds its lock file, so that processes take turns.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from amarktai.domain.bar import NS_PER_S, Bars, Int64s, timeframe_ns
from amarktai.domain.errors import Conflict, InvalidInput, Unavailable
from amarktai.domain.instrument import Origin, Platform, split_instrument_id
from amarktai.domain.market import NO_TS, count_gaps, empty_bars, find_dirty_bar
from amarktai.ports.candles import DatasetInfo
from amarktai.ports.clock import to_datetime

_COLUMNS: Final = tuple(item.name for item in fields(Bars) if item.name != "timeframe")
_ORIGIN: Final = b"amarktai.origin"


class ParquetCandleStore:
    """Implements ports.candles.CandleStore on one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def load(
        self, instrument_id: str, timeframe: str, *, since_ts: int = 0, until_ts: int | None = None
    ) -> Bars:
        """Return stored bars with since_ts <= ts_open < until_ts; empty when there are none.

        Raises: Unavailable for a file that cannot be read.
        """
        until = NO_TS if until_ts is None else until_ts
        folder = self._folder(instrument_id, timeframe)
        parts = [
            _read(path, timeframe)
            for path in _year_files(folder)
            if _year_start(int(path.stem)) < until and _year_start(int(path.stem) + 1) > since_ts
        ]
        bars = _concat(timeframe, parts)
        first, last = np.searchsorted(bars.ts_open, [since_ts, until])
        return bars.slice(int(first), int(last))

    def append(self, instrument_id: str, bars: Bars, origin: Origin) -> int:
        """Merge bars by ts_open (the newest write wins) and return how many are new.

        Raises: InvalidInput for bars that are not clean; Conflict when the dataset has another
        origin; Unavailable when the folder cannot be written.
        """
        dirty = find_dirty_bar(bars)
        if dirty is not None:
            row, reason = dirty
            raise InvalidInput(
                "DIRTY_BARS",
                f"{instrument_id} {bars.timeframe}: bar {row + 1} of {len(bars)} cannot be stored: {reason}",
                "Correct the source, or leave that bar out.",
            )
        folder = self._folder(instrument_id, bars.timeframe)
        try:
            with _locked(folder):
                self._check_origin(folder, instrument_id, origin)
                return sum(_merge(folder / f"{year}.parquet", part, origin) for year, part in _by_year(bars))
        except OSError as error:
            raise Unavailable(
                "DATA_FOLDER",
                f"Bars cannot be written to {folder}: {error.strerror}",
                "Check that the data folder exists, may be written and has space left.",
            ) from error

    def datasets(self) -> list[DatasetInfo]:
        """Return every dataset, sorted by instrument and timeframe.

        Raises: Unavailable for a file that cannot be read.
        """
        found = []
        for folder in sorted(self._root.glob("*/*/*")):
            if _year_files(folder):
                found.append(self._info(folder))
        return found

    def _info(self, folder: Path) -> DatasetInfo:
        timeframe, pair, venue = folder.name, folder.parent.name, folder.parent.parent.name
        base, _, quote = pair.partition("-")
        files = _year_files(folder)
        bars = _concat(timeframe, [_read(path, timeframe) for path in files])
        return DatasetInfo(
            instrument_id=f"{Platform(venue)}:{base}/{quote}",
            timeframe=timeframe,
            origin=_origin_of(files[0]),
            bar_count=len(bars),
            first_ts=int(bars.ts_open[0]),
            last_ts=int(bars.ts_open[-1]),
            gaps=count_gaps(bars),
        )

    def _folder(self, instrument_id: str, timeframe: str) -> Path:
        venue, symbol = split_instrument_id(instrument_id)
        timeframe_ns(timeframe)  # refuses what is no timeframe of ours
        return self._root / venue.value / symbol.replace("/", "-") / timeframe

    @staticmethod
    def _check_origin(folder: Path, instrument_id: str, origin: Origin) -> None:
        files = _year_files(folder)
        if not files:
            return
        known = _origin_of(files[0])
        if known is not origin:
            raise Conflict(
                "ORIGIN_MISMATCH",
                f"The stored bars of {instrument_id} are {known}, these are {origin}",
                "Keep data of different origin in different data folders: they must never mix.",
            )


def _year_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if path.stem.isdigit())


def _year_start(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S


def _by_year(bars: Bars) -> Iterator[tuple[int, Bars]]:
    start = 0
    while start < len(bars):
        year = to_datetime(int(bars.ts_open[start])).year
        stop = int(np.searchsorted(bars.ts_open, _year_start(year + 1)))
        yield year, bars.slice(start, stop)
        start = stop


def _merge(path: Path, bars: Bars, origin: Origin) -> int:
    known = _read(path, bars.timeframe) if path.exists() else empty_bars(bars.timeframe)
    kept = known.ts_open[~np.isin(known.ts_open, bars.ts_open)]
    merged = _sorted(_concat(bars.timeframe, [_select(known, kept), bars]))
    table = pa.table(
        {name: getattr(merged, name) for name in _COLUMNS}, metadata={_ORIGIN: origin.value.encode()}
    )
    write_atomically(path, table)
    return len(merged) - len(known)


def _select(bars: Bars, ts_open: Int64s) -> Bars:
    rows = np.flatnonzero(np.isin(bars.ts_open, ts_open))
    return _take(bars, rows)


def _sorted(bars: Bars) -> Bars:
    return _take(bars, np.argsort(bars.ts_open, kind="stable"))


def _take(bars: Bars, rows: Int64s) -> Bars:
    return Bars(
        bars.timeframe,
        bars.ts_open[rows],
        bars.open[rows],
        bars.high[rows],
        bars.low[rows],
        bars.close[rows],
        bars.volume[rows],
    )


def _concat(timeframe: str, parts: list[Bars]) -> Bars:
    if not parts:
        return empty_bars(timeframe)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return Bars(timeframe, **columns)


def _read(path: Path, timeframe: str) -> Bars:
    try:
        table = pq.read_table(path, columns=list(_COLUMNS))
    except (OSError, pa.ArrowException) as error:
        raise _broken(path, error) from error
    columns = {name: table.column(name).to_numpy() for name in _COLUMNS}
    return Bars(timeframe, **columns)


def _origin_of(path: Path) -> Origin:
    try:
        metadata: dict[bytes, bytes] = pq.read_schema(path).metadata or {}
        return Origin(metadata[_ORIGIN].decode())
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> Unavailable:
    return Unavailable(
        "DATASET_BROKEN",
        f"{path} cannot be read: {error}",
        "Move the file away and fetch or import that year again.",
    )


def write_atomically(path: Path, table: Any) -> None:
    """Write a pyarrow table so that ``path`` holds either what it held before or all of it."""
    beside = path.with_suffix(".parquet.part")
    try:
        with beside.open("wb") as out:
            pq.write_table(table, out, compression="zstd")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
