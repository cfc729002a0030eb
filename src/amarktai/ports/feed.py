"""Market data as a port: live exchange, recording or synthetic market, all alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from amarktai.domain.bar import Bars
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook


class FeedState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed's health for people: state, sentence, last receive time (ns), next try (ns)."""

    state: FeedState
    message: str
    last_received_ts: int | None = None
    retry_at_ts: int | None = None


class Feed(Protocol):
    """A stream of market events for a list of instruments.

    ``origin`` labels everything that comes from it. ``books`` holds the current order book per
    instrument index for feeds that carry depth; it changes as batches are yielded, so a feed with
    depth yields one message a batch. ``max_age_s`` is the age beyond which its data is stale.
    """

    @property
    def origin(self) -> Origin: ...

    @property
    def instruments(self) -> Sequence[Instrument]: ...

    @property
    def books(self) -> dict[int, OrderBook]: ...

    @property
    def dirty(self) -> DirtyRows: ...

    @property
    def max_age_s(self) -> float: ...

    def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield batches in time order; a recording ends, live and synthetic feeds do not."""

    def status(self) -> FeedStatus:
        """Return the present health."""

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return up to ``count`` closed bars that end at or before ``before_ts``, for warm-up."""

    async def close(self) -> None:
        """Release connections."""


class Recording(Feed, Protocol):
    """A feed that has a beginning and an end."""

    def span(self) -> tuple[int, int]:
        """Return the times (ns) of the first and the last event; first > last when there is none."""
