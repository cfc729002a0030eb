"""What every tester does alike: one conversation, silence as a result, no part of the key in any text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from amarktai.domain.provider import Credentials, KeyRights, KeyTestResult, Right, TestOutcome
from amarktai.providers.http import ProviderHttp, Reply, Silent

_SHORTEST_SECRET = 4


class HttpTester(ABC):
    """A ``KeyTester`` over HTTP; a provider's file fills in the conversation."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    async def test(self, credentials: Credentials) -> KeyTestResult:
        try:
            result = await self._converse(credentials)
        except Silent as silent:
            result = silent.result
        return without_secrets(result, credentials)

    @abstractmethod
    async def _converse(self, key: Credentials) -> KeyTestResult:
        """Ask the provider. Raises: Silent."""

    def _judge(self, reply: Reply, rights: KeyRights) -> KeyTestResult:
        """Return the result of a key that works and has these rights."""
        if rights.danger is not None:
            return KeyTestResult(
                TestOutcome.UNSAFE,
                f"{self._http.name} accepts the key, but {rights.danger}.",
                f"Make a new key at {self._http.name} with the rights to view and trade, and no other.",
                reply.latency_ms,
                rights,
            )
        if rights.unchecked is None and Right.TRADE not in rights.found:
            message = f"{self._http.name} accepts the key, but it may not trade."
            action = "That is enough to watch. To trade live, give the key the right to trade as well."
        else:
            message, action = f"{self._http.name} accepts the key.", ""
        return KeyTestResult(TestOutcome.WORKS, message, action, reply.latency_ms, rights)

    def _rights_unclear(self, reply: Reply, status: int) -> KeyTestResult:
        """Return the result of a key that works, but whose rights could not be understood: that refuses."""
        return KeyTestResult(
            TestOutcome.UNSAFE,
            f"{self._http.name} accepts the key, but its answer about the key's rights is not understood"
            f" (HTTP {status}). It might withdraw.",
            "Try again later; if it stays so, the provider has changed its interface.",
            reply.latency_ms,
        )


def without_secrets(result: KeyTestResult, key: Credentials) -> KeyTestResult:
    """Return the result with every part of the key blacked out: providers may repeat what they got."""
    message, unknown = result.message, result.rights.unknown if result.rights else ()
    for secret in (key.api_key, key.api_secret, key.passphrase):
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, "***")
            unknown = tuple(word.replace(secret, "***") for word in unknown)
    rights = replace(result.rights, unknown=unknown) if result.rights else None
    return replace(result, message=message, rights=rights)
