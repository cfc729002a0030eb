"""Raw Binance websocket captures: the order book, tick by tick, by the rules of the live stream.

Each line of a capture is ``<local receive ns> <frame>``; a line without a ``stream`` is the REST
snapshot of the book. Rows carry the local receive time, because the capture's clock orders all
streams of one machine, and the exchange's clock differs from it by a second.
"""

from __future__ import annotations

import gzip
import heapq
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook, empty_bars
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.venues.batches import BATCH_ROWS, RowBuffer
from amarktai.venues.exchanges.binance import VENUE as BINANCE
from amarktai.venues.exchanges.binance.stream import DepthBook, MarketFrames, TickerCheck
from amarktai.venues.replay import Span

CAPTURE_MAX_AGE_S: Final = 5.0
#: Lines to look through for the first frame that names its market.
_HEAD_LINES: Final = 1_000


class BinanceCaptureFeed:
    """Replays captures of one or several markets together, one change of a book a batch.

    A batch starts with the quote that the change caused; the trades up to the next change follow, so
    ``books`` is right for every row of the batch.

    Raises: InvalidInput naming file and line for what cannot be read.
    """

    def __init__(self, paths: Sequence[Path], span: Span = Span()) -> None:  # noqa: B008 - frozen
        if not paths:
            raise InvalidInput("VALIDATION_ERROR", "A replay of captures needs at least one file")
        self.origin = Origin.RECORDED
        self.max_age_s = CAPTURE_MAX_AGE_S
        self.dirty = DirtyRows()
        self._paths = tuple(paths)
        self.instruments: Sequence[Instrument] = tuple(_instrument_of(path) for path in paths)
        self.books = {index: OrderBook() for index in range(len(paths))}
        self._span = span
        self._rows = RowBuffer()
        self._markets = [
            MarketFrames(index, DepthBook(self.books[index], self.dirty), self._rows, span.since_ts)
            for index in range(len(paths))
        ]
        self._last_ts: int | None = None
        self._ended = False

    @property
    def checks(self) -> list[TickerCheck]:
        """The comparisons of each market's book with its bookTicker frames."""
        return [market.check for market in self._markets]

    def span(self) -> tuple[int, int]:
        """Return the times (ns) of the first and the last line within the span; reads the files once."""
        first, last = self._span.until_ts, 0
        for index, path in enumerate(self._paths):
            for ts, _, _, _ in _read_lines(path, index):
                if self._span.since_ts <= ts < self._span.until_ts:
                    first, last = min(first, ts), max(last, ts)
        return first, last

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield events in the order in which they were received."""
        lines = heapq.merge(*(_read_lines(path, i) for i, path in enumerate(self._paths)))
        for ts, index, number, raw in lines:
            if ts >= self._span.until_ts:
                break
            message = _parse(self._paths[index], number, raw)
            if self._moves_book(message) and len(self._rows):
                yield self._rows.take()
            try:
                self._handle(self._markets[index], self._clamp(ts), message)
            except (KeyError, TypeError, ValueError) as error:
                raise _bad_line(self._paths[index], number, f"the frame lacks or garbles {error}") from error
            if len(self._rows) >= BATCH_ROWS:
                yield self._rows.take()
        if len(self._rows):
            yield self._rows.take()
        self._ended = True

    @staticmethod
    def _moves_book(message: dict[str, Any]) -> bool:
        return "stream" not in message or "@depth" in message["stream"]

    def _clamp(self, ts: int) -> int:
        if self._last_ts is not None and ts < self._last_ts:
            self.dirty.add("time_backwards")
            return self._last_ts
        self._last_ts = ts
        return ts

    @staticmethod
    def _handle(market: MarketFrames, ts: int, message: dict[str, Any]) -> None:
        if "stream" in message:
            market.take(message["stream"], message["data"], ts)
        else:
            market.take_snapshot(message, ts)

    def status(self) -> FeedStatus:
        if self._ended:
            return FeedStatus(FeedState.ENDED, "Binance capture: the recording is over.", self._last_ts)
        at = "" if self._last_ts is None else f", at {to_datetime(self._last_ts):%Y-%m-%d %H:%M:%S} UTC"
        return FeedStatus(FeedState.LIVE, f"Binance capture{at}.", self._last_ts)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return no bars: a capture holds nothing from before its start."""
        return empty_bars(timeframe)

    async def close(self) -> None:
        """Files are closed when the stream ends."""


def _read_lines(path: Path, index: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield (receive ns, file index, line number, frame). The tuple orders the merge of files."""
    number = 0
    try:
        with gzip.open(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                stamp, _, frame = line.partition(b" ")
                if not stamp.isdigit():
                    raise _bad_line(path, number, "it does not start with a receive time in ns")
                yield int(stamp), index, number, frame
    except (OSError, EOFError, zlib.error) as error:
        raise _bad_line(path, number + 1, f"the archive breaks off ({error})") from error


def _parse(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _bad_line(path, number, f"the frame is no JSON ({error})") from error
    if not isinstance(message, dict):
        raise _bad_line(path, number, "the frame is no object")
    return message


def _instrument_of(path: Path) -> Instrument:
    for _, _, number, raw in _read_lines(path, 0):
        message = _parse(path, number, raw)
        if "stream" in message:
            symbol = str(message["stream"]).partition("@")[0].upper()
            instrument = BINANCE.instrument_of_venue_symbol(symbol)
            if instrument is None:
                raise _bad_line(path, number, f"{symbol} is no Binance market that is known offline")
            return instrument
        if number >= _HEAD_LINES:
            break
    raise _bad_line(path, 1, "no frame names a stream")


def _bad_line(path: Path, number: int, reason: str) -> InvalidInput:
    return InvalidInput(
        "VALIDATION_ERROR",
        f"{path.name}, line {number}: {reason}",
        "Give a whole capture: a .gz of lines '<receive ns> <frame>' of one Binance market.",
    )
