"""The paper venue: fills orders on market data by the one fill model (domain/fill_model.py).

Bars. A market order fills at the next bar's open with slippage. A limit order that crosses the first
price it meets is a taker, otherwise it rests. At a bar's close its path is taken pessimistically:
stops first, then the limits that were traded through. There is no latency on bars: an order decided
on a close meets the next open.

Quotes. An order reaches the market ``latency_ms`` after it was sent and meets the first quote from
then on. Takers pay the ask and get the bid, for the whole quantity (quotes often carry no size). A
resting limit fills when the other side's best price is strictly beyond it, a stop when the price that
it would get reaches it. Once an instrument has had a quote, its bars no longer fill orders.

Books. Takers walk the visible levels; what is left of a market or stop order when the levels are
exhausted is canceled, what is left of a limit order rests. A public trade strictly beyond a resting
limit fills it up to the printed quantity, visible levels strictly beyond it up to their quantity.

Fees are the instrument's maker and taker ratios of the notional, always in the quote asset, for
sales and for purchases. Cancels act at once. Whether the account owns what it sells is not checked
here: the order path reserves before it sends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.fill_model import HONEST, ExecutionProfile, limit_crosses
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import NO_TS, EventKind, OrderBook
from amarktai.domain.money import ZERO, to_ledger
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
from amarktai.venues.matching import (
    Match,
    Phase,
    Row,
    match_arrival,
    match_market,
    match_resting,
    match_stop,
    phase_of,
    read_row,
)

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
    group_base: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""

    @property
    def left(self) -> Decimal:
        return self.request.quantity - self.filled


@dataclass(slots=True)
class _Desk:
    """One instrument's working orders in the order of acceptance, and its last known prices."""

    instrument: Instrument
    orders: dict[UUID, _Record] = field(default_factory=dict)
    quoted: bool = False
    bid: Decimal | None = None
    ask: Decimal | None = None

    def best(self, side: Side) -> Decimal | None:
        return self.ask if side is Side.BUY else self.bid

    def note(self, row: Row) -> None:
        """Remember the newest prices."""
        if row.kind is EventKind.QUOTE:
            self.quoted = True
            self.bid, self.ask = row.bid, row.ask
        elif row.is_bar:
            self.bid = self.ask = row.last


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
        _check_steps(desk.instrument, request)
        _check_market(desk, request)
        record = _Record(request, request.sent_ts + self._profile.latency_ms * _NS_PER_MS, now)
        self._file(desk, record)
        record.group_base = self._filled_by_others(record)
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
        row = read_row(kind, ts, (a, b, c, d, e), book)
        if row.is_bar and desk.quoted:
            return []
        desk.note(row)
        due = [record for record in desk.orders.values() if row.is_bar or ts >= record.active_ts]
        changed: dict[UUID, _Record] = {}
        for phase in Phase:
            for record in _served_in(phase, due, row):
                match = self._match(phase, desk.instrument, record, row)
                record.arrived = record.arrived or match.arrived
                self._apply(desk.instrument, record, match, row, changed)
        return [self._report(record) for record in changed.values()]

    def _match(self, phase: Phase, instrument: Instrument, record: _Record, row: Row) -> Match:
        left, slip = self._fillable(record), self._profile.slippage_ratio
        if phase is Phase.MARKET:
            return match_market(instrument, record.request, left, row, slip)
        if phase is Phase.ARRIVAL:
            return match_arrival(instrument, record.request, left, row, slip)
        if phase is Phase.STOP:
            return match_stop(instrument, record.request, left, row, slip)
        return match_resting(instrument, record.request, left, row)

    def _fillable(self, record: _Record) -> Decimal:
        """What may still fill: a group's orders share one quantity, or two exits would sell twice."""
        return record.left - (self._filled_by_others(record) - record.group_base)

    def _filled_by_others(self, record: _Record) -> Decimal:
        group = self._groups.get(record.request.oco_group or "", ())
        return sum((other.filled for other in group if other is not record), ZERO)

    def _apply(
        self, instrument: Instrument, record: _Record, match: Match, row: Row, changed: dict[UUID, _Record]
    ) -> None:
        for execution in match.executions:
            notional = execution.price * execution.quantity
            fees = instrument.fees
            ratio = fees.maker if execution.liquidity is Liquidity.MAKER else fees.taker
            record.fills.append(
                Fill(
                    order_id=record.request.order_id,
                    venue_trade_id=_trade_id(record),
                    side=record.request.side,
                    quantity=execution.quantity,
                    price=execution.price,
                    fee_amount=to_ledger(notional * ratio),
                    fee_asset=instrument.quote,
                    liquidity=execution.liquidity,
                    executed_at=to_datetime(row.ts),
                    origin=self._origin,
                )
            )
            record.filled += execution.quantity
            record.changed_ts = row.ts
            changed[record.request.order_id] = record
        if match.executions and self._fillable(record) <= 0:
            self._end_group(record, row.ts, changed)
        elif match.cancel_reason:
            self._close(record, VenueStatus.CANCELED, row.ts, match.cancel_reason)
            changed[record.request.order_id] = record

    def _end_group(self, record: _Record, ts: int, changed: dict[UUID, _Record]) -> None:
        """Close an order that can fill no further, and the others of its group."""
        if record.left <= 0:
            self._close(record, VenueStatus.FILLED, ts, "")
        else:
            self._close(record, VenueStatus.CANCELED, ts, "the rest was filled by its group")
        for other in list(self._groups.get(record.request.oco_group or "", ())):
            if other.status is VenueStatus.OPEN:
                self._close(other, VenueStatus.CANCELED, ts, "another order of its group filled")
                changed[other.request.order_id] = other

    def _file(self, desk: _Desk, record: _Record) -> None:
        self._records[record.request.order_id] = desk.orders[record.request.order_id] = record
        if record.request.oco_group is not None:
            self._groups.setdefault(record.request.oco_group, []).append(record)

    def _close(self, record: _Record, status: VenueStatus, ts: int, reason: str) -> None:
        request = record.request
        record.status, record.changed_ts, record.reason = status, ts, reason
        del self._desks[request.instrument_id].orders[request.order_id]
        self._closed[request.order_id] = None
        while len(self._closed) > self._history_limit:
            forgotten, _ = self._closed.popitem(last=False)
            self._forget(self._records.pop(forgotten))

    def _forget(self, record: _Record) -> None:
        self._complete_since_ms = max(self._complete_since_ms, _created_ms(record.request.order_id))
        group = self._groups.get(record.request.oco_group or "")
        if group is not None and all(other.status is not VenueStatus.OPEN for other in group):
            del self._groups[record.request.oco_group or ""]

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


def _served_in(phase: Phase, due: Sequence[_Record], row: Row) -> list[_Record]:
    """Return the open orders of a phase; the limits nearest to the row's first price come first."""
    served = [
        record
        for record in due
        if record.status is VenueStatus.OPEN and phase_of(record.request, arrived=record.arrived) is phase
    ]
    if phase is Phase.RESTING:
        served.sort(key=lambda record: abs((record.request.price or ZERO) - row.first))
    return served


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
    )


def _check_steps(instrument: Instrument, request: OrderRequest) -> None:
    needed = {
        OrderType.MARKET: (),
        OrderType.LIMIT: (("price", request.price),),
        OrderType.STOP_MARKET: (("stop price", request.stop_price),),
    }[request.type]
    for name, price in needed:
        if price is None or price <= 0:
            raise VenueRejected("PRICE_MISSING", f"A {request.type} order needs a {name} above zero")
        if price % instrument.tick_size:
            raise VenueRejected(
                "PRICE_OFF_TICK", f"The {name} {price} is no multiple of the tick {instrument.tick_size}"
            )
    if request.quantity % instrument.lot_size:
        raise VenueRejected(
            "QUANTITY_OFF_LOT", f"{request.quantity} is no multiple of the lot {instrument.lot_size}"
        )
    if request.quantity <= 0 or request.quantity < instrument.min_quantity:
        raise VenueRejected(
            "BELOW_MIN_QUANTITY", f"{request.quantity} is below the minimum of {instrument.min_quantity}"
        )


def _check_market(desk: _Desk, request: OrderRequest) -> None:
    """Check what depends on the market as this venue last saw it."""
    best = desk.best(request.side)
    price = request.price or request.stop_price or best
    minimum = desk.instrument.min_notional
    if price is not None and price * request.quantity < minimum:
        raise VenueRejected(
            "BELOW_MIN_NOTIONAL", f"{request.quantity} at {price} is worth less than the minimum of {minimum}"
        )
    if not request.post_only or request.price is None or best is None:
        return
    if limit_crosses(request.side, request.price, best):
        raise VenueRejected(
            "POST_ONLY_WOULD_TAKE", f"A post-only order at {request.price} would trade at {best}"
        )
