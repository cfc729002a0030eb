"""KuCoin: HMAC-SHA256 in headers with a passphrase; it tells a key's permissions and addresses."""

from __future__ import annotations

from typing import Any, Final

from amarktai.domain.provider import (
    Credentials,
    KeyRights,
    KeyTestResult,
    ProviderId,
    ProviderType,
    Right,
    map_words,
)
from amarktai.domain.signing import KUCOIN_KEY_VERSIONS, kucoin_headers
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.http import Reply
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.kucoin.com"
PROVIDER: Final = Provider(
    id=ProviderId.KUCOIN,
    type=ProviderType.EXCHANGE,
    display_name="KuCoin",
    description="Exchange with USDT markets; order book.",
    fields=(
        KeyField("api_key", "API key", r"[0-9a-fA-F]{24}", "A KuCoin key is 24 digits and letters a to f."),
        KeyField(
            "api_secret",
            "API secret",
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
            "A KuCoin secret is five groups with dashes between them (a UUID).",
        ),
        KeyField(
            "passphrase",
            "API passphrase",
            r"[\x20-\x7e]{1,64}",
            "The passphrase that you chose when you made the key, not your trading password.",
        ),
    ),
    help=KeyHelp(
        page="https://www.kucoin.com/account/api",
        steps=(
            "Sign in to KuCoin, open your avatar's menu, then API Management.",
            "Create an API-based key and choose a passphrase; note it down.",
            "Restrict it to this machine's IP address.",
            "Copy key and secret; KuCoin shows the secret once.",
        ),
        rights=("General", "Spot Trading"),
        never=("Withdrawal", "FlexTransfers", "Transfer"),
    ),
    tested_by="Reads the trading account's balances, then the key's own permissions and addresses.",
)
_RIGHTS: Final[dict[str, Right | None]] = {
    "general": Right.VIEW,
    "spot": Right.TRADE,
    "trade": Right.TRADE,
    "margin": Right.MARGIN,
    "futures": Right.FUTURES,
    "contract": Right.FUTURES,
    "earn": Right.EARN,
    "transfer": Right.TRANSFER,
    "innertransfer": Right.TRANSFER,
    "flextransfers": Right.TRANSFER,
    "withdraw": Right.WITHDRAW,
    "withdrawal": Right.WITHDRAW,
}
_OK: Final = "200000"
_WRONG_VERSION: Final = frozenset({"400008", "400009"})
_CLOCK_IS_OFF: Final = "400002"
_PASSPHRASE: Final = "400004"


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        for version in KUCOIN_KEY_VERSIONS:
            accounts = await self._ask(key, "/api/v1/accounts?type=trade", version)
            if accounts.field("code") not in _WRONG_VERSION:
                break
        if not accounts.ok or accounts.field("code") != _OK:
            return self._not_read(accounts)
        if not isinstance(accounts.field("data"), list):
            return self._http.unclear(accounts.status)
        told = await self._ask(key, "/api/v1/user/api-key", version)
        busy = self._http.busy(told)
        if busy is not None:
            return busy
        rights = rights_of(told.field("data")) if told.ok and told.field("code") == _OK else None
        return self._judge(accounts, rights) if rights else self._rights_unclear(accounts, told.status)

    async def _ask(self, key: Credentials, path: str, version: str) -> Reply:
        parts = (key.api_key, key.api_secret, key.passphrase)
        headers = kucoin_headers(parts, self._http.now_ms(), ("GET", path, ""), version=version)
        return await self._http.get(path, headers)

    def _not_read(self, reply: Reply) -> KeyTestResult:
        code = reply.field("code")
        busy = self._http.busy(reply)
        if busy is not None or not isinstance(code, str) or not code.startswith("4"):
            return busy or self._http.unclear(reply.status)
        actions = {
            _CLOCK_IS_OFF: "This machine's clock is wrong. Set it and try again.",
            _PASSPHRASE: "Check the passphrase: it is the one chosen for this key.",
        }
        usual = "Check key, secret and passphrase, and the addresses that the key allows."
        return self._http.refused(reply, reply.field("msg"), actions.get(code, usual))


def rights_of(data: Any) -> KeyRights | None:
    """Return the rights in an ``api-key`` answer; None when it is not the answer that we know."""
    words = data.get("permission") if isinstance(data, dict) else None
    if not isinstance(words, str) or not words.strip():
        return None
    named = map_words([word for word in words.split(",") if word.strip()], _RIGHTS)
    listed = data.get("ipWhitelist")
    if listed is not None and not isinstance(listed, str):
        return None
    addresses = tuple(part.strip() for part in (listed or "").split(",") if part.strip())
    return KeyRights(named.found, named.unknown, None, bool(addresses), addresses)
