"""Positions at average cost, and what a fill realises. Long only: all five venues are spot.

Cost includes entry fees, so that realised profit is net of all fees. A fee taken in the base asset
lowers the quantity and leaves the cost as it is; a fee in a third asset is valued by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import Side


@dataclass(frozen=True, slots=True)
class Position:
    """Units: quantity base; cost and entry_fees in quote, for the quantity still held."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    entry_fees: Decimal = ZERO

    @property
    def is_flat(self) -> bool:
        return self.quantity == ZERO

    @property
    def average_price(self) -> Decimal | None:
        """Average entry price with fees, quote per base; None while flat."""
        return None if self.is_flat else self.cost / self.quantity


@dataclass(frozen=True, slots=True)
class Realised:
    """What one fill realised, in quote. ``net = gross − fees``."""

    gross: Decimal
    fees: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill reduced to its amounts. fee_in_base in base units, fee_in_quote in quote units."""

    side: Side
    quantity: Decimal
    notional: Decimal
    fee_in_base: Decimal = ZERO
    fee_in_quote: Decimal = ZERO


def apply_execution(position: Position, execution: Execution) -> tuple[Position, Realised]:
    """Return the position after the fill and what it realised (zero for buys).

    Raises: BrokenInvariant when a sale is larger than the position (O11).
    """
    if execution.side is Side.BUY:
        grown = replace(
            position,
            quantity=position.quantity + execution.quantity - execution.fee_in_base,
            cost=position.cost + execution.notional + execution.fee_in_quote,
            entry_fees=position.entry_fees + execution.fee_in_quote,
        )
        return grown, Realised(ZERO, ZERO)
    sold = execution.quantity + execution.fee_in_base
    if sold > position.quantity:
        raise BrokenInvariant(f"sale of {sold} is larger than the position of {position.quantity}")
    return _reduce(position, execution, sold)


def _reduce(position: Position, execution: Execution, sold: Decimal) -> tuple[Position, Realised]:
    share = sold / position.quantity
    if sold == position.quantity:
        cost, entry_fees, left = position.cost, position.entry_fees, Position()
    else:
        cost, entry_fees = to_ledger(position.cost * share), to_ledger(position.entry_fees * share)
        left = Position(position.quantity - sold, position.cost - cost, position.entry_fees - entry_fees)
    fees = execution.fee_in_quote + entry_fees
    gross = execution.notional - (cost - entry_fees)
    return left, Realised(gross=gross, fees=fees)
