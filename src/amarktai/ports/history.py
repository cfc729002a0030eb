"""Past bars as ports: an exchange's public history, and files that people have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from amarktai.domain.bar import Bars


class BarHistory(Protocol):
    """An exchange's public candles, asked within the shared rate budget."""

    async def fetch_history(self, instrument_id: str, timeframe: str, since_ts: int, limit: int) -> Bars:
        """Return the first closed bars with ts_open >= since_ts (ns), oldest first, at most ``limit``.

        Empty when there are none. A venue may answer with fewer than it has.

        Raises: Unavailable, InvalidInput for what the venue does not have.
        """


class BarReader(Protocol):
    """Reads bars from a file."""

    def __call__(self, path: Path, timeframe: str, columns: Mapping[str, str] | None = None) -> Bars:
        """Raises: InvalidInput naming file, row and what to do."""
