"""KuCoin's calls about orders and fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.kucoin.errors import ok, refusal_of, refuse
from amarktai.twins.kucoin.params import (
    amount_of,
    body_of,
    client_id_of,
    market_named,
    newest_before,
    paged,
    price_of,
    quantities_of,
    whole,
)
from amarktai.twins.kucoin.rows import (
    fill_row,
    is_waiting_stop,
    order_row,
    plain,
    sizes,
    stop_row,
)
from amarktai.twins.kucoin.switch import Switch
from amarktai.twins.orders import Kind, NewOrder, Order, Stop, TimeInForce
from amarktai.twins.rules import Reason, Refused

if TYPE_CHECKING:
    from amarktai.twins.kucoin.twin import KucoinTwin

_MS: Final = 1_000_000
_NS: Final = 1_000_000_000
_READ, _TRADE = Permission.READ, Permission.TRADE


class KucoinOrders:
    """The handlers of one twin."""

    def __init__(self, twin: KucoinTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of orders, fills and stops."""
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

    def place(self, call: Call) -> Answer:
        order = self._submit(call, self._wish(call, body_of(call)))
        return ok({"orderId": order.id, "clientOid": order.wish.client_id})

    def place_sync(self, call: Call) -> Answer:
        order = self._submit(call, self._wish(call, body_of(call)))
        return ok(
            {
                "orderId": order.id,
                "clientOid": order.wish.client_id,
                "orderTime": order.created_ns // _MS,
                "originSize": plain(order.quantity),
                **sizes(order),
                "status": "open" if order.is_live else "done",
                "matchTime": order.updated_ns // _MS,
            }
        )

    def place_test(self, call: Call) -> Answer:
        wish = self._wish(call, body_of(call))
        return ok({"orderId": self._twin.new_order_id(0), "clientOid": wish.client_id})

    def place_stop(self, call: Call) -> Answer:
        """Place a stop order; without ``stop`` the side of the last price decides between loss and entry.

        A stop that fires goes on under its own id here; what KuCoin calls the order then is not documented.
        """
        asked = body_of(call)
        market = market_named(call, str(asked.get("symbol", "")), "400600")
        price = amount_of(asked, "stopPrice")
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
        market = market_named(call, str(asked.get("symbol", "")), "400600")
        if market.symbol in call.exchange.suspended:
            raise refuse("200001")
        side, kind = asked.get("side"), asked.get("type", "limit")
        if side not in ("buy", "sell") or kind not in ("limit", "market"):
            raise refuse("400100", "side must be buy or sell, type limit or market")
        name = asked.get("timeInForce") or "GTC"
        post_only = bool(asked.get("postOnly"))
        if name not in TimeInForce.__members__ or (post_only and name != "GTC"):
            raise refuse("400100", "timeInForce is not supported with this order")
        quantity, funds = quantities_of(asked, market, kind)
        price = price_of(asked, market) if kind == "limit" else None
        worth = funds or (quantity or ZERO) * (price or self._twin.last_price(market.symbol))
        if worth < market.min_notional:
            raise refuse(
                "600101", f"The order funds should more then {plain(market.min_notional)} {market.quote}."
            )
        return NewOrder(
            call.owner.key, market.symbol, Side(side), Kind(kind), quantity, funds, price,
            TimeInForce(name if kind == "limit" else "IOC"), post_only,
            client_id_of(asked) or self._twin.rng.bytes(12).hex(), stop,
            {"remark": asked.get("remark"), "tags": asked.get("tags"), "tif": name},
        )  # fmt: skip

    def cancel(self, call: Call) -> Answer:
        order = self._cancelled(call, self._asked(call, is_cancel=True))
        return ok({"clientOid": order.wish.client_id} if "cid" in call.parts else {"orderId": order.id})

    def cancel_sync(self, call: Call) -> Answer:
        order = self._cancelled(call, self._asked(call, is_cancel=True))
        head = {"clientOid": order.wish.client_id} if "cid" in call.parts else {"orderId": order.id}
        return ok({**head, "originSize": plain(order.quantity), **sizes(order), "status": "done"})

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
        if order is None or order.wish.market != symbol or is_waiting_stop(order):
            if is_cancel:
                raise refusal_of(Reason.NOT_LIVE)
            raise refuse("400100", "The order does not exist.")
        return order

    def cancel_symbol(self, call: Call) -> Answer:
        market = market_named(call, call.params.get("symbol", ""))
        for order in call.exchange.live_orders(call.owner.key, market.symbol):
            if not is_waiting_stop(order):
                call.exchange.cancel(order, call.now_ns)
        return ok("success")

    def cancel_everything(self, call: Call) -> Answer:
        live = [o for o in call.exchange.live_orders(call.owner.key) if not is_waiting_stop(o)]
        for order in live:
            call.exchange.cancel(order, call.now_ns)
        return ok({"succeedSymbols": sorted({o.wish.market for o in live}), "failedSymbols": []})

    def order(self, call: Call) -> Answer:
        order = self._asked(call)
        return ok(order_row(order, call.exchange.markets[order.wish.market]))

    def active(self, call: Call) -> Answer:
        return ok(self._active_rows(call))

    def active_page(self, call: Call) -> Answer:
        return ok(paged(call, self._active_rows(call)[::-1], number="pageNum"))

    def _active_rows(self, call: Call) -> list[dict[str, Any]]:
        market = market_named(call, call.params.get("symbol", ""))
        live = [
            order
            for order in call.exchange.live_orders(call.owner.key, market.symbol)
            if not is_waiting_stop(order)
        ]
        return [order_row(order, market) for order in reversed(call.listed(live, 20))]

    def active_symbols(self, call: Call) -> Answer:
        live = call.exchange.live_orders(call.owner.key)
        return ok({"symbols": sorted({o.wish.market for o in live if not is_waiting_stop(o)})})

    def done(self, call: Call) -> Answer:
        market = market_named(call, call.params.get("symbol", ""))
        since, until = whole(call, "startAt", 0), whole(call, "endAt", call.now_ms)
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
        page = newest_before(call, ended, 20, lambda order: order.number)
        last = page[-1].number if page else 0
        return ok({"lastId": last, "items": [order_row(order, market) for order in page]})

    def fills(self, call: Call) -> Answer:
        market = market_named(call, call.params.get("symbol", ""))
        since, until = whole(call, "startAt", 0), whole(call, "endAt", call.now_ms)
        order_id, side = call.params.get("orderId"), call.params.get("side")
        found = [
            (number, fill)
            for number, fill in enumerate(call.exchange.fills_of[call.owner.key], start=1)
            if fill.trade.market == market.symbol
            and order_id in (None, "", fill.order_id)
            and side in (None, "", fill.side.value)
            and since <= fill.trade.ts_ns // _MS <= until
        ]
        page = newest_before(call, found, 20, lambda row: row[0])
        rows = [fill_row(call, number, fill, market) for number, fill in page]
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
        asked = body_of(call)
        timeout = asked.get("timeout")
        if not isinstance(timeout, int) or not (timeout == -1 or 5 <= timeout <= 86_400):
            raise refuse("400100", "timeout must be -1 or from 5 to 86400 seconds")
        symbols = tuple(part for part in str(asked.get("symbols") or "").split(",") if part)
        for symbol in symbols:
            market_named(call, symbol)
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
            if is_waiting_stop(order)
        ]
        return ok(paged(call, [stop_row(call, order) for order in waiting]))

    def stop_order(self, call: Call) -> Answer:
        return ok(stop_row(call, self._waiting(call, call.order(call.parts["id"]))))

    def stop_by_cid(self, call: Call) -> Answer:
        order = call.order_by_client_id(call.params.get("clientOid", ""))
        return ok([stop_row(call, self._waiting(call, order))])

    def cancel_stop(self, call: Call) -> Answer:
        order = self._cancelled(call, self._waiting(call, call.order(call.parts["id"])))
        return ok({"cancelledOrderIds": [order.id]})

    def cancel_stop_by_cid(self, call: Call) -> Answer:
        found = call.order_by_client_id(call.params.get("clientOid", ""))
        order = self._cancelled(call, self._waiting(call, found))
        return ok({"cancelledOrderId": order.id, "clientOid": order.wish.client_id})

    def cancel_stops(self, call: Call) -> Answer:
        symbol = call.params.get("symbol") or None
        waiting = [o for o in call.exchange.live_orders(call.owner.key, symbol) if is_waiting_stop(o)]
        for order in waiting:
            call.exchange.cancel(order, call.now_ns)
        return ok({"cancelledOrderIds": [order.id for order in waiting]})

    def _waiting(self, call: Call, order: Order | None) -> Order:
        if order is None or not is_waiting_stop(order):
            raise refusal_of(Reason.NOT_LIVE)
        return order
