"""Checks an exchange's adapter for its owner: against the real exchange, or a local twin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.bootstrap.foundation import real_time
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import Clock
from amarktai.ports.ids import Ids
from amarktai.services.order_check import OrderCheck
from amarktai.services.venue_check import CheckItem, VenueCheck
from amarktai.system.rng import SystemRng
from amarktai.venues.spec import load_specs

#: What the smallest trade is worth at an exchange that states no minimum, by quote asset.
LEAST_WORTH: Final = {Platform.OVEX: {"ZAR": Decimal(100), "USDT": Decimal(10)}}

#: What a key consists of, as people are asked for it.
KEY_PARTS: Final = {
    Platform.LUNO: ("API key id", "API key secret"),
    Platform.BINANCE: ("API key", "secret key"),
    Platform.KUCOIN: ("API key", "secret", "passphrase"),
    Platform.OVEX: ("API key",),
    Platform.VALR: ("API key", "API secret"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to check. ``key`` None: only what is public. ``url`` is a twin's instead of the exchange.

    ``least_worth`` (quote) is bought at the market where the exchange states no minimum.
    """

    platform: Platform
    symbol: str
    key: Credentials | None = None
    url: str | None = None
    places_an_order: bool = False
    trades_at_market: bool = False
    least_worth: Decimal | None = None


def usual_symbol(platform: Platform) -> str:
    """Return the market that is checked when none is named."""
    return load_specs()[platform].instruments[0].symbol


async def check_venue(
    wanted: Wanted, clock: Clock | None = None, ids: Ids | None = None
) -> AsyncIterator[CheckItem]:
    """Yield each item with its result. Raises: Unavailable, InvalidInput when the market is not there."""
    real_clock, real_ids = real_time()
    clock = clock or real_clock
    twins = {} if wanted.url is None else {wanted.platform: wanted.url.rstrip("/")}
    exchanges = Exchanges(clock, SystemRng(), twins)
    market = exchanges.open_market(wanted.platform, wanted.key)
    try:
        instruments = await market.fetch_instruments()
        named = _named(instruments, wanted)
        least = wanted.least_worth or LEAST_WORTH.get(wanted.platform, {}).get(named.quote, ZERO)
        check = VenueCheck(market, clock, ids or real_ids, named)
        orders = OrderCheck(market, clock, ids or real_ids, named, least_worth=least)
        async for item in check.public():
            yield item
        if wanted.key is None:
            return
        account = exchanges.open_account(
            wanted.platform, wanted.key, instruments, watched=(check.instrument.id,)
        )
        try:
            async for item in check.reads(account):
                yield item
            if wanted.places_an_order:
                async for item in orders.rest(account):
                    yield item
            if wanted.trades_at_market:
                async for item in orders.fill(account):
                    yield item
        finally:
            await account.close()
    finally:
        await market.close()


def _named(instruments: Sequence[Instrument], wanted: Wanted) -> Instrument:
    for item in instruments:
        if item.symbol == wanted.symbol:
            return item
    raise InvalidInput(
        "VALIDATION_ERROR",
        f"{DISPLAY_NAMES[wanted.platform]} does not list {wanted.symbol}",
        f"Choose one of {', '.join(item.symbol for item in instruments[:20])}.",
    )
