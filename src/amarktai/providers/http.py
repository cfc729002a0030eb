"""One way to ask a provider something: short patience, no redirects, no secret in any error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from amarktai.domain.provider import KeyTestResult, TestOutcome
from amarktai.ports.clock import Clock

PATIENCE_S: Final = 10.0
_LONGEST_BODY: Final = 1_000_000
_LONGEST_QUOTE: Final = 160
_ADDRESS: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's answer. ``data`` is None when the body is no JSON."""

    status: int
    data: Any
    latency_ms: int

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def field(self, name: str) -> Any:
        """Return a field of a JSON object, None when there is no such thing."""
        return self.data.get(name) if isinstance(self.data, dict) else None


class Silent(Exception):
    """The provider could not be asked, or did not answer; ``result`` says how."""

    def __init__(self, result: KeyTestResult) -> None:
        super().__init__(result.message)
        self.result = result


class ProviderHttp:
    """Requests to one provider. ``base_url`` is a constant of its file; tests name their own server."""

    def __init__(self, name: str, base_url: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self._base_url = base_url

    def now_ms(self) -> int:
        return self.clock.now_ns() // 1_000_000

    async def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Raises: Silent."""
        return await self._ask("GET", path, headers, None)

    async def post_form(self, path: str, headers: Mapping[str, str], form: Mapping[str, str]) -> Reply:
        """Raises: Silent."""
        return await self._ask("POST", path, headers, form)

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Reply:
        started = self.clock.now_ns()
        try:
            # No proxy or password file of the environment: who is spoken to is what is written here.
            async with (
                httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False, follow_redirects=False) as client,
                client.stream(method, self._base_url + path, headers=headers, data=form) as response,
            ):
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _LONGEST_BODY:
                        raise Silent(self.unclear(response.status_code))
        except httpx.HTTPError as error:
            # From None: the foreign error holds the request, and that holds the key.
            raise Silent(self._unreachable(error)) from None
        latency_ms = max(0, (self.clock.now_ns() - started) // 1_000_000)
        return Reply(response.status_code, _json(bytes(body)), latency_ms)

    def _unreachable(self, error: httpx.HTTPError) -> KeyTestResult:
        how = (
            "did not answer in time" if isinstance(error, httpx.TimeoutException) else "could not be reached"
        )
        return KeyTestResult(
            TestOutcome.UNREACHABLE,
            f"{self.name} {how}. Nothing is known about the key.",
            "Check this machine's connection and try again.",
        )

    def unclear(self, status: int) -> KeyTestResult:
        """Return the result of an answer that says nothing about the key."""
        return KeyTestResult(
            TestOutcome.UNREACHABLE,
            f"{self.name} answered in a way that says nothing about the key (HTTP {status}).",
            "Try again later; if it stays so, the provider has changed its interface.",
        )

    def refused(self, reply: Reply, words: object, action: str) -> KeyTestResult:
        """Return a refusal in the provider's own words."""
        text = quote(words)
        said = f"{self.name} refused the key: {text}" if text else f"{self.name} refused the key."
        return KeyTestResult(TestOutcome.REFUSED, said, action, reply.latency_ms, seen_ip=address_in(words))

    def busy(self, reply: Reply) -> KeyTestResult | None:
        """Return the result of an answer that is about the provider's own state, not the key."""
        if reply.status == 429 or reply.status == 418 or reply.status >= 500:
            return KeyTestResult(
                TestOutcome.UNREACHABLE,
                f"{self.name} answers, but not about the key now (HTTP {reply.status}).",
                "Wait a few minutes and try again.",
                reply.latency_ms,
            )
        return None


def quote(words: object) -> str:
    """Return a provider's words as one short printable line; anything but text is nothing."""
    if not isinstance(words, str):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"


def address_in(words: object) -> str | None:
    """Return the IPv4 address in a provider's words: some say where a refused call came from."""
    found = _ADDRESS.search(words) if isinstance(words, str) else None
    return found.group() if found and all(int(part) < 256 for part in found.group().split(".")) else None


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
