"""OVEX: a bearer key without a secret. It tells nothing about a key's rights."""

from __future__ import annotations

from typing import Final

from amarktai.domain.provider import Credentials, KeyRights, KeyTestResult, ProviderId, ProviderType, Right
from amarktai.domain.signing import bearer_headers
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://www.ovex.io"
PROVIDER: Final = Provider(
    id=ProviderId.OVEX,
    type=ProviderType.EXCHANGE,
    display_name="OVEX",
    description="Over-the-counter desk with rand markets; trades by quote.",
    fields=(
        KeyField(
            "api_key", "API key", r"[\x21-\x7e]{16,512}", "An OVEX key is one long word, without spaces."
        ),
    ),
    help=KeyHelp(
        page="https://www.ovex.io/",
        steps=(
            "Sign in to OVEX and open the API keys of your dashboard.",
            "Create a key. It lives for a year at most: put its end into your calendar.",
            "Copy the key. OVEX uses no separate secret.",
        ),
        rights=("Trading, if OVEX lets you choose",),
        never=("Withdrawals, if OVEX lets you choose",),
    ),
    tested_by="Reads the account's balances. OVEX cannot be asked what a key may do.",
)
_UNCHECKED: Final = (
    "Rights are not checkable: OVEX does not say what a key may do, so it may be able to withdraw. "
    "Keep little money there."
)


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        accounts = await self._http.get("/api/v2/accounts", bearer_headers(key.api_key))
        if accounts.status in (401, 403):
            error = accounts.field("error")
            words = error.get("message") if isinstance(error, dict) else error
            return self._http.refused(
                accounts, words, "Check the key, or make a new one: keys end after a year."
            )
        if not accounts.ok or not isinstance(accounts.data, list):
            return self._http.busy(accounts) or self._http.unclear(accounts.status)
        return self._judge(accounts, KeyRights(frozenset({Right.VIEW}), unchecked=_UNCHECKED))
