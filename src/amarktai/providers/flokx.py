"""Flokx: asks its status page with the key."""

from __future__ import annotations

from typing import Final

from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId, ProviderType, TestOutcome
from amarktai.domain.signing import bearer_headers
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.flokx.ai"
PROVIDER: Final = Provider(
    id=ProviderId.FLOKX,
    type=ProviderType.AI,
    display_name="Flokx AI",
    description="Market alerts for the assistant.",
    fields=(
        KeyField("api_key", "API key", r"[\x21-\x7e]{8,512}", "A Flokx key is one word, without spaces."),
    ),
    help=KeyHelp(
        page="https://flokx.ai/",
        steps=("Sign in to Flokx and open the API part of your account.", "Create a key and copy it."),
        rights=("Read",),
        never=(),
    ),
    tested_by="Asks the status page with the key. Silence is never taken for an acceptance.",
)


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        reply = await self._http.get("/v1/status", bearer_headers(key.api_key))
        if reply.status in (401, 403):
            words = reply.field("message") or reply.field("error")
            return self._http.refused(reply, words, "Check the key, or make a new one.")
        if reply.status != 200 or not isinstance(reply.data, dict):  # a page for people says nothing
            return self._http.busy(reply) or self._http.unclear(reply.status)
        return KeyTestResult(TestOutcome.WORKS, "Flokx AI accepts the key.", latency_ms=reply.latency_ms)
