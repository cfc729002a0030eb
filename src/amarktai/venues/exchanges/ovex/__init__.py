"""OVEX, a desk that answers requests for quotes: no order book, no resting orders, no stream."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from amarktai.domain.instrument import Fees, Platform
from amarktai.venues.exchanges.ovex.capabilities import CAPABILITIES, FACTS, UNVERIFIED
from amarktai.venues.spec import FeedKind, Steps, VenueSpec, build_instruments

#: A quote whose other side is further away is not accepted.
SPREAD_BAND: Final = Decimal("0.05")
FEES: Final = Fees(
    maker=Decimal(0),
    taker=Decimal(0),
    source="OVEX quotes all-in prices: its fee is inside the spread (OVEX Public API)",
    # Half of the widest spread that is accepted: what is reserved must pay the side that is asked.
    cushion=SPREAD_BAND / 2,
)

# OVEX publishes no steps. These are assumptions: cents, eight places, and the markets are those seen
# historically (btczar, ethzar, usdtzar). A live feed reads precisions from /markets.
_STEPS: Final = (
    Steps("BTC/ZAR", "1", "0.00000001", "0.00001", "100"),
    Steps("ETH/ZAR", "1", "0.00000001", "0.0001", "100"),
    Steps("USDT/ZAR", "0.0001", "0.00000001", "1", "100"),
)


def parse_market(record: Mapping[str, Any]) -> Steps | None:
    """Read one market of /markets. OVEX states no minimum: the smallest amount is one step."""
    if not record["rfq_enabled"]:
        return None
    lot = str(Decimal(1).scaleb(-int(record["base_precision"])))
    base, quote = (str(record[key]).upper() for key in ("base_currency", "quote_currency"))
    return Steps(
        symbol=f"{base}/{quote}",
        tick=str(Decimal(1).scaleb(-int(record["quote_precision"]))),
        lot=lot,
        min_quantity=lot,
    )


VENUE: Final = VenueSpec(
    platform=Platform.OVEX,
    separator="",
    fees=FEES,
    instruments=build_instruments(Platform.OVEX, FEES, _STEPS),
    feeds=frozenset({FeedKind.LIVE, FeedKind.SANDBOX}),
    note=(
        "OVEX quotes on request: its prices here are indicative quotes for about R 10 000, asked again "
        "every few seconds; history is what the platform recorded."
    ),
    requests_per_minute=280,  # 3,000 in ten minutes, 400 in one
    parse_market=parse_market,
    capabilities=CAPABILITIES,
    facts=FACTS,
    unverified=UNVERIFIED,
)
