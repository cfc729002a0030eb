# long: one venue's matching, in the order of its phases
"""The paper venue: fills orders on market data by the one fill model (domain/fill_model.py).

Bars follow "the order of things on bars" of that file: arriving orders at the open, then the path to
the low and the high at the close. Each bot is served one fill at a time, so that its answer to a fill
can take part in the same bar; bots do not wait for each other. There is no latency on bars: an order
decided on a close meets the next open.

Quotes. An order reaches the market ``latency_ms`` after it was sent and meets the first quote from
then on. Takers pay the ask and get the bid, for the whole quantity (quotes often carry no size). A
resting limit fills when the other side's best price is strictly beyond it, a stop when the price that
it would get reaches it. Once an instrument has had a quote, its bars no longer fill orders.

Books. Takers walk the visible levels; what is left of a market or stop order when the levels are
exhausted is canceled, what is left of a limit order rests. A public trade strictly beyond a resting
limit fills it up to the printed quantity, visible levels strictly beyond it up to their quantity.

Fees are the instrument's maker and taker ratios of the notional, always in the quote asset, for
sales and for purchases. A buy ends where its budget ends (``fill_model.within_budget``). Cancels act at
once. Whether the account owns what it sells is not checked here: the order path reserves before it sends.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.fill_model import (
    BUDGET_SPENT,
    HONEST,
    ExecutionProfile,
    OpenVerdict,
    PriceRange,
    SimulatedOrder,
    exact,
    fee,
    limit_crosses,
    next_bar_fill,
    notional,
    open_outcome,
    refusal,
    within_budget,
)
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import NO_TS, EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import TERMINAL, Order, OrderState, OrderType, Side
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    VenueRejected,
    VenueStatus,
    WakeConditions,
)
from amarktai.venues.matching import Execution, Match, Phase, Tick, match_tick, phase_of, read_tick
from amarktai.venues.order_rules import check_steps

#: Closed orders that the venue's records keep; an older order can no longer be told from an absent one.
HISTORY_LIMIT: Final = 20_000
_INF: Final = float("inf")
_NS_PER_MS: Final = 1_000_000
_STATUS_OF: Final = {OrderState.FILLED: VenueStatus.FILLED, OrderState.EXPIRED: VenueStatus.EXPIRED}


@dataclass(slots=True)
class _Record:
    """An order in the venue's records.

    ``arrived``: it has met the market and rests. ``group_base`` is what the others of its group had
    filled when it was accepted: its quantity was chosen knowing that.
    """

    request: OrderRequest
    active_ts: int
    changed_ts: int
    status: VenueStatus = VenueStatus.OPEN
    arrived: bool = False
    filled: Decimal = ZERO
    spent: Decimal = ZERO
    group_base: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""

    @property
    def left(self) -> Decimal:
        return self.request.quantity - self.filled

    @property
    def budget_left(self) -> Decimal | None:
        budget = self.request.budget
        return None if budget is None else budget - self.spent

    @property
    def owner(self) -> Hashable:
        """Orders of one owner meet a bar one after the other; those of several do not wait."""
        return self.request.bot_id or self.request.oco_group or self.request.order_id


class _Stage(Enum):
    """Where a desk stands within a bar; it decides when a new order takes part."""

    AFTER_CLOSE = 0
    AFTER_OPEN = 1
    INSIDE = 2


@dataclass(slots=True)
class _Desk:
    """One instrument's working orders in the order of acceptance, and where its market stands.

    ``row`` is the event that is being served. Of a bar's open, ``arriving`` are the orders still to be
    looked at; of a bar's path, ``walking`` are the owners whose orders may still fill.
    """

    instrument: Instrument
    orders: dict[UUID, _Record] = field(default_factory=dict)
    owners: dict[Hashable, dict[UUID, _Record]] = field(default_factory=dict)
    quoted: bool = False
    bid: Decimal | None = None
    ask: Decimal | None = None
    row: tuple[float, ...] | None = None
    ts: int = 0
    stage: _Stage = _Stage.AFTER_CLOSE
    arriving: dict[Hashable, deque[_Record]] = field(default_factory=dict)
    walking: dict[Hashable, None] = field(default_factory=dict)
    bar: PriceRange | None = None
    wake: WakeConditions | None = None

    def best(self, side: Side) -> Decimal | None:
        return self.ask if side is Side.BUY else self.bid

    def add(self, record: _Record) -> None:
        self.wake = None
        self.orders[record.request.order_id] = record
        self.owners.setdefault(record.owner, {})[record.request.order_id] = record

    def remove(self, record: _Record) -> None:
        self.wake = None
        del self.orders[record.request.order_id]
        theirs = self.owners[record.owner]
        del theirs[record.request.order_id]
        if not theirs:
            del self.owners[record.owner]

    def start_open(self, ts: int, price: Decimal) -> None:
        """A bar opens: what has not arrived yet meets its first price."""
        self.stage, self.ts, self.bar = _Stage.AFTER_OPEN, ts, None
        self.bid = self.ask = price
        for record in self.orders.values():
            if not record.arrived:
                self.arriving.setdefault(record.owner, deque()).append(record)

    def start_path(self, ts: int, bar: PriceRange, close: Decimal) -> None:
        """A bar closed: its path is walked from now on."""
        self.stage, self.ts, self.bar = _Stage.INSIDE, ts, bar
        self.bid = self.ask = close
        self.walking = dict.fromkeys(self.owners)

    def end_path(self) -> None:
        self.stage, self.bar = _Stage.AFTER_CLOSE, None

    def admit(self, record: _Record) -> None:
        """Let a new order take part in the present bar, if its rules let it."""
        if self.quoted or record.request.type is OrderType.MARKET:
            return
        if self.stage is _Stage.AFTER_OPEN:
            record.arrived = True
        elif self.stage is _Stage.INSIDE and record.request.type is OrderType.STOP_MARKET:
            record.arrived = True
            self.walking[record.owner] = None


class PaperVenue:
    """One paper account on one platform. Implements ports.venue.SimulatedVenue."""

    def __init__(
        self,
        *,
        platform: Platform,
        account: str,
        instruments: Iterable[Instrument],
        origin: Origin,
        clock: Clock,
        profile: ExecutionProfile = HONEST,
        history_limit: int = HISTORY_LIMIT,
    ) -> None:
        self.platform = platform
        self.account = account
        self._origin = origin
        self._clock = clock
        self._profile = profile
        self._desks = {item.id: _Desk(item) for item in instruments}
        self._records: dict[UUID, _Record] = {}
        self._closed: OrderedDict[UUID, None] = OrderedDict()
        self._groups: dict[str, list[_Record]] = {}
        self._history_limit = history_limit
        self._complete_since_ms = -1

    async def create_order(self, request: OrderRequest) -> OrderReport:
        """Accept an order; it fills on later events.

        Raises: VenueRejected with a code: UNKNOWN_INSTRUMENT, DUPLICATE_CLIENT_ORDER_ID,
        DEADLINE_PASSED, PRICE_MISSING, PRICE_OFF_TICK, QUANTITY_OFF_LOT, BELOW_MIN_QUANTITY,
        BELOW_MIN_NOTIONAL, POST_ONLY_WOULD_TAKE.
        """
        now = self._clock.now_ns()
        desk = self._desks.get(request.instrument_id)
        if desk is None:
            raise VenueRejected("UNKNOWN_INSTRUMENT", f"{request.instrument_id} is not traded here")
        if request.order_id in self._records:
            raise VenueRejected(
                "DUPLICATE_CLIENT_ORDER_ID", f"Client order id {request.client_order_id} was used before"
            )
        if now > request.deadline_ts:
            raise VenueRejected("DEADLINE_PASSED", "The request arrived after its own deadline")
        check_steps(desk.instrument, request)
        _check_market(desk, request)
        record = _Record(request, request.sent_ts + self._profile.latency_ms * _NS_PER_MS, now)
        self._drop_finished_group(request.oco_group)
        self._file(desk, record)
        record.group_base = self._filled_by_others(record)
        desk.admit(record)
        return self._report(record)

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        """Cancel at once. An order that is closed already is reported as it is.

        Raises: OutcomeUnknown when the records do not have the order.
        """
        record = self._records.get(order_id)
        if record is None:
            raise OutcomeUnknown("ORDER_UNKNOWN", f"The paper venue has no order {order_id.hex}")
        if record.status is VenueStatus.OPEN:
            self._close(record, VenueStatus.CANCELED, self._clock.now_ns(), "canceled on request")
        return self._report(record)

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """Return the order; None when the complete records lack it.

        Raises: OutcomeUnknown for an order from before the oldest record that is still kept.
        """
        record = self._records.get(order_id)
        if record is not None:
            return self._report(record)
        if _created_ms(order_id) <= self._complete_since_ms:
            raise OutcomeUnknown("RECORDS_INCOMPLETE", "The paper venue no longer keeps records that old")
        return None

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        return [self._report(record) for desk in self._desks.values() for record in desk.orders.values()]

    def restore(self, orders: Sequence[Order]) -> None:
        """Put orders of an earlier process back, in the order given, before the first event.

        Closed ones may be among them: they complete the records, and what they filled counts in
        their one-cancels-other group.

        Raises: BrokenInvariant for an instrument that this venue does not have.
        """
        for order in orders:
            record = _Record(_request_of(order), 0, 0, filled=order.filled_quantity)
            record.arrived = order.type is not OrderType.MARKET
            self._file(self._desk(order.instrument_id), record)
            if order.state in TERMINAL:
                self._close(record, _STATUS_OF.get(order.state, VenueStatus.CANCELED), 0, order.reason)

    def wake_conditions(self, instrument_id: str) -> WakeConditions:
        desk = self._desk(instrument_id)
        if desk.wake is None:
            desk.wake = _wake_of(desk)
        return desk.wake

    def on_event(  # noqa: PLR0913 - the columns of a batch's row
        self,
        instrument_id: str,
        kind: EventKind,
        ts: int,
        a: float,
        b: float,
        c: float,
        d: float,
        e: float,
        book: OrderBook | None = None,
    ) -> list[OrderReport]:
        desk = self._desk(instrument_id)
        event = EventKind(kind)
        if event is EventKind.TRADE and not self._print_matters(instrument_id, ts, a):
            return []
        desk.wake = None
        row = (event, ts, a, b, c, d, e)
        reports: list[OrderReport] = []
        if row != desk.row:
            reports += self._finish(desk)
            desk.row = row
            if event in (EventKind.QUOTE, EventKind.TRADE):
                reports += self._serve_tick(desk, read_tick(event, ts, a, b, book))
            elif not desk.quoted and event is EventKind.BAR_OPEN:
                desk.start_open(ts, exact(a))
            elif not desk.quoted:
                desk.start_path(ts, PriceRange(exact(a), exact(b), exact(c)), exact(d))
        reports += self._serve_bar(desk)
        if not reports:
            desk.row = None  # served to the end: an equal row that follows is another event
        return reports

    def _print_matters(self, instrument_id: str, ts: int, price: float) -> bool:
        """Return whether a public trade can change anything: most do not, and there are many."""
        wake = self.wake_conditions(instrument_id)
        return ts >= wake.at_ts or price < wake.ask_below or price > wake.bid_above

    def _finish(self, desk: _Desk) -> list[OrderReport]:
        """Serve what is left of the last row, for an engine that did not ask to the end."""
        reports: list[OrderReport] = []
        while more := self._serve_bar(desk):
            reports += more
        return reports

    def _serve_bar(self, desk: _Desk) -> list[OrderReport]:
        """Serve each owner's next fill of the present bar."""
        changed: dict[UUID, _Record] = {}
        for owner, queue in list(desk.arriving.items()):
            known = len(changed)
            while queue and len(changed) == known:
                record = queue.popleft()
                if record.status is VenueStatus.OPEN:
                    self._arrive(desk, record, changed)
            if not queue:
                del desk.arriving[owner]
        if desk.bar is not None:
            for owner in list(desk.walking):
                self._walk_path(desk, owner, desk.bar, changed)
            if not desk.walking:
                desk.end_path()
        return [self._report(record) for record in changed.values()]

    def _arrive(self, desk: _Desk, record: _Record, changed: dict[UUID, _Record]) -> None:
        price = desk.ask
        assert price is not None  # start_open sets it
        outcome = open_outcome(self._simulated(record, 0), price, desk.instrument, self._profile)
        record.arrived = outcome.verdict is OpenVerdict.REST
        if outcome.verdict is OpenVerdict.REJECT:
            match = Match(cancel_reason="a post-only order would have traded on arrival")
            self._apply(desk, record, match, desk.ts, changed)
        elif outcome.price is not None:
            execution = Execution(outcome.price, self._fillable(record), Liquidity.TAKER)
            self._apply(desk, record, Match((execution,)), desk.ts, changed)

    def _walk_path(self, desk: _Desk, owner: Hashable, bar: PriceRange, changed: dict[UUID, _Record]) -> None:
        resting = [record for record in desk.owners.get(owner, {}).values() if record.arrived]
        simulated = [self._simulated(record, index) for index, record in enumerate(resting)]
        fill = next_bar_fill(simulated, bar, desk.instrument, self._profile)
        if fill is None:
            del desk.walking[owner]
            return
        execution = Execution(fill.price, fill.order.quantity, fill.liquidity)
        self._apply(desk, resting[fill.order.sequence], Match((execution,)), desk.ts, changed)

    def _simulated(self, record: _Record, sequence: int) -> SimulatedOrder:
        request = record.request
        return SimulatedOrder(
            sequence=sequence,
            side=request.side,
            type=request.type,
            quantity=self._fillable(record),
            price=request.price,
            stop_price=request.stop_price,
            post_only=request.post_only,
        )

    def _serve_tick(self, desk: _Desk, tick: Tick) -> list[OrderReport]:
        if not tick.is_trade:
            desk.quoted = True
            desk.bid, desk.ask = tick.bid, tick.ask
        due = [record for record in desk.orders.values() if tick.ts >= record.active_ts]
        changed: dict[UUID, _Record] = {}
        for phase, record in _in_sequence(due, tick):
            if record.status is VenueStatus.OPEN:
                match = match_tick(phase, desk.instrument, record.request, self._fillable(record), tick)
                record.arrived = record.arrived or match.arrived
                self._apply(desk, record, match, tick.ts, changed)
        return [self._report(record) for record in changed.values()]

    def _fillable(self, record: _Record) -> Decimal:
        """What may still fill: a group's orders share one quantity, or two exits would sell twice."""
        return record.left - (self._filled_by_others(record) - record.group_base)

    def _filled_by_others(self, record: _Record) -> Decimal:
        group = self._groups.get(record.request.oco_group or "", ())
        return sum((other.filled for other in group if other is not record), ZERO)

    def _apply(
        self, desk: _Desk, record: _Record, match: Match, ts: int, changed: dict[UUID, _Record]
    ) -> None:
        before, payable = record.filled, True
        for execution in match.executions:
            payable = payable and self._execute(desk.instrument, record, execution, ts)
            changed[record.request.order_id] = record
        if not payable:
            self._close(record, VenueStatus.CANCELED, ts, BUDGET_SPENT)
            if record.filled > before:
                self._cancel_group(record, ts, changed)
        elif match.executions and self._fillable(record) <= 0:
            self._end_group(record, ts, changed)
        elif match.cancel_reason:
            self._close(record, VenueStatus.CANCELED, ts, match.cancel_reason)
            changed[record.request.order_id] = record

    def _execute(self, instrument: Instrument, record: _Record, execution: Execution, ts: int) -> bool:
        """Fill what the order's budget pays of an execution; return whether that is all of it."""
        quantity = within_budget(
            execution.quantity, execution.price, execution.liquidity, record.budget_left, instrument
        )
        if quantity > ZERO:
            value = notional(quantity, execution.price)
            cost = fee(value, execution.liquidity, instrument.fees)
            record.fills.append(
                Fill(
                    order_id=record.request.order_id,
                    venue_trade_id=_trade_id(record),
                    side=record.request.side,
                    quantity=quantity,
                    price=execution.price,
                    fee_amount=cost,
                    fee_asset=instrument.quote,
                    liquidity=execution.liquidity,
                    executed_at=to_datetime(ts),
                    origin=self._origin,
                )
            )
            record.filled += quantity
            record.spent += value + cost
            record.changed_ts = ts
        return quantity == execution.quantity

    def _end_group(self, record: _Record, ts: int, changed: dict[UUID, _Record]) -> None:
        """Close an order that can fill no further, and the others of its group."""
        if record.left <= 0:
            self._close(record, VenueStatus.FILLED, ts, "")
        else:
            self._close(record, VenueStatus.CANCELED, ts, "the rest was filled by its group")
        self._cancel_group(record, ts, changed)

    def _cancel_group(self, record: _Record, ts: int, changed: dict[UUID, _Record]) -> None:
        for other in list(self._groups.get(record.request.oco_group or "", ())):
            if other.status is VenueStatus.OPEN:
                self._close(other, VenueStatus.CANCELED, ts, "another order of its group filled")
                changed[other.request.order_id] = other

    def _file(self, desk: _Desk, record: _Record) -> None:
        self._records[record.request.order_id] = record
        desk.add(record)
        group = record.request.oco_group
        if group is not None:
            self._groups.setdefault(group, []).append(record)

    def _close(self, record: _Record, status: VenueStatus, ts: int, reason: str) -> None:
        request = record.request
        record.status, record.changed_ts, record.reason = status, ts, reason
        self._desks[request.instrument_id].remove(record)
        self._closed[request.order_id] = None
        while len(self._closed) > self._history_limit:
            forgotten, _ = self._closed.popitem(last=False)
            del self._records[forgotten]
            self._complete_since_ms = max(self._complete_since_ms, _created_ms(forgotten))

    def _drop_finished_group(self, group: str | None) -> None:
        """Forget a group of which nothing is open: its name may serve again."""
        members = self._groups.get(group or "", ())
        if members and all(member.status is not VenueStatus.OPEN for member in members):
            del self._groups[group or ""]

    def _desk(self, instrument_id: str) -> _Desk:
        try:
            return self._desks[instrument_id]
        except KeyError:
            raise BrokenInvariant(f"{instrument_id} is not traded on this paper venue") from None

    @staticmethod
    def _report(record: _Record) -> OrderReport:
        return OrderReport(
            order_id=record.request.order_id,
            venue_order_id=f"paper-{record.request.client_order_id}",
            status=record.status,
            filled_quantity=record.filled,
            fills=tuple(record.fills),
            at=to_datetime(record.changed_ts),
            reason=record.reason,
        )


def _in_sequence(due: Sequence[_Record], tick: Tick) -> list[tuple[Phase, _Record]]:
    """Return the orders in the sequence of their phases; the limits nearest to the market come first.

    The phase is that before the event: an order that arrives with it does not rest in it as well.
    """
    phased = [(phase_of(record.request, arrived=record.arrived), record) for record in due]
    return sorted(
        phased,
        key=lambda item: (
            item[0],
            abs((item[1].request.price or ZERO) - tick.bid) if item[0] is Phase.RESTING else ZERO,
        ),
    )


def _wake_of(desk: _Desk) -> WakeConditions:
    """Return the nearest conditions of all orders of a desk."""
    buy_limits, sell_limits, sell_stops, buy_stops = [-_INF], [_INF], [-_INF], [_INF]
    at_ts = NO_TS
    for record in desk.orders.values():
        request, buys = record.request, record.request.side is Side.BUY
        if not record.arrived:
            at_ts = min(at_ts, record.active_ts)
        elif request.stop_price is not None:
            (buy_stops if buys else sell_stops).append(float(request.stop_price))
        elif request.price is not None:
            (buy_limits if buys else sell_limits).append(float(request.price))
    return WakeConditions(
        ask_below=max(buy_limits),
        bid_above=min(sell_limits),
        bid_below=max(sell_stops),
        ask_above=min(buy_stops),
        at_ts=at_ts,
        every_bar=bool(desk.orders) and not desk.quoted,
    )


def _trade_id(record: _Record) -> str:
    """Name a fill by its order and what had filled before it: the same after a restart, never reused."""
    return f"{record.request.client_order_id}-{record.filled.normalize():f}"


def _created_ms(order_id: UUID) -> int:
    """Return the creation time that a UUIDv7 carries, ms since 1970."""
    return order_id.int >> 80


def _request_of(order: Order) -> OrderRequest:
    return OrderRequest(
        order_id=order.id,
        instrument_id=order.instrument_id,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        stop_price=order.stop_price,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        oco_group=order.oco_group,
        sent_ts=0,
        deadline_ts=NO_TS,
        bot_id=order.bot_id,
        budget=order.budget,
    )


def _check_market(desk: _Desk, request: OrderRequest) -> None:
    """Check what depends on the market as this venue last saw it."""
    best = desk.best(request.side)
    price = request.price or best
    problem = None if price is None else refusal(request.quantity, price, desk.instrument)
    if problem is not None:
        raise VenueRejected("BELOW_MIN_NOTIONAL", problem)
    if not (request.post_only and desk.quoted) or request.price is None or best is None:
        return
    if limit_crosses(request.side, request.price, best):
        raise VenueRejected(
            "POST_ONLY_WOULD_TAKE", f"A post-only order at {request.price} would trade at {best}"
        )
