"""Getting and checking history: fetch it from an exchange, import it from files, look for gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from amarktai.domain.bar import Bars, Int64s, timeframe_ns
from amarktai.domain.errors import InvalidInput, NotFound
from amarktai.domain.instrument import Origin
from amarktai.domain.market import count_gaps
from amarktai.ports.candles import CandleStore
from amarktai.ports.history import BarHistory, BarReader

#: Bars asked for at once; venues answer with their own maximum where that is less.
REQUEST_BARS: Final = 1_000
#: A report lists this many gaps, the longest first.
GAPS_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is, in bars of the span. ``last_ts`` is the newest bar's open (ns)."""

    done: int
    total: int
    new: int
    last_ts: int


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a fetch brought. ``missing`` bars the exchange does not have (an outage, for example)."""

    new: int
    requests: int
    missing: int


async def fetch_history(
    history: BarHistory,
    store: CandleStore,
    instrument_id: str,
    timeframe: str,
    *,
    since_ts: int,
    until_ts: int,
    progress: Callable[[FetchProgress], None],
) -> FetchResult:
    """Store the exchange's bars with since_ts <= ts_open < until_ts (ns) that are not stored yet.

    Every answer is stored before the next request, so a fetch that breaks off goes on where it
    stopped when it is called again.

    Raises: Unavailable when the exchange cannot be reached, InvalidInput for an empty span.
    """
    step = timeframe_ns(timeframe)
    first, last = -(-since_ts // step) * step, -(-until_ts // step) * step
    if first >= last:
        raise InvalidInput(
            "VALIDATION_ERROR", "The span to fetch is empty", "Choose a since that lies before until."
        )
    known = store.load(instrument_id, timeframe, since_ts=first, until_ts=last)
    total, new, requests = (last - first) // step, 0, 0
    for start, stop in _missing_spans(known.ts_open, first, last, step):
        cursor = start
        while cursor < stop:
            limit = min(REQUEST_BARS, (stop - cursor) // step)
            bars = _before(await history.fetch_history(instrument_id, timeframe, cursor, limit), stop)
            requests += 1
            if not len(bars):
                break
            new += store.append(instrument_id, bars, Origin.RECORDED)
            cursor = int(bars.ts_open[-1]) + step
            progress(FetchProgress((cursor - first) // step, total, new, cursor - step))
    progress(FetchProgress(total, total, new, last - step))
    stored = store.load(instrument_id, timeframe, since_ts=first, until_ts=last)
    return FetchResult(new, requests, total - len(stored))


def _missing_spans(known: Int64s, first: int, last: int, step: int) -> list[tuple[int, int]]:
    """Return the half-open spans of [first, last) in which no bar is known."""
    edges = np.concatenate(([first - step], known, [last]))
    gaps = np.flatnonzero(np.diff(edges) > step)
    return [(int(edges[i]) + step, int(edges[i + 1])) for i in gaps]


def _before(bars: Bars, stop_ts: int) -> Bars:
    return bars.slice(0, int(np.searchsorted(bars.ts_open, stop_ts)))


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import brought. Times ns; ``gaps`` are bars missing within the file."""

    bars: int
    new: int
    first_ts: int
    last_ts: int
    gaps: int


def import_bars(
    read: BarReader,
    store: CandleStore,
    path: Path,
    instrument_id: str,
    timeframe: str,
    columns: Mapping[str, str] | None = None,
) -> ImportResult:
    """Store the bars of a CSV, feather or Parquet file; the whole file or, on an error, nothing of it.

    ``columns`` maps ts_open, open, high, low, close, volume to the file's names where they differ.

    Raises: InvalidInput naming file, row and what to do.
    """
    bars = read(path, timeframe, columns)
    new = store.append(instrument_id, bars, Origin.RECORDED)
    return ImportResult(len(bars), new, int(bars.ts_open[0]), int(bars.ts_open[-1]), count_gaps(bars))


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing bars: the first one's open (ns) and how many."""

    first_ts: int
    count: int


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """A stored dataset's state. ``gaps`` are the longest first; ``missing`` counts all of them."""

    instrument_id: str
    timeframe: str
    bars: int
    first_ts: int
    last_ts: int
    missing: int
    gaps: tuple[Gap, ...]
    zero_volume: int


def check_dataset(store: CandleStore, instrument_id: str, timeframe: str) -> DatasetReport:
    """Report what a dataset holds and lacks.

    Raises: NotFound when there is no such dataset.
    """
    bars = store.load(instrument_id, timeframe)
    if not len(bars):
        raise NotFound(
            "NOT_FOUND",
            f"There are no {timeframe} bars of {instrument_id}",
            "Fetch them with `amarktai data fetch` or import a file.",
        )
    step = timeframe_ns(timeframe)
    first, last = int(bars.ts_open[0]), int(bars.ts_open[-1])
    spans = _missing_spans(bars.ts_open, first, last + step, step)
    gaps = sorted((Gap(start, (stop - start) // step) for start, stop in spans), key=lambda gap: -gap.count)
    return DatasetReport(
        instrument_id=instrument_id,
        timeframe=timeframe,
        bars=len(bars),
        first_ts=first,
        last_ts=last,
        missing=count_gaps(bars),
        gaps=tuple(gaps[:GAPS_LISTED]),
        zero_volume=int((bars.volume == 0).sum()),
    )
