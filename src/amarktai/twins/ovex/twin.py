"""OVEX: a bearer key, no signature, no streams, quotes that hold for seconds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Final

from amarktai.ports.rng import Rng
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.calls import Answer, Call, Refusal, Route
from amarktai.twins.limits import Meter
from amarktai.twins.matching import Event
from amarktai.twins.orders import Market
from amarktai.twins.ovex.errors import error, refuse
from amarktai.twins.ovex.rest import OvexRest
from amarktai.twins.rules import ClientIds, Rules, fee_in_quote
from amarktai.twins.twin import Listener, Setting, Twin

_LIMITS: Final = ((100, 10), (400, 60), (3_000, 600))


def _market(base: str, quote: str, tick: str, start: str) -> Market:
    return Market(
        symbol=base + quote, base=base, quote=quote, tick=Decimal(tick), lot=Decimal("0.00000001"),
        min_quantity=Decimal("0.00000001"), max_quantity=Decimal(1_000_000), min_notional=Decimal(0),
        maker_rate=Decimal(0), taker_rate=Decimal(0), start_price=Decimal(start),
    )  # fmt: skip


#: The markets that third parties' code names; steps are guesses (the document gives precisions 8 and 2).
MARKETS: Final = (
    _market("btc", "zar", "0.01", "1150000"),
    _market("eth", "zar", "0.01", "45000"),
    _market("usdt", "zar", "0.0001", "18"),
)


class OvexTwin(Twin):
    """OVEX as far as it is known. The fee is inside the quote."""

    name = "ovex"
    default_markets = MARKETS
    keys_have_secrets = False

    def __init__(self, setting: Setting) -> None:
        self._meters = [Meter(limit, seconds) for limit, seconds in _LIMITS]
        super().__init__(setting)

    @classmethod
    def make_up_key(cls, rng: Rng) -> tuple[str, str, str]:
        return rng.bytes(32).hex(), "", ""

    def rules(self) -> Rules:
        return Rules(ClientIds.FOR_EVER, fee_in_quote(2, ROUND_DOWN))

    def routes(self) -> Sequence[Route]:
        return OvexRest(self).routes()

    def new_order_id(self, number: int) -> str:
        return str(number)

    def authenticate(self, call: Call, route: Route) -> Account:
        return self.account_of(call)

    def account_of(self, call: Call) -> Account:
        """Return whose key the call carries. Raises: Refusal."""
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        account = self.accounts.get(key)
        if scheme != "Bearer" or account is None or account.is_revoked:
            raise refuse("unauthorized")
        if not account.allows_address(call.address):
            raise refuse("forbidden")
        return account

    def meter(self, call: Call, route: Route) -> None:
        caller = call.headers.get("authorization", call.address)
        if not all([meter.charge(caller, 1, call.now_ns) for meter in self._meters]):
            raise Refusal(self.too_many(call, 10))

    def forbidden(self, call: Call, needed: Permission) -> Answer:
        return error("forbidden")

    def too_many(self, call: Call, retry_after_s: int) -> Answer:
        return error("rate_limited")

    def banned(self, call: Call, left_s: int) -> Answer:
        return error("rate_limited")

    def refused(self, call: Call) -> Answer:
        return error("unavailable")

    def server_error(self, call: Call) -> Answer:
        return error("internal")

    def unknown_route(self, call: Call) -> Answer:
        return error("not_found")

    def listener(self, path: str) -> Listener | None:
        return None

    def on_events(self, events: Sequence[Event]) -> None:
        """Tell nobody: OVEX documents no stream."""
