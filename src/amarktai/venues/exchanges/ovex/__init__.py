"""OVEX, a desk that answers requests for quotes. Its adapter comes later; only the sandbox runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.spec import FeedKind, Steps, VenueSpec, build_instruments

FEES: Final = Fees(
    maker=Decimal(0),
    taker=Decimal(0),
    source="OVEX quotes all-in prices: its fee is inside the spread (OVEX Public API)",
)

# OVEX publishes no steps. These are assumptions for the sandbox market: cents, eight places, and
# the markets are those seen historically (btczar, ethzar, usdtzar).
_STEPS: Final = (
    Steps("BTC/ZAR", "1", "0.00000001", "0.00001", "100"),
    Steps("ETH/ZAR", "1", "0.00000001", "0.0001", "100"),
    Steps("USDT/ZAR", "0.0001", "0.00000001", "1", "100"),
)

VENUE: Final = VenueSpec(
    platform=Platform.OVEX,
    separator="",
    fees=FEES,
    instruments=build_instruments(Platform.OVEX, FEES, _STEPS),
    feeds=frozenset({FeedKind.SANDBOX}),
    note="OVEX is not connected yet: it quotes on request only, and its adapter comes later.",
    requests_per_minute=300,  # 400 a minute per account
)
