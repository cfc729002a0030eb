"""A paper venue behind a bad line: lost replies, doubled, delayed, reordered and split fills. Seeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Platform
from amarktai.domain.market import EventKind, OrderBook
from amarktai.domain.money import ZERO, floor_to_step
from amarktai.domain.order import Order
from amarktai.ports.rng import Rng
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    SimulatedVenue,
    VenueStatus,
    WakeConditions,
)


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault happens, as a share of its occasions (0 to 1).

    ``lost_requests`` never reach the venue, ``lost_replies`` reach it and are accepted.
    ``ignored_cancels`` are answered with the order as it is: still open. ``delayed``
    reports wait for a later event, ``split_lot`` cuts each fill in two at a multiple of that lot.
    """

    lost_requests: float = 0.0
    lost_replies: float = 0.0
    lost_cancels: float = 0.0
    ignored_cancels: float = 0.0
    lost_cancel_replies: float = 0.0
    lost_queries: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    reordered: float = 0.0
    split_lot: Decimal | None = None


NO_FAULTS = Faults()


class FaultyVenue:
    """Wraps a simulated venue. ``faults`` can be exchanged at any time.

    ``received`` counts the creates that reached the venue per order: the send-once proof (O2). The fees
    of the bot ``ruined`` are more than anybody has.
    """

    def __init__(self, inner: SimulatedVenue, rng: Rng, faults: Faults = NO_FAULTS) -> None:
        self.inner = inner
        self.faults = faults
        self.platform: Platform = inner.platform
        self.account = inner.account
        self.received: dict[UUID, int] = {}
        self.ruined: UUID | None = None
        self._ruined_orders: set[UUID] = set()
        self._rng = rng
        self._held: list[OrderReport] = []

    def _happens(self, share: float) -> bool:
        return share > 0 and self._rng.uniform() < share

    async def create_order(self, request: OrderRequest) -> OrderReport:
        if self._happens(self.faults.lost_requests):
            raise OutcomeUnknown("TIMEOUT", "The create was lost on its way")
        if self.ruined is not None and request.bot_id == self.ruined:
            self._ruined_orders.add(request.order_id)
        self.received[request.order_id] = self.received.get(request.order_id, 0) + 1
        report = await self.inner.create_order(request)
        if self._happens(self.faults.lost_replies):
            raise OutcomeUnknown("TIMEOUT", "The reply to the create was lost")
        return self._cut(report)

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        if self._happens(self.faults.lost_cancels):
            raise OutcomeUnknown("TIMEOUT", "The cancel was lost on its way")
        if self._happens(self.faults.ignored_cancels):
            present = await self.inner.fetch_order(order_id, instrument_id)
            assert present is not None
            return self._cut(present)
        report = await self.inner.cancel_order(order_id, instrument_id)
        if self._happens(self.faults.lost_cancel_replies):
            raise OutcomeUnknown("TIMEOUT", "The reply to the cancel was lost")
        return self._cut(report)

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        if self._happens(self.faults.lost_queries):
            raise OutcomeUnknown("TIMEOUT", "The venue did not answer")
        report = await self.inner.fetch_order(order_id, instrument_id)
        return None if report is None else self._cut(report)

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        if self._happens(self.faults.lost_queries):
            raise OutcomeUnknown("TIMEOUT", "The venue did not answer")
        return [self._cut(report) for report in await self.inner.fetch_open_orders()]

    def restore(self, orders: Sequence[Order]) -> None:
        self.inner.restore(orders)

    def wake_conditions(self, instrument_id: str) -> WakeConditions:
        """Wake at once while reports are held back, so that they do come."""
        conditions = self.inner.wake_conditions(instrument_id)
        return replace(conditions, at_ts=0, every_bar=True) if self._held else conditions

    def on_event(
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
        late, self._held = self._held, []
        reports = self.inner.on_event(instrument_id, kind, ts, a, b, c, d, e, book)
        told = late + self._spoil(reports)
        while reports and not told:  # everything of this fill is held back: the row still goes on
            reports = self.inner.on_event(instrument_id, kind, ts, a, b, c, d, e, book)
            told = self._spoil(reports)
        return told

    def _spoil(self, reports: Sequence[OrderReport]) -> list[OrderReport]:
        out: list[OrderReport] = []
        for report in reports:
            for told in self._in_parts(report):
                if self._happens(self.faults.delayed):
                    self._held.append(told)
                    continue
                out.append(told)
                if self._happens(self.faults.doubled):
                    out.append(told)
        if self._happens(self.faults.reordered):
            out.reverse()
        return out

    def _in_parts(self, report: OrderReport) -> list[OrderReport]:
        """Tell a report with cut fills as several: each knows one fill more than the one before."""
        whole = self._cut(report)
        if self.faults.split_lot is None:
            return [whole]
        parts = []
        for count in range(1, len(whole.fills)):
            known = whole.fills[:count]
            filled = whole.filled_quantity - sum((fill.quantity for fill in whole.fills[count:]), ZERO)
            parts.append(
                replace(whole, status=VenueStatus.OPEN, fills=known, filled_quantity=filled, reason="")
            )
        return [*parts, whole]

    def _cut(self, report: OrderReport) -> OrderReport:
        if report.order_id in self._ruined_orders:
            dear = tuple(replace(fill, fee_amount=Decimal(10**9)) for fill in report.fills)
            report = replace(report, fills=dear)
        lot = self.faults.split_lot
        if lot is None:
            return report
        return replace(report, fills=tuple(part for fill in report.fills for part in _halves(fill, lot)))


def _halves(fill: Fill, lot: Decimal) -> tuple[Fill, ...]:
    first = floor_to_step(fill.quantity / 2, lot)
    if first <= 0:
        return (fill,)
    fee = (fill.fee_amount * first / fill.quantity).quantize(Decimal("1e-8"))
    return (
        replace(fill, venue_trade_id=f"{fill.venue_trade_id}a", quantity=first, fee_amount=fee),
        replace(
            fill,
            venue_trade_id=f"{fill.venue_trade_id}b",
            quantity=fill.quantity - first,
            fee_amount=fill.fee_amount - fee,
        ),
    )
