"""Binance spot: HMAC-SHA256 over query and body, weights per address, client ids among open orders."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from amarktai.domain.fill import Liquidity
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.binance.errors import error, missing, refuse
from amarktai.twins.binance.orders import BinanceOrders
from amarktai.twins.binance.rest import BinanceRest
from amarktai.twins.binance.signing import signed_texts
from amarktai.twins.binance.stream import BinanceStreams
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.faults import Operation
from amarktai.twins.limits import Meter
from amarktai.twins.matching import Event
from amarktai.twins.orders import Market
from amarktai.twins.rules import ClientIds, FeeQuestion, FeeRule, Rules, fee_in_received_asset, ratio
from amarktai.twins.twin import Listener, Setting, Twin

_FEE_PLACES: Final = 8
#: A fee paid in BNB is a quarter cheaper (account/commission: discount 0.75).
BNB_DISCOUNT: Final = Decimal("0.75")
WEIGHT_LIMIT: Final = 6_000
ORDER_LIMIT: Final = 100
#: After so many refusals for weight within one minute the address is banned, at first for two minutes.
_REFUSALS_UNTIL_BAN: Final = 10
_BAN_S: Final = 120


def _market(base: str, quote: str, *numbers: str) -> Market:
    tick, lot, smallest, notional, start = (Decimal(number) for number in numbers)
    rate = Decimal("0.001")
    return Market(
        symbol=base + quote, base=base, quote=quote, tick=tick, lot=lot, min_quantity=smallest,
        max_quantity=Decimal(9_000), min_notional=notional, maker_rate=rate, taker_rate=rate,
        start_price=start,
    )  # fmt: skip


#: Steps as in recorded exchangeInfo answers.
MARKETS: Final = (
    _market("BTC", "USDT", "0.01", "0.00001", "0.00001", "5", "64000"),
    _market("ETH", "USDT", "0.01", "0.0001", "0.0001", "5", "2500"),
    _market("BNB", "USDT", "0.01", "0.001", "0.001", "5", "600"),
    _market("ETH", "BTC", "0.00001", "0.0001", "0.0001", "0.0001", "0.039"),
)


class BinanceTwin(Twin):
    """Binance as its documents describe it."""

    name = "binance"
    default_markets = MARKETS
    ping_s = 20.0

    def __init__(self, setting: Setting) -> None:
        self._weights = Meter(WEIGHT_LIMIT, window_s=60)
        self._orders = Meter(ORDER_LIMIT, window_s=10)
        self._refusals = Meter(_REFUSALS_UNTIL_BAN, window_s=60)
        self.streams = BinanceStreams(self)
        super().__init__(setting)

    def rules(self) -> Rules:
        return Rules(ClientIds.WHILE_OPEN, self._fee_rule())

    def _fee_rule(self) -> FeeRule:
        usual = fee_in_received_asset(_FEE_PLACES, ROUND_HALF_UP)

        def fee(asked: FeeQuestion) -> tuple[str, Decimal]:
            third = self.accounts[asked.account].pays_fees_in
            symbol = f"{third}{asked.market.quote}"
            if third is None or symbol not in self.exchange.markets:
                return usual(asked)
            is_maker = asked.liquidity is Liquidity.MAKER
            rate = asked.market.maker_rate if is_maker else asked.market.taker_rate
            cost = asked.price * asked.quantity * rate * BNB_DISCOUNT
            amount = ratio(cost, self.last_price(symbol), _FEE_PLACES, ROUND_HALF_UP)
            if self.exchange.balances.available(asked.account, third) < amount:
                return usual(asked)
            return third, amount

        return fee

    def routes(self) -> Sequence[Route]:
        return (*BinanceRest(self).routes(), *BinanceOrders(self).routes())

    def new_order_id(self, number: int) -> str:
        return str(4_000_000 + number)

    def new_client_id(self) -> str:
        """Return an id like those that Binance gives orders without one: 22 letters and digits."""
        return self.rng.bytes(11).hex()

    # -- admission -------------------------------------------------------------------------------------

    def authenticate(self, call: Call, route: Route) -> Account:
        key = call.headers.get("x-mbx-apikey", "")
        account = self.accounts.get(key)
        if not key:
            raise refuse(-2014)
        if account is None or account.is_revoked or not account.allows_address(call.address):
            raise refuse(-2015)
        self._check_time(call)
        self._check_signature(call, account)
        return account

    def _check_time(self, call: Call) -> None:
        stamp, window = call.params.get("timestamp", ""), call.params.get("recvWindow", "5000")
        if not stamp.isdigit():
            raise missing("timestamp")
        try:
            window_ms = Decimal(window)
        except ArithmeticError as bad:
            raise missing("recvWindow") from bad
        if window_ms > 60_000:
            raise refuse(-1131)
        sent_ms = int(stamp) // 1000 if len(stamp) >= 16 else int(stamp)
        if sent_ms > call.now_ms + 1_000:
            raise refuse(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if call.now_ms - sent_ms > window_ms:
            raise refuse(-1021)

    def _check_signature(self, call: Call, account: Account) -> None:
        given = call.params.get("signature", "")
        if not given:
            raise missing("signature")
        for payload in signed_texts(call):
            signature = hmac.new(account.secret.encode(), payload.encode(), "sha256").hexdigest()
            if hmac.compare_digest(signature, given):
                return
        raise refuse(-1022)

    def meter(self, call: Call, route: Route) -> None:
        if not self._weights.charge(call.address, weight_of(call, route), call.now_ns):
            if not self._refusals.charge(call.address, 1, call.now_ns):
                self.bans.ban(call.address, _BAN_S, call.now_ns)
                raise Refusal(self.banned(call, _BAN_S))
            raise Refusal(self.too_many(call, self._weights.reset_ms(call.now_ns) // 1000 + 1))
        key = call.headers.get("x-mbx-apikey", "")
        if route.operation is Operation.CREATE and not self._orders.charge(key, 1, call.now_ns):
            answer = error(-1015)
            answer.headers["retry-after"] = str(self._orders.reset_ms(call.now_ns) // 1000 + 1)
            raise Refusal(answer)

    def headers(self, call: Call) -> dict[str, str]:
        used = str(self._weights.used(call.address, call.now_ns))
        out = {"x-mbx-used-weight": used, "x-mbx-used-weight-1m": used}
        if call.account is not None:
            out["x-mbx-order-count-10s"] = str(self._orders.used(call.account.key, call.now_ns))
        return out

    def rate_limits(self, address: str) -> list[dict[str, object]]:
        """Return what the WebSocket API tells with each answer."""
        used = self._weights.used(address, self.clock.now_ns())
        return [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": WEIGHT_LIMIT,
                "count": used,
            }
        ]

    # -- answers of the exchange itself ----------------------------------------------------------------

    def forbidden(self, call: Call, needed: Permission) -> Answer:
        return error(-2015)

    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        answer = error(-1003)
        answer.headers["retry-after"] = str(retry_after_s)
        return answer

    def banned(self, call: Call, left_s: int) -> Answer:
        until_ms = call.now_ms + left_s * 1000
        answer = error(-1003, f"Way too much request weight used; IP banned until {until_ms}.")
        answer.status = 418
        answer.headers["retry-after"] = str(left_s)
        return answer

    def refused(self, call: Call) -> Answer:
        return error(-1008)

    def server_error(self, call: Call) -> Answer:
        return error(-1007) if call.method == "POST" else error(-1001)

    def unknown_route(self, call: Call) -> Answer:
        return Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404, {"content-type": "text/html"})

    # -- streams ---------------------------------------------------------------------------------------

    def listener(self, path: str) -> Listener | None:
        return self.streams.listener(path)

    def on_events(self, events: Sequence[Event]) -> None:
        self.streams.on_events(events)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self.streams.run())


def weight_of(call: Call, route: Route) -> int:
    """Return the weight of a call where it depends on the parameters."""
    limit = call.params.get("limit", "100")
    match route.operation:
        case Operation.BOOK if route.path == "/api/v3/depth":
            depth = int(limit) if limit.isdigit() else 100
            return next((w for most, w in ((100, 5), (500, 25), (1000, 50)) if depth <= most), 250)
        case Operation.OPEN_ORDERS:
            return 6 if call.params.get("symbol") else 80
        case Operation.FILLS:
            return 5 if call.params.get("orderId") else 20
        case _:
            return route.weight
