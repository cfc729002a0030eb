"""Reads the parameters of KuCoin's calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from amarktai.twins.calls import Call
from amarktai.twins.kucoin.errors import refuse
from amarktai.twins.orders import Market

_CLIENT_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,40}")


def market_named(call: Call, symbol: str, code: str = "400100") -> Market:
    market = call.exchange.markets.get(symbol)
    if market is None:
        raise refuse(code, None if code == "400600" else "Unsupported trading pair.")
    return market


def body_of(call: Call) -> dict[str, Any]:
    try:
        asked = call.json()
    except ValueError as bad:
        raise refuse("400100", "The body is no JSON") from bad
    if not isinstance(asked, dict):
        raise refuse("400100", "The body is no object")
    return asked


def amount_of(asked: dict[str, Any], name: str) -> Decimal:
    try:
        amount = Decimal(str(asked.get(name)))
    except InvalidOperation as bad:
        raise refuse("400100", f"{name} is invalid") from bad
    if not amount.is_finite() or amount <= 0:
        raise refuse("400100", f"{name} is invalid")
    return amount


def price_of(asked: dict[str, Any], market: Market) -> Decimal:
    price = amount_of(asked, "price")
    if price % market.tick:
        raise refuse("600100", "Price increment invalid.")
    return price


def quantities_of(asked: dict[str, Any], market: Market, kind: str) -> tuple[Decimal | None, Decimal | None]:
    """Return (size, funds) of which exactly one is set; the fee of a funds order comes on top."""
    if kind == "market" and asked.get("funds"):
        if asked.get("size"):
            raise refuse("400100", "size and funds cannot both be set")
        return None, amount_of(asked, "funds")
    size = amount_of(asked, "size")
    if size < market.min_quantity:
        raise refuse("400100", "Order size below the minimum requirement.")
    if size % market.lot:
        raise refuse("600100")
    return size, None


def client_id_of(asked: dict[str, Any]) -> str:
    client_id = str(asked.get("clientOid") or "")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise refuse("400100", "clientOid is invalid")
    return client_id


def whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name) or "0"
    if not text.isdigit():
        raise refuse("400100", f"{name} is invalid")
    return int(text) or default


def newest_before(call: Call, rows: Sequence[Any], default: int, number: Any) -> list[Any]:
    """Return a page of rows (given oldest first), newest first, of those before ``lastId``."""
    limit = whole(call, "limit", default)
    if not 1 <= limit <= 200:
        raise refuse("400100", "limit is invalid")
    last = whole(call, "lastId", 0)
    before = [row for row in rows if not last or number(row) < last]
    return call.listed(before, limit)[: -limit - 1 : -1]


def paged(call: Call, rows: list[dict[str, Any]], number: str = "currentPage") -> dict[str, Any]:
    """Return one page of rows (given oldest first), newest first, with the counts."""
    page, size = whole(call, number, 1), whole(call, "pageSize", 50)
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
