"""One account at Luno: routes v1 to trade, v2 to list, v3 to find an order by our own id.

What differs from other exchanges:
- A market buy is in money there, and our orders are in base: it leaves as an immediate-or-cancel limit
  buy of the wanted quantity, at most ``BUY_BAND`` above the level that this quantity reaches in the
  book, and never at more than its budget pays with the taker's fee. What is beyond it is not bought.
- A stop is a stop-limit there: its limit lies ``STOP_BAND`` beyond the stop. A market that jumps over
  the band leaves it resting.
- Only a limit order's number comes back; a market order is looked up at once, for it cannot rest.

Source: Luno API 1.2.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import ZERO, ceil_to_step, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import AccountFill, Balance, Capabilities, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueRejected, VenueStatus
from amarktai.venues.account import AccountParts, priority_of
from amarktai.venues.account_records import NS_PER_MS, accepted_report, sum_balances, whole_ms
from amarktai.venues.account_stream import StreamReader
from amarktai.venues.budget import Priority
from amarktai.venues.ccxt_account import CcxtAccount
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.error_table import Absent
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.exchanges.luno.capabilities import CAPABILITIES
from amarktai.venues.exchanges.luno.errors import DIALECT
from amarktai.venues.exchanges.luno.records import account_fill, order_record
from amarktai.venues.exchanges.luno.stream import UserStream, Wallet
from amarktai.venues.socket import SocketPlan
from amarktai.venues.transport import Call, Transport, decoding, exact

BASE_URL: Final = "https://api.luno.com"
STREAM_URL: Final = "wss://ws.luno.com/api/1"
BUY_BAND: Final = Decimal("0.01")
STOP_BAND: Final = Decimal("0.05")
#: The longest that Luno lets a create be on its way (its default, too).
TTL_MS: Final = 10_000
PAGE: Final = 1_000

POST_ORDER: Final = Route("private", "POST", "postorder")
MARKET_ORDER: Final = Route("private", "POST", "marketorder")
STOP_ORDER: Final = Route("private", "POST", "stoporder")
ORDER_V3: Final = Route("exchangePrivate", "GET", "order", version="3")
LIST_V2: Final = Route("exchangePrivate", "GET", "listorders", version="2")
LIST_TRADES: Final = Route("private", "GET", "listtrades")
BALANCE: Final = Route("private", "GET", "balance")
FEE_INFO: Final = Route("private", "GET", "fee_info")
BOOK_TOP: Final = Route("public", "GET", "orderbook_top")


def time_to_live(call: Call, now_ms: int) -> Mapping[str, str]:
    """Return how long Luno may accept a create: until its deadline, counted from the time it leaves."""
    if not call.is_write or call.deadline_ts is None:
        return {}
    left_ms = call.deadline_ts // NS_PER_MS - now_ms
    return {"timestamp": str(now_ms), "ttl": str(max(1, min(TTL_MS, left_ms)))}


def open_account(
    credentials: Credentials,
    parts: AccountParts,
    *,
    base_url: str = BASE_URL,
    stream_url: str = STREAM_URL,
) -> LunoAccount:
    """Return the account of a key. The addresses are others only against a twin."""
    signer = CcxtSigner(VENUE, credentials, parts.clock, time_to_live)
    transport = Transport(Platform.LUNO, base_url, parts.budget, parts.clock, sign=signer)
    return LunoAccount(CcxtCalls(transport, DIALECT), signer, parts, credentials, stream_url)


class LunoAccount(CcxtAccount):
    """An account at Luno. Implements ports.exchange.ExchangeAccount."""

    capabilities: Capabilities = CAPABILITIES
    #: Orders are archived 100 days after they end.
    records_kept_days: ClassVar[int] = 99

    def __init__(
        self,
        calls: CcxtCalls,
        signer: CcxtSigner,
        parts: AccountParts,
        credentials: Credentials,
        stream_url: str,
    ) -> None:
        super().__init__(VENUE, calls, signer, parts)
        self._credentials = credentials
        self._stream_url = stream_url
        self._wallets: dict[str, Wallet] = {}

    # -- orders --------------------------------------------------------------------------------------------

    async def _place(self, request: OrderRequest, instrument: Instrument) -> OrderReport:
        route, params = await self._create_params(request, instrument)
        body = await self._calls.write(
            route, params, priority=priority_of(request), deadline_ts=request.deadline_ts
        )
        with decoding(self.platform, is_write=True):
            venue_order_id = str(body["order_id"])
        accepted = accepted_report(request, venue_order_id, to_datetime(self._clock.now_ns()))
        if request.type is not OrderType.MARKET:
            return accepted
        try:
            record = await self.fetch_record(venue_order_id, instrument.id)
            if record is None:
                return accepted
            return await self._report(request.order_id, record, instrument)
        except (Unavailable, Forbidden):
            return accepted  # it was taken, that much is certain; what came of it is asked for later

    async def _create_params(
        self, request: OrderRequest, instrument: Instrument
    ) -> tuple[Route, dict[str, str]]:
        params = {"pair": self._symbol(instrument), "client_order_id": request.client_order_id}
        if request.type is OrderType.MARKET and request.side is Side.SELL:
            return MARKET_ORDER, params | {"type": "SELL", "base_volume": f"{request.quantity:f}"}
        params |= {"type": "BID" if request.side is Side.BUY else "ASK", "volume": f"{request.quantity:f}"}
        if request.type is OrderType.MARKET:
            price = await self._buy_limit(request, instrument)
            return POST_ORDER, params | {"price": f"{price:f}", "time_in_force": "IOC"}
        if request.type is OrderType.STOP_MARKET:
            assert request.stop_price is not None  # checked before
            return POST_ORDER, params | {
                "price": f"{_stop_limit(request.side, request.stop_price, instrument):f}",
                "stop_price": f"{request.stop_price:f}",
                "stop_direction": "ABOVE" if request.side is Side.BUY else "BELOW",
            }
        assert request.price is not None  # checked before
        params["price"] = f"{request.price:f}"
        return POST_ORDER, params | ({"post_only": "true"} if request.post_only else {})

    async def _buy_limit(self, request: OrderRequest, instrument: Instrument) -> Decimal:
        """Return the highest price of a market buy.

        Raises: VenueRejected when the book cannot be read or the budget pays no offer; nothing has left then.
        """
        try:
            body = await self._calls.read(BOOK_TOP, {"pair": self._symbol(instrument)})
            with decoding(self.platform):
                asks = [(exact(row["price"]), exact(row["volume"])) for row in body["asks"]]
        except (Unavailable, Forbidden) as error:
            raise VenueRejected("REFERENCE_PRICE_MISSING", error.detail, "Nothing was sent.") from error
        if not asks:
            raise VenueRejected("NOT_ENOUGH_LIQUIDITY", "Luno's book has no offers.", "Wait for the market.")
        asks.sort()
        reached, left = asks[0][0], request.quantity
        for price, volume in asks:
            reached, left = price, left - volume
            if left <= ZERO:
                break
        highest = ceil_to_step(reached * (1 + BUY_BAND), instrument.tick_size)
        if request.budget is None:
            return highest
        unit = request.budget / (request.quantity * (1 + instrument.fees.taker))
        payable = floor_to_step(unit, instrument.tick_size)
        if payable < asks[0][0]:
            raise VenueRejected(
                "BUDGET_EXCEEDED",
                f"The best offer of {asks[0][0]:f} is above the {payable:f} that the reserved money pays.",
                "Nothing was sent. The bot decides anew on its next bar.",
            )
        return min(highest, payable)

    async def _ask_cancel(self, order_id: UUID, instrument: Instrument) -> str:
        record = await self._one({"client_order_id": order_id.hex}, Priority.EXIT)
        if record is None:
            return "Luno has no order with that id."
        return await self._calls.cancel(STOP_ORDER, {"order_id": record.venue_order_id})

    async def _find(self, client_order_id: str, instrument: Instrument) -> OrderRecord | None:
        return await self._one({"client_order_id": client_order_id})

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        return await self._one({"id": venue_order_id})

    async def _one(
        self, params: Mapping[str, str], priority: Priority = Priority.ORDER
    ) -> OrderRecord | None:
        try:
            body = await self._calls.read(ORDER_V3, params, priority=priority)
        except Absent:
            return None
        with decoding(self.platform):
            return order_record(body, self._id_of_symbol)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        return await self._orders(closed=False)

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        """Return every order created or changed since ``ts`` (ns UTC), oldest first.

        Luno lists by time of creation, so an old order that ended lately can stand on any page: all
        pages are read, which its archive ends after 100 days.
        """
        records = [*await self._orders(closed=True), *await self._orders(closed=False)]
        since_ts = whole_ms(ts)
        changed = {item.venue_order_id: item for item in records if _may_have_changed(item, since_ts)}
        return sorted(changed.values(), key=lambda item: item.created_at)

    async def _orders(self, *, closed: bool) -> list[OrderRecord]:
        found: dict[str, OrderRecord] = {}
        params = {"limit": str(PAGE), "closed": "true" if closed else "false"}
        while True:
            body = await self._calls.read(LIST_V2, params)
            with decoding(self.platform):
                rows = [order_record(row, self._id_of_symbol) for row in body.get("orders") or ()]
            fresh = {row.venue_order_id: row for row in rows if row.venue_order_id not in found}
            found |= fresh
            if len(rows) < PAGE:
                return list(found.values())
            if not fresh:
                raise _incomplete("orders")
            # One ms later than the oldest: an order of the same ms must not fall between two pages.
            oldest_ms = to_ns(min(row.created_at for row in rows)) // NS_PER_MS
            params["created_before"] = str(oldest_ms + 1)

    # -- executions --------------------------------------------------------------------------------------

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        """Return every execution since ``ts`` (ns UTC), oldest first.

        Trades are listed pair by pair: those that we watch, and those of any order changed since.
        """
        records = await self.fetch_records_since(ts)
        pairs = {self._symbol(item) for item in self._watched_instruments()}
        pairs |= {self._symbol_of_id(item.instrument_id) for item in records if item.filled_quantity}
        fills: list[AccountFill] = []
        for pair in sorted(pairs):
            fills += await self._trades(pair, ts, lambda found: False)
        return sorted(
            (fill for fill in fills if to_ns(fill.executed_at) >= whole_ms(ts)),
            key=lambda fill: fill.executed_at,
        )

    async def _fills_of(self, record: OrderRecord, instrument: Instrument) -> Sequence[AccountFill]:
        """Return an order's trades: from its creation on, until they add up to what it has filled."""

        def is_whole(found: Iterable[AccountFill]) -> bool:
            theirs = (fill.quantity for fill in found if fill.venue_order_id == record.venue_order_id)
            return sum(theirs, ZERO) >= record.filled_quantity

        trades = await self._trades(self._symbol(instrument), to_ns(record.created_at), is_whole)
        return [fill for fill in trades if fill.venue_order_id == record.venue_order_id]

    async def _trades(
        self, pair: str, since_ts: int, is_enough: Callable[[Iterable[AccountFill]], bool]
    ) -> list[AccountFill]:
        found: dict[str, AccountFill] = {}
        params = {"pair": pair, "limit": str(PAGE), "since": str(since_ts // NS_PER_MS)}
        while True:
            body = await self._calls.read(LIST_TRADES, params)
            with decoding(self.platform):
                rows = body.get("trades") or ()
                fills = [account_fill(row, self._id_of_symbol, self._assets_of) for row in rows]
                last = max((int(row["sequence"]) for row in rows), default=0)
            found |= {fill.venue_trade_id: fill for fill in fills}
            if len(rows) < PAGE or is_enough(found.values()):
                return list(found.values())
            params = {"pair": pair, "limit": str(PAGE), "after_seq": str(last + 1)}

    # -- money -------------------------------------------------------------------------------------------

    async def fetch_balances(self) -> Mapping[str, Balance]:
        body = await self._calls.read(BALANCE)
        with decoding(self.platform):
            rows = [
                (
                    str(row["account_id"]),
                    self._asset(row["asset"]),
                    exact(row["balance"]),
                    exact(row["reserved"]),
                )
                for row in body.get("balance") or ()
            ]
        for account_id, asset, total, reserved in rows:
            self._wallets[account_id] = Wallet(asset, total, total - reserved)
        return sum_balances((asset, total, reserved) for _, asset, total, reserved in rows)

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        """Return this account's fees; where buys and sells differ, the higher."""
        body = await self._calls.read(FEE_INFO, {"pair": self._symbol(instrument)})
        with decoding(self.platform):
            maker, taker = (_highest(body, name) for name in ("maker_fee", "taker_fee"))
        return Fees(maker, taker, f"Luno's fee_info of this account for {instrument.symbol}")

    # -- the stream --------------------------------------------------------------------------------------

    def _stream(self) -> tuple[SocketPlan, StreamReader]:
        async def address() -> str:
            await self._ready_to_stream(self.fetch_balances)  # the stream tells wallets by number only
            return f"{self._stream_url}/userstream"

        plan = SocketPlan(Platform.LUNO, address, ping=lambda: '""', ping_every_s=20.0, silence_s=60.0)
        return plan, UserStream(self._credentials, self._wallets)

    def _assets_of(self, pair: str) -> tuple[str, str]:
        """Return (base, quote) of a pair; Luno's pairs are two codes of three letters where it is unknown."""
        found = self._by_symbol.get(pair)
        if found is not None:
            return found.base, found.quote
        return self._asset(pair[:-3]), self._asset(pair[-3:])

    def _symbol_of_id(self, instrument_id: str) -> str:
        found = self._instruments.get(instrument_id)
        return instrument_id.partition(":")[2] if found is None else self._symbol(found)


def _stop_limit(side: Side, stop_price: Decimal, instrument: Instrument) -> Decimal:
    """Return the limit of a stop order: beyond the stop by the band, rounded away from the market."""
    if side is Side.BUY:
        return ceil_to_step(stop_price * (1 + STOP_BAND), instrument.tick_size)
    return floor_to_step(stop_price * (1 - STOP_BAND), instrument.tick_size)


def _may_have_changed(record: OrderRecord, since_ts: int) -> bool:
    """Say whether an order may have changed since: Luno tells the time of its end, of nothing between."""
    ended_at = record.updated_at or record.created_at
    return record.status is VenueStatus.OPEN or to_ns(max(record.created_at, ended_at)) >= since_ts


def _highest(body: Mapping[str, Any], name: str) -> Decimal:
    told = [body.get(key) for key in (name, f"{name}_buy", f"{name}_sell")]
    return max(exact(value) for value in told if value not in (None, ""))


def _incomplete(what: str) -> Unavailable:
    return Unavailable(
        "LIST_INCOMPLETE", f"Luno's list of {what} does not go on where its page ends.", "It is tried again."
    )
