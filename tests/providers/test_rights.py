"""What each exchange says of a key's rights, and what follows: every word, unknown ones, nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from amarktai.domain.provider import FORBIDDEN, KeyTestResult, ProviderId, Right, TestOutcome
from amarktai.providers import binance, kucoin, valr
from amarktai.providers.registry import load_providers
from tests.fakes import HandClock
from tests.providers.stand import KEYS, RIGHTS, Stand


async def ask(stand: Stand, provider: ProviderId) -> KeyTestResult:
    return await load_providers(HandClock(), stand.base_urls())[provider].tester.test(KEYS[provider])


BINANCE_FLAGS = [name for name, value in RIGHTS[ProviderId.BINANCE].items() if isinstance(value, bool)]


@pytest.mark.parametrize("flag", [name for name in BINANCE_FLAGS if name != "ipRestrict"])
async def test_binance_each_flag_alone(stand: Stand, flag: str) -> None:
    stand.rights[ProviderId.BINANCE] |= dict.fromkeys(BINANCE_FLAGS, False) | {flag: True}
    result = await ask(stand, ProviderId.BINANCE)
    dangerous = flag in ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
    assert (result.outcome is TestOutcome.UNSAFE) is dangerous
    assert result.rights is not None and len(result.rights.found) == 1
    assert bool(result.rights.found & FORBIDDEN) is dangerous


@pytest.mark.parametrize(
    ("words", "found", "outcome"),
    [
        ("General", {Right.VIEW}, TestOutcome.WORKS),
        ("General,Spot", {Right.VIEW, Right.TRADE}, TestOutcome.WORKS),
        ("General, Trade", {Right.VIEW, Right.TRADE}, TestOutcome.WORKS),
        ("General,Spot,Margin,Futures,Earn", set(Right) - FORBIDDEN - {Right.OPTIONS}, TestOutcome.WORKS),
        ("General,Spot,Transfer", {Right.VIEW, Right.TRADE, Right.TRANSFER}, TestOutcome.UNSAFE),
        ("General,InnerTransfer", {Right.VIEW, Right.TRANSFER}, TestOutcome.UNSAFE),
        ("General,FlexTransfers", {Right.VIEW, Right.TRANSFER}, TestOutcome.UNSAFE),
        ("General,Withdrawal", {Right.VIEW, Right.WITHDRAW}, TestOutcome.UNSAFE),
        ("general,WITHDRAW", {Right.VIEW, Right.WITHDRAW}, TestOutcome.UNSAFE),
        ("General,Spot,Lightning", {Right.VIEW, Right.TRADE}, TestOutcome.UNSAFE),
    ],
)
async def test_kucoin_each_word(stand: Stand, words: str, found: set[Right], outcome: TestOutcome) -> None:
    stand.rights[ProviderId.KUCOIN]["permission"] = words
    result = await ask(stand, ProviderId.KUCOIN)
    assert result.outcome is outcome
    assert result.rights is not None and result.rights.found == found


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["View access"], TestOutcome.WORKS),
        (["View access", "Trade"], TestOutcome.WORKS),
        (["VIEW_ACCESS", "TRADE"], TestOutcome.WORKS),
        (["View access", "Internal Transfer"], TestOutcome.UNSAFE),
        (["View access", "Transfer"], TestOutcome.UNSAFE),
        (["View access", "Withdraw"], TestOutcome.UNSAFE),
        (["View access", "Link bank account"], TestOutcome.UNSAFE),
        (["View access", "Teleport"], TestOutcome.UNSAFE),
    ],
)
async def test_valr_each_word(stand: Stand, words: list[str], outcome: TestOutcome) -> None:
    stand.rights[ProviderId.VALR]["permissions"] = words
    assert (await ask(stand, ProviderId.VALR)).outcome is outcome


@pytest.mark.parametrize(
    ("provider", "nonsense"),
    [
        (ProviderId.BINANCE, {}),
        (ProviderId.BINANCE, []),
        (ProviderId.BINANCE, {**RIGHTS[ProviderId.BINANCE], "enableWithdrawals": "false"}),
        (ProviderId.BINANCE, {**RIGHTS[ProviderId.BINANCE], "enableMoonTravel": True}),
        (ProviderId.KUCOIN, {"permission": ""}),
        (ProviderId.KUCOIN, {"permission": ["General"]}),
        (ProviderId.KUCOIN, {"permission": "General", "ipWhitelist": 7}),
        (ProviderId.KUCOIN, None),
        (ProviderId.VALR, {"permissions": []}),
        (ProviderId.VALR, {"permissions": "Trade"}),
        (ProviderId.VALR, {"permissions": ["Trade", 3]}),
        (ProviderId.VALR, {"permissions": ["Trade"], "allowedIpAddressCidr": 9}),
        (ProviderId.VALR, "Trade"),
    ],
)
async def test_an_answer_about_rights_that_is_not_understood_refuses(
    stand: Stand, provider: ProviderId, nonsense: Any
) -> None:
    stand.rights[provider] = nonsense
    result = await ask(stand, provider)
    assert result.outcome is TestOutcome.UNSAFE and result.action


async def test_addresses_are_told_where_the_exchange_tells_them(stand: Stand) -> None:
    for provider, listed in ((ProviderId.KUCOIN, "196.25.1.7"), (ProviderId.VALR, "196.25.1.7/32")):
        rights = (await ask(stand, provider)).rights
        assert rights is not None and (rights.is_ip_restricted, rights.ip_allow_list) == (True, (listed,))
        assert rights.warnings == ()
    stand.rights[ProviderId.BINANCE]["ipRestrict"] = False
    rights = (await ask(stand, ProviderId.BINANCE)).rights
    assert rights is not None and rights.is_ip_restricted is False and "any address" in rights.warnings[0]
    assert valr.rights_of({"permissions": ["Trade"], "allowedIpAddressCidr": None}).is_ip_restricted is False  # type: ignore[union-attr]
    assert kucoin.rights_of({"permission": "General"}).is_ip_restricted is False  # type: ignore[union-attr]
    assert binance.rights_of(RIGHTS[ProviderId.BINANCE]).is_ip_restricted is True  # type: ignore[union-attr]


async def test_a_refusal_that_names_our_address_tells_it(stand: Stand) -> None:
    tester = load_providers(HandClock(), stand.base_urls())[ProviderId.BINANCE].tester
    other = KEYS[ProviderId.VALR]
    result = await tester.test(other)
    assert (result.outcome, result.seen_ip) == (TestOutcome.REFUSED, "203.0.113.9")


async def test_luno_is_probed_without_sending_and_never_called_verified(stand: Stand) -> None:
    safe = await ask(stand, ProviderId.LUNO)
    assert safe.outcome is TestOutcome.WORKS and safe.rights is not None
    assert safe.rights.found == {Right.VIEW} and "cannot be probed" in safe.rights.warnings[0]
    stand.rights[ProviderId.LUNO]["may_send"] = True
    assert (await ask(stand, ProviderId.LUNO)).outcome is TestOutcome.UNSAFE
    place = (ProviderId.LUNO, "/api/1/address/validate")
    for status, body, outcome in (
        (200, {"success": True}, TestOutcome.UNSAFE),
        (403, {"error": "who knows"}, TestOutcome.UNSAFE),
        (418, {}, TestOutcome.UNREACHABLE),
        (409, {"error_code": "ErrSomething"}, TestOutcome.UNSAFE),
    ):
        stand.answers[place] = (status, body)
        assert (await ask(stand, ProviderId.LUNO)).outcome is outcome, (status, body)


async def test_ovex_says_that_rights_are_not_checkable(stand: Stand) -> None:
    result = await ask(stand, ProviderId.OVEX)
    assert result.outcome is TestOutcome.WORKS and result.rights is not None
    assert "not checkable" in result.rights.warnings[0]


@pytest.mark.parametrize("version", ["3", "2"])
async def test_kucoin_keys_of_both_versions_are_understood(stand: Stand, version: str) -> None:
    stand.kucoin_version = version
    assert (await ask(stand, ProviderId.KUCOIN)).outcome is TestOutcome.WORKS


async def test_a_wrong_clock_and_a_wrong_passphrase_say_so(stand: Stand) -> None:
    stand.answers[(ProviderId.BINANCE, "/api/v3/account")] = (400, {"code": -1021, "msg": "Timestamp…"})
    assert "clock" in (await ask(stand, ProviderId.BINANCE)).action
    stand.answers[(ProviderId.KUCOIN, "/api/v1/accounts")] = (401, {"code": "400004", "msg": "Invalid"})
    assert "passphrase" in (await ask(stand, ProviderId.KUCOIN)).action


async def test_an_agents_address_is_only_looked_at(stand: Stand) -> None:
    from amarktai.domain.provider import Credentials

    tester = load_providers(HandClock(), stand.base_urls())[ProviderId.FETCHAI].tester
    address = "agent1qdh7h4kuqw3rt2v0u8mv9p7ynd8zv5xq2s6gc4k3l2m1n0p9r8s7t6u5w4"
    right = await tester.test(Credentials(address))
    wrong = await tester.test(Credentials("agent1"))
    assert (right.outcome, wrong.outcome) == (TestOutcome.WORKS, TestOutcome.REFUSED)
    assert "Nobody was asked" in right.message and stand.calls == []


async def test_a_model_service_without_models_or_money_is_no_success(stand: Stand) -> None:
    place = (ProviderId.OPENAI, "/v1/models")
    stand.answers[place] = (200, {"data": []})
    assert (await ask(stand, ProviderId.OPENAI)).outcome is TestOutcome.REFUSED
    stand.answers[place] = (429, {"error": {"message": "You exceeded your current quota"}})
    assert (await ask(stand, ProviderId.OPENAI)).outcome is TestOutcome.REFUSED
