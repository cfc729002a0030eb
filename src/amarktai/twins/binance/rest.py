"""Binance's REST calls. Amounts are strings with eight places, times are milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from amarktai.domain.money import ZERO
from amarktai.twins.accounts import Permission
from amarktai.twins.binance.errors import refuse
from amarktai.twins.binance.params import (
    limit_of,
    market_of,
    markets_of,
    one_or_all,
    span_of,
)
from amarktai.twins.binance.rows import (
    INTERVALS,
    aggregate_row,
    depth_rows,
    kline_row,
    limit_row,
    money,
    public_trade,
    rates,
    symbol_row,
    top,
)
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.candles import Candle
from amarktai.twins.faults import Operation
from amarktai.twins.orders import Market

if TYPE_CHECKING:
    from amarktai.twins.binance.twin import BinanceTwin

_MS: Final = 1_000_000
_DAY_MS: Final = 86_400_000
_READ, _TRADE = Permission.READ, Permission.TRADE
_STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class BinanceRest:
    """The handlers of one twin."""

    def __init__(self, twin: BinanceTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of markets and accounts."""
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
                    limit_row("REQUEST_WEIGHT", "MINUTE", 1, 6000),
                    limit_row("ORDERS", "SECOND", 10, 100),
                ],
                "exchangeFilters": [],
                "symbols": [symbol_row(call, market) for market in markets_of(call)],
            }
        )

    def ticker(self, call: Call) -> Answer:
        return one_or_all(call, lambda market: self.day_row(call, market))

    def day_row(self, call: Call, market: Market) -> dict[str, Any]:
        """Return the row of ticker/24hr."""
        day, last = self._day(call, market), self._twin.last_price(market.symbol, call.exchange)
        trades = call.exchange.trades[market.symbol]
        change = last - day.open
        best = top(call, market)
        return {
            "symbol": market.symbol,
            "priceChange": money(change),
            "priceChangePercent": f"{change / day.open * 100:.3f}",
            "weightedAvgPrice": money(day.turnover / day.volume if day.volume else last),
            "prevClosePrice": money(day.open),
            "lastPrice": money(last),
            "lastQty": money(trades[-1].quantity if trades else ZERO),
            **{name: best[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
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
        return one_or_all(call, lambda m: {"symbol": m.symbol, "price": money(last(m.symbol, call.exchange))})

    def book_ticker(self, call: Call) -> Answer:
        return one_or_all(call, lambda market: top(call, market))

    def average_price(self, call: Call) -> Answer:
        market = market_of(call)
        last = self._twin.last_price(market.symbol, call.exchange)
        return Answer({"mins": 5, "price": money(last), "closeTime": call.now_ms})

    def depth(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call, default=100, most=5000)
        return Answer(depth_rows(call, market, limit))

    def trades(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call)
        return Answer([public_trade(trade) for trade in call.exchange.trades[market.symbol][-limit:]])

    def aggregate_trades(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call)
        since, until, first = span_of(call)
        found = [
            trade
            for trade in call.exchange.trades[market.symbol]
            if trade.number >= first and since <= trade.ts_ns // _MS <= until
        ]
        has_start = first > 0 or call.params.get("startTime")
        page = found[:limit] if has_start else found[-limit:]
        return Answer([aggregate_row(trade) for trade in page])

    def klines(self, call: Call) -> Answer:
        market, limit = market_of(call), limit_of(call)
        seconds = INTERVALS.get(call.params.get("interval", ""))
        if seconds is None:
            raise refuse(-1120)
        since, until, _ = span_of(call)
        candles = self._twin.candles[market.symbol]
        if call.params.get("startTime"):
            found = candles.of(seconds, since * _MS, until * _MS + 1, limit)
        else:
            found = candles.latest(seconds, limit, min(call.now_ns, until * _MS))
        return Answer([kline_row(candle, seconds) for candle in found])

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
                "commissionRates": rates(market),
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
                "standardCommission": rates(market),
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
            for market in markets_of(call)
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
        since, until, _ = span_of(call)
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
