"""OVEX's calls. Amounts are decimal strings, times Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from amarktai.domain.order import Side
from amarktai.ports.clock import to_datetime
from amarktai.twins.accounts import Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.faults import Operation
from amarktai.twins.orders import Fill, Market
from amarktai.twins.ovex.errors import refuse
from amarktai.twins.rules import Refused

if TYPE_CHECKING:
    from amarktai.twins.ovex.twin import OvexTwin

_READ, _TRADE = Permission.READ, Permission.TRADE
_NS: Final = 1_000_000_000
#: How long a quote holds is unknown; fifteen seconds is a guess.
LIFETIME_S: Final = 15
#: The desk's spread on each side, inside the rate: a guess.
_SPREAD: Final = Decimal("0.005")
_PLACES: Final = {"zar": Decimal("0.01")}
_EIGHT: Final = Decimal("0.00000001")
_WIDE: Final = Context(prec=60)


@dataclass(slots=True)
class _Quote:
    """A firm offer to one account. Amounts as the account sees them: it pays ``paid`` for ``received``."""

    key: str
    market: Market
    side: Side
    paid: Decimal
    received: Decimal
    expires_s: int
    is_accepted: bool = False

    @property
    def base(self) -> Decimal:
        return self.received if self.side is Side.BUY else self.paid

    @property
    def quote(self) -> Decimal:
        return self.paid if self.side is Side.BUY else self.received


class OvexRest:
    """The handlers of one twin."""

    def __init__(self, twin: OvexTwin) -> None:
        self._twin = twin
        self._quotes: dict[str, _Quote] = {}

    def routes(self) -> Sequence[Route]:
        """Return the endpoints that are known; the order book of 2019 (depth, tickers) is not served."""
        v2 = "/api/v2"
        return (
            Route("GET", f"{v2}/markets", Operation.MARKETS, self.markets),
            Route("GET", f"{v2}/currencies", Operation.MARKETS, self.currencies),
            Route("GET", v2 + "/currencies/{id}", Operation.MARKETS, self.currency),
            Route("GET", f"{v2}/rfq/get_quote", Operation.QUOTE, self.get_quote),
            Route("POST", f"{v2}/rfq/accept_quote", Operation.ACCEPT, self.accept_quote, _TRADE),
            Route("GET", f"{v2}/rfq/trades", Operation.FILLS, self.trades, _READ),
            Route("GET", f"{v2}/trades/history", Operation.FILLS, self.trades, _READ),
            Route("GET", f"{v2}/accounts", Operation.BALANCES, self.accounts, _READ),
            Route("GET", f"{v2}/deposits", Operation.STATEMENT, self.deposits, _READ),
            Route("GET", f"{v2}/withdraws", Operation.STATEMENT, self.withdraws, _READ),
            Route("GET", f"{v2}/fees/withdraw", Operation.FEES, self.fees, _READ),
            Route("GET", f"{v2}/fees/deposit", Operation.FEES, self.fees, _READ),
        )

    # -- markets ---------------------------------------------------------------------------------------

    def markets(self, call: Call) -> Answer:
        rows = [
            {
                "id": market.symbol,
                "name": f"{market.base}/{market.quote}".upper(),
                "base_currency": market.base,
                "quote_currency": market.quote,
                "base_precision": 8,
                "quote_precision": 2,
                "rfq_enabled": market.symbol not in call.exchange.suspended,
                "indicative_pricing": False,
                "base_currency_long": market.base.upper(),
                "quote_currency_long": market.quote.upper(),
            }
            for market in call.exchange.markets.values()
        ]
        return Answer(rows)

    def currencies(self, call: Call) -> Answer:
        wanted = call.params.get("type")
        rows = [_currency_row(asset) for asset in self._assets(call)]
        return Answer([row for row in rows if wanted in (None, row["type"])])

    def currency(self, call: Call) -> Answer:
        asset = call.parts["id"].lower()
        if asset not in self._assets(call):
            raise refuse("not_found")
        return Answer(_currency_row(asset))

    def _assets(self, call: Call) -> list[str]:
        return sorted({a for m in call.exchange.markets.values() for a in (m.base, m.quote)})

    def fees(self, call: Call) -> Answer:
        """Return fees in the form that ovex-py reads; the twin's are zero."""
        rows = [
            {"currency": asset, "type": _kind(asset), "fee": {"type": "fixed", "value": "0.0"}}
            for asset in self._assets(call)
        ]
        return Answer(rows)

    # -- request for quote -----------------------------------------------------------------------------

    def get_quote(self, call: Call) -> Answer:
        """Quote. With a key the quote is firm and has a token; without one it is indicative."""
        market = call.exchange.markets.get(call.params.get("market", ""))
        if market is None:
            raise refuse("market.not_found")
        if market.symbol in call.exchange.suspended:
            raise refuse("market.unavailable")
        if call.params.get("side", "buy") not in ("buy", "sell"):
            raise refuse("side.invalid")
        side = Side(call.params.get("side", "buy"))
        rate = self._rate(call, market, side)
        paid, received = _amounts(call, market, side, rate)
        asks, gets = (market.quote, market.base) if side is Side.BUY else (market.base, market.quote)
        now_s = call.now_ns // _NS
        row: dict[str, Any] = {
            "market": market.symbol,
            "side": side.value,
            "from_currency": asks,
            "from_amount": str(paid),
            "to_currency": gets,
            "to_amount": str(received),
            "rate": str(rate),
            "rate_is_from_currency": side is Side.BUY,
            "requested_at": now_s,
            "expires_at": now_s + LIFETIME_S,
            "is_prefunded": call.params.get("prefunded") == "1",
            "sn": None,
            "message": "",
        }
        if call.headers.get("authorization"):
            account = self._twin.account_of(call)
            token = self._twin.rng.bytes(20).hex()
            self._quotes[token] = _Quote(account.key, market, side, paid, received, now_s + LIFETIME_S)
            row["quote_token"] = token
        return Answer(row)

    def _rate(self, call: Call, market: Market, side: Side) -> Decimal:
        """Return the desk's price: the other side's best, worse by the spread, on the tick."""
        level = call.exchange.books[market.symbol].opposite(side).best()
        if level is None:
            raise refuse("market.unavailable")
        factor = 1 + _SPREAD if side is Side.BUY else 1 - _SPREAD
        return level.price * factor // market.tick * market.tick

    def accept_quote(self, call: Call) -> Answer:
        """Accept, once. The token is taken from the query or a JSON body; the answer's form is a guess.

        That a second acceptance is refused is a guess, too, and so is that funds have to be there.
        """
        quote = self._quotes.get(_token(call))
        if quote is None or quote.key != call.owner.key:
            raise refuse("quote.not_found")
        if quote.is_accepted:
            raise refuse("quote.accepted")
        if call.now_ns // _NS > quote.expires_s:
            raise refuse("quote.expired")
        try:
            fill = call.exchange.deal(
                call.owner.key, quote.market.symbol, quote.side, quote.base, quote.quote, call.now_ns
            )
        except Refused as short:
            raise refuse("account.insufficient") from short
        quote.is_accepted = True
        return Answer(_trade_row(fill, quote.market))

    def trades(self, call: Call) -> Answer:
        """Return accepted quotes; their form is a guess: the quote's names with an id and a time."""
        limit = _whole(call, "limit", 50)
        before_s = _whole(call, "timestamp", 1 << 40)
        first, end = _whole(call, "from", 0), _whole(call, "to", 1 << 60)
        found = [
            fill
            for fill in call.exchange.fills_of[call.owner.key]
            if first < int(fill.order_id) < end and fill.trade.ts_ns // _NS < before_s
        ]
        rows = call.listed(found, limit)
        rows = rows[::-1] if call.params.get("order_by", "desc") == "desc" else rows
        markets = call.exchange.markets
        return Answer([_trade_row(fill, markets[fill.trade.market]) for fill in rows[:limit]])

    # -- the account -----------------------------------------------------------------------------------

    def accounts(self, call: Call) -> Answer:
        """Return balances in Peatio's form, from which OVEX came: a guess."""
        wanted = call.params.get("currency", "").lower()
        rows = [
            {"currency": asset, "balance": str(balance.available), "locked": str(balance.held)}
            for asset, balance in call.exchange.balances.of(call.owner.key).items()
            if wanted in ("", asset)
        ]
        return Answer(rows)

    def deposits(self, call: Call) -> Answer:
        return Answer(self._transfers(call, "deposit"))

    def withdraws(self, call: Call) -> Answer:
        return Answer(self._transfers(call, "withdrawal"))

    def _transfers(self, call: Call, kind: str) -> list[dict[str, Any]]:
        """Return transfers in Peatio's form: a guess."""
        wanted = call.params.get("currency", "").lower()
        rows = [
            {
                "id": change.row,
                "currency": change.asset,
                "amount": str(abs(change.total_delta)),
                "fee": "0.0",
                "txid": f"{change.asset}-{change.row}",
                "state": "accepted" if kind == "deposit" else "succeed",
                "created_at": to_datetime(ts_ns).isoformat(),
            }
            for ts_ns, change in call.exchange.statement
            if change.account == call.owner.key and change.kind == kind and wanted in ("", change.asset)
        ]
        limit = _whole(call, "limit", 100)
        return call.listed(rows, limit)[: -limit - 1 : -1]


def _currency_row(asset: str) -> dict[str, Any]:
    return {
        "id": asset,
        "name": asset.upper(),
        "symbol": "R" if asset == "zar" else asset.upper(),
        "type": _kind(asset),
        "erc20": asset == "usdt",
        "deposit_fee": "0.0",
        "min_deposit_amount": "0.0",
        "min_confirmations": 1,
        "withdraw_fee": "0.0",
        "min_withdraw_amount": "0.0",
        "withdraw_limit_24h": "0.0",
        "withdraw_limit_72h": "0.0",
        "deposit_enabled": True,
        "withdrawal_enabled": True,
        "instant_exchange": False,
        "base_factor": 1,
        "precision": 2 if asset == "zar" else 8,
        "display_precision": 2 if asset == "zar" else 8,
        "icon_url": "",
        "updated_at": "2026-01-01T00:00:00Z",
    }


def _kind(asset: str) -> str:
    return "fiat" if asset == "zar" else "coin"


def _trade_row(fill: Fill, market: Market) -> dict[str, Any]:
    trade = fill.trade
    base, quote = (market.base, trade.quantity), (market.quote, trade.notional)
    paid, got = (quote, base) if fill.side is Side.BUY else (base, quote)
    return {
        "id": int(fill.order_id),
        "market": trade.market,
        "side": fill.side.value,
        "from_currency": paid[0],
        "from_amount": str(paid[1]),
        "to_currency": got[0],
        "to_amount": str(got[1]),
        "rate": str(trade.price),
        "rate_is_from_currency": fill.side is Side.BUY,
        "state": "completed",
        "created_at": to_datetime(trade.ts_ns).isoformat(),
    }


def _amounts(call: Call, market: Market, side: Side, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Return (paid, received); of two amounts given, from_amount counts."""
    paid, received = _amount(call, "from_amount"), _amount(call, "to_amount")
    asks, gets = (market.quote, market.base) if side is Side.BUY else (market.base, market.quote)
    if paid is not None:
        value = _WIDE.divide(paid, rate) if side is Side.BUY else _WIDE.multiply(paid, rate)
        received = _cut(value, gets)
    elif received is not None:
        value = _WIDE.multiply(received, rate) if side is Side.BUY else _WIDE.divide(received, rate)
        paid = _cut(value, asks)
    if paid is None or received is None or paid <= 0 or received <= 0:
        raise refuse("amount.invalid")
    return paid, received


def _cut(amount: Decimal, asset: str) -> Decimal:
    return amount.quantize(_PLACES.get(asset, _EIGHT), ROUND_DOWN, _WIDE)


def _amount(call: Call, name: str) -> Decimal | None:
    text = call.params.get(name)
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as bad:
        raise refuse("amount.invalid") from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse("amount.invalid")
    return amount


def _token(call: Call) -> str:
    if call.params.get("quote_token"):
        return call.params["quote_token"]
    try:
        asked = call.json()
    except ValueError as bad:
        raise refuse("quote.not_found") from bad
    return str(asked.get("quote_token", "")) if isinstance(asked, dict) else ""


def _whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise refuse("amount.invalid")
    return int(text)
