"""Key tests against the exchanges' twins: servers that were written from the documents by others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amarktai.bootstrap.twins import TWINS, made_up_account, running_twin
from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId, TestOutcome
from amarktai.providers.registry import load_providers
from amarktai.system.clock import SystemClock
from amarktai.twins.accounts import Account, Permission
from tests.twins.conftest import account

BOTH = frozenset({Permission.READ, Permission.TRADE})
EACH = pytest.mark.parametrize("provider", [ProviderId.LUNO, ProviderId.BINANCE, ProviderId.KUCOIN])


async def ask(provider: ProviderId, owner: Account, key: Credentials | None = None) -> KeyTestResult:
    given = key or Credentials(owner.key, owner.secret, owner.passphrase)
    async with running_twin(provider, accounts=[owner], turn_s=None) as twin:
        return await load_providers(SystemClock(), {provider: twin.url})[provider].tester.test(given)


@pytest.mark.parametrize("name", list(TWINS))
async def test_a_key_that_a_twin_makes_up_looks_like_the_exchanges_own_and_works(name: str) -> None:
    provider, code = ProviderId(name), TWINS[name].default_markets[0].quote
    owner = made_up_account(name, f"{code}=100", "1", ["read", "trade"])
    parts = {"api_key": owner.key, "api_secret": owner.secret, "passphrase": owner.passphrase}
    key = load_providers(SystemClock())[provider].provider.credentials(parts)
    assert (key.api_secret, key.passphrase) == (owner.secret, owner.passphrase)
    result = await ask(provider, owner, key)
    assert result.outcome is TestOutcome.WORKS, result


@EACH
async def test_a_key_that_may_view_and_trade_works(provider: ProviderId) -> None:
    result = await ask(provider, account(permissions=BOTH))
    assert result.outcome is TestOutcome.WORKS, result


@EACH
async def test_a_key_that_may_withdraw_is_unsafe(provider: ProviderId) -> None:
    result = await ask(provider, account(permissions=BOTH | {Permission.WITHDRAW}))
    assert result.outcome is TestOutcome.UNSAFE, result


@pytest.mark.parametrize("provider", [ProviderId.BINANCE, ProviderId.KUCOIN])
async def test_a_key_that_may_transfer_is_unsafe(provider: ProviderId) -> None:
    result = await ask(provider, account(permissions=BOTH | {Permission.TRANSFER}))
    assert result.outcome is TestOutcome.UNSAFE, result


@EACH
async def test_a_wrong_secret_and_a_revoked_key_are_refused(provider: ProviderId) -> None:
    owner = account()
    wrong = Credentials(owner.key, "another-secret", owner.passphrase)
    assert (await ask(provider, owner, wrong)).outcome is TestOutcome.REFUSED
    assert (await ask(provider, replace(owner, is_revoked=True))).outcome is TestOutcome.REFUSED


@EACH
async def test_a_key_that_does_not_allow_our_address_is_refused(provider: ProviderId) -> None:
    result = await ask(provider, account(ip_allow=("198.51.100.7",)))
    assert result.outcome is TestOutcome.REFUSED, result


@pytest.mark.parametrize("provider", [ProviderId.BINANCE, ProviderId.KUCOIN])
async def test_allowed_addresses_are_seen(provider: ProviderId) -> None:
    result = await ask(provider, account(ip_allow=("127.0.0.1",)))
    assert result.rights is not None and result.rights.is_ip_restricted is True
