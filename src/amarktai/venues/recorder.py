"""Keeps what a feed delivers, as Parquet, and plays it back.

``<root>/<venue>/<BASE-QUOTE>/<day>/<first row's receive time>.parquet``: a file is written whole,
every few minutes and at the end of a day, so a killed process loses the last minutes and nothing
else. When the recordings outgrow their disk budget the oldest files go first, never those of the
present run's newest write. Order books are not kept: live feeds carry none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from amarktai.domain.bar import NS_PER_S, TIMEFRAME_S, Bars, timeframe_ns
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import USUAL_CUSHION, Fees, Instrument, Origin, Platform
from amarktai.domain.market import (
    DirtyRows,
    EventKind,
    MarketBatch,
    OrderBook,
    compute_quote_bars,
)
from amarktai.ports.candles import CandleStore
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import Feed, FeedStatus
from amarktai.venues.batches import concat, renumber, take
from amarktai.venues.replay import RecordedFeed, Span

_COLUMNS: Final = ("ts", "received_ts", "kind", "a", "b", "c", "d", "e", "timeframe_s")
_INSTRUMENT: Final = b"amarktai.instrument"
_ORIGIN: Final = b"amarktai.origin"
_DAY_NS: Final = 86_400 * NS_PER_S
#: Live feeds send rows one by one; that many small batches become one, which takes far less memory.
_MOST_PENDING: Final = 256


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Where and how much to keep. ``write_every_s`` is what a killed process may lose."""

    root: Path
    budget_bytes: int
    write_every_s: float = 300.0


class Recorder:
    """A feed that keeps what passes through it. Implements ports.feed.Feed.

    ``is_wanted(instrument_id)`` says, at each batch, what to keep. One-minute bars of the quotes go
    into ``candles``, from which venues whose candles need a key get their warm-up.
    """

    def __init__(
        self,
        feed: Feed,
        settings: RecorderSettings,
        *,
        is_wanted: Callable[[str], bool] = lambda _: True,
        candles: CandleStore | None = None,
    ) -> None:
        self._feed = feed
        self._settings = settings
        self._is_wanted = is_wanted
        self._candles = candles
        self._pending: list[MarketBatch] = []
        self._sequence = 0
        self._pending_from = 0
        self._first_ts: int | None = None
        self._unbuilt: dict[int, MarketBatch] = {}
        self.problem: str | None = None
        self.files_written = 0

    @property
    def origin(self) -> Origin:
        return self._feed.origin

    @property
    def instruments(self) -> Sequence[Instrument]:
        return self._feed.instruments

    @property
    def books(self) -> dict[int, OrderBook]:
        return self._feed.books

    @property
    def dirty(self) -> DirtyRows:
        return self._feed.dirty

    @property
    def max_age_s(self) -> float:
        return self._feed.max_age_s

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield the feed's batches unchanged; what is due is written between two of them."""
        try:
            async for batch in self._feed.batches():
                if self._is_due(batch):
                    await self.flush()
                self._keep(batch)
                yield batch
        finally:
            await self.flush()

    def _keep(self, batch: MarketBatch) -> None:
        wanted = [index for index, item in enumerate(self.instruments) if self._is_wanted(item.id)]
        rows = np.flatnonzero(np.isin(batch.instrument, wanted))
        if len(rows):
            if self._first_ts is None:
                self._first_ts = int(batch.received_ts[rows[0]])
                self._pending_from = self._sequence
            self._pending.append(take(batch, rows))
            if len(self._pending) > _MOST_PENDING:
                self._pending = [concat(self._pending)]
        self._sequence += len(rows)

    def _is_due(self, batch: MarketBatch) -> bool:
        if self._first_ts is None or not len(batch):
            return False
        now = int(batch.received_ts[-1])
        late = now - self._first_ts >= self._settings.write_every_s * NS_PER_S
        return late or now // _DAY_NS != self._first_ts // _DAY_NS

    async def flush(self) -> None:
        """Write what is held back. A disk that fails is said in ``problem``; the feed goes on."""
        if not self._pending:
            return
        events = concat(self._pending)
        sequence = np.arange(self._pending_from, self._pending_from + len(events))
        self._pending, self._first_ts = [], None
        try:
            await asyncio.to_thread(self._write, events, sequence)
            self.problem = None
        except OSError as error:
            self.problem = f"Market data cannot be recorded in {self._settings.root}: {error.strerror}."

    def _write(self, events: MarketBatch, sequence: np.ndarray[Any, Any]) -> None:
        written = []
        for index in np.unique(events.instrument).tolist():
            mine = np.flatnonzero(events.instrument == index)
            days = events.received_ts[mine] // _DAY_NS
            for day in np.unique(days).tolist():
                rows = mine[days == day]
                written.append(self._write_file(int(index), take(events, rows), sequence[rows]))
            self._build_bars(int(index), take(events, mine))
        self.files_written += len(written)
        enforce_budget(self._settings.root, self._settings.budget_bytes, keep=written)

    def _write_file(self, index: int, rows: MarketBatch, sequence: np.ndarray[Any, Any]) -> Path:
        instrument = self.instruments[index]
        first_ts = int(rows.received_ts[0])
        day = to_datetime(first_ts).strftime("%Y-%m-%d")
        folder = self._settings.root / instrument.venue.value / f"{instrument.base}-{instrument.quote}" / day
        folder.mkdir(parents=True, exist_ok=True)
        columns = {name: getattr(rows, name) for name in _COLUMNS} | {"sequence": sequence}
        metadata = {_INSTRUMENT: _dump(instrument), _ORIGIN: _kept_as(self.origin).value.encode()}
        while (path := folder / f"{first_ts}.parquet").exists():
            first_ts += 1
        beside = path.with_suffix(".part")
        try:
            pq.write_table(pa.table(columns, metadata=metadata), beside, compression="zstd")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path

    def _build_bars(self, index: int, rows: MarketBatch) -> None:
        """Store the minutes that are over; the last one waits for the rest of its quotes."""
        if self._candles is None:
            return
        quotes = take(rows, np.flatnonzero(rows.kind == EventKind.QUOTE))
        if index in self._unbuilt:
            quotes = concat([self._unbuilt[index], quotes])
        if not len(quotes):
            return
        minute = timeframe_ns("1m")
        last_minute = int(quotes.received_ts[-1]) // minute * minute
        over = int(np.searchsorted(quotes.received_ts, last_minute))
        self._unbuilt[index] = take(quotes, slice(over, len(quotes)))
        bars = compute_quote_bars(quotes.received_ts[:over], quotes.a[:over], quotes.b[:over], "1m")
        if len(bars):
            self._candles.append(self.instruments[index].id, bars, _kept_as(self.origin))

    def status(self) -> FeedStatus:
        return self._feed.status()

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        return await self._feed.fetch_bars(instrument, timeframe, count, before_ts)

    async def close(self) -> None:
        """Write what is held back, then close the feed."""
        await self.flush()
        await self._feed.close()


def _kept_as(origin: Origin) -> Origin:
    """What was live is recorded when it is read back; what was synthetic stays synthetic for ever."""
    return Origin.SYNTHETIC if origin is Origin.SYNTHETIC else Origin.RECORDED


def enforce_budget(root: Path, budget_bytes: int, *, keep: Collection[Path]) -> list[Path]:
    """Remove the oldest recordings until they fit, and return them. ``keep`` is never removed."""
    files = sorted(root.glob("*/*/*/*.parquet"), key=lambda path: int(path.stem))
    sizes = {path: path.stat().st_size for path in files}
    total = sum(sizes.values())
    removed = []
    for path in files:
        if total <= budget_bytes:
            break
        if path not in keep:
            path.unlink()
            total -= sizes[path]
            removed.append(path)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    return removed


def recording_feed(
    root: Path,
    instrument_ids: Collection[str] = (),
    span: Span = Span(),  # noqa: B008 - frozen
    *,
    max_age_s: float = 60.0,
) -> RecordedFeed:
    """Play back what a recorder kept: all instruments, or those of ``instrument_ids``.

    Raises: InvalidInput for an empty folder, a broken file, or recordings of different origin.
    """
    parts: list[MarketBatch] = []
    sequences: list[np.ndarray[Any, Any]] = []
    instruments: dict[str, Instrument] = {}
    origins: set[Origin] = set()
    for path in sorted(root.glob("*/*/*/*.parquet"), key=lambda path: int(path.stem)):
        instrument, origin, events, sequence = _read_file(path)
        if instrument_ids and instrument.id not in instrument_ids:
            continue
        instruments[instrument.id] = instrument
        origins.add(origin)
        index = np.array([list(instruments).index(instrument.id)], dtype=np.int32)
        parts.append(renumber(events, index))
        sequences.append(sequence)
    if not parts:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{root} holds no recordings of that kind", "Choose another folder."
        )
    if len(origins) > 1:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{root} holds recordings of different origin",
            "Replay live and synthetic recordings apart: name the instruments.",
        )
    whole = concat(parts)
    whole = take(whole, np.lexsort((np.concatenate(sequences), whole.received_ts)))
    first, last = np.searchsorted(whole.received_ts, [span.since_ts, span.until_ts])
    return RecordedFeed(
        tuple(instruments.values()),
        take(whole, slice(int(first), int(last))),
        title="Recorded market data",
        dirty=DirtyRows(),
        max_age_s=max_age_s,
        history=_history(tuple(instruments.values()), whole),
        origin=origins.pop(),
    )


def _history(instruments: Sequence[Instrument], events: MarketBatch) -> dict[tuple[str, str], Bars]:
    found = {}
    for index, instrument in enumerate(instruments):
        quotes = take(events, (events.instrument == index) & (events.kind == EventKind.QUOTE))
        for timeframe in TIMEFRAME_S:
            bars = compute_quote_bars(quotes.received_ts, quotes.a, quotes.b, timeframe)
            found[instrument.id, timeframe] = bars
    return found


def _read_file(path: Path) -> tuple[Instrument, Origin, MarketBatch, np.ndarray[Any, Any]]:
    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata
        columns = {name: table.column(name).to_numpy() for name in (*_COLUMNS, "sequence")}
        instrument, origin = _load(metadata[_INSTRUMENT]), Origin(metadata[_ORIGIN].decode())
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{path} is no recording: {error}", "Move that file away."
        ) from error
    sequence = columns.pop("sequence")
    events = MarketBatch(instrument=np.zeros(len(sequence), dtype=np.int32), **columns)
    return instrument, origin, events, sequence


def _dump(item: Instrument) -> bytes:
    record = {name: str(getattr(item, name)) for name in ("venue", "base", "quote", "tick_size", "lot_size")}
    record |= {"min_quantity": str(item.min_quantity), "min_notional": str(item.min_notional)}
    fees = {name: str(getattr(item.fees, name)) for name in ("maker", "taker", "source", "cushion")}
    return orjson.dumps(record | {"fees": fees})


def _load(raw: bytes) -> Instrument:
    record = orjson.loads(raw)
    fees = record["fees"]
    return Instrument(
        venue=Platform(record["venue"]),
        base=record["base"],
        quote=record["quote"],
        tick_size=Decimal(record["tick_size"]),
        lot_size=Decimal(record["lot_size"]),
        min_quantity=Decimal(record["min_quantity"]),
        min_notional=Decimal(record["min_notional"]),
        fees=Fees(
            Decimal(fees["maker"]),
            Decimal(fees["taker"]),
            fees["source"],
            Decimal(fees.get("cushion", USUAL_CUSHION)),  # older recordings do not say
        ),
    )
