"""What every live feed shares: sources that never end by themselves, and what is not passed on.

A failure is said in a sentence and tried again with growing, jittered pauses. What must not be traded
on (not a number, crossed, older than what came before, repeated) is refused and counted. Rows come in
the order of ``received_ts``; ``ts`` is the exchange's own time where it tells one.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from amarktai.domain.bar import NS_PER_S, Bars, timeframe_ns
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Origin
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook, aggregate_bars
from amarktai.ports.candles import CandleStore
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.ports.history import BarHistory
from amarktai.ports.rng import Rng
from amarktai.venues.backoff import Backoff
from amarktai.venues.batches import RowBuffer
from amarktai.venues.budget import RequestBudget
from amarktai.venues.replay import last_bars
from amarktai.venues.spec import VenueSpec

MAX_AGE_S: Final = 60.0
#: Trade ids kept per feed to know a repeated trade by.
_IDS_KEPT: Final = 5_000

#: What an exchange can do to a source; anything else is a defect of ours and ends the feed.
FAILURES: Final = (Unavailable, Forbidden, InvalidInput)

Source = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FeedParts:
    """What a live feed works with. ``candles`` holds what was recorded or fetched before.

    ``origin`` labels what it brings: a twin's prices are made up.
    """

    budget: RequestBudget
    clock: Clock
    rng: Rng
    candles: CandleStore
    origin: Origin = Origin.LIVE


class SourceFailed(Exception):
    """A source cannot go on now; the sentence says why. It is started again after a pause."""


class LiveFeed(ABC):
    """Live public market data of one venue.

    ``history`` is where warm-up bars come from; None where the exchange gives none without a key.
    ``books`` stays empty: what a feed knows of the depth is in the sizes of its quotes.
    """

    def __init__(
        self,
        spec: VenueSpec,
        instruments: Sequence[Instrument],
        parts: FeedParts,
        history: BarHistory | None,
    ) -> None:
        self.origin = parts.origin
        self.instruments: Sequence[Instrument] = tuple(instruments)
        self.books: dict[int, OrderBook] = {}
        self.dirty = DirtyRows()
        self.max_age_s = MAX_AGE_S
        self._spec = spec
        self._name = DISPLAY_NAMES[spec.platform]
        self._budget = parts.budget
        self._clock = parts.clock
        self._rng = parts.rng
        self._candles = parts.candles
        self._history = history
        self._index = {item.symbol: index for index, item in enumerate(self.instruments)}
        self._last_quote: dict[int, tuple[int, float, float]] = {}
        self._trade_ids: deque[tuple[int, str]] = deque(maxlen=_IDS_KEPT)
        self._known_ids: set[tuple[int, str]] = set()
        self._rows = RowBuffer()
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_ts: int | None = None
        self._problem: str | None = None
        self._retry_at_ts: int | None = None
        self._is_closed = False

    @abstractmethod
    def sources(self) -> Sequence[Source]:
        """Return what brings data. Each is called again and again; one call is a step, or a connection.

        They raise SourceFailed or one of our own errors to be paused.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """Close the exchange's connections."""

    @property
    def live_message(self) -> str:
        """What people read while prices come."""
        return f"{self._name} prices are live."

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield what the exchange sends, as it comes."""
        self._tasks = [asyncio.create_task(self._keep_going(source)) for source in self.sources()]
        try:
            while not self._is_closed:
                await self._ready.wait()
                self._ready.clear()
                for task in self._tasks:
                    if task.done() and not task.cancelled():
                        task.result()  # a defect of ours ends the feed instead of hiding in a task
                if len(self._rows):
                    yield self._rows.take()
        finally:
            await self._stop_tasks()

    async def _keep_going(self, source: Source) -> None:
        """Run one source for ever: after a failure, again after a pause that grows up to a minute."""
        backoff = Backoff(self._rng)
        try:
            while not self._is_closed:
                try:
                    await source()
                    backoff.reset()
                    continue
                except SourceFailed as failure:
                    reason = str(failure)
                except FAILURES as error:
                    reason = error.detail
                wait = backoff.next_s()
                self.note_problem(reason, self._clock.now_ns() + round(wait * NS_PER_S))
                await self._clock.sleep(wait)
        finally:
            self._ready.set()

    def note_problem(self, reason: str, retry_at_ts: int) -> None:
        """Say what is wrong until data comes again."""
        self._problem = reason
        self._retry_at_ts = max(retry_at_ts, self._budget.banned_until_ts or 0)

    def note_life(self) -> None:
        """The exchange is there: data came, or it said that there is none."""
        self._last_ts = self._clock.now_ns()
        self._problem = self._retry_at_ts = None
        self._ready.set()

    def take_quote(
        self, symbol: str, prices: tuple[Any, Any], sizes: tuple[Any, Any], ts: int | None
    ) -> None:
        """Pass a quote on if it may be traded on. ``prices`` and ``sizes`` are (bid, ask); ``ts`` in ns,
        None where the exchange tells no time.
        """
        index = self._index.get(symbol)
        if index is None:
            return
        received = self._clock.now_ns()
        bid, ask = number(prices[0]), number(prices[1])
        happened = received if ts is None else ts
        problem = self._problem_of(index, bid, ask, happened, received)
        if problem is not None:
            self.dirty.add(problem)
            return
        self._last_quote[index] = (happened, bid, ask)
        self._rows.quote(index, happened, received, (bid, ask, _size(sizes[0]), _size(sizes[1])))

    def _problem_of(self, index: int, bid: float, ask: float, ts: int, received: int) -> str | None:
        last = self._last_quote.get(index)
        problems = {
            "nan": not (math.isfinite(bid) and math.isfinite(ask)),
            "bid_not_positive": bid <= 0,
            "ask_not_positive": ask <= 0,
            "crossed": bid >= ask,
            "stale": ts < received - self.max_age_s * NS_PER_S,
            "time_backwards": last is not None and ts < last[0],
            "repeated": last == (ts, bid, ask),
        }
        return next((reason for reason, holds in problems.items() if holds), None)

    def take_trade(
        self, symbol: str, trade_id: str, price: Any, quantity: Any, taker: float, ts: int | None
    ) -> None:
        """Pass a public trade on, once. ``taker`` is +1 when the taker bought, −1 when it sold."""
        index = self._index.get(symbol)
        if index is None:
            return
        paid, size = number(price), number(quantity)
        if not (paid > 0 and size > 0 and math.isfinite(paid) and math.isfinite(size)):
            self.dirty.add("trade_not_positive")
        elif self._is_repeated(index, trade_id):
            self.dirty.add("repeated_trade")
        else:
            received = self._clock.now_ns()
            self._rows.trade(index, received if ts is None else ts, received, paid, size, taker)

    def _is_repeated(self, index: int, trade_id: str) -> bool:
        key = (index, trade_id)
        if key in self._known_ids:
            return True
        if len(self._trade_ids) == _IDS_KEPT:
            self._known_ids.discard(self._trade_ids[0])
        self._trade_ids.append(key)
        self._known_ids.add(key)
        return False

    def status(self) -> FeedStatus:
        if self._is_closed:
            return FeedStatus(FeedState.ENDED, f"The feed of {self._name} was closed.", self._last_ts)
        age_ns = None if self._last_ts is None else self._clock.now_ns() - self._last_ts
        is_fresh = age_ns is not None and age_ns <= self.max_age_s * NS_PER_S
        if self._problem is not None and self._retry_at_ts is not None and not is_fresh:
            message = sentence_of_retry(self._problem, self._retry_at_ts)
            return FeedStatus(FeedState.UNREACHABLE, message, self._last_ts, self._retry_at_ts)
        if age_ns is None:
            return FeedStatus(FeedState.CONNECTING, f"Connecting to {self._name}.")
        if not is_fresh:
            message = f"The last prices of {self._name} are {age_ns // NS_PER_S} s old."
            return FeedStatus(FeedState.STALE, message, self._last_ts)
        message = self.live_message
        if self.origin is not Origin.LIVE:
            message = f"Made-up prices: another server takes {self._name}'s place."
        return FeedStatus(FeedState.LIVE, message, self._last_ts)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return bars from the exchange, or those that are stored where it gives none."""
        step = timeframe_ns(timeframe)
        since_ts = (before_ts // step - count) * step
        stored = self._stored_bars(instrument, timeframe, since_ts, before_ts)
        if self._history is None:
            return last_bars(stored, timeframe, count, before_ts)
        try:
            fetched = await self._history.fetch_history(instrument.id, timeframe, since_ts, count)
        except FAILURES as error:
            self._problem = error.detail
            self._retry_at_ts = self._retry_at_ts or self._clock.now_ns()
            return last_bars(stored, timeframe, count, before_ts)
        return last_bars(fetched, timeframe, count, before_ts)

    def _stored_bars(self, instrument: Instrument, timeframe: str, since_ts: int, before_ts: int) -> Bars:
        """Return stored bars, or those that the recorded minutes add up to where there are more."""
        stored = self._candles.load(instrument.id, timeframe, until_ts=before_ts)
        minutes = self._candles.load(instrument.id, "1m", since_ts=since_ts, until_ts=before_ts)
        built = aggregate_bars(minutes, timeframe)
        return built if len(built) > len(stored) else stored

    async def close(self) -> None:
        """End the stream and close the exchange's connections."""
        self._is_closed = True
        self._ready.set()
        await self._stop_tasks()
        await self.disconnect()

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def number(value: Any) -> float:
    """Return a price or size of an exchange as market data keeps it; NaN when there is none."""
    return math.nan if value is None else float(value)


def _size(value: Any) -> float:
    """Return a size, 0 when the exchange does not tell one."""
    size = number(value)
    return size if math.isfinite(size) and size > 0 else 0.0


def sentence_of_retry(reason: str, retry_at_ts: int) -> str:
    """Return a sentence for people: what is wrong, and when it is tried again."""
    at = to_datetime(retry_at_ts) + timedelta(microseconds=NS_PER_S // 2_000)
    return f"{reason} Next try at {at:%H:%M:%S} UTC."
