# long: one handler per endpoint of one exchange, then the rows that they print.
"""KuCoin's REST calls. Amounts are plain decimal strings, times milliseconds unless the field says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import orjson

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Account, BalanceChange, Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.candles import Candle
from amarktai.twins.faults import Operation
from amarktai.twins.kucoin.errors import ok, refusal_of, refuse
from amarktai.twins.kucoin.switch import Switch
from amarktai.twins.matching import Reason, Refused
from amarktai.twins.orders import Fill, Kind, Market, NewOrder, Order, State, Stop, TimeInForce

if TYPE_CHECKING:
    from amarktai.twins.kucoin.twin import KucoinTwin

_CLIENT_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,40}")
_MS: Final = 1_000_000
_NS: Final = 1_000_000_000
#: Without 1month: a twin has no calendar months.
CANDLE_TYPES: Final = {
    "1min": 60, "3min": 180, "5min": 300, "15min": 900, "30min": 1800, "1hour": 3600, "2hour": 7200,
    "4hour": 14400, "6hour": 21600, "8hour": 28800, "12hour": 43200, "1day": 86400, "1week": 604800,
}  # fmt: skip
_READ, _TRADE = Permission.READ, Permission.TRADE
_WORDS: Final = {
    Permission.READ: "General",
    Permission.TRADE: "Spot",
    Permission.TRANSFER: "InnerTransfer",
    Permission.WITHDRAW: "Transfer",
}


def plain(amount: Decimal) -> str:
    """Return an amount as KuCoin prints it: no exponent, no trailing zeros."""
    return f"{amount.normalize():f}" if amount else "0"


class KucoinRest:
    """The handlers of one twin."""

    def __init__(self, twin: KucoinTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return every endpoint that a trading client needs."""
        return (*self._market_routes(), *self._account_routes(), *self._order_routes())

    def _market_routes(self) -> Sequence[Route]:
        v1 = "/api/v1"
        return (
            Route("GET", f"{v1}/timestamp", Operation.TIME, lambda call: ok(call.now_ms), weight=3),
            Route("GET", f"{v1}/status", Operation.TIME, self.status, weight=3),
            Route("GET", "/api/v2/symbols", Operation.MARKETS, self.symbols, weight=4),
            Route("GET", "/api/v2/symbols/{symbol}", Operation.MARKETS, self.symbol, weight=4),
            Route("GET", "/api/v3/currencies", Operation.MARKETS, self.currencies, weight=3),
            Route("GET", "/api/v3/margin/symbols", Operation.MARKETS, self.no_margin, weight=3),
            Route("GET", f"{v1}/isolated/symbols", Operation.MARKETS, lambda _: ok([]), _READ, 3),
            Route("GET", f"{v1}/market/stats", Operation.TICKER, self.stats, weight=15),
            Route("GET", f"{v1}/market/allTickers", Operation.TICKER, self.all_tickers, weight=15),
            Route("GET", f"{v1}/market/orderbook/level1", Operation.TICKER, self.level1, weight=2),
            Route("GET", v1 + "/market/orderbook/level2_{size}", Operation.BOOK, self.part_book, weight=2),
            Route("GET", "/api/v3/market/orderbook/level2", Operation.BOOK, self.full_book, _READ, 3),
            Route("GET", f"{v1}/market/histories", Operation.TRADES, self.trades, weight=3),
            Route("GET", f"{v1}/market/candles", Operation.CANDLES, self.candles, weight=3),
            Route("POST", f"{v1}/bullet-public", Operation.STREAM_TOKEN, self.bullet, weight=10),
            Route("POST", f"{v1}/bullet-private", Operation.STREAM_TOKEN, self.bullet, _READ, 10),
        )

    def _account_routes(self) -> Sequence[Route]:
        v1 = "/api/v1"
        return (
            Route("GET", "/api/ua/v1/account/mode", Operation.PERMISSIONS, self.mode, _READ),
            Route("GET", f"{v1}/hf/accounts/opened", Operation.PERMISSIONS, lambda _: ok(True), _READ, 2),
            Route("GET", f"{v1}/user/api-key", Operation.PERMISSIONS, self.key_info, _READ, 20),
            Route("GET", f"{v1}/accounts", Operation.BALANCES, self.accounts, _READ, 5),
            Route("GET", v1 + "/accounts/{id}", Operation.BALANCES, self.account, _READ, 5),
            Route("GET", f"{v1}/base-fee", Operation.FEES, self.base_fee, _READ, 3),
            Route("GET", f"{v1}/trade-fees", Operation.FEES, self.trade_fees, _READ, 3),
            Route("GET", f"{v1}/hf/accounts/ledgers", Operation.STATEMENT, self.ledgers, _READ, 2),
            Route("GET", f"{v1}/deposits", Operation.STATEMENT, self.deposits, _READ, 5),
            Route("GET", f"{v1}/withdrawals", Operation.STATEMENT, self.withdrawals, _READ, 20),
        )

    def _order_routes(self) -> Sequence[Route]:
        hf, stop = "/api/v1/hf/orders", "/api/v1/stop-order"
        create, cancel, every = Operation.CREATE, Operation.CANCEL, Operation.CANCEL_ALL
        return (
            Route("POST", hf, create, self.place, _TRADE),
            Route("POST", f"{hf}/sync", create, self.place_sync, _TRADE),
            Route("POST", f"{hf}/test", Operation.PERMISSIONS, self.place_test, _TRADE),
            Route("DELETE", hf + "/{id}", cancel, self.cancel, _TRADE),
            Route("DELETE", hf + "/sync/{id}", cancel, self.cancel_sync, _TRADE),
            Route("DELETE", hf + "/client-order/{cid}", cancel, self.cancel, _TRADE),
            Route("DELETE", hf + "/sync/client-order/{cid}", cancel, self.cancel_sync, _TRADE),
            Route("DELETE", f"{hf}/cancelAll", every, self.cancel_everything, _TRADE, 30),
            Route("DELETE", hf, every, self.cancel_symbol, _TRADE, 2),
            Route("GET", f"{hf}/active", Operation.OPEN_ORDERS, self.active, _READ, 2),
            Route("GET", f"{hf}/active/page", Operation.OPEN_ORDERS, self.active_page, _READ, 2),
            Route("GET", f"{hf}/active/symbols", Operation.OPEN_ORDERS, self.active_symbols, _READ, 2),
            Route("GET", f"{hf}/done", Operation.ORDER_HISTORY, self.done, _READ, 2),
            Route("GET", f"{hf}/dead-cancel-all/query", Operation.ORDER, self.switch, _READ, 2),
            Route("POST", f"{hf}/dead-cancel-all", every, self.set_switch, _TRADE, 2),
            Route("GET", hf + "/client-order/{cid}", Operation.ORDER, self.order, _READ, 2),
            Route("GET", hf + "/{id}", Operation.ORDER, self.order, _READ, 2),
            Route("GET", "/api/v1/hf/fills", Operation.FILLS, self.fills, _READ, 2),
            Route("POST", stop, create, self.place_stop, _TRADE),
            Route("DELETE", f"{stop}/cancelOrderByClientOid", cancel, self.cancel_stop_by_cid, _TRADE, 5),
            Route("DELETE", f"{stop}/cancel", every, self.cancel_stops, _TRADE, 3),
            Route("DELETE", stop + "/{id}", cancel, self.cancel_stop, _TRADE, 3),
            Route("GET", stop, Operation.OPEN_ORDERS, self.stops, _READ, 8),
            Route("GET", f"{stop}/queryOrderByClientOid", Operation.ORDER, self.stop_by_cid, _READ, 3),
            Route("GET", stop + "/{id}", Operation.ORDER, self.stop_order, _READ, 3),
        )

    # -- market data -----------------------------------------------------------------------------------

    def status(self, call: Call) -> Answer:
        return ok({"status": "open", "msg": ""})

    def symbols(self, call: Call) -> Answer:
        return ok([_symbol_row(call, market) for market in call.exchange.markets.values()])

    def symbol(self, call: Call) -> Answer:
        return ok(_symbol_row(call, _market(call, call.parts["symbol"])))

    def currencies(self, call: Call) -> Answer:
        assets = {asset for m in call.exchange.markets.values() for asset in (m.base, m.quote)}
        return ok([_currency_row(asset) for asset in sorted(assets)])

    def no_margin(self, call: Call) -> Answer:
        return ok({"timestamp": call.now_ms, "items": []})

    def stats(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        return ok({"time": call.now_ms, **self._stats_row(call, market)})

    def all_tickers(self, call: Call) -> Answer:
        rows = [
            {"symbolName": market.symbol, **self._stats_row(call, market)}
            for market in call.exchange.markets.values()
        ]
        return ok({"time": call.now_ms, "ticker": rows})

    def _stats_row(self, call: Call, market: Market) -> dict[str, Any]:
        day = self._twin.candles[market.symbol].last_day(call.now_ns)
        last = self._twin.last_price(market.symbol, call.exchange)
        book = call.exchange.books[market.symbol]
        bid, ask = book.bids.best(), book.asks.best()
        figures = _day_figures(day, last)
        return {
            "symbol": market.symbol,
            "buy": plain(bid.price) if bid else None,
            "sell": plain(ask.price) if ask else None,
            "bestBidSize": plain(bid.quantity) if bid else None,
            "bestAskSize": plain(ask.quantity) if ask else None,
            **figures,
            "last": plain(last),
            "takerFeeRate": plain(market.taker_rate),
            "makerFeeRate": plain(market.maker_rate),
            "takerCoefficient": "1",
            "makerCoefficient": "1",
        }

    def level1(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        return ok({"time": call.now_ms, **ticker_row(call, market)})

    def part_book(self, call: Call) -> Answer:
        size = call.parts["size"]
        if size not in ("20", "100"):
            raise refuse("404000")
        return ok(book_rows(call, _market(call, call.params.get("symbol", "")), int(size)))

    def full_book(self, call: Call) -> Answer:
        return ok(book_rows(call, _market(call, call.params.get("symbol", "")), 1 << 30))

    def trades(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        rows = [
            {
                "sequence": str(trade.number),
                "price": plain(trade.price),
                "size": plain(trade.quantity),
                "side": trade.taker_side.value,
                "time": trade.ts_ns,
            }
            for trade in call.exchange.trades[market.symbol][-100:]
        ]
        return ok(rows)

    def candles(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        seconds = CANDLE_TYPES.get(call.params.get("type", ""))
        if seconds is None:
            raise refuse("400100", "Incorrect candlestick type.")
        until_ns = _whole(call, "endAt", call.now_ns // _NS + 1) * _NS
        since_ns = _whole(call, "startAt", 0) * _NS
        found = self._twin.candles[market.symbol]
        rows = (
            found.of(seconds, since_ns, until_ns, 1 << 30)[-1500:]
            if since_ns
            else found.latest(seconds, 1500, min(until_ns, call.now_ns))
        )
        return ok([candle_row(candle) for candle in reversed(rows)])

    def bullet(self, call: Call) -> Answer:
        token = self._twin.streams.new_token(call.account)
        server = {
            "endpoint": self._twin.base_url.replace("http", "ws", 1) + "/",
            "encrypt": False,
            "protocol": "websocket",
            "pingInterval": 18_000,
            "pingTimeout": 10_000,
        }
        return ok({"token": token, "instanceServers": [server]})

    # -- the account -----------------------------------------------------------------------------------

    def mode(self, call: Call) -> Answer:
        return ok({"selfAccountMode": "CLASSIC"})

    def key_info(self, call: Call) -> Answer:
        account = call.owner
        words = [word for permission, word in _WORDS.items() if account.allows(permission)]
        return ok(
            {
                "remark": "twin",
                "apiKey": account.key,
                "apiVersion": 3,
                "permission": ",".join(words),
                "ipWhitelist": ",".join(account.ip_allow),
                "createdAt": 1_729_577_515_444,
                "uid": user_id(account),
                "isMaster": True,
            }
        )

    def accounts(self, call: Call) -> Answer:
        """Return the trading account's balances; a twin's main account is empty and has no rows."""
        kind, currency = call.params.get("type"), call.params.get("currency")
        if kind not in (None, "", "trade"):
            return ok([])
        rows = [
            {
                "id": wallet_id(call.owner, asset),
                "currency": asset,
                "type": "trade",
                "balance": plain(balance.total),
                "available": plain(balance.available),
                "holds": plain(balance.held),
            }
            for asset, balance in call.exchange.balances.of(call.owner.key).items()
            if currency in (None, "", asset)
        ]
        return ok(rows)

    def account(self, call: Call) -> Answer:
        for asset, balance in call.exchange.balances.of(call.owner.key).items():
            if wallet_id(call.owner, asset) == call.parts["id"]:
                figures = {
                    "balance": plain(balance.total),
                    "available": plain(balance.available),
                    "holds": plain(balance.held),
                }
                return ok({"currency": asset, **figures})
        raise refuse("400100", "account not exist")

    def base_fee(self, call: Call) -> Answer:
        market = next(iter(call.exchange.markets.values()))
        rates = {"takerFeeRate": plain(market.taker_rate), "makerFeeRate": plain(market.maker_rate)}
        return ok(rates)

    def trade_fees(self, call: Call) -> Answer:
        markets = [_market(call, symbol) for symbol in call.params.get("symbols", "").split(",")]
        rows = [
            {
                "symbol": market.symbol,
                "takerFeeRate": plain(market.taker_rate),
                "makerFeeRate": plain(market.maker_rate),
            }
            for market in markets
        ]
        return ok(rows)

    def ledgers(self, call: Call) -> Answer:
        currency = call.params.get("currency")
        moves = [
            (number, ts_ns, change)
            for number, (ts_ns, change) in enumerate(call.exchange.statement, start=1)
            if change.account == call.owner.key
            and change.total_delta
            and currency in (None, "", change.asset)
        ]
        page = _newest_before(call, moves, 100, lambda move: move[0])
        return ok([_ledger_row(*move) for move in page])

    def deposits(self, call: Call) -> Answer:
        return ok(self._transfers(call, "deposit"))

    def withdrawals(self, call: Call) -> Answer:
        return ok(self._transfers(call, "withdrawal"))

    def _transfers(self, call: Call, kind: str) -> dict[str, Any]:
        currency = call.params.get("currency")
        rows = [
            {
                "currency": change.asset,
                "chain": change.asset.lower(),
                "status": "SUCCESS",
                "address": "",
                "memo": "",
                "isInner": False,
                "amount": plain(abs(change.total_delta)),
                "fee": "0",
                "walletTxId": f"{change.asset}-{change.row}",
                "createdAt": ts_ns // _MS,
                "updatedAt": ts_ns // _MS,
                "remark": change.reference,
                "arrears": False,
            }
            for ts_ns, change in call.exchange.statement
            if change.account == call.owner.key
            and change.kind == kind
            and currency in (None, "", change.asset)
        ]
        return _paged(call, rows)

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, call: Call) -> Answer:
        order = self._submit(call, self._wish(call, _body(call)))
        return ok({"orderId": order.id, "clientOid": order.wish.client_id})

    def place_sync(self, call: Call) -> Answer:
        order = self._submit(call, self._wish(call, _body(call)))
        return ok(
            {
                "orderId": order.id,
                "clientOid": order.wish.client_id,
                "orderTime": order.created_ns // _MS,
                "originSize": plain(order.quantity),
                **_sizes(order),
                "status": "open" if order.is_live else "done",
                "matchTime": order.updated_ns // _MS,
            }
        )

    def place_test(self, call: Call) -> Answer:
        wish = self._wish(call, _body(call))
        return ok({"orderId": self._twin.new_order_id(0), "clientOid": wish.client_id})

    def place_stop(self, call: Call) -> Answer:
        """Place a stop order; without ``stop`` the side of the last price decides between loss and entry.

        A stop that fires goes on under its own id here; what KuCoin calls the order then is not documented.
        """
        asked = _body(call)
        market = _market(call, str(asked.get("symbol", "")), "400600")
        price = _amount(asked, "stopPrice")
        kind = asked.get("stop") or ("entry" if price > self._twin.last_price(market.symbol) else "loss")
        if kind not in ("loss", "entry"):
            raise refuse("400100", "stop must be loss or entry")
        order = self._submit(call, self._wish(call, asked, Stop(price, rises=kind == "entry")))
        return ok({"orderId": order.id, "clientOid": order.wish.client_id})

    def _submit(self, call: Call, wish: NewOrder) -> Order:
        try:
            return call.exchange.submit(wish, call.now_ns)
        except Refused as refusal:
            raise refusal_of(refusal.reason) from refusal

    def _wish(self, call: Call, asked: dict[str, Any], stop: Stop | None = None) -> NewOrder:
        market = _market(call, str(asked.get("symbol", "")), "400600")
        if market.symbol in call.exchange.suspended:
            raise refuse("200001")
        side, kind = asked.get("side"), asked.get("type", "limit")
        if side not in ("buy", "sell") or kind not in ("limit", "market"):
            raise refuse("400100", "side must be buy or sell, type limit or market")
        name = asked.get("timeInForce") or "GTC"
        post_only = bool(asked.get("postOnly"))
        if name not in TimeInForce.__members__ or (post_only and name != "GTC"):
            raise refuse("400100", "timeInForce is not supported with this order")
        quantity, funds = _quantities(asked, market, kind)
        price = _price(asked, market) if kind == "limit" else None
        worth = funds or (quantity or ZERO) * (price or self._twin.last_price(market.symbol))
        if worth < market.min_notional:
            raise refuse(
                "600101", f"The order funds should more then {plain(market.min_notional)} {market.quote}."
            )
        return NewOrder(
            call.owner.key, market.symbol, Side(side), Kind(kind), quantity, funds, price,
            TimeInForce(name if kind == "limit" else "IOC"), post_only,
            _client_id(asked) or self._twin.rng.bytes(12).hex(), stop,
            {"remark": asked.get("remark"), "tags": asked.get("tags"), "tif": name},
        )  # fmt: skip

    def cancel(self, call: Call) -> Answer:
        order = self._cancelled(call, self._asked(call, is_cancel=True))
        return ok({"clientOid": order.wish.client_id} if "cid" in call.parts else {"orderId": order.id})

    def cancel_sync(self, call: Call) -> Answer:
        order = self._cancelled(call, self._asked(call, is_cancel=True))
        head = {"clientOid": order.wish.client_id} if "cid" in call.parts else {"orderId": order.id}
        return ok({**head, "originSize": plain(order.quantity), **_sizes(order), "status": "done"})

    def _cancelled(self, call: Call, order: Order) -> Order:
        try:
            return call.exchange.cancel(order, call.now_ns)
        except Refused as refusal:
            raise refusal_of(refusal.reason) from refusal

    def _asked(self, call: Call, *, is_cancel: bool = False) -> Order:
        symbol = call.params.get("symbol")
        if not symbol:
            raise refuse("400100", "symbol is required")
        client_id = call.parts.get("cid")
        order = call.order_by_client_id(client_id) if client_id else call.order(call.parts["id"])
        if order is None or order.wish.market != symbol or _is_waiting_stop(order):
            if is_cancel:
                raise refusal_of(Reason.NOT_LIVE)
            raise refuse("400100", "The order does not exist.")
        return order

    def cancel_symbol(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        for order in call.exchange.live_orders(call.owner.key, market.symbol):
            if not _is_waiting_stop(order):
                call.exchange.cancel(order, call.now_ns)
        return ok("success")

    def cancel_everything(self, call: Call) -> Answer:
        live = [o for o in call.exchange.live_orders(call.owner.key) if not _is_waiting_stop(o)]
        for order in live:
            call.exchange.cancel(order, call.now_ns)
        return ok({"succeedSymbols": sorted({o.wish.market for o in live}), "failedSymbols": []})

    def order(self, call: Call) -> Answer:
        order = self._asked(call)
        return ok(order_row(order, call.exchange.markets[order.wish.market]))

    def active(self, call: Call) -> Answer:
        return ok(self._active_rows(call))

    def active_page(self, call: Call) -> Answer:
        return ok(_paged(call, self._active_rows(call)[::-1], number="pageNum"))

    def _active_rows(self, call: Call) -> list[dict[str, Any]]:
        market = _market(call, call.params.get("symbol", ""))
        live = [
            order
            for order in call.exchange.live_orders(call.owner.key, market.symbol)
            if not _is_waiting_stop(order)
        ]
        return [order_row(order, market) for order in reversed(call.listed(live, 20))]

    def active_symbols(self, call: Call) -> Answer:
        live = call.exchange.live_orders(call.owner.key)
        return ok({"symbols": sorted({o.wish.market for o in live if not _is_waiting_stop(o)})})

    def done(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        since, until = _whole(call, "startAt", 0), _whole(call, "endAt", call.now_ms)
        side, kind = call.params.get("side"), call.params.get("type")
        ended = [
            order
            for order in call.exchange.orders_of[call.owner.key]
            if order.wish.market == market.symbol
            and not order.is_live
            and side in (None, "", order.wish.side.value)
            and kind in (None, "", order.wish.kind.value)
            and since <= order.created_ns // _MS <= until
        ]
        page = _newest_before(call, ended, 20, lambda order: order.number)
        last = page[-1].number if page else 0
        return ok({"lastId": last, "items": [order_row(order, market) for order in page]})

    def fills(self, call: Call) -> Answer:
        market = _market(call, call.params.get("symbol", ""))
        since, until = _whole(call, "startAt", 0), _whole(call, "endAt", call.now_ms)
        order_id, side = call.params.get("orderId"), call.params.get("side")
        found = [
            (number, fill)
            for number, fill in enumerate(call.exchange.fills_of[call.owner.key], start=1)
            if fill.trade.market == market.symbol
            and order_id in (None, "", fill.order_id)
            and side in (None, "", fill.side.value)
            and since <= fill.trade.ts_ns // _MS <= until
        ]
        page = _newest_before(call, found, 20, lambda row: row[0])
        rows = [_fill_row(call, number, fill, market) for number, fill in page]
        return ok({"items": rows, "lastId": page[-1][0] if page else 0})

    # -- the dead man's switch -------------------------------------------------------------------------

    def switch(self, call: Call) -> Answer:
        switch = self._twin.switches.get(call.owner.key)
        if switch is None:
            return ok(None)
        return ok(
            {
                "timeout": switch.timeout_s,
                "symbols": ",".join(switch.symbols),
                "currentTime": call.now_ns // _NS,
                "triggerTime": switch.fires_ns // _NS,
            }
        )

    def set_switch(self, call: Call) -> Answer:
        asked = _body(call)
        timeout = asked.get("timeout")
        if not isinstance(timeout, int) or not (timeout == -1 or 5 <= timeout <= 86_400):
            raise refuse("400100", "timeout must be -1 or from 5 to 86400 seconds")
        symbols = tuple(part for part in str(asked.get("symbols") or "").split(",") if part)
        for symbol in symbols:
            _market(call, symbol)
        if timeout == -1:
            self._twin.switches.pop(call.owner.key, None)
            return ok({"currentTime": call.now_ns // _NS, "triggerTime": 0})
        fires_ns = call.now_ns + timeout * _NS
        self._twin.switches[call.owner.key] = Switch(timeout, call.now_ns, fires_ns, symbols)
        return ok({"currentTime": call.now_ns // _NS, "triggerTime": fires_ns // _NS})

    # -- stop orders -----------------------------------------------------------------------------------

    def stops(self, call: Call) -> Answer:
        symbol = call.params.get("symbol")
        waiting = [
            order
            for order in call.exchange.live_orders(call.owner.key, symbol or None)
            if _is_waiting_stop(order)
        ]
        return ok(_paged(call, [_stop_row(call, order) for order in waiting]))

    def stop_order(self, call: Call) -> Answer:
        return ok(_stop_row(call, self._waiting(call, call.order(call.parts["id"]))))

    def stop_by_cid(self, call: Call) -> Answer:
        order = call.order_by_client_id(call.params.get("clientOid", ""))
        return ok([_stop_row(call, self._waiting(call, order))])

    def cancel_stop(self, call: Call) -> Answer:
        order = self._cancelled(call, self._waiting(call, call.order(call.parts["id"])))
        return ok({"cancelledOrderIds": [order.id]})

    def cancel_stop_by_cid(self, call: Call) -> Answer:
        found = call.order_by_client_id(call.params.get("clientOid", ""))
        order = self._cancelled(call, self._waiting(call, found))
        return ok({"cancelledOrderId": order.id, "clientOid": order.wish.client_id})

    def cancel_stops(self, call: Call) -> Answer:
        symbol = call.params.get("symbol") or None
        waiting = [o for o in call.exchange.live_orders(call.owner.key, symbol) if _is_waiting_stop(o)]
        for order in waiting:
            call.exchange.cancel(order, call.now_ns)
        return ok({"cancelledOrderIds": [order.id for order in waiting]})

    def _waiting(self, call: Call, order: Order | None) -> Order:
        if order is None or not _is_waiting_stop(order):
            raise refusal_of(Reason.NOT_LIVE)
        return order


# -- rows ----------------------------------------------------------------------------------------------


def user_id(account: Account) -> int:
    """Return the uid of an account."""
    return int.from_bytes(account.key.encode()[-4:])


def wallet_id(account: Account, asset: str) -> str:
    """Return the id of an account's wallet in one currency."""
    return str(int.from_bytes(f"{asset}{account.key}".encode()[:5]))


def _is_waiting_stop(order: Order) -> bool:
    return order.state is State.AWAITING


def _symbol_row(call: Call, market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "name": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "market": "USDS" if market.quote == "USDT" else market.quote,
        "baseMinSize": plain(market.min_quantity),
        "quoteMinSize": plain(market.min_notional),
        "baseMaxSize": plain(market.max_quantity),
        "quoteMaxSize": "99999999",
        "baseIncrement": plain(market.lot),
        "quoteIncrement": "0.000001",
        "priceIncrement": plain(market.tick),
        "priceLimitRate": "0.1",
        "minFunds": plain(market.min_notional),
        "isMarginEnabled": False,
        "enableTrading": market.symbol not in call.exchange.suspended,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
        "callauctionIsEnabled": False,
        "callauctionPriceFloor": None,
        "callauctionPriceCeiling": None,
        "callauctionFirstStageStartTime": None,
        "callauctionSecondStageStartTime": None,
        "callauctionThirdStageStartTime": None,
        "tradingStartTime": None,
    }


def _currency_row(asset: str) -> dict[str, Any]:
    return {
        "currency": asset,
        "name": asset,
        "fullName": asset,
        "precision": 8,
        "confirms": None,
        "contractAddress": None,
        "isMarginEnabled": False,
        "isDebitEnabled": False,
        "chains": [],
    }


def _day_figures(day: Candle | None, last: Decimal) -> dict[str, str | None]:
    if day is None:
        return dict.fromkeys(("changeRate", "changePrice", "high", "low", "vol", "volValue", "averagePrice"))
    change = last - day.open
    return {
        "changeRate": f"{change / day.open:.4f}",
        "changePrice": plain(change),
        "high": plain(day.high),
        "low": plain(day.low),
        "vol": plain(day.volume),
        "volValue": plain(day.turnover),
        "averagePrice": f"{day.turnover / day.volume:.8f}" if day.volume else None,
    }


def ticker_row(call: Call, market: Market) -> dict[str, Any]:
    """Return the fields of level1 and of the ticker topic."""
    book, trades = call.exchange.books[market.symbol], call.exchange.trades[market.symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return {
        "sequence": str(book.sequence),
        "price": plain(trades[-1].price) if trades else None,
        "size": plain(trades[-1].quantity) if trades else None,
        "bestBid": plain(bid.price) if bid else None,
        "bestBidSize": plain(bid.quantity) if bid else None,
        "bestAsk": plain(ask.price) if ask else None,
        "bestAskSize": plain(ask.quantity) if ask else None,
    }


def book_rows(call: Call, market: Market, depth: int) -> dict[str, Any]:
    """Return the best ``depth`` levels of both sides."""
    book = call.exchange.books[market.symbol]
    sides = {
        name: [
            [plain(level.price), plain(level.quantity)]
            for level, _ in zip(side.best_first(), range(depth), strict=False)
        ]
        for name, side in (("bids", book.bids), ("asks", book.asks))
    }
    return {"time": call.now_ms, "sequence": str(book.sequence), **sides}


def candle_row(candle: Candle) -> list[str]:
    """Return [time (s), open, close, high, low, volume, turnover]."""
    figures = (candle.open, candle.close, candle.high, candle.low, candle.volume, candle.turnover)
    return [str(candle.ts_open_ns // _NS), *(plain(figure) for figure in figures)]


def _sizes(order: Order) -> dict[str, str]:
    left = order.remaining
    return {
        "dealSize": plain(order.filled),
        "remainSize": plain(left if order.is_live else ZERO),
        "canceledSize": plain(ZERO if order.is_live else left),
    }


def order_row(order: Order, market: Market) -> dict[str, Any]:
    """Return an order as the order queries show it."""
    wish = order.wish
    funds = wish.quote_quantity or order.price * order.quantity
    left = funds - order.filled_quote
    return {
        "id": order.id,
        "clientOid": wish.client_id,
        "symbol": wish.market,
        "opType": "DEAL",
        "type": wish.kind.value,
        "side": wish.side.value,
        "price": plain(order.price),
        "size": plain(wish.quantity or ZERO),
        "funds": plain(funds),
        "dealSize": plain(order.filled),
        "dealFunds": plain(order.filled_quote),
        "remainSize": plain(order.remaining if order.is_live else ZERO),
        "remainFunds": plain(left),
        "cancelledSize": plain(ZERO if order.is_live else order.remaining),
        "cancelledFunds": plain(ZERO if order.is_live or order.state is State.FILLED else left),
        "fee": plain(order.fees.get(market.quote, ZERO)),
        "feeCurrency": market.quote,
        "stp": None,
        "timeInForce": wish.details.get("tif", "GTC"),
        "postOnly": wish.post_only,
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": 0,
        "channel": "API",
        "remark": wish.details.get("remark"),
        "tags": wish.details.get("tags"),
        "cancelExist": order.state in (State.CANCELLED, State.EXPIRED),
        "tradeType": "TRADE",
        "inOrderBook": order.state is State.OPEN,
        "active": order.is_live,
        "tax": "0",
        "createdAt": order.created_ns // _MS,
        "lastUpdatedAt": order.updated_ns // _MS,
    }


def _fill_row(call: Call, number: int, fill: Fill, market: Market) -> dict[str, Any]:
    trade = fill.trade
    is_maker = trade.maker_order == fill.order_id
    order = call.exchange.orders[fill.order_id]
    return {
        "id": number,
        "orderId": fill.order_id,
        "counterOrderId": trade.taker_order if is_maker else trade.maker_order,
        "tradeId": trade.number,
        "symbol": trade.market,
        "side": fill.side.value,
        "liquidity": fill.liquidity.value,
        "type": order.wish.kind.value,
        "forceTaker": False,
        "price": plain(trade.price),
        "size": plain(trade.quantity),
        "funds": plain(trade.notional),
        "fee": plain(fill.fee),
        "feeRate": plain(market.maker_rate if is_maker else market.taker_rate),
        "feeCurrency": fill.fee_asset,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "createdAt": trade.ts_ns // _MS,
    }


def _stop_row(call: Call, order: Order) -> dict[str, Any]:
    wish = order.wish
    market = call.exchange.markets[wish.market]
    stop = wish.stop
    return {
        "id": order.id,
        "symbol": wish.market,
        "userId": str(user_id(call.owner)),
        "status": "NEW",
        "type": wish.kind.value,
        "side": wish.side.value,
        "price": plain(order.price),
        "size": plain(wish.quantity or ZERO),
        "funds": plain(wish.quote_quantity) if wish.quote_quantity else None,
        "stp": None,
        "timeInForce": wish.details.get("tif", "GTC"),
        "cancelAfter": -1,
        "postOnly": wish.post_only,
        "hidden": False,
        "iceberg": False,
        "visibleSize": None,
        "channel": "API",
        "clientOid": wish.client_id,
        "remark": wish.details.get("remark"),
        "tags": wish.details.get("tags"),
        "relatedNo": None,
        "orderTime": order.created_ns,
        "domainId": "kucoin",
        "tradeSource": "USER",
        "tradeType": "TRADE",
        "feeCurrency": market.quote,
        "takerFeeRate": plain(market.taker_rate),
        "makerFeeRate": plain(market.maker_rate),
        "createdAt": order.created_ns // _MS,
        "stop": "entry" if stop is not None and stop.rises else "loss",
        "stopTriggerTime": None,
        "stopPrice": plain(stop.price) if stop is not None else None,
        "limitPrice": None,
        "pop": None,
        "activateCondition": None,
    }


def _ledger_row(number: int, ts_ns: int, change: BalanceChange) -> dict[str, Any]:
    kinds = {"trade": "TRADE_EXCHANGE", "fee": "TRADE_EXCHANGE", "deposit": "DEPOSIT"}
    return {
        "id": str(number),
        "currency": change.asset,
        "amount": plain(abs(change.total_delta)),
        "fee": "0",
        "tax": "0",
        "balance": plain(change.total),
        "accountType": "TRADE_HF",
        "bizType": kinds.get(change.kind, "WITHDRAWAL"),
        "direction": "in" if change.total_delta > 0 else "out",
        "createdAt": str(ts_ns // _MS),
        "context": orjson.dumps({"orderId": change.reference}).decode(),
    }


# -- parameters ----------------------------------------------------------------------------------------


def _market(call: Call, symbol: str, code: str = "400100") -> Market:
    market = call.exchange.markets.get(symbol)
    if market is None:
        raise refuse(code, None if code == "400600" else "Unsupported trading pair.")
    return market


def _body(call: Call) -> dict[str, Any]:
    try:
        asked = call.json()
    except ValueError as bad:
        raise refuse("400100", "The body is no JSON") from bad
    if not isinstance(asked, dict):
        raise refuse("400100", "The body is no object")
    return asked


def _amount(asked: dict[str, Any], name: str) -> Decimal:
    try:
        amount = Decimal(str(asked.get(name)))
    except InvalidOperation as bad:
        raise refuse("400100", f"{name} is invalid") from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse("400100", f"{name} is invalid")
    return amount


def _price(asked: dict[str, Any], market: Market) -> Decimal:
    price = _amount(asked, "price")
    if price % market.tick:
        raise refuse("600100", "Price increment invalid.")
    return price


def _quantities(asked: dict[str, Any], market: Market, kind: str) -> tuple[Decimal | None, Decimal | None]:
    """Return (size, funds) of which exactly one is set; the fee of a funds order comes on top."""
    if kind == "market" and asked.get("funds"):
        if asked.get("size"):
            raise refuse("400100", "size and funds cannot both be set")
        return None, _amount(asked, "funds")
    size = _amount(asked, "size")
    if size < market.min_quantity:
        raise refuse("400100", "Order size below the minimum requirement.")
    if size % market.lot:
        raise refuse("600100")
    return size, None


def _client_id(asked: dict[str, Any]) -> str:
    client_id = str(asked.get("clientOid") or "")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise refuse("400100", "clientOid is invalid")
    return client_id


def _whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name) or "0"
    if not text.isdigit():
        raise refuse("400100", f"{name} is invalid")
    return int(text) or default


def _newest_before(call: Call, rows: Sequence[Any], default: int, number: Any) -> list[Any]:
    """Return a page of rows (given oldest first), newest first, of those before ``lastId``."""
    limit = _whole(call, "limit", default)
    if not 1 <= limit <= 200:
        raise refuse("400100", "limit is invalid")
    last = _whole(call, "lastId", 0)
    before = [row for row in rows if not last or number(row) < last]
    return call.listed(before, limit)[: -limit - 1 : -1]


def _paged(call: Call, rows: list[dict[str, Any]], number: str = "currentPage") -> dict[str, Any]:
    """Return one page of rows (given oldest first), newest first, with the counts."""
    page, size = _whole(call, number, 1), _whole(call, "pageSize", 50)
    if page < 1 or not 1 <= size <= 500:
        raise refuse("400100", "pageSize should not greater than 500")
    newest = call.listed(rows, size)[::-1]
    return {
        "currentPage": page,
        "pageSize": size,
        "totalNum": len(newest),
        "totalPage": -(-len(newest) // size),
        "items": newest[(page - 1) * size : page * size],
    }
