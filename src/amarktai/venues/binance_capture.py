"""Raw Binance websocket captures: the order book, tick by tick, by Binance's own rules.

Each line of a capture is ``<local receive ns> <frame>``; a line without a ``stream`` is the REST
snapshot of the book. Rows carry the local receive time, because the capture's clock orders all
streams of one machine, and the exchange's clock differs from it by a second.

Source of the rules: Binance, "How to manage a local order book correctly".
"""

from __future__ import annotations

import gzip
import heapq
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
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
from amarktai.venues.replay import Span

CAPTURE_MAX_AGE_S: Final = 5.0
#: Lines to look through for the first frame that names its market.
_HEAD_LINES: Final = 1_000

Top = tuple[float, float, float, float]


@dataclass(slots=True)
class DepthBook:
    """One market's book from a snapshot and diffs.

    ``apply`` and ``load`` return whether the book is usable afterwards. After a break in the sequence
    it is empty and waits for the next snapshot, as Binance demands.
    """

    book: OrderBook
    dirty: DirtyRows
    synced: bool = False
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def load(self, snapshot: dict[str, Any], ts: int) -> bool:
        """Start from a REST snapshot, then catch up with the diffs that came before it."""
        self._reset()
        self.book.bids.update((float(price), float(quantity)) for price, quantity in snapshot["bids"])
        self.book.asks.update((float(price), float(quantity)) for price, quantity in snapshot["asks"])
        self.book.last_update_id = int(snapshot["lastUpdateId"])
        self.book.ts = ts
        self.synced = True
        waiting, self._waiting = self._waiting, []
        for diff in waiting:
            self.apply(diff, ts)
        return self.synced

    def apply(self, diff: dict[str, Any], ts: int) -> bool:
        """Apply one diff: drop it when it is old, restart when one is missing before it."""
        if not self.synced:
            self._waiting.append(diff)
            return False
        if diff["u"] <= self.book.last_update_id:
            self.dirty.add("old_depth_update")
            return True
        if diff["U"] > self.book.last_update_id + 1:
            self.dirty.add("depth_sequence_break")
            self._reset()
            self._waiting.append(diff)
            return False
        for key, is_bid in (("b", True), ("a", False)):
            for price, quantity in diff[key]:
                self.book.set_level(is_bid=is_bid, price=float(price), quantity=float(quantity))
        self.book.last_update_id = diff["u"]
        self.book.ts = ts
        return True

    def top(self) -> Top | None:
        """Return best bid, best ask and their quantities, None while a side is empty."""
        bid, ask = self.book.best_bid(), self.book.best_ask()
        if bid is None or ask is None:
            return None
        return bid, ask, self.book.bids[bid], self.book.asks[ask]

    def _reset(self) -> None:
        self.book.bids.clear()
        self.book.asks.clear()
        self.synced = False


@dataclass(slots=True)
class TickerCheck:
    """Compares the book with bookTicker frames, which Binance sends for every change of the top.

    A depth update sums up 100 ms, so the book can be compared where an update ends: with the last
    frame at or before its id.
    """

    checked: int = 0
    differing: int = 0
    _frames: list[dict[str, Any]] = field(default_factory=list)

    def add(self, frame: dict[str, Any]) -> None:
        self._frames.append(frame)

    def compare(self, depth: DepthBook) -> bool:
        """Return whether the book agrees with the newest frame that it covers (True when none is due)."""
        covered = [frame for frame in self._frames if frame["u"] <= depth.book.last_update_id]
        if not covered:
            return True
        self._frames = self._frames[len(covered) :]
        frame = covered[-1]
        told = (float(frame["b"]), float(frame["a"]), float(frame["B"]), float(frame["A"]))
        self.checked += 1
        agrees = depth.top() == told
        self.differing += not agrees
        return agrees


@dataclass(slots=True)
class _Market:
    index: int
    depth: DepthBook
    check: TickerCheck = field(default_factory=TickerCheck)
    top: Top | None = None
    last_trade_id: int = -1


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
        self._markets = [_Market(i, DepthBook(self.books[i], self.dirty)) for i in range(len(paths))]
        self._span = span
        self._rows = RowBuffer()
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

    def _handle(self, market: _Market, ts: int, message: dict[str, Any]) -> None:
        stream = message.get("stream")
        if stream is None:
            market.depth.load(message, ts)
            self._after_change(market, ts)
            return
        data = message["data"]
        if "@depth" in stream:
            if market.depth.apply(data, ts):
                self._after_change(market, ts)
        elif stream.endswith("@trade"):
            self._trade(market, ts, data)
        elif stream.endswith("@bookTicker"):
            market.check.add(data)
        else:
            self.dirty.add("unknown_stream")

    def _after_change(self, market: _Market, ts: int) -> None:
        if not market.check.compare(market.depth):
            self.dirty.add("book_differs_from_ticker")
        top = market.depth.top()
        if top is None or top == market.top:
            return
        if top[0] >= top[1]:
            self.dirty.add("crossed")
            return
        market.top = top
        if ts >= self._span.since_ts:
            self._rows.quote(market.index, ts, ts, top)

    def _trade(self, market: _Market, ts: int, data: dict[str, Any]) -> None:
        price, quantity, trade_id = float(data["p"]), float(data["q"]), int(data["t"])
        if trade_id <= market.last_trade_id:
            self.dirty.add("repeated_trade")
            return
        market.last_trade_id = trade_id
        if not (price > 0 and quantity > 0):
            self.dirty.add("trade_not_positive")
            return
        if ts >= self._span.since_ts:
            self._rows.trade(market.index, ts, ts, price, quantity, -1.0 if data["m"] else 1.0)

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
