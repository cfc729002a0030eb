"""The test that OpenAI and services in its shape share: a key works when it lists at least one model."""

from __future__ import annotations

from amarktai.domain.provider import KeyTestResult, TestOutcome
from amarktai.domain.signing import bearer_headers
from amarktai.providers.http import ProviderHttp


async def judge_by_models(http: ProviderHttp, key: str) -> KeyTestResult:
    """Ask ``GET /v1/models``. Raises: Silent."""
    reply = await http.get("/v1/models", bearer_headers(key))
    error = reply.field("error")
    words = error.get("message") if isinstance(error, dict) else None
    if reply.status in (401, 403):
        return http.refused(
            reply, words, "Check the key and its permission to list models, or make a new one."
        )
    if reply.status == 429 and words:
        return http.refused(reply, words, "Look at the account's limits and balance at the provider.")
    models = reply.field("data")
    if not reply.ok or not isinstance(models, list):
        return http.busy(reply) or http.unclear(reply.status)
    if not models:
        return http.refused(reply, "it may use no model", "Give the key access to at least one model.")
    count = f"{len(models)} model" + ("s" if len(models) > 1 else "")
    return KeyTestResult(
        TestOutcome.WORKS, f"{http.name} accepts the key: {count} can be used.", latency_ms=reply.latency_ms
    )
