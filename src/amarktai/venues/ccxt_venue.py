"""Live public data of exchanges through ccxt: quotes, trades, bars and the markets' rules. No keys.

The exchange object comes from outside (``open_client``), so that a test can pass its own. ccxt never
retries here (``maxRetriesOnFailure`` 0) and does not throttle: our budget does, for all its users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import ccxt
import ccxt.pro

from amarktai.domain.bar import Bars
from amarktai.domain.errors import AmarktaiError, InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, split_instrument_id
from amarktai.domain.market import DirtyRows
from amarktai.ports.clock import Clock
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.candle_rows import clean_bars, closed_bars
from amarktai.venues.spec import VenueSpec, build_instruments

_NS_PER_MS: Final = 1_000_000
TIMEOUT_MS: Final = 10_000
#: What a network, or an exchange behind it, can do to a call. Anything else is a defect of ours.
CLIENT_ERRORS: Final = (ccxt.BaseError, OSError, TimeoutError)
#: How long we stay away when a venue bans us without saying for how long.
BAN_S: Final = 120.0

#: ccxt's errors in our words, the most specific first: (class, code, sentence after the venue's name).
ERROR_TABLE: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (ccxt.DDoSProtection, "VENUE_RATE_LIMITED", "asks us to slow down"),
    (ccxt.RateLimitExceeded, "VENUE_RATE_LIMITED", "asks us to slow down"),
    (ccxt.OnMaintenance, "VENUE_MAINTENANCE", "is under maintenance"),
    (ccxt.RequestTimeout, "VENUE_UNREACHABLE", "did not answer in time"),
    (ccxt.ExchangeNotAvailable, "VENUE_UNREACHABLE", "is not available"),
    (ccxt.NetworkError, "VENUE_UNREACHABLE", "cannot be reached"),
    (ccxt.OperationFailed, "VENUE_UNREACHABLE", "cannot be reached"),
    (ccxt.RestrictedLocation, "VENUE_REFUSED", "does not serve this location"),
    (ccxt.AuthenticationError, "VENUE_REFUSED", "refuses to answer without a key"),
    (ccxt.BadSymbol, "VENUE_SYMBOL", "does not have that market"),
    (ccxt.BadRequest, "VENUE_REFUSED", "refused the request"),
    (ccxt.BaseError, "VENUE_ERROR", "answered with an error"),
    (TimeoutError, "VENUE_UNREACHABLE", "did not answer in time"),
    (OSError, "VENUE_UNREACHABLE", "cannot be reached"),
)


class CcxtClient(Protocol):
    """The part of a ccxt.pro exchange that public data needs."""

    last_response_headers: Any

    async def load_markets(self, reload: bool = False) -> Mapping[str, Any]: ...

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Any]: ...

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int | None
    ) -> Sequence[Sequence[float | None]]: ...

    async def watch_bids_asks(self, symbols: Sequence[str]) -> Mapping[str, Any]: ...

    async def watch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Any]: ...

    async def watch_trades_for_symbols(self, symbols: Sequence[str]) -> Sequence[Mapping[str, Any]]: ...

    async def close(self) -> None: ...


def open_client(spec: VenueSpec, *, urls: Mapping[str, Any] | None = None) -> CcxtClient:
    """Return a ccxt.pro exchange without keys. ``urls`` redirects it, for tests."""
    assert spec.ccxt_id is not None  # the others have adapters of their own
    options: dict[str, Any] = {
        "enableRateLimit": False,
        "timeout": TIMEOUT_MS,
        "options": {
            "maxRetriesOnFailure": 0,
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchMarkets": {"types": ["spot"]},
            "fetchTickersFees": False,
            "defaultType": "spot",
        },
    }
    if urls is not None:
        options["urls"] = urls
    client: CcxtClient = getattr(ccxt.pro, spec.ccxt_id)(options)
    return client


def explain(error: Exception, spec: VenueSpec) -> AmarktaiError:
    """Return an error of a call as ours: code, plain sentence, what to do."""
    name = DISPLAY_NAMES[spec.platform]
    for kind, code, sentence in ERROR_TABLE:
        if isinstance(error, kind):
            action = "It is tried again by itself; the sandbox market works meanwhile."
            if code == "VENUE_SYMBOL":
                return InvalidInput(code, f"{name} {sentence}.", "Choose another pair.")
            return Unavailable(code, f"{name} {sentence}.", action)
    raise error


def note_ban(error: Exception, client: CcxtClient, budget: RequestBudget) -> None:
    """Stop the venue's requests for as long as it demands, when ``error`` says that it does."""
    if not isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded):
        return
    headers = client.last_response_headers or {}
    told = next((value for key, value in headers.items() if key.lower() == "retry-after"), None)
    seconds = float(told) if told is not None and str(told).strip().isdigit() else BAN_S
    budget.ban(seconds)


async def load_instruments(
    client: CcxtClient, spec: VenueSpec, budget: RequestBudget, quotes: Sequence[str] = ("ZAR", "USDT")
) -> list[Instrument]:
    """Return the venue's spot markets in these quote assets, with their steps from the venue itself.

    Raises: Unavailable with a plain sentence.
    """
    assert spec.parse_market is not None  # every venue with public data has one
    await budget.acquire(Priority.HISTORY, spec.markets_weight)
    try:
        markets = await client.load_markets()
    except CLIENT_ERRORS as error:
        note_ban(error, client, budget)
        raise explain(error, spec) from error
    steps = []
    for market in markets.values():
        if market.get("spot") and market.get("quote") in quotes:
            parsed = spec.parse_market(market["info"])
            if parsed is not None:
                steps.append(parsed)
    return sorted(build_instruments(spec.platform, spec.fees, tuple(steps)), key=lambda item: item.symbol)


class CcxtHistory:
    """An exchange's public candles, implementing ports.history.BarHistory."""

    def __init__(self, spec: VenueSpec, client: CcxtClient, budget: RequestBudget, clock: Clock) -> None:
        self._spec = spec
        self._client = client
        self._budget = budget
        self._clock = clock
        self.dirty = DirtyRows()

    async def fetch_history(self, instrument_id: str, timeframe: str, since_ts: int, limit: int) -> Bars:
        """Return closed bars from ``since_ts`` on; bars that are not clean are left out and counted.

        Raises: Unavailable; InvalidInput for what the venue does not have.
        """
        name = DISPLAY_NAMES[self._spec.platform]
        if self._spec.bars_need_key:
            raise InvalidInput(
                "VENUE_REFUSED",
                f"{name} gives candles only to accounts with a key.",
                "Import a file, or let the platform record: bars are built from what it sees.",
            )
        if timeframe not in self._spec.timeframes:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"{name} has no {timeframe} candles",
                f"Choose one of {', '.join(self._spec.timeframes)}.",
            )
        _, symbol = split_instrument_id(instrument_id)
        await self._budget.acquire(Priority.HISTORY, self._spec.candles_weight)
        most = min(limit, self._spec.bars_per_request)
        try:
            rows = await self._client.fetch_ohlcv(symbol, timeframe, since_ts // _NS_PER_MS, most)
        except CLIENT_ERRORS as error:
            note_ban(error, self._client, self._budget)
            raise explain(error, self._spec) from error
        bars, dirty = clean_bars(timeframe, rows)
        self.dirty.add("dirty_bar", dirty)
        return closed_bars(bars, since_ts, limit, self._clock.now_ns())
