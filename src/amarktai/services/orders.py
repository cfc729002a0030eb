# long: the order path is one sequence and reads top to bottom
"""The order path: gates, write-ahead, one send, reports, recovery. Paper and live take it alike.

The send-once argument (order path §1.5): ``_claim`` is the only place that makes an order SENDING, in
the transaction that inserts it (unique per bot and decision); ``_send`` is the only caller of the
venue's create and is only reached with the orders that this very call claimed; recovery turns SENDING
into UNKNOWN and never back; nothing here or below retries a create; the lease's fencing token is
checked in the claiming transaction and the request carries a deadline.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import wraps
from typing import Final, NamedTuple, ParamSpec, TypeVar
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.errors import BrokenInvariant, Conflict, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Platform
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import (
    DOUBTFUL,
    TERMINAL,
    UNSENT,
    Order,
    OrderEvent,
    OrderIntent,
    OrderState,
    next_state,
)
from amarktai.domain.risk import Denial, first_denial, reservation
from amarktai.ledger.booking import as_booked
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.events import EventPayload, OrderUpdated
from amarktai.ports.ids import Ids
from amarktai.ports.leases import Lease
from amarktai.ports.stops import StopFile
from amarktai.ports.store import Book, BookMoved, NewOrder, OrderChange, Store, StoredOrder, UnitOfWork
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    TradingVenue,
    VenueRejected,
    Venues,
    VenueStatus,
)
from amarktai.services.account_view import AccountView, BotAccount, Surroundings
from amarktai.services.arrivals import Answer, Arrivals
from amarktai.services.booking import Booker
from amarktai.services.fx import FxRates
from amarktai.services.order_log import OrderLog
from amarktai.services.order_transitions import Transition, Verdict
from amarktai.services.risk import RiskCheck, RiskDesk
from amarktai.services.views import order_view
from amarktai.strategies.contract import OrderClosed, OrderFilled

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: States in which a cancel has nothing to ask for, or nobody to ask yet.
_NOT_CANCELABLE: Final = TERMINAL | {
    OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCELING, OrderState.FILLED_PENDING_TRADES
}  # fmt: skip

#: States whose orders are canceled as soon as the venue has them.
_CANCELED_LATER: Final = {OrderState.SENDING, OrderState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a bot's strategy must hear of. ``key`` names it, for what is decided on it."""

    bot_id: UUID
    key: str
    event: OrderFilled | OrderClosed


@dataclass(slots=True)
class Outcome:
    """What a step of the order path led to.

    ``denied`` maps bots to the gate that refused, ``profits`` bots to their realised profit in ZAR;
    ``lost`` are the orders whose outcome has just become unknown; ``refused`` those whose fills the books
    have just refused, with the reason.
    """

    notices: list[Notice] = field(default_factory=list)
    accounts: dict[UUID, BotAccount] = field(default_factory=dict)
    denied: dict[UUID, str] = field(default_factory=dict)
    profits: dict[UUID, Decimal] = field(default_factory=dict)
    lost: list[Order] = field(default_factory=list)
    refused: list[tuple[Order, str]] = field(default_factory=list)

    def absorb(self, other: Outcome) -> None:
        self.notices.extend(other.notices)
        self.accounts.update(other.accounts)
        self.denied.update(other.denied)
        self.profits.update(other.profits)
        self.lost.extend(other.lost)
        self.refused.extend(other.refused)


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """Times of the order path. A create that has not left ``ttl_ms`` after its claim never leaves.

    An order is taken for never placed when the venue's complete records lack it ``absence_proofs`` times,
    ``proof_gap_s`` apart, the first of them ``late_arrival_s`` after its deadline: so much later, at the
    most, could a request that had left become an order.
    """

    ttl_ms: int = 5_000
    max_data_age_s: float = 30.0
    durable: bool = False
    absence_proofs: int = 1
    proof_gap_s: float = 0.0
    late_arrival_s: float = 0.0


#: With real money: the exchanges' records lag behind their order books, and clocks differ.
LIVE_POLICY: Final = OrderPolicy(durable=True, absence_proofs=2, proof_gap_s=4.0, late_arrival_s=15.0)


@dataclass(frozen=True, slots=True)
class Desk:
    """What one engine trades with. ``bots`` is the engine's own, changing map of the bots it runs.

    ``mode`` is the one kind of book that it trades in; ``stop_file`` stops everybody without a database,
    where there is one to look for. With ``arrivals`` the calls to venues run beside the engine, and what
    they come to arrives there.
    """

    venues: Venues
    instruments: Mapping[str, Instrument]
    bots: Mapping[UUID, Bot]
    fx: FxRates
    policy: OrderPolicy
    lease: Lease
    mode: TradingMode = TradingMode.PAPER
    stop_file: StopFile | None = None
    arrivals: Arrivals | None = None


@dataclass(slots=True)
class _Absence:
    """How often, and when first and last (ns), a venue's complete records lacked an order."""

    times: int
    last_ts: int


def _anew(step: Callable[_P, Awaitable[_T]]) -> Callable[_P, Awaitable[_T]]:
    """Take a step again whose book somebody else had moved: nothing of it was written, and it reads anew."""

    @wraps(step)
    async def attempt(*args: _P.args, **options: _P.kwargs) -> _T:
        while True:
            with suppress(BookMoved):
                return await step(*args, **options)

    return attempt


class OrderService:
    """Orders of one engine."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, desk: Desk) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._venues = desk.venues
        self._instruments = desk.instruments
        self._bots = desk.bots
        self._fx = desk.fx
        self._policy = desk.policy
        self._lease = desk.lease
        self._mode = desk.mode
        self._stop_file = desk.stop_file
        self._arrivals = desk.arrivals
        self._log = OrderLog(desk.mode)
        self.risk = RiskDesk(store, clock, ids, desk.fx, desk.mode)
        # Orders that somebody wants canceled which cannot be yet: they are on their way, or in doubt.
        self._unwanted: dict[UUID, UUID] = {}
        self._absences: dict[UUID, _Absence] = {}
        self._looking: set[UUID] = set()
        self._owners: dict[UUID, UUID] = {}
        self._doubters: dict[UUID, None] = {}
        # What is known of each user's bots as of the last commit; gone while a transaction runs.
        self._views: dict[UUID, AccountView] = {}
        self._refused: set[UUID] = set()

    @property
    def doubtful_users(self) -> tuple[UUID, ...]:
        """The users with an order that only a reconcile can end."""
        return tuple(self._doubters)

    def owner_of(self, order_id: UUID) -> UUID:
        """Return the user of an order that this engine sent or recovered.

        Raises: BrokenInvariant for any other: the venue knows an order that we never wrote.
        """
        try:
            return self._owners[order_id]
        except KeyError:
            raise BrokenInvariant(f"the venue reports order {order_id}, which we never wrote") from None

    async def working(self, user_id: UUID, bot_id: UUID) -> list[Order]:
        """Return the bot's orders that are not terminal."""
        async with self._store.unit_of_work(user_id) as unit:
            return [item.order for item in await unit.orders.working([bot_id])]

    @asynccontextmanager
    async def _open(self, user_id: UUID, *, checks_lease: bool = False) -> AsyncIterator[_Opened]:
        """Open a transaction under the lock of the user's book, with what is known of their bots.

        The view survives the commit only: after any error the next transaction reads the store again.
        Where there is one, the lock and the check that nothing has changed travel with what is written.
        Raises: BookMoved when something has; ``_anew`` takes the step again.
        """
        view = self._views.pop(user_id, None)
        async with self._store.unit_of_work(user_id, durable=self._policy.durable) as unit:
            if view is None:
                book = await unit.ledger.lock_book(self._mode, lease=self._lease.name)
                if checks_lease and not self._holds_lease(book):
                    raise _lease_lost()
                view = AccountView(book)
            else:
                unit.ledger.expect_book(view.book, view.balances, lease=self._lease.name)
            yield _Opened(unit, view.book, view)
        if self._holds_lease(view.book):
            self._views[user_id] = view

    def _holds_lease(self, book: Book) -> bool:
        return book.fencing_token == self._lease.fencing_token

    # -- sending ---------------------------------------------------------------------------------

    async def submit(self, user_id: UUID, intents: Sequence[OrderIntent]) -> Outcome:
        """Gate, write and send intents of one user, each at most once, ever.

        An intent whose decision has an order already is passed over in silence (O3).
        """
        try:
            outcome, claimed = await self._claim(user_id, intents)
        except Conflict as taken:
            if taken.code != "DECISION_TAKEN":
                raise
            fresh = await self._not_taken(user_id, intents)
            outcome, claimed = await self._claim(user_id, fresh)
        if claimed and self._arrivals is None:
            outcome.absorb(await self._send(user_id, claimed))
        elif self._arrivals is not None:
            for row in claimed:
                self._arrivals.carry(user_id, self._send_one(row))
        return outcome

    async def _not_taken(self, user_id: UUID, intents: Sequence[OrderIntent]) -> list[OrderIntent]:
        """Return the intents whose decisions have no order yet."""
        async with self._store.unit_of_work(user_id) as unit:
            bot_ids = sorted({intent.bot_id for intent in intents})
            done = await unit.orders.claimed(bot_ids, [intent.decision_key for intent in intents])
        return [intent for intent in intents if (intent.bot_id, intent.decision_key) not in done]

    @_anew
    async def _claim(self, user_id: UUID, intents: Sequence[OrderIntent]) -> tuple[Outcome, list[NewOrder]]:
        """Write every intent as SENDING or DENIED and commit: the write-ahead of O1.

        Raises: Conflict DECISION_TAKEN, and writes nothing, when one of them has an order already.
        """
        outcome, claimed = Outcome(), list[NewOrder]()
        async with self._open(user_id, checks_lease=True) as (unit, book, view):
            bot_ids = sorted({intent.bot_id for intent in intents})
            await view.load(unit, [*bot_ids, *self._all_sharers(bot_ids)])
            check = await self.risk.open(unit, intents, self._bots.values())
            rows: dict[tuple[UUID, str], NewOrder] = {}
            for intent in intents:
                decision = (intent.bot_id, intent.decision_key)
                if decision in rows:
                    continue
                rows[decision] = row = self._gate(user_id, book, intent, view, check)
                if row.order.state is OrderState.SENDING:
                    claimed.append(row)
                    view.put(row.as_stored())
                    view.booked[row.order.id] = set()
                else:
                    outcome.denied[intent.bot_id] = row.reject_reason or ""
                    outcome.notices.append(_closed(row.order, row.reject_reason or ""))
            await unit.orders.insert(list(rows.values()))
            if check is not None:
                await self.risk.trip(unit, check)
        outcome.accounts.update(view.accounts(bot_ids, self._bots, self._instruments))
        self._owners.update({row.order.id: user_id for row in claimed})
        self._log.claimed(rows.values())
        return outcome, claimed

    def _gate(
        self, user_id: UUID, book: Book, intent: OrderIntent, view: AccountView, check: RiskCheck | None
    ) -> NewOrder:
        bot, instrument = self._bots[intent.bot_id], self._instruments[intent.instrument_id]
        now_ns = self._clock.now_ns()
        if bot.mode is not self._mode:
            raise BrokenInvariant(
                f"{bot.name} trades in the {bot.mode} book, this desk in the {self._mode} (O19)"
            )
        context = view.gate_context(
            intent, bot, instrument, now_ns, self._policy.max_data_age_s,
            Surroundings(
                self._stop_file.reason() if self._stop_file else None,
                self._venues.held_back(user_id, instrument.venue),
                self._sharers(bot),
            ),
        )  # fmt: skip
        venue = self._venues.of(user_id, instrument.venue)
        denial = first_denial(intent, instrument, context) or (None if venue else _no_account(instrument))
        if denial is None and check is not None:
            denial = check.denial(intent, bot, instrument)
        asset, amount = reservation(intent, instrument)
        order = Order(
            id=self._ids.new(),
            user_id=user_id,
            book_id=book.id,
            bot_id=bot.id,
            instrument_id=instrument.id,
            tag=intent.tag,
            side=intent.side,
            type=intent.type,
            quantity=intent.quantity,
            price=intent.price,
            stop_price=intent.stop_price,
            post_only=intent.post_only,
            reduce_only=intent.reduce_only,
            oco_group=intent.oco_group,
            reason=intent.reason,
            state=next_state(OrderState.PLANNED, OrderEvent.DENY if denial else OrderEvent.CLAIM),
            filled_quantity=ZERO,
            reserved_asset=asset,
            reserved_amount=ZERO if denial else amount,
        )
        return NewOrder(
            order,
            platform=instrument.venue.value,
            account=venue.account if venue else "",
            mode=book.mode,
            decision_key=intent.decision_key,
            created_at=to_datetime(now_ns),
            deadline_at=to_datetime(now_ns + self._policy.ttl_ms * 1_000_000),
            reject_reason=f"{denial.code}: {denial.detail}" if denial else None,
        )

    def _sharers(self, bot: Bot) -> Sequence[UUID]:
        """Return the bots whose orders meet this one's at the exchange; on paper each trades for itself."""
        if self._mode is TradingMode.PAPER:
            return ()
        return [
            other.id
            for other in self._bots.values()
            if other.mode is self._mode
            and other.user_id == bot.user_id
            and other.instrument_id == bot.instrument_id
        ]

    def _all_sharers(self, bot_ids: Iterable[UUID]) -> set[UUID]:
        return {sharer for bot_id in bot_ids for sharer in self._sharers(self._bots[bot_id])}

    async def _send(self, user_id: UUID, claimed: Sequence[NewOrder]) -> Outcome:
        """Send each order exactly once and book what the venue answers."""
        return await self._take(user_id, [answer for row in claimed for answer in await self._send_one(row)])

    async def _take(self, user_id: UUID, answers: Sequence[Answer]) -> Outcome:
        return await self.apply(
            user_id,
            [answer for answer in answers if isinstance(answer, OrderReport)],
            verdicts=[answer for answer in answers if isinstance(answer, Verdict)],
        )

    async def _send_one(self, row: NewOrder) -> Sequence[Answer]:
        """Send one create. Its deadline is the claim's: after a pause it must not leave any more (f)."""
        order, now = row.order, self._clock.now_ns()
        assert row.deadline_at is not None  # _gate sets it
        deadline = to_ns(row.deadline_at)
        if now > deadline:
            return [Verdict(order.id, OrderEvent.REJECT, "DEADLINE_PASSED: it was not sent in time")]
        request = OrderRequest(
            order.id, order.instrument_id, order.side, order.type, order.quantity, order.price,
            order.stop_price, order.post_only, order.reduce_only, order.oco_group,
            sent_ts=now, deadline_ts=deadline, bot_id=order.bot_id, budget=order.budget,
        )  # fmt: skip
        venue = self._venues.of(order.user_id, Platform(row.platform))
        if venue is None:
            return [Verdict(order.id, OrderEvent.REJECT, "ACCOUNT_MISSING: the account was closed before")]
        self._log.leaves(order)
        try:
            return [await venue.create_order(request)]
        except VenueRejected as refusal:
            return [Verdict(order.id, OrderEvent.REJECT, f"{refusal.code}: {refusal.detail}")]
        except OutcomeUnknown as silence:
            return [Verdict(order.id, OrderEvent.LOSE, silence.detail)]

    # -- canceling -------------------------------------------------------------------------------

    async def cancel(self, user_id: UUID, order_ids: Sequence[UUID]) -> Outcome:
        """Ask the venue to cancel; only its own record changes what was filled (O13)."""
        asked = await self._mark_canceling(user_id, order_ids)
        if self._arrivals is not None:
            for item in asked:
                self._arrivals.carry(user_id, self._cancel_one(item.order))
            return Outcome()
        return await self._take(
            user_id, [answer for item in asked for answer in await self._cancel_one(item.order)]
        )

    @_anew
    async def _mark_canceling(self, user_id: UUID, order_ids: Sequence[UUID]) -> list[StoredOrder]:
        """Write which of the orders we are about to cancel, and return them."""
        async with self._open(user_id, checks_lease=True) as (unit, _, view):
            stored = await _stored(unit, view, order_ids)
            for item in stored.values():
                if item.order.state in _CANCELED_LATER:
                    self._unwanted[item.order.id] = user_id
                else:
                    self._unwanted.pop(item.order.id, None)
            asked = [item for item in stored.values() if item.order.state not in _NOT_CANCELABLE]
            moves = [Transition(item, self._clock).take(OrderEvent.ASK_CANCEL, "") for item in asked]
            await unit.orders.change([move.finish() for move in moves])
            for move in moves:
                if move.order.bot_id in view.working:
                    view.put(move.as_stored())
        return asked

    async def _cancel_one(self, order: Order) -> Sequence[Answer]:
        try:
            report = await self._venue_of(order).cancel_order(order.id, order.instrument_id)
        except OutcomeUnknown as silence:
            return [Verdict(order.id, OrderEvent.LOSE_CANCEL, silence.detail)]
        if report.status is not VenueStatus.OPEN:
            return [report]
        # A cancel that the venue takes its time over, or refused: its records will say which.
        undone = Verdict(order.id, OrderEvent.LOSE_CANCEL, "the venue has it open after the cancel")
        return [report, undone]

    def _venue_of(self, order: Order) -> TradingVenue:
        """Raises: OutcomeUnknown when the user has no account there any more."""
        platform = self._instruments[order.instrument_id].venue
        venue = self._venues.of(order.user_id, platform)
        if venue is None:
            raise OutcomeUnknown(
                "ACCOUNT_MISSING",
                f"There is no key for {DISPLAY_NAMES[platform]}, so its records cannot be read.",
                "Save and test a key of the same account.",
            )
        return venue

    # -- what venues report ----------------------------------------------------------------------

    async def apply(
        self, user_id: UUID, reports: Sequence[OrderReport], *, verdicts: Sequence[Verdict] = ()
    ) -> Outcome:
        """Book every fill that the venue reports, exactly once, and move the orders along (O5).

        Reports that the books refuse stay the trouble of their own order: it is put in doubt, so that its
        bot makes no entries until the venue's records and ours agree, and all others are booked.
        """
        if not reports and not verdicts:
            return Outcome()
        try:
            return await self._book(user_id, reports, verdicts)
        except (Conflict, BrokenInvariant) as refusal:
            order_ids = list(dict.fromkeys([*(r.order_id for r in reports), *(v.order_id for v in verdicts)]))
            if len(order_ids) == 1:
                return await self._doubt(user_id, order_ids[0], refusal)
        outcome = Outcome()
        for order_id in order_ids:
            theirs = [report for report in reports if report.order_id == order_id]
            about = [verdict for verdict in verdicts if verdict.order_id == order_id]
            outcome.absorb(await self.apply(user_id, theirs, verdicts=about))
        return outcome

    @_anew
    async def _doubt(self, user_id: UUID, order_id: UUID, refusal: Conflict | BrokenInvariant) -> Outcome:
        """Note that an order's fills are not in the books; say so once while the engine runs.

        Raises: the refusal itself when the order is none of ours, or was never sent (O2).
        """
        reason, outcome = str(refusal), Outcome()
        async with self._open(user_id) as (unit, _, view):
            stored = (await _stored(unit, view, [order_id])).get(order_id)
            if stored is None or stored.order.state in UNSENT:
                raise refusal
            bot_ids = [stored.order.bot_id]
            await view.load(unit, bot_ids)
            if order_id not in self._refused:
                move = Transition(stored, self._clock).take(OrderEvent.REFUSE_FILL, reason)
                change = move.finish()
                await unit.orders.change([change])
                await unit.outbox.emit(self._order_events([change]), change.at)
                view.put(move.as_stored())
                outcome.refused.append((move.order, reason))
        self._refused.add(order_id)
        self._doubters[user_id] = None
        outcome.accounts.update(view.accounts(bot_ids, self._bots, self._instruments))
        return outcome

    @_anew
    async def _book(
        self, user_id: UUID, reports: Sequence[OrderReport], verdicts: Sequence[Verdict]
    ) -> Outcome:
        outcome = Outcome()
        async with self._open(user_id) as (unit, book, view):
            ids = [report.order_id for report in reports] + [verdict.order_id for verdict in verdicts]
            stored = await _stored(unit, view, ids)
            moves = {order_id: Transition(item, self._clock) for order_id, item in stored.items()}
            bot_ids = sorted({item.order.bot_id for item in stored.values()})
            await view.load(unit, bot_ids)
            booker = Booker(
                unit, book, self._bots, self._instruments, self._fx, self._ids, self._clock,
                account=next((item.account for item in stored.values()), ""),
            )  # fmt: skip
            booker.take_over(
                {bot_id: view.held[bot_id] for bot_id in bot_ids},
                {bot_id: view.trips[bot_id] for bot_id in bot_ids if bot_id in view.trips},
            )
            known = await self._known_fills(unit, view, stored, reports)
            for report in reports:
                self._take_report(moves[report.order_id], report, booker, known, outcome)
            for verdict in verdicts:
                self._take_verdict(moves[verdict.order_id], verdict, outcome)
            moved = [move for move in moves.values() if move.events]
            changes = [move.finish() for move in moved]
            await unit.orders.change(changes)
            events = await booker.write()
            now = to_datetime(self._clock.now_ns())
            await unit.outbox.emit([*events, *self._order_events(changes)], now)
            await self._update(view, unit, book, booker, bot_ids)
            for report in reports:
                if report.order_id in view.booked:
                    view.booked[report.order_id].update(fill.venue_trade_id for fill in report.fills)
            for move in moved:
                view.put(move.as_stored())
        self._log.moved(changes)
        outcome.profits.update(booker.bot_profits)
        outcome.lost += [item.order for item in changes if item.order.state is OrderState.UNKNOWN]
        if any(move.order.state in DOUBTFUL for move in moves.values()):
            self._doubters[user_id] = None
        outcome.accounts.update(view.accounts(bot_ids, self._bots, self._instruments))
        return outcome

    @staticmethod
    async def _update(
        view: AccountView, unit: UnitOfWork, book: Book, booker: Booker, bot_ids: Sequence[UUID]
    ) -> None:
        """Take over what this transaction wrote, without reading it back."""
        if not booker.entry_count:
            return
        view.book = unit.ledger.head(book)
        view.balances.update(await unit.ledger.balances(book, booker.accounts))
        for bot_id in bot_ids:
            view.held[bot_id] = booker.held(bot_id)
            trip = booker.open_trip(bot_id)
            if trip is None:
                view.trips.pop(bot_id, None)
            else:
                view.trips[bot_id] = trip

    async def _known_fills(
        self,
        unit: UnitOfWork,
        view: AccountView,
        stored: Mapping[UUID, StoredOrder],
        reports: Sequence[OrderReport],
    ) -> set[tuple[str, str]]:
        """Return which of the reported fills are booked, as (platform, trade id)."""
        known: set[tuple[str, str]] = set()
        unsure: dict[tuple[str, str], list[str]] = {}
        for report in reports:
            item = stored.get(report.order_id)
            if item is None:
                raise BrokenInvariant(f"the venue reports order {report.order_id}, which we never wrote")
            booked = view.booked.get(report.order_id)
            if booked is not None:
                known.update((item.platform, trade_id) for trade_id in booked)
            elif report.fills:
                ids = unsure.setdefault((item.platform, item.account), [])
                ids.extend(fill.venue_trade_id for fill in report.fills)
        for (platform, account), trade_ids in unsure.items():
            found = await unit.trades.known_fills(platform, account, trade_ids)
            known.update((platform, trade_id) for trade_id in found)
        return known

    def _take_report(
        self,
        move: Transition,
        report: OrderReport,
        booker: Booker,
        known: set[tuple[str, str]],
        outcome: Outcome,
    ) -> None:
        for told in report.fills:
            key = (move.stored.platform, told.venue_trade_id)
            if key in known:
                continue
            known.add(key)
            fill = as_booked(told, self._instruments[move.order.instrument_id])
            booker.add(move.order, fill)
            move.fill(fill.quantity, to_ledger(fill.notional))
            outcome.notices.append(
                Notice(
                    move.order.bot_id,
                    f"fill:{fill.venue_trade_id}",
                    OrderFilled(
                        move.order.tag, fill.side, fill.price, fill.quantity, move.order.remaining_quantity
                    ),
                )
            )
        was_terminal = move.order.state in TERMINAL
        move.settle(report)
        if report.venue_order_id:
            move.order = replace(move.order, venue_order_id=report.venue_order_id)
        ended = move.order.state in TERMINAL and move.order.state is not OrderState.FILLED
        if ended and not was_terminal:
            outcome.notices.append(_closed(move.order, report.reason))

    def _take_verdict(self, move: Transition, verdict: Verdict, outcome: Outcome) -> None:
        if not move.is_about(verdict.event):
            return  # the venue's own records, or whoever took over from us, have told more meanwhile
        move.take(verdict.event, verdict.detail)
        move.reject_reason = verdict.detail
        if move.order.state in TERMINAL:
            outcome.notices.append(_closed(move.order, verdict.detail))

    def _order_events(self, changes: Iterable[OrderChange]) -> list[tuple[str, EventPayload]]:
        events: list[tuple[str, EventPayload]] = []
        for change in changes:
            order, bot = change.order, self._bots[change.order.bot_id]
            average = change.filled_notional / order.filled_quantity if order.filled_quantity else None
            payload = OrderUpdated(
                message=f"{bot.name}: {order.tag} order is {order.state.value.replace('_', ' ')}",
                order=order_view(order, bot, at=change.at, average_price=average),
            )
            events.append(("order_updated", payload))
        return events

    # -- recovery --------------------------------------------------------------------------------

    async def recover(self, user_id: UUID) -> list[StoredOrder]:
        """After a start: what was being sent is UNKNOWN now. Return every order of this kind of book that
        still works.

        Raises: Unavailable when another engine holds the lease.
        """
        self._views.pop(user_id, None)
        async with self._open(user_id, checks_lease=True) as (unit, _, _view):
            working = await self._working(unit)
            lost = [item for item in working if item.order.state is OrderState.SENDING]
            moves = [
                Transition(item, self._clock).take(OrderEvent.LOSE, "the engine stopped while sending")
                for item in lost
            ]
            asked = [item for item in working if item.order.state is OrderState.CANCELING]
            moves += [
                Transition(item, self._clock).take(OrderEvent.LOSE_CANCEL, "the engine stopped")
                for item in asked
            ]
            await unit.orders.change([move.finish() for move in moves])
            working = await self._working(unit)
        self._owners.update({item.order.id: user_id for item in working})
        return working

    async def _working(self, unit: UnitOfWork) -> list[StoredOrder]:
        return [item for item in await unit.orders.working() if item.mode is self._mode]

    async def reconcile(self, user_id: UUID, *, everything: bool = False) -> Outcome:
        """Ask the venues about every order whose outcome is not known, and take their word only.

        ``everything`` asks about resting orders too: after a start, since what the venue reported while
        nobody listened is not told again (O8).
        """
        async with self._store.unit_of_work(user_id) as unit:
            working = await self._working(unit)
        self._doubters.pop(user_id, None)
        asked = [item for item in working if everything or item.order.state in DOUBTFUL]
        if self._arrivals is None:
            return await self._take(
                user_id, [answer for item in asked for answer in await self._look_up(item)]
            )
        for item in asked:
            if item.order.id not in self._looking:
                self._looking.add(item.order.id)
                self._arrivals.carry(user_id, self._look_up(item))
        return Outcome()

    async def _look_up(self, item: StoredOrder) -> Sequence[Answer]:
        """Return what the venue's records say of the order, or what their silence proves; often nothing."""
        answers = await self._asked(item)
        self._looking.discard(item.order.id)
        if not answers and item.order.state in DOUBTFUL:
            self._doubters[item.order.user_id] = None
        return answers

    async def _asked(self, item: StoredOrder) -> Sequence[Answer]:
        order = item.order
        try:
            report = await self._venue_of(order).fetch_order(order.id, order.instrument_id)
        except OutcomeUnknown:
            return []
        if report is not None:
            self._absences.pop(order.id, None)
            return [report]
        end = {OrderState.UNKNOWN: OrderEvent.PROVE_ABSENT, OrderState.CANCEL_UNKNOWN: OrderEvent.CANCEL}
        # The venue confirmed any other order once: its absence contradicts that and proves nothing.
        if order.state not in end or not self._is_absence_proven(item):
            return []
        return [Verdict(order.id, end[order.state], "absent from the venue's complete records")]

    def _is_absence_proven(self, item: StoredOrder) -> bool:
        """Note that the records lack the order; only late enough and often enough is that a proof (O4)."""
        policy, now = self._policy, self._clock.now_ns()
        late_ns, gap_ns = (round(s * NS_PER_S) for s in (policy.late_arrival_s, policy.proof_gap_s))
        if item.deadline_at is None or now <= to_ns(item.deadline_at) + late_ns:
            return False  # it may still arrive
        seen = self._absences.setdefault(item.order.id, _Absence(0, now - gap_ns))
        if now - seen.last_ts >= gap_ns:
            seen.times, seen.last_ts = seen.times + 1, now
        return seen.times >= policy.absence_proofs

    async def resolve(self, user_id: UUID) -> Outcome:
        """End the orders in doubt of which a person has said that they are over."""
        async with self._store.unit_of_work(user_id) as unit:
            doubtful = [item.order.id for item in await self._working(unit) if item.order.state in DOUBTFUL]
            asked = await unit.live_accounts.resolutions(doubtful)
        verdicts = [
            Verdict(order_id, OrderEvent.RESOLVE_BY_HAND, f"{item.asked_by}: {item.note}")
            for order_id, item in asked.items()
        ]
        return await self.apply(user_id, (), verdicts=verdicts)

    # -- what arrives beside the engine ----------------------------------------------------------

    async def take_arrivals(self) -> list[tuple[UUID, Outcome]]:
        """Book what has arrived from the venues; return what that led to, by user."""
        if self._arrivals is None:
            return []
        taken = self._arrivals.take()
        return [
            (user_id, await self.apply(user_id, answers.reports, verdicts=answers.verdicts))
            for user_id, answers in taken.items()
        ]

    async def cancel_unwanted(self, user_id: UUID) -> Outcome:
        """Cancel the orders that could not be canceled when somebody asked, as far as they can be now."""
        wanted = [order_id for order_id, owner in self._unwanted.items() if owner == user_id]
        return await self.cancel(user_id, wanted) if wanted else Outcome()

    async def accounts(self, user_id: UUID, bot_ids: Sequence[UUID]) -> dict[UUID, BotAccount]:
        """Return what each bot has, as the store says."""
        self._views.pop(user_id, None)
        async with self._open(user_id) as (unit, _, view):
            await view.load(unit, bot_ids)
        return view.accounts(bot_ids, self._bots, self._instruments)


def _no_account(instrument: Instrument) -> Denial:
    return Denial(
        "account",
        "ACCOUNT_MISSING",
        f"there is no tested key for {DISPLAY_NAMES[instrument.venue]}. Save one that may view and trade.",
    )


class _Opened(NamedTuple):
    """A transaction of the order path."""

    unit: UnitOfWork
    book: Book
    view: AccountView


async def _stored(unit: UnitOfWork, view: AccountView, order_ids: Sequence[UUID]) -> dict[UUID, StoredOrder]:
    """Return orders of the view, the others from the store."""
    found = view.find(order_ids)
    missing = [order_id for order_id in order_ids if order_id not in found]
    return found | (await unit.orders.get_many(missing) if missing else {})


def _lease_lost() -> Unavailable:
    return Unavailable(
        "LEASE_LOST",
        "Another engine has taken over trading",
        "Run one engine per database; this one stops by itself.",
    )


def _closed(order: Order, reason: str) -> Notice:
    return Notice(order.bot_id, f"closed:{order.id.hex}", OrderClosed(order.tag, reason))
