"""What every process knows of the market without talking to it: instruments, marks, feed health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.ports.feed import FeedState


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    instrument: Instrument
    origin: Origin


@dataclass(frozen=True, slots=True)
class MarkRow:
    """The last mid price of an instrument, quote per base."""

    instrument_id: str
    price: Decimal
    at: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A platform's feed as the engine last reported it."""

    platform: Platform
    origin: Origin
    state: FeedState
    message: str
    last_received_at: datetime | None
    retry_at: datetime | None
    instrument_count: int


class Catalog(Protocol):
    async def instruments(self, platform: Platform | None = None) -> list[ListedInstrument]: ...

    async def put_instruments(self, instruments: Sequence[Instrument], origin: Origin, at: datetime) -> None:
        """List these instruments, and these only, as what can be traded now."""

    async def marks(self) -> dict[str, MarkRow]: ...

    async def put_marks(self, marks: Sequence[MarkRow]) -> None: ...

    async def feeds(self) -> list[FeedRow]: ...

    async def put_feed(self, feed: FeedRow, at: datetime) -> None: ...
