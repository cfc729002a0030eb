"""One order moving through the state machine within a transaction, as reports and verdicts say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import DOUBTFUL, TERMINAL, OrderEvent, OrderState, next_state
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.store import OrderChange, StoredOrder
from amarktai.ports.venue import OrderReport, VenueStatus

_CLOSING: Final = {
    VenueStatus.CANCELED: OrderEvent.CANCEL,
    VenueStatus.EXPIRED: OrderEvent.EXPIRE,
}


#: Of which states a conclusion speaks; an order that has moved on since does not heed it.
_SPEAKS_OF: Final = {
    OrderEvent.REJECT: {OrderState.SENDING, OrderState.UNKNOWN},
    OrderEvent.LOSE: {OrderState.SENDING, OrderState.UNKNOWN},
    OrderEvent.PROVE_ABSENT: {OrderState.UNKNOWN},
    OrderEvent.LOSE_CANCEL: {OrderState.CANCELING},
    OrderEvent.CANCEL: {OrderState.CANCEL_UNKNOWN},
    OrderEvent.RESOLVE_BY_HAND: DOUBTFUL,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we concluded of an order without a venue report."""

    order_id: UUID
    event: OrderEvent
    detail: str


class Transition:
    """One order on its way. ``events`` are the moves so far."""

    def __init__(self, stored: StoredOrder, clock: Clock) -> None:
        self.stored = stored
        self.order = stored.order
        self.filled_notional = stored.filled_notional
        self.reject_reason: str | None = None
        self.events: list[tuple[OrderEvent, OrderState, OrderState, str]] = []
        self._clock = clock

    def is_about(self, event: OrderEvent) -> bool:
        """Return whether a verdict of this kind speaks of the order as it is now."""
        return self.order.state in _SPEAKS_OF[event]

    def take(self, event: OrderEvent, detail: str) -> Transition:
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

    def as_stored(self) -> StoredOrder:
        """Return the order as the store has it once the change is written."""
        return replace(self.stored, order=self.order, filled_notional=self.filled_notional)

    def _reserved_at_start(self) -> Decimal:
        """Return the reservation for the whole quantity, from what the stored rest reserves."""
        stored = self.stored.order
        if stored.remaining_quantity == ZERO:
            return ZERO
        return stored.reserved_amount * stored.quantity / stored.remaining_quantity
