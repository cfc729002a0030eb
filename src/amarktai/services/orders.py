# long: the order path is one sequence and reads top to bottom
"""The order path: gates, write-ahead, one send, reports, recovery. Paper and live take it alike.

The send-once argument (order path §1.5): ``_claim`` is the only place that makes an order SENDING, in
the transaction that inserts it (unique per bot and decision); ``_send`` is the only caller of the
venue's create and is only reached with the orders that this very call claimed; recovery turns SENDING
into UNKNOWN and never back; nothing here or below retries a create; the lease's fencing token is
checked in the claiming transaction and the request carries a deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.errors import BrokenInvariant, Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.mode import SystemMode
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import (
    TERMINAL,
    Order,
    OrderEvent,
    OrderIntent,
    OrderState,
    Side,
    next_state,
)
from amarktai.domain.position import Position
from amarktai.domain.risk import GateContext, first_denial, reservation
from amarktai.ledger import chart
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.events import EventPayload, OrderUpdated
from amarktai.ports.ids import Ids
from amarktai.ports.leases import Lease
from amarktai.ports.store import (
    Balances,
    Book,
    NewOrder,
    OpenPosition,
    OrderChange,
    Store,
    StoredOrder,
    UnitOfWork,
)
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    TradingVenue,
    VenueRejected,
    VenueStatus,
)
from amarktai.services.booking import Booker
from amarktai.services.fx import FxRates
from amarktai.services.views import order_view
from amarktai.strategies.contract import OrderClosed, OrderFilled

_CLOSING: Final = {
    VenueStatus.CANCELED: OrderEvent.CANCEL,
    VenueStatus.EXPIRED: OrderEvent.EXPIRE,
}
#: States in which a cancel has nothing to ask for, or nobody to ask yet.
_NOT_CANCELABLE: Final = TERMINAL | {
    OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCELING, OrderState.FILLED_PENDING_TRADES
}  # fmt: skip
#: States that only the venue's records can end. A bot with such an order makes no entries.
_DOUBTFUL: Final = frozenset(
    {OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN, OrderState.FILLED_PENDING_TRADES, OrderState.RESURRECTED}
)


@dataclass(frozen=True, slots=True)
class BotAccount:
    """What a bot has after a transaction.

    Units: cash in quote, free of reservations; held_cash with them; quantity in base. ``working`` maps
    the tag of each order that is not terminal to its id.
    """

    cash: Decimal
    held_cash: Decimal
    quantity: Decimal
    average_price: Decimal | None
    working: Mapping[str, UUID]


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
    ``lost`` are the orders whose outcome has just become unknown.
    """

    notices: list[Notice] = field(default_factory=list)
    accounts: dict[UUID, BotAccount] = field(default_factory=dict)
    denied: dict[UUID, str] = field(default_factory=dict)
    profits: dict[UUID, Decimal] = field(default_factory=dict)
    lost: list[Order] = field(default_factory=list)

    def absorb(self, other: Outcome) -> None:
        self.notices.extend(other.notices)
        self.accounts.update(other.accounts)
        self.denied.update(other.denied)
        self.profits.update(other.profits)
        self.lost.extend(other.lost)


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """Times of the order path. A create that has not left ``ttl_ms`` after its claim never leaves."""

    ttl_ms: int = 5_000
    max_data_age_s: float = 30.0
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """What one engine trades with. ``bots`` is the engine's own, changing map of the bots it runs."""

    venues: Mapping[Platform, TradingVenue]
    instruments: Mapping[str, Instrument]
    bots: Mapping[UUID, Bot]
    fx: FxRates
    policy: OrderPolicy
    lease: Lease


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
        self._owners: dict[UUID, UUID] = {}
        self._doubters: dict[UUID, None] = {}

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

    # -- sending ---------------------------------------------------------------------------------

    async def submit(
        self, user_id: UUID, intents: Sequence[OrderIntent], *, system_mode: SystemMode = SystemMode.PAPER
    ) -> Outcome:
        """Gate, write and send intents of one user, each at most once, ever.

        An intent whose decision has an order already is passed over in silence (O3).
        """
        outcome, claimed = await self._claim(user_id, intents, system_mode)
        if claimed:
            outcome.absorb(await self._send(user_id, claimed))
        return outcome

    async def _claim(
        self, user_id: UUID, intents: Sequence[OrderIntent], system_mode: SystemMode
    ) -> tuple[Outcome, list[NewOrder]]:
        """Write every intent as SENDING or DENIED and commit: the write-ahead of O1."""
        outcome, claimed = Outcome(), list[NewOrder]()
        async with self._store.unit_of_work(user_id, durable=self._policy.durable) as unit:
            await self._check_lease(unit)
            book = await unit.ledger.lock_book(TradingMode.PAPER)
            bot_ids = sorted({intent.bot_id for intent in intents})
            done = await unit.orders.claimed(bot_ids, [intent.decision_key for intent in intents])
            view = await _AccountView.load(unit, book, bot_ids)
            rows: list[NewOrder] = []
            for intent in intents:
                if (intent.bot_id, intent.decision_key) in done:
                    continue
                done.add((intent.bot_id, intent.decision_key))
                row = self._gate(user_id, book, intent, view, system_mode)
                rows.append(row)
                if row.order.state is OrderState.SENDING:
                    claimed.append(row)
                    self._owners[row.order.id] = user_id
                    view.add(row.order)
                else:
                    outcome.denied[intent.bot_id] = row.reject_reason or ""
                    outcome.notices.append(_closed(row.order, row.reject_reason or ""))
            await unit.orders.insert(rows)
            outcome.accounts.update(view.accounts(self._bots, self._instruments))
        return outcome, claimed

    def _gate(
        self, user_id: UUID, book: Book, intent: OrderIntent, view: _AccountView, system_mode: SystemMode
    ) -> NewOrder:
        bot, instrument = self._bots[intent.bot_id], self._instruments[intent.instrument_id]
        now_ns = self._clock.now_ns()
        denial = first_denial(
            intent, instrument, view.gate_context(intent, bot, instrument, system_mode, now_ns, self._policy)
        )
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
            account=self._venues[instrument.venue].account,
            mode=book.mode,
            decision_key=intent.decision_key,
            created_at=to_datetime(now_ns),
            deadline_at=to_datetime(now_ns + self._policy.ttl_ms * 1_000_000),
            reject_reason=f"{denial.code}: {denial.detail}" if denial else None,
        )

    async def _send(self, user_id: UUID, claimed: Sequence[NewOrder]) -> Outcome:
        """Send each order exactly once and book what the venue answers."""
        results = [await self._send_one(row) for row in claimed]
        return await self.apply(
            user_id,
            [result for result in results if isinstance(result, OrderReport)],
            verdicts=[result for result in results if isinstance(result, Verdict)],
        )

    async def _send_one(self, row: NewOrder) -> OrderReport | Verdict:
        """Send one create. Its deadline is the claim's: after a pause it must not leave any more (f)."""
        order, now = row.order, self._clock.now_ns()
        assert row.deadline_at is not None  # _gate sets it
        deadline = to_ns(row.deadline_at)
        if now > deadline:
            return Verdict(order.id, OrderEvent.REJECT, "DEADLINE_PASSED: it was not sent in time")
        request = OrderRequest(
            order.id, order.instrument_id, order.side, order.type, order.quantity, order.price,
            order.stop_price, order.post_only, order.reduce_only, order.oco_group,
            sent_ts=now, deadline_ts=deadline, bot_id=order.bot_id, budget=order.budget,
        )  # fmt: skip
        venue = self._venues[self._instruments[order.instrument_id].venue]
        try:
            return await venue.create_order(request)
        except VenueRejected as refusal:
            return Verdict(order.id, OrderEvent.REJECT, f"{refusal.code}: {refusal.detail}")
        except OutcomeUnknown as silence:
            return Verdict(order.id, OrderEvent.LOSE, silence.detail)

    # -- canceling -------------------------------------------------------------------------------

    async def cancel(self, user_id: UUID, order_ids: Sequence[UUID]) -> Outcome:
        """Ask the venue to cancel; only its own record changes what was filled (O13)."""
        async with self._store.unit_of_work(user_id, durable=self._policy.durable) as unit:
            await self._check_lease(unit)
            await unit.ledger.lock_book(TradingMode.PAPER)
            stored = await unit.orders.get_many(order_ids)
            asked = [
                item for item in stored.values()
                if item.order.state not in _NOT_CANCELABLE
            ]  # fmt: skip
            changes = [_Transition(item, self._clock).take(OrderEvent.ASK_CANCEL, "") for item in asked]
            await unit.orders.change([change.finish() for change in changes])
        results = [await self._cancel_one(item.order) for item in asked]
        return await self.apply(
            user_id,
            [result for result in results if isinstance(result, OrderReport)],
            verdicts=[result for result in results if isinstance(result, Verdict)],
        )

    async def _cancel_one(self, order: Order) -> OrderReport | Verdict:
        venue = self._venues[self._instruments[order.instrument_id].venue]
        try:
            return await venue.cancel_order(order.id, order.instrument_id)
        except OutcomeUnknown as silence:
            return Verdict(order.id, OrderEvent.LOSE_CANCEL, silence.detail)

    # -- what venues report ----------------------------------------------------------------------

    async def apply(
        self, user_id: UUID, reports: Sequence[OrderReport], *, verdicts: Sequence[Verdict] = ()
    ) -> Outcome:
        """Book every fill that the venue reports, exactly once, and move the orders along (O5)."""
        if not reports and not verdicts:
            return Outcome()
        async with self._store.unit_of_work(user_id, durable=self._policy.durable) as unit:
            return await self._apply(unit, reports, verdicts)

    async def _apply(
        self, unit: UnitOfWork, reports: Sequence[OrderReport], verdicts: Sequence[Verdict]
    ) -> Outcome:
        book = await unit.ledger.lock_book(TradingMode.PAPER)
        ids = [report.order_id for report in reports] + [verdict.order_id for verdict in verdicts]
        stored = await unit.orders.get_many(ids)
        moves = {order_id: _Transition(item, self._clock) for order_id, item in stored.items()}
        bot_ids = sorted({item.order.bot_id for item in stored.values()})
        view = await _AccountView.load(unit, book, bot_ids)
        booker = Booker(
            unit, book, self._bots, self._instruments, self._fx, self._ids, self._clock,
            account=next((item.account for item in stored.values()), ""),
        )  # fmt: skip
        await booker.load(bot_ids, view.held)
        outcome = Outcome()
        known = await self._known_fills(unit, stored, reports)
        for report in reports:
            self._take_report(moves[report.order_id], report, booker, known, outcome)
        for verdict in verdicts:
            self._take_verdict(moves[verdict.order_id], verdict, outcome)
        events = await booker.write()
        outcome.profits.update(booker.bot_profits)
        changes = [move.finish() for move in moves.values() if move.events]
        await unit.orders.change(changes)
        outcome.lost += [item.order for item in changes if item.order.state is OrderState.UNKNOWN]
        self._doubters.update(
            {move.order.user_id: None for move in moves.values() if move.order.state in _DOUBTFUL}
        )
        now = to_datetime(self._clock.now_ns())
        await unit.outbox.emit([*events, *self._order_events(changes)], now)
        await view.refresh(unit, book, booker, [change.order for change in changes])
        outcome.accounts.update(view.accounts(self._bots, self._instruments))
        return outcome

    async def _known_fills(
        self, unit: UnitOfWork, stored: Mapping[UUID, StoredOrder], reports: Sequence[OrderReport]
    ) -> set[tuple[str, str]]:
        by_platform: dict[tuple[str, str], list[str]] = {}
        for report in reports:
            item = stored.get(report.order_id)
            if item is None:
                raise BrokenInvariant(f"the venue reports order {report.order_id}, which we never wrote")
            ids = by_platform.setdefault((item.platform, item.account), [])
            ids.extend(fill.venue_trade_id for fill in report.fills)
        known: set[tuple[str, str]] = set()
        for (platform, account), trade_ids in by_platform.items():
            if trade_ids:
                found = await unit.trades.known_fills(platform, account, trade_ids)
                known.update((platform, trade_id) for trade_id in found)
        return known

    def _take_report(
        self,
        move: _Transition,
        report: OrderReport,
        booker: Booker,
        known: set[tuple[str, str]],
        outcome: Outcome,
    ) -> None:
        for fill in report.fills:
            key = (move.stored.platform, fill.venue_trade_id)
            if key in known:
                continue
            known.add(key)
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

    def _take_verdict(self, move: _Transition, verdict: Verdict, outcome: Outcome) -> None:
        if move.order.state in TERMINAL:
            return  # whoever took over from us has settled it meanwhile
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
        """After a start: what was being sent is UNKNOWN now. Return every order that still works.

        Raises: Unavailable when another engine holds the lease.
        """
        async with self._store.unit_of_work(user_id) as unit:
            await self._check_lease(unit)
            await unit.ledger.lock_book(TradingMode.PAPER)
            working = await unit.orders.working()
            lost = [item for item in working if item.order.state is OrderState.SENDING]
            moves = [
                _Transition(item, self._clock).take(OrderEvent.LOSE, "the engine stopped while sending")
                for item in lost
            ]
            asked = [item for item in working if item.order.state is OrderState.CANCELING]
            moves += [
                _Transition(item, self._clock).take(OrderEvent.LOSE_CANCEL, "the engine stopped")
                for item in asked
            ]
            await unit.orders.change([move.finish() for move in moves])
            working = await unit.orders.working()
        self._owners.update({item.order.id: user_id for item in working})
        return working

    async def reconcile(self, user_id: UUID, *, everything: bool = False) -> Outcome:
        """Ask the venues about every order whose outcome is not known, and take their word only.

        ``everything`` asks about resting orders too: after a start, since what the venue reported while
        nobody listened is not told again (O8).
        """
        async with self._store.unit_of_work(user_id) as unit:
            working = await unit.orders.working()
        self._doubters.pop(user_id, None)
        reports: list[OrderReport] = []
        verdicts: list[Verdict] = []
        for item in working:
            if not everything and item.order.state not in _DOUBTFUL:
                continue
            found = await self._look_up(item)
            if isinstance(found, OrderReport):
                reports.append(found)
            elif found is not None:
                verdicts.append(found)
            elif item.order.state in _DOUBTFUL:
                self._doubters[user_id] = None
        return await self.apply(user_id, reports, verdicts=verdicts)

    async def _look_up(self, item: StoredOrder) -> OrderReport | Verdict | None:
        order = item.order
        venue = self._venues[Platform(item.platform)]
        try:
            report = await venue.fetch_order(order.id, order.instrument_id)
        except OutcomeUnknown:
            return None
        if report is not None:
            return report
        expired = item.deadline_at is not None and to_datetime(self._clock.now_ns()) > item.deadline_at
        if not expired:
            # It may still arrive: only past its expiry is absence a proof (O4).
            return None
        if order.state is OrderState.UNKNOWN:
            return Verdict(order.id, OrderEvent.PROVE_ABSENT, "absent from the venue's complete records")
        if order.state is OrderState.CANCEL_UNKNOWN:
            return Verdict(order.id, OrderEvent.CANCEL, "absent from the venue's complete records")
        return None  # the venue confirmed it once: its absence contradicts that and proves nothing

    async def accounts(self, user_id: UUID, bot_ids: Sequence[UUID]) -> dict[UUID, BotAccount]:
        """Return what each bot has, as the store says."""
        async with self._store.unit_of_work(user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.PAPER)
            view = await _AccountView.load(unit, book, sorted(bot_ids))
            return view.accounts(self._bots, self._instruments)

    async def _check_lease(self, unit: UnitOfWork) -> None:
        if not await unit.check_lease(self._lease.name, self._lease.fencing_token):
            raise Unavailable(
                "LEASE_LOST",
                "Another engine has taken over trading",
                "Run one engine per database; this one stops by itself.",
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we concluded of an order without a venue report."""

    order_id: UUID
    event: OrderEvent
    detail: str


def _closed(order: Order, reason: str) -> Notice:
    return Notice(order.bot_id, f"closed:{order.id.hex}", OrderClosed(order.tag, reason))


class _Transition:
    """One order moving through the state machine within a transaction."""

    def __init__(self, stored: StoredOrder, clock: Clock) -> None:
        self.stored = stored
        self.order = stored.order
        self.filled_notional = stored.filled_notional
        self.reject_reason: str | None = None
        self.events: list[tuple[OrderEvent, OrderState, OrderState, str]] = []
        self._clock = clock

    def take(self, event: OrderEvent, detail: str) -> _Transition:
        before = self.order.state
        after = next_state(before, event)
        self.events.append((event, before, after, detail))
        self.order = replace(self.order, state=after)
        return self

    def fill(self, quantity: Decimal, notional: Decimal) -> None:
        filled = self.order.filled_quantity + quantity
        if filled > self.order.quantity:
            raise BrokenInvariant(f"order {self.order.id}: {filled} filled of {self.order.quantity} (O6)")
        self.order = replace(self.order, filled_quantity=filled)
        self.filled_notional += notional
        complete = filled == self.order.quantity
        self.take(OrderEvent.FILL_ALL if complete else OrderEvent.FILL, f"{quantity:f}")

    def settle(self, report: OrderReport) -> None:
        """Follow the venue's status. Closed with trades missing waits for them (O7)."""
        state = self.order.state
        if report.status is VenueStatus.OPEN:
            if state in {OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN}:
                self.take(OrderEvent.ACCEPT, report.reason)
            return
        if state in TERMINAL:
            return
        missing = report.filled_quantity != self.order.filled_quantity
        if missing or report.status is VenueStatus.FILLED:
            self.take(OrderEvent.CLOSE_INCOMPLETE, report.reason)
        else:
            self.take(_CLOSING[report.status], report.reason)

    def finish(self) -> OrderChange:
        """Return the change to write; what a terminal order reserved is released, once (L9)."""
        order = self.order
        terminal = order.state in TERMINAL
        share = order.remaining_quantity / order.quantity
        reserved = ZERO if terminal else to_ledger(self._reserved_at_start() * share)
        self.order = replace(order, reserved_amount=reserved)
        now = to_datetime(self._clock.now_ns())
        return OrderChange(
            self.order, self.filled_notional, self.events, now,
            closed_at=now if terminal else None, reject_reason=self.reject_reason,
        )  # fmt: skip

    def _reserved_at_start(self) -> Decimal:
        """Return the reservation for the whole quantity, from what the stored rest reserves."""
        stored = self.stored.order
        if stored.remaining_quantity == ZERO:
            return ZERO
        return stored.reserved_amount * stored.quantity / stored.remaining_quantity


@dataclass(slots=True)
class _AccountView:
    """Balances, positions and working orders of some bots, within one transaction."""

    balances: Balances
    held: dict[UUID, OpenPosition]
    working: dict[UUID, list[Order]]

    @classmethod
    async def load(cls, unit: UnitOfWork, book: Book, bot_ids: Sequence[UUID]) -> _AccountView:
        balances = await unit.ledger.balances(book, [chart.bot_holding(bot_id) for bot_id in bot_ids])
        held = await unit.trades.positions(bot_ids)
        working: dict[UUID, list[Order]] = {bot_id: [] for bot_id in bot_ids}
        for item in await unit.orders.working(bot_ids):
            working[item.order.bot_id].append(item.order)
        return cls(balances, held, working)

    async def refresh(self, unit: UnitOfWork, book: Book, booker: Booker, changed: Sequence[Order]) -> None:
        """Take over what this transaction wrote, without reading it back."""
        accounts = [chart.bot_holding(bot_id) for bot_id in self.working]
        self.balances = await unit.ledger.balances(book, accounts)
        for bot_id in self.working:
            self.held[bot_id] = OpenPosition(booker.position(bot_id), None)
        newer = {order.id: order for order in changed}
        for bot_id, orders in self.working.items():
            merged = {order.id: order for order in orders}
            merged.update({key: order for key, order in newer.items() if order.bot_id == bot_id})
            self.working[bot_id] = [order for order in merged.values() if order.state not in TERMINAL]

    def add(self, order: Order) -> None:
        self.working.setdefault(order.bot_id, []).append(order)

    def free_cash(self, bot_id: UUID, quote: str) -> Decimal:
        held = self.balances.get((chart.bot_holding(bot_id), quote), ZERO)
        reserved = sum(
            (order.reserved_amount for order in self.working.get(bot_id, ()) if order.side is Side.BUY), ZERO
        )
        return held - reserved

    def free_coins(self, bot_id: UUID, base: str, oco_group: str | None = None) -> Decimal:
        """Return coins that no working sale holds. Orders of one one-cancels-other group hold once."""
        held = self.balances.get((chart.bot_holding(bot_id), base), ZERO)
        groups: dict[str, Decimal] = {}
        for order in self.working.get(bot_id, ()):
            if order.side is Side.SELL and (order.oco_group is None or order.oco_group != oco_group):
                key = order.oco_group or order.id.hex
                groups[key] = max(groups.get(key, ZERO), order.remaining_quantity)
        return held - sum(groups.values(), ZERO)

    def gate_context(
        self,
        intent: OrderIntent,
        bot: Bot,
        instrument: Instrument,
        system_mode: SystemMode,
        now_ns: int,
        policy: OrderPolicy,
    ) -> GateContext:
        orders = self.working.get(bot.id, ())
        return GateContext(
            system_mode=system_mode,
            trading_mode=bot.mode,
            bot_status=bot.status,
            account_active=not any(order.state in _DOUBTFUL for order in orders),
            data_age_s=(now_ns - intent.data_ts) / 1e9,
            max_data_age_s=policy.max_data_age_s,
            free_cash=self.free_cash(bot.id, instrument.quote),
            free_coins=self.free_coins(bot.id, instrument.base, intent.oco_group),
            opposing=[
                order.price
                for order in orders
                if order.price is not None
                and order.side is not intent.side
                and order.instrument_id == intent.instrument_id
            ],
        )

    def accounts(
        self, bots: Mapping[UUID, Bot], instruments: Mapping[str, Instrument]
    ) -> dict[UUID, BotAccount]:
        found: dict[UUID, BotAccount] = {}
        for bot_id, orders in self.working.items():
            instrument = instruments[bots[bot_id].instrument_id]
            position = self.held[bot_id].position if bot_id in self.held else Position()
            found[bot_id] = BotAccount(
                cash=self.free_cash(bot_id, instrument.quote),
                held_cash=self.balances.get((chart.bot_holding(bot_id), instrument.quote), ZERO),
                quantity=position.quantity,
                average_price=position.average_price,
                working={order.tag: order.id for order in orders},
            )
        return found
