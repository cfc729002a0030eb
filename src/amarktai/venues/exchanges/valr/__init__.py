"""VALR. Rand markets with an order book; no class in ccxt, so the adapter speaks to it itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.exchanges.valr.capabilities import CAPABILITIES, FACTS, UNVERIFIED
from amarktai.venues.spec import TIMEFRAMES_ALL, FeedKind, Steps, VenueSpec, build_instruments

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


def parse_market(record: Mapping[str, Any]) -> Steps | None:
    """Read one pair of /v1/public/pairs."""
    if not record["active"] or record["currencyPairType"] != "SPOT":
        return None
    return Steps(
        symbol=f"{record['baseCurrency']}/{record['quoteCurrency']}",
        tick=str(record["tickSize"]),
        lot=str(Decimal(1).scaleb(-int(record["baseDecimalPlaces"]))),
        min_quantity=str(record["minBaseAmount"]),
        min_notional=str(record["minQuoteAmount"]),
    )


VENUE: Final = VenueSpec(
    platform=Platform.VALR,
    separator="",
    fees=FEES,
    instruments=build_instruments(Platform.VALR, FEES, _STEPS),
    feeds=frozenset({FeedKind.LIVE, FeedKind.SANDBOX}),
    note="Live prices come from VALR's public order books, streamed; history from its public candles.",
    requests_per_minute=1_000,  # 1,200 a minute per IP
    public_requests_per_minute=24,  # public routes: 30 a minute
    timeframes=TIMEFRAMES_ALL,
    # A page of 300 rows, less what a bound that counts as inside could add.
    bars_per_request=290,
    parse_market=parse_market,
    capabilities=CAPABILITIES,
    facts=FACTS,
    unverified=UNVERIFIED,
)
