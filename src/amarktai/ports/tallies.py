"""Counts over a user's whole database as a port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tally:
    """What the database holds after a replay. Money in ZAR; None where a rate or price is missing."""

    orders: Mapping[str, int]
    fills: int
    round_trips: int
    realized_zar: Decimal
    unvalued_fills: int
    fees_zar: Decimal
    imbalance: Mapping[str, Decimal]
    head_hash: str


class TallyReader(Protocol):
    async def tally(self, user_id: UUID) -> Tally: ...
