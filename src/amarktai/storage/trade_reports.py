"""Lists of round trips and their fills.

Every page is a range of one index: over all of a user's round trips, or, when a filter picks bots,
over each of those bots' own, merged. So a page costs the same at ten and at ten million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    String,
    cast,
    func,
    lateral,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import NotFound
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.order import Side
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger.recomputation import RecordedFill
from amarktai.ledger.valuation import FxRate
from amarktai.ports.reports import Place, TradeFilter, TradeRow
from amarktai.storage import tables as t
from amarktai.storage.figure_reports import TOTAL_DAY
from amarktai.storage.trades import to_round_trip

_trips, _bots = t.round_trips, t.bots
_COLUMNS: Final = {"opened_at": "opened_at", "closed_at": "closed_at", "profit_loss": "profit_zar"}
#: As text, not as parameters: a prepared plan must be able to use the partial indexes.
_IS_OPEN: Final[ColumnElement[bool]] = literal_column("round_trips.status = 'open'")
_IS_CLOSED: Final[ColumnElement[bool]] = literal_column("round_trips.status = 'closed'")


class PgTradeReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, wanted: TradeFilter, after: Place | None, limit: int) -> list[TradeRow]:
        bots = _bot_conditions(wanted)
        if bots:
            inner = _page(wanted, after, limit, [_trips.c.bot_id == _bots.c.id])
            per_bot = lateral(inner, name="per_bot")
            columns = [*per_bot.c, _bots.c.name.label("bot_name")]
            query = select(*columns).select_from(_bots.join(per_bot, literal(value=True))).where(*bots)
            query = _ordered(query, per_bot.c[_column(wanted)], per_bot.c.id, wanted).limit(limit)
        else:
            page = _page(wanted, after, limit, []).subquery("page")
            columns = [*page.c, _bots.c.name.label("bot_name")]
            query = select(*columns).select_from(page.join(_bots, _bots.c.id == page.c.bot_id))
            query = _ordered(query, page.c[_column(wanted)], page.c.id, wanted)
        return [to_trade_row(row) for row in (await self._connection.execute(query)).mappings()]

    async def count(self, wanted: TradeFilter, at_most: int) -> int | None:
        if wanted.since is not None or wanted.until is not None:
            return await self._count_rows(wanted, at_most)
        closed = 0 if wanted.status == "open" else await self._count_closed(wanted)
        if _column(wanted) == "profit_zar":
            return closed - await self._count_unvalued(wanted)
        only_closed = wanted.status == "closed" or _column(wanted) == "closed_at"
        return closed + (0 if only_closed else await self._count_open(wanted))

    async def get(self, trade_id: UUID) -> TradeRow:
        query = (
            select(*_trips.c, _bots.c.name.label("bot_name"))
            .join(_bots, _bots.c.id == _trips.c.bot_id)
            .where(_trips.c.id == trade_id)
        )
        row = (await self._connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("NOT_FOUND", f"There is no trade {trade_id}", "Reload the list of trades.")
        return to_trade_row(row)

    async def fills(
        self, *, trade_id: UUID | None = None, order_id: UUID | None = None
    ) -> list[RecordedFill]:
        query = select(t.fills).order_by(t.fills.c.executed_at, t.fills.c.id)
        if trade_id is not None:
            query = query.where(t.fills.c.round_trip_id == trade_id)
        if order_id is not None:
            query = query.where(t.fills.c.order_id == order_id)
        return [to_recorded_fill(row) for row in (await self._connection.execute(query)).mappings()]

    async def trips(self, trade_ids: Sequence[UUID]) -> dict[UUID, RoundTrip]:
        rows = await self._connection.execute(select(_trips).where(_trips.c.id.in_(list(trade_ids))))
        return {row["id"]: to_round_trip(row) for row in rows.mappings()}

    async def count_stored(self, mode: TradingMode) -> int:
        query = select(func.count()).select_from(_trips).where(_trips.c.mode == mode.value)
        return int((await self._connection.execute(query)).scalar_one())

    async def _count_closed(self, wanted: TradeFilter) -> int:
        """Sum the rollups of the bots meant: as exact as counting, at the cost of one row a bot."""
        totals = t.rollups
        bot_key = func.replace(cast(_bots.c.id, String), "-", "")
        query = (
            select(func.coalesce(func.sum(totals.c.trades), 0))
            .select_from(totals.join(_bots, bot_key == totals.c.scope_id))
            .where(totals.c.scope == "bot", totals.c.day == TOTAL_DAY, *_bot_conditions(wanted))
        )
        if wanted.mode is not None:
            query = query.where(totals.c.mode == wanted.mode.value)
        return int((await self._connection.execute(query)).scalar_one())

    async def _count_open(self, wanted: TradeFilter) -> int:
        query = (
            select(func.count())
            .select_from(_trips.join(_bots, _bots.c.id == _trips.c.bot_id))
            .where(_trips.c.status == "open", *_bot_conditions(wanted))
        )
        if wanted.mode is not None:
            query = query.where(_trips.c.mode == wanted.mode.value)
        return int((await self._connection.execute(query)).scalar_one())

    async def _count_unvalued(self, wanted: TradeFilter) -> int:
        query = (
            select(func.count())
            .select_from(_trips.join(_bots, _bots.c.id == _trips.c.bot_id))
            .where(_IS_CLOSED, _trips.c.profit_zar.is_(None), *_bot_conditions(wanted))
        )
        if wanted.mode is not None:
            query = query.where(_trips.c.mode == wanted.mode.value)
        return int((await self._connection.execute(query)).scalar_one())

    async def _count_rows(self, wanted: TradeFilter, at_most: int) -> int | None:
        rows = (
            select(literal_column("1"))
            .select_from(_trips.join(_bots, _bots.c.id == _trips.c.bot_id))
            .where(*_conditions(wanted), *_bot_conditions(wanted))
            .limit(at_most + 1)
            .subquery()
        )
        found = int((await self._connection.execute(select(func.count()).select_from(rows))).scalar_one())
        return found if found <= at_most else None


def _column(wanted: TradeFilter) -> str:
    """Return the column that the list is sorted by; an open round trip has only its opening."""
    return "opened_at" if wanted.status == "open" else _COLUMNS[wanted.sort.removeprefix("-")]


def _bot_conditions(wanted: TradeFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.bot_id is not None:
        conditions.append(_bots.c.id == wanted.bot_id)
    if wanted.platform is not None:
        conditions.append(_bots.c.platform == wanted.platform.value)
    if wanted.pair is not None:
        conditions.append(func.split_part(_bots.c.instrument_id, ":", 2) == wanted.pair.upper())
    return conditions


def _conditions(wanted: TradeFilter) -> list[ColumnElement[bool]]:
    name = _column(wanted)
    column = _trips.c[name if name != "profit_zar" else "closed_at"]
    conditions: list[ColumnElement[bool]] = []
    if wanted.status == "open":
        conditions.append(_IS_OPEN)
    elif wanted.status == "closed" or name != "opened_at":
        conditions.append(_IS_CLOSED)
    if name == "profit_zar":
        conditions.append(_trips.c.profit_zar.is_not(None))
    if wanted.mode is not None:
        conditions.append(_trips.c.mode == wanted.mode.value)
    if wanted.since is not None:
        conditions.append(column >= wanted.since)
    if wanted.until is not None:
        conditions.append(column < wanted.until)
    return conditions


def _page(
    wanted: TradeFilter,
    after: Place | None,
    limit: int,
    conditions: Sequence[ColumnElement[bool]],
) -> Select[Any]:
    column = _trips.c[_column(wanted)]
    query = select(*_trips.c).where(*conditions, *_conditions(wanted))
    if after is not None:
        place, bound = tuple_(column, _trips.c.id), tuple_(literal(after[0]), literal(after[1]))
        query = query.where(place < bound if wanted.sort.startswith("-") else place > bound)
    return _ordered(query, column, _trips.c.id, wanted).limit(limit)


def _ordered(
    query: Select[Any], column: ColumnElement[Any], key: ColumnElement[Any], wanted: TradeFilter
) -> Select[Any]:
    if wanted.sort.startswith("-"):
        return query.order_by(column.desc(), key.desc())
    return query.order_by(column, key)


def to_trade_row(row: RowMapping) -> TradeRow:
    return TradeRow(to_round_trip(row), row["bot_name"], row["platform"], TradingMode(row["mode"]))


def to_recorded_fill(row: RowMapping) -> RecordedFill:
    """Return the fill of a row of ``fills``."""
    origin = Origin(row["origin"])
    fill = Fill(
        order_id=row["order_id"],
        venue_trade_id=row["venue_trade_id"],
        side=Side(row["side"]),
        quantity=row["quantity"],
        price=row["price"],
        fee_amount=row["fee_amount"],
        fee_asset=row["fee_asset"],
        liquidity=Liquidity(row["liquidity"]),
        executed_at=row["executed_at"],
        origin=origin,
    )
    rate = None
    if row["zar_rate"] is not None:
        quote = row["instrument_id"].rpartition("/")[2]
        rate = FxRate(quote, row["zar_rate"], row["zar_rate_source"], row["zar_rate_at"], origin)
    return RecordedFill(
        id=row["id"],
        fill=fill,
        bot_id=row["bot_id"],
        round_trip_id=row["round_trip_id"],
        ledger_entry_id=row["ledger_entry_id"],
        platform=row["platform"],
        account=row["account"],
        instrument_id=row["instrument_id"],
        mode=TradingMode(row["mode"]),
        notional=row["notional"],
        gross_quote=row["gross_quote"],
        fees_quote=row["fees_quote"],
        realized_zar=row["realized_zar"],
        fees_zar=row["fees_zar"],
        rate=rate,
        recorded_at=row["recorded_at"],
    )
