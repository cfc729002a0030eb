"""Real accounts as people see them: condition, tie-outs, what is unexplained, orders by hand and in doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.domain.order import DOUBTFUL
from amarktai.domain.provider import KeyStatus
from amarktai.domain.user import Identity
from amarktai.ports.exchange import Capability, Support
from amarktai.ports.live_accounts import AccountStatus, Condition, TieOut
from amarktai.ports.store import Store
from amarktai.services.differences import difference_view
from amarktai.services.keys import Keys
from amarktai.services.order_history import OrderHistory
from amarktai.services.views import instant

_SHOWN: Final = 50


class AccountReports:
    """The read side of real accounts. ``stops`` is each exchange's capability of protective stops."""

    def __init__(
        self, store: Store, keys: Keys, orders: OrderHistory, stops: Mapping[Platform, Capability]
    ) -> None:
        self._store = store
        self._keys = keys
        self._orders = orders
        self._stops = stops

    async def overview(self, who: Identity) -> dict[str, Any]:
        """Return every account with a key, and everything that waits for a person."""
        saved = [row for row in await self._keys.list_keys(who) if row["status"] != KeyStatus.NOT_CONFIGURED]
        async with self._store.unit_of_work(who.user_id) as unit:
            statuses = await unit.live_accounts.statuses()
            keyed = [Platform(row["provider"]) for row in saved if row["provider"] in tuple(Platform)]
            tied = {item: await unit.live_accounts.tie_outs(item, 1) for item in keyed}
            differences = await unit.live_accounts.differences(open_only=False)
            external = await unit.live_accounts.external_orders(_SHOWN)
            doubtful = [item.order.id for item in await unit.orders.working() if item.order.state in DOUBTFUL]
            asked = await unit.live_accounts.resolutions(doubtful)
        return {
            "accounts": [
                self._account(row, statuses.get(Platform(row["provider"])), tied[Platform(row["provider"])])
                for row in saved
                if row["provider"] in tuple(Platform)
            ],
            "differences": [difference_view(item) for item in differences[:_SHOWN]],
            "external_orders": [_external_view(row) for row in external],
            "doubtful_orders": [
                {
                    **await self._orders.get(who.user_id, order_id),
                    "resolution": _resolution_view(asked.get(order_id)),
                }
                for order_id in doubtful[:_SHOWN]
            ],
        }

    async def tie_outs(self, user_id: UUID, platform: Platform, days: int) -> list[dict[str, Any]]:
        """Return an account's tie-outs of the last days, the newest day first."""
        async with self._store.unit_of_work(user_id) as unit:
            rows = await unit.live_accounts.tie_outs(platform, days)
        return [tie_out_view(row) for row in rows]

    def _account(
        self, key: Mapping[str, Any], status: AccountStatus | None, tied: Sequence[TieOut]
    ) -> dict[str, Any]:
        platform = Platform(key["provider"])
        stops = self._stops[platform]
        return {
            "platform": platform,
            "display_name": DISPLAY_NAMES[platform],
            "condition": status.condition if status else Condition.CLOSED,
            "detail": status.detail if status else "The engine has not opened this account yet.",
            "changed_at": instant(status.changed_at) if status else None,
            "opened_at": _maybe(status.opened_at) if status else None,
            "reconciled_at": _maybe(status.reconciled_at) if status else None,
            "took_ms": status.took_ms if status else None,
            "orders": status.orders if status else None,
            "fills": status.fills if status else None,
            "key_status": key["status"],
            "key_message": key["message"],
            "key_tested_at": key["last_tested_at"],
            "rights": key["rights"],
            "halted_reason": key["account_reason"] if key["account_state"] == "halted" else None,
            "stops": stops.support,
            "stops_note": stops.note,
            "unprotected_when_down": stops.support is not Support.NATIVE,
            "tie_outs": [tie_out_view(row) for row in tied],
        }


def tie_out_view(row: TieOut) -> dict[str, Any]:
    return {
        "asset": row.asset,
        "day": row.day,
        "checked_at": instant(row.checked_at),
        "venue_total": f"{row.venue_total:f}",
        "ledger_total": f"{row.ledger_total:f}",
        "rounded": f"{row.rounded:f}",
        "difference": f"{row.difference:f}",
    }


def _external_view(row: Mapping[str, Any]) -> dict[str, Any]:
    amounts = ("quantity", "price", "stop_price", "filled_quantity")
    return {
        "platform": row["platform"],
        "venue_order_id": row["venue_order_id"],
        "instrument_id": row["instrument_id"],
        "side": row["side"],
        "type": row["type"],
        "status": row["status"],
        "created_at": instant(row["created_at"]),
        "seen_at": instant(row["seen_at"]),
        **{name: None if row[name] is None else f"{row[name]:f}" for name in amounts},
    }


def _resolution_view(asked: Any) -> dict[str, Any] | None:
    if asked is None:
        return None
    return {"note": asked.note, "asked_at": instant(asked.asked_at), "asked_by": asked.asked_by}


def _maybe(at: Any) -> str | None:
    return None if at is None else instant(at)
