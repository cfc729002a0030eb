"""Binance's market streams, and its WebSocket API with the user data stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode

import orjson

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import BalanceChange, Permission
from amarktai.twins.binance.rest import BinanceRest
from amarktai.twins.binance.rows import INTERVALS, aggregate_row, depth_rows, money, status
from amarktai.twins.binance.signing import SocketCall
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.faults import Operation
from amarktai.twins.limits import Meter
from amarktai.twins.matching import Event
from amarktai.twins.orders import BookChange, Change, Order, OrderChange, State, Trade
from amarktai.twins.streams import Connection

if TYPE_CHECKING:
    from amarktai.twins.binance.twin import BinanceTwin
    from amarktai.twins.twin import Listener

_MS: Final = 1_000_000
_FLUSH_S: Final = 0.1
#: A quiet twin, whose market streams nobody reads, has nothing to say that often.
_QUIET_FLUSH_S: Final = 30.0
_FLUSHES_A_SECOND: Final = 10
_MESSAGES_A_SECOND: Final = 5
_STREAMS_A_CONNECTION: Final = 1024
#: What the WebSocket API calls the endpoints.
_METHODS: Final = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "trades.aggregate": ("GET", "/api/v3/aggTrades"),
    "klines": ("GET", "/api/v3/klines"),
    "avgPrice": ("GET", "/api/v3/avgPrice"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.status": ("GET", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "account.status": ("GET", "/api/v3/account"),
    "account.commission": ("GET", "/api/v3/account/commission"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
}
_SUBSCRIBE_USER: Final = Route(
    "GET", "/ws-api/v3", Operation.STREAM_TOKEN, lambda _: Answer({}), Permission.READ, 2
)
#: The topics under which a connection keeps its wrapping and its user data subscription.
_COMBINED, _USER = "", "\x00user"


@dataclass(slots=True)
class _Diff:
    """What changed in a book since it was last told."""

    first: int = 0
    last: int = 0
    levels: dict[tuple[Side, Decimal], Decimal] = field(default_factory=dict)

    def add(self, change: BookChange) -> None:
        self.first = self.first or change.sequence
        self.last = change.sequence
        for side, price, quantity in change.levels:
            self.levels[side, price] = quantity

    def rows(self, side: Side) -> list[list[str]]:
        return [[money(p), money(q)] for (s, p), q in self.levels.items() if s is side]


class BinanceStreams:
    """Serves every connection of one twin."""

    def __init__(self, twin: BinanceTwin) -> None:
        self._twin = twin
        self._rest = BinanceRest(twin)
        self._fast: dict[str, _Diff] = {}
        self._slow: dict[str, _Diff] = {}
        self._tops: dict[str, Any] = {}
        self._traded: set[str] = set()
        self._cancel_ids: dict[str, str] = {}
        self._messages = Meter(_MESSAGES_A_SECOND, window_s=1)
        self._flushes = 0

    def listener(self, path: str) -> Listener | None:
        if path in ("/ws-api/v3", "/ws-api"):
            return self._serve_api
        if path in ("/stream", "/ws") or path.startswith("/ws/"):
            return self._serve_market
        return None

    @contextmanager
    def cancel_named(self, order_id: str, cancel_id: str) -> Iterator[None]:
        """Give the report of a cancel inside the block the client id of the cancel itself."""
        self._cancel_ids[order_id] = cancel_id
        try:
            yield
        finally:
            del self._cancel_ids[order_id]

    # -- market streams --------------------------------------------------------------------------------

    async def _serve_market(self, connection: Connection) -> None:
        url = connection.socket.url
        if url.path == "/stream":
            connection.topics[_COMBINED] = True
            asked = [n for value in parse_qs(url.query).get("streams", []) for n in value.split("/")]
        else:
            asked = url.path.removeprefix("/ws").strip("/").split("/")
        for name in asked:
            if name:
                connection.topics[name] = True
        while True:
            text = await connection.socket.receive_text()
            caller = str(id(connection))
            if not self._messages.charge(caller, 1, self._twin.clock.now_ns()):
                connection.cut_off()
                return
            connection.reply(self._obey(connection, text))

    def _obey(self, connection: Connection, text: str) -> dict[str, Any]:
        try:
            asked = orjson.loads(text)
            method, number = asked["method"], asked.get("id")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return {"error": {"code": 3, "msg": "Invalid JSON: expected an object with method and id"}}
        names = asked.get("params") or []
        topics = connection.topics
        if method == "SUBSCRIBE" and len(topics) + len(names) <= _STREAMS_A_CONNECTION:
            topics.update(dict.fromkeys(names, True))
        elif method == "UNSUBSCRIBE":
            for name in names:
                topics.pop(name, None)
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": [name for name in topics if name != _COMBINED], "id": number}
        else:
            return {"error": {"code": 2, "msg": f"Invalid request: {method} is not possible"}, "id": number}
        return {"result": None, "id": number}

    def _publish(self, stream: str, frame: Mapping[str, Any]) -> None:
        for connection in self._twin.connections:
            if stream in connection.topics:
                wrapped = {"stream": stream, "data": frame} if _COMBINED in connection.topics else frame
                connection.push(wrapped, Operation.MARKET_STREAM)

    def _has_listeners(self) -> bool:
        return any(connection.topics for connection in self._twin.connections)

    # -- what happens ----------------------------------------------------------------------------------

    def on_events(self, events: Sequence[Event]) -> None:
        """Tell books and trades to the market streams, reports and positions to their accounts."""
        moved: dict[str, dict[str, BalanceChange]] = {}
        heard = {c.account.key for c in self._twin.connections if c.account and _USER in c.topics}
        for event in events:
            if isinstance(event, BookChange):
                self._on_book(event)
            elif isinstance(event, OrderChange):
                if event.order.wish.account in heard:
                    self._to_user(event.order.wish.account, self._report(event))
            elif event.account in heard:
                moved.setdefault(event.account, {})[event.asset] = event
                if event.kind in ("deposit", "withdrawal"):
                    self._to_user(event.account, _balance_update(event, self._now_ms))
        for account, changes in moved.items():
            self._to_user(account, _position(changes, self._now_ms))

    @property
    def _now_ms(self) -> int:
        return self._twin.clock.now_ns() // _MS

    def _on_book(self, change: BookChange) -> None:
        self._fast.setdefault(change.market, _Diff()).add(change)
        self._slow.setdefault(change.market, _Diff()).add(change)
        if not self._has_listeners():
            return
        name = change.market.lower()
        for trade in change.trades:
            self._traded.add(change.market)
            self._publish(f"{name}@trade", _trade_frame(trade, self._now_ms))
            aggregate = {"e": "aggTrade", "E": self._now_ms, "s": change.market, **aggregate_row(trade)}
            self._publish(f"{name}@aggTrade", aggregate)
        self._publish_top(change, name)

    def _publish_top(self, change: BookChange, name: str) -> None:
        book = self._twin.exchange.books[change.market]
        bid, ask = book.bids.best(), book.asks.best()
        top = {
            "s": change.market,
            "b": money(bid.price if bid else ZERO),
            "B": money(bid.quantity if bid else ZERO),
            "a": money(ask.price if ask else ZERO),
            "A": money(ask.quantity if ask else ZERO),
        }
        if self._tops.get(change.market) != top:
            self._tops[change.market] = top
            self._publish(f"{name}@bookTicker", {"u": book.sequence, **top})

    async def run(self) -> None:
        """Send book differences ten times a second, and what Binance sends once a second."""
        while True:
            await self._twin.clock.sleep(_QUIET_FLUSH_S if self._twin.is_quiet else _FLUSH_S)
            self.flush()

    def flush(self) -> None:
        """Send what one tenth of a second brought."""
        self._flushes += 1
        fast, self._fast = self._fast, {}
        self._publish_depth(fast, "@100ms")
        if self._flushes % _FLUSHES_A_SECOND:
            return
        slow, self._slow = self._slow, {}
        self._publish_depth(slow, "")
        traded, self._traded = self._traded, set()
        for symbol in traded:
            self._publish_day(symbol)
            for interval in INTERVALS:
                self._publish_kline(symbol, interval)

    def _publish_depth(self, diffs: dict[str, _Diff], pace: str) -> None:
        for symbol, diff in diffs.items():
            name = symbol.lower()
            frame = {
                "e": "depthUpdate", "E": self._now_ms, "s": symbol, "U": diff.first, "u": diff.last,
                "b": diff.rows(Side.BUY), "a": diff.rows(Side.SELL),
            }  # fmt: skip
            self._publish(f"{name}@depth{pace}", frame)
            for levels in (5, 10, 20):
                stream = f"{name}@depth{levels}{pace}"
                if any(stream in connection.topics for connection in self._twin.connections):
                    market = self._twin.exchange.markets[symbol]
                    self._publish(stream, depth_rows(self._call("GET", "", {}, ""), market, levels))

    def _publish_day(self, symbol: str) -> None:
        stream = f"{symbol.lower()}@ticker"
        if not any(stream in connection.topics for connection in self._twin.connections):
            return
        row = self._rest.day_row(self._call("GET", "", {}, ""), self._twin.exchange.markets[symbol])
        short = {
            "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice",
            "c": "lastPrice", "Q": "lastQty", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty",
            "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume",
            "O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
        }  # fmt: skip
        frame = {letter: row[name] for letter, name in short.items()}
        self._publish(stream, {"e": "24hrTicker", "E": self._now_ms, "s": symbol, **frame})

    def _publish_kline(self, symbol: str, interval: str) -> None:
        stream = f"{symbol.lower()}@kline_{interval}"
        if not any(stream in connection.topics for connection in self._twin.connections):
            return
        seconds = INTERVALS[interval]
        candle = self._twin.candles[symbol].latest(seconds, 1, self._twin.clock.now_ns())[-1]
        opened = candle.ts_open_ns // _MS
        bar = {
            "t": opened, "T": opened + seconds * 1000 - 1, "s": symbol, "i": interval, "f": -1, "L": -1,
            "o": money(candle.open), "c": money(candle.close), "h": money(candle.high),
            "l": money(candle.low), "v": money(candle.volume), "n": candle.trade_count,
            "x": self._now_ms >= opened + seconds * 1000, "q": money(candle.turnover),
            "V": money(candle.bought), "Q": money(candle.bought_turnover), "B": "0",
        }  # fmt: skip
        self._publish(stream, {"e": "kline", "E": self._now_ms, "s": symbol, "k": bar})

    # -- the WebSocket API -----------------------------------------------------------------------------

    async def _serve_api(self, connection: Connection) -> None:
        while True:
            text = await connection.socket.receive_text()
            answer = await self._answer(connection, text)
            if answer is not None:
                connection.reply(answer)

    async def _answer(self, connection: Connection, text: str) -> dict[str, Any] | None:
        try:
            asked = orjson.loads(text)
            method, number = str(asked["method"]), asked.get("id")
            params = {name: _text(value) for name, value in (asked.get("params") or {}).items()}
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return {"id": None, "status": 400, "error": {"code": -1100, "msg": "Illegal request."}}
        if method in ("userDataStream.subscribe.signature", "userDataStream.unsubscribe"):
            answer: Answer | None = self._subscribe(connection, method, params)
        elif method in _METHODS:
            verb, path = _METHODS[method]
            answer = await self._twin.answer(self._call(verb, path, params, connection.address))
        else:
            answer = Answer({"code": -1000, "msg": f"Unknown method {method}"}, 400)
        if answer is None:
            return None  # the reply is lost; over a socket the connection lives on
        part = "result" if answer.status == 200 else "error"
        limits = self._twin.rate_limits(connection.address)
        return {"id": number, "status": answer.status, part: answer.body, "rateLimits": limits}

    def _subscribe(self, connection: Connection, method: str, params: dict[str, str]) -> Answer:
        if method == "userDataStream.unsubscribe":
            connection.topics.pop(_USER, None)
            return Answer({})
        call = self._call("GET", _SUBSCRIBE_USER.path, params, connection.address)
        try:
            connection.account = self._twin.authenticate(call, _SUBSCRIBE_USER)
        except Refusal as refusal:
            return refusal.answer
        connection.topics[_USER] = True
        return Answer({"subscriptionId": 0})

    def _call(self, verb: str, path: str, params: dict[str, str], address: str) -> Call:
        key = params.pop("apiKey", "")
        call = SocketCall(
            verb, path, urlencode(params), {"x-mbx-apikey": key}, b"", address,
            self._twin.clock.now_ns(), self._twin.exchange,
        )  # fmt: skip
        if key:
            call.params["apiKey"] = key  # it is signed, too
        return call

    # -- the user data stream --------------------------------------------------------------------------

    def _to_user(self, account: str, event: dict[str, Any]) -> None:
        for connection in self._twin.connections_of(account):
            if _USER in connection.topics:
                connection.push({"subscriptionId": 0, "event": event}, Operation.ACCOUNT_STREAM)

    def _report(self, event: OrderChange) -> dict[str, Any]:
        order, fill = event.order, event.fill
        execution = {
            Change.ACCEPTED: "NEW", Change.FIRED: "NEW", Change.FILLED: "TRADE",
            Change.CANCELLED: "CANCELED", Change.EXPIRED: "EXPIRED", Change.FAILED: "REJECTED",
        }[event.change]  # fmt: skip
        is_cancel = event.change is Change.CANCELLED
        cancel_id = self._cancel_ids.get(order.id, order.wish.client_id) if is_cancel else ""
        report = {
            "e": "executionReport",
            "E": self._now_ms,
            **_of_order(order),
            "c": cancel_id or order.wish.client_id,
            "C": order.wish.client_id if is_cancel else "",
            "x": execution,
            "X": status(order, event.state, event.filled),
            "r": "NONE",
            "l": money(fill.trade.quantity if fill else ZERO),
            "z": money(event.filled),
            "L": money(fill.trade.price if fill else ZERO),
            "n": money(fill.fee) if fill else "0",
            "N": fill.fee_asset if fill else None,
            "T": event.ts_ns // _MS,
            "t": fill.trade.number if fill else -1,
            "w": event.state is State.OPEN,
            "m": fill is not None and fill.liquidity is Liquidity.MAKER,
            "M": fill is not None,
            "Z": money(event.filled_quote),
            "Y": money(fill.trade.notional if fill else ZERO),
        }
        return report


def _of_order(order: Order) -> dict[str, Any]:
    wish = order.wish
    return {
        "s": wish.market,
        "S": wish.side.value.upper(),
        "o": wish.details.get("type", wish.kind.value.upper()),
        "f": wish.time_in_force.value,
        "q": money(order.quantity),
        "p": money(order.price),
        "P": money(wish.stop.price if wish.stop else ZERO),
        "F": "0.00000000",
        "g": -1,
        "i": int(order.id),
        "I": order.number,
        "O": order.created_ns // _MS,
        "Q": money(wish.quote_quantity or ZERO),
        "W": order.created_ns // _MS,
        "V": "NONE",
    }


def _trade_frame(trade: Trade, now_ms: int) -> dict[str, Any]:
    return {
        "e": "trade",
        "E": now_ms,
        "s": trade.market,
        "t": trade.number,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "T": trade.ts_ns // _MS,
        "m": trade.taker_side is Side.SELL,
        "M": True,
    }


def _position(changes: dict[str, BalanceChange], now_ms: int) -> dict[str, Any]:
    rows = [
        {"a": asset, "f": money(change.total - change.held), "l": money(change.held)}
        for asset, change in changes.items()
    ]
    return {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": rows}


def _balance_update(change: BalanceChange, now_ms: int) -> dict[str, Any]:
    return {
        "e": "balanceUpdate",
        "E": now_ms,
        "a": change.asset,
        "d": money(change.total_delta),
        "T": now_ms,
    }


def _text(value: Any) -> str:
    """Return a JSON parameter as the text that was signed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else str(value)
