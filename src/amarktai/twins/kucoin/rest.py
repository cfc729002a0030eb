"""KuCoin's REST calls. Amounts are plain decimal strings, times milliseconds unless the field says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from amarktai.twins.accounts import Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.kucoin.errors import ok, refuse
from amarktai.twins.kucoin.params import (
    market_named,
    newest_before,
    paged,
    whole,
)
from amarktai.twins.kucoin.rows import (
    CANDLE_TYPES,
    book_rows,
    candle_row,
    currency_row,
    day_figures,
    ledger_row,
    plain,
    symbol_row,
    ticker_row,
    user_id,
    wallet_id,
)
from amarktai.twins.orders import Market

if TYPE_CHECKING:
    from amarktai.twins.kucoin.twin import KucoinTwin

_MS: Final = 1_000_000
_NS: Final = 1_000_000_000
_READ = Permission.READ
_WORDS: Final = {
    Permission.READ: "General",
    Permission.TRADE: "Spot",
    Permission.TRANSFER: "InnerTransfer",
    Permission.WITHDRAW: "Transfer",
}


class KucoinRest:
    """The handlers of one twin."""

    def __init__(self, twin: KucoinTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of markets and accounts."""
        return (*self._market_routes(), *self._account_routes())

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

    # -- market data -----------------------------------------------------------------------------------

    def status(self, call: Call) -> Answer:
        return ok({"status": "open", "msg": ""})

    def symbols(self, call: Call) -> Answer:
        return ok([symbol_row(call, market) for market in call.exchange.markets.values()])

    def symbol(self, call: Call) -> Answer:
        return ok(symbol_row(call, market_named(call, call.parts["symbol"])))

    def currencies(self, call: Call) -> Answer:
        assets = {asset for m in call.exchange.markets.values() for asset in (m.base, m.quote)}
        return ok([currency_row(asset) for asset in sorted(assets)])

    def no_margin(self, call: Call) -> Answer:
        return ok({"timestamp": call.now_ms, "items": []})

    def stats(self, call: Call) -> Answer:
        market = market_named(call, call.params.get("symbol", ""))
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
        figures = day_figures(day, last)
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
        market = market_named(call, call.params.get("symbol", ""))
        return ok({"time": call.now_ms, **ticker_row(call, market)})

    def part_book(self, call: Call) -> Answer:
        size = call.parts["size"]
        if size not in ("20", "100"):
            raise refuse("404000")
        return ok(book_rows(call, market_named(call, call.params.get("symbol", "")), int(size)))

    def full_book(self, call: Call) -> Answer:
        return ok(book_rows(call, market_named(call, call.params.get("symbol", "")), 1 << 30))

    def trades(self, call: Call) -> Answer:
        market = market_named(call, call.params.get("symbol", ""))
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
        market = market_named(call, call.params.get("symbol", ""))
        seconds = CANDLE_TYPES.get(call.params.get("type", ""))
        if seconds is None:
            raise refuse("400100", "Incorrect candlestick type.")
        until_ns = whole(call, "endAt", call.now_ns // _NS + 1) * _NS
        since_ns = whole(call, "startAt", 0) * _NS
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
        markets = [market_named(call, symbol) for symbol in call.params.get("symbols", "").split(",")]
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
        page = newest_before(call, moves, 100, lambda move: move[0])
        return ok([ledger_row(*move) for move in page])

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
        return paged(call, rows)
