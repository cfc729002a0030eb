# long: one handler per endpoint of one exchange, then the rows that they print.
"""Binance's REST calls. Amounts are strings with eight places, times are milliseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import orjson

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Permission
from amarktai.twins.binance.errors import MARKET_CLOSED, filter_failure, missing, refuse, rejection
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.candles import Candle
from amarktai.twins.faults import Operation
from amarktai.twins.matching import Refused
from amarktai.twins.orders import Fill, Kind, Market, NewOrder, Order, State, Stop, TimeInForce, Trade

if TYPE_CHECKING:
    from amarktai.twins.binance.twin import BinanceTwin

_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_MS: Final = 1_000_000
_DAY_MS: Final = 86_400_000
#: Without 1s and 1M: a twin counts its trades by the minute.
INTERVALS: Final = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400,
    "6h": 21600, "8h": 28800, "12h": 43200, "1d": 86400, "3d": 259200, "1w": 604800,
}  # fmt: skip
_READ, _TRADE = Permission.READ, Permission.TRADE
_STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_LIMITS: Final = ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
ORDER_TYPES: Final = ("LIMIT", "LIMIT_MAKER", "MARKET", *_STOPS)


def money(amount: Decimal) -> str:
    """Return an amount as Binance prints it."""
    return f"{amount:.8f}"


class BinanceRest:
    """The handlers of one twin."""

    def __init__(self, twin: BinanceTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return every endpoint that a trading client needs."""
        v3, sapi = "/api/v3", "/sapi/v1"
        return (
            Route("GET", f"{v3}/ping", Operation.TIME, lambda _: Answer({})),
            Route("GET", f"{v3}/time", Operation.TIME, self.time),
            Route("GET", f"{v3}/exchangeInfo", Operation.MARKETS, self.exchange_info, weight=20),
            Route("GET", f"{v3}/ticker/24hr", Operation.TICKER, self.ticker, weight=2),
            Route("GET", f"{v3}/ticker/price", Operation.TICKER, self.price, weight=2),
            Route("GET", f"{v3}/ticker/bookTicker", Operation.TICKER, self.book_ticker, weight=2),
            Route("GET", f"{v3}/avgPrice", Operation.TICKER, self.average_price, weight=2),
            Route("GET", f"{v3}/depth", Operation.BOOK, self.depth, weight=5),
            Route("GET", f"{v3}/trades", Operation.TRADES, self.trades, weight=25),
            Route("GET", f"{v3}/aggTrades", Operation.TRADES, self.aggregate_trades, weight=4),
            Route("GET", f"{v3}/klines", Operation.CANDLES, self.klines, weight=2),
            Route("GET", f"{v3}/account", Operation.BALANCES, self.account, _READ, 20),
            Route("GET", f"{v3}/account/commission", Operation.FEES, self.commission, _READ, 20),
            Route("GET", f"{sapi}/asset/tradeFee", Operation.FEES, self.trade_fee, _READ),
            Route("GET", f"{sapi}/account/apiRestrictions", Operation.PERMISSIONS, self.restrictions, _READ),
            Route("GET", f"{sapi}/system/status", Operation.TIME, self.system_status),
            Route("GET", f"{sapi}/capital/config/getall", Operation.MARKETS, self.coins, _READ, 10),
            Route("GET", f"{sapi}/capital/deposit/hisrec", Operation.STATEMENT, self.deposits, _READ),
            Route(
                "GET", f"{sapi}/capital/withdraw/history", Operation.STATEMENT, self.withdrawals, _READ, 10
            ),
            Route("POST", f"{v3}/order", Operation.CREATE, self.new_order, _TRADE),
            Route("POST", f"{v3}/order/test", Operation.PERMISSIONS, self.test_order, _TRADE),
            Route("DELETE", f"{v3}/order", Operation.CANCEL, self.cancel, _TRADE),
            Route("DELETE", f"{v3}/openOrders", Operation.CANCEL_ALL, self.cancel_all, _TRADE),
            Route("GET", f"{v3}/order", Operation.ORDER, self.order, _READ, 4),
            Route("GET", f"{v3}/openOrders", Operation.OPEN_ORDERS, self.open_orders, _READ, 80),
            Route("GET", f"{v3}/allOrders", Operation.ORDER_HISTORY, self.all_orders, _READ, 20),
            Route("GET", f"{v3}/myTrades", Operation.FILLS, self.my_trades, _READ, 20),
        )

    # -- market data -----------------------------------------------------------------------------------

    def time(self, call: Call) -> Answer:
        return Answer({"serverTime": call.now_ms})

    def system_status(self, call: Call) -> Answer:
        return Answer({"status": 0, "msg": "normal"})

    def exchange_info(self, call: Call) -> Answer:
        return Answer(
            {
                "timezone": "UTC",
                "serverTime": call.now_ms,
                "rateLimits": [
                    _limit_row("REQUEST_WEIGHT", "MINUTE", 1, 6000),
                    _limit_row("ORDERS", "SECOND", 10, 100),
                ],
                "exchangeFilters": [],
                "symbols": [_symbol_row(call, market) for market in _markets_of(call)],
            }
        )

    def ticker(self, call: Call) -> Answer:
        return _one_or_all(call, lambda market: self.day_row(call, market))

    def day_row(self, call: Call, market: Market) -> dict[str, Any]:
        """Return the row of ticker/24hr."""
        day, last = self._day(call, market), self._twin.last_price(market.symbol, call.exchange)
        trades = call.exchange.trades[market.symbol]
        change = last - day.open
        top = _top(call, market)
        return {
            "symbol": market.symbol,
            "priceChange": money(change),
            "priceChangePercent": f"{change / day.open * 100:.3f}",
            "weightedAvgPrice": money(day.turnover / day.volume if day.volume else last),
            "prevClosePrice": money(day.open),
            "lastPrice": money(last),
            "lastQty": money(trades[-1].quantity if trades else ZERO),
            **{name: top[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
            "openPrice": money(day.open),
            "highPrice": money(day.high),
            "lowPrice": money(day.low),
            "volume": money(day.volume),
            "quoteVolume": money(day.turnover),
            "openTime": call.now_ms - _DAY_MS,
            "closeTime": call.now_ms,
            "firstId": trades[0].number if trades else -1,
            "lastId": trades[-1].number if trades else -1,
            "count": day.trade_count,
        }

    def _day(self, call: Call, market: Market) -> Candle:
        day = self._twin.candles[market.symbol].last_day(call.now_ns)
        if day is None:
            raise refuse(-1112)
        return day

    def price(self, call: Call) -> Answer:
        last = self._twin.last_price
        return _one_or_all(
            call, lambda m: {"symbol": m.symbol, "price": money(last(m.symbol, call.exchange))}
        )

    def book_ticker(self, call: Call) -> Answer:
        return _one_or_all(call, lambda market: _top(call, market))

    def average_price(self, call: Call) -> Answer:
        market = market_of(call)
        last = self._twin.last_price(market.symbol, call.exchange)
        return Answer({"mins": 5, "price": money(last), "closeTime": call.now_ms})

    def depth(self, call: Call) -> Answer:
        market, limit = market_of(call), _limit(call, default=100, most=5000)
        return Answer(depth_rows(call, market, limit))

    def trades(self, call: Call) -> Answer:
        market, limit = market_of(call), _limit(call)
        return Answer([_public_trade(trade) for trade in call.exchange.trades[market.symbol][-limit:]])

    def aggregate_trades(self, call: Call) -> Answer:
        market, limit = market_of(call), _limit(call)
        since, until, first = _span(call)
        found = [
            trade
            for trade in call.exchange.trades[market.symbol]
            if trade.number >= first and since <= trade.ts_ns // _MS <= until
        ]
        has_start = first > 0 or call.params.get("startTime")
        page = found[:limit] if has_start else found[-limit:]
        return Answer([aggregate_row(trade) for trade in page])

    def klines(self, call: Call) -> Answer:
        market, limit = market_of(call), _limit(call)
        seconds = INTERVALS.get(call.params.get("interval", ""))
        if seconds is None:
            raise refuse(-1120)
        since, until, _ = _span(call)
        candles = self._twin.candles[market.symbol]
        if call.params.get("startTime"):
            found = candles.of(seconds, since * _MS, until * _MS + 1, limit)
        else:
            found = candles.latest(seconds, limit, min(call.now_ns, until * _MS))
        return Answer([_kline_row(candle, seconds) for candle in found])

    # -- the account -----------------------------------------------------------------------------------

    def account(self, call: Call) -> Answer:
        market = next(iter(call.exchange.markets.values()))
        omits_zero = call.params.get("omitZeroBalances") == "true"
        balances = [
            {"asset": asset, "free": money(b.available), "locked": money(b.held)}
            for asset, b in call.exchange.balances.of(call.owner.key).items()
            if b.total or not omits_zero
        ]
        return Answer(
            {
                "makerCommission": int(market.maker_rate * 10_000),
                "takerCommission": int(market.taker_rate * 10_000),
                "buyerCommission": 0,
                "sellerCommission": 0,
                "commissionRates": _rates(market),
                "canTrade": call.owner.allows(_TRADE),
                "canWithdraw": call.owner.allows(Permission.WITHDRAW),
                "canDeposit": True,
                "brokered": False,
                "requireSelfTradePrevention": False,
                "preventSor": False,
                "updateTime": call.now_ms,
                "accountType": "SPOT",
                "balances": balances,
                "permissions": ["SPOT"],
                "uid": int.from_bytes(call.owner.key.encode()[:4]),
            }
        )

    def commission(self, call: Call) -> Answer:
        market = market_of(call)
        nothing = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        pays_in = call.owner.pays_fees_in
        return Answer(
            {
                "symbol": market.symbol,
                "standardCommission": _rates(market),
                "specialCommission": nothing,
                "taxCommission": nothing,
                "discount": {
                    "enabledForAccount": pays_in is not None,
                    "enabledForSymbol": True,
                    "discountAsset": pays_in or "BNB",
                    "discount": "0.75000000",
                },
            }
        )

    def trade_fee(self, call: Call) -> Answer:
        rows = [
            {
                "symbol": market.symbol,
                "makerCommission": str(market.maker_rate),
                "takerCommission": str(market.taker_rate),
            }
            for market in _markets_of(call)
        ]
        return Answer(rows)

    def restrictions(self, call: Call) -> Answer:
        account = call.owner
        return Answer(
            {
                "ipRestrict": bool(account.ip_allow),
                "createTime": 1_698_645_219_000,
                "enableReading": account.allows(_READ),
                "enableWithdrawals": account.allows(Permission.WITHDRAW),
                "enableInternalTransfer": account.allows(Permission.TRANSFER),
                "enableMargin": False,
                "enableFutures": False,
                "permitsUniversalTransfer": account.allows(Permission.TRANSFER),
                "enableVanillaOptions": False,
                "enableFixApiTrade": False,
                "enableFixReadOnly": False,
                "enableSpotAndMarginTrading": account.allows(_TRADE),
                "enablePortfolioMarginTrading": False,
            }
        )

    def coins(self, call: Call) -> Answer:
        assets = {asset for m in call.exchange.markets.values() for asset in (m.base, m.quote)}
        balances = call.exchange.balances
        rows = [
            {
                "coin": asset,
                "name": asset,
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "trading": True,
                "isLegalMoney": False,
                "free": money(balances.available(call.owner.key, asset)),
                "locked": money(balances.get(call.owner.key, asset).held),
                "freeze": "0",
                "withdrawing": "0",
                "ipoing": "0",
                "ipoable": "0",
                "storage": "0",
                "networkList": [],
            }
            for asset in sorted(assets)
        ]
        return Answer(rows)

    def deposits(self, call: Call) -> Answer:
        return Answer(self._transfers(call, "deposit"))

    def withdrawals(self, call: Call) -> Answer:
        return Answer(self._transfers(call, "withdrawal"))

    def _transfers(self, call: Call, kind: str) -> list[dict[str, Any]]:
        coin = call.params.get("coin")
        since, until, _ = _span(call)
        rows = [
            {
                "id": f"{change.asset}-{change.row}",
                "amount": str(abs(change.total_delta)),
                "coin": change.asset,
                "network": change.asset,
                "status": 1 if kind == "deposit" else 6,
                "address": change.reference,
                "addressTag": "",
                "txId": f"{change.asset}-{change.row}",
                "insertTime": ts_ns // _MS,
                "applyTime": ts_ns // _MS,
                "transferType": 0,
                "transactionFee": "0",
                "confirmTimes": "1/1",
            }
            for ts_ns, change in call.exchange.statement
            if change.account == call.owner.key
            and change.kind == kind
            and coin in (None, change.asset)
            and since <= ts_ns // _MS <= until
        ]
        return call.listed(rows, 1000)[::-1]

    # -- orders ----------------------------------------------------------------------------------------

    def new_order(self, call: Call) -> Answer:
        wish = self._wish(call)
        try:
            order = call.exchange.submit(wish, call.now_ns)
        except Refused as refusal:
            raise rejection(refusal.reason) from refusal
        wanted = call.params.get("newOrderRespType", wish.details["response"])
        return Answer(_new_order_row(order, wanted))

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
            Kind.LIMIT if kind in _LIMITS else Kind.MARKET,
            quantity=self._quantity(call, market, kind),
            quote_quantity=_quote_quantity(call, kind),
            price=_price(call, market, kind),
            time_in_force=_time_in_force(call, kind),
            post_only=kind == "LIMIT_MAKER",
            client_id=_client_id(call, "newClientOrderId") or self._twin.new_client_id(),
            stop=_stop(call, market, kind, side),
            details={"type": kind, "response": "FULL" if kind in ("LIMIT", "MARKET") else "ACK"},
        )
        self._check_notional(market, wish)
        return wish

    def _quantity(self, call: Call, market: Market, kind: str) -> Decimal | None:
        if kind == "MARKET" and call.params.get("quoteOrderQty"):
            if call.params.get("quantity"):
                raise refuse(-1128)
            return None
        quantity = _amount(call, "quantity")
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
        cancel_id = _client_id(call, "newClientOrderId") or self._twin.new_client_id()
        self._twin.streams.name_cancel(order.id, cancel_id)
        call.exchange.cancel(order, call.now_ns)
        return Answer(_cancel_row(order, cancel_id, call.now_ms))

    def cancel_all(self, call: Call) -> Answer:
        market = market_of(call)
        orders = call.exchange.cancel_all(call.owner.key, market.symbol, call.now_ns)
        if not orders:
            raise refuse(-2011)
        return Answer([_cancel_row(order, self._twin.new_client_id(), call.now_ms) for order in orders])

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
        market, limit = market_of(call), _limit(call)
        since, until, _ = _span(call, checks_day=True)
        first = _whole(call, "orderId", 0)
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
        market, limit = market_of(call), _limit(call)
        since, until, first = _span(call, checks_day=True)
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
        return Answer([_fill_row(fill) for fill in page])


# -- rows ----------------------------------------------------------------------------------------------


def _limit_row(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol_row(call: Call, market: Market) -> dict[str, Any]:
    lots = {
        "minQty": money(market.min_quantity),
        "maxQty": money(market.max_quantity),
        "stepSize": money(market.lot),
    }
    return {
        "symbol": market.symbol,
        "status": "HALT" if market.symbol in call.exchange.suspended else "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": money(market.tick),
                "maxPrice": money(market.start_price * 100),
                "tickSize": money(market.tick),
            },
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {
                "filterType": "NOTIONAL",
                "minNotional": money(market.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _top(call: Call, market: Market) -> dict[str, Any]:
    book = call.exchange.books[market.symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return {
        "symbol": market.symbol,
        "bidPrice": money(bid.price if bid else ZERO),
        "bidQty": money(bid.quantity if bid else ZERO),
        "askPrice": money(ask.price if ask else ZERO),
        "askQty": money(ask.quantity if ask else ZERO),
    }


def depth_rows(call: Call, market: Market, limit: int) -> dict[str, Any]:
    """Return the body of /depth."""
    book = call.exchange.books[market.symbol]
    sides = {
        name: [
            [money(level.price), money(level.quantity)]
            for level, _ in zip(side.best_first(), range(limit), strict=False)
        ]
        for name, side in (("bids", book.bids), ("asks", book.asks))
    }
    return {"lastUpdateId": book.sequence, **sides}


def _public_trade(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.number,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.notional),
        "time": trade.ts_ns // _MS,
        "isBuyerMaker": trade.taker_side is Side.SELL,
        "isBestMatch": True,
    }


def aggregate_row(trade: Trade) -> dict[str, Any]:
    """Return a trade as aggTrades shows it: each is an aggregate of its own."""
    return {
        "a": trade.number,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "f": trade.number,
        "l": trade.number,
        "T": trade.ts_ns // _MS,
        "m": trade.taker_side is Side.SELL,
        "M": True,
    }


def _kline_row(candle: Candle, seconds: int) -> list[Any]:
    opened = candle.ts_open_ns // _MS
    return [
        opened,
        money(candle.open),
        money(candle.high),
        money(candle.low),
        money(candle.close),
        money(candle.volume),
        opened + seconds * 1000 - 1,
        money(candle.turnover),
        candle.trade_count,
        money(candle.bought),
        money(candle.bought_turnover),
        "0",
    ]


def _rates(market: Market) -> dict[str, str]:
    return {
        "maker": money(market.maker_rate),
        "taker": money(market.taker_rate),
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }


def status(order: Order, state: State | None = None, filled: Decimal | None = None) -> str:
    """Return Binance's word for an order's state (now, or at an earlier change)."""
    match order.state if state is None else state:
        case State.FILLED:
            return "FILLED"
        case State.CANCELLED:
            return "CANCELED"
        case State.EXPIRED:
            return "EXPIRED"
        case State.FAILED:
            return "REJECTED"
        case _:
            return "PARTIALLY_FILLED" if (order.filled if filled is None else filled) else "NEW"


def _figures(order: Order) -> dict[str, Any]:
    wish = order.wish
    return {
        "symbol": wish.market,
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": wish.client_id,
        "price": money(order.price),
        "origQty": money(order.quantity),
        "executedQty": money(order.filled),
        "origQuoteOrderQty": money(wish.quote_quantity or ZERO),
        "cummulativeQuoteQty": money(order.filled_quote),
        "status": status(order),
        "timeInForce": wish.time_in_force.value,
        "type": wish.details.get("type", wish.kind.value.upper()),
        "side": wish.side.value.upper(),
        "selfTradePreventionMode": "NONE",
        **({"stopPrice": money(wish.stop.price)} if wish.stop else {}),
    }


def order_row(order: Order) -> dict[str, Any]:
    """Return an order as the order queries show it."""
    is_working = order.state is not State.AWAITING
    return {
        **_figures(order),
        "stopPrice": money(order.wish.stop.price if order.wish.stop else ZERO),
        "icebergQty": "0.00000000",
        "time": order.created_ns // _MS,
        "updateTime": order.updated_ns // _MS,
        "isWorking": is_working,
        "workingTime": order.created_ns // _MS if is_working else -1,
    }


def _new_order_row(order: Order, wanted: str) -> dict[str, Any]:
    figures = {**_figures(order), "transactTime": order.created_ns // _MS}
    if wanted == "ACK":
        names = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
        return {name: figures[name] for name in names}
    figures["workingTime"] = -1 if order.state is State.AWAITING else order.created_ns // _MS
    if wanted == "RESULT":
        return figures
    fills = [
        {
            "price": money(fill.trade.price),
            "qty": money(fill.trade.quantity),
            "commission": money(fill.fee),
            "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade.number,
        }
        for fill in order.fills
    ]
    return {**figures, "fills": fills}


def _cancel_row(order: Order, cancel_id: str, now_ms: int) -> dict[str, Any]:
    return {
        **_figures(order),
        "origClientOrderId": order.wish.client_id,
        "clientOrderId": cancel_id,
        "transactTime": now_ms,
    }


def _fill_row(fill: Fill) -> dict[str, Any]:
    trade = fill.trade
    return {
        "symbol": trade.market,
        "id": trade.number,
        "orderId": int(fill.order_id),
        "orderListId": -1,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.notional),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": trade.ts_ns // _MS,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.liquidity is Liquidity.MAKER,
        "isBestMatch": True,
    }


# -- parameters ----------------------------------------------------------------------------------------


def market_of(call: Call) -> Market:
    """Return the market that the call names. Raises: Refusal -1102 or -1121."""
    symbol = call.params.get("symbol")
    if not symbol:
        raise missing("symbol")
    market = call.exchange.markets.get(symbol)
    if market is None:
        raise refuse(-1121)
    return market


def _markets_of(call: Call) -> list[Market]:
    if call.params.get("symbol"):
        return [market_of(call)]
    if not call.params.get("symbols"):
        return list(call.exchange.markets.values())
    try:
        names = orjson.loads(call.params["symbols"])
        return [call.exchange.markets[name] for name in names]
    except orjson.JSONDecodeError as bad:
        raise refuse(-1100, "Illegal characters found in parameter 'symbols'.") from bad
    except (KeyError, TypeError) as unknown:
        raise refuse(-1121) from unknown


def _one_or_all(call: Call, row: Any) -> Answer:
    rows = [row(market) for market in _markets_of(call)]
    return Answer(rows[0] if call.params.get("symbol") else rows)


def _whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise refuse(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        )
    return int(text)


def _limit(call: Call, *, default: int = 500, most: int = 1000) -> int:
    limit = _whole(call, "limit", default)
    if limit < 1:
        raise refuse(-1130)
    return min(limit, most)


def _span(call: Call, *, checks_day: bool = False) -> tuple[int, int, int]:
    """Return startTime, endTime (ms, inclusive) and fromId."""
    since, until = _whole(call, "startTime", 0), _whole(call, "endTime", call.now_ms)
    both = call.params.get("startTime") and call.params.get("endTime")
    if checks_day and both and until - since > _DAY_MS:
        raise refuse(-1127)
    return since, until, _whole(call, "fromId", 0)


def _amount(call: Call, name: str) -> Decimal:
    text = call.params.get(name)
    if not text:
        raise missing(name)
    try:
        amount = Decimal(text)
    except InvalidOperation as bad:
        raise refuse(-1100, f"Illegal characters found in parameter '{name}'.") from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse(-1013, f"Invalid {name}.")
    if amount != round(amount, 8):
        raise refuse(-1111, f"Parameter '{name}' has too much precision.")
    return amount


def _quote_quantity(call: Call, kind: str) -> Decimal | None:
    wants = kind == "MARKET" and call.params.get("quoteOrderQty")
    return _amount(call, "quoteOrderQty") if wants else None


def _price(call: Call, market: Market, kind: str) -> Decimal | None:
    if kind not in _LIMITS:
        if call.params.get("price"):
            raise refuse(-1106, "Parameter 'price' sent when not required.")
        return None
    return _on_grid(_amount(call, "price"), market)


def _on_grid(price: Decimal, market: Market) -> Decimal:
    if price % market.tick or price > market.start_price * 100:
        raise filter_failure("PRICE_FILTER")
    return price


def _time_in_force(call: Call, kind: str) -> TimeInForce:
    name = call.params.get("timeInForce", "")
    needs = kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
    if needs and not name:
        raise missing("timeInForce")
    if name and not needs:
        raise refuse(-1106, "Parameter 'timeInForce' sent when not required.")
    if name and name not in TimeInForce.__members__:
        raise refuse(-1115)
    return TimeInForce(name) if name else TimeInForce.GTC


def _stop(call: Call, market: Market, kind: str, side: str) -> Stop | None:
    if kind not in _STOPS:
        if call.params.get("stopPrice"):
            raise refuse(-1106, "Parameter 'stopPrice' sent when not required.")
        return None
    price = _on_grid(_amount(call, "stopPrice"), market)
    is_loss = kind.startswith("STOP_LOSS")
    return Stop(price, rises=is_loss == (side == "BUY"))


def _client_id(call: Call, name: str) -> str:
    client_id = call.params.get(name, "")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise refuse(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is '^[a-zA-Z0-9-_]{{1,36}}$'.",
        )
    return client_id
