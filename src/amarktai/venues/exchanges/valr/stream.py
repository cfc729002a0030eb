"""VALR's streams, decoded: the account's events, and order books kept by sequence and checksum.

No sockets here. Source: VALR's Postman collection, "WebSocket API".
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

import orjson

from amarktai.domain.instrument import Fees
from amarktai.ports.exchange import (
    AccountEvent,
    BalanceChanged,
    FillReported,
    OrderChanged,
    OrderRecord,
    StreamGap,
)
from amarktai.venues.account_stream import Heard
from amarktai.venues.exchanges.valr.records import account_fill, order_row
from amarktai.venues.transport import exact

PING: Final = '{"type":"PING"}'
L1: Final = "OB_L1_DIFF"
FULL_BOOK: Final = "FULL_ORDERBOOK_UPDATE"
NEW_TRADE: Final = "NEW_TRADE"
#: Entries a side that the checksum covers.
_CHECKED: Final = 25


def subscription(event: str, pairs: Sequence[str] = ()) -> dict[str, Any]:
    """Return one subscription of a SUBSCRIBE message."""
    return {"event": event, "pairs": list(pairs)} if pairs else {"event": event}


def subscribe(*subscriptions: Mapping[str, Any]) -> str:
    """Return the message that subscribes."""
    return orjson.dumps({"type": "SUBSCRIBE", "subscriptions": list(subscriptions)}).decode()


# -- the account ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class AccountStream:
    """Reads /ws/account, which tells everything without a subscription, so the documents say; one page
    wants one for order updates, so it is sent, and an "unsupported" in answer means nothing.

    ``fees`` are the account's own by pair.
    """

    id_of_symbol: Callable[[str], str]
    fees: Mapping[str, Fees]
    _open: dict[str, OrderRecord] = field(default_factory=dict)

    def opened(self) -> Heard:
        self._open.clear()
        gap = StreamGap("The stream of VALR starts.")
        return Heard((gap,), (subscribe(subscription("ORDER_STATUS_UPDATE")),))

    def read(self, frame: bytes) -> Heard:
        """Return what a message says; nothing for messages that are not about orders or money."""
        message = orjson.loads(frame)
        reader = _READERS.get(message.get("type"))
        return Heard() if reader is None else Heard(tuple(reader(self, message.get("data"))))

    def order_updated(self, data: Any) -> Iterable[AccountEvent]:
        record = order_row(data, self.id_of_symbol).record
        yield OrderChanged(record.venue_order_id, record.client_order_id or None, record)

    def order_processed(self, data: Any) -> Iterable[AccountEvent]:
        yield OrderChanged(str(data["orderId"]), str(data.get("customerOrderId") or "") or None, None)

    def open_orders(self, data: Any) -> Iterable[AccountEvent]:
        """The message is the whole list: what is new or different in it changed, what is gone ended."""
        listed = {row["orderId"]: order_row(_open_row(row), self.id_of_symbol).record for row in data}
        for order_id, record in listed.items():
            if self._open.get(order_id) != record:
                yield OrderChanged(order_id, record.client_order_id or None, record)
        for order_id, record in self._open.items():
            if order_id not in listed:
                yield OrderChanged(order_id, record.client_order_id or None, None)
        self._open = listed

    def traded(self, data: Any) -> Iterable[AccountEvent]:
        yield FillReported(account_fill(data, self.id_of_symbol, self.fees))

    def balance(self, data: Any) -> Iterable[AccountEvent]:
        total, available = exact(data["total"]), exact(data["available"])
        yield BalanceChanged(str(data["currency"]["symbol"]), total, total - available)


def _open_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of the stream's open list as the REST list has it, whose remainder has another name."""
    return row if "remainingQuantity" in row else {**row, "remainingQuantity": row["quantity"]}


_READERS: Final[dict[Any, Callable[[AccountStream, Any], Iterable[AccountEvent]]]] = {
    "ORDER_STATUS_UPDATE": AccountStream.order_updated,
    "ORDER_PROCESSED": AccountStream.order_processed,
    "FAILED_CANCEL_ORDER": AccountStream.order_processed,
    "OPEN_ORDERS_UPDATE": AccountStream.open_orders,
    "NEW_ACCOUNT_TRADE": AccountStream.traded,
    "BALANCE_UPDATE": AccountStream.balance,
}


# -- order books -----------------------------------------------------------------------------------------


class BookBroken(Exception):
    """An update was missing, or the book is not the exchange's: it is worth nothing until a snapshot."""


@dataclass(slots=True)
class _Side:
    """One side's prices, best first by ``sign`` × price, with what rests there in order."""

    sign: int
    prices: list[float] = field(default_factory=list)
    resting: dict[float, dict[str, str]] = field(default_factory=dict)

    def put(self, price: str, entry: str, quantity: str) -> None:
        """Set an entry of a price; a quantity of zero removes it."""
        key = self.sign * float(price)
        entries = self.resting.get(key)
        if float(quantity) == 0:
            if entries is None or entries.pop(entry, None) is None or entries:
                return
            del self.resting[key]
            del self.prices[bisect_left(self.prices, key)]
        elif entries is None:
            self.resting[key] = {entry: quantity}
            insort(self.prices, key)
        else:
            entries[entry] = quantity

    def best(self, count: int) -> list[tuple[str, str]]:
        """Return the first ``count`` (entry, quantity), best first."""
        found: list[tuple[str, str]] = []
        for key in self.prices:
            found += self.resting[key].items()
            if len(found) >= count:
                break
        return found[:count]

    def top(self) -> tuple[float, float] | None:
        """Return (price, quantity) of the best price."""
        if not self.prices:
            return None
        key = self.prices[0]
        return self.sign * key, sum(map(float, self.resting[key].values()))


class _Book:
    """A book that is kept from a snapshot and numbered changes, each with a checksum of the result."""

    def __init__(self) -> None:
        self.sequence: int | None = None
        self._bids, self._asks = _Side(-1), _Side(1)

    def quote(self) -> tuple[float, float, float, float] | None:
        """Return bid, ask and their sizes, None while a side is empty or the book is not known."""
        bid, ask = self._bids.top(), self._asks.top()
        if self.sequence is None or bid is None or ask is None:
            return None
        return bid[0], ask[0], bid[1], ask[1]

    def _reset(self) -> None:
        self.sequence = None
        self._bids, self._asks = _Side(-1), _Side(1)

    def _expect(self, sequence: int, expected: int) -> None:
        if sequence != expected:
            self.sequence = None
            raise BookBroken(f"update {expected} is missing, {sequence} came")

    def _settle(self, sequence: int, checksum: Any) -> None:
        """Accept the book as it now is. Raises: BookBroken when it is not the exchange's."""
        if checksum is not None and int(checksum) != self.checksum():
            self.sequence = None
            raise BookBroken(f"the book of update {sequence} does not have its checksum")
        self.sequence = sequence

    def checksum(self) -> int:
        """Return CRC32 over the best entries, a bid and an ask in turn, as ``entry:quantity``."""
        bids, asks = self._bids.best(_CHECKED), self._asks.best(_CHECKED)
        parts: list[str] = []
        for place in range(max(len(bids), len(asks))):
            for side in (bids, asks):
                if place < len(side):
                    parts += side[place]
        return crc32(":".join(parts).encode())


class LevelBook(_Book):
    """A book of price levels, from OB_L1_SNAPSHOT and OB_L1_DIFF; the sequence rises by one."""

    def load(self, data: Mapping[str, Any]) -> None:
        """Take a snapshot's ``d``."""
        self._reset()
        self._put(data)
        self._settle(int(data["sq"]), data.get("cs"))

    def apply(self, data: Mapping[str, Any]) -> None:
        """Take a difference's ``d``. Raises: BookBroken."""
        if self.sequence is None:
            raise BookBroken("a change came before the snapshot")
        sequence = int(data["sq"])
        self._expect(sequence, self.sequence + 1)
        self._put(data)
        self._settle(sequence, data.get("cs"))

    def _put(self, data: Mapping[str, Any]) -> None:
        for side, rows in ((self._bids, data["b"]), (self._asks, data["a"])):
            for price, quantity in rows:
                side.put(price, price, quantity)


class OrderByOrderBook(_Book):
    """A book of single orders, from FULL_ORDERBOOK_SNAPSHOT and FULL_ORDERBOOK_UPDATE.

    The sequence rises by the number of orders that a message names, also those that it removes.
    """

    def load(self, data: Mapping[str, Any]) -> None:
        """Take a snapshot's ``data``."""
        self._reset()
        self._put(data)
        self._settle(int(data["SequenceNumber"]), data.get("Checksum"))

    def apply(self, data: Mapping[str, Any]) -> None:
        """Take an update's ``data``. Raises: BookBroken."""
        if self.sequence is None:
            raise BookBroken("a change came before the snapshot")
        sequence = int(data["SequenceNumber"])
        count = sum(len(level["Orders"]) for key in ("Bids", "Asks") for level in data[key])
        self._expect(sequence, self.sequence + count)
        self._put(data)
        self._settle(sequence, data.get("Checksum"))

    def _put(self, data: Mapping[str, Any]) -> None:
        for side, levels in ((self._bids, data["Bids"]), (self._asks, data["Asks"])):
            for level in levels:
                for order in level["Orders"]:
                    side.put(level["Price"], order["orderId"], order["quantity"])
