"""One account at VALR, by its v2 order routes: what they answer with 201 or 200 has really happened.

What differs from other exchanges:
- Our id is unique among open orders only, and an order that VALR refused stays in its records as
  failed, under the same id. A failed order says nothing of another one with that id.
- A stop is a stop-limit there: its limit lies ``STOP_BAND`` beyond the stop. A market that jumps over
  the band leaves it resting.
- Histories are newest first and paged by ``skip``: rows that come in meanwhile push the others to later
  pages, so a row can be read twice but not missed.

Source: VALR's Postman collection, "Exchange Buy/Sell" and "Account".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import ZERO, ceil_to_step, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials
from amarktai.domain.signing import valr_headers
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import AccountFill, Balance, Capabilities, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueRejected
from amarktai.venues.account import CLOCK_MARGIN_NS, AccountParts, VenueAccount, priority_of
from amarktai.venues.account_records import NS_PER_MS, accepted_report, sum_balances, whole_ms
from amarktai.venues.account_stream import StreamReader
from amarktai.venues.budget import Priority
from amarktai.venues.error_table import Absent, error_of_write, find_rule
from amarktai.venues.exchanges.valr import VENUE
from amarktai.venues.exchanges.valr.calls import BASE_URL, STREAM_URL, ValrCalls, open_transport
from amarktai.venues.exchanges.valr.capabilities import CAPABILITIES
from amarktai.venues.exchanges.valr.errors import DIALECT, RULES, read_refusal
from amarktai.venues.exchanges.valr.records import OrderRow, account_fill, iso, order_row
from amarktai.venues.exchanges.valr.stream import PING, AccountStream
from amarktai.venues.socket import SocketPlan
from amarktai.venues.transport import decoding, exact

_Row = TypeVar("_Row")
STOP_BAND: Final = Decimal("0.05")
PAGE: Final = 100
_PERCENT: Final = Decimal(100)


def open_account(
    credentials: Credentials, parts: AccountParts, *, base_url: str = BASE_URL, stream_url: str = STREAM_URL
) -> ValrAccount:
    """Return the account of a key. The addresses are others only against a twin."""
    calls = ValrCalls(open_transport(base_url, parts.budget, parts.clock, credentials))
    return ValrAccount(calls, parts, credentials, stream_url)


class ValrAccount(VenueAccount):
    """An account at VALR. Implements ports.exchange.ExchangeAccount."""

    capabilities: Capabilities = CAPABILITIES
    #: No source names an end of VALR's history; beyond a year "not found" is not believed.
    records_kept_days: ClassVar[int] = 365

    def __init__(
        self, calls: ValrCalls, parts: AccountParts, credentials: Credentials, stream_url: str
    ) -> None:
        super().__init__(VENUE, parts)
        self._calls = calls
        self._credentials = credentials
        self._stream_url = stream_url
        self._fees: dict[str, Fees] = {}

    # -- orders --------------------------------------------------------------------------------------------

    async def _place(self, request: OrderRequest, instrument: Instrument) -> OrderReport:
        path, body = self._create_body(request, instrument)
        answer = await self._calls.write(
            "POST", path, body, priority=priority_of(request), deadline_ts=request.deadline_ts
        )
        refusal = read_refusal(answer)
        if refusal is not None:
            return await self._judge(request, instrument, refusal)
        with decoding(self.platform, is_write=True):
            venue_order_id = str(answer.body["id"])
        accepted = accepted_report(request, venue_order_id, to_datetime(self._clock.now_ns()))
        if request.type is not OrderType.MARKET:
            return accepted
        try:
            record = await self.fetch_record(venue_order_id, instrument.id)
            return accepted if record is None else await self._report(request.order_id, record, instrument)
        except (Unavailable, Forbidden):
            return accepted  # it was taken, that much is certain; what came of it is asked for later

    def _create_body(self, request: OrderRequest, instrument: Instrument) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {
            "side": request.side.upper(),
            "pair": self._symbol(instrument),
            "customerOrderId": request.client_order_id,
        }
        quantity = f"{request.quantity:f}"
        if request.type is OrderType.MARKET:
            return "/v2/orders/market", body | {"baseAmount": quantity}
        body |= {"quantity": quantity, "timeInForce": "GTC"}
        if request.type is OrderType.STOP_MARKET:
            assert request.stop_price is not None  # checked before
            return "/v2/orders/stop/limit", body | {
                "price": f"{_stop_limit(request.side, request.stop_price, instrument):f}",
                "stopPrice": f"{request.stop_price:f}",
                "type": "STOP_LOSS_LIMIT",
            }
        return "/v2/orders/limit", body | {"price": f"{request.price:f}", "postOnly": request.post_only}

    async def _judge(
        self, request: OrderRequest, instrument: Instrument, refusal: tuple[str, str]
    ) -> OrderReport:
        """Return the order all the same, if it stands. A code that no rule knows is no proof: VALR keeps
        the orders that it fails, and its record of one is.

        Raises: VenueRejected, OutcomeUnknown.
        """
        error = error_of_write(DIALECT, *refusal)
        if isinstance(error, VenueRejected) or find_rule(RULES, *refusal) is not None:
            raise error
        try:
            found = await self._search(request.client_order_id)
        except (Unavailable, Forbidden):
            raise error from None
        said = f"{refusal[1]} {found.reason}" if found is not None else ""
        if found is None or (found.is_failed and "duplicate" in said.lower()):
            raise error  # an order with that id stands somewhere, whatever the lists say yet
        if found.is_failed:
            raise VenueRejected(
                "ORDER_FAILED", f"VALR failed the order: {found.reason or error.detail}", "Change the order."
            )
        return await self._report(request.order_id, found.record, instrument)

    async def _ask_cancel(self, order_id: UUID, instrument: Instrument) -> str:
        body = {"customerOrderId": order_id.hex, "pair": self._symbol(instrument)}
        answer = await self._calls.write("DELETE", "/v2/orders/order", body, priority=Priority.EXIT)
        refusal = read_refusal(answer)
        return "" if refusal is None else str(error_of_write(DIALECT, *refusal))

    async def _find(self, client_order_id: str, instrument: Instrument) -> OrderRecord | None:
        """Return the order with our id; a failed one only when no other has that id."""
        found = await self._look_up(client_order_id, instrument)
        if found is not None and found.is_failed:
            found = await self._search(client_order_id) or found
        return None if found is None else found.record

    async def _look_up(self, client_order_id: str, instrument: Instrument) -> OrderRow | None:
        return await self._one(f"/v1/orders/{self._symbol(instrument)}/customerorderid/{client_order_id}")

    async def _search(self, client_order_id: str) -> OrderRow | None:
        """Return the order with our id from the lists, one that VALR did not fail before one that it did."""
        made_ts = (UUID(hex=client_order_id).int >> 80) * NS_PER_MS
        rows = await self._rows_since(made_ts - CLOCK_MARGIN_NS)
        same = [row for row in rows if row.record.client_order_id == client_order_id]
        return min(same, key=lambda row: row.is_failed, default=None)

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        symbol = self._symbol(self._instrument(instrument_id))
        found = await self._one(f"/v1/orders/{symbol}/orderid/{venue_order_id}")
        if found is None:
            rows = await self._calls.read(f"/v1/orders/history/detail/orderid/{venue_order_id}")
            with decoding(self.platform):
                steps = [order_row(row, self._id_of_symbol) for row in rows]
            found = steps[0] if steps else None  # newest first
        if found is None:
            listed = await self.fetch_open_records()
            return next((item for item in listed if item.venue_order_id == venue_order_id), None)
        return found.record

    async def _one(self, path: str) -> OrderRow | None:
        try:
            body = await self._calls.read(path)
        except Absent:
            return None
        with decoding(self.platform):
            return order_row(body, self._id_of_symbol)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        return [row.record for row in await self._open_rows()]

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        """Return every order created or changed since ``ts`` (ns UTC), oldest first."""
        since_ts = whole_ms(ts)
        records = [row.record for row in await self._rows_since(since_ts)]
        changed = [item for item in records if to_ns(item.updated_at or item.created_at) >= since_ts]
        return sorted(changed, key=lambda item: item.created_at)

    async def _rows_since(self, ts: int) -> list[OrderRow]:
        """Return the open orders and those that ended since ``ts``.

        The open list comes first: an order that ends between the two calls is then in both.
        """
        found = {row.record.venue_order_id: row for row in await self._open_rows()}
        query = {"startTime": iso(ts), "showZeroVolumeCancels": "true", "excludeFailures": "false"}
        ended = await self._pages("/v1/orders/history", query, self._order_rows)
        return list((found | {row.record.venue_order_id: row for row in ended}).values())

    async def _open_rows(self) -> list[OrderRow]:
        body = await self._calls.read("/v1/orders/open")
        with decoding(self.platform):
            return self._order_rows(body)

    def _order_rows(self, rows: Sequence[Any]) -> list[OrderRow]:
        return [order_row(row, self._id_of_symbol) for row in rows]

    async def _pages(
        self,
        path: str,
        query: Mapping[str, str],
        parse: Callable[[Sequence[Any]], list[_Row]],
        is_enough: Callable[[Sequence[_Row]], bool] = lambda found: False,
    ) -> list[_Row]:
        """Return all rows of a history, newest first; a row can come twice.

        Raises: Unavailable when a full page brings nothing new, for then the end is not known.
        """
        found: list[_Row] = []
        last: Sequence[Any] = ()
        while True:
            asked = {**query, "skip": str(len(found)), "limit": str(PAGE)}
            rows = await self._calls.read(path, asked)
            with decoding(self.platform):
                found += parse(rows)
            if len(rows) < PAGE or is_enough(found):
                return found
            if rows == last:
                raise Unavailable(
                    "LIST_INCOMPLETE",
                    "VALR gives the same page of its history again.",
                    "It is tried again by itself.",
                )
            last = rows

    # -- executions --------------------------------------------------------------------------------------

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        """Return every execution since ``ts`` (ns UTC), oldest first."""
        since_ts = whole_ms(ts)
        fills = await self._trades("/v1/account/tradehistory", {"startTime": iso(since_ts)})
        recent = (fill for fill in fills if to_ns(fill.executed_at) >= since_ts)
        return sorted(recent, key=lambda fill: (fill.executed_at, fill.venue_trade_id))

    async def _fills_of(self, record: OrderRecord, instrument: Instrument) -> Sequence[AccountFill]:
        """Return an order's executions: newest first until they add up to what it has filled, or to its
        creation.
        """

        def is_whole(found: Sequence[AccountFill]) -> bool:
            mine = {fill.venue_trade_id: fill for fill in found if _is_of(fill, record)}
            filled = sum((fill.quantity for fill in mine.values()), ZERO)
            return filled >= record.filled_quantity or found[-1].executed_at < record.created_at

        path = f"/v1/account/{self._symbol(instrument)}/tradehistory"
        fills = await self._trades(path, {}, is_whole)
        return sorted((fill for fill in fills if _is_of(fill, record)), key=lambda fill: fill.executed_at)

    async def _trades(
        self,
        path: str,
        query: Mapping[str, str],
        is_enough: Callable[[Sequence[AccountFill]], bool] = lambda found: False,
    ) -> list[AccountFill]:
        fees = await self._fee_table()

        def parse(rows: Sequence[Any]) -> list[AccountFill]:
            return [account_fill(row, self._id_of_symbol, fees) for row in rows]

        fills = await self._pages(path, query, parse, is_enough)
        return list({fill.venue_trade_id: fill for fill in fills}.values())

    # -- money -------------------------------------------------------------------------------------------

    async def fetch_balances(self) -> Mapping[str, Balance]:
        """Return every balance; what is lent or borrowed is not available and counts as reserved."""
        rows = await self._calls.read("/v1/account/balances", {"excludeZeroBalances": "true"})
        with decoding(self.platform):
            amounts = [(str(row["currency"]), exact(row["total"]), exact(row["available"])) for row in rows]
        return sum_balances((asset, total, total - available) for asset, total, available in amounts)

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        self._fees.clear()
        table = await self._fee_table()
        found = table.get(self._symbol(instrument))
        if found is None:
            raise Unavailable(
                "VENUE_SYMBOL", f"VALR tells no fees of {instrument.symbol}.", "It is tried again by itself."
            )
        return found

    async def _fee_table(self) -> Mapping[str, Fees]:
        """Return the account's fees by pair, read once: they tell makers from takers in old fills."""
        if not self._fees:
            rows = await self._calls.read("/v1/account/fees/trade")
            with decoding(self.platform):
                self._fees |= {str(row["currencyPair"]): _fees(row) for row in rows}
        return self._fees

    # -- the stream --------------------------------------------------------------------------------------

    def _stream(self) -> tuple[SocketPlan, StreamReader]:
        async def address() -> str:
            await self._ready_to_stream(self._fee_table)  # a fill's fee is told without who was the maker
            return f"{self._stream_url}/ws/account"

        def headers() -> Mapping[str, str]:
            key = (self._credentials.api_key, self._credentials.api_secret)
            return valr_headers(key, self._clock.now_ns() // NS_PER_MS, ("GET", "/ws/account", ""))

        plan = SocketPlan(Platform.VALR, address, headers, ping=lambda: PING, silence_s=75.0)
        return plan, AccountStream(self._id_of_symbol, self._fees)

    async def close(self) -> None:
        await self._calls.close()


def _is_of(fill: AccountFill, record: OrderRecord) -> bool:
    return fill.venue_order_id == record.venue_order_id


def _fees(row: Mapping[str, Any]) -> Fees:
    """Return a row of account/fees/trade, which tells percents, as ratios."""
    maker, taker = (exact(row[key]) / _PERCENT for key in ("makerPercentage", "takerPercentage"))
    return Fees(maker, taker, f"VALR's account/fees/trade of this account for {row['currencyPair']}")


def _stop_limit(side: Side, stop: Decimal, instrument: Instrument) -> Decimal:
    """Return the limit of a stop order: the band beyond its stop, on the tick."""
    if side is Side.BUY:
        return ceil_to_step(stop * (1 + STOP_BAND), instrument.tick_size)
    return floor_to_step(stop * (1 - STOP_BAND), instrument.tick_size)
