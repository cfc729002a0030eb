"""OVEX's prices for bots: indicative quotes, asked for again and again within its limits.

Where OVEX gives quotes only to accounts with a key, another exchange's prices of the same pairs stand
in, and the feed's health says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument
from amarktai.ports.clock import to_ns
from amarktai.ports.exchange import ExchangeMarket, Quote
from amarktai.venues.exchanges.ovex import VENUE
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source, SourceFailed

POLL_S: Final = 10.0
#: Calls a minute that quotes may take: half of what OVEX allows, for orders need the rest.
_CALLS_PER_MINUTE: Final = 150
_CALLS_PER_MARKET: Final = 2
#: How long OVEX is not asked again without a key once it wanted one.
_REFUSED_FOR_S: Final = 600.0


class OvexFeed(LiveFeed):
    """Indicative prices of OVEX. ``stand_in`` is the exchange whose prices serve where a key is wanted."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        market: ExchangeMarket,
        parts: FeedParts,
        stand_in: ExchangeMarket,
    ) -> None:
        super().__init__(VENUE, instruments, parts, None)
        self._market = market
        self._stand_in = stand_in
        self._wants_key_until_ts = 0
        self._borrowed: list[tuple[Instrument, Instrument]] = []
        calls = _CALLS_PER_MARKET * len(self.instruments)
        self._round_s = max(POLL_S, 60 * calls / _CALLS_PER_MINUTE)

    @property
    def live_message(self) -> str:
        if self._wants_key:
            name = DISPLAY_NAMES[self._stand_in.platform]
            return f"{self._name} gives quotes only to accounts with a key; {name}'s prices stand in."
        return f"{self._name} prices are indicative quotes, asked every {self._round_s:.0f} s."

    def sources(self) -> Sequence[Source]:
        return (self._round,)

    async def disconnect(self) -> None:
        await self._market.close()
        await self._stand_in.close()

    @property
    def _wants_key(self) -> bool:
        return self._clock.now_ns() < self._wants_key_until_ts

    async def _round(self) -> None:
        """Ask for every market once, spread over the round; one that fails costs the others nothing."""
        if self._wants_key:
            await self._borrow()
            await self._clock.sleep(self._round_s)
            return
        failures: list[SourceFailed] = []
        pause_s = self._round_s / len(self.instruments)
        for instrument in self.instruments:
            try:
                self._pass_on(instrument, (await self._market.fetch_quotes([instrument]))[0])
                self.note_life()
            except Forbidden:
                self._wants_key_until_ts = self._clock.now_ns() + round(_REFUSED_FOR_S * NS_PER_S)
                return
            except (Unavailable, InvalidInput) as error:
                failures.append(SourceFailed(error.detail))
                self.note_problem(error.detail, self._clock.now_ns() + round(pause_s * NS_PER_S))
            await self._clock.sleep(pause_s)
        if len(failures) == len(self.instruments):
            raise failures[-1]

    async def _borrow(self) -> None:
        """Take the stand-in's prices of the pairs that it has."""
        if not self._borrowed:
            theirs = {item.symbol: item for item in await self._stand_in.fetch_instruments()}
            self._borrowed = [
                (item, theirs[item.symbol]) for item in self.instruments if item.symbol in theirs
            ]
        if not self._borrowed:
            raise SourceFailed(f"{self._name} gives quotes only to accounts with a key.")
        quotes = await self._stand_in.fetch_quotes([item for _, item in self._borrowed])
        for (instrument, _), quote in zip(self._borrowed, quotes, strict=True):
            self._pass_on(instrument, quote)
        self.note_life()

    def _pass_on(self, instrument: Instrument, quote: Quote) -> None:
        at = None if quote.at is None else to_ns(quote.at)
        sizes = (quote.bid_quantity, quote.ask_quantity)
        self.take_quote(instrument.symbol, (quote.bid, quote.ask), sizes, at)
