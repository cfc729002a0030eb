"""Opens the exchanges of this process: each under one request budget that everything shares.

The adapters are imported when they are opened, because ccxt takes seconds to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import ExchangeAccount, ExchangeMarket, Recall, recall_nothing
from amarktai.ports.rng import Rng
from amarktai.venues.account import AccountParts
from amarktai.venues.budget import RequestBudget
from amarktai.venues.spec import load_specs

#: Where a twin serves the stream that the real exchange has an address of its own for.
_STREAM_PATHS: Final = {Platform.LUNO: "/api/1", Platform.BINANCE: "/ws-api/v3", Platform.VALR: ""}
_MARKET_STREAM_PATHS: Final = {Platform.LUNO: "/api/1", Platform.BINANCE: "", Platform.VALR: ""}


class Exchanges:
    """The five exchanges. ``twins`` names local servers to speak to instead of the real ones, by URL."""

    def __init__(self, clock: Clock, rng: Rng, twins: Mapping[Platform, str] | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._twins = dict(twins or {})
        self._specs = load_specs()
        self._budgets: dict[tuple[Platform, bool], RequestBudget] = {}

    def budget(self, platform: Platform) -> RequestBudget:
        """Return the budget of all requests to an exchange."""
        return self._budget(platform, self._specs[platform].requests_per_minute, is_public=False)

    def public_budget(self, platform: Platform) -> RequestBudget:
        """Return the budget of requests without a key: the same, where they have none of their own."""
        own = self._specs[platform].public_requests_per_minute
        return self.budget(platform) if own is None else self._budget(platform, own, is_public=True)

    def _budget(self, platform: Platform, per_minute: int, *, is_public: bool) -> RequestBudget:
        key = (platform, is_public)
        if key not in self._budgets:
            self._budgets[key] = RequestBudget(platform.value, per_minute, self._clock)
        return self._budgets[key]

    def open_market(self, platform: Platform, credentials: Credentials | None = None) -> ExchangeMarket:
        """Return an exchange's public side; where a key opens more of it, with that key."""
        budget, clock, at = self.budget(platform), self._clock, self._rest(platform)
        match platform:
            case Platform.LUNO:
                from amarktai.venues.exchanges.luno.market import open_market as open_luno

                return open_luno(budget, clock, credentials, **at)
            case Platform.BINANCE:
                from amarktai.venues.exchanges.binance.market import open_market as open_binance

                return open_binance(budget, clock, **at)
            case Platform.KUCOIN:
                from amarktai.venues.exchanges.kucoin.market import open_market as open_kucoin

                return open_kucoin(budget, clock, **at)
            case Platform.OVEX:
                from amarktai.venues.exchanges.ovex.market import open_market as open_ovex

                return open_ovex(budget, clock, **at)
            case Platform.VALR:
                from amarktai.venues.exchanges.valr.market import open_market as open_valr

                return open_valr(self.public_budget(platform), budget, clock, **at)

    def open_account(
        self,
        platform: Platform,
        credentials: Credentials,
        instruments: Sequence[Instrument],
        *,
        account: str = "main",
        watched: Iterable[str] = (),
        recall: Recall = recall_nothing,
    ) -> ExchangeAccount:
        """Return the account of a key. ``instruments`` are all markets of the exchange.

        ``recall`` tells the terms of orders of earlier processes to an exchange without client order ids.
        """
        parts = AccountParts(
            account, instruments, tuple(watched), self._clock, self._rng, self.budget(platform)
        )
        at = self._rest(platform)
        match platform:
            case Platform.LUNO:
                from amarktai.venues.exchanges.luno.account import open_account as open_luno

                return open_luno(credentials, parts, **at, **self._stream(platform))
            case Platform.BINANCE:
                from amarktai.venues.exchanges.binance.account import open_account as open_binance

                return open_binance(credentials, parts, **at, **self._stream(platform))
            case Platform.KUCOIN:
                from amarktai.venues.exchanges.kucoin.account import open_account as open_kucoin

                return open_kucoin(credentials, parts, **at)
            case Platform.OVEX:
                from amarktai.venues.exchanges.ovex.account import open_account as open_ovex

                return open_ovex(credentials.api_key, parts, recall=recall, **at)
            case Platform.VALR:
                from amarktai.venues.exchanges.valr.account import open_account as open_valr

                return open_valr(credentials, parts, **at, **self._stream(platform))

    def _rest(self, platform: Platform) -> dict[str, str]:
        """Return where the exchange is when it is not where it always is."""
        url = self._twins.get(platform)
        return {} if url is None else {"base_url": url}

    def _stream(self, platform: Platform) -> dict[str, str]:
        return self._stream_at(platform, _STREAM_PATHS[platform])

    def market_stream(self, platform: Platform) -> dict[str, str]:
        """Return where a feed's public stream is when it is not where it always is."""
        return self._stream_at(platform, _MARKET_STREAM_PATHS[platform])

    def _stream_at(self, platform: Platform, path: str) -> dict[str, str]:
        url = self._twins.get(platform)
        return {} if url is None else {"stream_url": "ws" + url.removeprefix("http") + path}
