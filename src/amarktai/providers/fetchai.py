"""Fetch.ai: an agent's address, whose form alone can be checked, or an ASI:One key, which lists models."""

from __future__ import annotations

from typing import Final

from amarktai.domain.errors import InvalidInput
from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId, ProviderType, TestOutcome
from amarktai.ports.providers import KeyField, KeyHelp, Provider
from amarktai.providers.models import judge_by_models
from amarktai.providers.tester import HttpTester

#: ASI:One, Fetch.ai's model service, speaks OpenAI's protocol.
BASE_URL: Final = "https://api.asi1.ai"
_ASI_ONE: Final = "sk_"
PROVIDER: Final = Provider(
    id=ProviderId.FETCHAI,
    type=ProviderType.AI,
    display_name="Fetch.ai",
    description="Agents and the ASI:One models for the assistant.",
    fields=(
        KeyField(
            "api_key",
            "Agent address or ASI:One key",
            r"agent[A-Za-z0-9]{15,300}|sk_[A-Za-z0-9_-]{17,300}",
            "An agent's address starts with agent, an ASI:One key with sk_; both are long.",
        ),
    ),
    help=KeyHelp(
        page="https://asi1.ai/developer",
        steps=(
            "For models: sign in to ASI:One, open Developer and create a key (sk_…).",
            "For an agent: copy its address (agent…) from Agentverse.",
        ),
        rights=("Use of models",),
        never=(),
    ),
    tested_by="An ASI:One key lists the models. Of an agent's address only the form can be checked.",
)


class Tester(HttpTester):
    async def _converse(self, key: Credentials) -> KeyTestResult:
        if key.api_key.startswith(_ASI_ONE):
            return await judge_by_models(self._http, key.api_key)
        try:
            PROVIDER.fields[0].check(key.api_key)
        except InvalidInput as error:
            return KeyTestResult(TestOutcome.REFUSED, error.detail, error.action)
        return KeyTestResult(
            TestOutcome.WORKS,
            "The form of the agent's address is right. Nobody was asked: an address opens nothing by itself.",
        )
