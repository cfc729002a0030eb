"""A live feed: quotes and trades of one exchange, by websocket where it has one, else by polling.

It never ends by itself. A failure is said in a sentence and tried again with growing, jittered
pauses. What must not be traded on (not a number, crossed, older than what came before, repeated) is
refused and counted. Rows come in the order of ``received_ts``; ``ts`` is the exchange's own time
where it tells one.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ccxt

from amarktai.domain.bar import NS_PER_S, Bars, timeframe_ns
from amarktai.domain.errors import AmarktaiError
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Origin
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook, aggregate_bars
from amarktai.ports.candles import CandleStore
from amarktai.ports.clock import Clock
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.ports.rng import Rng
from amarktai.venues.backoff import Backoff
from amarktai.venues.batches import RowBuffer
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.ccxt_venue import (
    CLIENT_ERRORS,
    CcxtClient,
    CcxtHistory,
    explain,
    note_ban,
    sentence_of_retry,
)
from amarktai.venues.replay import last_bars
from amarktai.venues.spec import VenueSpec

_NS_PER_MS: Final = 1_000_000
MAX_AGE_S: Final = 60.0
POLL_S: Final = 2.0
#: Trade ids kept per feed to know a repeated trade by.
_IDS_KEPT: Final = 5_000


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What a live feed works with. ``candles`` holds what was recorded or fetched before."""

    client: CcxtClient
    budget: RequestBudget
    clock: Clock
    rng: Rng
    candles: CandleStore


class _Silence(Exception):
    """The exchange sends nothing, although the connection stands."""


class CcxtFeed:
    """Live public market data of one venue. Origin: live."""

    def __init__(self, spec: VenueSpec, instruments: Sequence[Instrument], parts: LiveParts) -> None:
        self.origin = Origin.LIVE
        self.instruments: Sequence[Instrument] = tuple(instruments)
        self.books: dict[int, OrderBook] = {}
        self.dirty = DirtyRows()
        self.max_age_s = MAX_AGE_S
        self._spec = spec
        self._name = DISPLAY_NAMES[spec.platform]
        self._client = parts.client
        self._budget = parts.budget
        self._clock = parts.clock
        self._rng = parts.rng
        self._candles = parts.candles
        self._history = CcxtHistory(spec, parts.client, parts.budget, parts.clock)
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

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield what the exchange sends, as it comes."""
        sources = [self._quote_source()]
        if "trades" in self._spec.websocket:
            sources.append(self._watch_trades)
        self._tasks = [asyncio.create_task(self._keep_going(source)) for source in sources]
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

    def _quote_source(self) -> Callable[[], Awaitable[None]]:
        if "bids_asks" in self._spec.websocket:
            return self._watch_bids_asks
        if "tickers" in self._spec.websocket:
            return self._watch_tickers
        return self._poll_tickers

    async def _keep_going(self, source: Callable[[], Awaitable[None]]) -> None:
        """Run one source for ever: after a failure, again after a pause that grows up to a minute."""
        backoff = Backoff(self._rng)
        try:
            while not self._is_closed:
                try:
                    await source()
                    backoff.reset()
                    continue
                except _Silence:
                    reason = f"{self._name} has sent nothing for {self.max_age_s:.0f} s."
                except CLIENT_ERRORS as error:
                    note_ban(error, self._client, self._budget)
                    reason = explain(error, self._spec).detail
                wait = backoff.next_s()
                self._fail(reason, wait)
                await self._clock.sleep(wait)
        finally:
            self._ready.set()

    def _fail(self, reason: str, wait_s: float) -> None:
        banned = self._budget.banned_until_ts or 0
        self._problem = reason
        self._retry_at_ts = max(self._clock.now_ns() + round(wait_s * NS_PER_S), banned)

    async def _watch_bids_asks(self) -> None:
        self._take_tickers(await self._heard(self._client.watch_bids_asks(await self._listed())))

    async def _watch_tickers(self) -> None:
        self._take_tickers(await self._heard(self._client.watch_tickers(await self._listed())))

    async def _watch_trades(self) -> None:
        """Trades may rest for as long as they like: quotes say whether the exchange is there."""
        self._take_trades(await self._client.watch_trades_for_symbols(await self._listed()))

    async def _poll_tickers(self) -> None:
        await self._budget.acquire(Priority.QUOTE)
        self._take_tickers(await self._client.fetch_tickers(await self._listed()))
        await self._clock.sleep(POLL_S)

    async def _listed(self) -> list[str]:
        """Return those of our symbols that the exchange has today: one that it dropped must not cost
        us the others. ccxt asks the exchange once and remembers.
        """
        markets = await self._client.load_markets()
        listed = [symbol for symbol in self._index if symbol in markets]
        if not listed:
            raise ccxt.BadSymbol(f"none of {', '.join(self._index)} is listed")
        return listed

    async def _heard(self, call: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Await a message, but not for longer than the age at which data is stale.

        Raises: _Silence.
        """
        message = asyncio.ensure_future(call)
        alarm = asyncio.ensure_future(self._clock.sleep(self.max_age_s))
        try:
            await asyncio.wait({message, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                raise _Silence
            return message.result()
        finally:
            for future in (message, alarm):
                future.cancel()
            await asyncio.gather(message, alarm, return_exceptions=True)

    def _take_tickers(self, tickers: Mapping[str, Any]) -> None:
        received = self._clock.now_ns()
        for ticker in tickers.values():
            index = self._index.get(str(ticker.get("symbol")))
            if index is not None:
                self._take_quote(index, ticker, received)
        self._note_life(received)

    def _take_quote(self, index: int, ticker: Mapping[str, Any], received: int) -> None:
        bid, ask = _number(ticker.get("bid")), _number(ticker.get("ask"))
        told = ticker.get("timestamp")
        ts = received if told is None else int(told) * _NS_PER_MS
        problem = self._problem_of(index, bid, ask, ts, received)
        if problem is not None:
            self.dirty.add(problem)
            return
        self._last_quote[index] = (ts, bid, ask)
        sizes = (_size(ticker.get("bidVolume")), _size(ticker.get("askVolume")))
        self._rows.quote(index, ts, received, (bid, ask, *sizes))

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

    def _take_trades(self, trades: Sequence[Mapping[str, Any]]) -> None:
        received = self._clock.now_ns()
        for trade in trades:
            index = self._index.get(str(trade.get("symbol")))
            if index is None:
                continue
            price, quantity = _number(trade.get("price")), _number(trade.get("amount"))
            if not (price > 0 and quantity > 0 and math.isfinite(price) and math.isfinite(quantity)):
                self.dirty.add("trade_not_positive")
            elif self._is_repeated(index, str(trade.get("id"))):
                self.dirty.add("repeated_trade")
            else:
                told = trade.get("timestamp")
                ts = received if told is None else int(told) * _NS_PER_MS
                taker = 1.0 if trade.get("side") == "buy" else -1.0
                self._rows.trade(index, ts, received, price, quantity, taker)
        self._note_life(received)

    def _is_repeated(self, index: int, trade_id: str) -> bool:
        key = (index, trade_id)
        if key in self._known_ids:
            return True
        if len(self._trade_ids) == _IDS_KEPT:
            self._known_ids.discard(self._trade_ids[0])
        self._trade_ids.append(key)
        self._known_ids.add(key)
        return False

    def _note_life(self, received: int) -> None:
        self._last_ts = received
        self._problem = self._retry_at_ts = None
        self._ready.set()

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
        return FeedStatus(FeedState.LIVE, f"{self._name} prices are live.", self._last_ts)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return bars from the exchange, or those that are stored where it gives none."""
        step = timeframe_ns(timeframe)
        stored = self._stored_bars(instrument, timeframe, (before_ts // step - count) * step, before_ts)
        if self._spec.bars_need_key:
            return last_bars(stored, timeframe, count, before_ts)
        since_ts = (before_ts // step - count) * step
        try:
            fetched = await self._history.fetch_history(instrument.id, timeframe, since_ts, count)
        except AmarktaiError as error:
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
        await self._client.close()

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _size(value: Any) -> float:
    """Return a size, 0 when the exchange does not tell one."""
    number = _number(value)
    return number if math.isfinite(number) and number > 0 else 0.0
