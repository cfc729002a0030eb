"""Which rate a rand figure uses. In this order, and the source is stored with the rate:

1. the rand itself;
2. a direct ZAR market of the same venue (the asset's own price there);
3. the asset's ZAR market on Luno, then VALR;
4. the BTC cross: the asset in BTC terms through a venue's BTC market and BTC/ZAR;
5. the daily ECB fixing (stablecoins in US dollars taken at one dollar, and the source says so).

Market rates come from the marks that the engine sees; one older than ``max_age_s`` does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.money import ZAR
from amarktai.ledger.valuation import FxRate, rand_itself
from amarktai.ports.fx import FxSource

_ZAR_VENUES: Final = (Platform.LUNO, Platform.VALR)
_STABLE_TO_FIAT: Final = {"USDT": "USD", "USDC": "USD"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A market's last mid price, quote per base."""

    price: Decimal
    at: datetime
    origin: Origin


class FxRates:
    """The rates of one engine, fed by its marks."""

    def __init__(self, fallbacks: Sequence[FxSource], *, max_age_s: float) -> None:
        self._fallbacks = tuple(fallbacks)
        self._max_age_s = max_age_s
        self._marks: dict[tuple[Platform, str], Mark] = {}

    def mark(self, venue: Platform, symbol: str, mark: Mark) -> None:
        """Take note of a market's price."""
        self._marks[venue, symbol] = mark

    def mark_named(self, venue: str, symbol: str, mark: Mark) -> None:
        """Take note of a price that comes with the venue's plain name."""
        self.mark(Platform(venue), symbol, mark)

    def inputs(self, asset: str) -> set[str]:
        """Return the ids of the instruments whose marks a rate of ``asset`` can be made of."""
        if asset == ZAR:
            return set()
        through = {f"{venue}:BTC/{asset}" for venue in Platform}
        direct = {f"{venue}:{code}/{ZAR}" for venue in Platform for code in (asset, "BTC")}
        return through | direct

    def rate(self, asset: str, at: datetime, venue: Platform | None = None) -> FxRate | None:
        """Return rand per unit of ``asset`` at that instant, or None when no source knows it."""
        if asset == ZAR:
            return rand_itself(at, Origin.LIVE)
        return self._direct(asset, at, venue) or self._cross(asset, at, venue) or self._fixing(asset, at)

    def _direct(self, asset: str, at: datetime, venue: Platform | None) -> FxRate | None:
        venues = (venue, *_ZAR_VENUES) if venue else _ZAR_VENUES
        for candidate in venues:
            mark = self._fresh(candidate, f"{asset}/{ZAR}", at)
            if mark:
                return FxRate(asset, mark.price, f"{candidate} {asset}/{ZAR} mid", mark.at, mark.origin)
        return None

    def _cross(self, asset: str, at: datetime, venue: Platform | None) -> FxRate | None:
        if venue is None:
            return None
        through = self._fresh(venue, f"BTC/{asset}", at)
        if through is None or through.price == 0:
            return None
        for zar_venue in _ZAR_VENUES:
            bitcoin = self._fresh(zar_venue, f"BTC/{ZAR}", at)
            if bitcoin:
                source = f"BTC cross: {zar_venue} BTC/{ZAR} over {venue} BTC/{asset}"
                origin = (
                    Origin.SYNTHETIC
                    if Origin.SYNTHETIC in (bitcoin.origin, through.origin)
                    else bitcoin.origin
                )
                return FxRate(
                    asset, bitcoin.price / through.price, source, min(bitcoin.at, through.at), origin
                )
        return None

    def _fixing(self, asset: str, at: datetime) -> FxRate | None:
        fiat = _STABLE_TO_FIAT.get(asset, asset)
        for source in self._fallbacks:
            found = source.rate(fiat, at)
            if found is None:
                continue
            note = f" ({asset} taken at 1 {fiat})" if fiat != asset else ""
            return FxRate(asset, found.rate, found.source + note, found.at, found.origin)
        return None

    def _fresh(self, venue: Platform, symbol: str, at: datetime) -> Mark | None:
        mark = self._marks.get((venue, symbol))
        if mark is None or abs((at - mark.at).total_seconds()) > self._max_age_s:
            return None
        return mark
