"""Time from a Binance frame to a normalised event: our stream code beside ccxt.pro's, on the same frames.

Frames are a recording of Binance's streams (AMARKTAI_DATA). Both sides parse the bytes with the same JSON
parser, keep the order book from the same snapshot, and turn trades into their own kind of row. They take
turns frame by frame, so that both see the same machine. What is not measured is the network and the
event loop.

Usage: python -m benchmarks.venues [--frames 20000]
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import ccxt.pro
import orjson

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.venues.batches import RowBuffer
from amarktai.venues.exchanges.binance.stream import DepthBook, MarketFrames
from benchmarks.limits import Limits

LIMIT_P50_US: Final = 50.0
CAPTURE: Final = "binance_spot_ws_20240808/btcusdt_20240808.gz"
SYMBOL: Final = "BTC/USDT"
KINDS: Final = ("depth", "trade")
_DEFAULT_DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"


class Ours:
    """The stream code that live feeds and replays use."""

    def __init__(self) -> None:
        self.rows = RowBuffer()
        self.market = MarketFrames(0, DepthBook(OrderBook(), DirtyRows()), self.rows, is_live=True)

    def load(self, snapshot: dict[str, Any]) -> None:
        self.market.take_snapshot(snapshot, 0)

    def take(self, frame: bytes) -> None:
        message = orjson.loads(frame)
        self.market.take(message["stream"], message["data"], 1)


class _Listener:
    """What ccxt.pro's handlers need of a connection: nobody waits for the answers here."""

    url = "wss://stream.binance.com:9443/stream"

    def __init__(self) -> None:
        self.subscriptions: dict[str, Any] = {}
        self.resolved = 0

    def resolve(self, result: Any, message_hash: str) -> None:
        self.resolved += 1

    def reject(self, error: Exception, message_hash: str | None = None) -> None:
        raise error


class Theirs:
    """ccxt.pro's own handlers, called as its client calls them."""

    def __init__(self) -> None:
        self.exchange = ccxt.pro.binance({"enableRateLimit": False})
        market = {
            "id": "BTCUSDT", "symbol": SYMBOL, "base": "BTC", "quote": "USDT", "baseId": "BTC",
            "quoteId": "USDT", "type": "spot", "spot": True, "active": True, "contract": False,
            "precision": {"price": 0.01, "amount": 0.00001}, "limits": {}, "info": {},
        }  # fmt: skip
        self.exchange.set_markets([self.exchange.safe_market_structure(market)])
        self.listener = _Listener()

    def load(self, snapshot: dict[str, Any]) -> None:
        book = self.exchange.order_book({}, 1_000)
        book.reset(self.exchange.parse_order_book(snapshot, SYMBOL))
        book["nonce"] = int(snapshot["lastUpdateId"])
        book["symbol"] = SYMBOL
        self.exchange.orderbooks[SYMBOL] = book

    def take(self, frame: bytes) -> None:
        self.exchange.handle_message(self.listener, orjson.loads(frame))

    def top(self) -> tuple[float, float]:
        book = self.exchange.orderbooks[SYMBOL]
        return book["bids"][0][0], book["asks"][0][0]


def read(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (kind, frame) of a capture; the snapshot's kind is "snapshot"."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            frame = line.partition(b" ")[2]
            stream = orjson.loads(frame).get("stream", "snapshot").partition("@")[2]
            kind = stream.partition("@")[0] or "snapshot"
            if kind in (*KINDS, "snapshot"):
                yield kind, frame


def run(path: Path, count: int) -> dict[str, dict[str, list[float]]]:
    """Return the microseconds of every frame by side and kind."""
    sides: dict[str, Ours | Theirs] = {"ours": Ours(), "ccxt.pro": Theirs()}
    spent: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in KINDS} for name in sides}
    early: list[bytes] = []
    is_loaded = False
    for kind, frame in itertools.islice(read(path), count):
        if kind == "snapshot":
            for side in sides.values():
                side.load(orjson.loads(frame))
                for waiting in early:
                    side.take(waiting)
            is_loaded = True
        elif not is_loaded:
            early.append(frame)
        else:
            for name, side in sides.items():
                started = time.perf_counter_ns()
                side.take(frame)
                spent[name][kind].append((time.perf_counter_ns() - started) / 1_000)
    _check_agreement(sides)
    return spent


def _check_agreement(sides: Mapping[str, Any]) -> None:
    """Both must have done the work: the same book at the end, and a row or more of each kind."""
    ours, theirs = sides["ours"], sides["ccxt.pro"]
    top = ours.market.depth.top()
    if top is None or top[:2] != theirs.top():
        raise SystemExit(f"the books differ: {top} and {theirs.top()}")
    if not len(ours.rows) or not theirs.listener.resolved:
        raise SystemExit("nothing was measured")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    given = parser.parse_args()
    path = Path(os.environ.get("AMARKTAI_DATA", str(_DEFAULT_DATA))) / CAPTURE
    if not path.exists():
        print(f"skipped: the recording {CAPTURE} is absent; set AMARKTAI_DATA")
        return 0
    spent = run(path, given.frames)
    limits = Limits()
    for kind in KINDS:
        middle = {name: statistics.median(times[kind]) for name, times in spent.items()}
        for name, times in spent.items():
            ordered = sorted(times[kind])
            p99 = ordered[int(len(ordered) * 0.99)]
            print(f"{kind}: {name} p50 {middle[name]:.1f} us, p99 {p99:.1f} us ({len(ordered):,} frames)")
        print(f"{kind}: ratio ccxt.pro/ours at p50 {middle['ccxt.pro'] / middle['ours']:.2f}")
        limits.at_most(f"{kind} frame to event, p50", middle["ours"], LIMIT_P50_US, " us")
    return limits.exit_code


if __name__ == "__main__":
    sys.exit(main())
