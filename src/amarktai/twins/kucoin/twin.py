"""KuCoin spot: four signed headers, weighted pools of 30 seconds, fees in the quote currency."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from amarktai.ports.rng import Rng
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.faults import Operation
from amarktai.twins.kucoin.errors import error, refuse
from amarktai.twins.kucoin.orders import KucoinOrders
from amarktai.twins.kucoin.rest import KucoinRest
from amarktai.twins.kucoin.stream import KucoinStreams
from amarktai.twins.kucoin.switch import Switch
from amarktai.twins.limits import Meter
from amarktai.twins.matching import Event
from amarktai.twins.orders import Market
from amarktai.twins.rules import ClientIds, Rules, fee_in_quote
from amarktai.twins.twin import Listener, Setting, Twin

_CLOCK_TOLERANCE_MS: Final = 5_000
_POOL_SECONDS: Final = 30
#: Requests of 30 seconds at the lowest VIP level.
_POOLS: Final = {"public": 2_000, "spot": 4_000, "management": 2_000}
_MANAGEMENT: Final = frozenset(
    {Operation.BALANCES, Operation.PERMISSIONS, Operation.FEES, Operation.STATEMENT}
)
_HEADERS: Final = ("kc-api-key", "kc-api-sign", "kc-api-timestamp", "kc-api-passphrase")


def _market(base: str, quote: str, *numbers: str) -> Market:
    tick, lot, smallest, notional, start = (Decimal(number) for number in numbers)
    rate = Decimal("0.001")
    return Market(
        symbol=f"{base}-{quote}", base=base, quote=quote, tick=tick, lot=lot, min_quantity=smallest,
        max_quantity=Decimal(10_000_000_000), min_notional=notional, maker_rate=rate, taker_rate=rate,
        start_price=start,
    )  # fmt: skip


#: Increments as in the recorded symbols of public clients' tests.
MARKETS: Final = (
    _market("BTC", "USDT", "0.1", "0.00000001", "0.00001", "0.1", "64000"),
    _market("ETH", "USDT", "0.01", "0.0000001", "0.0001", "0.1", "2500"),
    _market("KCS", "USDT", "0.001", "0.0001", "0.01", "0.1", "9"),
    _market("ETH", "BTC", "0.00001", "0.0000001", "0.0001", "0.000001", "0.039"),
)


class KucoinTwin(Twin):
    """KuCoin as its documents describe it."""

    name = "kucoin"
    default_markets = MARKETS

    def __init__(self, setting: Setting) -> None:
        self._pools = {name: Meter(limit, _POOL_SECONDS) for name, limit in _POOLS.items()}
        self.switches: dict[str, Switch] = {}
        self.streams = KucoinStreams(self)
        super().__init__(setting)

    @classmethod
    def make_up_key(cls, rng: Rng) -> tuple[str, str, str]:
        return rng.bytes(12).hex(), str(UUID(bytes=rng.bytes(16))), rng.bytes(8).hex()

    def rules(self) -> Rules:
        """Return KuCoin's rules; a post-only order that would match is taken and cancelled at once."""
        return Rules(
            ClientIds.FOR_EVER,
            fee_in_quote(12, ROUND_DOWN),  # never more than what was held for it
            holds_fee=True,
            post_only_fails_as_cancelled=True,
            counts_levels=True,
        )

    def routes(self) -> Sequence[Route]:
        return (*KucoinRest(self).routes(), *KucoinOrders(self).routes())

    def new_order_id(self, number: int) -> str:
        """Return 24 hex digits: seconds, then random ones, then the number."""
        seconds = self.clock.now_ns() // 1_000_000_000
        return f"{seconds:08x}{self.rng.bytes(4).hex()}{number:08x}"

    # -- admission -------------------------------------------------------------------------------------

    def authenticate(self, call: Call, route: Route) -> Account:
        key, sign, stamp, passphrase = (call.headers.get(name, "") for name in _HEADERS)
        if not all((key, sign, stamp, passphrase)):
            raise refuse("400001")
        if not stamp.isdigit() or abs(call.now_ms - int(stamp)) > _CLOCK_TOLERANCE_MS:
            raise refuse("400002")
        account = self.accounts.get(key)
        if account is None or account.is_revoked:
            raise refuse("400003")
        if call.headers.get("kc-api-key-version") not in ("2", "3"):
            raise refuse("400009")
        if not hmac.compare_digest(_digest(account, account.passphrase), passphrase):
            raise refuse("400004")
        body = call.body.decode()
        signed = [f"{stamp}{call.method}{target}{body}" for target in (call.target, unquote(call.target))]
        if not any(hmac.compare_digest(_digest(account, text), sign) for text in signed):
            raise refuse("400005")
        if not account.allows_address(call.address):
            raise refuse("400006")
        return account

    def _pool(self, call: Call, route: Route) -> tuple[Meter, str]:
        if route.needs is None:
            return self._pools["public"], call.address
        name = "management" if route.operation in _MANAGEMENT else "spot"
        return self._pools[name], call.headers.get("kc-api-key", call.address)

    def meter(self, call: Call, route: Route) -> None:
        pool, caller = self._pool(call, route)
        if not pool.charge(caller, route.weight, call.now_ns):
            raise Refusal(self.too_many(call, pool.reset_ms(call.now_ns) // 1000 + 1))

    def headers(self, call: Call) -> dict[str, str]:
        found = self.router.find(call.method, call.path)
        if found is None:
            return {}
        pool, caller = self._pool(call, found[0])
        left = max(0, pool.limit - pool.used(caller, call.now_ns))
        return {
            "gw-ratelimit-limit": str(pool.limit),
            "gw-ratelimit-remaining": str(left),
            "gw-ratelimit-reset": str(pool.reset_ms(call.now_ns)),
        }

    # -- answers of the exchange itself ----------------------------------------------------------------

    def forbidden(self, call: Call, needed: Permission) -> Answer:
        return error("400007")

    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        return error("429000")

    def banned(self, call: Call, left_s: int) -> Answer:
        return Answer(b"error code: 1015", 429, {"content-type": "text/plain"})

    def refused(self, call: Call) -> Answer:
        return error("400200")

    def server_error(self, call: Call) -> Answer:
        return error("500000")

    def unknown_route(self, call: Call) -> Answer:
        return error("404000")

    # -- streams and the switch ------------------------------------------------------------------------

    def listener(self, path: str) -> Listener | None:
        return self.streams.listener(path)

    def on_events(self, events: Sequence[Event]) -> None:
        self.streams.on_events(events)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self.streams.run())

    def fire_switches(self) -> None:
        """Cancel the orders of every account whose dead man's switch has run out."""
        now_ns = self.clock.now_ns()
        for key, switch in list(self.switches.items()):
            if now_ns < switch.fires_ns:
                continue
            del self.switches[key]
            for symbol in switch.symbols or (None,):
                self.exchange.cancel_all(key, symbol, now_ns, "dead man's switch")


def _digest(account: Account, text: str) -> str:
    return b64encode(hmac.digest(account.secret.encode(), text.encode(), "sha256")).decode()
