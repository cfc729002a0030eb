"""Bots as their lists show them, in a constant number of statements for any number of bots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, lateral, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import Bot, BotStatus, TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.position import Position
from amarktai.ledger import chart
from amarktai.ledger.profit import ALL_DAYS, RollupDelta
from amarktai.ports.reports import BotRow, BotSelection, HeldPosition
from amarktai.storage import tables as t
from amarktai.storage.bots import to_bot
from amarktai.storage.figure_reports import to_delta

_bots = t.bots
# Written out, as the summary asks it after every trade.
_OPEN_POSITIONS = text(
    """
    SELECT p.bot_id, p.instrument_id, p.quantity, p.cost, p.entry_fees
    FROM positions p JOIN bots b ON b.id = p.bot_id WHERE p.quantity > 0 AND b.mode = :mode
    """
)


class PgBotReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, wanted: BotSelection, today: date) -> list[BotRow]:
        found = (await self._connection.execute(_selected(wanted))).mappings()
        bots = [to_bot(row) for row in found]
        if not bots:
            return []
        ids = [bot.id for bot in bots]
        figures = await self._figures(ids, today)
        state = await self._state(ids)
        holdings = await self._holdings(ids)
        return [_to_row(bot, figures, state[bot.id], holdings.get(bot.id, {}), today) for bot in bots]

    async def counts(self, mode: TradingMode) -> dict[Platform, tuple[int, int]]:
        market = func.coalesce(t.feeds.c.origin, _bots.c.origin)
        active = func.count().filter(_bots.c.status == BotStatus.ACTIVE.value, market == _bots.c.origin)
        query = (
            select(_bots.c.platform, func.count(), active)
            .select_from(_bots.outerjoin(t.feeds, t.feeds.c.platform == _bots.c.platform))
            .where(_bots.c.mode == mode.value, _bots.c.status != BotStatus.DELETED.value)
            .group_by(_bots.c.platform)
        )
        return {Platform(row[0]): (row[1], row[2]) for row in await self._connection.execute(query)}

    async def decisions(
        self, bot_id: UUID, after: datetime | None, limit: int
    ) -> list[tuple[datetime, Mapping[str, Any]]]:
        c = t.decisions.c
        query = select(c.at, c.decision).where(c.bot_id == bot_id)
        if after is not None:
            query = query.where(c.at < after)
        rows = await self._connection.execute(query.order_by(c.at.desc()).limit(limit))
        return [(row.at, row.decision) for row in rows]

    async def positions(self, mode: TradingMode) -> list[HeldPosition]:
        rows = await self._connection.execute(_OPEN_POSITIONS, {"mode": mode.value})
        return [
            HeldPosition(row.bot_id, row.instrument_id, Position(row.quantity, row.cost, row.entry_fees))
            for row in rows
        ]

    async def stored_positions(self, bot_ids: Sequence[UUID]) -> dict[UUID, HeldPosition]:
        rows = await self._connection.execute(
            select(t.positions).where(t.positions.c.bot_id.in_(list(bot_ids)))
        )
        return {
            row.bot_id: HeldPosition(
                row.bot_id, row.instrument_id, Position(row.quantity, row.cost, row.entry_fees)
            )
            for row in rows
        }

    async def _figures(self, ids: Sequence[UUID], today: date) -> dict[tuple[str, date], RollupDelta]:
        c = t.rollups.c
        query = select(t.rollups).where(
            c.scope == "bot", c.scope_id.in_([bot_id.hex for bot_id in ids]), c.day.in_([ALL_DAYS, today])
        )
        return {(row.scope_id, row.day): to_delta(row) for row in await self._connection.execute(query)}

    async def _state(self, ids: Sequence[UUID]) -> dict[UUID, Any]:
        """Return position, runtime memory, feed and the time of the last fill, one row a bot."""
        newest = (
            select(t.fills.c.executed_at)
            .where(t.fills.c.bot_id == _bots.c.id)
            .order_by(t.fills.c.executed_at.desc())
            .limit(1)
        )
        last = lateral(newest, name="last_fill")
        held, run = t.positions.c, t.bot_runtime.c
        query = (
            select(
                _bots.c.id, held.quantity, held.cost, held.entry_fees, last.c.executed_at,
                run.last_decision, run.next_decision_at, run.max_drawdown_ratio, t.feeds.c.origin,
            )
            .select_from(
                _bots.outerjoin(t.positions, held.bot_id == _bots.c.id)
                .outerjoin(t.bot_runtime, run.bot_id == _bots.c.id)
                .outerjoin(t.feeds, t.feeds.c.platform == _bots.c.platform)
                .outerjoin(last, literal(value=True))
            )
            .where(_bots.c.id.in_(list(ids)))
        )  # fmt: skip
        return {row.id: row for row in await self._connection.execute(query)}

    async def _holdings(self, ids: Sequence[UUID]) -> dict[UUID, dict[str, Decimal]]:
        accounts = {chart.bot_holding(bot_id): bot_id for bot_id in ids}
        b = t.ledger_balances.c
        query = (
            select(b.account, b.asset, b.amount)
            .join(t.ledger_books, t.ledger_books.c.id == b.book_id)
            .where(b.account.in_(list(accounts)), b.amount != 0)
        )
        found: dict[UUID, dict[str, Decimal]] = {}
        for row in await self._connection.execute(query):
            held = found.setdefault(accounts[row.account], {})
            held[row.asset] = held.get(row.asset, ZERO) + row.amount
        return found


def _selected(wanted: BotSelection) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.bot_ids is not None:
        conditions.append(_bots.c.id.in_(list(wanted.bot_ids)))
    if wanted.platform is not None:
        conditions.append(_bots.c.platform == wanted.platform.value)
    if wanted.mode is not None:
        conditions.append(_bots.c.mode == wanted.mode.value)
    if wanted.status is not None:
        conditions.append(_bots.c.status == wanted.status.value)
    elif wanted.bot_ids is None:
        conditions.append(_bots.c.status != BotStatus.DELETED.value)
    if wanted.after is not None:
        place = tuple_(_bots.c.created_at, _bots.c.id)
        conditions.append(place > tuple_(literal(wanted.after[0]), literal(wanted.after[1])))
    query = select(_bots).where(*conditions).order_by(_bots.c.created_at, _bots.c.id)
    return query if wanted.limit is None else query.limit(wanted.limit)


def _to_row(
    bot: Bot,
    figures: Mapping[tuple[str, date], RollupDelta],
    state: Any,
    holdings: Mapping[str, Decimal],
    today: date,
) -> BotRow:
    position = Position(state.quantity, state.cost, state.entry_fees) if state.quantity else Position()
    return BotRow(
        bot=bot,
        market=Origin(state.origin) if state.origin else None,
        total=figures.get((bot.id.hex, ALL_DAYS), RollupDelta()),
        today=figures.get((bot.id.hex, today), RollupDelta()),
        position=position,
        last_trade_at=state.executed_at,
        last_decision=state.last_decision,
        next_decision_at=state.next_decision_at,
        max_drawdown_ratio=state.max_drawdown_ratio,
        holdings=holdings,
    )
