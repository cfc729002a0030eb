"""What we trade and under which rules: venue, assets, steps, minimums and fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from amarktai.domain.errors import InvalidInput


class Platform(StrEnum):
    """The five exchanges that the requirements name, in their display order."""

    LUNO = "luno"
    BINANCE = "binance"
    KUCOIN = "kucoin"
    OVEX = "ovex"
    VALR = "valr"


DISPLAY_NAMES = {
    Platform.LUNO: "Luno",
    Platform.BINANCE: "Binance",
    Platform.KUCOIN: "KuCoin",
    Platform.OVEX: "OVEX",
    Platform.VALR: "VALR",
}


def parse_platform(name: str) -> Platform:
    """Return the platform of that name. Raises: InvalidInput naming the five."""
    if name not in tuple(Platform):
        raise InvalidInput(
            "INVALID_EXCHANGE", f"{name!r} is not a platform of ours", f"Choose one of {', '.join(Platform)}."
        )
    return Platform(name)


class Origin(StrEnum):
    """Where market data comes from. It travels with every price, decision, fill and event."""

    LIVE = "live"
    RECORDED = "recorded"
    SYNTHETIC = "synthetic"


USUAL_CUSHION: Final = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Fees:
    """Trading fees as ratios of the notional (0.001 is 0.1 %), and where the figures are from.

    ``cushion`` is the share by which a market buy leaves room for the price to run away until it fills;
    where prices are all-in, for the part of the spread that lies beyond the price that was seen too.
    """

    maker: Decimal
    taker: Decimal
    source: str
    cushion: Decimal = USUAL_CUSHION


@dataclass(frozen=True, slots=True)
class Instrument:
    """One market on one venue. ``id`` is ``venue:BASE/QUOTE``, for example ``luno:BTC/ZAR``.

    Units: tick_size in quote per base, lot_size and min_quantity in base, min_notional in quote.
    """

    venue: Platform
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    fees: Fees

    @property
    def id(self) -> str:
        return f"{self.venue}:{self.symbol}"

    @property
    def symbol(self) -> str:
        return f"{self.base}/{self.quote}"


def split_instrument_id(instrument_id: str) -> tuple[Platform, str]:
    """Return (platform, symbol) of ``venue:BASE/QUOTE``.

    Raises: InvalidInput when the text does not have that form or names no platform of ours.
    """
    venue, _, symbol = instrument_id.partition(":")
    if venue not in tuple(Platform) or symbol.count("/") != 1:
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{instrument_id!r} is no instrument",
            "Write it as venue:BASE/QUOTE, for example luno:BTC/ZAR.",
        )
    return Platform(venue), symbol
