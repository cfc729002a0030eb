"""Trading venues as a port: the paper venue and the exchanges' adapters look the same.

No method retries. A create either returns a report, raises ``VenueRejected`` (definitive) or
raises ``OutcomeUnknown``; everything that is not certain is the latter (O4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from amarktai.domain.errors import AmarktaiError
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderType, Side


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What leaves for the venue, once. ``deadline_ts`` (ns): not after this, whatever happened (f)."""

    order_id: UUID
    instrument_id: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    post_only: bool
    reduce_only: bool
    oco_group: str | None
    sent_ts: int
    deadline_ts: int

    @property
    def client_order_id(self) -> str:
        return self.order_id.hex


class VenueStatus(StrEnum):
    """An order's status as the venue tells it."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderReport:
    """A venue's record of one order with the fills it knows. ``filled_quantity`` is cumulative."""

    order_id: UUID
    venue_order_id: str
    status: VenueStatus
    filled_quantity: Decimal
    fills: tuple[Fill, ...]
    at: datetime
    reason: str = ""


class VenueRejected(AmarktaiError):
    """The venue refused the order, definitively (a code on the allow-list)."""


class OutcomeUnknown(AmarktaiError):
    """Nobody knows whether the order exists. Reconciliation owns it now; never re-send."""


class TradingVenue(Protocol):
    """One account on one venue."""

    platform: Platform
    account: str

    async def create_order(self, request: OrderRequest) -> OrderReport:
        """Send a create exactly once.

        Raises: VenueRejected, OutcomeUnknown.
        """

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        """Ask for a cancel and return the order as the venue then has it.

        Raises: OutcomeUnknown. "Unknown order" is not proof of a cancel (O13).
        """

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """Return the order by client id; None only when the venue's complete records lack it.

        Raises: OutcomeUnknown when the venue cannot be asked.
        """

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        """Return every open order of the account, all pages."""
