"""Reads the parameters of Binance's calls."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from amarktai.twins.binance.errors import filter_failure, missing, refuse
from amarktai.twins.binance.rows import LIMIT_TYPES, STOP_TYPES
from amarktai.twins.calls import Answer, Call
from amarktai.twins.orders import Market, Stop, TimeInForce

_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_DAY_MS: Final = 86_400_000


def market_of(call: Call) -> Market:
    """Return the market that the call names. Raises: Refusal -1102 or -1121."""
    symbol = call.params.get("symbol")
    if not symbol:
        raise missing("symbol")
    market = call.exchange.markets.get(symbol)
    if market is None:
        raise refuse(-1121)
    return market


def markets_of(call: Call) -> list[Market]:
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


def one_or_all(call: Call, row: Any) -> Answer:
    rows = [row(market) for market in markets_of(call)]
    return Answer(rows[0] if call.params.get("symbol") else rows)


def whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise refuse(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        )
    return int(text)


def limit_of(call: Call, *, default: int = 500, most: int = 1000) -> int:
    limit = whole(call, "limit", default)
    if limit < 1:
        raise refuse(-1130)
    return min(limit, most)


def span_of(call: Call, *, checks_day: bool = False) -> tuple[int, int, int]:
    """Return startTime, endTime (ms, inclusive) and fromId."""
    since, until = whole(call, "startTime", 0), whole(call, "endTime", call.now_ms)
    both = call.params.get("startTime") and call.params.get("endTime")
    if checks_day and both and until - since > _DAY_MS:
        raise refuse(-1127)
    return since, until, whole(call, "fromId", 0)


def amount_of(call: Call, name: str) -> Decimal:
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


def quote_quantity_of(call: Call, kind: str) -> Decimal | None:
    wants = kind == "MARKET" and call.params.get("quoteOrderQty")
    return amount_of(call, "quoteOrderQty") if wants else None


def price_of(call: Call, market: Market, kind: str) -> Decimal | None:
    if kind not in LIMIT_TYPES:
        if call.params.get("price"):
            raise refuse(-1106, "Parameter 'price' sent when not required.")
        return None
    return on_grid(amount_of(call, "price"), market)


def on_grid(price: Decimal, market: Market) -> Decimal:
    if price % market.tick or price > market.start_price * 100:
        raise filter_failure("PRICE_FILTER")
    return price


def time_in_force_of(call: Call, kind: str) -> TimeInForce:
    name = call.params.get("timeInForce", "")
    needs = kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
    if needs and not name:
        raise missing("timeInForce")
    if name and not needs:
        raise refuse(-1106, "Parameter 'timeInForce' sent when not required.")
    if name and name not in TimeInForce.__members__:
        raise refuse(-1115)
    return TimeInForce(name) if name else TimeInForce.GTC


def stop_of(call: Call, market: Market, kind: str, side: str) -> Stop | None:
    if kind not in STOP_TYPES:
        if call.params.get("stopPrice"):
            raise refuse(-1106, "Parameter 'stopPrice' sent when not required.")
        return None
    price = on_grid(amount_of(call, "stopPrice"), market)
    is_loss = kind.startswith("STOP_LOSS")
    return Stop(price, rises=is_loss == (side == "BUY"))


def client_id_of(call: Call, name: str) -> str:
    client_id = call.params.get(name, "")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise refuse(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is '^[a-zA-Z0-9-_]{{1,36}}$'.",
        )
    return client_id
