"""Binance's calls about orders and fills."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Permission
from amarktai.twins.binance.errors import MARKET_CLOSED, filter_failure, refuse, rejection
from amarktai.twins.binance.params import (
    amount_of,
    client_id_of,
    limit_of,
    market_of,
    price_of,
    quote_quantity_of,
    span_of,
    stop_of,
    time_in_force_of,
    whole,
)
from amarktai.twins.binance.rows import (
    LIMIT_TYPES,
    ORDER_TYPES,
    cancel_row,
    fill_row,
    new_order_row,
    order_row,
)
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.orders import Kind, Market, NewOrder, Order
from amarktai.twins.rules import Refused

if TYPE_CHECKING:
    from amarktai.twins.binance.twin import BinanceTwin

_MS: Final = 1_000_000
_READ, _TRADE = Permission.READ, Permission.TRADE


class BinanceOrders:
    """The handlers of one twin."""

    def __init__(self, twin: BinanceTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of orders and fills."""
        v3 = "/api/v3"
        return (
            Route("POST", f"{v3}/order", Operation.CREATE, self.new_order, _TRADE),
            Route("POST", f"{v3}/order/test", Operation.PERMISSIONS, self.test_order, _TRADE),
            Route("DELETE", f"{v3}/order", Operation.CANCEL, self.cancel, _TRADE),
            Route("DELETE", f"{v3}/openOrders", Operation.CANCEL_ALL, self.cancel_all, _TRADE),
            Route("GET", f"{v3}/order", Operation.ORDER, self.order, _READ, 4),
            Route("GET", f"{v3}/openOrders", Operation.OPEN_ORDERS, self.open_orders, _READ, 80),
            Route("GET", f"{v3}/allOrders", Operation.ORDER_HISTORY, self.all_orders, _READ, 20),
            Route("GET", f"{v3}/myTrades", Operation.FILLS, self.my_trades, _READ, 20),
        )

    def new_order(self, call: Call) -> Answer:
        wish = self._wish(call)
        try:
            order = call.exchange.submit(wish, call.now_ns)
        except Refused as refusal:
            raise rejection(refusal.reason) from refusal
        wanted = call.params.get("newOrderRespType", wish.details["response"])
        return Answer(new_order_row(order, wanted))

    def test_order(self, call: Call) -> Answer:
        """Validate without an order; balances are not checked."""
        self._wish(call)
        return Answer({})

    def _wish(self, call: Call) -> NewOrder:
        market = market_of(call)
        side, kind = call.params.get("side", ""), call.params.get("type", "")
        if side not in ("BUY", "SELL"):
            raise refuse(-1117)
        if kind not in ORDER_TYPES:
            raise refuse(-1116)
        if market.symbol in call.exchange.suspended:
            raise refuse(-2010, MARKET_CLOSED)
        wish = NewOrder(
            call.owner.key,
            market.symbol,
            Side(side.lower()),
            Kind.LIMIT if kind in LIMIT_TYPES else Kind.MARKET,
            quantity=self._quantity(call, market, kind),
            quote_quantity=quote_quantity_of(call, kind),
            price=price_of(call, market, kind),
            time_in_force=time_in_force_of(call, kind),
            post_only=kind == "LIMIT_MAKER",
            client_id=client_id_of(call, "newClientOrderId") or self._twin.new_client_id(),
            stop=stop_of(call, market, kind, side),
            details={"type": kind, "response": "FULL" if kind in ("LIMIT", "MARKET") else "ACK"},
        )
        self._check_notional(market, wish)
        return wish

    def _quantity(self, call: Call, market: Market, kind: str) -> Decimal | None:
        if kind == "MARKET" and call.params.get("quoteOrderQty"):
            if call.params.get("quantity"):
                raise refuse(-1128)
            return None
        quantity = amount_of(call, "quantity")
        if not market.min_quantity <= quantity <= market.max_quantity or quantity % market.lot:
            raise filter_failure("LOT_SIZE")
        return quantity

    def _check_notional(self, market: Market, wish: NewOrder) -> None:
        price = wish.price or self._twin.last_price(market.symbol)
        notional = wish.quote_quantity or (wish.quantity or ZERO) * price
        if notional < market.min_notional:
            raise filter_failure("NOTIONAL")

    def cancel(self, call: Call) -> Answer:
        market_of(call)
        order = self._asked(call)
        if order is None or not order.is_live:
            raise refuse(-2011)
        cancel_id = client_id_of(call, "newClientOrderId") or self._twin.new_client_id()
        with self._twin.streams.cancel_named(order.id, cancel_id):
            call.exchange.cancel(order, call.now_ns)
        return Answer(cancel_row(order, cancel_id, call.now_ms))

    def cancel_all(self, call: Call) -> Answer:
        market = market_of(call)
        orders = call.exchange.cancel_all(call.owner.key, market.symbol, call.now_ns)
        if not orders:
            raise refuse(-2011)
        return Answer([cancel_row(order, self._twin.new_client_id(), call.now_ms) for order in orders])

    def order(self, call: Call) -> Answer:
        market_of(call)
        order = self._asked(call)
        if order is None:
            raise refuse(-2013)
        return Answer(order_row(order))

    def _asked(self, call: Call) -> Order | None:
        order_id, client_id = call.params.get("orderId"), call.params.get("origClientOrderId")
        if not order_id and not client_id:
            raise refuse(
                -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            )
        order = call.order(order_id) if order_id else call.order_by_client_id(client_id or "")
        return None if order is None or order.wish.market != call.params["symbol"] else order

    def open_orders(self, call: Call) -> Answer:
        symbol = market_of(call).symbol if call.params.get("symbol") else None
        live = call.exchange.live_orders(call.owner.key, symbol)
        return Answer([order_row(order) for order in call.listed(live, 500)])

    def all_orders(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call)
        since, until, _ = span_of(call, checks_day=True)
        first = whole(call, "orderId", 0)
        found = [
            order
            for order in call.exchange.orders_of[call.owner.key]
            if order.wish.market == market.symbol
            and int(order.id) >= first
            and since <= order.created_ns // _MS <= until
        ]
        found = call.listed(found, limit)
        page = found[:limit] if first or call.params.get("startTime") else found[-limit:]
        return Answer([order_row(order) for order in page])

    def my_trades(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call)
        since, until, first = span_of(call, checks_day=True)
        order_id = call.params.get("orderId")
        found = [
            fill
            for fill in call.exchange.fills_of[call.owner.key]
            if fill.trade.market == market.symbol
            and fill.trade.number >= first
            and order_id in (None, fill.order_id)
            and since <= fill.trade.ts_ns // _MS <= until
        ]
        found = call.listed(found, limit)
        page = found[:limit] if first or call.params.get("startTime") else found[-limit:]
        return Answer([fill_row(fill) for fill in page])
