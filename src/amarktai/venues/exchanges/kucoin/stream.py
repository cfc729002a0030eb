"""KuCoin's streams: the account's, and a market's order book with its trades.

The account's messages carry no fees, so a match is a hint to fetch the fills. Sources: KuCoin's
documents ("Base info of WebSocket"), the specification of kucoin-universal-sdk, and KuCoin's rules for
a local order book.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.ports.exchange import AccountEvent, BalanceChanged, OrderChanged, StreamGap
from amarktai.venues.account_stream import Heard
from amarktai.venues.exchanges.kucoin.records import record_of_change
from amarktai.venues.transport import exact

ORDERS: Final = "/spotMarket/tradeOrdersV2"
BALANCES: Final = "/account/balance"
PING: Final = '{"id":"ping","type":"ping"}'
#: Which balances are those of the trading account.
_TRADE_EVENTS: Final = "trade."


def stream_address(bullet: Mapping[str, Any], connection_id: str) -> str:
    """Return where to connect, from the answer that hands out a token."""
    query = urlencode({"token": bullet["token"], "connectId": connection_id})
    return f"{bullet['instanceServers'][0]['endpoint']}?{query}"


def subscribe(topic: str, *, is_private: bool) -> str:
    """Return the frame that subscribes a topic; its id is the topic, which the answer repeats."""
    frame = {
        "id": topic,
        "type": "subscribe",
        "topic": topic,
        "privateChannel": is_private,
        "response": True,
    }
    return orjson.dumps(frame).decode()


@dataclass(slots=True)
class AccountMessages:
    """Reads the private stream. The gap is told when both topics are confirmed: nothing is missed then."""

    id_of_symbol: Callable[[str], str]
    asset_of: Callable[[str], str]
    _pending: set[str] = field(default_factory=set)

    def opened(self) -> Heard:
        self._pending = {ORDERS, BALANCES}
        return Heard()

    def read(self, frame: bytes) -> Heard:
        """Return what a frame says."""
        message = orjson.loads(frame)
        match message["type"]:
            case "welcome":
                return Heard(replies=tuple(subscribe(topic, is_private=True) for topic in (ORDERS, BALANCES)))
            case "ack":
                self._pending.discard(message["id"])
                return Heard() if self._pending else Heard((StreamGap("The stream of KuCoin starts."),))
            case "error":
                said = message.get("data")
                return Heard(restart=f"KuCoin refuses the stream: {said} ({message.get('code')})")
            case "message":
                return Heard(self._events(message))
            case _:
                return Heard()

    def _events(self, message: Mapping[str, Any]) -> tuple[AccountEvent, ...]:
        data = message["data"]
        if message["topic"] == ORDERS:
            record = record_of_change(data, self.id_of_symbol)
            return (OrderChanged(record.venue_order_id, record.client_order_id or None, record),)
        if message["topic"] == BALANCES and str(data["relationEvent"]).startswith(_TRADE_EVENTS):
            return (
                BalanceChanged(
                    self.asset_of(str(data["currency"])), exact(data["total"]), exact(data["hold"])
                ),
            )
        return ()


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A trade of the match stream: +1 when the taker bought, −1 when it sold. ``ts`` is KuCoin's, in ns."""

    trade_id: str
    ts: int
    price: float
    quantity: float
    taker: float


def market_trade(data: Mapping[str, Any]) -> MarketTrade:
    """Return the trade of a message of ``/market/match``; ``side`` is the taker's."""
    taker = 1.0 if data["side"] == "buy" else -1.0
    return MarketTrade(
        str(data["tradeId"]), int(data["time"]), float(data["price"]), float(data["size"]), taker
    )


@dataclass(slots=True)
class Level2Book:
    """One market's book from a REST snapshot and the increments of ``/market/level2``.

    Increments from before the snapshot wait for it. ``apply`` and ``load`` return whether the book is
    usable afterwards; after a break in the sequence it waits for the next snapshot. Without a key a
    snapshot ends after 100 levels: once the market has moved beyond them, a new one is needed too.
    """

    book: OrderBook
    dirty: DirtyRows
    synced: bool = False
    _waiting: list[Mapping[str, Any]] = field(default_factory=list)
    _known: tuple[float, float] = (0.0, 0.0)  # the snapshot's worst bid and worst ask

    @property
    def is_wanted(self) -> bool:
        """Whether a snapshot is due: increments wait for one."""
        return not self.synced and bool(self._waiting)

    def load(self, snapshot: Mapping[str, Any], ts: int) -> bool:
        """Start from a snapshot, then catch up with the increments that came before it."""
        self.book.load(
            {float(price): float(size) for price, size in snapshot["bids"]},
            {float(price): float(size) for price, size in snapshot["asks"]},
        )
        self._known = (min(self.book.bids, default=0.0), max(self.book.asks, default=0.0))
        self.book.last_update_id, self.book.ts, self.synced = int(snapshot["sequence"]), ts, True
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.apply(data, ts)
        return self.synced

    def apply(self, data: Mapping[str, Any], ts: int) -> bool:
        """Apply one increment: drop it when it is old, start anew when one is missing before it."""
        if not self.synced:
            self._waiting.append(data)
            return False
        first, last = int(data["sequenceStart"]), int(data["sequenceEnd"])
        known = self.book.last_update_id
        if last <= known:
            self.dirty.add("old_depth_update")
            return True
        if first > known + 1:
            self.dirty.add("depth_sequence_break")
            self.reset()
            self._waiting.append(data)
            return False
        for key, is_bid in (("bids", True), ("asks", False)):
            for price, size, sequence in data["changes"][key]:
                # A price of 0 only moves the sequence on (KuCoin's rules).
                if int(sequence) > known and float(price):
                    self.book.set_level(is_bid=is_bid, price=float(price), quantity=float(size))
        self.book.last_update_id, self.book.ts = last, ts
        if self._is_beyond_snapshot():
            self.dirty.add("book_exhausted")
            self.reset()
        return self.synced

    def _is_beyond_snapshot(self) -> bool:
        bid, ask = self.book.best_bid(), self.book.best_ask()
        return bid is None or ask is None or bid < self._known[0] or ask > self._known[1]

    def top(self) -> tuple[float, float, float, float] | None:
        """Return best bid, best ask and their quantities; None while the book is not usable."""
        bid, ask = self.book.best_bid(), self.book.best_ask()
        if not self.synced or bid is None or ask is None:
            return None
        return bid, ask, self.book.bids[bid], self.book.asks[ask]

    def reset(self) -> None:
        """Empty the book: it is worth nothing until the next snapshot."""
        self.book.load({}, {})
        self.synced = False
        self._waiting.clear()
