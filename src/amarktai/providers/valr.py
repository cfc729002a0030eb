"""VALR: HMAC-SHA512 in headers; it tells a key's permissions and addresses."""

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
from amarktai.domain.signing import valr_headers
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.http import Reply
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.valr.com"
_KEY: Final = r"[A-Za-z0-9]{64}"
PROVIDER: Final = Provider(
    id=ProviderId.VALR,
    type=ProviderType.EXCHANGE,
    display_name="VALR",
    description="Exchange with rand markets; order book.",
    fields=(
        KeyField("api_key", "API key", _KEY, "A VALR key is 64 letters and digits."),
        KeyField("api_secret", "API secret", _KEY, "A VALR secret is 64 letters and digits."),
    ),
    help=KeyHelp(
        page="https://www.valr.com/api-keys",
        steps=(
            "Sign in to VALR and switch two-factor authentication on, which VALR needs for keys.",
            "Open your profile, then API keys, and create one.",
            "Enter this machine's address under IP addresses.",
            "Copy key and secret; VALR shows the secret once.",
        ),
        rights=("View access", "Trade"),
        never=("Withdraw", "Internal transfer", "Link bank account"),
    ),
    tested_by="Reads the account's balances, then the key's own permissions and addresses.",
)
_RIGHTS: Final[dict[str, Right | None]] = {
    "viewaccess": Right.VIEW,
    "view": Right.VIEW,
    "trade": Right.TRADE,
    "transfer": Right.TRANSFER,
    "internaltransfer": Right.TRANSFER,
    "withdraw": Right.WITHDRAW,
    "linkbankaccount": Right.LINK_BANK,
}


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        balances = await self._ask(key, "/v1/account/balances")
        if not balances.ok:
            return self._not_read(balances)
        if not isinstance(balances.data, list):
            return self._http.unclear(balances.status)
        told = await self._ask(key, "/v1/account/api-keys/current")
        busy = self._http.busy(told)
        if busy is not None:
            return busy
        rights = rights_of(told.data) if told.ok else None
        return self._judge(balances, rights) if rights else self._rights_unclear(balances, told.status)

    async def _ask(self, key: Credentials, path: str) -> Reply:
        headers = valr_headers((key.api_key, key.api_secret), self._http.now_ms(), ("GET", path, ""))
        return await self._http.get(path, headers)

    def _not_read(self, reply: Reply) -> KeyTestResult:
        if reply.status not in (400, 401, 403):
            return self._http.busy(reply) or self._http.unclear(reply.status)
        return self._http.refused(
            reply,
            reply.field("message"),
            "Check key and secret, the permission View access, and the addresses that the key allows.",
        )


def rights_of(data: Any) -> KeyRights | None:
    """Return the rights in a ``current`` answer; None when it is not the answer that we know."""
    words = data.get("permissions") if isinstance(data, dict) else None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return None
    named = map_words(words, _RIGHTS)
    addresses = _addresses(data.get("allowedIpAddressCidr"))
    if addresses is None:
        return None
    return KeyRights(named.found, named.unknown, None, bool(addresses), addresses)


def _addresses(listed: Any) -> tuple[str, ...] | None:
    """Return the allowed ranges: VALR writes one as text or several as a list; None: neither."""
    parts = listed.split(",") if isinstance(listed, str) else [] if listed is None else listed
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return None
    return tuple(part.strip() for part in parts if part.strip())
