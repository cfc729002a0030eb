"""Binance's streams: market frames into a book and rows, and the account's events.

One implementation of the book's rules serves live streams and recorded captures. Sources: Binance,
"How to manage a local order book correctly", "Web Socket Streams", "User Data Streams".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.domain.provider import Credentials
from amarktai.domain.signing import binance_query
from amarktai.ports.exchange import AccountEvent, BalanceChanged, FillReported, OrderChanged, StreamGap
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.account_stream import Heard
from amarktai.venues.batches import RowBuffer
from amarktai.venues.exchanges.binance.records import fill_of_report, record_of_report
from amarktai.venues.transport import exact

Top = tuple[float, float, float, float]
#: How long after its timestamp a subscription may arrive.
_WINDOW_MS: Final = 5_000


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

    @property
    def is_wanted(self) -> bool:
        """Whether a snapshot is due: diffs wait for one."""
        return not self.synced and bool(self._waiting)

    def load(self, snapshot: Mapping[str, Any], ts: int) -> bool:
        """Start from a REST snapshot, then catch up with the diffs that came before it."""
        self.book.load(
            {float(price): float(quantity) for price, quantity in snapshot["bids"]},
            {float(price): float(quantity) for price, quantity in snapshot["asks"]},
        )
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
            self.reset()
            self._waiting.append(diff)
            return False
        set_level = self.book.set_level
        for price, quantity in diff["b"]:
            set_level(is_bid=True, price=float(price), quantity=float(quantity))
        for price, quantity in diff["a"]:
            set_level(is_bid=False, price=float(price), quantity=float(quantity))
        self.book.last_update_id = diff["u"]
        self.book.ts = ts
        return True

    def top(self) -> Top | None:
        """Return best bid, best ask and their quantities, None while a side is empty."""
        bid, ask = self.book.best_bid(), self.book.best_ask()
        if bid is None or ask is None:
            return None
        return bid, ask, self.book.bids[bid], self.book.asks[ask]

    def reset(self) -> None:
        """Empty the book: it is worth nothing until the next snapshot."""
        self.book.load({}, {})
        self.synced = False
        self._waiting.clear()


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
        covered = 0
        for frame in self._frames:
            if frame["u"] > depth.book.last_update_id:
                break
            covered += 1
        if not covered:
            return True
        frame = self._frames[covered - 1]
        del self._frames[:covered]
        told = (float(frame["b"]), float(frame["a"]), float(frame["B"]), float(frame["A"]))
        self.checked += 1
        agrees = depth.top() == told
        self.differing += not agrees
        return agrees


@dataclass(slots=True)
class MarketFrames:
    """One market's frames: its book, and the rows that they make in ``rows``.

    Rows carry the receive time, and as their own time that of the exchange when ``is_live`` (a
    recording's clock may be far from it). None is made before ``since_ts``. What must not be traded on
    is refused and counted.
    """

    index: int
    depth: DepthBook
    rows: RowBuffer
    since_ts: int = 0
    is_live: bool = False
    check: TickerCheck = field(default_factory=TickerCheck)
    top: Top | None = None
    last_trade_id: int = -1

    def take_snapshot(self, snapshot: Mapping[str, Any], ts: int) -> None:
        """Take a REST snapshot in."""
        self.depth.load(snapshot, ts)
        self._after_change(ts, ts)

    def take(self, stream: str, data: dict[str, Any], ts: int) -> bool:
        """Take one frame in; return whether the book has to be fetched anew.

        Raises: KeyError, TypeError, ValueError for a frame that lacks or garbles something.
        """
        if "@depth" in stream:
            was_synced = self.depth.synced
            if self.depth.apply(data, ts):
                self._after_change(data["E"] * NS_PER_MS if self.is_live else ts, ts)
            return was_synced and not self.depth.synced
        if stream.endswith("@trade"):
            self._trade(ts, data)
        elif stream.endswith("@bookTicker"):
            self.check.add(data)
        else:
            self.depth.dirty.add("unknown_stream")
        return False

    def _after_change(self, happened_ts: int, ts: int) -> None:
        dirty = self.depth.dirty
        if not self.check.compare(self.depth):
            dirty.add("book_differs_from_ticker")
        top = self.depth.top()
        if top is None or top == self.top:
            return
        if top[0] >= top[1]:
            dirty.add("crossed")
            return
        self.top = top
        if ts >= self.since_ts:
            self.rows.quote(self.index, happened_ts, ts, top)

    def _trade(self, ts: int, data: dict[str, Any]) -> None:
        price, quantity, trade_id = float(data["p"]), float(data["q"]), int(data["t"])
        if trade_id <= self.last_trade_id:
            self.depth.dirty.add("repeated_trade")
            return
        self.last_trade_id = trade_id
        if not (price > 0 and quantity > 0):
            self.depth.dirty.add("trade_not_positive")
            return
        if ts >= self.since_ts:
            happened_ts = data["T"] * NS_PER_MS if self.is_live else ts
            self.rows.trade(self.index, happened_ts, ts, price, quantity, -1.0 if data["m"] else 1.0)


def market_streams(symbols: Sequence[str]) -> str:
    """Return the path of a combined stream of depth and trades of these markets."""
    names = [f"{symbol.lower()}@{kind}" for symbol in symbols for kind in ("depth@100ms", "trade")]
    return "/stream?streams=" + "/".join(names)


def subscription(credentials: Credentials, now_ms: int) -> str:
    """Return the frame that opens an account's events: signed over its parameters in order of their names."""
    params: dict[str, str | int] = {
        "apiKey": credentials.api_key,
        "recvWindow": _WINDOW_MS,
        "timestamp": now_ms,
    }
    signature = binance_query(credentials.api_secret, params).rpartition("signature=")[2]
    frame = {
        "id": "account",
        "method": "userDataStream.subscribe.signature",
        "params": {**params, "signature": signature},
    }
    return orjson.dumps(frame).decode()


PING: Final = '{"id":"ping","method":"ping"}'


@dataclass(slots=True)
class UserData:
    """Reads an account's events. What was missed before the subscription stands is a gap, told then."""

    credentials: Credentials
    now_ms: Callable[[], int]
    id_of_symbol: Callable[[str], str]

    def opened(self) -> Heard:
        return Heard(replies=(subscription(self.credentials, self.now_ms()),))

    def read(self, frame: bytes) -> Heard:
        """Return what a frame says."""
        message = orjson.loads(frame)
        if "event" in message:
            return self._event(message["event"])
        if message.get("id") == "account":
            if message["status"] != 200:
                error = message["error"]
                return Heard(restart=f"Binance refuses the stream: {error['msg']} ({error['code']})")
            return Heard((StreamGap("The stream of Binance starts."),))
        return Heard()

    def _event(self, event: Mapping[str, Any]) -> Heard:
        kind = event["e"]
        if kind == "executionReport":
            return Heard(self._report(event))
        if kind == "outboundAccountPosition":
            return Heard(tuple(_balance(row) for row in event["B"]))
        if kind in ("eventStreamTerminated", "serverShutdown"):
            return Heard(restart=f"Binance ends the stream ({kind}).")
        if kind == "balanceUpdate":
            return Heard()  # a deposit or transfer; the position that follows tells the balance
        return Heard()

    def _report(self, event: Mapping[str, Any]) -> tuple[AccountEvent, ...]:
        record = record_of_report(event, self.id_of_symbol)
        changed = OrderChanged(record.venue_order_id, record.client_order_id or None, record)
        if event["x"] != "TRADE":
            return (changed,)
        return FillReported(fill_of_report(event, self.id_of_symbol)), changed


def _balance(row: Mapping[str, Any]) -> BalanceChanged:
    free, locked = exact(row["f"]), exact(row["l"])
    return BalanceChanged(str(row["a"]), free + locked, locked)
