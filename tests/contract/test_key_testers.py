"""What every provider's tester keeps to, whatever the provider does."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.domain.provider import Credentials, ProviderId, ProviderType, TestOutcome
from amarktai.ports.providers import KeyTester
from amarktai.providers.registry import load_providers
from tests.fakes import HandClock
from tests.providers.conftest import running_stand, stand
from tests.providers.stand import KEYS, Stand

__all__ = ["running_stand", "stand"]  # fixtures
REGISTRY = load_providers(HandClock())
#: What each test asks, all of it: nothing else may ever be called for a test.
CALLS = {
    ProviderId.LUNO: [("GET", "/api/1/balance"), ("POST", "/api/1/address/validate")],
    ProviderId.BINANCE: [("GET", "/api/v3/account"), ("GET", "/sapi/v1/account/apiRestrictions")],
    ProviderId.KUCOIN: [("GET", "/api/v1/accounts"), ("GET", "/api/v1/user/api-key")],
    ProviderId.OVEX: [("GET", "/api/v2/accounts")],
    ProviderId.VALR: [("GET", "/v1/account/balances"), ("GET", "/v1/account/api-keys/current")],
    ProviderId.OPENAI: [("GET", "/v1/models")],
    ProviderId.FLOKX: [("GET", "/v1/status")],
    ProviderId.FETCHAI: [("GET", "/v1/models")],
}
EACH = pytest.mark.parametrize("provider", list(ProviderId))


def asking(stand: Stand, provider: ProviderId) -> KeyTester:
    return load_providers(HandClock(), stand.base_urls())[provider].tester


def _other(text: str) -> str:
    """Return another key of the same form."""
    turned = {old: new for old, new in zip("0123456789", "1234567890", strict=True)}
    return "".join(turned.get(letter, letter) for letter in text)


def test_all_eight_are_there_in_the_order_of_the_requirements() -> None:
    assert list(REGISTRY) == list(ProviderId) and len(REGISTRY) == 8
    for provider_id, desk in REGISTRY.items():
        provider = desk.provider
        assert provider.id is provider_id
        assert (provider.type is ProviderType.EXCHANGE) is (provider_id.platform is not None)
        assert provider.help.page.startswith("https://") and provider.help.steps and provider.tested_by
        assert bool(provider.help.never) or provider_id in (ProviderId.FLOKX, ProviderId.FETCHAI)
        key = KEYS[provider_id]
        given = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
        assert provider.credentials(given) == key


@EACH
async def test_a_right_key_works_and_only_the_known_calls_are_made(
    stand: Stand, provider: ProviderId
) -> None:
    result = await asking(stand, provider).test(KEYS[provider])
    assert result.outcome is TestOutcome.WORKS, result
    assert result.latency_ms is not None and result.latency_ms >= 0
    assert [(method, path) for _, method, path in stand.calls] == CALLS[provider]


@EACH
async def test_a_wrong_key_is_refused_in_the_providers_words_without_the_key(
    stand: Stand, provider: ProviderId
) -> None:
    key = replace(KEYS[provider], api_key=_other(KEYS[provider].api_key))
    result = await asking(stand, provider).test(key)
    assert result.outcome is TestOutcome.REFUSED and result.action
    assert key.api_key not in str(result) and "***" in result.message


@pytest.mark.parametrize("provider", [p for p in ProviderId if KEYS[p].api_secret])
async def test_a_wrong_secret_is_refused(stand: Stand, provider: ProviderId) -> None:
    key = replace(KEYS[provider], api_secret=_other(KEYS[provider].api_secret))
    result = await asking(stand, provider).test(key)
    assert result.outcome is TestOutcome.REFUSED
    assert key.api_secret not in str(result)


@EACH
async def test_silence_is_never_an_answer(provider: ProviderId) -> None:
    nowhere = dict.fromkeys(ProviderId, "http://127.0.0.1:9")
    result = await load_providers(HandClock(), nowhere)[provider].tester.test(KEYS[provider])
    assert result.outcome is TestOutcome.UNREACHABLE and result.rights is None
    assert "Nothing is known" in result.message


@pytest.mark.parametrize(
    ("provider", "path"), [(name, path) for name, asked in CALLS.items() for _, path in asked]
)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": "oops"}),
        (503, b"<html>maintenance</html>"),
        (429, {}),
        (200, b"<html>a wifi portal</html>"),
        (302, b""),
        (404, {}),
        (200, b"x" * 1_100_000),
    ],
)
async def test_no_strange_answer_makes_a_key_work(
    stand: Stand, provider: ProviderId, path: str, status: int, body: object
) -> None:
    stand.answers[(provider, path)] = (status, body)
    result = await asking(stand, provider).test(KEYS[provider])
    assert result.outcome in (TestOutcome.UNREACHABLE, TestOutcome.UNSAFE), result


@EACH
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_field_of_another_form_is_refused_without_repeating_it(
    provider: ProviderId, data: st.DataObject
) -> None:
    known = REGISTRY[provider].provider
    text = data.draw(st.text(string.printable + "äß€", min_size=1, max_size=40))
    field = data.draw(st.sampled_from(known.fields))
    key = KEYS[provider]
    given = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
    try:
        made = known.credentials({**given, field.name: text})
    except InvalidInput as refusal:
        assert refusal.code in ("KEY_FORMAT", "KEY_FIELD_MISSING") and refusal.action
        assert len(text) < 12 or text not in refusal.detail
    else:
        assert getattr(made, field.name) == text.strip()


@EACH
def test_each_required_field_is_asked_for_by_name(provider: ProviderId) -> None:
    known = REGISTRY[provider].provider
    for name in known.required_fields:
        key = KEYS[provider]
        given = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
        with pytest.raises(InvalidInput, match=name):
            known.credentials({**given, name: " "})


def test_credentials_show_nothing_of_themselves() -> None:
    key = Credentials("public-part", "secret-part", "pass-part")
    assert not any(part in f"{key!r} {key} {[key]}" for part in ("public-part", "secret-part", "pass-part"))
