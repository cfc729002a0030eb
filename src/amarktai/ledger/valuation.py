"""Value in rand: a dated rate with its source, or no value and a reason. Never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZAR, to_ledger

_RATE_STEP: Final = Decimal(1).scaleb(-18)


@dataclass(frozen=True, slots=True)
class FxRate:
    """Rand per unit of ``asset``, where it is from and when it was made.

    The rate has the places that the store keeps: an audit values with the stored rate, to the last digit.
    """

    asset: str
    rate: Decimal
    source: str
    at: datetime
    origin: Origin

    def __post_init__(self) -> None:
        if self.rate != (kept := self.rate.quantize(_RATE_STEP, ROUND_HALF_EVEN)):
            object.__setattr__(self, "rate", kept)

    def to_zar(self, amount: Decimal) -> Decimal:
        """Return the amount in rand at the ledger's scale."""
        return to_ledger(amount * self.rate)


def rand_itself(at: datetime, origin: Origin) -> FxRate:
    """Return the rate of the rand in rand."""
    return FxRate(ZAR, Decimal(1), "home currency", at, origin)


def no_rate_reason(asset: str, at: datetime) -> str:
    """Return the sentence that stands where a rand figure cannot be given."""
    return f"no ZAR rate for {asset} at {at:%Y-%m-%d %H:%M} UTC"
