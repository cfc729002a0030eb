"""One account at KuCoin, spot, over the high-frequency (``hf``) routes of a classic account.

- Creates and cancels use the ``/sync`` routes, which answer with the result and not with a receipt. A
  create carries ``clientTimestamp`` and ``allowMaxTimeWindow``: KuCoin fails it when it comes later.
- Only the trading account counts: what lies in the main account cannot be traded with.
- Orders are listed by symbol; which symbols have open orders, KuCoin tells.
- Stop orders live in a list of their own with ids of their own there; we place none.

Source: specification of kucoin-universal-sdk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from uuid import UUID

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_ns
from amarktai.ports.exchange import AccountFill, Balance, Capabilities, OrderRecord
from amarktai.ports.venue import OrderReport, OrderRequest, VenueRejected, VenueStatus
from amarktai.venues.account import AccountParts, priority_of
from amarktai.venues.account_records import NS_PER_MS, sum_balances, whole_ms
from amarktai.venues.account_stream import StreamReader
from amarktai.venues.ccxt_account import CcxtAccount
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner, Route
from amarktai.venues.error_table import Absent
from amarktai.venues.exchanges.kucoin import VENUE
from amarktai.venues.exchanges.kucoin.capabilities import CAPABILITIES
from amarktai.venues.exchanges.kucoin.errors import DIALECT, ban_seconds
from amarktai.venues.exchanges.kucoin.records import account_fill, order_record, placed_report
from amarktai.venues.exchanges.kucoin.stream import PING, AccountMessages, stream_address
from amarktai.venues.socket import SocketPlan
from amarktai.venues.transport import Call, Transport, decoding, exact

BASE_URL: Final = "https://api.kucoin.com"
#: KuCoin's clock and ours may differ by this much before it refuses a call.
WINDOW_MS: Final = 5_000
PAGE: Final = 100
#: The longest time that a list of fills is asked for at once.
FILLS_WINDOW_MS: Final = 7 * 86_400_000
#: KuCoin opened in September 2017: nothing lies before.
FIRST_TRADE_MS: Final = 1_504_224_000_000

PLACE: Final = Route("private", "POST", "hf/orders/sync")
CANCEL: Final = Route("private", "DELETE", "hf/orders/sync/client-order/{clientOid}")
BY_CLIENT_ID: Final = Route("private", "GET", "hf/orders/client-order/{clientOid}", weight=2)
BY_ID: Final = Route("private", "GET", "hf/orders/{orderId}", weight=2)
ACTIVE_SYMBOLS: Final = Route("private", "GET", "hf/orders/active/symbols", weight=2)
ACTIVE: Final = Route("private", "GET", "hf/orders/active", weight=2)
DONE: Final = Route("private", "GET", "hf/orders/done", weight=2)
FILLS: Final = Route("private", "GET", "hf/fills", weight=2)
ACCOUNTS: Final = Route("private", "GET", "accounts", weight=5)
TRADE_FEES: Final = Route("private", "GET", "trade-fees", weight=3)
BULLET: Final = Route("private", "POST", "bullet-private", weight=10)


def time_window(call: Call, now_ms: int) -> Mapping[str, Any]:
    """Return how long KuCoin may accept a create: until its deadline, counted from the time it leaves."""
    if call.deadline_ts is None:
        return {}
    left_ms = call.deadline_ts // NS_PER_MS - now_ms
    return {"clientTimestamp": now_ms, "allowMaxTimeWindow": max(1, min(WINDOW_MS, left_ms))}


def open_account(credentials: Credentials, parts: AccountParts, *, base_url: str = BASE_URL) -> KucoinAccount:
    """Return the account of a key. The address is another only against a twin."""
    signer = CcxtSigner(VENUE, credentials, parts.clock, time_window)
    transport = Transport(
        Platform.KUCOIN, base_url, parts.budget, parts.clock, sign=signer, ban_s=ban_seconds
    )
    return KucoinAccount(VENUE, CcxtCalls(transport, DIALECT), signer, parts)


class KucoinAccount(CcxtAccount):
    """An account at KuCoin. Implements ports.exchange.ExchangeAccount."""

    capabilities: Capabilities = CAPABILITIES
    #: KuCoin drops canceled orders without fills first; how soon is not documented for certain.
    records_kept_days: ClassVar[int] = 3

    # -- orders --------------------------------------------------------------------------------------------

    async def _place(self, request: OrderRequest, instrument: Instrument) -> OrderReport:
        body = await self._calls.write(
            PLACE,
            self._create_params(request, instrument),
            priority=priority_of(request),
            deadline_ts=request.deadline_ts,
        )
        with decoding(self.platform, is_write=True):
            report = placed_report(request, body)
        if request.post_only and report.status is VenueStatus.CANCELED and not report.filled_quantity:
            raise VenueRejected(
                "POST_ONLY_WOULD_TAKE",
                f"KuCoin canceled the post-only order: it would have traded at {request.price}.",
                "Place it further from the market.",
            )
        if report.filled_quantity <= ZERO:
            return report
        try:
            fills = await self._fills_of_order(report.venue_order_id, instrument)
        except (Unavailable, Forbidden):
            return report  # it was taken, that much is certain; its fills are asked for later
        return replace(report, fills=tuple(fill.of_order(request.order_id) for fill in fills))

    def _create_params(self, request: OrderRequest, instrument: Instrument) -> dict[str, Any]:
        params: dict[str, Any] = {
            "clientOid": request.client_order_id,
            "symbol": self._symbol(instrument),
            "side": request.side.value,
            "size": f"{request.quantity:f}",
        }
        if request.type is OrderType.MARKET:
            return params | {"type": "market"}
        params |= {"type": "limit", "price": f"{request.price:f}", "timeInForce": "GTC"}
        return params | ({"postOnly": True} if request.post_only else {})

    async def _ask_cancel(self, order_id: UUID, instrument: Instrument) -> str:
        params = {"clientOid": order_id.hex, "symbol": self._symbol(instrument)}
        return await self._calls.cancel(CANCEL, params)

    async def _find(self, client_order_id: str, instrument: Instrument) -> OrderRecord | None:
        return await self._one(BY_CLIENT_ID, instrument, {"clientOid": client_order_id})

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        return await self._one(BY_ID, self._instrument(instrument_id), {"orderId": venue_order_id})

    async def _one(
        self, route: Route, instrument: Instrument, params: Mapping[str, str]
    ) -> OrderRecord | None:
        try:
            body = await self._calls.read(route, {"symbol": self._symbol(instrument), **params})
        except Absent:
            return None
        if body is None:
            return None
        with decoding(self.platform):
            return order_record(body, self._id_of_symbol)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        found: list[OrderRecord] = []
        for symbol in await self._active_symbols():
            body = await self._calls.read(ACTIVE, {"symbol": symbol})
            with decoding(self.platform):
                found += [order_record(row, self._id_of_symbol) for row in body or ()]
        return found

    async def _active_symbols(self) -> Sequence[str]:
        body = await self._calls.read(ACTIVE_SYMBOLS)
        with decoding(self.platform):
            return [str(symbol) for symbol in (body or {}).get("symbols") or ()]

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        """Return the orders created or changed since ``ts`` (ns UTC), oldest first.

        Closed ones are listed by their last change, in the markets that we watch and in those with open
        orders.
        """
        found = {item.venue_order_id: item for item in await self.fetch_open_records()}
        for symbol in self._symbols_of(found.values()):
            found |= {item.venue_order_id: item for item in await self._done(symbol, whole_ms(ts))}
        return sorted(found.values(), key=lambda item: item.created_at)

    async def _done(self, symbol: str, since_ts: int) -> list[OrderRecord]:
        found: dict[str, OrderRecord] = {}
        params = {"symbol": symbol, "limit": str(PAGE)}
        while True:
            body = await self._calls.read(DONE, params)
            with decoding(self.platform):
                rows = [order_record(row, self._id_of_symbol) for row in body["items"]]
                params["lastId"] = str(body["lastId"])
            found |= {row.venue_order_id: row for row in rows if _changed_ts(row) >= since_ts}
            if len(rows) < PAGE or all(_changed_ts(row) < since_ts for row in rows):
                return list(found.values())

    def _symbols_of(self, records: Any) -> list[str]:
        """Return the symbols that we watch, and those of these records."""
        seen = {item.instrument_id for item in records} & self._instruments.keys()
        return [self._symbol(self._instruments[item]) for item in sorted(self._watched | seen)]

    # -- executions --------------------------------------------------------------------------------------

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        """Return every execution since ``ts`` (ns UTC), oldest first, in the markets that we watch."""
        found: list[AccountFill] = []
        for symbol in self._symbols_of(await self.fetch_open_records()):
            from_ms, now_ms = max(ts // NS_PER_MS, FIRST_TRADE_MS), self._now_ms()
            while from_ms <= now_ms:
                window = {"startAt": str(from_ms), "endAt": str(from_ms + FILLS_WINDOW_MS - 1)}
                found += await self._fill_pages({"symbol": symbol, **window})
                from_ms += FILLS_WINDOW_MS
        since_ts = whole_ms(ts)
        fresh = {fill.venue_trade_id: fill for fill in found if to_ns(fill.executed_at) >= since_ts}
        return sorted(fresh.values(), key=lambda fill: fill.executed_at)

    async def _fills_of(self, record: OrderRecord, instrument: Instrument) -> Sequence[AccountFill]:
        return await self._fills_of_order(record.venue_order_id, instrument)

    async def _fills_of_order(self, venue_order_id: str, instrument: Instrument) -> Sequence[AccountFill]:
        return await self._fill_pages({"symbol": self._symbol(instrument), "orderId": venue_order_id})

    async def _fill_pages(self, params: Mapping[str, str]) -> list[AccountFill]:
        """Return all pages of a list of fills, oldest first."""
        found: dict[str, AccountFill] = {}
        asked = {**params, "limit": str(PAGE)}
        while True:
            body = await self._calls.read(FILLS, asked)
            with decoding(self.platform):
                rows = [account_fill(row, self._id_of_symbol, self._asset) for row in body["items"]]
                asked["lastId"] = str(body["lastId"])
            found |= {fill.venue_trade_id: fill for fill in rows}
            if len(rows) < PAGE:
                return sorted(found.values(), key=lambda fill: fill.executed_at)

    # -- money -------------------------------------------------------------------------------------------

    async def fetch_balances(self) -> Mapping[str, Balance]:
        """Return the trading account's assets; the main account's cannot be traded with."""
        body = await self._calls.read(ACCOUNTS, {"type": "trade"})
        with decoding(self.platform):
            return sum_balances(
                (self._asset(str(row["currency"])), exact(row["balance"]), exact(row["holds"]))
                for row in body
            )

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        body = await self._calls.read(TRADE_FEES, {"symbols": self._symbol(instrument)})
        with decoding(self.platform):
            row = next(row for row in body if row["symbol"] == self._symbol(instrument))
            maker, taker = exact(row["makerFeeRate"]), exact(row["takerFeeRate"])
        return Fees(maker, taker, f"KuCoin's trade-fees of this account for {instrument.symbol}")

    # -- the stream --------------------------------------------------------------------------------------

    def _stream(self) -> tuple[SocketPlan, StreamReader]:
        async def address() -> str:
            return await self._ready_to_stream(self._stream_address)

        plan = SocketPlan(Platform.KUCOIN, address, ping=lambda: PING, ping_every_s=15.0, silence_s=45.0)
        return plan, AccountMessages(self._id_of_symbol, self._asset)

    async def _stream_address(self) -> str:
        """Return where the private stream is now, with a token for one connection."""
        body = await self._calls.read(BULLET)
        with decoding(self.platform):
            return stream_address(body, self._rng.bytes(8).hex())


def _changed_ts(record: OrderRecord) -> int:
    return to_ns(record.updated_at or record.created_at)
