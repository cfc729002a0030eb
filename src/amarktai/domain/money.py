"""Exact money: decimals, steps and scales. No floats here.

Amounts are kept at the scale that the exchanges report, eight places for every asset (rand
included: Luno and VALR report rand balances with eight), and shown at the display scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

from amarktai.domain.errors import InvalidInput

ZAR = "ZAR"
ZERO = Decimal(0)
LEDGER_SCALE = 8
LEDGER_STEP = Decimal(1).scaleb(-LEDGER_SCALE)
STABLECOINS = frozenset({"USDT", "USDC"})
FIATS = frozenset({"ZAR", "USD", "EUR", "GBP"})


@dataclass(frozen=True, slots=True)
class Asset:
    """A currency or coin. ``scale`` is what the ledger keeps, ``display_scale`` what people read."""

    code: str
    scale: int = LEDGER_SCALE
    display_scale: int = 8


def display_scale(code: str) -> int:
    """Return the decimal places that people read for this asset: 2 for money, 8 for coins."""
    return 2 if code in FIATS or code in STABLECOINS else 8


def parse_decimal(text: str, *, name: str) -> Decimal:
    """Parse an exact finite decimal.

    Raises: InvalidInput for anything else, NaN and infinity included.
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise InvalidInput("VALIDATION_ERROR", f"{name} is not a number: {text!r}") from error
    if not value.is_finite():
        raise InvalidInput("VALIDATION_ERROR", f"{name} must be finite, got {text!r}")
    return value


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is not above ``value``."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is not below ``value``."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def to_ledger(value: Decimal) -> Decimal:
    """Round to the ledger's scale, half to even: the one declared rounding rule (L12)."""
    return value.quantize(LEDGER_STEP, ROUND_HALF_EVEN)
