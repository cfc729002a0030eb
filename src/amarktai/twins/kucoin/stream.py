"""KuCoin's WebSocket: a token from a REST call, a welcome, pings, and topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import orjson

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Account, BalanceChange
from amarktai.twins.calls import Call
from amarktai.twins.faults import Operation
from amarktai.twins.kucoin.rows import (
    CANDLE_TYPES,
    book_rows,
    candle_row,
    plain,
    ticker_row,
    user_id,
    wallet_id,
)
from amarktai.twins.matching import Event
from amarktai.twins.orders import BookChange, Change, Order, OrderChange, State, Trade
from amarktai.twins.streams import Connection

if TYPE_CHECKING:
    from amarktai.twins.kucoin.twin import KucoinTwin
    from amarktai.twins.twin import Listener

_MS: Final = 1_000_000
_NS: Final = 1_000_000_000
_FLUSH_S: Final = 0.1
#: A quiet twin, whose market streams nobody reads, has nothing to say that often.
_QUIET_FLUSH_S: Final = 30.0
_TOKEN_LIFE_NS: Final = 24 * 3600 * _NS
_PING_NS: Final = 28 * _NS  # interval and timeout of the bullet's answer
_TOPICS_A_SESSION: Final = 300
_ORDERS_V1, _ORDERS_V2 = "/spotMarket/tradeOrders", "/spotMarket/tradeOrdersV2"
_BALANCE, _STOPS = "/account/balance", "/spotMarket/advancedOrders"
_PRIVATE: Final = frozenset({_ORDERS_V1, _ORDERS_V2, _BALANCE, _STOPS})
_PUBLIC: Final = (
    "/market/ticker", "/market/snapshot", "/market/level2", "/market/match", "/market/candles",
    "/spotMarket/level1", "/spotMarket/level2Depth5", "/spotMarket/level2Depth50",
)  # fmt: skip
_RELATIONS: Final = {"hold": "trade.hold", "release": "trade.hold", "deposit": "trade.transfer"}


@dataclass(frozen=True, slots=True)
class _Token:
    """What a bullet call handed out; ``account`` is None for a public one."""

    account: Account | None
    expires_ns: int


class KucoinStreams:
    """Serves every connection of one twin."""

    def __init__(self, twin: KucoinTwin) -> None:
        self._twin = twin
        self._tokens: dict[str, _Token] = {}
        self._heard_ns: dict[Connection, int] = {}
        self._moved: set[str] = set()
        self._traded: set[str] = set()

    def new_token(self, account: Account | None) -> str:
        """Return a token that opens a connection within 24 hours."""
        token = self._twin.rng.bytes(24).hex()
        self._tokens[token] = _Token(account, self._twin.clock.now_ns() + _TOKEN_LIFE_NS)
        return token

    def listener(self, path: str) -> Listener | None:
        return self._serve if path in ("/", "/endpoint") else None

    # -- the conversation ------------------------------------------------------------------------------

    async def _serve(self, connection: Connection) -> None:
        query = parse_qs(connection.socket.url.query)
        token = self._tokens.get(query.get("token", [""])[0])
        if token is None or token.expires_ns < self._twin.clock.now_ns():
            connection.reply({"type": "error", "code": 401, "data": "token is invalid"})
            return
        connection.account = token.account
        self._heard_ns[connection] = self._twin.clock.now_ns()
        connection.reply({"id": query.get("connectId", ["0"])[0], "type": "welcome"})
        try:
            while True:
                text = await connection.socket.receive_text()
                self._heard_ns[connection] = self._twin.clock.now_ns()
                for reply in self._replies(connection, text):
                    connection.reply(reply)
        finally:
            del self._heard_ns[connection]

    def _replies(self, connection: Connection, text: str) -> list[dict[str, Any]]:
        try:
            asked = orjson.loads(text)
            number, kind = str(asked.get("id", "")), asked.get("type")
        except (orjson.JSONDecodeError, AttributeError):
            return [{"type": "error", "code": 415, "data": "type is not supported"}]
        if kind == "ping":
            return [{"id": number, "type": "pong", "timestamp": self._twin.clock.now_ns() // 1000}]
        if kind not in ("subscribe", "unsubscribe"):
            return [_error(number, 415, "type is not supported")]
        topic = str(asked.get("topic") or "")
        problem = self._problem(connection, topic, is_private=bool(asked.get("privateChannel")))
        if problem is not None:
            return [_error(number, *problem)]
        for name in _split(topic):
            if kind == "subscribe":
                connection.topics[name] = bool(asked.get("privateChannel"))
            else:
                connection.topics.pop(name, None)
        return [{"id": number, "type": "ack"}] if asked.get("response") else []

    def _problem(self, connection: Connection, topic: str, *, is_private: bool) -> tuple[int, str] | None:
        if not topic:
            return 406, "topic is required"
        prefix, _, rest = topic.partition(":")
        if prefix in _PRIVATE:
            if connection.account is None or not is_private:
                return 403, "login is required"
            return None
        if prefix not in _PUBLIC:
            return 404, f"topic {topic} is not found"
        known = self._twin.exchange.markets
        for part in rest.split(","):
            symbol, _, kind = part.partition("_")
            is_candles = prefix == "/market/candles"
            if symbol not in known and not (part == "all" and prefix == "/market/ticker"):
                return 404, f"topic {topic} is not found"
            if is_candles and kind not in CANDLE_TYPES:
                return 400, f"topic {topic} is invalid"
        if len(connection.topics) >= _TOPICS_A_SESSION:
            return 509, "exceed max subscription count limitation of 300 per session"
        return None

    def _publish(self, topic: str, subject: str, data: Any, name: str | None = None) -> None:
        """Send to who subscribed to ``name`` (usually the topic itself)."""
        wanted = name or topic
        frame = {"topic": topic, "type": "message", "subject": subject, "data": data}
        for connection in self._twin.connections:
            if wanted in connection.topics:
                connection.push(frame, Operation.MARKET_STREAM)

    def _to_user(self, key: str, topic: str, subject: str, data: Any) -> None:
        account = self._twin.accounts[key]
        frame = {
            "topic": topic,
            "type": "message",
            "subject": subject,
            "userId": str(user_id(account)),
            "channelType": "private",
            "data": data,
        }
        for connection in self._twin.connections_of(key):
            if topic in connection.topics:
                connection.push(frame, Operation.ACCOUNT_STREAM)

    def _has(self, topic: str) -> bool:
        return any(topic in connection.topics for connection in self._twin.connections)

    # -- what happens ----------------------------------------------------------------------------------

    def on_events(self, events: Sequence[Event]) -> None:
        """Tell books and trades to the public topics, orders and balances to their accounts."""
        heard = {c.account.key for c in self._twin.connections if c.account and c.topics}
        for event in events:
            if isinstance(event, BookChange):
                self._on_book(event)
            elif isinstance(event, OrderChange):
                if event.order.wish.account in heard:
                    self._on_order(event)
            elif event.account in heard:
                self._on_balance(event)

    def _on_book(self, change: BookChange) -> None:
        symbol = change.market
        self._moved.add(symbol)
        if change.trades:
            self._traded.add(symbol)
        if change.created is not None:
            self._opened(change.created[0])
        topic = f"/market/level2:{symbol}"
        if self._has(topic):
            self._publish(topic, "trade.l2update", _level2(change))
        topic = f"/market/match:{symbol}"
        if change.trades and self._has(topic):
            for trade in change.trades:
                self._publish(topic, "trade.l3match", _match(trade))

    def _opened(self, order_id: str) -> None:
        order = self._twin.exchange.orders.get(order_id)
        if order is None or not order.is_live or not self._twin.connections_of(order.wish.account):
            return
        row = {**_order_figures(order), "status": "open", "type": "open", "ts": self._twin.clock.now_ns()}
        for topic in (_ORDERS_V1, _ORDERS_V2):
            self._to_user(order.wish.account, topic, "orderChange", row)

    def _on_order(self, event: OrderChange) -> None:
        order, key = event.order, event.order.wish.account
        if order.wish.stop is not None and event.change in (Change.ACCEPTED, Change.FIRED):
            self._on_stop(event)
            return
        if order.wish.stop is not None and not order.has_fired:
            self._on_stop(event)
            return
        if event.change is Change.ACCEPTED:
            row = {**_order_figures(order), "status": "new", "type": "received", "ts": event.ts_ns}
            self._to_user(key, _ORDERS_V2, "orderChange", row)
            return
        for row in _order_events(event):
            for topic in (_ORDERS_V1, _ORDERS_V2):
                self._to_user(key, topic, "orderChange", row)

    def _on_stop(self, event: OrderChange) -> None:
        order, stop = event.order, event.order.wish.stop
        kinds = {Change.ACCEPTED: "open", Change.FIRED: "triggered"}
        row = {
            "orderId": order.id,
            "orderPrice": plain(order.price),
            "orderType": "stop",
            "side": order.wish.side.value,
            "size": plain(order.quantity),
            "stop": "entry" if stop is not None and stop.rises else "loss",
            "stopPrice": plain(stop.price) if stop is not None else None,
            "symbol": order.wish.market,
            "tradeType": "TRADE",
            "type": kinds.get(event.change, "cancel"),
            "createdAt": order.created_ns // _MS,
            "ts": event.ts_ns,
            **({"triggerSuccess": True} if event.change is Change.FIRED else {}),
        }
        self._to_user(order.wish.account, _STOPS, "stopOrder", row)

    def _on_balance(self, change: BalanceChange) -> None:
        account = self._twin.accounts[change.account]
        number = self._twin.rng.bytes(6).hex()
        order = self._twin.exchange.orders.get(change.reference)
        data = {
            "accountId": wallet_id(account, change.asset),
            "currency": change.asset,
            "total": plain(change.total),
            "available": plain(change.total - change.held),
            "hold": plain(change.held),
            "availableChange": plain(change.total_delta - change.held_delta),
            "holdChange": plain(change.held_delta),
            "relationContext": {"symbol": order.wish.market, "orderId": order.id} if order else {},
            "relationEvent": _RELATIONS.get(change.kind, "trade.setted"),
            "relationEventId": number,
            "time": str(self._twin.clock.now_ns() // _MS),
        }
        self._to_user(change.account, _BALANCE, "account.balance", data)

    # -- what is sent at a pace ------------------------------------------------------------------------

    async def run(self) -> None:
        """Send the paced topics, close silent connections and fire dead man's switches."""
        while True:
            await self._twin.clock.sleep(_QUIET_FLUSH_S if self._twin.is_quiet else _FLUSH_S)
            self.flush()

    def flush(self) -> None:
        """Do what is due every tenth of a second."""
        now_ns = self._twin.clock.now_ns()
        for connection, heard_ns in list(self._heard_ns.items()):
            if now_ns - heard_ns > _PING_NS:
                connection.cut_off()
        self._twin.fire_switches()
        moved, self._moved = self._moved, set()
        traded, self._traded = self._traded, set()
        for symbol in moved:
            self._publish_book(symbol)
        for symbol in traded:
            self._publish_candles(symbol)

    def _publish_book(self, symbol: str) -> None:
        call, market = self._call(), self._twin.exchange.markets[symbol]
        topic = f"/market/ticker:{symbol}"
        row = {**ticker_row(call, market), "time": call.now_ms}
        self._publish(topic, "trade.ticker", row)
        self._publish("/market/ticker:all", symbol, row)
        for depth in (5, 50):
            topic = f"/spotMarket/level2Depth{depth}:{symbol}"
            if self._has(topic):
                rows = book_rows(call, market, depth)
                data = {"asks": rows["asks"], "bids": rows["bids"], "timestamp": call.now_ms}
                self._publish(topic, "level2", data)
        topic = f"/spotMarket/level1:{symbol}"
        if self._has(topic):
            rows = book_rows(call, market, 1)
            best = {side: (rows[side] or [None])[0] for side in ("asks", "bids")}
            self._publish(topic, "level1", {**best, "timestamp": call.now_ms})
        self._publish_snapshot(call, symbol)

    def _publish_snapshot(self, call: Call, symbol: str) -> None:
        topic = f"/market/snapshot:{symbol}"
        if not self._has(topic):
            return
        market, day = self._twin.exchange.markets[symbol], self._twin.candles[symbol].last_day(call.now_ns)
        ticker, last = ticker_row(call, market), self._twin.last_price(symbol)
        change = ZERO if day is None else last - day.open
        data = {
            "symbol": symbol, "symbolCode": symbol, "baseCurrency": market.base,
            "quoteCurrency": market.quote, "market": market.quote, "markets": [market.quote],
            "trading": symbol not in self._twin.exchange.suspended, "datetime": call.now_ms,
            "buy": _number(ticker["bestBid"]), "bidSize": _number(ticker["bestBidSize"]),
            "sell": _number(ticker["bestAsk"]), "askSize": _number(ticker["bestAskSize"]),
            "lastTradedPrice": float(last), "close": float(last), "changePrice": float(change),
            "changeRate": None if day is None else round(float(change / day.open), 4),
            "open": None if day is None else float(day.open),
            "high": None if day is None else float(day.high),
            "low": None if day is None else float(day.low),
            "vol": None if day is None else float(day.volume),
            "volValue": None if day is None else float(day.turnover),
            "makerFeeRate": float(market.maker_rate), "takerFeeRate": float(market.taker_rate),
            "makerCoefficient": 1, "takerCoefficient": 1, "marginTrade": False, "board": 1, "mark": 0,
        }  # fmt: skip
        self._publish(topic, "trade.snapshot", {"sequence": ticker["sequence"], "data": data})

    def _publish_candles(self, symbol: str) -> None:
        for kind, seconds in CANDLE_TYPES.items():
            topic = f"/market/candles:{symbol}_{kind}"
            if self._has(topic):
                now_ns = self._twin.clock.now_ns()
                candle = self._twin.candles[symbol].latest(seconds, 1, now_ns)[-1]
                data = {"symbol": symbol, "candles": candle_row(candle), "time": now_ns}
                self._publish(topic, "trade.candles.update", data)

    def _call(self) -> Call:
        now_ns = self._twin.clock.now_ns()
        return Call("GET", "", "", {}, b"", "", now_ns, self._twin.exchange)


def _split(topic: str) -> list[str]:
    """Return one topic for each symbol of a list."""
    prefix, found, rest = topic.partition(":")
    return [f"{prefix}:{part}" for part in rest.split(",")] if found else [topic]


def _error(number: str, code: int, text: str) -> dict[str, Any]:
    return {"id": number, "type": "error", "code": code, "data": text}


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _level2(change: BookChange) -> dict[str, Any]:
    first = change.sequence - len(change.levels) + 1
    sides: dict[str, list[list[str]]] = {"asks": [], "bids": []}
    for number, (side, price, quantity) in enumerate(change.levels, start=first):
        row = [plain(price), plain(quantity), str(number)]
        sides["bids" if side is Side.BUY else "asks"].append(row)
    return {
        "changes": sides,
        "sequenceStart": first,
        "sequenceEnd": change.sequence,
        "symbol": change.market,
        "time": change.ts_ns // _MS,
    }


def _match(trade: Trade) -> dict[str, Any]:
    return {
        "makerOrderId": trade.maker_order,
        "price": plain(trade.price),
        "sequence": str(trade.number),
        "side": trade.taker_side.value,
        "size": plain(trade.quantity),
        "symbol": trade.market,
        "takerOrderId": trade.taker_order,
        "time": str(trade.ts_ns),
        "tradeId": str(trade.number),
        "type": "match",
    }


def _order_figures(order: Order, filled: Decimal | None = None, *, is_ended: bool = False) -> dict[str, Any]:
    done = order.filled if filled is None else filled
    left = order.quantity - done
    return {
        "canceledSize": plain(left if is_ended else ZERO),
        "clientOid": order.wish.client_id,
        "filledSize": plain(done),
        "orderId": order.id,
        "orderTime": order.created_ns // _MS,
        "orderType": order.wish.kind.value,
        "originSize": plain(order.quantity),
        "price": plain(order.price),
        "remainSize": plain(ZERO if is_ended else left),
        "side": order.wish.side.value,
        "size": plain(order.quantity),
        "symbol": order.wish.market,
    }


def _order_events(event: OrderChange) -> list[dict[str, Any]]:
    """Return the messages of a fill (match, and filled after the last) or of an end (canceled)."""
    order, fill = event.order, event.fill
    if fill is None:
        figures = _order_figures(order, event.filled, is_ended=True)
        return [{**figures, "status": "done", "type": "canceled", "ts": event.ts_ns}]
    figures = _order_figures(order, event.filled)
    match = {
        **figures,
        "status": "match",
        "type": "match",
        "liquidity": "maker" if fill.liquidity is Liquidity.MAKER else "taker",
        "feeType": "makerFee" if fill.liquidity is Liquidity.MAKER else "takerFee",
        "matchPrice": plain(fill.trade.price),
        "matchSize": plain(fill.trade.quantity),
        "tradeId": str(fill.trade.number),
        "ts": event.ts_ns,
    }
    if event.state is not State.FILLED:
        return [match]
    return [match, {**figures, "status": "done", "type": "filled", "ts": event.ts_ns}]
