"""Luno's streams: the account's, and a market's order book with its trades. Both need a key.

The user stream carries neither the trade's number nor its side, so a fill it tells is a hint to fetch.
After a reconnect it repeats the messages of the last five minutes; what was told before is dropped.
Source: "Streaming API" of the Luno API 1.2.5 and the state machine of ``luno-go``'s streaming package.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.domain.provider import Credentials
from amarktai.ports.exchange import AccountEvent, BalanceChanged, OrderChanged, StreamGap
from amarktai.venues.account_stream import Heard
from amarktai.venues.transport import exact

#: Messages known from before, for the replay of five minutes.
_KNOWN: Final = 20_000
_SILENT: Final = (b"", b'""')


def is_keep_alive(frame: bytes) -> bool:
    """Say whether a frame is Luno's empty message."""
    return frame in _SILENT


def greeting(credentials: Credentials) -> str:
    """Return the first frame of either stream."""
    return orjson.dumps(
        {"api_key_id": credentials.api_key, "api_key_secret": credentials.api_secret}
    ).decode()


@dataclass(slots=True)
class Wallet:
    """One of the account's wallets. ``asset`` in our code."""

    asset: str
    total: Decimal
    available: Decimal


@dataclass(slots=True)
class UserStream:
    """Reads the user stream. ``wallets`` are the account's by their id, as last fetched."""

    credentials: Credentials
    wallets: dict[str, Wallet]
    _told: OrderedDict[tuple[Any, ...], None] = field(default_factory=OrderedDict)

    def opened(self) -> Heard:
        """Greet. Luno confirms nothing, and its replay covers the moment until it listens."""
        return Heard((StreamGap("The stream of Luno starts."),), (greeting(self.credentials),))

    def read(self, frame: bytes) -> Heard:
        """Return what a message says; nothing for keep-alives and for what was told before."""
        if is_keep_alive(frame):
            return Heard()
        message = orjson.loads(frame)
        kind = message["type"]
        if kind == "order_status":
            update = message["order_status_update"]
            key: tuple[Any, ...] = ("status", update["order_id"], update["status"])
            return self._once(key, lambda: _changed(update))
        if kind == "order_fill":
            update = message["order_fill_update"]
            key = ("fill", update["order_id"], update["base_fill"], update["counter_fill"])
            return self._once(key, lambda: _changed(update))
        if kind == "balance_update":
            update = message["balance_update"]
            key = ("balance", str(update["account_id"]), update["row_index"])
            return self._once(key, lambda: self._balance(update))
        return Heard()

    def _once(self, key: tuple[Any, ...], event: Callable[[], AccountEvent]) -> Heard:
        if key in self._told:
            return Heard()
        self._told[key] = None
        if len(self._told) > _KNOWN:
            self._told.popitem(last=False)
        return Heard((event(),))

    def _balance(self, update: Mapping[str, Any]) -> AccountEvent:
        """Return the asset's balance over all wallets; a gap for a wallet that was opened since."""
        wallet = self.wallets.get(str(update["account_id"]))
        if wallet is None:
            return StreamGap("Luno tells of a wallet that is new.")
        wallet.total, wallet.available = exact(update["balance"]), exact(update["available"])
        same = [item for item in self.wallets.values() if item.asset == wallet.asset]
        total = sum((item.total for item in same), Decimal(0))
        return BalanceChanged(wallet.asset, total, total - sum((item.available for item in same), Decimal(0)))


def _changed(update: Mapping[str, Any]) -> OrderChanged:
    return OrderChanged(str(update["order_id"]), str(update.get("client_order_id") or "") or None, None)


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A trade of the market stream: +1 when the taker bought, −1 when it sold, 0 when unknown."""

    trade_id: str
    price: float
    quantity: float
    taker: float


@dataclass(slots=True)
class _Resting:
    is_bid: bool
    price: float
    quantity: Decimal


@dataclass(slots=True)
class MarketBook:
    """One pair's book, order by order, from the stream's snapshot and updates.

    ``apply`` returns the trades of an update. A sequence that does not rise by one raises
    ``SequenceBreak``: Luno demands a new connection, which begins with a new snapshot.
    """

    book: OrderBook
    dirty: DirtyRows
    synced: bool = False
    _orders: dict[str, _Resting] = field(default_factory=dict)
    _levels: dict[tuple[bool, float], Decimal] = field(default_factory=dict)

    def apply(self, message: Mapping[str, Any], ts: int) -> list[MarketTrade]:
        """Take a snapshot or an update in."""
        sequence = int(message["sequence"])
        if "asks" in message:
            self._load(message, sequence, ts)
            return []
        if not self.synced:
            raise SequenceBreak("an update came before the snapshot")
        if sequence != self.book.last_update_id + 1:
            self.synced = False
            self.dirty.add("depth_sequence_break")
            raise SequenceBreak(f"{self.book.last_update_id} is followed by {sequence}")
        trades = [self._trade(trade) for trade in message.get("trade_updates") or ()]
        created, deleted = message.get("create_update"), message.get("delete_update")
        if created:
            self._add(created["order_id"], created["type"] == "BID", created["price"], created["volume"])
        if deleted:
            self._remove(deleted["order_id"])
        self.book.last_update_id, self.book.ts = sequence, ts
        return trades

    def top(self) -> tuple[float, float, float, float] | None:
        """Return best bid, best ask and their quantities, None while a side is empty."""
        bid, ask = self.book.best_bid(), self.book.best_ask()
        if bid is None or ask is None:
            return None
        return bid, ask, self.book.bids[bid], self.book.asks[ask]

    def _load(self, message: Mapping[str, Any], sequence: int, ts: int) -> None:
        self.book.load({}, {})
        self._orders.clear()
        self._levels.clear()
        for key, is_bid in (("bids", True), ("asks", False)):
            for row in message[key]:
                self._add(row["id"], is_bid, row["price"], row["volume"])
        self.book.last_update_id, self.book.ts, self.synced = sequence, ts, True

    def _add(self, order_id: str, is_bid: bool, price: str, volume: str) -> None:
        resting = _Resting(is_bid, float(price), exact(volume))
        self._orders[order_id] = resting
        self._shift(resting, resting.quantity)

    def _remove(self, order_id: str) -> None:
        resting = self._orders.pop(order_id, None)
        if resting is None:
            self.dirty.add("unknown_order_deleted")
            return
        self._shift(resting, -resting.quantity)

    def _trade(self, trade: Mapping[str, Any]) -> MarketTrade:
        base, counter = exact(trade["base"]), exact(trade["counter"])
        maker = self._orders.get(trade["maker_order_id"])
        taker = 0.0
        if maker is None:
            self.dirty.add("unknown_maker")
        else:
            taker = -1.0 if maker.is_bid else 1.0
            maker.quantity -= base
            self._shift(maker, -base)
            if maker.quantity <= 0:
                del self._orders[trade["maker_order_id"]]
        return MarketTrade(str(trade["sequence"]), float(counter / base), float(base), taker)

    def _shift(self, resting: _Resting, by: Decimal) -> None:
        key = (resting.is_bid, resting.price)
        quantity = self._levels.get(key, Decimal(0)) + by
        if quantity > 0:
            self._levels[key] = quantity
        else:
            self._levels.pop(key, None)
        self.book.set_level(
            is_bid=resting.is_bid, price=resting.price, quantity=float(max(quantity, Decimal(0)))
        )


class SequenceBreak(Exception):
    """The stream lost a message: the book is worth nothing until the next snapshot."""
