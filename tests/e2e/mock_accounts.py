"""The stand-in's real accounts: one that agrees with the books, one that differs, an order in doubt."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from amarktai.api.models.live_accounts import AccountsView
from tests.e2e import mock_market as market

Row = dict[str, Any]
DIFFERENCE = "00000000-0000-4000-8000-00000000d1ff"


def tie_out(asset: str, total: str, rounded: str = "0") -> Row:
    return {
        "asset": asset, "day": "2026-11-23", "checked_at": market.ago(minutes=1), "venue_total": total,
        "ledger_total": total, "rounded": rounded, "difference": "0.00000000",
    }  # fmt: skip


def live_account(platform: str, name: str, **differs: Any) -> Row:
    return {
        "platform": platform,
        "display_name": name,
        "condition": "active",
        "detail": "It agrees with the books.",
        "changed_at": market.ago(minutes=9),
        "opened_at": market.ago(days=2),
        "reconciled_at": market.ago(minutes=1),
        "took_ms": 412,
        "orders": 7,
        "fills": 12,
        "key_status": "test_ok",
        "key_message": "It accepts the key.",
        "key_tested_at": market.ago(hours=5),
        "rights": ["view", "trade"],
        "halted_reason": None,
        "stops": "native",
        "stops_note": "STOP_LOSS, where the market allows it.",
        "unprotected_when_down": False,
        "tie_outs": [tie_out("ZAR", "150000.00000000"), tie_out("BTC", "0.0123456789", "0.0000000089")],
        **differs,
    }


def difference(amount: str) -> Row:
    return {
        "id": DIFFERENCE, "platform": "ovex", "display_name": "OVEX", "asset": "ZAR", "amount": amount,
        "noticed_at": market.ago(minutes=3), "cause": None, "note": None, "explained_at": None,
        "explained_by": None,
    }  # fmt: skip


def doubtful(bot: Row) -> Row:
    order = market.order(1, bot) | {"state": "unknown", "mode": "live", "type": "limit"}
    event = {"at": market.ago(minutes=8), "from_state": "planned", "event": "claim", "detail": ""}
    lost = {"from_state": "sending", "to_state": "unknown", "event": "lose", "detail": "Luno did not answer."}
    return {
        "order": order,
        "events": [event | {"to_state": "sending"}, event | lost],
        "fills": [],
        "resolution": None,
    }


def by_hand() -> Row:
    return {
        "platform": "luno",
        "venue_order_id": "BXK1",
        "instrument_id": "luno:BTC/ZAR",
        "side": "sell",
        "type": "limit",
        "status": "open",
        "created_at": market.ago(hours=2),
        "seen_at": market.ago(minutes=1),
        "quantity": "0.01",
        "price": "2100000",
        "stop_price": None,
        "filled_quantity": "0",
    }


def account_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api")

    @api.get("/accounts")
    async def accounts() -> Row:
        found: Row = account.live or {key: [] for key in AccountsView.model_fields}
        return AccountsView.model_validate(found).model_dump(mode="json")

    @api.post("/accounts/differences/{difference_id}/explain")
    async def explain(difference_id: str, body: Row) -> Row:
        found: Row = next(row for row in account.live["differences"] if row["id"] == difference_id)
        found |= {**body, "explained_at": market.iso(market.NOW), "explained_by": "user:ada"}
        return found

    @api.post("/orders/{order_id}/resolve", status_code=202)
    async def resolve(order_id: str, body: Row) -> None:
        row = next(row for row in account.live["doubtful_orders"] if row["order"]["id"] == order_id)
        row["resolution"] = {**body, "asked_at": market.iso(market.NOW), "asked_by": "user:ada"}

    return api


def everything(bot: Row) -> Row:
    """Return accounts in which something of each kind waits for a person."""
    differs = {
        "condition": "unexplained",
        "detail": "The account at OVEX differs from the books by +500 ZAR: say what it was.",
        "unprotected_when_down": True,
        "stops": "absent",
        "stops_note": "Refused: nothing can rest at a desk.",
        "rights": None,
    }
    return {
        "accounts": [live_account("luno", "Luno"), live_account("ovex", "OVEX", **differs)],
        "differences": [difference("500.00000000")],
        "external_orders": [by_hand()],
        "doubtful_orders": [doubtful(bot)],
    }
