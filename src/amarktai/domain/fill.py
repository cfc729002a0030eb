"""Fills: the venue's own record of an execution, the only source of every number we show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from amarktai.domain.instrument import Origin
from amarktai.domain.order import Side


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution as the venue reports it.

    Units: quantity base, price quote per base, fee_amount in fee_asset (positive is a cost).
    ``venue_trade_id`` is unique per venue and account: the idempotency key of its booking (L5).
    """

    order_id: UUID
    venue_trade_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee_amount: Decimal
    fee_asset: str
    liquidity: Liquidity
    executed_at: datetime
    origin: Origin

    @property
    def notional(self) -> Decimal:
        return self.quantity * self.price
