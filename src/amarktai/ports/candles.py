"""Stored bars as a port: one dataset per venue, instrument and timeframe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from amarktai.domain.bar import Bars
from amarktai.domain.instrument import Origin


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a stored dataset holds. Times ns UTC; ``gaps`` counts missing bars inside the span."""

    instrument_id: str
    timeframe: str
    origin: Origin
    bar_count: int
    first_ts: int
    last_ts: int
    gaps: int


class CandleStore(Protocol):
    def load(
        self, instrument_id: str, timeframe: str, *, since_ts: int = 0, until_ts: int | None = None
    ) -> Bars:
        """Return stored bars with since_ts <= ts_open < until_ts; empty when there are none."""

    def append(self, instrument_id: str, bars: Bars, origin: Origin) -> int:
        """Merge bars by ts_open (the newest write wins) and return how many are new.

        Raises: InvalidInput when bars are not clean (order, NaN, high below low).
        """

    def datasets(self) -> list[DatasetInfo]:
        """Return every dataset."""
