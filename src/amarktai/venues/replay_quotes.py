"""Recordings of polled quotes (CSV): Luno's top of book, Kraken's, and USD/ZAR from two sources.

The poll clock ``client_timestamp`` (ms) is the time of a row. A row that must not be traded on is
refused and counted; a row that cannot be read at all stops the replay with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from amarktai.domain.bar import TIMEFRAME_S, Bars, Floats, Int64s
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument
from amarktai.domain.market import DirtyRows, RateSeries, compute_quote_bars
from amarktai.venues.batches import concat, quote_batch, sort_by_time
from amarktai.venues.exchanges.luno import VENUE as LUNO
from amarktai.venues.replay import RecordedFeed, Span, clip

Mask = npt.NDArray[np.bool_]
_NS_PER_MS: Final = 1_000_000
#: The longest regular pause between two polls of the recordings is an hour; two are too many.
POLL_MAX_AGE_S: Final = 7_200.0
#: Shorter bars would be invented: the recordings were polled every 20 to 60 minutes.
HONEST_TIMEFRAMES: Final = ("1h", "4h", "1d")


@dataclass(frozen=True, slots=True)
class Quotes:
    """Clean quotes of one market. Shapes: ts, bid, ask [n].  Units: ts ns UTC, quote per base."""

    ts: Int64s
    bid: Floats
    ask: Floats


def luno_quote_feed(
    folder: Path,
    symbols: Sequence[str] = (),
    span: Span = Span(),  # noqa: B008 - frozen
) -> RecordedFeed:
    """Replay every ``<PAIR>.csv`` of Luno in ``folder``, or those of ``symbols`` (BTC/ZAR …).

    Raises: InvalidInput for an absent folder, an unknown pair, or a malformed row.
    """
    dirty = DirtyRows()
    quotes: dict[Instrument, Quotes] = {}
    for instrument, path in _luno_files(folder, symbols).items():
        quotes[instrument] = read_luno_quotes(path, dirty)
    instruments = tuple(quotes)
    events = sort_by_time(concat([quote_batch(i, q.ts, q.bid, q.ask) for i, q in enumerate(quotes.values())]))
    return RecordedFeed(
        instruments,
        clip(events, span),
        title="Luno quotes",
        dirty=dirty,
        max_age_s=POLL_MAX_AGE_S,
        history=_bars_of(quotes),
    )


def _bars_of(quotes: dict[Instrument, Quotes]) -> dict[tuple[str, str], Bars]:
    return {
        (instrument.id, timeframe): compute_quote_bars(q.ts, q.bid, q.ask, timeframe)
        for instrument, q in quotes.items()
        for timeframe in HONEST_TIMEFRAMES
        if timeframe in TIMEFRAME_S
    }


def _luno_files(folder: Path, symbols: Sequence[str]) -> dict[Instrument, Path]:
    if not folder.is_dir():
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"There is no folder {folder}",
            "Set AMARKTAI_DATA to the folder that holds the recordings.",
        )
    if symbols:
        wanted = [LUNO.instrument(symbol) for symbol in symbols]
        return {item: folder / f"{LUNO.venue_symbol(item.base, item.quote)}.csv" for item in wanted}
    files: dict[Instrument, Path] = {}
    for path in sorted(folder.glob("*.csv")):
        instrument = LUNO.instrument_of_venue_symbol(path.stem)
        if instrument is None:
            raise InvalidInput(
                "VALIDATION_ERROR", f"{path.name}: {path.stem} is no Luno market", "Move the file elsewhere."
            )
        files[instrument] = path
    if not files:
        raise InvalidInput("VALIDATION_ERROR", f"{folder} holds no .csv file", "Give Luno's folder.")
    return files


def read_luno_quotes(path: Path, dirty: DirtyRows) -> Quotes:
    """Read one Luno file, refusing and counting what must not be traded on.

    Raises: InvalidInput naming the file and the row that cannot be read.
    """
    frame = _read_csv(path, ("bid", "ask", "status", "client_timestamp"))
    return _clean(path, frame, dirty, inactive=(frame["status"] != "ACTIVE").fill_null(value=True).to_numpy())


def load_usd_zar(path: Path, dirty: DirtyRows | None = None) -> RateSeries:
    """Return rand per dollar from a recording of Yahoo (mid of bid and ask) or xe.com (rate).

    Raises: InvalidInput naming the file and the row that cannot be read.
    """
    refused = dirty if dirty is not None else DirtyRows()
    source = f"{path.parent.name} {path.stem} recording"
    header = _read_csv(path, ("client_timestamp",))
    if "rate" in header.columns:
        ts = _times(path, header)
        rate = _numbers(path, header, "rate")
        keep = _refuse(refused, {"nan": ~np.isfinite(rate), "rate_not_positive": rate <= 0}, ts)
        return RateSeries("USD", "ZAR", ts[keep], rate[keep], source)
    quotes = _clean(path, _read_csv(path, ("bid", "ask", "client_timestamp")), refused)
    return RateSeries("USD", "ZAR", quotes.ts, (quotes.bid + quotes.ask) / 2, source)


def load_kraken_rates(path: Path, base: str, quote: str, dirty: DirtyRows | None = None) -> RateSeries:
    """Return the mid prices of a Kraken recording as rates, for example BTC in USD.

    Raises: InvalidInput naming the file and the row that cannot be read.
    """
    refused = dirty if dirty is not None else DirtyRows()
    quotes = _clean(path, _read_csv(path, ("bid", "ask", "client_timestamp")), refused)
    return RateSeries(base, quote, quotes.ts, (quotes.bid + quotes.ask) / 2, f"kraken {path.stem} recording")


def _read_csv(path: Path, needed: Sequence[str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{path.name} cannot be read: {error}", "Check that the file is whole."
        ) from error
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{path.name} has no column {', '.join(missing)}",
            f"Its first line must name {', '.join(needed)}.",
        )
    return frame


def _clean(
    path: Path,
    frame: pl.DataFrame,
    dirty: DirtyRows,
    inactive: Mask | None = None,
) -> Quotes:
    ts = _times(path, frame)
    bid, ask = _numbers(path, frame, "bid"), _numbers(path, frame, "ask")
    reasons = {} if inactive is None else {"not_active": inactive}
    reasons |= {
        "nan": ~(np.isfinite(bid) & np.isfinite(ask)),
        "bid_not_positive": bid <= 0,
        "ask_not_positive": ask <= 0,
        "crossed": bid >= ask,
    }
    keep = _refuse(dirty, reasons, ts)
    return Quotes(ts[keep], bid[keep], ask[keep])


def _refuse(dirty: DirtyRows, reasons: dict[str, Mask], ts: Int64s) -> Mask:
    """Return the rows to keep. A row is counted once, under its first reason."""
    previous = np.maximum.accumulate(np.concatenate(([np.iinfo(np.int64).min], ts[:-1])))
    checks = reasons | {"time_backwards": ts < previous, "duplicate": ts == previous}
    keep = np.ones(len(ts), dtype=np.bool_)
    for reason, found in checks.items():
        dirty.add(reason, int((found & keep).sum()))
        keep &= ~found
    return keep


def _times(path: Path, frame: pl.DataFrame) -> Int64s:
    column = frame["client_timestamp"]
    parsed = column.str.strip_chars().cast(pl.Int64, strict=False)
    if parsed.null_count():
        raise _bad_row(path, parsed, column)
    return parsed.to_numpy().astype(np.int64) * _NS_PER_MS


def _numbers(path: Path, frame: pl.DataFrame, name: str) -> Floats:
    """Read numbers. An empty cell is NaN, which is refused later; any other text is malformed."""
    column = frame[name]
    parsed = column.str.strip_chars().cast(pl.Float64, strict=False)
    unreadable = parsed.is_null() & column.is_not_null() & (column != "")
    if unreadable.any():
        raise _bad_row(path, pl.Series(name, [None if bad else 0 for bad in unreadable]), column)
    return parsed.fill_null(float("nan")).to_numpy().astype(np.float64)


def _bad_row(path: Path, parsed: pl.Series, column: pl.Series) -> InvalidInput:
    row = int(parsed.is_null().arg_max() or 0)
    return InvalidInput(
        "VALIDATION_ERROR",
        f"{path.name}, row {row + 1}: {column.name} is {column[row]!r}, not a number",
        "Correct or remove that row (rows are counted from 1, without the heading).",
    )
