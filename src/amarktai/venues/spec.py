"""What an exchange is, as data: one ``VenueSpec`` per file of ``venues/exchanges``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.ports.exchange import Capabilities
from amarktai.venues import exchanges


class FeedKind(StrEnum):
    """Where a platform's market data can come from."""

    LIVE = "live"
    REPLAY = "replay"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Steps:
    """Order rules of one market: tick (quote per base), lot and minimum (base), notional (quote)."""

    symbol: str
    tick: str
    lot: str
    min_quantity: str
    min_notional: str = "0"
    fees: Fees | None = None


@dataclass(frozen=True, slots=True)
class Unverified:
    """What no document tells and only the real exchange can: what the platform assumes, how to see it."""

    question: str
    assumed: str
    check: str


@dataclass(frozen=True, slots=True)
class VenueSpec:
    """One exchange's differences.

    ``assets`` maps our asset codes to the venue's (BTC → XBT), ``separator`` stands between base and
    quote in the venue's symbols. ``requests_per_minute`` is the budget of one IP, with a margin below
    the venue's own limit and in the venue's own weights, of which a plain request counts 1;
    ``public_requests_per_minute`` that of calls without a key where they have a smaller one.
    ``instruments`` are known without a
    network, for replay and the sandbox; a live feed reads its own from the venue: ``parse_market`` turns
    the venue's record of a market, with numbers as the strings they came in, into its steps, None when
    it cannot be traded. ``note`` is the sentence that people read. ``capabilities``, ``facts``
    (sentences) and ``unverified`` are the content of ``docs/venues``.
    """

    platform: Platform
    separator: str
    fees: Fees
    instruments: tuple[Instrument, ...]
    feeds: frozenset[FeedKind]
    note: str
    requests_per_minute: int
    public_requests_per_minute: int | None = None
    timeframes: tuple[str, ...] = ()
    assets: Mapping[str, str] = field(default_factory=dict)
    ccxt_id: str | None = None
    bars_per_request: int = 1000
    parse_market: Callable[[Mapping[str, Any]], Steps | None] | None = None
    capabilities: Capabilities | None = None
    facts: tuple[str, ...] = ()
    unverified: tuple[Unverified, ...] = ()

    def venue_symbol(self, base: str, quote: str) -> str:
        """Return the venue's own name of a market, for example XBTZAR."""
        return f"{self.assets.get(base, base)}{self.separator}{self.assets.get(quote, quote)}"

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that is known offline under ``BASE/QUOTE``.

        Raises: InvalidInput naming what there is.
        """
        for item in self.instruments:
            if item.symbol == symbol:
                return item
        known = ", ".join(item.symbol for item in self.instruments)
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{self.platform} has no instrument {symbol!r} that is known offline",
            f"Choose one of {known}.",
        )

    def instrument_of_venue_symbol(self, venue_symbol: str) -> Instrument | None:
        """Return the offline instrument behind the venue's own name, None when there is none."""
        for item in self.instruments:
            if self.venue_symbol(item.base, item.quote) == venue_symbol:
                return item
        return None


def build_instruments(platform: Platform, fees: Fees, steps: tuple[Steps, ...]) -> tuple[Instrument, ...]:
    """Return instruments from their written steps; ``fees`` holds where a row names no own fees."""
    built = []
    for row in steps:
        base, _, quote = row.symbol.partition("/")
        built.append(
            Instrument(
                venue=platform,
                base=base,
                quote=quote,
                tick_size=Decimal(row.tick),
                lot_size=Decimal(row.lot),
                min_quantity=Decimal(row.min_quantity),
                min_notional=Decimal(row.min_notional),
                fees=row.fees or fees,
            )
        )
    return tuple(built)


def load_specs() -> dict[Platform, VenueSpec]:
    """Return every exchange's spec, in the platforms' display order.

    A file in ``venues/exchanges`` is an exchange: there is no second list to keep.
    """
    found: dict[Platform, VenueSpec] = {}
    for module in pkgutil.iter_modules(exchanges.__path__):
        spec: VenueSpec = importlib.import_module(f"{exchanges.__name__}.{module.name}").VENUE
        found[spec.platform] = spec
    return {platform: found[platform] for platform in Platform if platform in found}


TIMEFRAMES_ALL: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
