"""VALR's calls about markets and the account."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from amarktai.ports.clock import to_datetime
from amarktai.twins.accounts import BalanceChange, Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.orders import Market
from amarktai.twins.valr.errors import refuse
from amarktai.twins.valr.rows import (
    aggregated_book,
    bucket_row,
    fill_row,
    from_iso,
    full_book,
    iso,
    pair_row,
    plain,
    summary_of_market,
    trade_id,
    trade_row,
)

if TYPE_CHECKING:
    from amarktai.twins.valr.twin import ValrTwin

_READ: Final = Permission.READ
_PERIODS: Final = frozenset({60, 300, 900, 1800, 3600, 21600, 86400})
_NS: Final = 1_000_000_000
_ORDER_TYPES: Final = ("LIMIT_POST_ONLY", "LIMIT", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
_WORDS: Final = {
    Permission.READ: "View access",
    Permission.TRADE: "Trade",
    Permission.TRANSFER: "Internal Transfer",
    Permission.WITHDRAW: "Withdraw",
}


class ValrRest:
    """The handlers of one twin."""

    def __init__(self, twin: ValrTwin) -> None:
        self._twin = twin

    def routes(self) -> Sequence[Route]:
        """Return the endpoints of markets and accounts."""
        public, account, data = "/v1/public", "/v1/account", "/v1/marketdata"
        return (
            Route("GET", f"{public}/time", Operation.TIME, self.time),
            Route("GET", f"{public}/status", Operation.TIME, lambda _: Answer({"status": "online"})),
            Route("GET", f"{public}/currencies", Operation.MARKETS, self.currencies),
            Route("GET", f"{public}/pairs", Operation.MARKETS, self.pairs),
            Route("GET", f"{public}/pairs/SPOT", Operation.MARKETS, self.pairs),
            Route("GET", f"{public}/pairs/FUTURE", Operation.MARKETS, lambda _: Answer([])),
            Route("GET", f"{public}/ordertypes", Operation.MARKETS, self.all_order_types),
            Route("GET", public + "/{pair}/ordertypes", Operation.MARKETS, self.order_types),
            Route("GET", f"{public}/marketsummary", Operation.TICKER, self.all_summaries),
            Route("GET", public + "/{pair}/marketsummary", Operation.TICKER, self.summary),
            Route("GET", public + "/{pair}/orderbook", Operation.BOOK, self.book),
            Route("GET", public + "/{pair}/orderbook/full", Operation.BOOK, self.book_full),
            Route("GET", public + "/{pair}/trades", Operation.TRADES, self.trades),
            Route("GET", public + "/{pair}/buckets", Operation.CANDLES, self.buckets),
            Route("GET", data + "/{pair}/orderbook", Operation.BOOK, self.book, _READ),
            Route("GET", data + "/{pair}/orderbook/full", Operation.BOOK, self.book_full, _READ),
            Route("GET", data + "/{pair}/tradehistory", Operation.TRADES, self.trades, _READ),
            Route("GET", f"{account}/balances", Operation.BALANCES, self.balances, _READ),
            Route("GET", f"{account}/fees/trade", Operation.FEES, self.fees, _READ),
            Route("GET", f"{account}/api-keys/current", Operation.PERMISSIONS, self.key_info, _READ),
            Route("GET", f"{account}/tradehistory", Operation.FILLS, self.fills, _READ),
            Route("GET", account + "/{pair}/tradehistory", Operation.FILLS, self.fills, _READ),
            Route("GET", f"{account}/transactionhistory", Operation.STATEMENT, self.transactions, _READ),
            Route("GET", "/v1/wallet/crypto/deposit/history", Operation.STATEMENT, self.deposits, _READ),
            Route("GET", "/v1/wallet/crypto/withdraw/history", Operation.STATEMENT, self.sends, _READ),
        )

    # -- market data -----------------------------------------------------------------------------------

    def time(self, call: Call) -> Answer:
        fraction = f"{call.now_ns % _NS:09d}Z"
        text = to_datetime(call.now_ns).strftime("%Y-%m-%dT%H:%M:%S.") + fraction
        return Answer({"epochTime": call.now_ns // _NS, "time": text})

    def currencies(self, call: Call) -> Answer:
        assets = {asset for m in call.exchange.markets.values() for asset in (m.base, m.quote)}
        return Answer([_currency_row(asset) for asset in sorted(assets)])

    def pairs(self, call: Call) -> Answer:
        suspended = call.exchange.suspended
        markets = call.exchange.markets.values()
        return Answer([pair_row(market, is_active=market.symbol not in suspended) for market in markets])

    def all_order_types(self, call: Call) -> Answer:
        rows = [
            {"currencyPair": symbol, "orderTypes": list(_ORDER_TYPES)} for symbol in call.exchange.markets
        ]
        return Answer(rows)

    def order_types(self, call: Call) -> Answer:
        pair_of(call)
        return Answer(list(_ORDER_TYPES))

    def all_summaries(self, call: Call) -> Answer:
        return Answer([self._summary(call, market) for market in call.exchange.markets.values()])

    def summary(self, call: Call) -> Answer:
        return Answer(self._summary(call, pair_of(call)))

    def _summary(self, call: Call, market: Market) -> dict[str, Any]:
        day = self._twin.candles[market.symbol].last_day(call.now_ns)
        last = self._twin.last_price(market.symbol, call.exchange)
        return summary_of_market(market, call.exchange.books[market.symbol], day, last, call.now_ns)

    def book(self, call: Call) -> Answer:
        symbol = pair_of(call).symbol
        return Answer(aggregated_book(symbol, call.exchange.books[symbol], call.now_ns))

    def book_full(self, call: Call) -> Answer:
        symbol = pair_of(call).symbol
        sequence = self._twin.streams.full_sequence(symbol)
        return Answer(full_book(symbol, call.exchange.books[symbol], call.now_ns, sequence))

    def trades(self, call: Call) -> Answer:
        since, until = span_of(call)
        found = [
            trade
            for trade in reversed(call.exchange.trades[pair_of(call).symbol])
            if since <= trade.ts_ns < until
        ]
        return Answer([trade_row(trade) for trade in _page(call, found, trade_id)])

    def buckets(self, call: Call) -> Answer:
        """Return candles, newest first; startTime and endTime are seconds here."""
        symbol = pair_of(call).symbol
        period = whole(call, "periodSeconds", 60)
        if period not in _PERIODS:
            raise refuse(-11)
        until = whole(call, "endTime", call.now_ns // _NS + 1)
        limit, skip = whole(call, "limit", 300), whole(call, "skip", 0)
        if not 1 <= limit <= 300:
            raise refuse(-11)
        since = whole(call, "startTime", until - period * (limit + skip))
        found = self._twin.candles[symbol].of(period, since * _NS, until * _NS, 1 << 30)
        rows = [bucket_row(symbol, candle, period) for candle in reversed(found)]
        return Answer(rows[skip : skip + limit])

    # -- the account -----------------------------------------------------------------------------------

    def balances(self, call: Call) -> Answer:
        hides_zero = call.params.get("excludeZeroBalances") == "true"
        rows = [
            {
                "currency": asset,
                "available": plain(balance.available),
                "reserved": plain(balance.held),
                "total": plain(balance.total),
                "updatedAt": iso(call.now_ns),
                "lendReserved": "0",
                "borrowReserved": "0",
                "borrowedAmount": "0",
            }
            for asset, balance in call.exchange.balances.of(call.owner.key).items()
            if balance.total or not hides_zero
        ]
        return Answer(rows)

    def fees(self, call: Call) -> Answer:
        """Return percentages: "0.1" means 0.1 %."""
        rows = [
            {
                "currencyPair": market.symbol,
                "makerPercentage": plain(market.maker_rate * 100),
                "takerPercentage": plain(market.taker_rate * 100),
                "simplePercentage": "1.6",
            }
            for market in call.exchange.markets.values()
        ]
        return Answer(rows)

    def key_info(self, call: Call) -> Answer:
        account = call.owner
        row: dict[str, Any] = {
            "label": "twin",
            "permissions": [word for right, word in _WORDS.items() if account.allows(right)],
            "addedAt": "2021-09-11T18:28:37.791401Z",
            "isSubAccount": False,
        }
        if account.ip_allow:
            row["allowedIpAddressCidr"] = ",".join(account.ip_allow)
        return Answer(row)

    def fills(self, call: Call) -> Answer:
        symbol = pair_of(call).symbol if "pair" in call.parts else None
        since, until = span_of(call)
        found = [
            fill
            for fill in call.exchange.fills_of[call.owner.key]
            if symbol in (None, fill.trade.market) and since <= fill.trade.ts_ns < until
        ]
        newest = call.listed(found, limit_of(call, 100))[::-1]
        return Answer([fill_row(fill) for fill in _page(call, newest, lambda fill: trade_id(fill.trade))])

    def transactions(self, call: Call) -> Answer:
        wanted = set(filter(None, call.params.get("transactionTypes", "").split(",")))
        currency = call.params.get("currency")
        since, until = span_of(call)
        rows = [
            _transaction_row(ts_ns, change)
            for ts_ns, change in call.exchange.statement
            if change.account == call.owner.key
            and change.total_delta
            and currency in (None, change.asset)
            and since <= ts_ns < until
        ]
        rows = [row for row in rows if not wanted or row["transactionType"]["type"] in wanted]
        newest = call.listed(rows, limit_of(call, 200))[::-1]
        return Answer(_page(call, newest, lambda row: row["id"], most=200))

    def deposits(self, call: Call) -> Answer:
        rows = [
            {
                "currencyCode": change.asset,
                "receiveAddress": change.reference,
                "transactionHash": f"{change.asset}-{change.row}",
                "amount": plain(change.total_delta),
                "createdAt": iso(ts_ns),
                "confirmations": 3,
                "confirmed": True,
                "confirmedAt": iso(ts_ns),
            }
            for ts_ns, change in self._moves(call, "deposit")
        ]
        return Answer(_page(call, call.listed(rows, 100)[::-1], lambda row: row["transactionHash"]))

    def sends(self, call: Call) -> Answer:
        rows = [
            {
                "currency": change.asset,
                "address": change.reference,
                "amount": plain(-change.total_delta),
                "feeAmount": "0",
                "transactionHash": f"{change.asset}-{change.row}",
                "confirmations": 3,
                "uniqueId": f"{change.asset}-{change.row}",
                "createdAt": iso(ts_ns),
                "verified": True,
                "status": "SEND_CONFIRMED",
                "networkType": change.asset,
            }
            for ts_ns, change in self._moves(call, "withdrawal")
        ]
        return Answer(_page(call, call.listed(rows, 100)[::-1], lambda row: row["uniqueId"]))

    def _moves(self, call: Call, kind: str) -> list[tuple[int, BalanceChange]]:
        currency = call.params.get("currency")
        return [
            (ts_ns, change)
            for ts_ns, change in call.exchange.statement
            if change.account == call.owner.key and change.kind == kind and currency in (None, change.asset)
        ]


def _currency_row(asset: str) -> dict[str, Any]:
    places = "2" if asset == "ZAR" else "8"
    return {
        "symbol": "R" if asset == "ZAR" else asset,
        "isActive": True,
        "shortName": asset,
        "longName": asset,
        "decimalPlaces": places,
        "withdrawalDecimalPlaces": places,
        "collateral": False,
        "supportedNetworks": [],
    }


def _transaction_row(ts_ns: int, change: BalanceChange) -> dict[str, Any]:
    kinds = {
        "deposit": ("FIAT_DEPOSIT" if change.asset == "ZAR" else "BLOCKCHAIN_RECEIVE", "Receive"),
        "withdrawal": ("FIAT_WITHDRAWAL" if change.asset == "ZAR" else "BLOCKCHAIN_SEND", "Send"),
        "fee": ("EXCHANGE_FEE", "Fee"),
    }
    kind, text = kinds.get(change.kind, ("LIMIT_BUY" if change.total_delta > 0 else "LIMIT_SELL", "Exchange"))
    side = "credit" if change.total_delta > 0 else "debit"
    amount: Decimal = abs(change.total_delta)
    return {
        "transactionType": {"type": kind, "description": text},
        f"{side}Currency": change.asset,
        f"{side}Value": plain(amount),
        "eventAt": iso(ts_ns),
        "additionalInfo": {"orderId": change.reference},
        "id": f"{change.asset}-{change.row}",
    }


# -- parameters ----------------------------------------------------------------------------------------


def pair_of(call: Call, symbol: str | None = None) -> Market:
    """Return the market of the path, or of that name. Raises: Refusal -21."""
    market = call.exchange.markets.get(call.parts["pair"] if symbol is None else symbol)
    if market is None:
        raise refuse(-21)
    return market


def whole(call: Call, name: str, default: int) -> int:
    """Return a whole number. Raises: Refusal -11."""
    text = call.params.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise refuse(-11)
    return int(text)


def limit_of(call: Call, most: int) -> int:
    """Return the asked page size. Raises: Refusal -11 beyond ``most``."""
    limit = whole(call, "limit", most)
    if not 1 <= limit <= most:
        raise refuse(-11)
    return limit


def span_of(call: Call) -> tuple[int, int]:
    """Return startTime and endTime in nanoseconds. Raises: Refusal -11."""
    try:
        since = from_iso(call.params["startTime"]) if call.params.get("startTime") else 0
        until = from_iso(call.params["endTime"]) if call.params.get("endTime") else 1 << 62
    except ValueError as bad:
        raise refuse(-11) from bad
    return since, until


def _page(call: Call, newest: list[Any], number: Any, *, most: int = 100) -> list[Any]:
    """Return a page of rows, newest first, by beforeId, skip and limit."""
    before = call.params.get("beforeId")
    if before:
        places = [place for place, row in enumerate(newest) if number(row) == before]
        newest = newest[places[0] + 1 :] if places else []
    skip = whole(call, "skip", 0)
    return newest[skip : skip + limit_of(call, most)]
