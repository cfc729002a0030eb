"""Binance spot. Its ZAR markets were delisted; the bots there trade against USDT."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.exchanges.binance.capabilities import CAPABILITIES, FACTS, UNVERIFIED
from amarktai.venues.spec import TIMEFRAMES_ALL, FeedKind, Steps, VenueSpec, build_instruments

FEES: Final = Fees(
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    source="Binance's default spot fee, as ccxt 4.5.90 carries it; an account's own: account/commission",
)

# Source: exchangeInfo as recorded in the test data of GoCryptoTrader.
_STEPS: Final = (
    Steps("BTC/USDT", "0.01", "0.00001", "0.00001", "5"),
    Steps("ETH/USDT", "0.01", "0.0001", "0.0001", "5"),
)


def parse_market(record: Mapping[str, Any]) -> Steps | None:
    """Read one symbol of /api/v3/exchangeInfo."""
    if record.get("status") != "TRADING":
        return None
    filters = {item["filterType"]: item for item in record["filters"]}
    if not {"PRICE_FILTER", "LOT_SIZE"} <= filters.keys():
        return None  # without its steps a market cannot be traded in
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {"minNotional": "0"}
    return Steps(
        symbol=f"{record['baseAsset']}/{record['quoteAsset']}",
        tick=str(filters["PRICE_FILTER"]["tickSize"]),
        lot=str(filters["LOT_SIZE"]["stepSize"]),
        min_quantity=str(filters["LOT_SIZE"]["minQty"]),
        min_notional=str(notional["minNotional"]),
    )


VENUE: Final = VenueSpec(
    platform=Platform.BINANCE,
    separator="",
    fees=FEES,
    instruments=build_instruments(Platform.BINANCE, FEES, _STEPS),
    feeds=frozenset({FeedKind.LIVE, FeedKind.REPLAY, FeedKind.SANDBOX}),
    note="Live prices come from Binance's public streams, history from its public candles.",
    requests_per_minute=4_800,  # in Binance's weights, of which one IP has 6,000
    timeframes=TIMEFRAMES_ALL,
    ccxt_id="binance",
    bars_per_request=1000,
    parse_market=parse_market,
    capabilities=CAPABILITIES,
    facts=FACTS,
    unverified=UNVERIFIED,
)
