"""One complete look at a real account, and what it must agree with (O8, O18, L15).

What the exchange says is read until it is of one moment: executions, balances, orders, and the executions
again, which must be the same. Executions of our orders are booked by the order path; those by hand are
booked beside the bots; after that each asset must be to the last place what the ledger says. What is not is
booked to suspense, has a name, and holds the account back until a person says what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Origin
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import TERMINAL, OrderState, order_id_of
from amarktai.ledger import chart
from amarktai.ledger.entry import Entry
from amarktai.ledger.live_books import (
    HandTrade,
    book_difference,
    book_hand_trade,
    book_opening,
    hand_trade_key,
    rounding_of,
    rounding_of_hand_trade,
)
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.exchange import AccountFill, Balance, ClientIdScope, ExchangeAccount, OrderRecord
from amarktai.ports.ids import Ids
from amarktai.ports.live_accounts import AccountStatus, Difference, TieOut
from amarktai.ports.store import Book, Store, StoredOrder, UnitOfWork
from amarktai.ports.venue import OrderReport

#: Readings of an account that trades all the while, before the reconcile waits for the next round.
_READINGS: Final = 4
#: An execution at the edge of what was asked for may be on either side of it.
_MARGIN: Final = timedelta(seconds=2)
#: Exchanges publish executions late, and their clocks differ from ours.
OVERLAP_NS: Final = 600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Statement:
    """What an exchange says of an account, complete and of one moment."""

    since_ts: int
    fills: Sequence[AccountFill]
    balances: Mapping[str, Balance]
    open_records: Sequence[OrderRecord]
    records: Sequence[OrderRecord]

    @property
    def every_record(self) -> dict[str, OrderRecord]:
        """Each order once, by the exchange's name for it."""
        return {record.venue_order_id: record for record in (*self.records, *self.open_records)}


async def read_statement(account: ExchangeAccount, since_ts: int) -> Statement:
    """Return the account's statement since ``since_ts`` (ns UTC).

    Raises: Unavailable, Forbidden; Unavailable ACCOUNT_BUSY when it trades too much to be of one moment.
    """
    fills = await account.fetch_fills_since(since_ts)
    for _ in range(_READINGS):
        balances = await account.fetch_balances()
        open_records = await account.fetch_open_records()
        records = await account.fetch_records_since(since_ts)
        again = await account.fetch_fills_since(since_ts)
        if _trade_ids(again) == _trade_ids(fills):
            return Statement(since_ts, again, balances, open_records, records)
        fills = again
    raise Unavailable(
        "ACCOUNT_BUSY",
        f"The account at {DISPLAY_NAMES[account.platform]} trades so much that its balances belong to no"
        " one moment.",
        "It is read again by itself.",
    )


def _trade_ids(fills: Iterable[AccountFill]) -> set[str]:
    return {fill.venue_trade_id for fill in fills}


class Undecided(Exception):
    """The books moved while they were compared, or an order is in doubt: the next round compares again."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a reconcile found. ``open_differences`` are all that are not explained yet, by asset."""

    orders: int
    fills: int
    new_differences: tuple[Difference, ...]
    open_differences: Mapping[str, Decimal]
    overdrawn: Mapping[str, Decimal] = field(default_factory=dict)


class Reconciler:
    """Reconciles one user's account at one exchange with the books. ``origin`` labels its executions."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        account: ExchangeAccount,
        instruments: Mapping[str, Instrument],
        user_id: UUID,
        origin: Origin,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._account = account
        self._platform = account.platform
        self._instruments = instruments
        self._user_id = user_id
        self._origin = origin
        self._tells = account.capabilities.client_id_scope is not ClientIdScope.NONE

    # -- our orders ------------------------------------------------------------------------------

    async def reports(self, statement: Statement) -> list[OrderReport]:
        """Return what the statement says of our orders that the books do not know yet.

        An order that works by our books and is in no list is looked up by itself.
        Raises: OutcomeUnknown when one of those cannot be.
        """
        owners = await self._owners(statement)
        async with self._store.unit_of_work(self._user_id) as unit:
            known = await unit.orders.get_many(list(owners.values()))
            working = [item for item in await unit.orders.working() if self._is_mine(item)]
        fills: dict[str, list[AccountFill]] = {}
        for fill in statement.fills:
            fills.setdefault(fill.venue_order_id, []).append(fill)
        reports = [
            record.report(owners[name], fills.get(name, ()), self._origin)
            for name, record in statement.every_record.items()
            if name in owners and _is_news(record, known.get(owners[name]))
        ]
        named = {owners[name] for name in statement.every_record if name in owners}
        for item in working:
            if item.order.id not in named and item.order.state is not OrderState.SENDING:
                found = await self._account.fetch_order(item.order.id, item.order.instrument_id)
                if found is not None:
                    reports.append(labelled(found, self._origin))
        return reports

    async def _owners(self, statement: Statement) -> dict[str, UUID]:
        """Return which of the exchange's orders are ours: by our id in them, else by the name we noted.

        Executions count too: the order of a late one may be too old for the lists of orders.
        """
        ids = {name: record.order_id for name, record in statement.every_record.items()}
        for fill in statement.fills:
            if ids.get(fill.venue_order_id) is None:
                ids[fill.venue_order_id] = order_id_of(fill.client_order_id)
        unnamed = [name for name, order_id in ids.items() if order_id is None]
        async with self._store.unit_of_work(self._user_id) as unit:
            by_name = await unit.live_accounts.orders_named(self._platform, unnamed)
            ours = await unit.orders.get_many([item for item in ids.values() if item is not None])
        return by_name | {name: item for name, item in ids.items() if item is not None and item in ours}

    def _is_mine(self, item: StoredOrder) -> bool:
        return item.mode is TradingMode.LIVE and item.platform == self._platform.value

    # -- the books -------------------------------------------------------------------------------

    async def compare(self, statement: Statement, status: AccountStatus) -> Findings:
        """Book what was traded by hand, compare every asset, and book what differs to suspense.

        Raises: Undecided when an execution of ours is not booked, or one is that the statement lacks.
        """
        owners = await self._owners(statement)
        async with self._store.unit_of_work(self._user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.LIVE)
            now = to_datetime(self._clock.now_ns())
            ours = [fill for fill in statement.fills if fill.venue_order_id in owners]
            by_hand = [fill for fill in statement.fills if fill.venue_order_id not in owners]
            booked = await self._check_booked(unit, ours, statement.since_ts)
            if by_hand and not self._tells:
                await self._check_no_doubt(unit)
            ledger = await self._ledger_totals(unit, book)
            if status.opened_at is None:
                await self._open_books(unit, book, statement, ledger, now)
                return Findings(len(owners), len(ours), (), {})
            trades = self._hand_trades(by_hand, status.opened_at)
            fresh = await self._book_hand_trades(unit, book, trades, now)
            rounded = await self._rounded(unit, ours, booked, fresh)
            for trade in fresh:
                _add_hand_trade(ledger, trade)
            differences = await self._book_differences(unit, book, statement, ledger, rounded, now)
            await self._tie_out(unit, book, statement, ledger, rounded, now)
            await self._note_external_orders(unit, statement, owners, now)
            waiting = await unit.live_accounts.differences(open_only=True)
            overdrawn = await self._overdrawn(unit, book)
        return Findings(
            len(owners), len(ours), tuple(differences),
            _sum_by_asset(item for item in waiting if item.platform is self._platform), overdrawn,
        )  # fmt: skip

    async def _check_booked(
        self, unit: UnitOfWork, ours: Sequence[AccountFill], since_ts: int
    ) -> dict[str, int]:
        """Return the entry of each of our executions.

        Raises: Undecided when one is not booked yet, or one is booked that the statement does not have.
        """
        since, told = to_datetime(since_ts), _trade_ids(ours)
        booked = await unit.live_accounts.fills_since(self._platform, self._account.account, since)
        missing = told - booked.keys()
        newer = [name for name, (at, _) in booked.items() if name not in told and at > since + _MARGIN]
        if missing or newer:
            raise Undecided(
                f"{len(missing)} executions of the exchange's are not booked yet, and {len(newer)} booked"
                " ones are not in its list yet"
            )
        return {name: seq for name, (_, seq) in booked.items()}

    async def _check_no_doubt(self, unit: UnitOfWork) -> None:
        """Where the exchange keeps no ids of ours, a trade may be that of an order in doubt."""
        doubtful = {OrderState.UNKNOWN, OrderState.SENDING}
        if any(self._is_mine(item) and item.order.state in doubtful for item in await unit.orders.working()):
            raise Undecided("a trade may be that of an order whose outcome is not known yet")

    async def _ledger_totals(self, unit: UnitOfWork, book: Book) -> dict[str, Decimal]:
        """Return what the account holds by our books: its bots' holdings, and what lies beside them."""
        bots = [
            bot
            for bot in await unit.bots.list()
            if bot.mode is TradingMode.LIVE and bot.platform is self._platform
        ]
        accounts = [chart.venue(self._platform), *(chart.bot_holding(bot.id) for bot in bots)]
        totals: dict[str, Decimal] = {}
        for (_, asset), amount in (await unit.ledger.balances(book, accounts)).items():
            totals[asset] = totals.get(asset, ZERO) + amount
        return totals

    async def _open_books(
        self,
        unit: UnitOfWork,
        book: Book,
        statement: Statement,
        ledger: dict[str, Decimal],
        now: datetime,
    ) -> None:
        """Take over what the account holds at first, beside what bots may hold there already."""
        exact = {asset: balance.total for asset, balance in statement.balances.items()}
        amounts = {
            asset: to_ledger(total) - ledger.get(asset, ZERO)
            for asset, total in exact.items()
            if to_ledger(total) != ledger.get(asset, ZERO)
        }
        if amounts:
            await unit.ledger.append(book, [book_opening(self._platform, amounts, now)], now)
        for asset, amount in amounts.items():
            ledger[asset] = ledger.get(asset, ZERO) + amount
        rounded = {asset: total - to_ledger(total) for asset, total in exact.items()}
        await self._tie_out(unit, book, statement, ledger, rounded, now)

    def _hand_trades(self, fills: Iterable[AccountFill], opened_at: datetime) -> list[HandTrade]:
        """Return the trades by hand since the books were opened, as far as their market is known to us."""
        trades: list[HandTrade] = []
        for fill in fills:
            base, slash, quote = fill.instrument_id.partition(":")[2].partition("/")
            if not slash or fill.executed_at < opened_at:
                continue
            trades.append(
                HandTrade(
                    fill.venue_trade_id, self._platform.value, base, quote, fill.side, fill.quantity,
                    fill.price, fill.fee_amount, fill.fee_asset, fill.executed_at,
                )
            )  # fmt: skip
        return trades

    async def _book_hand_trades(
        self, unit: UnitOfWork, book: Book, trades: Sequence[HandTrade], now: datetime
    ) -> list[HandTrade]:
        """Book those that are not yet, and return them."""
        keys = {hand_trade_key(trade.platform, trade.trade_id): trade for trade in trades}
        known = await unit.ledger.known_keys(book, list(keys))
        fresh = [trade for key, trade in keys.items() if key not in known]
        if fresh:
            await unit.ledger.append(book, [book_hand_trade(trade) for trade in fresh], now)
        return fresh

    async def _rounded(
        self,
        unit: UnitOfWork,
        ours: Sequence[AccountFill],
        booked: Mapping[str, int],
        fresh: Sequence[HandTrade],
    ) -> dict[str, Decimal]:
        """Return what rounding has come to: until the last tie-out, and by what was booked since."""
        last_seq, rounded = await unit.live_accounts.last_rounded(self._platform)
        nobody = UUID(int=0)
        for fill in ours:
            if booked[fill.venue_trade_id] > last_seq:
                instrument = self._instruments.get(fill.instrument_id)
                if instrument is None:
                    raise Undecided(f"{fill.instrument_id} is not listed any more")
                _add_all(rounded, rounding_of(fill.of_order(nobody), instrument))
        for trade in fresh:
            _add_all(rounded, rounding_of_hand_trade(trade))
        return rounded

    async def _book_differences(
        self,
        unit: UnitOfWork,
        book: Book,
        statement: Statement,
        ledger: dict[str, Decimal],
        rounded: dict[str, Decimal],
        now: datetime,
    ) -> list[Difference]:
        """Put what differs into suspense; afterwards books and exchange agree, and it has a name."""
        found: list[Difference] = []
        entries: list[Entry] = []
        for asset in sorted(statement.balances.keys() | ledger.keys() | rounded.keys()):
            amount = _total(statement, asset) - ledger.get(asset, ZERO) - rounded.get(asset, ZERO)
            whole = to_ledger(amount)
            if not amount:
                continue
            if not whole:  # less than the ledger's last place, from an asset with more of them
                rounded[asset] = rounded.get(asset, ZERO) + amount
                continue
            difference = Difference(self._ids.new(), self._platform, asset, whole, now)
            found.append(difference)
            entries.append(book_difference(difference.id, self._platform, {asset: whole}, now))
            ledger[asset] = ledger.get(asset, ZERO) + whole
            rounded[asset] = rounded.get(asset, ZERO) + amount - whole
        if entries:
            await unit.ledger.append(book, entries, now)
        for difference in found:
            await unit.live_accounts.save_difference(difference)
        return found

    async def _tie_out(
        self,
        unit: UnitOfWork,
        book: Book,
        statement: Statement,
        ledger: Mapping[str, Decimal],
        rounded: Mapping[str, Decimal],
        now: datetime,
    ) -> None:
        day, seq = now.astimezone(ZoneInfo(book.timezone)).date(), unit.ledger.head(book).head_seq
        assets = sorted(statement.balances.keys() | ledger.keys() | rounded.keys())
        await unit.live_accounts.save_tie_outs(
            [
                TieOut(
                    self._platform, asset, day, now, _total(statement, asset), ledger.get(asset, ZERO),
                    rounded.get(asset, ZERO), seq,
                )
                for asset in assets
            ]
        )  # fmt: skip

    async def _note_external_orders(
        self, unit: UnitOfWork, statement: Statement, owners: Mapping[str, UUID], now: datetime
    ) -> None:
        others = [record for name, record in statement.every_record.items() if name not in owners]
        if others:
            await unit.live_accounts.save_external_orders(self._platform, others, now)
        await unit.live_accounts.close_external_orders(
            self._platform, {record.venue_order_id for record in statement.open_records}
        )

    async def _overdrawn(self, unit: UnitOfWork, book: Book) -> dict[str, Decimal]:
        """Return the assets of which the bots hold more by the books than the account has."""
        account = chart.venue(self._platform)
        rows = await unit.ledger.balances(book, [account])
        return {asset: amount for (_, asset), amount in rows.items() if amount < ZERO}


def labelled(report: OrderReport, origin: Origin) -> OrderReport:
    """Return the report with the origin that its executions really have."""
    return replace(report, fills=tuple(replace(fill, origin=origin) for fill in report.fills))


def _is_news(record: OrderRecord, stored: StoredOrder | None) -> bool:
    """Return whether a record says something that the books do not have yet."""
    if stored is None:
        return False
    order = stored.order
    if order.state is OrderState.SENDING:
        return False  # its own answer is on the way, and says more
    if record.filled_quantity != order.filled_quantity:
        return True
    is_over = record.status.value != "open"
    return is_over is not (order.state in TERMINAL) or order.state is OrderState.UNKNOWN


def _total(statement: Statement, asset: str) -> Decimal:
    balance = statement.balances.get(asset)
    return ZERO if balance is None else balance.total


def _add_hand_trade(ledger: dict[str, Decimal], trade: HandTrade) -> None:
    account = chart.venue(trade.platform)
    for posting in book_hand_trade(trade).postings:
        if posting.account == account:
            ledger[posting.asset] = ledger.get(posting.asset, ZERO) + posting.amount


def _add_all(amounts: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for asset, amount in more.items():
        amounts[asset] = amounts.get(asset, ZERO) + amount


def _sum_by_asset(differences: Iterable[Difference]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for item in differences:
        totals[item.asset] = totals.get(item.asset, ZERO) + item.amount
    return totals


def since_of(status: AccountStatus, now_ns: int) -> int:
    """Return since when a reconcile must read: everything after the last complete one, and some before."""
    start = status.watermark_at
    return (now_ns if start is None else to_ns(start)) - OVERLAP_NS
