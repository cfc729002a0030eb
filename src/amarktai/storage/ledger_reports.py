"""Ledger entries for people and for the audit. The chain is read in pieces, so memory stays bounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    cast,
    exists,
    func,
    lateral,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from amarktai.domain.bot import TradingMode
from amarktai.domain.money import ZERO
from amarktai.domain.position import Position
from amarktai.ledger import chart
from amarktai.ledger.recomputation import RecordedFill
from amarktai.ledger.verification import RecordedEntry
from amarktai.ports.reports import (
    AccountRow,
    BookHead,
    EntryFilter,
    EntryRow,
    Funds,
    HeldPosition,
    Holding,
    StatementRow,
)
from amarktai.ports.store import Balances
from amarktai.storage import tables as t
from amarktai.storage.trade_reports import to_recorded_fill

_entries, _postings, _books, _balances = (
    t.ledger_entries,
    t.ledger_postings,
    t.ledger_books,
    t.ledger_balances,
)

_BOT_PREFIX: Final = "holding:bot:"

# Written out, as the summary asks it after every trade.
_FUNDS = text(
    """
    SELECT l.account, l.asset, l.amount, b.instrument_id, NULL::uuid AS bot_id,
           NULL::numeric AS cost, NULL::numeric AS entry_fees
    FROM ledger_books k JOIN ledger_balances l ON l.book_id = k.id
    LEFT JOIN bots b
      ON b.id = CASE WHEN l.account LIKE 'holding:bot:%' THEN right(l.account, 32)::uuid END
    WHERE k.mode = :mode AND l.amount <> 0
      AND (l.account IN ('funding', 'conversion') OR l.account LIKE 'holding:%')
    UNION ALL
    SELECT NULL, NULL, p.quantity, p.instrument_id, p.bot_id, p.cost, p.entry_fees
    FROM positions p JOIN bots b ON b.id = p.bot_id WHERE p.quantity > 0 AND b.mode = :mode
    """
)


class PgLedgerReads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, wanted: EntryFilter, after: UUID | None, limit: int) -> list[EntryRow]:
        ids = _matching(wanted, after, limit).subquery("found")
        query = (
            select(*_entries.c, _books.c.mode)
            .join(ids, ids.c.id == _entries.c.id)
            .join(_books, _books.c.id == _entries.c.book_id)
            .order_by(_entries.c.id.desc())
        )
        return await self._with_postings(query)

    async def books(self) -> list[BookHead]:
        rows = await self._connection.execute(select(_books).order_by(_books.c.mode))
        return [BookHead(row.id, TradingMode(row.mode), row.head_seq, bytes(row.head_hash)) for row in rows]

    async def chunk(self, book_id: UUID, after_seq: int, limit: int) -> list[EntryRow]:
        query = (
            select(*_entries.c, _books.c.mode)
            .join(_books, _books.c.id == _entries.c.book_id)
            .where(_entries.c.book_id == book_id, _entries.c.seq > after_seq)
            .order_by(_entries.c.seq)
            .limit(limit)
        )
        return await self._with_postings(query)

    async def fills_between(self, book_id: UUID, first_seq: int, last_seq: int) -> list[RecordedFill]:
        query = (
            select(t.fills)
            .join(_entries, _entries.c.id == t.fills.c.ledger_entry_id)
            .where(_entries.c.book_id == book_id, _entries.c.seq.between(first_seq, last_seq))
            .order_by(_entries.c.seq, t.fills.c.id)
        )
        return [to_recorded_fill(row) for row in (await self._connection.execute(query)).mappings()]

    async def balances(self, book_id: UUID, after: tuple[str, str] | None, limit: int) -> Balances:
        c = _balances.c
        query = select(c.account, c.asset, c.amount).where(c.book_id == book_id)
        if after is not None:
            query = query.where(tuple_(c.account, c.asset) > tuple_(literal(after[0]), literal(after[1])))
        rows = await self._connection.execute(query.order_by(c.account, c.asset).limit(limit))
        return {(row.account, row.asset): row.amount for row in rows}

    async def funds(self, mode: TradingMode) -> Funds:
        holdings: list[Holding] = []
        positions: list[HeldPosition] = []
        deposits, converted = ZERO, dict[str, Decimal]()
        for row in await self._connection.execute(_FUNDS, {"mode": mode.value}):
            if row.account is None:
                position = Position(row.amount, row.cost, row.entry_fees)
                positions.append(HeldPosition(row.bot_id, row.instrument_id, position))
            elif row.account == chart.FUNDING:
                deposits -= row.amount
            elif row.account == chart.CONVERSION:
                converted[row.asset] = -row.amount
            else:
                holdings.append(Holding(row.asset, row.amount, row.instrument_id))
        return Funds(holdings, positions, deposits, converted)

    async def accounts(
        self, mode: TradingMode, prefix: str, after: tuple[str, str] | None, limit: int
    ) -> list[AccountRow]:
        c, bot = _balances.c, t.bots.c
        query = (
            select(c.account, c.asset, c.amount, bot.id, bot.name)
            .join(_books, _books.c.id == c.book_id)
            .outerjoin(
                t.bots, c.account == func.concat(_BOT_PREFIX, func.replace(cast(bot.id, String), "-", ""))
            )
            .where(_books.c.mode == mode.value, c.amount != 0, c.account.startswith(prefix, autoescape=True))
        )
        if after is not None:
            query = query.where(tuple_(c.account, c.asset) > tuple_(literal(after[0]), literal(after[1])))
        rows = await self._connection.execute(query.order_by(c.account, c.asset).limit(limit))
        return [AccountRow(row.account, row.asset, row.amount, row.id, row.name) for row in rows]

    async def balance(self, mode: TradingMode, account: str, asset: str) -> Decimal:
        c = _balances.c
        query = (
            select(c.amount)
            .join(_books, _books.c.id == c.book_id)
            .where(_books.c.mode == mode.value, c.account == account, c.asset == asset)
        )
        found: Decimal | None = (await self._connection.execute(query)).scalar()
        return ZERO if found is None else found

    async def statement(
        self, mode: TradingMode, account: str, asset: str, after: UUID | None, limit: int
    ) -> list[StatementRow]:
        book = select(_books.c.id).where(_books.c.mode == mode.value).scalar_subquery()
        c = _postings.c
        moved = select(c.entry_id, func.sum(c.amount).label("amount")).where(
            c.book_id == book, c.account == account, c.asset == asset
        )
        # An entry can touch an account in several legs; people read what it did in all.
        page = _newest(moved.group_by(c.entry_id), c.entry_id, after, limit).subquery("moved")
        query = (
            select(_entries, page.c.amount)
            .join(page, page.c.entry_id == _entries.c.id)
            .order_by(_entries.c.id.desc())
        )
        return [
            StatementRow(row.id, row.seq, row.kind, row.description, row.effective_at, row.amount)
            for row in await self._connection.execute(query)
        ]

    async def _with_postings(self, query: Select[Any]) -> list[EntryRow]:
        found = (await self._connection.execute(query)).all()
        if not found:
            return []
        c = _postings.c
        postings: dict[UUID, list[tuple[str, str, Any]]] = {row.id: [] for row in found}
        lines = select(c.entry_id, c.account, c.asset, c.amount).where(c.entry_id.in_(list(postings)))
        for line in await self._connection.execute(lines.order_by(c.entry_id, c.line)):
            postings[line.entry_id].append((line.account, line.asset, line.amount))
        return [
            EntryRow(
                row.id,
                TradingMode(row.mode),
                RecordedEntry(
                    seq=row.seq,
                    kind=row.kind,
                    key=row.idempotency_key,
                    description=row.description,
                    reference=row.reference,
                    effective_at=row.effective_at,
                    recorded_at=row.recorded_at,
                    postings=postings[row.id],
                    prev_hash=bytes(row.prev_hash),
                    hash=bytes(row.hash),
                ),
            )
            for row in found
        ]


def _matching(wanted: EntryFilter, after: UUID | None, limit: int) -> Select[Any]:
    """Return the ids of one page, newest first. Ids are made in the order of the chain (UUIDv7)."""
    if wanted.kind is not None:
        return _of_kind(wanted, after, limit)
    if wanted.trade_id is not None:
        return _of_trade(wanted, after, limit)
    if wanted.bot_id is not None or wanted.asset is not None:
        return _of_holdings(wanted, after, limit)
    return _newest(select(_entries.c.id), _entries.c.id, after, limit)


def _of_kind(wanted: EntryFilter, after: UUID | None, limit: int) -> Select[Any]:
    query = select(_entries.c.id).where(_entries.c.kind == wanted.kind)
    touches = exists().where(_postings.c.entry_id == _entries.c.id)
    if wanted.trade_id is not None:
        of_trade = exists().where(
            t.fills.c.ledger_entry_id == _entries.c.id, t.fills.c.round_trip_id == wanted.trade_id
        )
        query = query.where(of_trade)
    if wanted.bot_id is not None:
        query = query.where(touches.where(_postings.c.account == chart.bot_holding(wanted.bot_id)))
    if wanted.asset is not None:
        query = query.where(touches.where(_postings.c.asset == wanted.asset))
    return _newest(query, _entries.c.id, after, limit)


def _of_trade(wanted: EntryFilter, after: UUID | None, limit: int) -> Select[Any]:
    query = select(t.fills.c.ledger_entry_id.label("id")).where(t.fills.c.round_trip_id == wanted.trade_id)
    if wanted.bot_id is not None:
        query = query.where(t.fills.c.bot_id == wanted.bot_id)
    if wanted.asset is not None:
        touches = exists().where(
            _postings.c.entry_id == t.fills.c.ledger_entry_id, _postings.c.asset == wanted.asset
        )
        query = query.where(touches)
    return _newest(query, t.fills.c.ledger_entry_id, after, limit)


def _of_holdings(wanted: EntryFilter, after: UUID | None, limit: int) -> Select[Any]:
    """Find entries through the holdings they touch: every entry moves something of a person's or bot's.

    The newest postings of each account come from the index; there are as many accounts as bots.
    """
    newest = select(_postings.c.entry_id.label("id")).where(
        _postings.c.book_id == _balances.c.book_id,
        _postings.c.account == _balances.c.account,
        _postings.c.asset == _balances.c.asset,
    )
    per_account = lateral(_newest(newest, _postings.c.entry_id, after, limit), name="per_account")
    query = select(per_account.c.id).distinct()
    query = query.select_from(_balances.join(per_account, literal(value=True)))
    if wanted.bot_id is not None:
        query = query.where(_balances.c.account == chart.bot_holding(wanted.bot_id))
    else:
        query = query.where(_balances.c.account.startswith("holding:"))
    if wanted.asset is not None:
        query = query.where(_balances.c.asset == wanted.asset)
    return query.order_by(per_account.c.id.desc()).limit(limit)


def _newest(query: Select[Any], key: ColumnElement[Any], after: UUID | None, limit: int) -> Select[Any]:
    if after is not None:
        query = query.where(key < after)
    return query.order_by(key.desc()).limit(limit)
