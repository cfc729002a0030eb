"""One account at Binance, spot.

- A create carries ``recvWindow``: Binance refuses it when it arrives later than that, or later than
  our own deadline. Its answer is asked for in full, so fills that happen at once are in it.
- Orders and trades are listed market by market, within 24 hours or on from a number. Lists reach from
  a time by windows of a day until something is found, and from there on by numbers, to their end.
- Fees come in the asset that Binance reports, which may be BNB.

Source: Binance spot API documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.order import OrderType
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_ns
from amarktai.ports.exchange import AccountFill, Balance, Capabilities, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueStatus
from amarktai.venues.account import AccountParts, priority_of
from amarktai.venues.account_records import NS_PER_MS, sum_balances, whole_ms
from amarktai.venues.account_stream import StreamReader
from amarktai.venues.ccxt_account import CcxtAccount
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.error_table import Absent
from amarktai.venues.exchanges.binance import VENUE
from amarktai.venues.exchanges.binance.capabilities import CAPABILITIES
from amarktai.venues.exchanges.binance.errors import DIALECT
from amarktai.venues.exchanges.binance.records import account_fill, created_report, order_record
from amarktai.venues.exchanges.binance.stream import PING, UserData
from amarktai.venues.socket import SocketPlan, fixed
from amarktai.venues.transport import Call, Transport, decoding, exact

BASE_URL: Final = "https://api.binance.com"
STREAM_URL: Final = "wss://ws-api.binance.com/ws-api/v3"
#: The longest that a create may be on its way, and how long any signed call may be.
WINDOW_MS: Final = 5_000
PAGE: Final = 1_000
DAY_MS: Final = 86_400_000
#: Days that are looked through window by window; what lies further back is read from the beginning.
WINDOWS_AT_MOST: Final = 90

ORDER: Final = Route("private", "POST", "order")
CANCEL: Final = Route("private", "DELETE", "order")
QUERY: Final = Route("private", "GET", "order", weight=4)
OPEN_ORDERS: Final = Route("private", "GET", "openOrders", weight=80)
ALL_ORDERS: Final = Route("private", "GET", "allOrders", weight=20)
MY_TRADES: Final = Route("private", "GET", "myTrades", weight=20)
ACCOUNT: Final = Route("private", "GET", "account", weight=20)
COMMISSION: Final = Route("private", "GET", "account/commission", weight=20)
#: What myTrades weighs when it is asked for one order.
_TRADES_OF_ORDER: Final = 5.0
_T = TypeVar("_T", OrderRecord, AccountFill)


def receive_window(call: Call, now_ms: int) -> Mapping[str, str]:
    """Return how long Binance may accept a signed call: a create until its deadline at the latest."""
    if call.deadline_ts is None:
        return {"recvWindow": str(WINDOW_MS)}
    left_ms = call.deadline_ts // NS_PER_MS - now_ms
    return {"recvWindow": str(max(1, min(WINDOW_MS, left_ms)))}


def open_account(
    credentials: Credentials,
    parts: AccountParts,
    *,
    base_url: str = BASE_URL,
    stream_url: str = STREAM_URL,
) -> BinanceAccount:
    """Return the account of a key. The addresses are others only against a twin."""
    signer = CcxtSigner(VENUE, credentials, parts.clock, receive_window)
    transport = Transport(Platform.BINANCE, base_url, parts.budget, parts.clock, sign=signer)
    return BinanceAccount(CcxtCalls(transport, DIALECT), signer, parts, credentials, stream_url)


class BinanceAccount(CcxtAccount):
    """An account at Binance. Implements ports.exchange.ExchangeAccount."""

    capabilities: Capabilities = CAPABILITIES
    #: Orders without fills are archived after 90 days.
    records_kept_days: ClassVar[int] = 89

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

    # -- orders --------------------------------------------------------------------------------------------

    async def _place(self, request: OrderRequest, instrument: Instrument) -> OrderReport:
        body = await self._calls.write(
            ORDER,
            self._create_params(request, instrument),
            priority=priority_of(request),
            deadline_ts=request.deadline_ts,
        )
        with decoding(self.platform, is_write=True):
            return created_report(request, body)

    def _create_params(self, request: OrderRequest, instrument: Instrument) -> dict[str, str]:
        params = {
            "symbol": self._symbol(instrument),
            "side": request.side.upper(),
            "quantity": f"{request.quantity:f}",
            "newClientOrderId": request.client_order_id,
            "newOrderRespType": "FULL",
        }
        if request.type is OrderType.MARKET:
            return params | {"type": "MARKET"}
        if request.type is OrderType.STOP_MARKET:
            return params | {"type": "STOP_LOSS", "stopPrice": f"{request.stop_price:f}"}
        params["price"] = f"{request.price:f}"
        if request.post_only:
            return params | {"type": "LIMIT_MAKER"}
        return params | {"type": "LIMIT", "timeInForce": "GTC"}

    async def _ask_cancel(self, order_id: UUID, instrument: Instrument) -> str:
        params = {"symbol": self._symbol(instrument), "origClientOrderId": order_id.hex}
        return await self._calls.cancel(CANCEL, params)

    async def _find(self, client_order_id: str, instrument: Instrument) -> OrderRecord | None:
        return await self._one(instrument, {"origClientOrderId": client_order_id})

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        return await self._one(self._instrument(instrument_id), {"orderId": venue_order_id})

    async def _one(self, instrument: Instrument, params: Mapping[str, str]) -> OrderRecord | None:
        try:
            body = await self._calls.read(QUERY, {"symbol": self._symbol(instrument), **params})
        except Absent:
            return None
        with decoding(self.platform):
            return order_record(body, self._id_of_symbol)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        body = await self._calls.read(OPEN_ORDERS)
        with decoding(self.platform):
            return [order_record(row, self._id_of_symbol) for row in body]

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        """Return the orders created or changed since ``ts`` (ns UTC), oldest first.

        They are those that rest now, those created since, and older ones that have filled since, in the
        markets that we watch. An older order that was canceled since without a fill is in no list of
        Binance's by time: ours are asked for one by one, and one placed by hand moved no money.
        """
        found = {item.venue_order_id: item for item in await self.fetch_open_records()}
        for instrument in self._instruments_of(found.values()):
            records = await self._since(
                ALL_ORDERS,
                self._symbol(instrument),
                ts,
                "orderId",
                lambda row: order_record(row, self._id_of_symbol),
            )
            found |= {item.venue_order_id: item for item in records}
            for fill in await self._fills_since(instrument, ts):
                if fill.venue_order_id not in found:
                    record = await self.fetch_record(fill.venue_order_id, instrument.id)
                    if record is not None:
                        found[record.venue_order_id] = record
        since_ts = whole_ms(ts)
        changed = (item for item in found.values() if _may_have_changed(item, since_ts))
        return sorted(changed, key=lambda item: item.created_at)

    def _instruments_of(self, records: Any) -> list[Instrument]:
        """Return the markets that we watch, and those of these records."""
        seen = {item.instrument_id for item in records} & self._instruments.keys()
        return [self._instruments[item] for item in sorted(self._watched | seen)]

    # -- executions --------------------------------------------------------------------------------------

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        """Return every execution since ``ts`` (ns UTC) in the markets that we watch, oldest first."""
        found: list[AccountFill] = []
        for instrument in self._instruments_of(await self.fetch_open_records()):
            found += await self._fills_since(instrument, ts)
        return sorted(found, key=lambda fill: fill.executed_at)

    async def _fills_since(self, instrument: Instrument, ts: int) -> list[AccountFill]:
        since_ts = whole_ms(ts)
        fills = await self._since(MY_TRADES, self._symbol(instrument), ts, "fromId", self._fill)
        return [fill for fill in fills if to_ns(fill.executed_at) >= since_ts]

    async def _fills_of(self, record: OrderRecord, instrument: Instrument) -> Sequence[AccountFill]:
        found: dict[str, AccountFill] = {}
        params = {"symbol": self._symbol(instrument), "orderId": record.venue_order_id, "limit": str(PAGE)}
        while True:
            rows = await self._calls.read(MY_TRADES, params, weight=_TRADES_OF_ORDER)
            with decoding(self.platform):
                found |= {fill.venue_trade_id: fill for fill in map(self._fill, rows)}
                if len(rows) < PAGE:
                    return list(found.values())
                params["fromId"] = str(max(int(row["id"]) for row in rows) + 1)

    def _fill(self, row: Mapping[str, Any]) -> AccountFill:
        return account_fill(row, self._id_of_symbol, self._asset)

    async def _since(
        self, route: Route, symbol: str, ts: int, number: str, decode: Callable[[Mapping[str, Any]], _T]
    ) -> list[_T]:
        """Return every row since a time, and what the same page holds from before it.

        By windows of a day to the first, then by numbers to the last; by numbers alone when the time lies
        so far back that windows would cost more.
        """
        key = "orderId" if number == "orderId" else "id"
        params = {"symbol": symbol, "limit": str(PAGE)}
        if self._now_ms() - ts // NS_PER_MS > WINDOWS_AT_MOST * DAY_MS:
            rows = await self._calls.read(route, {**params, number: "0"})
        else:
            rows = await self._first_rows(route, params, ts // NS_PER_MS)
        found: list[_T] = []
        while rows:
            with decoding(self.platform):
                found += [decode(row) for row in rows]
                last = max(int(row[key]) for row in rows)
            rows = await self._calls.read(route, {**params, number: str(last + 1)})
        return found

    async def _first_rows(self, route: Route, params: Mapping[str, str], from_ms: int) -> list[Any]:
        """Return the rows of the first day from a time on that has any."""
        while from_ms <= self._now_ms():
            window = {"startTime": str(from_ms), "endTime": str(from_ms + DAY_MS - 1)}
            rows: list[Any] = await self._calls.read(route, {**params, **window})
            if rows:
                return rows
            from_ms += DAY_MS
        return []

    # -- money -------------------------------------------------------------------------------------------

    async def fetch_balances(self) -> Mapping[str, Balance]:
        body = await self._calls.read(ACCOUNT, {"omitZeroBalances": "true"})
        with decoding(self.platform):
            rows = [
                (self._asset(row["asset"]), exact(row["free"]), exact(row["locked"]))
                for row in body["balances"]
            ]
        return sum_balances((asset, free + locked, locked) for asset, free, locked in rows)

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        """Return this account's fees: standard, special and tax together, before any discount for BNB."""
        body = await self._calls.read(COMMISSION, {"symbol": self._symbol(instrument)})
        kinds = ("standardCommission", "specialCommission", "taxCommission")
        with decoding(self.platform):
            maker, taker = (
                sum((exact(body[kind][side]) for kind in kinds if kind in body), start=exact("0"))
                for side in ("maker", "taker")
            )
        return Fees(maker, taker, f"Binance's account/commission of this account for {instrument.symbol}")

    # -- the stream --------------------------------------------------------------------------------------

    def _stream(self) -> tuple[SocketPlan, StreamReader]:
        plan = SocketPlan(
            Platform.BINANCE, fixed(self._stream_url), ping=lambda: PING, ping_every_s=20.0, silence_s=60.0
        )
        return plan, UserData(self._credentials, self._now_ms, self._id_of_symbol)


def _may_have_changed(record: OrderRecord, since_ts: int) -> bool:
    return record.status is VenueStatus.OPEN or to_ns(record.updated_at or record.created_at) >= since_ts
