"""The facts behind the live gate in PostgreSQL, and its reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, insert, select, text

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.order import DOUBTFUL, OrderState, OrderType, Side
from amarktai.domain.provider import ProviderId, Right, TestOutcome
from amarktai.domain.readiness import Check, Report
from amarktai.ports.readiness import KeyFact, Unprotected, UserFacts
from amarktai.storage import tables as t
from amarktai.storage.accounts import PgPlatformSettings
from amarktai.storage.database import Database
from amarktai.storage.live_accounts import PgLiveAccounts

_NOW: Final = text("SELECT clock_timestamp()")
_o, _s, _l, _k = t.orders.c, t.emergency_stops.c, t.risk_limits.c, t.api_keys.c


def _unprotected() -> Select[Any]:
    """Select (bot, platform, since) of open live positions that no stop at rest protects."""
    p, b, r = t.positions.c, t.bots.c, t.round_trips.c
    stops = select(_o.id).where(
        _o.bot_id == b.id, _o.type == OrderType.STOP_MARKET.value, _o.side == Side.SELL.value
    )
    last_end = stops.with_only_columns(func.max(_o.closed_at)).scalar_subquery()
    resting = stops.where(_o.state.in_([OrderState.OPEN.value, OrderState.PARTIAL.value])).exists()
    return (
        select(b.id, b.platform, func.greatest(r.opened_at, last_end))
        .join(t.positions, p.bot_id == b.id)
        .join(t.round_trips, r.id == p.round_trip_id)
        .where(b.mode == TradingMode.LIVE.value, p.quantity > 0, r.status == "open", ~resting)
        .order_by(b.id)
    )


_UNPROTECTED: Final = _unprotected()


class PgReadiness:
    """Implements ports.readiness.ReadinessStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self) -> list[UserFacts]:
        people = select(t.users.c.id, t.users.c.email).where(t.users.c.is_active).order_by(t.users.c.id)
        async with self._database.transaction(None) as connection:
            found = list(await connection.execute(people))
        return [await self._user(row.id, row.email) for row in found]

    async def _user(self, user_id: UUID, email: str) -> UserFacts:
        in_doubt = select(func.count(), func.min(_o.created_at)).where(
            _o.mode == TradingMode.LIVE.value, _o.state.in_([state.value for state in DOUBTFUL])
        )
        async with self._database.transaction(user_id) as connection:
            keys = list(await connection.execute(select(_k.provider, _k.last_outcome, _k.last_test)))
            accounts = await PgLiveAccounts(connection, user_id).statuses()
            count, oldest = (await connection.execute(in_doubt)).one()
            bare = [
                Unprotected(bot_id, Platform(name), since)
                for bot_id, name, since in await connection.execute(_UNPROTECTED)
            ]
        facts = {ProviderId(row.provider): _key_fact(row.last_outcome, row.last_test or {}) for row in keys}
        return UserFacts(user_id, email, facts, list(accounts.values()), count, oldest, bare)

    async def note(self, name: str) -> Mapping[str, Any] | None:
        async with self._database.transaction(None) as connection:
            value: Mapping[str, Any] | None = await PgPlatformSettings(connection).get(name)
        return value

    async def put_note(self, name: str, value: Mapping[str, Any], at: datetime) -> None:
        async with self._database.transaction(None) as connection:
            await PgPlatformSettings(connection).put(name, dict(value), at)

    async def stop_for_all(self) -> str | None:
        query = select(_s.reason).where(_s.user_id.is_(None), _s.released_at.is_(None))
        async with self._database.transaction(None) as connection:
            reason: str | None = (await connection.execute(query)).scalar_one_or_none()
        return reason

    async def limits_for_all(self) -> list[str]:
        query = select(_l.kind).where(_l.user_id.is_(None)).order_by(_l.kind)
        async with self._database.transaction(None) as connection:
            return list((await connection.execute(query)).scalars())

    async def clock(self) -> datetime:
        async with self._database.transaction(None) as connection:
            now: datetime = (await connection.execute(_NOW)).scalar_one()
        return now

    async def keep(self, report_id: UUID, report: Report, by: str) -> None:
        row = insert(t.readiness_reports).values(
            id=report_id,
            made_at=report.made_at,
            build=report.build,
            checks=[_check_json(check) for check in report.checks],
            asked_by=by,
        )
        async with self._database.transaction(None) as connection:
            await connection.execute(row)


def _key_fact(outcome: str | None, verdict: Mapping[str, Any]) -> KeyFact:
    rights, is_complete = verdict.get("rights"), verdict.get("rights_complete")
    may_trade = Right.TRADE.value in rights if rights is not None and is_complete else None
    return KeyFact(TestOutcome(outcome) if outcome else None, may_trade)


def _check_json(check: Check) -> dict[str, Any]:
    return {**asdict(check), "name": check.name.value, "status": check.status.value}
