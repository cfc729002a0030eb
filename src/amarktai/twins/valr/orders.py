"""VALR's calls about orders: v2 answers what happened, v1 answers before it has happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Permission
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.faults import Operation
from amarktai.twins.orders import Kind, Market, NewOrder, Order, State, Stop, TimeInForce
from amarktai.twins.rules import Reason, Refused
from amarktai.twins.valr.errors import failed_order, refuse, too_small
from amarktai.twins.valr.rest import limit_of, pair_of, span_of, whole
from amarktai.twins.valr.rows import detail_rows, open_row, plain, status, status_row, summary_row

if TYPE_CHECKING:
    from amarktai.twins.valr.twin import ValrTwin

_CLIENT_ID: Final = re.compile(r"[0-9a-zA-Z-]{0,50}")
_READ, _TRADE = Permission.READ, Permission.TRADE
_STOP_TYPES: Final = {"STOP_LOSS_LIMIT": "stop-loss-limit", "TAKE_PROFIT_LIMIT": "take-profit-limit"}
_Body = dict[str, Any]
_Reader = Callable[[Call, _Body], NewOrder]


class ValrOrders:
    """The handlers of one twin."""

    def __init__(self, twin: ValrTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of orders."""
        create, order = Operation.CREATE, Operation.ORDER
        history = "/v1/orders/history"
        placing: list[Route] = []
        for name, reader in (("limit", self._limit), ("market", self._market), ("stop/limit", self._stop)):
            placing += [
                Route("POST", f"/v2/orders/{name}", create, self._placing(reader), _TRADE),
                Route("POST", f"/v1/orders/{name}", create, self._placing_later(reader), _TRADE),
            ]
        return (
            *placing,
            Route("POST", "/v1/batch/orders", create, self.batch, _TRADE),
            Route("DELETE", "/v2/orders/order", Operation.CANCEL, self.cancel, _TRADE),
            Route("DELETE", "/v1/orders/order", Operation.CANCEL, self.cancel_later, _TRADE),
            Route("DELETE", "/v1/orders", Operation.CANCEL_ALL, self.cancel_all, _TRADE),
            Route("DELETE", "/v1/orders/{pair}", Operation.CANCEL_ALL, self.cancel_all, _TRADE),
            Route("GET", "/v1/orders/open", Operation.OPEN_ORDERS, self.open, _READ),
            Route("GET", "/v1/orders/{pair}/orderid/{id}", order, self.status, _READ),
            Route("GET", "/v1/orders/{pair}/customerorderid/{cid}", order, self.status, _READ),
            Route("GET", history, Operation.ORDER_HISTORY, self.history, _READ),
            Route("GET", history + "/summary/orderid/{id}", order, self.summary, _READ),
            Route("GET", history + "/summary/customerorderid/{cid}", order, self.summary, _READ),
            Route("GET", history + "/detail/orderid/{id}", order, self.detail, _READ),
            Route("GET", history + "/detail/customerorderid/{cid}", order, self.detail, _READ),
        )

    # -- placing ---------------------------------------------------------------------------------------

    def _placing(self, reader: _Reader) -> Callable[[Call], Answer]:
        def place(call: Call) -> Answer:
            wish = reader(call, _body(call))
            try:
                return Answer({"id": call.exchange.submit(wish, call.now_ns).id}, 201)
            except Refused as refusal:
                order = refusal.order
                return failed_order(refusal.reason, None if order is None else order.id)

        return place

    def _placing_later(self, reader: _Reader) -> Callable[[Call], Answer]:
        """v1: 202 and an id whatever comes of it; a failure is told by status and stream."""

        def place(call: Call) -> Answer:
            wish = reader(call, _body(call))
            order_id = self._submitted(call, wish)
            cid = {"customerOrderId": wish.client_id} if wish.client_id else {}
            return Answer({"id": order_id, **cid}, 202)

        return place

    def _submitted(self, call: Call, wish: NewOrder) -> str:
        try:
            return call.exchange.submit(wish, call.now_ns).id
        except Refused as refusal:
            if refusal.order is None:
                raise
            return refusal.order.id

    def _limit(self, call: Call, asked: _Body) -> NewOrder:
        market, side = self._tradable(call, asked), _side(asked)
        quantity, price = _truncated(_amount(asked, "quantity"), market), _price(asked, market)
        _check_size(market, quantity, quantity * price)
        tif = _time_in_force(asked)
        post_only = bool(asked.get("postOnly"))
        if post_only and tif is not TimeInForce.GTC:
            raise refuse(-11)
        return NewOrder(
            call.owner.key, market.symbol, side, Kind.LIMIT, quantity, price=price, time_in_force=tif,
            post_only=post_only, client_id=_client_id(asked),
        )  # fmt: skip

    def _market(self, call: Call, asked: _Body) -> NewOrder:
        market, side = self._tradable(call, asked), _side(asked)
        if bool(asked.get("baseAmount")) == bool(asked.get("quoteAmount")):
            raise refuse(-11)
        last = self._twin.last_price(market.symbol)
        base = _truncated(_amount(asked, "baseAmount"), market) if asked.get("baseAmount") else None
        quote = None if base is not None else _amount(asked, "quoteAmount")
        worth = base * last if base is not None else quote or ZERO
        _check_size(market, base if base is not None else worth / last, worth)
        return NewOrder(
            call.owner.key, market.symbol, side, Kind.MARKET, base, quote,
            time_in_force=TimeInForce.IOC, client_id=_client_id(asked),
        )  # fmt: skip

    def _stop(self, call: Call, asked: _Body) -> NewOrder:
        kind = asked.get("type")
        if kind not in _STOP_TYPES:
            raise refuse(-12005)
        market, side = self._tradable(call, asked), _side(asked)
        quantity, price = _truncated(_amount(asked, "quantity"), market), _price(asked, market)
        _check_size(market, quantity, quantity * price)
        rises = (kind == "STOP_LOSS_LIMIT") == (side is Side.BUY)
        return NewOrder(
            call.owner.key, market.symbol, side, Kind.LIMIT, quantity, price=price,
            time_in_force=_time_in_force(asked), client_id=_client_id(asked),
            stop=Stop(_amount(asked, "stopPrice"), rises), details={"type": _STOP_TYPES[kind]},
        )  # fmt: skip

    def _tradable(self, call: Call, asked: _Body) -> Market:
        market = pair_of(call, str(asked.get("pair", "")))
        if market.symbol in call.exchange.suspended:
            raise refuse(-32)
        return market

    def batch(self, call: Call) -> Answer:
        """Do each request by itself; one that fails does not keep the others from being done."""
        readers: dict[str, _Reader] = {
            "PLACE_LIMIT": self._limit,
            "PLACE_MARKET": self._market,
            "PLACE_STOP_LIMIT": self._stop,
        }
        outcomes: list[_Body] = []
        for request in _body(call).get("requests", []):
            kind, data = str(request.get("type")), dict(request.get("data", {}))
            try:
                if kind == "CANCEL_ORDER":
                    order_id = self._cancelled(call, data).id
                elif kind in readers:
                    order_id = self._submitted(call, readers[kind](call, data))
                else:
                    raise refuse(-11)
                outcomes.append({"accepted": True, "orderId": order_id, "requestType": kind})
            except Refusal as refusal:
                outcomes.append({"accepted": False, "error": refusal.answer.body, "requestType": kind})
        return Answer({"outcomes": outcomes, "batchId": call.now_ms})

    # -- cancelling ------------------------------------------------------------------------------------

    def cancel(self, call: Call) -> Answer:
        """v2: 200 when it is cancelled, else 400; the answer echoes the id that was sent."""
        asked = _body(call)
        self._cancelled(call, asked)
        return Answer({"id": asked.get("orderId") or asked.get("customerOrderId")})

    def cancel_later(self, call: Call) -> Answer:
        """v1: 202 with an empty body, whatever comes of it."""
        try:
            self._cancelled(call, _body(call))
        except Refusal:
            self._twin.streams.cancel_failed(call.owner.key, str(_body(call).get("orderId") or ""))
        return Answer(b"", 202)

    def _cancelled(self, call: Call, asked: _Body) -> Order:
        market = pair_of(call, str(asked.get("pair", "")))
        order_id, client_id = asked.get("orderId"), asked.get("customerOrderId")
        if bool(order_id) == bool(client_id):
            raise refuse(-11)
        order = call.order(str(order_id)) if order_id else call.order_by_client_id(str(client_id))
        if order is None or order.wish.market != market.symbol:
            raise refuse(-1)
        try:
            return call.exchange.cancel(order, call.now_ns)
        except Refused as refusal:
            raise Refusal(failed_order(Reason.NOT_LIVE, order.id)) from refusal

    def cancel_all(self, call: Call) -> Answer:
        symbol = pair_of(call).symbol if "pair" in call.parts else None
        orders = call.exchange.cancel_all(call.owner.key, symbol, call.now_ns)
        return Answer([{"orderId": order.id} for order in orders])

    # -- reading ---------------------------------------------------------------------------------------

    def open(self, call: Call) -> Answer:
        live = call.exchange.live_orders(call.owner.key)
        return Answer([open_row(order) for order in call.listed(live, 100)[::-1]])

    def status(self, call: Call) -> Answer:
        order = self._asked(call)
        if order is None or order.wish.market != pair_of(call).symbol:
            raise refuse(-1)
        return Answer(status_row(order))

    def summary(self, call: Call) -> Answer:
        """Return the figures of an order that has ended; of a live one there are none yet."""
        order = self._asked(call)
        if order is None or order.is_live:
            raise refuse(-1)
        return Answer(summary_row(order, call.exchange.markets[order.wish.market]))

    def detail(self, call: Call) -> Answer:
        order = self._asked(call)
        return Answer([] if order is None else detail_rows(order))

    def _asked(self, call: Call) -> Order | None:
        client_id = call.parts.get("cid")
        return call.order_by_client_id(client_id) if client_id else call.order(call.parts["id"])

    def history(self, call: Call) -> Answer:
        """Return ended orders, newest first; unfilled cancels are hidden unless asked for."""
        since, until = span_of(call)
        pairs = set(filter(None, call.params.get("currencyPair", "").split(",")))
        statuses = {word.lower() for word in call.params.get("statuses", "").split(",") if word}
        found = [
            order
            for order in call.exchange.orders_of[call.owner.key]
            if not order.is_live
            and since <= order.updated_ns < until
            and (not pairs or order.wish.market in pairs)
            and (not statuses or status(order).lower().replace(" ", "_") in statuses)
            and _is_shown(call, order)
        ]
        limit, skip = limit_of(call, 100), whole(call, "skip", 0)
        newest = call.listed(found, limit)[::-1][skip : skip + limit]
        markets = call.exchange.markets
        return Answer([summary_row(order, markets[order.wish.market]) for order in newest])


def _is_shown(call: Call, order: Order) -> bool:
    if order.state is State.FAILED:
        return call.params.get("excludeFailures") != "true"
    shows_all = call.params.get("showZeroVolumeCancels") == "true"
    return shows_all or order.filled > 0 or order.state is State.FILLED


def _body(call: Call) -> _Body:
    try:
        asked = call.json()
    except ValueError as bad:
        raise refuse(-113) from bad
    if not isinstance(asked, dict):
        raise refuse(-113)
    return asked


def _amount(asked: _Body, name: str) -> Decimal:
    try:
        amount = Decimal(str(asked.get(name)))
    except InvalidOperation as bad:
        raise refuse(-11) from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse(-11)
    return amount


def _truncated(quantity: Decimal, market: Market) -> Decimal:
    """Cut off what is beyond baseDecimalPlaces, as VALR does."""
    return quantity.quantize(market.lot, ROUND_DOWN)


def _price(asked: _Body, market: Market) -> Decimal:
    price = _amount(asked, "price")
    if price % market.tick:
        raise refuse(-11)
    return price


def _check_size(market: Market, quantity: Decimal, worth: Decimal) -> None:
    if quantity < market.min_quantity or worth < market.min_notional:
        raise too_small(plain(market.min_quantity), plain(market.min_notional))


def _side(asked: _Body) -> Side:
    side = asked.get("side")
    if side not in ("BUY", "SELL"):
        raise refuse(-11)
    return Side(side.lower())


def _time_in_force(asked: _Body) -> TimeInForce:
    name = asked.get("timeInForce") or "GTC"
    if name not in TimeInForce.__members__:
        raise refuse(-11)
    return TimeInForce(name)


def _client_id(asked: _Body) -> str:
    client_id = str(asked.get("customerOrderId") or "")
    if not _CLIENT_ID.fullmatch(client_id):
        raise refuse(-11)
    return client_id
