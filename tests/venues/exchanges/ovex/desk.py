"""A desk that quotes and trades as OVEX's clients expect it, behind httpx."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from amarktai.domain.bar import NS_PER_S
from tests.venues.exchanges.answers import Answers

LIFE_S = 15


class Desk(Answers):
    """Quotes BTC/ZAR at ``bid`` and ``ask``. A token can be accepted once."""

    def __init__(self) -> None:
        super().__init__()
        self.bid, self.ask = Decimal(1_990_000), Decimal(2_010_000)
        self.has_tokens, self.lists_tokens = True, True
        self.open: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.accepts = 0
        self.call("GET /api/v2/rfq/get_quote", self.quote)
        self.call("POST /api/v2/rfq/accept_quote", self.accept)
        self.call("GET /api/v2/rfq/trades", self.list_trades)

    @property
    def now_s(self) -> int:
        return self.clock.now_ns() // NS_PER_S

    def quote(self, request: httpx.Request) -> tuple[int, Any]:
        asked = request.url.params
        is_buy = asked["side"] == "buy"
        price = self.ask if is_buy else self.bid
        gives_base = ("from_amount" in asked) != is_buy
        amount = Decimal(asked.get("from_amount") or asked["to_amount"])
        base, quote = (amount, amount * price) if gives_base else (amount / price, amount)
        row: dict[str, Any] = {
            "market": asked["market"], "side": asked["side"],
            "from_currency": "zar" if is_buy else "btc", "from_amount": str(quote if is_buy else base),
            "to_currency": "btc" if is_buy else "zar", "to_amount": str(base if is_buy else quote),
            "rate": str(price), "rate_is_from_currency": is_buy, "requested_at": self.now_s,
            "expires_at": self.now_s + LIFE_S, "is_prefunded": False, "sn": None, "message": "",
        }  # fmt: skip
        if self.has_tokens:
            token = f"token-{len(self.requests)}"
            self.open[token] = row = row | {"quote_token": token}
        return 200, row

    def accept(self, request: httpx.Request) -> tuple[int, Any]:
        self.accepts += 1
        row = self.open.pop(request.url.params["quote_token"], None)
        if row is None or row["expires_at"] < self.now_s:
            return 422, {"errors": ["quote.invalid"]}
        self.add(row)
        return 201, {"status": "accepted"}

    def add(self, row: dict[str, Any]) -> None:
        """Book a trade of a quote's terms."""
        trade = {**row, "id": 1_000 + len(self.trades), "created_at": self.now_s}
        if not self.lists_tokens:
            trade.pop("quote_token", None)
        self.trades.append(trade)

    def list_trades(self, request: httpx.Request) -> tuple[int, Any]:
        asked = request.url.params
        rows = [row for row in self.trades if "to" not in asked or row["id"] < int(asked["to"])]
        return 200, sorted(rows, key=lambda row: -row["id"])[: int(asked["limit"])]
