"""One account at OVEX: an order is a quote that is accepted once.

A request for a quote binds nobody, so whatever goes wrong before the acceptance is a definitive
refusal. After it only the list of trades counts. There is no client order id: a trade is known by the
quote's token where the list carries it, else by market, side, exact amount and time. Where more than
one trade fits, or the order is from an earlier process and nobody remembers its terms, the outcome
stays unknown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import (
    AccountEvent,
    AccountFill,
    Balance,
    BalanceChanged,
    Capabilities,
    FillReported,
    OrderChanged,
    OrderRecord,
    OrderTerms,
    Recall,
    StreamGap,
    recall_nothing,
)
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueRejected
from amarktai.venues.account import AccountParts, priority_of
from amarktai.venues.account_records import NS_PER_MS, accepted_report, sum_balances, whole_ms
from amarktai.venues.backoff import Backoff
from amarktai.venues.budget import Priority
from amarktai.venues.error_table import error_of_write
from amarktai.venues.exchanges.ovex import SPREAD_BAND, VENUE
from amarktai.venues.exchanges.ovex.calls import BASE_URL, OvexCalls, open_transport
from amarktai.venues.exchanges.ovex.capabilities import CAPABILITIES
from amarktai.venues.exchanges.ovex.errors import DIALECT, read_refusal
from amarktai.venues.exchanges.ovex.market import ask_quote
from amarktai.venues.exchanges.ovex.quotes import (
    DeskQuote,
    DeskTrade,
    account_fill,
    order_record,
    read_trade,
    venue_order_id,
)
from amarktai.venues.order_rules import check_steps
from amarktai.venues.transport import decoding, exact

#: A quote has to live for so long when it is accepted.
LEAST_LIFE_NS: Final = 1 * NS_PER_S
POLL_S: Final = 5.0
PAGE: Final = 50
#: How far OVEX's clock and ours may differ, and how long after its order a trade may be dated.
_SKEW_NS: Final = 60 * NS_PER_S
_LATEST_NS: Final = 300 * NS_PER_S


def open_account(
    api_key: str, parts: AccountParts, *, recall: Recall = recall_nothing, base_url: str = BASE_URL
) -> OvexAccount:
    """Return the account of a key. The address is another only against a twin."""
    return OvexAccount(OvexCalls(open_transport(base_url, parts.budget, parts.clock, api_key)), parts, recall)


class OvexAccount:
    """An account at OVEX. Implements ports.exchange.ExchangeAccount."""

    platform = Platform.OVEX
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, calls: OvexCalls, parts: AccountParts, recall: Recall = recall_nothing) -> None:
        self.account = parts.account
        self._calls = calls
        self._clock = parts.clock
        self._rng = parts.rng
        self._recall = recall
        self._instruments = {item.id: item for item in parts.instruments}
        self._terms: dict[UUID, OrderTerms] = {}
        self._tokens: set[str] = set()
        #: Trades that were found to be an order's: they are no other's.
        self._owners: dict[str, UUID] = {}

    # -- orders --------------------------------------------------------------------------------------------

    async def create_order(self, request: OrderRequest) -> OrderReport:
        """Ask for a quote, check it, accept it once. Raises: VenueRejected, OutcomeUnknown."""
        instrument = self._instruments.get(request.instrument_id)
        if instrument is None:
            raise VenueRejected(
                "UNKNOWN_INSTRUMENT", f"OVEX does not quote {request.instrument_id}.", "Choose another pair."
            )
        if request.type is not OrderType.MARKET or request.post_only:
            raise VenueRejected(
                "ORDER_TYPE_UNSUPPORTED", "Nothing can rest at OVEX.", "Use market orders there."
            )
        check_steps(instrument, request)
        quote = await self._agreed_quote(request, instrument)
        assert quote.token is not None  # checked before
        self._tokens.add(quote.token)
        self._terms[request.order_id] = OrderTerms(request.side, request.quantity, quote.token)
        deadline_ts = min(request.deadline_ts, quote.expires_ts)
        answer = await self._calls.accept(quote.token, priority=priority_of(request), deadline_ts=deadline_ts)
        refusal = read_refusal(answer)
        if refusal is not None:
            raise error_of_write(DIALECT, *refusal)
        accepted = accepted_report(request, quote.token, to_datetime(self._clock.now_ns()))
        try:
            return await self.fetch_order(request.order_id, instrument.id) or accepted
        except OutcomeUnknown:
            return accepted  # it was accepted, that much is certain; the trade is asked for later

    async def _agreed_quote(self, request: OrderRequest, instrument: Instrument) -> DeskQuote:
        """Return a quote that may be accepted. Raises: VenueRejected; nothing is promised till then."""
        if self._clock.now_ns() >= request.deadline_ts:
            raise VenueRejected("DEADLINE_PASSED", "The request came after its own deadline.")
        other = Side.SELL if request.side is Side.BUY else Side.BUY
        try:
            against = await self._quote(instrument, other, request.quantity)
            quote = await self._quote(instrument, request.side, request.quantity)
        except (Unavailable, Forbidden, InvalidInput) as error:
            raise VenueRejected("QUOTE_MISSING", error.detail, error.action) from error
        problem = self._problem_of(quote, against, request)
        if problem is not None:
            raise VenueRejected("QUOTE_REFUSED", problem, "Nothing was accepted. The bot decides anew.")
        return quote

    def _quote(self, instrument: Instrument, side: Side, quantity: Decimal) -> Awaitable[DeskQuote]:
        which = "to_amount" if side is Side.BUY else "from_amount"  # the base, either way
        return ask_quote(self._calls, instrument, side, which, quantity, priority=Priority.ORDER)

    def _problem_of(self, quote: DeskQuote, against: DeskQuote, request: OrderRequest) -> str | None:
        """Return why a quote must not be accepted, None when it may."""
        spread = abs(quote.terms.price / against.terms.price - 1)
        problems = {
            f"OVEX quoted {quote.terms.base_amount} instead of {request.quantity}.": (
                quote.terms.base_amount != request.quantity
            ),
            "OVEX's quote has no token: it is indicative only.": quote.token is None,
            "OVEX gave a token that was accepted before.": quote.token in self._tokens,
            "OVEX's quote is about to expire.": (quote.expires_ts - self._clock.now_ns() < LEAST_LIFE_NS),
            f"OVEX's two sides are {spread:.1%} apart.": spread > SPREAD_BAND,
            f"OVEX asks {quote.terms.quote_amount:f} {quote.terms.quote}, more than is reserved.": (
                request.budget is not None and quote.terms.quote_amount > request.budget
            ),
        }
        return next((sentence for sentence, holds in problems.items() if holds), None)

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        """Return what became of the order; a desk has no cancel. Raises: OutcomeUnknown."""
        report = await self.fetch_order(order_id, instrument_id)
        if report is None:
            raise OutcomeUnknown(
                "OUTCOME_UNKNOWN",
                "OVEX lists no trade for the order, and cannot cancel.",
                "The platform asks again until the quote has expired.",
            )
        return report

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """Return the order's trade; None when no trade since its own time can be it.

        Raises: OutcomeUnknown when the desk cannot be asked, or when it cannot be told which trade it is.
        """
        made_ts = (order_id.int >> 80) * NS_PER_MS
        try:
            trades = await self._trades_since(made_ts - _SKEW_NS)
        except (Unavailable, Forbidden, InvalidInput) as error:
            raise OutcomeUnknown(error.code, error.detail, error.action) from error
        found = await self._trade_of(order_id, instrument_id, trades, made_ts + _LATEST_NS)
        if found is None:
            return None
        self._owners[found.trade_id] = order_id
        return order_record(found).report(order_id, [account_fill(found)])

    async def _trade_of(
        self, order_id: UUID, instrument_id: str, trades: Sequence[DeskTrade], latest_ts: int
    ) -> DeskTrade | None:
        """Raises: OutcomeUnknown when it cannot be told."""
        terms = self._terms.get(order_id) or await self._recall(order_id)
        if terms is not None and terms.venue_order_id is not None:
            named = terms.venue_order_id
            exactly = next((trade for trade in trades if named in (trade.token, trade.trade_id)), None)
            if exactly is not None:
                return exactly
        fitting = [
            trade
            for trade in trades
            if trade.terms.instrument_id == instrument_id
            and to_ns(trade.at) <= latest_ts
            and self._owners.get(trade.trade_id, order_id) == order_id
            and _fits(trade, terms)
        ]
        if len(fitting) > 1 or (fitting and terms is None):
            raise OutcomeUnknown(
                "OUTCOME_UNKNOWN",
                f"OVEX lists {len(fitting)} trades that could be the order.",
                "Look at OVEX's own list and resolve the order by hand.",
            )
        return fitting[0] if fitting else None

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        """Return nothing: an accepted quote is a trade at once."""
        return ()

    # -- records -------------------------------------------------------------------------------------------

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        """Return an order by its quote's token or its trade's id."""
        for trade in await self._trades_since(0):
            if venue_order_id in (trade.token, trade.trade_id):
                return order_record(trade)
        return None

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        return ()

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        return [order_record(trade) for trade in await self._trades_since(ts)]

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        return [account_fill(trade) for trade in await self._trades_since(ts)]

    async def _trades_since(self, ts: int) -> list[DeskTrade]:
        """Return every trade since ``ts`` (ns UTC), all pages, oldest first.

        Raises: Unavailable, Forbidden.
        """
        since = to_datetime(whole_ms(ts) // NS_PER_S * NS_PER_S)  # seconds may be all that it tells
        found: dict[str, DeskTrade] = {}
        query = {"limit": str(PAGE), "order_by": "desc"}
        while True:
            rows = await self._calls.read("/rfq/trades", query)
            with decoding(self.platform):
                page = [read_trade(row) for row in rows]
            fresh = [trade for trade in page if trade.trade_id not in found]
            found |= {trade.trade_id: trade for trade in fresh}
            if len(page) < PAGE or page[-1].at < since:
                recent = (trade for trade in found.values() if trade.at >= since)
                return sorted(recent, key=lambda trade: trade.at)
            if not fresh:
                raise Unavailable(
                    "LIST_INCOMPLETE",
                    "OVEX gives the same page of its trades again.",
                    "It is tried again by itself.",
                )
            query["to"] = page[-1].trade_id

    # -- money -------------------------------------------------------------------------------------------

    async def fetch_balances(self) -> Mapping[str, Balance]:
        rows = await self._calls.read("/accounts")
        with decoding(self.platform):
            amounts = [
                (str(row["currency"]).upper(), exact(row["balance"]), exact(row["locked"])) for row in rows
            ]
        return sum_balances((asset, free + locked, locked) for asset, free, locked in amounts)

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        """Return nothing: the price is all-in."""
        return VENUE.fees

    # -- changes -----------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[AccountEvent]:
        """Yield what differs from one look at trades and balances to the next; the first is a StreamGap."""
        yield StreamGap("OVEX has no stream: its trades and balances are asked for.")
        backoff = Backoff(self._rng)
        seen: _Seen | None = None
        since_ts = self._clock.now_ns()
        while True:
            pause_s = POLL_S
            try:
                now_ts = self._clock.now_ns()
                trades, balances = await self._trades_since(since_ts - _SKEW_NS), await self.fetch_balances()
            except (Unavailable, Forbidden, InvalidInput) as error:
                yield StreamGap(error.detail)
                pause_s = backoff.next_s()
            else:
                backoff.reset()
                since_ts = now_ts
                for event in () if seen is None else _differences(seen, trades, balances):
                    yield event
                seen = _Seen(frozenset(trade.trade_id for trade in trades), balances)
            await self._clock.sleep(pause_s)

    async def close(self) -> None:
        await self._calls.close()


@dataclass(frozen=True, slots=True)
class _Seen:
    trade_ids: frozenset[str]
    balances: Mapping[str, Balance]


def _differences(
    seen: _Seen, trades: Sequence[DeskTrade], balances: Mapping[str, Balance]
) -> list[AccountEvent]:
    """Return what is new since the last look."""
    events: list[AccountEvent] = []
    for trade in trades:
        if trade.trade_id not in seen.trade_ids:
            events.append(OrderChanged(venue_order_id(trade), None, order_record(trade)))
            events.append(FillReported(account_fill(trade)))
    for asset in sorted(seen.balances.keys() | balances.keys()):
        now = balances.get(asset, Balance(asset, ZERO, ZERO))
        if now != seen.balances.get(asset):
            events.append(BalanceChanged(asset, now.total, now.reserved))
    return events


def _fits(trade: DeskTrade, terms: OrderTerms | None) -> bool:
    """Return whether a trade can be an order of these terms; of unknown terms every trade can."""
    if terms is None:
        return True
    if terms.venue_order_id is not None and trade.token is not None:
        return False  # the list carries tokens, and this one is another's
    return (trade.terms.side, trade.terms.base_amount) == (terms.side, terms.quantity)
