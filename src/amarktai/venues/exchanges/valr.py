"""VALR. Its adapter comes later; until then only the sandbox market runs for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.spec import FeedKind, Steps, VenueSpec, build_instruments

FEES: Final = Fees(
    maker=Decimal("0.0018"),
    taker=Decimal("0.0035"),
    source="Fiat-quote spot, tier 1, from a third-party page (idatco.co); confirm with account/fees/trade",
)

# Source of tick and minimum: a dump of /v1/public/pairs of 2026-03-19. Quantities have eight places
# (baseDecimalPlaces of the documented example), the minimum notional of 10 ZAR is ETHZAR's.
_STEPS: Final = (
    Steps("BTC/ZAR", "1", "0.00000001", "0.000008", "10"),
    Steps("ETH/ZAR", "1", "0.00000001", "0.0002", "10"),
    Steps("XRP/ZAR", "0.01", "0.00000001", "0.8", "10"),
    Steps("SOL/ZAR", "1", "0.00000001", "0.003", "10"),
    Steps("USDC/ZAR", "0.0001", "0.00000001", "0.5", "10"),
    Steps("USDT/ZAR", "0.0001", "0.00000001", "0.5", "10"),
    Steps("BNB/ZAR", "1", "0.00000001", "0.0008", "10"),
    Steps("AVAX/ZAR", "0.1", "0.00000001", "0.0128", "10"),
    Steps("DOGE/ZAR", "0.0001", "0.00000001", "1.5", "10"),
    Steps("LTC/ZAR", "0.1", "0.00000001", "0.005", "10"),
    Steps("LINK/ZAR", "0.01", "0.00000001", "0.04", "10"),
)

VENUE: Final = VenueSpec(
    platform=Platform.VALR,
    separator="",
    fees=FEES,
    instruments=build_instruments(Platform.VALR, FEES, _STEPS),
    feeds=frozenset({FeedKind.SANDBOX}),
    note="VALR is not connected yet: its adapter comes later, so there is no market data from it.",
    requests_per_minute=24,  # public routes: 30 a minute
)
