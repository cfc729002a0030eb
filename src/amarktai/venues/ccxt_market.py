"""A public side whose routes ccxt names: Luno, Binance, KuCoin."""

from __future__ import annotations

from amarktai.ports.clock import Clock
from amarktai.venues.ccxt_calls import CcxtCalls
from amarktai.venues.market import VenueMarket
from amarktai.venues.spec import VenueSpec


class CcxtMarket(VenueMarket):
    """A public side whose routes ccxt names."""

    def __init__(self, spec: VenueSpec, calls: CcxtCalls, clock: Clock) -> None:
        super().__init__(spec, clock)
        self._calls = calls

    async def close(self) -> None:
        await self._calls.close()
