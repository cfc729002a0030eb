"""VALR: HMAC-SHA512 headers, limits a key and an address, failed orders kept, fees in what is received."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from amarktai.twins.accounts import Account, Permission
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.faults import Operation
from amarktai.twins.limits import Meter
from amarktai.twins.matching import Event
from amarktai.twins.orders import Market
from amarktai.twins.rules import ClientIds, Rules, fee_in_received_asset
from amarktai.twins.twin import Listener, Setting, Twin
from amarktai.twins.valr.errors import error, forbidden, refuse
from amarktai.twins.valr.orders import ValrOrders
from amarktai.twins.valr.rest import ValrRest
from amarktai.twins.valr.stream import ValrStreams

#: A guess: the documents state no tolerance.
_CLOCK_TOLERANCE_MS: Final = 30_000
_MINUTE: Final = 60
_PACED: Final = ("/v1/public/time", "/v1/public/status")


def _market(base: str, quote: str, *numbers: str) -> Market:
    tick, smallest, notional, start = (Decimal(number) for number in numbers)
    maker, taker = ("0.0018", "0.0035") if quote == "ZAR" else ("0.0008", "0.001")
    return Market(
        symbol=base + quote, base=base, quote=quote, tick=tick, lot=Decimal("0.00000001"),
        min_quantity=smallest, max_quantity=Decimal(1_000_000), min_notional=notional,
        maker_rate=Decimal(maker), taker_rate=Decimal(taker), start_price=start,
    )  # fmt: skip


#: Ticks and minima of a dump of /v1/public/pairs of 2026-03-19; fees of tier 1.
MARKETS: Final = (
    _market("BTC", "ZAR", "1", "0.000008", "10", "1150000"),
    _market("ETH", "ZAR", "1", "0.0002", "10", "45000"),
    _market("XRP", "ZAR", "0.01", "0.8", "10", "11"),
    _market("USDT", "ZAR", "0.0001", "0.5", "10", "18"),
    _market("BTC", "USDT", "1", "0.000008", "1", "64000"),
)


class ValrTwin(Twin):
    """VALR as its collection describes it. Not here: changing orders, margin, perpetuals, simple orders."""

    name = "valr"
    default_markets = MARKETS

    def __init__(self, setting: Setting) -> None:
        self._per_key = Meter(2_000, _MINUTE)
        self._per_address = Meter(1_200, _MINUTE)
        self._public = Meter(30, _MINUTE)
        self._paced = Meter(20, 1)
        self._orders = Meter(400, 1)
        self.streams = ValrStreams(self)
        super().__init__(setting)

    def rules(self) -> Rules:
        return Rules(
            ClientIds.WHILE_OPEN,
            fee_in_received_asset(12, ROUND_HALF_UP),
            refuses_self_trade=True,
            keeps_failed=True,
        )

    def routes(self) -> Sequence[Route]:
        return (*ValrRest(self).routes(), *ValrOrders(self).routes())

    def new_order_id(self, number: int) -> str:
        """Return a UUIDv7 of now."""
        ms = self.clock.now_ns() // 1_000_000
        tail = int.from_bytes(self.rng.bytes(8)) >> 2
        return str(UUID(int=ms << 80 | 0x7 << 76 | (number & 0xFFF) << 64 | 0b10 << 62 | tail))

    # -- admission -------------------------------------------------------------------------------------

    def authenticate(self, call: Call, route: Route) -> Account:
        writes = call.method in ("POST", "PUT", "PATCH")
        if writes and "application/json" not in call.headers.get("content-type", ""):
            raise Refusal(forbidden())
        return self.account_of(call.headers, call.method + call.target, call.body.decode(), call.address)

    def account_of(self, headers: Mapping[str, str], signed: str, body: str, address: str) -> Account:
        """Return whose headers these are; ``signed`` is verb and path. Raises: Refusal."""
        get = headers.get
        key, stamp = get("x-valr-api-key", ""), get("x-valr-timestamp", "")
        if not key:
            raise Refusal(forbidden())
        account = self.accounts.get(key)
        if account is None or account.is_revoked or not stamp.isdigit():
            raise refuse(-11252)
        text = f"{stamp}{signed}{body}{get('x-valr-sub-account-id', '')}"
        expected = hmac.new(account.secret.encode(), text.encode(), "sha512").hexdigest()
        if not hmac.compare_digest(expected, get("x-valr-signature", "")):
            raise refuse(-11252)
        if abs(self.clock.now_ns() // 1_000_000 - int(stamp)) > _CLOCK_TOLERANCE_MS:
            raise refuse(-11252)
        if not account.allows_address(address):
            raise refuse(-11272)
        return account

    def meter(self, call: Call, route: Route) -> None:
        key = call.headers.get("x-valr-api-key", call.address)
        charges = [(self._per_address, call.address), (self._per_key, key)]
        if call.path in _PACED or call.path.endswith("/buckets"):
            charges = [(self._paced, call.address)]
        elif call.path.startswith("/v1/public/"):
            charges.append((self._public, call.address))
        elif route.operation in (Operation.CREATE, Operation.CANCEL):
            charges.append((self._orders, key))
        if not all([meter.charge(caller, 1, call.now_ns) for meter, caller in charges]):
            raise Refusal(self.too_many(call, 1))

    # -- answers of the exchange itself ----------------------------------------------------------------

    def forbidden(self, call: Call, needed: Permission) -> Answer:
        return forbidden()

    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        headers = {"x-valr-ratelimited": "true", "content-type": "text/html"}
        return Answer(b"<html><body>Too many requests</body></html>", 429, headers)

    def banned(self, call: Call, left_s: int) -> Answer:
        return self.too_many(call, left_s)

    def refused(self, call: Call) -> Answer:
        return error(-32)

    def server_error(self, call: Call) -> Answer:
        return Answer({"message": "Internal server error"}, 500)

    def unknown_route(self, call: Call) -> Answer:
        return Answer({"message": "Missing Authentication Token"}, 403)

    # -- streams ---------------------------------------------------------------------------------------

    def listener(self, path: str) -> Listener | None:
        return self.streams.listener(path)

    def on_events(self, events: Sequence[Event]) -> None:
        self.streams.on_events(events)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self.streams.run())
