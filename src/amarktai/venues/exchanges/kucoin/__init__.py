"""KuCoin spot. No ZAR markets; the bots there trade against USDT."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.exchanges.kucoin.capabilities import CAPABILITIES, FACTS, UNVERIFIED
from amarktai.venues.spec import TIMEFRAMES_ALL, FeedKind, Steps, VenueSpec, build_instruments

FEES: Final = Fees(
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    source="KuCoin's base fee (kucoin-universal-sdk 1.3.2); an account's own: trade-fees",
)

# Source: /api/v2/symbols and the cross margin symbols as recorded in the tests of two public clients.
_STEPS: Final = (
    Steps("BTC/USDT", "0.1", "0.00000001", "0.00001", "0.1"),
    Steps("ETH/USDT", "0.01", "0.0000001", "0.0001", "0.1"),
)


def parse_market(record: Mapping[str, Any]) -> Steps | None:
    """Read one symbol of /api/v2/symbols."""
    if not record.get("enableTrading"):
        return None
    return Steps(
        symbol=f"{record['baseCurrency']}/{record['quoteCurrency']}",
        tick=str(record["priceIncrement"]),
        lot=str(record["baseIncrement"]),
        min_quantity=str(record["baseMinSize"]),
        min_notional=str(record.get("minFunds") or "0"),
    )


VENUE: Final = VenueSpec(
    platform=Platform.KUCOIN,
    separator="-",
    fees=FEES,
    instruments=build_instruments(Platform.KUCOIN, FEES, _STEPS),
    feeds=frozenset({FeedKind.LIVE, FeedKind.REPLAY, FeedKind.SANDBOX}),
    note="Live prices come from KuCoin's public streams, history from its public candles.",
    requests_per_minute=3_200,  # in KuCoin's weights; the smallest pool has 2,000 in 30 s
    timeframes=TIMEFRAMES_ALL,
    ccxt_id="kucoin",
    bars_per_request=1500,
    parse_market=parse_market,
    capabilities=CAPABILITIES,
    facts=FACTS,
    unverified=UNVERIFIED,
)
