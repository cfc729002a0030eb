"""Luno's two streams: one market's orders, and what happens to the caller's own."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

import orjson

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Account, BalanceChange, Permission
from amarktai.twins.calls import Refusal
from amarktai.twins.faults import Operation
from amarktai.twins.luno.errors import refuse
from amarktai.twins.luno.rows import money, status
from amarktai.twins.luno.wallets import account_id
from amarktai.twins.matching import Event
from amarktai.twins.orders import BookChange, Change, Fill, OrderChange, State
from amarktai.twins.streams import Connection

if TYPE_CHECKING:
    from amarktai.twins.luno.twin import LunoTwin
    from amarktai.twins.twin import Listener

_MARKET_PATH: Final = "/api/1/stream/"
_USER_PATH: Final = "/api/1/userstream"
#: The user stream's topic; market streams have their pair.
_USER: Final = "user"
_REPLAYED_NS: Final = 300_000_000_000
_SESSIONS: Final = 50
_MS: Final = 1_000_000
_Own = OrderChange | BalanceChange


class LunoStreams:
    """Serves both kinds of connection of one twin."""

    def __init__(self, twin: LunoTwin) -> None:
        self._twin = twin
        self._recent: dict[str, deque[tuple[int, _Own]]] = defaultdict(deque)

    def listener(self, path: str) -> Listener | None:
        pair = path.removeprefix(_MARKET_PATH)
        if path == _USER_PATH:
            return self._serve_user
        if pair != path and pair in self._twin.exchange.markets:
            return self._serve_market
        return None

    async def _serve_market(self, connection: Connection) -> None:
        if await self._sign_in(connection) is None:
            return
        pair = connection.socket.url.path.removeprefix(_MARKET_PATH)
        connection.reply(self._snapshot(pair))
        connection.topics[pair] = True
        await _until_closed(connection)

    async def _serve_user(self, connection: Connection) -> None:
        account = await self._sign_in(connection)
        if account is None:
            return
        if not account.allows(Permission.READ):
            connection.cut_off()
            return
        horizon = self._twin.clock.now_ns() - _REPLAYED_NS
        for ts_ns, event in self._recent[account.key]:
            if ts_ns >= horizon:
                for frame in _own_frames(event, ts_ns):
                    connection.push(frame, Operation.ACCOUNT_STREAM)
        connection.topics[_USER] = True
        await _until_closed(connection)

    async def _sign_in(self, connection: Connection) -> Account | None:
        """Read the first frame, which must hold the key; None (and a cut) when it is not good."""
        try:
            asked = orjson.loads(await connection.socket.receive_text())
            key, secret = str(asked["api_key_id"]), str(asked["api_key_secret"])
            account = self._twin.account_of(key, secret, connection.address)
            if len(self._twin.connections_of(key)) >= _SESSIONS:
                connection.reply({"error": "session limit exceeded"})
                raise refuse("ErrTooManyRequests")
        except (orjson.JSONDecodeError, KeyError, TypeError, Refusal):
            connection.cut_off()
            return None
        connection.account = account
        return account

    def _snapshot(self, pair: str) -> dict[str, Any]:
        book = self._twin.exchange.books[pair]
        sides = {
            name: [
                {"id": order.id, "price": money(order.price), "volume": money(order.remaining)}
                for order in side.orders()
            ]
            for name, side in (("asks", book.asks), ("bids", book.bids))
        }
        is_suspended = pair in self._twin.exchange.suspended
        return {
            "sequence": str(book.sequence),
            **sides,
            "status": "DISABLED" if is_suspended else "ACTIVE",
            "timestamp": self._twin.clock.now_ns() // _MS,
        }

    # -- what happens ----------------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Send what the event means to whoever listens to it."""
        if isinstance(event, BookChange):
            self._on_book(event)
            return
        key = event.order.wish.account if isinstance(event, OrderChange) else event.account
        now_ns = self._twin.clock.now_ns()
        recent = self._recent[key]
        recent.append((now_ns, event))
        listeners = [c for c in self._twin.connections_of(key) if _USER in c.topics]
        for frame in _own_frames(event, now_ns) if listeners else ():
            for connection in listeners:
                connection.push(frame, Operation.ACCOUNT_STREAM)
        while recent and recent[0][0] < now_ns - _REPLAYED_NS:
            recent.popleft()

    def _on_book(self, change: BookChange) -> None:
        listeners = [c for c in self._twin.connections if change.market in c.topics]
        if not listeners:
            return
        frame = _book_frame(change)
        for connection in listeners:
            connection.push(frame, Operation.MARKET_STREAM)


async def _until_closed(connection: Connection) -> None:
    """Read and ignore what the client sends (keep-alives) until it leaves."""
    while True:
        await connection.socket.receive_text()


def _book_frame(change: BookChange) -> dict[str, Any]:
    created = None
    if change.created is not None:
        order_id, side, price, volume = change.created
        kind = "BID" if side is Side.BUY else "ASK"
        created = {"order_id": order_id, "type": kind, "price": money(price), "volume": money(volume)}
    trades = [
        {
            "sequence": trade.number,
            "base": money(trade.quantity),
            "counter": money(trade.notional),
            "maker_order_id": trade.maker_order,
            "taker_order_id": trade.taker_order,
        }
        for trade in change.trades
    ]
    return {
        "sequence": str(change.sequence),
        "trade_updates": trades or None,
        "create_update": created,
        "delete_update": None if change.deleted is None else {"order_id": change.deleted},
        "status_update": None,
        "timestamp": change.ts_ns // _MS,
    }


def _own_frames(event: _Own, ts_ns: int) -> list[dict[str, Any]]:
    """Return the user stream's frames of an event; they are made only when somebody listens."""
    frames = _order_frames(event) if isinstance(event, OrderChange) else [_balance_frame(event)]
    return [{"timestamp": ts_ns // _MS, **frame} for frame in frames]


def _order_frames(event: OrderChange) -> list[dict[str, Any]]:
    frames = []
    wish, order_id = event.order.wish, event.order.id
    head = {"order_id": order_id, "client_order_id": wish.client_id, "market_id": wish.market}
    if event.fill is not None:
        frames.append(_frame("order_fill", order_fill_update={**head, **_fill_figures(event, event.fill)}))
    if event.change is not Change.FILLED or event.state is State.FILLED:
        frames.append(_frame("order_status", order_status_update={**head, "status": status(event.state)}))
    return frames


def _fill_figures(event: OrderChange, fill: Fill) -> dict[str, str]:
    """Return sums and deltas of one fill; the fees' sums are those up to and with it."""
    fees = sum((f.fee for f in event.order.fills if f.trade.number <= fill.trade.number), ZERO)
    is_base = fill.side is Side.BUY
    base_fee, counter_fee = (fees, ZERO) if is_base else (ZERO, fees)
    base_delta, counter_delta = (fill.fee, ZERO) if is_base else (ZERO, fill.fee)
    return {
        "base_fill": money(event.filled),
        "counter_fill": money(event.filled_quote),
        "base_delta": money(fill.trade.quantity),
        "counter_delta": money(fill.trade.notional),
        "base_fee": money(base_fee),
        "counter_fee": money(counter_fee),
        "base_fee_delta": money(base_delta),
        "counter_fee_delta": money(counter_delta),
    }


def _balance_frame(change: BalanceChange) -> dict[str, Any]:
    return _frame(
        "balance_update",
        balance_update={
            "account_id": account_id(change.account, change.asset),
            "row_index": change.row,
            "balance": money(change.total),
            "balance_delta": money(change.total_delta),
            "available": money(change.total - change.held),
            "available_delta": money(change.total_delta - change.held_delta),
        },
    )


def _frame(kind: str, **update: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("order_status_update", "order_fill_update", "balance_update"))
    return {"type": kind, **empty, **update}
