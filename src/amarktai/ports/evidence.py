"""What the database says of one user's live trading, for those who judge the engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderEvent, OrderState


@dataclass(frozen=True, slots=True)
class StoredState:
    """An order as the database has it."""

    state: OrderState
    platform: Platform
    quantity: Decimal
    filled: Decimal


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill as the books have it. Units: quantity base, price quote per base, fee in its asset."""

    order_id: UUID
    quantity: Decimal
    price: Decimal
    fee: Decimal


class Evidence(Protocol):
    """What the database says, asked beside the engine."""

    def state_of(self, order_id: UUID) -> OrderState | None:
        """Return what is committed of an order at this moment; nobody's turn is waited for."""

    async def orders(self) -> dict[UUID, StoredState]: ...

    async def fills(self) -> dict[tuple[str, str], StoredFill]:
        """Return every booked fill by exchange and trade id. Raises: ValueError when one is there twice."""

    async def moves(self) -> Counter[tuple[OrderState, OrderEvent]]:
        """Return how often each move of the state machine was made."""

    async def states_been(self) -> dict[UUID, set[OrderState]]:
        """Return every state that each order has ever been in."""

    async def holdings(self) -> dict[tuple[Platform, str], Decimal]:
        """Return what each account holds by the ledger: its bots' shares and what lies beside them."""

    async def digest(self) -> str:
        """Return one hash over every order's moves, every fill and every entry, in order."""
