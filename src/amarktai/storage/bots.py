"""Bots, their runtime memory and their decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from amarktai.domain.bot import Bot, BotStatus, LifecycleStage, RiskMode, TradingMode
from amarktai.domain.errors import Conflict, NotFound
from amarktai.domain.instrument import Origin, Platform
from amarktai.ports.store import BotRuntime
from amarktai.storage import tables as t
from amarktai.storage.transaction import Transaction

_EDITABLE = (
    "name", "params", "risk_mode", "status", "lifecycle_stage", "pause_reason",
    "started_at", "paused_at", "stopped_at", "deleted_at",
)  # fmt: skip


_RUNTIME = tuple(field.name for field in fields(BotRuntime))

#: The channel on which the engine hears that a bot changed; the payload is ``user id:bot id``.
ENGINE_CHANNEL = "amarktai_engine"
_WAKE = text("SELECT pg_notify(:channel, :payload)")


class PgBots:
    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        self._transaction = transaction
        self._user_id = user_id

    async def insert(self, bot: Bot) -> None:
        await self._write(insert(t.bots).values(_to_row(bot)), bot.name)

    async def get(self, bot_id: UUID, *, lock: bool = False) -> Bot:
        query = select(t.bots).where(t.bots.c.id == bot_id)
        row = (await self._transaction.execute(query.with_for_update() if lock else query)).mappings().first()
        if row is None:
            raise NotFound("NOT_FOUND", f"There is no bot {bot_id}", "Reload the list of bots.")
        return to_bot(row)

    async def list(self, *, statuses: Iterable[BotStatus] = ()) -> list[Bot]:
        query = select(t.bots).order_by(t.bots.c.created_at, t.bots.c.id)
        wanted = [status.value for status in statuses]
        if wanted:
            query = query.where(t.bots.c.status.in_(wanted))
        return [to_bot(row) for row in (await self._transaction.execute(query)).mappings()]

    async def update(self, bot: Bot) -> None:
        row = _to_row(bot)
        values = {name: row[name] for name in _EDITABLE}
        await self._write(update(t.bots).where(t.bots.c.id == bot.id).values(values), bot.name)

    async def runtimes(self, bot_ids: Sequence[UUID]) -> dict[UUID, BotRuntime]:
        rows = await self._transaction.execute(
            select(t.bot_runtime).where(t.bot_runtime.c.bot_id.in_(list(bot_ids)))
        )
        return {
            row.bot_id: BotRuntime(
                row.strategy_state,
                row.last_bar_ts,
                row.last_decision,
                row.next_decision_at,
                row.peak_equity_zar,
                row.max_drawdown_ratio,
            )
            for row in rows
        }

    async def save_runtimes(self, runtimes: Mapping[UUID, BotRuntime]) -> None:
        if not runtimes:
            return
        statement = upsert(t.bot_runtime)
        statement = statement.on_conflict_do_update(
            index_elements=["bot_id"],
            set_={name: statement.excluded[name] for name in _RUNTIME},
        )
        await self._transaction.execute(
            statement,
            [
                {
                    "bot_id": bot_id,
                    "user_id": self._user_id,
                    **{name: getattr(runtime, name) for name in _RUNTIME},
                }
                for bot_id, runtime in runtimes.items()
            ],
        )

    async def add_decisions(self, decisions: Sequence[tuple[UUID, datetime, Mapping[str, Any]]]) -> None:
        if not decisions:
            return
        await self._transaction.execute(
            upsert(t.decisions).on_conflict_do_nothing(),
            [
                {"bot_id": bot_id, "at": at, "user_id": self._user_id, "decision": dict(decision)}
                for bot_id, at, decision in decisions
            ],
        )

    async def save_capital(self, bot: Bot) -> None:
        await self._transaction.execute(
            update(t.bots).where(t.bots.c.id == bot.id).values(capital_quote=bot.capital_quote)
        )

    async def wake_engine(self, bot_id: UUID) -> None:
        payload = f"{self._user_id}:{bot_id}"
        await self._transaction.execute(_WAKE, {"channel": ENGINE_CHANNEL, "payload": payload})

    async def _write(self, statement: Any, name: str) -> None:
        await self._transaction.flush()
        try:
            async with self._transaction.begin_nested():
                await self._transaction.execute(statement)
        except IntegrityError as error:
            if "uq_bots_name" in str(error.orig):
                raise Conflict(
                    "BOT_NAME_DUPLICATE", f"You have a bot named {name!r} already", "Choose another name."
                ) from error
            raise


def _to_row(bot: Bot) -> dict[str, Any]:
    return {
        "id": bot.id,
        "user_id": bot.user_id,
        "name": bot.name,
        "platform": bot.platform.value,
        "instrument_id": bot.instrument_id,
        "strategy": bot.strategy,
        "params": dict(bot.params),
        "timeframe": bot.timeframe,
        "risk_mode": bot.risk_mode.value,
        "mode": bot.mode.value,
        "origin": bot.origin.value,
        "status": bot.status.value,
        "lifecycle_stage": bot.lifecycle_stage.value,
        "quote_asset": bot.quote_asset,
        "capital_zar": bot.capital_zar,
        "capital_quote": bot.capital_quote,
        "pause_reason": bot.pause_reason,
        "created_at": bot.created_at,
        "started_at": bot.started_at,
        "paused_at": bot.paused_at,
        "stopped_at": bot.stopped_at,
        "deleted_at": bot.deleted_at,
    }


def to_bot(row: RowMapping) -> Bot:
    """Return the bot of a row of ``bots``."""
    return Bot(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        platform=Platform(row["platform"]),
        instrument_id=row["instrument_id"],
        strategy=row["strategy"],
        params=row["params"],
        timeframe=row["timeframe"],
        risk_mode=RiskMode(row["risk_mode"]),
        mode=TradingMode(row["mode"]),
        origin=Origin(row["origin"]),
        status=BotStatus(row["status"]),
        lifecycle_stage=LifecycleStage(row["lifecycle_stage"]),
        quote_asset=row["quote_asset"],
        capital_zar=row["capital_zar"],
        capital_quote=row["capital_quote"],
        created_at=row["created_at"],
        pause_reason=row["pause_reason"],
        started_at=row["started_at"],
        paused_at=row["paused_at"],
        stopped_at=row["stopped_at"],
        deleted_at=row["deleted_at"],
    )
