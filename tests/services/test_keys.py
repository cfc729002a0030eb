"""Saving, testing and deleting keys, and what a right that was gained later does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from amarktai.domain.errors import Conflict, InvalidInput, NotFound, RateLimited
from amarktai.domain.instrument import Platform
from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId
from amarktai.ports.keys import AccountState
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.key_ring import VariableKeyRing
from tests.key_rings import key_text
from tests.providers.stand import KEYS
from tests.services.secret_desk import GOOD, REFUSED, SILENT, UNSAFE, SecretDesk, parts_of, secret_desk

LUNO = ProviderId.LUNO
DAY_S = 86_400


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[SecretDesk]:
    async with secret_desk(database_urls, VariableKeyRing(key_text("keys"))) as opened:
        yield opened


async def events_of(desk: SecretDesk, who: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(row.type, dict(row.payload)) for row in await PgEvents(desk.database).after(who.user_id, 0, 500)]


async def facts(desk: SecretDesk) -> list[str]:
    async with desk.store.unit(None) as unit:
        return [row.fact.action for row in await unit.audit.read(0, 500)]


async def test_a_key_goes_through_its_statuses(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    assert (await desk.row(who))["status"] == "not_configured"
    await desk.save(who)
    saved = await desk.row(who)
    assert (saved["status"], saved["hint"]) == ("saved_untested", KEYS[LUNO].api_key[-4:])
    for answer, status, words in (
        (GOOD, "test_ok", "Test OK"),
        (SILENT, "test_failed", "Test failed: could not reach Luno"),
        (REFUSED, "test_failed", "Test failed: Luno refused the key"),
        (UNSAFE, "test_failed", "Test failed: the key may do too much"),
    ):
        desk.oracle.answer = answer
        await desk.keys.test_saved(who, LUNO)
        row = await desk.row(who)
        assert (row["status"], row["status_display"], row["message"]) == (status, words, answer.message)
        assert row["last_test_error"] == (None if status == "test_ok" else answer.message)
    desk.oracle.answer = GOOD
    created = (await desk.row(who))["created_at"]
    desk.clock.advance(60)
    await desk.save(who)
    again = await desk.row(who)
    assert (again["status"], again["created_at"], again["last_tested_at"]) == (
        "saved_untested",
        created,
        None,
    )
    assert again["updated_at"] != created
    assert await desk.keys.delete(who, LUNO) is True
    assert await desk.keys.delete(who, LUNO) is False
    assert (await desk.row(who))["status"] == "not_configured"
    names = [name for name, _ in await events_of(desk, who)]
    assert [name for name in names if name.startswith("key_")] == [
        "key_saved", *["key_tested"] * 4, "key_saved", "key_deleted",
    ]  # fmt: skip
    actions = [action for action in await facts(desk) if action.startswith("key.")]
    assert actions == ["key.saved", *["key.tested"] * 4, "key.saved", "key.deleted"]
    assert (await desk.accounts.audit.verify()).ok


async def test_the_saved_key_is_what_is_tested(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who, ProviderId.KUCOIN)
    await desk.keys.test_saved(who, ProviderId.KUCOIN)
    assert desk.oracle.asked == [KEYS[ProviderId.KUCOIN]] * 2  # at entry, and by the test


async def test_a_key_that_may_move_money_is_never_stored(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    desk.oracle.answer = UNSAFE
    with pytest.raises(InvalidInput) as refusal:
        await desk.save(who)
    assert refusal.value.code == "KEY_UNSAFE" and "withdraw" in refusal.value.detail
    assert (await desk.row(who))["status"] == "not_configured" and await events_of(desk, who) == []


@pytest.mark.parametrize("answer", [SILENT, REFUSED])
async def test_a_silent_or_refusing_exchange_does_not_keep_a_key_from_being_saved(
    desk: SecretDesk, answer: KeyTestResult
) -> None:
    who = await desk.join("ada@example.org")
    desk.oracle.answer = answer
    await desk.save(who)
    assert (await desk.row(who))["status"] == "saved_untested"


async def test_parts_that_a_provider_does_not_use_are_not_kept(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    given = parts_of(KEYS[ProviderId.OVEX]) | {"api_secret": "something", "passphrase": "else"}
    await desk.keys.save(who, ProviderId.OVEX, given)
    await desk.keys.test_saved(who, ProviderId.OVEX)
    assert desk.oracle.asked[-1] == Credentials(KEYS[ProviderId.OVEX].api_key)


async def test_a_key_that_is_given_for_a_test_is_not_kept(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    result = await desk.keys.test_given(who, LUNO, parts_of(KEYS[LUNO]))
    assert result == GOOD and (await desk.row(who))["status"] == "not_configured"
    ((name, told),) = await events_of(desk, who)
    assert (name, told["is_saved"], told["success"]) == ("key_tested", False, True)
    assert await facts(desk) == []
    with pytest.raises(NotFound, match="No key of Luno is saved"):
        await desk.keys.test_saved(who, LUNO)


async def test_a_key_that_changes_during_its_test_keeps_no_result_of_the_old_one(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    async with desk.store.unit(who.user_id) as unit:
        old = await unit.keys.get(LUNO)
    assert old is not None
    await desk.save(who)
    assert await desk.keys.record(who.user_id, who, old, GOOD) is False
    assert (await desk.row(who))["status"] == "saved_untested"

    class Meddler:
        async def test(self, _: Credentials) -> KeyTestResult:
            await desk.keys.delete(who, LUNO)
            return GOOD

    object.__setattr__(desk.registry[LUNO], "tester", Meddler())
    with pytest.raises(Conflict, match="changed during the test"):
        await desk.keys.test_saved(who, LUNO)


async def test_users_see_their_own_keys_alone(desk: SecretDesk) -> None:
    ada, bo = await desk.join("ada@example.org"), await desk.join("bo@example.org")
    await desk.save(ada)
    assert (await desk.row(bo))["status"] == "not_configured"
    assert await desk.keys.delete(bo, LUNO) is False
    assert (await desk.row(ada))["status"] == "saved_untested"


async def test_testing_is_not_a_way_to_hammer_an_exchange(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    with pytest.raises(RateLimited):
        for _ in range(100):
            await desk.keys.test_given(who, LUNO, parts_of(KEYS[LUNO]))
    assert len(desk.oracle.asked) <= 31


async def _account(desk: SecretDesk, who: Any) -> AccountState:
    store = PgStore(desk.database, desk.ids, desk.clock)
    async with store.unit_of_work(who.user_id) as unit:
        account = (await unit.venue_accounts.list()).get(Platform.LUNO)
    return account.state if account else AccountState.ACTIVE


async def test_a_right_gained_later_halts_the_account_until_its_user_tests_a_safe_key(
    desk: SecretDesk,
) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    await desk.keys.test_saved(who, LUNO)
    desk.clock.advance(60)
    desk.oracle.answer = UNSAFE
    assert (await desk.checks.run_round()).checked == 0  # tested since the start, a day is not over
    desk.clock.advance(DAY_S)
    report = await desk.checks.run_round()
    assert (report.checked, report.halted) == (1, 1)
    assert await _account(desk, who) is AccountState.HALTED
    row = await desk.row(who)
    assert (row["status"], row["account_state"]) == ("test_failed", "halted")
    alerts = [payload for name, payload in await events_of(desk, who) if name == "alert"]
    assert [(a["alert_type"], a["severity"]) for a in alerts] == [("key_unsafe", "critical")]
    assert (await desk.checks.run_round()).checked == 0  # not asked, and not said, again and again
    desk.oracle.answer = GOOD
    await desk.save(who)
    assert await _account(desk, who) is AccountState.HALTED  # saving proves nothing
    await desk.keys.test_saved(who, LUNO)
    assert await _account(desk, who) is AccountState.ACTIVE


async def test_every_start_asks_again_and_silence_changes_nothing(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    assert (await desk.checks.run_round()).checked == 0  # never tested: nothing uses it
    desk.clock.advance(-3600)
    await desk.keys.test_saved(who, LUNO)
    desk.clock.advance(3600)
    desk.oracle.answer = SILENT
    report = await desk.checks.run_round()
    assert (report.checked, report.silent) == (1, 1)
    assert (await desk.row(who))["status"] == "test_ok"
    desk.oracle.answer = GOOD
    assert (await desk.checks.run_round()).checked == 1  # still owed
    assert (await desk.checks.run_round()).checked == 0


async def test_a_key_that_an_exchange_no_longer_takes_is_told(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    await desk.keys.test_saved(who, LUNO)
    desk.clock.advance(DAY_S + 1)
    desk.oracle.answer = REFUSED
    await desk.checks.run_round()
    alerts = [payload["alert_type"] for name, payload in await events_of(desk, who) if name == "alert"]
    assert alerts == ["key_refused"] and await _account(desk, who) is AccountState.ACTIVE


async def test_one_silent_exchange_does_not_keep_the_others_waiting(desk: SecretDesk) -> None:
    people = [await desk.join(f"p{n}@example.org") for n in range(3)]
    for who in people:
        await desk.save(who)
        await desk.keys.test_saved(who, LUNO)
    desk.clock.advance(DAY_S + 1)
    desk.oracle.answer = SILENT
    assert (await desk.checks.run_round()).checked == 1


async def test_a_stored_key_that_no_longer_opens_halts_the_account(
    desk: SecretDesk, superuser_url: str
) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    await desk.keys.test_saved(who, LUNO)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE api_keys SET wrapped_key = ciphertext")
    desk.clock.advance(DAY_S + 1)
    asked = len(desk.oracle.asked)
    assert (await desk.checks.run_round()).halted == 1 and len(desk.oracle.asked) == asked
    assert await _account(desk, who) is AccountState.HALTED
    assert "does not belong to its row" in str((await desk.row(who))["message"])
