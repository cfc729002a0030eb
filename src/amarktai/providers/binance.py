"""Binance (spot): HMAC-SHA256 in the query; it tells a key's restrictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from amarktai.domain.provider import (
    Credentials,
    KeyRights,
    KeyTestResult,
    ProviderId,
    ProviderType,
    Right,
    map_rights,
)
from amarktai.domain.signing import binance_query
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.http import Reply
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.binance.com"
_KEY: Final = r"[A-Za-z0-9]{64}"
PROVIDER: Final = Provider(
    id=ProviderId.BINANCE,
    type=ProviderType.EXCHANGE,
    display_name="Binance",
    description="Exchange with USDT markets; order book.",
    fields=(
        KeyField("api_key", "API key", _KEY, "A Binance key is 64 letters and digits."),
        KeyField("api_secret", "Secret key", _KEY, "A Binance secret is 64 letters and digits (HMAC)."),
    ),
    help=KeyHelp(
        page="https://www.binance.com/en/my/settings/api-management",
        steps=(
            "Sign in to Binance, open Account, then API Management.",
            "Create a system-generated key (HMAC).",
            "Restrict access to trusted IPs and enter this machine's address.",
            "Copy the API key and the secret key; Binance shows the secret once.",
        ),
        rights=("Enable Reading", "Enable Spot & Margin Trading"),
        never=("Enable Withdrawals", "Enable Internal Transfer", "Permits Universal Transfer"),
    ),
    tested_by="Reads the account's balances, then the key's own restrictions.",
)
_RIGHTS: Final[dict[str, Right | None]] = {
    "enableReading": Right.VIEW,
    "enableSpotAndMarginTrading": Right.TRADE,
    "enableMargin": Right.MARGIN,
    "enableFutures": Right.FUTURES,
    "enableVanillaOptions": Right.OPTIONS,
    "enablePortfolioMarginTrading": Right.MARGIN,
    "enableFixApiTrade": Right.TRADE,
    "enableFixReadOnly": Right.VIEW,
    "enableInternalTransfer": Right.TRANSFER,
    "permitsUniversalTransfer": Right.TRANSFER,
    "enableWithdrawals": Right.WITHDRAW,
    "ipRestrict": None,
}
#: Without these the answer is not the one we know, and nothing follows from it.
_EXPECTED: Final = frozenset(
    {"enableReading", "enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer", "ipRestrict"}
)
_CLOCK_IS_OFF: Final = -1021


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        account = await self._ask(key, "/api/v3/account")
        if not account.ok:
            return self._not_read(account)
        if not isinstance(account.field("balances"), list):
            return self._http.unclear(account.status)
        told = await self._ask(key, "/sapi/v1/account/apiRestrictions")
        busy = self._http.busy(told)
        if busy is not None:
            return busy
        rights = rights_of(told.data) if told.ok else None
        return self._judge(account, rights) if rights else self._rights_unclear(account, told.status)

    async def _ask(self, key: Credentials, path: str) -> Reply:
        query = binance_query(key.api_secret, {"recvWindow": 5_000, "timestamp": self._http.now_ms()})
        return await self._http.get(f"{path}?{query}", {"X-MBX-APIKEY": key.api_key})

    def _not_read(self, reply: Reply) -> KeyTestResult:
        words, code = reply.field("msg"), reply.field("code")
        if reply.status not in (400, 401, 403) or not isinstance(code, int):
            return self._http.busy(reply) or self._http.unclear(reply.status)
        if code == _CLOCK_IS_OFF:
            return self._http.refused(reply, words, "This machine's clock is wrong. Set it and try again.")
        return self._http.refused(
            reply, words, "Check key and secret, the right to read, and the addresses that the key allows."
        )


def rights_of(data: Any) -> KeyRights | None:
    """Return the rights in an ``apiRestrictions`` answer; None when it is not the answer that we know."""
    if not isinstance(data, dict) or not data.keys() >= _EXPECTED:
        return None
    flags = {name: value for name, value in data.items() if isinstance(value, bool)}
    if not flags.keys() >= _EXPECTED:
        return None
    return replace(map_rights(flags, _RIGHTS), is_ip_restricted=flags["ipRestrict"])
