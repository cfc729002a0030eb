"""Luno. Bitcoin is XBT there. Candles need a key, so public bars are the ones that we recorded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.domain.money import FIATS, STABLECOINS
from amarktai.venues.exchanges.luno.capabilities import CAPABILITIES, FACTS, UNVERIFIED
from amarktai.venues.spec import TIMEFRAMES_ALL, FeedKind, Steps, VenueSpec, build_instruments

_SOURCE: Final = "Luno's table at 30-day volume 0, as ccxt 4.5.90 carries it; an account's own: fee_info"
CRYPTO_FIAT: Final = Fees(maker=Decimal("0.004"), taker=Decimal("0.006"), source=_SOURCE)
STABLECOIN_FIAT: Final = Fees(maker=Decimal("-0.0001"), taker=Decimal("0.002"), source=_SOURCE)
CRYPTO_CRYPTO: Final = Fees(maker=Decimal("0.0008"), taker=Decimal("0.001"), source=_SOURCE)

# Source of the steps: the finest price and volume steps in recordings of Luno's own tickers
# (2023-05-11 to 2023-08-15). No public document states them, and the minimum is taken as one lot;
# a live feed reads /api/exchange/1/markets.
_STEPS: Final = (
    Steps("BTC/ZAR", "1", "0.000001", "0.000001"),
    Steps("ETH/ZAR", "1", "0.000001", "0.000001"),
    Steps("XRP/ZAR", "0.01", "1", "1"),
    Steps("LTC/ZAR", "1", "0.0001", "0.0001"),
    Steps("SOL/ZAR", "0.01", "0.0001", "0.0001"),
    Steps("ADA/ZAR", "0.0001", "0.01", "0.01"),
    Steps("AVAX/ZAR", "0.01", "0.0001", "0.0001"),
    Steps("LINK/ZAR", "0.01", "0.01", "0.01"),
    Steps("UNI/ZAR", "0.01", "0.01", "0.01"),
    Steps("USDC/ZAR", "0.01", "0.01", "0.01", fees=STABLECOIN_FIAT),
    Steps("USDT/ZAR", "0.01", "0.01", "0.01", fees=STABLECOIN_FIAT),
    Steps("BTC/USDC", "0.01", "0.0001", "0.0001", fees=CRYPTO_CRYPTO),
    Steps("BTC/USDT", "0.01", "0.0001", "0.0001", fees=CRYPTO_CRYPTO),
    Steps("BTC/EUR", "0.01", "0.0001", "0.0001"),
)


def fees_of(base: str, quote: str) -> Fees:
    """Return the default fees of a market: Luno has three tables."""
    if quote not in FIATS:
        return CRYPTO_CRYPTO
    return STABLECOIN_FIAT if base in STABLECOINS else CRYPTO_FIAT


def parse_market(record: Mapping[str, Any]) -> Steps | None:
    """Read one market of /api/exchange/1/markets. Scales are decimal places."""
    if record.get("trading_status") != "ACTIVE":
        return None
    base, quote = (_ours(str(record[key])) for key in ("base_currency", "counter_currency"))
    return Steps(
        symbol=f"{base}/{quote}",
        tick=str(Decimal(1).scaleb(-int(record["price_scale"]))),
        lot=str(Decimal(1).scaleb(-int(record["volume_scale"]))),
        min_quantity=str(record["min_volume"]),
        fees=fees_of(base, quote),
    )


def _ours(asset: str) -> str:
    return "BTC" if asset == "XBT" else asset


VENUE: Final = VenueSpec(
    platform=Platform.LUNO,
    separator="",
    assets={"BTC": "XBT"},
    fees=CRYPTO_FIAT,
    instruments=build_instruments(Platform.LUNO, CRYPTO_FIAT, _STEPS),
    feeds=frozenset({FeedKind.LIVE, FeedKind.REPLAY, FeedKind.SANDBOX}),
    note="Live prices come from Luno's public tickers, polled; its stream and candles need a key.",
    requests_per_minute=240,  # Luno allows 300 a minute
    timeframes=TIMEFRAMES_ALL,
    ccxt_id="luno",
    parse_market=parse_market,
    capabilities=CAPABILITIES,
    facts=FACTS,
    unverified=UNVERIFIED,
)
