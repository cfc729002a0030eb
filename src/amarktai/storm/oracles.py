"""What must hold whatever happens, told by witnesses: the exchanges' own records and the database's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import NEXT, TERMINAL, OrderEvent, OrderState
from amarktai.ports.evidence import Evidence, StoredFill, StoredState
from amarktai.ports.venue import VenueStatus
from amarktai.storm.exchange import ModelExchange

#: The moves of the state machine that no storm over real accounts can make, and why.
UNREACHABLE: Final[Mapping[tuple[OrderState, OrderEvent], str]] = {
    (OrderState.PLANNED, OrderEvent.ABANDON): "an intent is claimed in the transaction that writes it",
    **{
        (state, event): "the models' trades can all be booked"
        for state, event in NEXT
        if event is OrderEvent.REFUSE_FILL
    },
    **{
        (state, OrderEvent.ACCEPT): "news that it rests says nothing new of it"
        for state in (OrderState.OPEN, OrderState.PARTIAL, OrderState.CANCELING)
    },
}


#: How an order ends that the exchange does not fill.
_NEVER_FILLED: Final = {
    OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.NOT_PLACED
}  # fmt: skip


@dataclass(slots=True)
class Oracles:
    """Collects what was broken, each with the invariant's name. None may be."""

    evidence: Evidence
    exchanges: Mapping[Platform, ModelExchange]
    broken: list[str] = field(default_factory=list)
    departed: Counter[UUID] = field(default_factory=Counter)

    def blame(self, invariant: str, what: str) -> None:
        self.broken.append(f"{invariant}: {what}")

    def departs(self, order_id: UUID) -> None:
        """Check that a create that is leaving was written before, and leaves for the first time."""
        state = self.evidence.state_of(order_id)
        if state is None:
            self.blame("O1", f"{order_id} leaves and is not written")
        elif state in TERMINAL or state is OrderState.PLANNED:
            self.blame("O1", f"{order_id} leaves as {state}")
        self.departed[order_id] += 1
        if self.departed[order_id] > 1:
            self.blame("O2", f"{order_id} leaves for the {self.departed[order_id]}. time")

    async def judge(self) -> None:
        """Hold books and exchanges against each other, once nothing is under way any more."""
        orders = await self.evidence.orders()
        for order_id, order in orders.items():
            if order.state not in TERMINAL:
                self.blame("liveness", f"{order_id} is still {order.state}")
            if order.filled > order.quantity:
                self.blame("O6", f"{order_id} is filled by {order.filled} of {order.quantity}")
        been = await self.evidence.states_been()
        for exchange in self.exchanges.values():
            self._judge_orders(exchange, orders)
            self._judge_ways(exchange, been)
        await self._judge_fills()
        await self._judge_holdings()

    def _judge_orders(self, exchange: ModelExchange, orders: Mapping[UUID, StoredState]) -> None:
        for order_id, times in exchange.arrived.items():
            if times > 1:
                self.blame("O2", f"{exchange.platform} was asked {times} times to create {order_id}")
        for order_id, name in exchange.ours.items():
            stored, record = orders.get(order_id), exchange.orders[name]
            if stored is None:
                self.blame("O1", f"{exchange.platform} has {name}, which is not written")
            elif stored.filled != record.filled_quantity:
                self.blame("O7", f"{name}: {stored.filled} booked of {record.filled_quantity} filled")
            elif stored.state is OrderState.NOT_PLACED:
                self.blame("O4", f"{name} is there and was taken for never placed")
            elif record.status is VenueStatus.OPEN and stored.state in TERMINAL:
                self.blame("O4", f"{name} still rests and was taken for {stored.state}")

    def _judge_ways(self, exchange: ModelExchange, been: Mapping[UUID, set[OrderState]]) -> None:
        """Check that what the exchange filled was never taken for ended in another way meanwhile."""
        for order_id, name in exchange.ours.items():
            wrong = been.get(order_id, set()) & _NEVER_FILLED
            if exchange.orders[name].status is VenueStatus.FILLED and wrong:
                self.blame("O7", f"{name} was filled, and taken for {', '.join(sorted(wrong))} before")

    async def _judge_fills(self) -> None:
        try:
            booked = await self.evidence.fills()
        except ValueError as twice:
            self.blame("O5", f"booked twice: {twice}")
            return
        told = {
            (exchange.platform.value, fill.venue_trade_id): (order_id, fill)
            for exchange in self.exchanges.values()
            for order_id, name in exchange.ours.items()
            for fill in exchange.fills
            if fill.venue_order_id == name
        }
        for key in told.keys() - booked.keys():
            self.blame("O5", f"{key} was never booked")
        for key in booked.keys() - told.keys():
            self.blame("O5", f"{key} was booked and never happened")
        for key in told.keys() & booked.keys():
            order_id, fill = told[key]
            expected = StoredFill(order_id, fill.quantity, fill.price, fill.fee_amount)
            if booked[key] != expected:
                self.blame("O5", f"{key} is booked as {booked[key]}, and was {expected}")

    async def _judge_holdings(self) -> None:
        ledger = await self.evidence.holdings()
        for exchange in self.exchanges.values():
            assets = {asset for platform, asset in ledger if platform is exchange.platform}
            for asset in sorted(assets | exchange.money.keys()):
                theirs, ours = exchange.money.get(asset, ZERO), ledger.get((exchange.platform, asset), ZERO)
                if theirs != ours:
                    self.blame("O18", f"{exchange.platform} has {theirs} {asset}, the ledger {ours}")


def unreached(moves: Counter[tuple[OrderState, OrderEvent]]) -> list[tuple[OrderState, OrderEvent]]:
    """Return the moves of the state machine that were never made, without the unreachable ones."""
    return sorted(NEXT.keys() - moves.keys() - UNREACHABLE.keys())
