"""VALR's two WebSockets: /ws/trade for markets, /ws/account for what happens to the caller's own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Permission
from amarktai.twins.book import Book, BookSide
from amarktai.twins.calls import Refusal
from amarktai.twins.candles import MINUTE_NS
from amarktai.twins.faults import Operation
from amarktai.twins.matching import Event
from amarktai.twins.orders import BookChange, Change, Order, OrderChange
from amarktai.twins.rules import Reason
from amarktai.twins.streams import Connection
from amarktai.twins.valr.errors import failure
from amarktai.twins.valr.rows import (
    aggregated_book,
    bucket_row,
    executed,
    fill_row,
    iso,
    open_row,
    plain,
    status_row,
    summary_of_market,
    trade_row,
)

if TYPE_CHECKING:
    from amarktai.twins.twin import Listener
    from amarktai.twins.valr.twin import ValrTwin

_MS: Final = 1_000_000
_FLUSH_S: Final = 0.1
#: A quiet twin, whose market streams nobody reads, has nothing to say that often.
_QUIET_FLUSH_S: Final = 30.0
_UNKNOWN_CLOSED_NS: Final = 15 * 60 * 1_000_000_000
_CHECKED: Final = 25
_FULL, _L1 = "FULL_ORDERBOOK_UPDATE", "OB_L1_DIFF"
_AGGREGATED, _SUMMARY = "AGGREGATED_ORDERBOOK_UPDATE", "MARKET_SUMMARY_UPDATE"
_TRADE, _BUCKET = "NEW_TRADE", "NEW_TRADE_BUCKET"
_EVENTS: Final = frozenset({_FULL, _L1, _AGGREGATED, _SUMMARY, _TRADE, _BUCKET})
_ACCOUNT: Final = "account"
_Entry = tuple[Side, Decimal, str, Decimal]  # side, price, order id, what is left of it


class ValrStreams:
    """Serves both kinds of connection of one twin."""

    def __init__(self, twin: ValrTwin) -> None:
        self._twin = twin
        self._full_sequences: dict[str, int] = {}
        self._l1_sequences: dict[str, int] = {}
        self._moved: set[str] = set()
        self._traded: set[str] = set()
        self._minute = 0
        self._opened_ns: dict[Connection, int] = {}

    def full_sequence(self, symbol: str) -> int:
        """Return the sequence of the book by orders: it rises by one for each entry of an update."""
        return self._full_sequences.get(symbol, 1)

    def listener(self, path: str) -> Listener | None:
        return {"/ws/trade": self._serve_trade, "/ws/account": self._serve_account}.get(path)

    # -- the conversation ------------------------------------------------------------------------------

    async def _serve_trade(self, connection: Connection) -> None:
        """Serve a connection with or without a key; without one it ends after 15 minutes."""
        if "x-valr-api-key" in connection.headers and not self._sign_in(connection, connection.headers):
            return
        await self._talk(connection, self._obey_trade)

    async def _serve_account(self, connection: Connection) -> None:
        if not self._sign_in(connection, connection.headers):
            return
        self._greet(connection)
        await self._talk(connection, self._obey_account)

    def _sign_in(self, connection: Connection, headers: Any) -> bool:
        path = connection.socket.url.path
        try:
            account = self._twin.account_of(headers, "GET" + path, "", connection.address)
        except Refusal:
            return False
        connection.account = account
        connection.reply({"type": "AUTHENTICATED"})
        return True

    async def _talk(self, connection: Connection, obey: Callable[[Connection, Any], None]) -> None:
        self._opened_ns[connection] = self._twin.clock.now_ns()
        try:
            while True:
                text = await connection.socket.receive_text()
                try:
                    obey(connection, orjson.loads(text))
                except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
                    connection.reply({"type": "INVALID_MESSAGE", "message": "The message was not understood"})
        finally:
            del self._opened_ns[connection]

    def _obey_trade(self, connection: Connection, asked: Any) -> None:
        match asked["type"]:
            case "PING":
                subscribed = any(pairs for pairs in connection.topics.values())
                connection.reply(
                    {"type": "PONG"} if subscribed else {"type": "PONG", "message": "NO_SUBSCRIPTIONS"}
                )
            case "AUTHENTICATE":
                names = {"apiKey": "api-key", "signature": "signature", "timestamp": "timestamp"}
                headers = {f"x-valr-{header}": str(asked["payload"][name]) for name, header in names.items()}
                if not self._sign_in(connection, headers):
                    connection.cut_off()
            case "SUBSCRIBE":
                for subscription in asked["subscriptions"]:
                    self._subscribe(connection, str(subscription["event"]), subscription.get("pairs", []))
            case _:
                raise KeyError(asked["type"])

    def _subscribe(self, connection: Connection, event: str, pairs: list[str]) -> None:
        if event not in _EVENTS or any(pair not in self._twin.exchange.markets for pair in pairs):
            connection.reply({"type": "UNSUPPORTED", "message": f"{event} {','.join(pairs)}"})
            return
        connection.topics[event] = frozenset(pairs)
        connection.reply({"type": "SUBSCRIBED", "message": f"{event} {','.join(pairs)}"})
        for pair in pairs:
            if event == _FULL:
                connection.reply(self._full_snapshot(pair))
            elif event == _L1:
                connection.reply(self._l1_snapshot(pair))

    def _obey_account(self, connection: Connection, asked: Any) -> None:
        if asked["type"] == "PING":
            connection.reply({"type": "PONG"})
        elif asked["type"] in ("SUBSCRIBE", "UNSUBSCRIBE"):
            connection.reply({"type": "UNSUPPORTED", "message": "every account event is sent"})
        else:
            raise KeyError(asked["type"])

    def _greet(self, connection: Connection) -> None:
        """Tell every balance and the open orders, as VALR does on connecting."""
        account = connection.account
        if account is None or not account.allows(Permission.READ):
            return
        now_ns = self._twin.clock.now_ns()
        for asset, balance in self._twin.exchange.balances.of(account.key).items():
            row = _balance(asset, balance.total, balance.held, now_ns)
            connection.push({"type": "BALANCE_UPDATE", "data": row}, Operation.ACCOUNT_STREAM)
        connection.push(self._open_orders(account.key), Operation.ACCOUNT_STREAM)
        connection.topics[_ACCOUNT] = True

    def _open_orders(self, key: str) -> dict[str, Any]:
        live = self._twin.exchange.live_orders(key)
        return {"type": "OPEN_ORDERS_UPDATE", "data": [open_row(order) for order in live]}

    # -- what happens ----------------------------------------------------------------------------------

    def on_events(self, events: Sequence[Event]) -> None:
        """Tell what one action changed: books as one update each, then each account's own."""
        books: dict[str, list[BookChange]] = {}
        touched: dict[str, None] = {}
        heard = {c.account.key for c in self._twin.connections if c.account and _ACCOUNT in c.topics}
        for event in events:
            if isinstance(event, BookChange):
                books.setdefault(event.market, []).append(event)
            elif isinstance(event, OrderChange):
                if event.order.wish.account in heard:
                    touched[event.order.wish.account] = None
                    self._on_order(event)
            elif event.account in heard:
                now_ns = self._twin.clock.now_ns()
                row = _balance(event.asset, event.total, event.held, now_ns)
                self._to_account(event.account, {"type": "BALANCE_UPDATE", "data": row})
        for symbol, changes in books.items():
            self._on_book(symbol, changes)
        for account in touched:
            self._to_account(account, self._open_orders(account))

    def _on_order(self, event: OrderChange) -> None:
        order = event.order
        key = order.wish.account
        if event.change in (Change.ACCEPTED, Change.FAILED):
            reason = failure(Reason(order.reason))[1] if event.change is Change.FAILED else ""
            processed = {
                "orderId": order.id,
                "success": event.change is Change.ACCEPTED,
                "failureReason": reason,
                **({"customerOrderId": order.wish.client_id} if order.wish.client_id else {}),
            }
            self._to_account(key, {"type": "ORDER_PROCESSED", "data": processed})
        if event.fill is not None:
            row = fill_row(event.fill)
            row.pop("sequenceId")
            if order.wish.client_id:
                row["customerOrderId"] = order.wish.client_id
            frame = {"type": "NEW_ACCOUNT_TRADE", "currencyPairSymbol": order.wish.market, "data": row}
            self._to_account(key, frame)
        self._to_account(key, {"type": "ORDER_STATUS_UPDATE", "data": _status_at(event)})

    def cancel_failed(self, key: str, order_id: str) -> None:
        """Tell that a v1 cancel came to nothing."""
        data = {"orderId": order_id, "message": "An error occurred while cancelling your order."}
        self._to_account(key, {"type": "FAILED_CANCEL_ORDER", "data": data})

    def _to_account(self, key: str, frame: dict[str, Any]) -> None:
        for connection in self._twin.connections_of(key):
            if _ACCOUNT in connection.topics:
                connection.push(frame, Operation.ACCOUNT_STREAM)

    def _on_book(self, symbol: str, changes: list[BookChange]) -> None:
        self._moved.add(symbol)
        book = self._twin.exchange.books[symbol]
        entries = _entries(book, changes)
        self._full_sequences[symbol] = self.full_sequence(symbol) + len(entries)
        self._l1_sequences[symbol] = self._l1_sequences.get(symbol, 1) + 1
        if self._listeners(_FULL, symbol):
            self._publish(_FULL, symbol, self._full_update(symbol, book, entries))
        if self._listeners(_L1, symbol):
            self._publish(_L1, symbol, self._l1_diff(symbol, changes))
        for change in changes:
            for trade in change.trades:
                self._traded.add(symbol)
                row = trade_row(trade)
                frame = {"type": _TRADE, "currencyPairSymbol": symbol, "data": row}
                self._publish(_TRADE, symbol, frame)

    def _listeners(self, event: str, symbol: str) -> list[Connection]:
        return [c for c in self._twin.connections if symbol in c.topics.get(event, ())]

    def _publish(self, event: str, symbol: str, frame: dict[str, Any]) -> None:
        for connection in self._listeners(event, symbol):
            connection.push(frame, Operation.MARKET_STREAM)

    # -- books -----------------------------------------------------------------------------------------

    def _full_update(self, symbol: str, book: Book, entries: list[_Entry]) -> dict[str, Any]:
        return {
            "type": _FULL,
            "currencyPairSymbol": symbol,
            "data": {
                "LastChange": self._twin.clock.now_ns() // _MS,
                "Asks": _grouped(entry for entry in entries if entry[0] is Side.SELL),
                "Bids": _grouped(entry for entry in entries if entry[0] is Side.BUY),
                "SequenceNumber": self.full_sequence(symbol),
                "Checksum": _checksum(*(_orders_of(side) for side in (book.bids, book.asks))),
            },
        }

    def _full_snapshot(self, symbol: str) -> dict[str, Any]:
        book = self._twin.exchange.books[symbol]
        entries = [
            (side.side, level.price, order.id, order.remaining)
            for side in (book.asks, book.bids)
            for level in side.best_first()
            for order in level.orders.values()
        ]
        return {**self._full_update(symbol, book, entries), "type": "FULL_ORDERBOOK_SNAPSHOT"}

    def _l1_diff(self, symbol: str, changes: list[BookChange]) -> dict[str, Any]:
        levels = {(side, price) for change in changes for side, price, _ in change.levels}
        book = self._twin.exchange.books[symbol]
        rows: dict[Side, list[list[str]]] = {Side.BUY: [], Side.SELL: []}
        for side, price in sorted(levels, key=lambda level: level[1]):
            rows[side].append([plain(price), plain(book.side(side).quantity_at(price))])
        return self._l1(symbol, _L1, rows)

    def _l1_snapshot(self, symbol: str) -> dict[str, Any]:
        book = self._twin.exchange.books[symbol]
        rows = {
            side.side: [[plain(level.price), plain(level.quantity)] for level in side.best_first()]
            for side in (book.bids, book.asks)
        }
        return self._l1(symbol, "OB_L1_SNAPSHOT", rows)

    def _l1(self, symbol: str, kind: str, rows: dict[Side, list[list[str]]]) -> dict[str, Any]:
        book = self._twin.exchange.books[symbol]
        data = {
            "lc": self._twin.clock.now_ns() // _MS,
            "a": rows[Side.SELL],
            "b": rows[Side.BUY],
            "sq": self._l1_sequences.get(symbol, 1),
            "cs": _checksum(*(_levels_of(side) for side in (book.bids, book.asks))),
        }
        return {"type": kind, "ps": symbol, "d": data}

    # -- what is sent at a pace ------------------------------------------------------------------------

    async def run(self) -> None:
        """Send aggregated books, summaries and candles; end connections that never signed in."""
        while True:
            await self._twin.clock.sleep(_QUIET_FLUSH_S if self._twin.is_quiet else _FLUSH_S)
            self.flush()

    def flush(self) -> None:
        """Do what is due every tenth of a second."""
        now_ns = self._twin.clock.now_ns()
        for connection, opened_ns in list(self._opened_ns.items()):
            if connection.account is None and now_ns - opened_ns > _UNKNOWN_CLOSED_NS:
                connection.cut_off()
        moved, self._moved = self._moved, set()
        for symbol in moved:
            book = self._twin.exchange.books[symbol]
            if self._listeners(_AGGREGATED, symbol):
                data = aggregated_book(symbol, book, now_ns)
                self._publish(_AGGREGATED, symbol, _framed(_AGGREGATED, symbol, data))
            if self._listeners(_SUMMARY, symbol):
                self._publish(_SUMMARY, symbol, _framed(_SUMMARY, symbol, self._summary(symbol, now_ns)))
        self._close_minute(now_ns)

    def _summary(self, symbol: str, now_ns: int) -> dict[str, Any]:
        market, book = self._twin.exchange.markets[symbol], self._twin.exchange.books[symbol]
        day = self._twin.candles[symbol].last_day(now_ns)
        row = summary_of_market(market, book, day, self._twin.last_price(symbol), now_ns)
        row.pop("quoteVolume")
        return row

    def _close_minute(self, now_ns: int) -> None:
        """Tell the candle of each market that traded in the minute that has ended."""
        minute = now_ns // MINUTE_NS
        if minute == self._minute:
            return
        self._minute = minute
        traded, self._traded = self._traded, set()
        for symbol in traded:
            if self._listeners(_BUCKET, symbol):
                since = (minute - 1) * MINUTE_NS
                for candle in self._twin.candles[symbol].of(60, since, since + MINUTE_NS, 1):
                    row = bucket_row(symbol, candle, 60)
                    self._publish(_BUCKET, symbol, _framed(_BUCKET, symbol, row))


def _framed(event: str, symbol: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": event, "currencyPairSymbol": symbol, "data": data}


def _balance(asset: str, total: Decimal, held: Decimal, now_ns: int) -> dict[str, Any]:
    symbol = "R" if asset == "ZAR" else asset
    places = 2 if asset == "ZAR" else 8
    return {
        "currency": {"symbol": symbol, "decimalPlaces": places, "shortName": asset, "longName": asset},
        "available": plain(total - held),
        "reserved": plain(held),
        "total": plain(total),
        "updatedAt": iso(now_ns),
    }


def _status_at(event: OrderChange) -> dict[str, Any]:
    """Return the order's status as it was right after the event."""
    order = event.order
    left = order.quantity - event.filled
    row = {**status_row(order), **executed(event.fill), "remainingQuantity": plain(left)}
    labels = {Change.ACCEPTED: "Active" if order.wish.stop else "Placed", Change.FIRED: "Placed"}
    if event.change in labels:
        row["orderStatusType"] = labels[event.change]
    elif event.fill is not None:
        row["orderStatusType"] = "Partially Filled" if left else "Filled"
    return row


def _entries(book: Book, changes: list[BookChange]) -> list[_Entry]:
    """Return each order that changed, once, with what is left of it now."""
    touched: dict[tuple[Side, Decimal, str], None] = {}
    for change in changes:
        for trade in change.trades:
            maker = Side.SELL if trade.taker_side is Side.BUY else Side.BUY
            touched[maker, trade.price, trade.maker_order] = None
        if change.created is not None:
            order_id, side, price, _ = change.created
            touched[side, price, order_id] = None
        if change.deleted is not None:
            side, price, _ = change.levels[0]
            touched[side, price, change.deleted] = None
    return [(side, price, order_id, _left(book, side, price, order_id)) for side, price, order_id in touched]


def _left(book: Book, side: Side, price: Decimal, order_id: str) -> Decimal:
    level = book.side(side).level_at(price)
    order: Order | None = None if level is None else level.orders.get(order_id)
    return ZERO if order is None else order.remaining


def _grouped(entries: Any) -> list[dict[str, Any]]:
    prices: dict[Decimal, list[dict[str, str]]] = {}
    for _, price, order_id, quantity in entries:
        prices.setdefault(price, []).append({"orderId": order_id, "quantity": plain(quantity)})
    return [{"Price": plain(price), "Orders": orders} for price, orders in prices.items()]


def _orders_of(side: BookSide) -> list[str]:
    orders = zip(side.orders(), range(_CHECKED), strict=False)
    return [f"{order.id}:{plain(order.remaining)}" for order, _ in orders]


def _levels_of(side: BookSide) -> list[str]:
    levels = zip(side.best_first(), range(_CHECKED), strict=False)
    return [f"{plain(level.price)}:{plain(level.quantity)}" for level, _ in levels]


def _checksum(bids: list[str], asks: list[str]) -> int:
    """Return the CRC-32 over the best 25 of each side, a bid before an ask."""
    parts = [
        part
        for place in range(_CHECKED)
        for side in (bids, asks)
        if place < len(side)
        for part in (side[place],)
    ]
    return zlib.crc32(":".join(parts).encode())
