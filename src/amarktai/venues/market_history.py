"""An exchange's public candles as history for warm-ups and back-fill, by its market port."""

from __future__ import annotations

from collections.abc import Sequence

from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument
from amarktai.ports.exchange import ExchangeMarket


class MarketHistory:
    """Implements ports.history.BarHistory over an ExchangeMarket."""

    def __init__(self, market: ExchangeMarket, instruments: Sequence[Instrument]) -> None:
        self._market = market
        self._instruments = {item.id: item for item in instruments}

    async def fetch_history(self, instrument_id: str, timeframe: str, since_ts: int, limit: int) -> Bars:
        """Return closed bars from ``since_ts`` (ns) on. Raises: Unavailable, InvalidInput."""
        instrument = self._instruments.get(instrument_id)
        if instrument is None:
            raise InvalidInput("VALIDATION_ERROR", f"{instrument_id} is not listed", "Choose another pair.")
        return (await self._market.fetch_bars(instrument, timeframe, since_ts, limit)).bars
