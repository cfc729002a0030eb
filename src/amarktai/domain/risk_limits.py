"""Limits of loss, exposure and pace, in ZAR and over all exchanges, outside any strategy.

A limit binds everybody together, one user, or one bot; the narrowest is not above the others: each that
applies must hold. What reduces risk is never limited.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from amarktai.domain.errors import InvalidInput


class LimitKind(StrEnum):
    """What is limited. Amounts are ZAR, per cent, or counts, as the name says."""

    DAILY_LOSS = "daily_loss_zar"
    DRAWDOWN = "drawdown_pct"
    EXPOSURE = "exposure_zar"
    ASSET_EXPOSURE = "asset_exposure_zar"
    STABLECOIN_EXPOSURE = "stablecoin_exposure_zar"
    EXCHANGE_EXPOSURE = "exchange_exposure_zar"
    ORDER_VALUE = "order_value_zar"
    ORDERS_PER_MINUTE = "orders_per_minute"
    ORDERS_PER_DAY = "orders_per_day"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    ALLOWED_PAIRS = "allowed_pairs"


#: Without these of everybody together no real money trades.
NEEDED_FOR_LIVE: Final = (LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN, LimitKind.EXPOSURE)
_COUNTS: Final = frozenset(
    {LimitKind.ORDERS_PER_MINUTE, LimitKind.ORDERS_PER_DAY, LimitKind.CONSECUTIVE_LOSSES}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a limit binds: everybody together, one user, or one of their bots."""

    user_id: UUID | None = None
    bot_id: UUID | None = None


EVERYBODY: Final = Scope()


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: an ``amount``, or for the pairs that may be traded their ``names``."""

    kind: LimitKind
    scope: Scope
    amount: Decimal | None = None
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.kind is LimitKind.ALLOWED_PAIRS) != (self.names is not None) or (
            (self.amount is None) == (self.names is None)
        ):
            raise _invalid(self.kind, "needs an amount" if self.names is None else "has no names")
        if self.amount is not None and not self.amount > 0:
            raise _invalid(self.kind, "must be above zero")
        if self.kind in _COUNTS and self.amount is not None and self.amount != int(self.amount):
            raise _invalid(self.kind, "must be a whole number")
        if self.kind is LimitKind.DRAWDOWN and self.amount is not None and self.amount > 100:
            raise _invalid(self.kind, "is at most 100 per cent")


def _invalid(kind: LimitKind, why: str) -> InvalidInput:
    return InvalidInput("LIMIT_INVALID", f"The limit {kind} {why}", "Correct the limit.")
