"""Luno's REST calls. Amounts are decimal strings with eight places, times are milliseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import BalanceChange, Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.luno.errors import refusal_of, refuse
from amarktai.twins.luno.rows import (
    fill_row,
    market_row,
    money,
    order_v1,
    order_v2,
    state_v1,
    statement_row,
)
from amarktai.twins.luno.wallets import account_id
from amarktai.twins.orders import Kind, Market, NewOrder, Order, Stop, TimeInForce
from amarktai.twins.rules import Reason, Refused

if TYPE_CHECKING:
    from amarktai.twins.luno.twin import LunoTwin

_CLIENT_ID: Final = re.compile(r"[0-9A-Za-z_;,.\-]{1,255}")
_DURATIONS: Final = frozenset({60, 300, 900, 1800, 3600, 10800, 14400, 28800, 86400, 259200, 604800})
_DAY_MS: Final = 86_400_000
_MS: Final = 1_000_000
_READ, _TRADE, _SEND = Permission.READ, Permission.TRADE, Permission.WITHDRAW


class LunoRest:
    """The handlers of one twin."""

    def __init__(self, twin: LunoTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return every endpoint that a trading client needs."""
        v1, exchange = "/api/1", "/api/exchange"
        return (
            Route("GET", f"{exchange}/1/markets", Operation.MARKETS, self.markets),
            Route("GET", f"{v1}/ticker", Operation.TICKER, self.ticker),
            Route("GET", f"{v1}/tickers", Operation.TICKER, self.tickers),
            Route("GET", f"{v1}/orderbook_top", Operation.BOOK, self.book_top),
            Route("GET", f"{v1}/orderbook", Operation.BOOK, self.book_full),
            Route("GET", f"{v1}/trades", Operation.TRADES, self.public_trades),
            Route("GET", f"{exchange}/1/candles", Operation.CANDLES, self.candles, _READ),
            Route("GET", f"{v1}/balance", Operation.BALANCES, self.balances, _READ),
            Route("GET", f"{v1}/fee_info", Operation.FEES, self.fee_info, _READ),
            Route("GET", v1 + "/accounts/{id}/transactions", Operation.STATEMENT, self.statement, _READ),
            Route("GET", v1 + "/accounts/{id}/pending", Operation.STATEMENT, self.pending, _READ),
            Route("GET", f"{exchange}/1/transfers", Operation.STATEMENT, self.transfers, _READ),
            Route("GET", f"{v1}/withdrawals", Operation.STATEMENT, self.withdrawals, _READ),
            Route("GET", f"{v1}/send/networks", Operation.MARKETS, self.networks, _READ),
            Route("POST", f"{v1}/address/validate", Operation.PERMISSIONS, self.validate, _SEND),
            Route("POST", f"{v1}/postorder", Operation.CREATE, self.post_order, _TRADE),
            Route("POST", f"{v1}/marketorder", Operation.CREATE, self.market_order, _TRADE),
            Route("POST", f"{v1}/stoporder", Operation.CANCEL, self.stop_order, _TRADE),
            Route("GET", v1 + "/orders/{id}", Operation.ORDER, self.order_v1, _READ),
            Route("GET", exchange + "/2/orders/{id}", Operation.ORDER, self.order_v2, _READ),
            Route("GET", f"{exchange}/3/order", Operation.ORDER, self.order_v3, _READ),
            Route("GET", f"{v1}/listorders", Operation.ORDER_HISTORY, self.orders_v1, _READ),
            Route("GET", f"{exchange}/2/listorders", Operation.OPEN_ORDERS, self.orders_v2, _READ),
            Route("GET", f"{v1}/listtrades", Operation.FILLS, self.fills, _READ),
        )

    # -- market data -----------------------------------------------------------------------------------

    def markets(self, call: Call) -> Answer:
        asked = set(_repeated(call, "pair"))
        rows = [market_row(call, m) for s, m in call.exchange.markets.items() if not asked or s in asked]
        return Answer({"markets": rows})

    def ticker(self, call: Call) -> Answer:
        return Answer(self._ticker(call, _market_of(call)))

    def tickers(self, call: Call) -> Answer:
        asked = set(_repeated(call, "pair"))
        rows = [self._ticker(call, m) for s, m in call.exchange.markets.items() if not asked or s in asked]
        return Answer({"tickers": rows})

    def _ticker(self, call: Call, market: Market) -> dict[str, Any]:
        book = call.exchange.books[market.symbol]
        bid, ask = book.bids.best(), book.asks.best()
        day = self._twin.candles[market.symbol].last_day(call.now_ns)
        return {
            "pair": market.symbol,
            "timestamp": call.now_ms,
            "bid": money(bid.price if bid else ZERO),
            "ask": money(ask.price if ask else ZERO),
            "last_trade": money(self._twin.last_price(market.symbol, call.exchange)),
            "rolling_24_hour_volume": money(day.volume if day else ZERO),
            "status": "DISABLED" if market.symbol in call.exchange.suspended else "ACTIVE",
        }

    def book_top(self, call: Call) -> Answer:
        """Return the best hundred levels a side, aggregated."""
        book = call.exchange.books[_market_of(call).symbol]
        sides = {
            name: [
                {"price": money(level.price), "volume": money(level.quantity)}
                for level, _ in zip(side.best_first(), range(100), strict=False)
            ]
            for name, side in (("asks", book.asks), ("bids", book.bids))
        }
        return Answer({**sides, "timestamp": call.now_ms})

    def book_full(self, call: Call) -> Answer:
        """Return every order, not aggregated."""
        book = call.exchange.books[_market_of(call).symbol]
        sides = {
            name: [{"price": money(o.price), "volume": money(o.remaining)} for o in side.orders()]
            for name, side in (("asks", book.asks), ("bids", book.bids))
        }
        return Answer({**sides, "timestamp": call.now_ms})

    def public_trades(self, call: Call) -> Answer:
        market = _market_of(call)
        since_ms = _whole(call, "since", call.now_ms - _DAY_MS)
        if since_ms < call.now_ms - _DAY_MS:
            raise refuse("ErrInvalidArguments")
        recent = [t for t in call.exchange.trades[market.symbol] if t.ts_ns >= since_ms * _MS][-100:]
        rows = [
            {
                "sequence": trade.number,
                "timestamp": trade.ts_ns // _MS,
                "price": money(trade.price),
                "volume": money(trade.quantity),
                "is_buy": trade.taker_side is Side.BUY,
            }
            for trade in reversed(recent)
        ]
        return Answer({"trades": rows})

    def candles(self, call: Call) -> Answer:
        market = _market_of(call)
        duration = _whole(call, "duration")
        if duration not in _DURATIONS:
            raise refuse("ErrInvalidArguments")
        since_ns = _whole(call, "since") * _MS
        found = self._twin.candles[market.symbol].of(duration, since_ns, call.now_ns + 1, 1000)
        rows = [
            {
                "timestamp": candle.ts_open_ns // _MS,
                "open": money(candle.open),
                "close": money(candle.close),
                "high": money(candle.high),
                "low": money(candle.low),
                "volume": money(candle.volume),
            }
            for candle in found
        ]
        return Answer({"candles": rows, "duration": duration, "pair": market.symbol})

    # -- the account -----------------------------------------------------------------------------------

    def balances(self, call: Call) -> Answer:
        asked = set(_repeated(call, "assets"))
        rows = [
            {
                "account_id": str(account_id(call.owner.key, asset)),
                "asset": asset,
                "balance": money(balance.total),
                "reserved": money(balance.held),
                "unconfirmed": money(ZERO),
                "name": f"{asset} wallet",
            }
            for asset, balance in call.exchange.balances.of(call.owner.key).items()
            if not asked or asset in asked
        ]
        return Answer({"balance": rows})

    def fee_info(self, call: Call) -> Answer:
        market = _market_of(call)
        maker, taker = money(market.maker_rate), money(market.taker_rate)
        return Answer(
            {
                "maker_fee": maker,
                "taker_fee": taker,
                "maker_fee_buy": maker,
                "maker_fee_sell": maker,
                "taker_fee_buy": taker,
                "taker_fee_sell": taker,
                "thirty_day_volume": money(ZERO),
            }
        )

    def statement(self, call: Call) -> Answer:
        """Return rows min_row to max_row (exclusive); counted from the end when not positive."""
        rows = self._statement_rows(call)
        low, high = _whole(call, "min_row"), _whole(call, "max_row")
        if high - low > 1000:
            raise refuse("ErrTooManyRowsRequested")
        if low <= 0 or high <= 0:
            low, high = len(rows) + min(low, 0) + 1, len(rows) + min(high, 0) + 1
        page = [row for row in call.listed(rows, high - low) if low <= row["row_index"] < high]
        return Answer({"id": call.parts["id"], "transactions": page})

    def pending(self, call: Call) -> Answer:
        self._statement_rows(call)
        return Answer({"id": call.parts["id"], "pending": []})

    def _statement_rows(self, call: Call) -> list[dict[str, Any]]:
        rows = self._moves_of_wallet(call, call.parts["id"])
        return [statement_row(ts_ns, change) for ts_ns, change in rows]

    def _moves_of_wallet(self, call: Call, wallet: str) -> list[tuple[int, BalanceChange]]:
        key = call.owner.key
        names = {str(account_id(key, asset)): asset for asset in call.exchange.balances.of(key)}
        if wallet not in names:
            raise refuse("ErrInvalidAccountID")
        moves = call.exchange.statement
        return [(t, c) for t, c in moves if c.account == key and c.asset == names[wallet]]

    def transfers(self, call: Call) -> Answer:
        """Return deposits and withdrawals of one wallet, newest first."""
        before_ms = _whole(call, "before", call.now_ms + 1)
        limit = _limit(call)
        moves = self._moves_of_wallet(call, call.params.get("account_id", ""))
        rows = [
            {
                "id": str(change.row),
                "amount": money(abs(change.total_delta)),
                "fee": money(ZERO),
                "created_at": ts_ns // _MS,
                "inbound": change.total_delta > 0,
                "transaction_id": change.reference,
            }
            for ts_ns, change in moves
            if change.kind in ("deposit", "withdrawal") and ts_ns // _MS < before_ms
        ]
        return Answer({"transfers": call.listed(rows, limit)[: -limit - 1 : -1]})

    def withdrawals(self, call: Call) -> Answer:
        return Answer({"withdrawals": []})

    def networks(self, call: Call) -> Answer:
        return Answer({"networks": [{"id": 1, "name": "Bitcoin", "native_currency": "XBT"}]})

    def validate(self, call: Call) -> Answer:
        """Answer a key that may send; the twin knows no address, so it allows none."""
        for name in ("address", "currency"):
            if not call.params.get(name):
                raise refuse("ErrInvalidArguments")
        raise refuse("ErrDisallowedTarget")

    # -- orders ----------------------------------------------------------------------------------------

    def post_order(self, call: Call) -> Answer:
        market = self._tradable(call)
        side = {"BID": Side.BUY, "ASK": Side.SELL}.get(call.params.get("type", ""))
        if side is None:
            raise refuse("ErrInvalidOrderSide")
        name = call.params.get("time_in_force") or "GTC"
        if name not in TimeInForce.__members__:
            raise refuse("ErrInvalidArguments")
        post_only = _flag(call, "post_only")
        if post_only and name != "GTC":
            raise refuse("ErrPostOnlyNotAllowed")
        price, volume = _amount(call, "price"), _amount(call, "volume")
        _check_price(market, price)
        _check_volume(market, volume)
        return self._submit(
            call,
            NewOrder(
                call.owner.key, market.symbol, side, Kind.LIMIT, volume, price=price,
                time_in_force=TimeInForce(name), post_only=post_only, client_id=_client_id(call),
                stop=self._stop(call, market),
            ),
        )  # fmt: skip

    def market_order(self, call: Call) -> Answer:
        market = self._tradable(call)
        client_id = _client_id(call)
        match call.params.get("type"):
            case "BUY":
                spend = _amount(call, "counter_volume", "ErrInvalidCounterVolume")
                wish = NewOrder(
                    call.owner.key, market.symbol, Side.BUY, Kind.MARKET, quote_quantity=spend,
                    time_in_force=TimeInForce.IOC, client_id=client_id,
                )  # fmt: skip
            case "SELL":
                volume = _amount(call, "base_volume", "ErrInvalidBaseVolume")
                _check_volume(market, volume)
                wish = NewOrder(
                    call.owner.key, market.symbol, Side.SELL, Kind.MARKET, volume,
                    time_in_force=TimeInForce.IOC, client_id=client_id,
                )  # fmt: skip
            case _:
                raise refuse("ErrInvalidOrderSide")
        return self._submit(call, wish)

    def _tradable(self, call: Call) -> Market:
        market = _market_of(call)
        _check_deadline(call)
        if market.symbol in call.exchange.suspended:
            raise refuse("ErrMarketUnavailable")
        wallets = {str(account_id(call.owner.key, asset)) for asset in (market.base, market.quote)}
        for name in ("base_account_id", "counter_account_id"):
            if call.params.get(name, "0") not in wallets | {"0", ""}:
                raise refuse("ErrInvalidAccountID")
        return market

    def _stop(self, call: Call, market: Market) -> Stop | None:
        if not call.params.get("stop_price"):
            return None
        price = _amount(call, "stop_price", "ErrInvalidStopPrice")
        match call.params.get("stop_direction"):
            case "ABOVE":
                return Stop(price, rises=True)
            case "BELOW":
                return Stop(price, rises=False)
            case "RELATIVE_LAST_TRADE":
                return Stop(price, rises=price > self._twin.last_price(market.symbol))
            case _:
                raise refuse("ErrInvalidStopDirection")

    def _submit(self, call: Call, wish: NewOrder) -> Answer:
        try:
            return Answer({"order_id": call.exchange.submit(wish, call.now_ns).id})
        except Refused as refusal:
            raise refusal_of(refusal.reason) from refusal

    def stop_order(self, call: Call) -> Answer:
        order = call.order(call.params.get("order_id", ""))
        if order is None:
            raise refusal_of(Reason.NOT_LIVE)
        try:
            call.exchange.cancel(order, call.now_ns)
        except Refused as refusal:
            raise refusal_of(refusal.reason) from refusal
        return Answer({"success": True})

    def order_v1(self, call: Call) -> Answer:
        return Answer(order_v1(self._found(call.order(call.parts["id"])), call.exchange.markets))

    def order_v2(self, call: Call) -> Answer:
        return Answer(order_v2(self._found(call.order(call.parts["id"])), call.exchange.markets))

    def order_v3(self, call: Call) -> Answer:
        order_id, client_id = call.params.get("id"), call.params.get("client_order_id")
        if bool(order_id) == bool(client_id):
            raise refuse("ErrInvalidArguments")
        order = call.order(order_id) if order_id else call.order_by_client_id(client_id or "")
        return Answer(order_v2(self._found(order), call.exchange.markets))

    def _found(self, order: Order | None) -> Order:
        if order is None:
            raise refuse("ErrOrderNotFound")
        return order

    def orders_v1(self, call: Call) -> Answer:
        state = call.params.get("state")
        if state not in (None, "", "PENDING", "COMPLETE"):
            raise refuse("ErrInvalidArguments")
        rows = [o for o in self._orders(call) if not state or state_v1(o) == state]
        markets = call.exchange.markets
        return Answer({"orders": [order_v1(order, markets) for order in _newest(call, rows)]})

    def orders_v2(self, call: Call) -> Answer:
        is_closed = _flag(call, "closed")
        rows = [o for o in self._orders(call) if o.is_live is not is_closed]
        markets = call.exchange.markets
        return Answer({"orders": [order_v2(order, markets) for order in _newest(call, rows)]})

    def _orders(self, call: Call) -> list[Order]:
        pair, before_ms = call.params.get("pair"), _whole(call, "created_before", call.now_ms + 1)
        return [
            order
            for order in call.exchange.orders_of[call.owner.key]
            if pair in (None, "", order.wish.market) and order.created_ns // _MS < before_ms
        ]

    def fills(self, call: Call) -> Answer:
        market, limit = _market_of(call), _limit(call)
        since_ms, before_ms = _whole(call, "since", 0), _whole(call, "before", call.now_ms + 1)
        first, end = _whole(call, "after_seq", 0), _whole(call, "before_seq", 1 << 62)
        rows = [
            fill
            for fill in call.exchange.fills_of[call.owner.key]
            if fill.trade.market == market.symbol
            and since_ms <= fill.trade.ts_ns // _MS < before_ms
            and first <= fill.trade.number < end
        ]
        rows = call.listed(rows, limit)
        if _flag(call, "sort_desc") or call.params.get("before"):
            rows.reverse()
        return Answer({"trades": [fill_row(fill, market) for fill in rows[:limit]]})


# -- parameters ----------------------------------------------------------------------------------------


def _market_of(call: Call) -> Market:
    market = call.exchange.markets.get(call.params.get("pair", ""))
    if market is None:
        raise refuse("ErrInvalidMarketPair")
    return market


def _repeated(call: Call, name: str) -> list[str]:
    """Return the values of a parameter that may be given several times or as a list with commas."""
    return [part for value in call.all(name) for part in value.split(",") if part]


def _whole(call: Call, name: str, default: int | None = None) -> int:
    text = call.params.get(name)
    if not text and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError as bad:
        raise refuse("ErrInvalidArguments") from bad


def _limit(call: Call) -> int:
    limit = _whole(call, "limit", 100)
    if not 1 <= limit <= 1000:
        raise refuse("ErrLimitOutOfRange")
    return limit


def _newest(call: Call, rows: list[Order]) -> list[Order]:
    limit = _limit(call)
    return call.listed(rows, limit)[: -limit - 1 : -1]


def _flag(call: Call, name: str) -> bool:
    return call.params.get(name, "").lower() in ("true", "1")


def _amount(call: Call, name: str, code: str = "ErrInvalidArguments") -> Decimal:
    try:
        amount = Decimal(call.params.get(name, ""))
    except InvalidOperation as bad:
        raise refuse(code) from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse(code)
    return amount


def _client_id(call: Call) -> str:
    client_id = call.params.get("client_order_id", "")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise refuse("ErrInvalidClientOrderId")
    return client_id


def _check_deadline(call: Call) -> None:
    if not call.params.get("timestamp"):
        return
    ttl = _whole(call, "ttl", 10_000)
    if not 1 <= ttl <= 10_000:
        raise refuse("ErrInvalidArguments")
    if call.now_ms > _whole(call, "timestamp") + ttl:
        raise refuse("ErrDeadlineExceeded")


def _check_price(market: Market, price: Decimal) -> None:
    if price % market.tick:
        raise refuse("ErrPriceDenominationNotAllowed")
    if price > market.start_price * 100:
        raise refuse("ErrPriceTooHigh")


def _check_volume(market: Market, volume: Decimal) -> None:
    if volume % market.lot:
        raise refuse("ErrVolumeDenominationNotAllowed")
    if volume < market.min_quantity:
        raise refuse("ErrVolumeTooLow")
    if volume > market.max_quantity:
        raise refuse("ErrVolumeTooHigh")
