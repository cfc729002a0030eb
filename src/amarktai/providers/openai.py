"""OpenAI: lists the models that the key may use."""

from __future__ import annotations

from typing import Final

from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId, ProviderType
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.models import judge_by_models
from amarktai.providers.tester import HttpTester

BASE_URL: Final = "https://api.openai.com"
PROVIDER: Final = Provider(
    id=ProviderId.OPENAI,
    type=ProviderType.AI,
    display_name="OpenAI",
    description="Language models for the assistant.",
    fields=(
        KeyField(
            "api_key", "API key", r"sk-[A-Za-z0-9_-]{17,300}", "An OpenAI key starts with sk- and is long."
        ),
    ),
    help=KeyHelp(
        page="https://platform.openai.com/api-keys",
        steps=(
            "Sign in to the OpenAI platform and open API keys.",
            "Create a secret key for a project of its own, and set a monthly limit for that project.",
            "Copy the key; OpenAI shows it once.",
        ),
        rights=("Models: read", "Model capabilities: request"),
        never=("Administration of the organisation",),
    ),
    tested_by="Lists the models that the key may use. That costs nothing.",
)


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        return await judge_by_models(self._http, key.api_key)
