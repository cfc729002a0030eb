"""An account whose routes ccxt names and signs: Luno, Binance, KuCoin."""

from __future__ import annotations

from amarktai.venues.account import AccountParts, VenueAccount
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner
from amarktai.venues.spec import VenueSpec


class CcxtAccount(VenueAccount):
    """Reads and writes through ``calls``; ``signer`` keeps the exchange's clock offset."""

    def __init__(self, spec: VenueSpec, calls: CcxtCalls, signer: CcxtSigner, parts: AccountParts) -> None:
        super().__init__(spec, parts)
        self._calls = calls
        self._signer = signer

    def set_clock_offset(self, offset_ns: int) -> None:
        """Date calls by the exchange's clock: its time minus ours, as the public side measures it."""
        self._signer.offset_ns = offset_ns

    async def close(self) -> None:
        await self._calls.close()

    def _now_ms(self) -> int:
        """Return the exchange's time."""
        return (self._clock.now_ns() + self._signer.offset_ns) // NS_PER_MS
