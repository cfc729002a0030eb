"""The sandbox: a synthetic market for every platform. Seeded; nothing in it is real.

Prices are a function of the seed and the time alone, so a restart continues the same market and the
warm-up bars are those that the stream would have given. Each asset's dollar price and the rand are
factors: exp of a Brownian motion whose clock runs slower or faster by regime, plus a trend. A market
is a quotient of factors, so the same coin costs about the same on all platforms.

Source of the construction: the Lévy–Ciesielski (midpoint displacement) series of Brownian bridges,
which gives any point of the path without the ones before it. A bridge returns to its reference after
about 97 days of the regime clock, which keeps prices in a believable range for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from amarktai.domain.bar import NS_PER_S, TIMEFRAME_S, Bars, Floats, Int64s, timeframe_ns
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import (
    NO_TS,
    DirtyRows,
    EventKind,
    MarketBatch,
    OrderBook,
    empty_bars,
)
from amarktai.ports.clock import Clock
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.venues.batches import BATCH_ROWS, bar_batch, concat, sort_by_time, take
from amarktai.venues.spec import VenueSpec

Words = npt.NDArray[np.uint64]

#: Dollars per coin and volatility a year: believable in size, not taken from any day.
REFERENCES: Final[dict[str, tuple[float, float]]] = {
    "BTC": (60_000.0, 0.6),
    "ETH": (3_000.0, 0.75),
    "SOL": (150.0, 1.0),
    "BNB": (580.0, 0.7),
    "XRP": (0.55, 0.9),
    "LTC": (80.0, 0.85),
    "ADA": (0.45, 0.95),
    "AVAX": (30.0, 1.0),
    "LINK": (14.0, 0.95),
    "UNI": (8.0, 1.0),
    "DOGE": (0.12, 1.1),
    "USDT": (1.0, 0.004),
    "USDC": (1.0, 0.004),
    "ZAR": (1 / 18.0, 0.14),
}
#: How fast the clock of a regime runs: calm, usual, lively, wild.
REGIMES: Final = np.array([0.3, 1.0, 1.0, 2.0, 4.0])

_EPOCH_S: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_BLOCK_S: Final = 4 * 3600
_BLOCKS: Final = 150_000  # until 2068
_BRIDGE_S: Final = 2**23
_LEVELS: Final = 23
_YEAR_S: Final = 365.25 * 86_400
_TREND: Final = 0.015
_HALF_SPREAD: Final = {"ZAR": 0.0006, "USDT": 0.0001}
_TRADE_SHARE: Final = 0.2
#: Points that warm-up bars are made of, at most: more would only refine highs and lows.
_MAX_POINTS: Final = 120_000
#: A paced market that lags further behind its clock leaves the past out.
_LONGEST_LAG_S: Final = 60


def sandbox_instruments(specs: Iterable[VenueSpec]) -> list[Instrument]:
    """Return every platform's ZAR and USDT markets that are known offline."""
    return [item for spec in specs for item in spec.instruments if item.quote in ("ZAR", "USDT")]


def _mix(words: Words) -> Words:
    """Scramble 64-bit words (the finaliser of splitmix64, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        words = words + np.uint64(0x9E3779B97F4A7C15)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return words ^ (words >> np.uint64(31))


def _uniform(key: Words, index: Int64s) -> Floats:
    """Return numbers in (0, 1) that follow from key and index."""
    words = _mix(_mix(index.astype(np.uint64)) ^ key)
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


@lru_cache(maxsize=4096)
def _key(*words: object) -> Words:
    digest = hashlib.sha256(repr(words).encode()).digest()
    return np.array(int.from_bytes(digest[:8], "big"), dtype=np.uint64)


@njit(cache=True)
def _mix_nb(word):  # type: ignore[no-untyped-def]
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True)
def _uniform_nb(key, index):  # type: ignore[no-untyped-def]
    word = _mix_nb(_mix_nb(np.uint64(index)) ^ key)
    return (np.float64(word >> np.uint64(11)) + 0.5) / 9007199254740992.0


@njit(cache=True)
def _brownian_nb(time, keys, bridge):  # type: ignore[no-untyped-def]
    """Sum the levels of the series: at each, a hat of random height over the interval around time."""
    out = np.zeros(time.shape[0])
    for level in range(keys.shape[0]):
        length = bridge / 2.0**level
        key = keys[level]
        second_key = _mix_nb(key)
        scale = np.sqrt(length) / 2
        last_index = np.int64(-1)
        normal = 0.0
        for i in range(time.shape[0]):
            index = np.int64(time[i] // length)
            if index != last_index:  # Box–Muller
                radius = np.sqrt(-2.0 * np.log(_uniform_nb(key, index)))
                normal = radius * np.cos(2 * np.pi * _uniform_nb(second_key, index))
                last_index = index
            hat = 1.0 - abs(2.0 * (time[i] - index * length) / length - 1.0)
            out[i] += normal * scale * hat
    return out


class SyntheticPaths:
    """Log prices of assets in dollars, at any second from 2000 to 2068, from a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        blocks = np.arange(_BLOCKS, dtype=np.int64)
        regime = (_uniform(_key(seed, "regime"), blocks) * len(REGIMES)).astype(np.int64)
        self._speed = REGIMES[regime]
        self._clock = np.concatenate(([0.0], np.cumsum(self._speed * _BLOCK_S)))

    def log_price(self, asset: str, seconds: Int64s) -> Floats:
        """Return ln(dollars per unit). Shapes: seconds (since 1970), result [n].

        Raises: InvalidInput for an asset without a reference.
        """
        if asset not in REFERENCES:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"The sandbox has no reference price for {asset}",
                f"It knows {', '.join(REFERENCES)}.",
            )
        reference, volatility = REFERENCES[asset]
        elapsed = np.clip(seconds - _EPOCH_S, 0, _BLOCKS * _BLOCK_S - 1)
        block = elapsed // _BLOCK_S
        inside = elapsed - block * _BLOCK_S
        time = self._clock[block] + inside * self._speed[block]
        motion = self._brownian(asset, time) * (volatility / np.sqrt(_YEAR_S))
        key = _key(self._seed, "trend", asset)
        start, end = _uniform(key, block), _uniform(key, block + 1)
        trend = (start + (end - start) * inside / _BLOCK_S - 0.5) * 2 * _TREND * volatility
        path: Floats = np.log(reference) + motion + trend
        return path

    def _brownian(self, asset: str, time: Floats) -> Floats:
        keys = np.array([_key(self._seed, "level", level, asset) for level in range(_LEVELS)])
        motion: Floats = _brownian_nb(time, keys, float(_BRIDGE_S))
        return motion

    def uniform(self, name: str, seconds: Int64s) -> Floats:
        """Return numbers in (0, 1) for sizes, volumes and the like. Shapes: seconds, result [n]."""
        return _uniform(_key(self._seed, name), seconds)

    def liveliness(self, seconds: Int64s) -> Floats:
        """Return the speed of the regime clock. Shapes: seconds, result [n]."""
        block = np.clip(seconds - _EPOCH_S, 0, _BLOCKS * _BLOCK_S - 1) // _BLOCK_S
        return self._speed[block]


@dataclass(frozen=True, slots=True)
class Pace:
    """How the sandbox runs. With ``is_paced`` it waits for its clock; without, it runs ahead at once
    until ``until_ts`` (ns), and the engine moves the virtual clock."""

    quote_every_s: int = 1
    bar_timeframe: str | None = "1m"
    is_paced: bool = True
    until_ts: int = NO_TS


class SandboxFeed:
    """Quotes, trades and bars of a synthetic market. Origin: synthetic, always."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        seed: int,
        clock: Clock,
        pace: Pace = Pace(),
    ) -> None:
        self.origin = Origin.SYNTHETIC
        self.instruments: Sequence[Instrument] = tuple(instruments)
        self.books: dict[int, OrderBook] = {}
        self.dirty = DirtyRows()
        self.max_age_s = 15.0 * pace.quote_every_s
        self._paths = SyntheticPaths(seed)
        self._seed = seed
        self._clock = clock
        self._pace = pace
        self._last_ts: int | None = None
        self._is_closed = False
        for instrument in self.instruments:
            self.mid_prices(instrument, np.array([_EPOCH_S]))

    def mid_prices(self, instrument: Instrument, seconds: Int64s) -> Floats:
        """Return the market's mid prices, quote per base. Shapes: seconds (since 1970), result [n]."""
        base = self._paths.log_price(instrument.base, seconds)
        price: Floats = np.exp(base - self._paths.log_price(instrument.quote, seconds))
        return price

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield the market from now on; it ends only at ``until_ts`` or when closed."""
        every = self._pace.quote_every_s
        next_s = -(-self._clock.now_ns() // (every * NS_PER_S)) * every
        first_s = next_s
        most_steps = max(1, BATCH_ROWS // max(1, len(self.instruments)))
        while not self._is_closed and next_s * NS_PER_S < self._pace.until_ts:
            if self._pace.is_paced:
                lag_s = self._clock.now_ns() // NS_PER_S - next_s
                if not -2 * every <= lag_s <= _LONGEST_LAG_S:  # the machine slept, or its clock stepped
                    next_s = first_s = -(-self._clock.now_ns() // (every * NS_PER_S)) * every
                wait_ns = next_s * NS_PER_S - self._clock.now_ns()
                if wait_ns > 0:
                    await self._clock.sleep(wait_ns / NS_PER_S)
                now_s = self._clock.now_ns() // NS_PER_S
                steps = min(most_steps, max(1, (now_s - next_s) // every + 1))
            else:
                left = -(-self._pace.until_ts // NS_PER_S) - next_s
                steps = min(most_steps, -(-left // every))
            stop_s = next_s + steps * every
            batch = self._between(first_s, next_s, stop_s)
            self._last_ts = int(batch.received_ts[-1])
            next_s = stop_s
            yield batch

    def _between(self, first_s: int, start_s: int, stop_s: int) -> MarketBatch:
        seconds = np.arange(start_s, stop_s, self._pace.quote_every_s, dtype=np.int64)
        assets = {code for item in self.instruments for code in (item.base, item.quote)}
        logs = {asset: self._paths.log_price(asset, seconds) for asset in sorted(assets)}
        ticks = []
        bars = []
        for index, instrument in enumerate(self.instruments):
            mid = np.exp(logs[instrument.base] - logs[instrument.quote])
            ticks.append(self._ticks(index, instrument, seconds, mid))
            bars += self._bar_rows(index, instrument, first_s, start_s, stop_s)
        return sort_by_time(concat([*bars, *ticks]))

    def _ticks(self, index: int, instrument: Instrument, seconds: Int64s, mid: Floats) -> MarketBatch:
        """Return a quote a second and, on some seconds, a trade at one of its sides just after it."""
        tick = float(instrument.tick_size)
        half = _HALF_SPREAD.get(instrument.quote, 0.0005) * np.sqrt(self._paths.liveliness(seconds))
        bid = np.round(np.floor(mid * (1 - half) / tick) * tick, 10)
        ask = np.round(np.maximum(np.ceil(mid * (1 + half) / tick), np.round(bid / tick) + 1) * tick, 10)
        bid = np.maximum(bid, tick)
        ask = np.maximum(ask, np.round(bid + tick, 10))
        bids = self._sizes(instrument, "bid size", seconds)
        asks = self._sizes(instrument, "ask size", seconds)
        quotes = (seconds * NS_PER_S, np.full(len(seconds), EventKind.QUOTE), bid, ask, bids, asks)
        chance = self._paths.uniform(f"trade {instrument.id}", seconds)
        traded = np.flatnonzero(chance < _TRADE_SHARE)
        buys = chance[traded] < _TRADE_SHARE / 2
        trades = (
            seconds[traded] * NS_PER_S,
            np.full(len(traded), EventKind.TRADE),
            np.where(buys, ask[traded], bid[traded]),
            self._sizes(instrument, "print", seconds[traded]),
            np.where(buys, 1.0, -1.0),
            np.zeros(len(traded)),
        )
        ts, kind, a, b, c, d = (np.concatenate(pair) for pair in zip(quotes, trades, strict=True))
        return MarketBatch(
            ts,
            ts,
            np.full(len(ts), index, dtype=np.int32),
            kind.astype(np.int8),
            a,
            b,
            c,
            d,
            np.zeros(len(ts)),
            np.zeros(len(ts), dtype=np.int32),
        )

    def _sizes(self, instrument: Instrument, name: str, seconds: Int64s) -> Floats:
        """Return sizes worth some hundred dollars, in whole lots."""
        lot = float(instrument.lot_size)
        dollars = 200.0 / self._paths.uniform(f"{name} {instrument.id}", seconds) ** 0.5
        size = dollars / REFERENCES[instrument.base][0]
        sizes: Floats = np.round(np.maximum(np.floor(size / lot), 1.0) * lot, 10)
        return sizes

    def _bar_rows(
        self, index: int, instrument: Instrument, first_s: int, start_s: int, stop_s: int
    ) -> list[MarketBatch]:
        """Return the bars' openings and closings in the span, of bars that the stream has whole."""
        timeframe = self._pace.bar_timeframe
        if timeframe is None:
            return []
        length = TIMEFRAME_S[timeframe]
        boundary = -(-start_s // length) * length
        if boundary >= stop_s:
            return []
        whole_from = -(-first_s // length) * length
        opens = np.arange(max(whole_from, boundary - length), stop_s, length, dtype=np.int64)
        rows = bar_batch(index, self._bars(instrument, timeframe, opens))
        chosen = np.flatnonzero((rows.ts >= start_s * NS_PER_S) & (rows.ts < stop_s * NS_PER_S))
        return [take(rows, chosen)]

    def _bars(self, instrument: Instrument, timeframe: str, opens_s: Int64s) -> Bars:
        """Return whole bars that open at ``opens_s`` (seconds since 1970), from sampled mid prices."""
        length, every = TIMEFRAME_S[timeframe], self._pace.quote_every_s
        most = max(2, _MAX_POINTS // max(1, len(opens_s)))
        quotes = max(1, length // every)
        offsets = np.unique(np.linspace(0, quotes - 1, min(quotes, most)).round()).astype(np.int64) * every
        points = (opens_s[:, None] + offsets[None, :]).ravel()
        mid = self.mid_prices(instrument, points).reshape(len(opens_s), len(offsets))
        volume = self._sizes(instrument, "volume", opens_s) * length * _TRADE_SHARE
        return Bars(
            timeframe,
            opens_s * NS_PER_S,
            mid[:, 0],
            mid.max(axis=1),
            mid.min(axis=1),
            mid[:, -1],
            volume,
        )

    def status(self) -> FeedStatus:
        message = f"Synthetic market, seed {self._seed}: nothing in it is real."
        if self._is_closed:
            return FeedStatus(FeedState.ENDED, message, self._last_ts)
        return FeedStatus(FeedState.LIVE, message, self._last_ts)

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return the bars that the stream would have given before ``before_ts``.

        Opens and closes are the stream's; highs and lows are too as long as every quote is looked at
        (bars of up to five minutes), and come from evenly spread quotes for longer ones.
        """
        length = TIMEFRAME_S.get(timeframe) or timeframe_ns(timeframe) // NS_PER_S
        last_open = before_ts // NS_PER_S // length * length - length
        if count < 1:
            return empty_bars(timeframe)
        opens = last_open - np.arange(count - 1, -1, -1, dtype=np.int64) * length
        return self._bars(instrument, timeframe, opens)

    async def close(self) -> None:
        """Let the stream end after its present batch."""
        self._is_closed = True
