"""Dated exchange rates to the rand as a port."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from amarktai.ledger.valuation import FxRate


class FxSource(Protocol):
    """One source of rates, for example the central bank's daily fixings."""

    def rate(self, asset: str, at: datetime) -> FxRate | None:
        """Return rand per unit of the asset, valid at that instant; None when it cannot be known."""
