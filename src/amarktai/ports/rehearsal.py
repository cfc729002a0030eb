"""The stage of a rehearsal as a port: an exchange's twin, as far as the rehearsal moves and asks it."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.ports.clock import SettableClock

T = TypeVar("T")


class Stage(Protocol):
    """One exchange's twin with one account."""

    @property
    def platform(self) -> Platform: ...

    def move(self) -> None:
        """Let the twin's market take a turn."""

    def strike(self, kind: str, operation: str) -> None:
        """Let the next call of that operation go wrong. Raises: InvalidInput for what it does not know."""

    def clear(self) -> None:
        """Forget every fault that has not struck."""

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Let the account's owner pay money in."""

    def trade(self, instrument: Instrument, side: Side, quantity: Decimal) -> Decimal:
        """Let the owner trade by hand at the market; return the quantity that filled.

        Raises: InvalidInput when it is refused.
        """

    def restart(self, seconds: float, *, cancel_all: bool) -> None:
        """Break every connection and answer nothing for so long; perhaps no order survives it."""

    def grant_withdrawals(self, *, is_granted: bool) -> None:
        """Give the account's key the right to withdraw, or take it away."""

    def totals(self) -> Mapping[str, Decimal]:
        """Return what the account holds by our asset codes: what the ledger must agree with."""


class DrivenClock(SettableClock, Protocol):
    """Time that stands still while work is done."""

    async def drive(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` leads to, moving time on where it waits for time alone."""
