"""Luno: HTTP Basic, 300 calls a minute, client ids for ever, fees in what is received."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from hmac import compare_digest
from typing import Final

from amarktai.twins.accounts import Account, Permission
from amarktai.twins.calls import Answer, Call, Route
from amarktai.twins.limits import Meter
from amarktai.twins.luno.errors import error, refuse
from amarktai.twins.luno.rest import LunoRest
from amarktai.twins.luno.stream import LunoStreams
from amarktai.twins.matching import Event
from amarktai.twins.orders import Market
from amarktai.twins.rules import ClientIds, Rules, fee_in_received_asset
from amarktai.twins.twin import Listener, Setting, Twin

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def _market(base: str, quote: str, *numbers: str) -> Market:
    tick, lot, smallest, maker, taker, start = (Decimal(number) for number in numbers)
    return Market(
        symbol=base + quote, base=base, quote=quote, tick=tick, lot=lot, min_quantity=smallest,
        max_quantity=Decimal(1_000_000), min_notional=Decimal(0), maker_rate=maker, taker_rate=taker,
        start_price=start,
    )  # fmt: skip


#: Scales as in recordings of Luno's tickers of 2023; its document gives only an example market. Fees at
#: volume 0: crypto/ZAR 0.4 and 0.6 %, stablecoin/ZAR -0.01 and 0.2 %.
MARKETS: Final = (
    _market("XBT", "ZAR", "1", "0.000001", "0.0001", "0.004", "0.006", "1150000"),
    _market("ETH", "ZAR", "1", "0.000001", "0.001", "0.004", "0.006", "45000"),
    _market("XRP", "ZAR", "0.01", "1", "1", "0.004", "0.006", "11"),
    _market("USDT", "ZAR", "0.01", "0.01", "1", "-0.0001", "0.002", "18"),
    _market("XBT", "USDT", "0.01", "0.0001", "0.0005", "0.0008", "0.001", "64000"),
)


class LunoTwin(Twin):
    """Luno as its document describes it."""

    name = "luno"
    default_markets = MARKETS
    ping_s = 20.0

    def __init__(self, setting: Setting) -> None:
        self._meter = Meter(limit=300, window_s=60)
        self.streams = LunoStreams(self)
        super().__init__(setting)

    def rules(self) -> Rules:
        return Rules(ClientIds.FOR_EVER, fee_in_received_asset(8, ROUND_HALF_UP), market_fills_or_fails=True)

    def routes(self) -> Sequence[Route]:
        return LunoRest(self).routes()

    def new_order_id(self, number: int) -> str:
        """Return an id like BXMC2CJ7HNB88U4; the number in it keeps ids distinct."""
        random = self.rng.bytes(8)
        letters = "".join(_ALPHABET[byte % 31] for byte in random)
        count = "".join(_ALPHABET[number // 31**place % 31] for place in range(4, -1, -1))
        return "BX" + letters + count

    def authenticate(self, call: Call, route: Route) -> Account:
        scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
        try:
            key, _, secret = b64decode(encoded, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError) as bad:
            raise refuse("ErrUnauthorised") from bad
        if scheme.lower() != "basic":
            raise refuse("ErrUnauthorised")
        return self.account_of(key, secret, call.address)

    def account_of(self, key: str, secret: str, address: str) -> Account:
        """Return the account of a key and its secret. Raises: Refusal."""
        account = self.accounts.get(key)
        if account is None or not compare_digest(account.secret.encode(), secret.encode()):
            raise refuse("ErrUnauthorised")
        if account.is_revoked:
            raise refuse("ErrApiKeyRevoked")
        if not account.allows_address(address):
            raise refuse("ErrUnauthorised")
        return account

    def meter(self, call: Call, route: Route) -> None:
        if not self._meter.charge(call.headers.get("authorization", call.address), 1, call.now_ns):
            raise refuse("ErrTooManyRequests")

    def forbidden(self, call: Call, needed: Permission) -> Answer:
        return error("ErrInsufficientPerms")

    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        return error("ErrTooManyRequests")

    def banned(self, call: Call, left_s: int) -> Answer:
        return error("ErrTooManyRequests")

    def refused(self, call: Call) -> Answer:
        return error("ErrUnderMaintenance")

    def server_error(self, call: Call) -> Answer:
        return error("ErrInternal")

    def unknown_route(self, call: Call) -> Answer:
        return error("ErrNotFound")

    def listener(self, path: str) -> Listener | None:
        return self.streams.listener(path)

    def on_events(self, events: Sequence[Event]) -> None:
        for event in events:
            self.streams.on_event(event)
