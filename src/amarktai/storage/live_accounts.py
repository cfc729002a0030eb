"""Live accounts in PostgreSQL: condition, tie-outs, differences, orders by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Platform
from amarktai.ports.exchange import OrderRecord
from amarktai.ports.live_accounts import (
    AccountStatus,
    Cause,
    Condition,
    Difference,
    Resolution,
    TieOut,
)
from amarktai.storage import tables as t
from amarktai.storage.lists import none_of, one_of
from amarktai.storage.transaction import Transaction

_s, _tie, _d, _x = t.account_status.c, t.tie_outs.c, t.differences.c, t.external_orders.c
_STATUS_FIELDS = tuple(AccountStatus.__dataclass_fields__)


class PgLiveAccounts:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def statuses(self) -> dict[Platform, AccountStatus]:
        rows = (await self._transaction.execute(select(t.account_status))).mappings()
        found = [AccountStatus(**{name: row[name] for name in _STATUS_FIELDS}) for row in rows]
        return {Platform(item.platform): _typed(item) for item in found}

    async def save_status(self, status: AccountStatus) -> None:
        values = {"platform": status.platform.value, "condition": status.condition.value}
        await self._put(t.account_status, [asdict(status) | values])

    async def tie_outs(self, platform: Platform, days: int) -> list[TieOut]:
        newest = (
            select(_tie.day).where(_tie.platform == platform.value).distinct()
            .order_by(_tie.day.desc()).limit(days)
        )  # fmt: skip
        query = (
            select(t.tie_outs)
            .where(_tie.platform == platform.value, _tie.day.in_(newest))
            .order_by(_tie.day.desc(), _tie.asset)
        )
        return [_tie_out_of(row) for row in (await self._transaction.execute(query)).mappings()]

    async def last_rounded(self, platform: Platform) -> tuple[int, dict[str, Decimal]]:
        last = select(func.max(_tie.head_seq)).where(_tie.platform == platform.value).scalar_subquery()
        query = select(_tie.asset, _tie.rounded, _tie.head_seq).where(
            _tie.platform == platform.value, _tie.head_seq == last
        )
        rows = list(await self._transaction.execute(query.order_by(_tie.checked_at)))
        return (rows[0].head_seq if rows else 0), {row.asset: row.rounded for row in rows}

    async def save_tie_outs(self, rows: Sequence[TieOut]) -> None:
        await self._put(t.tie_outs, [asdict(item) | {"platform": item.platform.value} for item in rows])

    async def differences(self, *, open_only: bool) -> list[Difference]:
        query = select(t.differences).order_by(_d.noticed_at.desc(), _d.id.desc())
        if open_only:
            query = query.where(_d.explained_at.is_(None))
        return [_difference_of(row) for row in (await self._transaction.execute(query)).mappings()]

    async def difference(self, difference_id: UUID) -> Difference | None:
        query = select(t.differences).where(_d.id == difference_id).with_for_update()
        row = (await self._transaction.execute(query)).mappings().one_or_none()
        return _difference_of(row) if row else None

    async def save_difference(self, difference: Difference) -> None:
        cause = difference.cause.value if difference.cause else None
        values = {"platform": difference.platform.value, "cause": cause}
        await self._put(t.differences, [asdict(difference) | values])

    async def save_external_orders(
        self, platform: Platform, records: Sequence[OrderRecord], at: datetime
    ) -> None:
        rows = [
            {
                "user_id": self._user_id,
                "platform": platform.value,
                "venue_order_id": record.venue_order_id,
                "instrument_id": record.instrument_id,
                "side": record.side.value,
                "type": record.type.value if record.type else None,
                "quantity": record.quantity,
                "price": record.price,
                "stop_price": record.stop_price,
                "status": record.status.value,
                "filled_quantity": record.filled_quantity,
                "created_at": record.created_at,
                "seen_at": at,
            }
            for record in records
        ]
        # Staged: an account that another program trades on can have ten thousands of them.
        self._transaction.stage("external_orders", rows)

    async def _put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows in one statement, in place of those with the same key."""
        if not rows:
            return
        statement = upsert(table).values([{"user_id": self._user_id, **row} for row in rows])
        key = [column.name for column in table.primary_key.columns]
        changes = {name: statement.excluded[name] for name in rows[0] if name not in key}
        await self._transaction.execute(statement.on_conflict_do_update(index_elements=key, set_=changes))

    async def close_external_orders(self, platform: Platform, still_open: Collection[str]) -> None:
        await self._transaction.execute(
            update(t.external_orders)
            .where(
                _x.platform == platform.value,
                _x.status == "open",
                none_of(_x.venue_order_id, still_open),
            )
            .values(status="over")
        )

    async def external_orders(self, limit: int) -> list[Mapping[str, object]]:
        query = select(t.external_orders).order_by(_x.created_at.desc()).limit(limit)
        return [dict(row) for row in (await self._transaction.execute(query)).mappings()]

    async def fills_since(
        self, platform: Platform, account: str, since: datetime
    ) -> dict[str, tuple[datetime, int]]:
        f, e = t.fills.c, t.ledger_entries.c
        query = (
            select(f.venue_trade_id, f.executed_at, e.seq)
            .join(t.ledger_entries, e.id == f.ledger_entry_id)
            .where(
                f.platform == platform.value,
                f.account == account,
                f.mode == TradingMode.LIVE.value,
                f.executed_at >= since,
            )
        )
        rows = await self._transaction.execute(query)
        return {row.venue_trade_id: (row.executed_at, row.seq) for row in rows}

    async def save_resolution(self, resolution: Resolution) -> None:
        await self._put(t.order_resolutions, [asdict(resolution)])

    async def resolutions(self, order_ids: Sequence[UUID]) -> dict[UUID, Resolution]:
        r = t.order_resolutions.c
        query = select(t.order_resolutions).where(one_of(r.order_id, order_ids))
        return {
            row.order_id: Resolution(row.order_id, row.note, row.asked_at, row.asked_by)
            for row in await self._transaction.execute(query)
        }

    async def orders_named(self, platform: Platform, venue_order_ids: Sequence[str]) -> dict[str, UUID]:
        o = t.orders.c
        query = select(o.venue_order_id, o.id).where(
            o.platform == platform.value,
            o.mode == TradingMode.LIVE.value,
            one_of(o.venue_order_id, venue_order_ids),
        )
        return {row.venue_order_id: row.id for row in await self._transaction.execute(query)}


def _typed(status: AccountStatus) -> AccountStatus:
    return AccountStatus(
        **asdict(status) | {"platform": Platform(status.platform), "condition": Condition(status.condition)}
    )


def _tie_out_of(row: Mapping[Any, Any]) -> TieOut:
    return TieOut(
        Platform(row["platform"]), row["asset"], row["day"], row["checked_at"], row["venue_total"],
        row["ledger_total"], row["rounded"], row["head_seq"],
    )  # fmt: skip


def _difference_of(row: Mapping[Any, Any]) -> Difference:
    return Difference(
        id=row["id"],
        platform=Platform(row["platform"]),
        asset=row["asset"],
        amount=row["amount"],
        noticed_at=row["noticed_at"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        note=row["note"],
        explained_at=row["explained_at"],
        explained_by=row["explained_by"],
    )
