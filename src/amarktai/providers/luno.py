"""Luno: HTTP Basic. It does not list a key's rights; sending is probed without moving anything."""

from __future__ import annotations

from typing import Final

from amarktai.domain.provider import Credentials, KeyRights, KeyTestResult, ProviderId, ProviderType, Right
from amarktai.domain.signing import basic_headers
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.http import Reply
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.luno.com"
PROVIDER: Final = Provider(
    id=ProviderId.LUNO,
    type=ProviderType.EXCHANGE,
    display_name="Luno",
    description="Exchange with rand markets; order book.",
    fields=(
        KeyField(
            "api_key", "Key ID", r"[A-Za-z0-9]{8,64}", "A Luno key ID is a short word of letters and digits."
        ),
        KeyField(
            "api_secret", "Secret", r"[A-Za-z0-9_-]{20,128}", "A Luno secret is letters, digits, - and _."
        ),
    ),
    help=KeyHelp(
        page="https://www.luno.com/wallet/security/api_keys",
        steps=(
            "Sign in to Luno in the browser, open Settings, then API keys.",
            "Create a key and choose a custom permission set, not a preset.",
            "Copy the key ID and the secret; Luno shows the secret once.",
        ),
        rights=("Read balances", "Read transactions", "Read orders", "Create and cancel orders"),
        never=("Send to any address", "Create withdrawals", "Create receive addresses"),
    ),
    tested_by=(
        "Reads balances, then asks Luno to check an address that cannot exist: only a key that may send "
        "gets past the refusal. Nothing can be sent by that. Luno cannot be asked about bank withdrawals."
    ),
)
#: Not an address of any chain: a key that may send gets no further than being told so.
_NO_ADDRESS: Final = "amarktai-permission-probe"
_UNCHECKED: Final = (
    "Luno does not list a key's rights: sending was probed and is not allowed, bank withdrawals cannot be "
    "probed. Look at the key's permissions on Luno's page."
)
_NO_PERMISSION: Final = "ErrInsufficientPerms"


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        headers = basic_headers(key.api_key, key.api_secret)
        balances = await self._http.get("/api/1/balance", headers)
        if not balances.ok:
            return self._not_read(balances)
        if not isinstance(balances.field("balance"), list):
            return self._http.unclear(balances.status)
        form = {"address": _NO_ADDRESS, "currency": "XBT"}
        probe = await self._http.post_form("/api/1/address/validate", headers, form)
        busy = self._http.busy(probe)
        if busy is not None:
            return busy
        if probe.status in (401, 403) and probe.field("error_code") == _NO_PERMISSION:
            return self._judge(balances, KeyRights(frozenset({Right.VIEW}), unchecked=_UNCHECKED))
        if probe.ok or (probe.status == 400 and isinstance(probe.field("error_code"), str)):
            # It was allowed to ask, so it is allowed to send.
            return self._judge(balances, KeyRights(frozenset({Right.VIEW, Right.WITHDRAW})))
        return self._rights_unclear(balances, probe.status)

    def _not_read(self, reply: Reply) -> KeyTestResult:
        if reply.status not in (401, 403):
            return self._http.busy(reply) or self._http.unclear(reply.status)
        words = reply.field("error")
        if reply.field("error_code") == _NO_PERMISSION:
            return self._http.refused(reply, words, "Give the key the permission to read balances.")
        return self._http.refused(reply, words, "Check the key ID and the secret, or make a new key.")
