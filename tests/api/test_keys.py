"""Keys over HTTP: the fixed shapes, who may do what, and that no answer holds a secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from amarktai.domain.provider import ProviderId
from amarktai.storage.embedded import DatabaseUrls
from tests.api.conftest import EMAIL, PASSWORD, World, open_world
from tests.providers.conftest import running_stand, stand
from tests.providers.stand import KEYS, Stand

__all__ = ["running_stand", "stand"]  # fixtures
STEP_UP = {"password": PASSWORD}
EACH = pytest.mark.parametrize("provider", list(ProviderId))


@dataclass(frozen=True)
class Connected:
    """A world whose providers are the stand, with its admin's browser."""

    world: World
    owner: httpx.AsyncClient
    stand: Stand


@pytest.fixture
async def connected(database_urls: DatabaseUrls, tmp_path: Path, stand: Stand) -> AsyncIterator[Connected]:
    async with open_world(database_urls, tmp_path, stand.base_urls()) as world:
        yield Connected(world, await world.set_up(), stand)


def body_of(provider: ProviderId) -> dict[str, Any]:
    key = KEYS[provider]
    parts = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
    return {"provider": provider, **{name: value for name, value in parts.items() if value}}


async def row(client: httpx.AsyncClient, provider: ProviderId) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await client.get("/api/keys/list")).json()["keys"]
    return next(one for one in rows if one["provider"] == provider)


async def test_the_eight_are_listed_in_the_fixed_shape_also_to_strangers(connected: Connected) -> None:
    answer = (await connected.world.client().get("/api/keys/providers")).json()
    assert answer["success"] is True and answer["total"] == 8
    assert [p["id"] for p in answer["providers"]] == list(ProviderId)
    for provider in answer["providers"]:
        assert provider["type"] in ("ai", "exchange") and provider["icon"] == f"{provider['id']}.svg"
        assert provider["display_name"] and provider["description"]
        assert provider["required_fields"] == [field["name"] for field in provider["fields"]]
    needs = {p["id"]: p["required_fields"] for p in answer["providers"]}
    assert needs["kucoin"] == ["api_key", "api_secret", "passphrase"] and needs["openai"] == ["api_key"]


@EACH
async def test_a_key_is_saved_tested_and_deleted(connected: Connected, provider: ProviderId) -> None:
    client = connected.owner
    saved = await client.post("/api/keys/save", json=body_of(provider))
    assert saved.status_code == 200, saved.text
    assert saved.json() | {"message": ""} == {
        "success": True,
        "message": "",
        "provider": provider,
        "status": "saved_untested",
        "status_display": "Saved (untested)",
    }
    tested = await client.post("/api/keys/test", json={"provider": provider})
    assert tested.status_code == 200 and tested.json()["success"] is True, tested.text
    assert (tested.json()["status"], tested.json()["status_display"]) == ("test_ok", "Test OK")
    shown = await row(client, provider)
    assert shown["status"] == "test_ok" and shown["hint"] == KEYS[provider].api_key[-4:]
    assert shown["last_tested_at"] and shown["last_test_error"] is None
    for answer in (saved, tested, await client.get("/api/keys/list"), await client.get("/api/events")):
        for secret in filter(None, body_of(provider).values()):
            assert secret == provider or secret not in answer.text
    gone = await client.delete(f"/api/keys/{provider}")
    assert gone.json() == {"success": True, "message": "Deleted.", "provider": provider}
    again = await client.delete(f"/api/keys/{provider}")
    assert again.status_code == 200 and again.json()["success"] is True
    assert (await row(client, provider))["status"] == "not_configured"
    events = [event["type"] for event in (await client.get("/api/events")).json()["items"]]
    assert events == ["key_deleted", "key_tested", "key_saved"]
    assert all(
        event["payload"].get("is_saved", True) for event in (await client.get("/api/events")).json()["items"]
    )


async def test_a_failed_test_is_an_answer_and_silence_is_not_a_refusal(connected: Connected) -> None:
    client = connected.owner
    wrong = body_of(ProviderId.VALR) | {"api_secret": "f" * 64}
    refused = await client.post("/api/keys/test", json=wrong)
    assert refused.status_code == 200
    assert (refused.json()["success"], refused.json()["outcome"]) == (False, "refused")
    assert refused.json()["status_display"] == "Test failed: VALR refused the key"
    connected.stand.answers[(ProviderId.VALR, "/v1/account/balances")] = (503, {})
    silent = await client.post("/api/keys/test", json=body_of(ProviderId.VALR))
    assert (silent.json()["success"], silent.json()["outcome"]) == (False, "unreachable")
    assert silent.json()["status_display"] == "Test failed: could not reach VALR"
    assert (await row(client, ProviderId.VALR))["status"] == "not_configured"
    told = (await client.get("/api/events")).json()["items"]
    assert [event["type"] for event in told] == ["key_tested", "key_tested"]
    assert {event["payload"]["outcome"] for event in told} == {"refused", "unreachable"}
    assert not any(event["payload"]["is_saved"] or event["payload"]["success"] for event in told)


async def test_a_key_with_the_right_to_withdraw_is_not_taken(connected: Connected) -> None:
    connected.stand.rights[ProviderId.BINANCE]["enableWithdrawals"] = True
    refused = await connected.owner.post("/api/keys/save", json=body_of(ProviderId.BINANCE))
    assert (refused.status_code, refused.json()["code"]) == (422, "KEY_UNSAFE")
    assert refused.json()["detail"] == (
        "Binance accepts the key, but it may withdraw money. Such a key is not kept."
    )
    assert refused.json()["action"]
    assert (await row(connected.owner, ProviderId.BINANCE))["status"] == "not_configured"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"provider": "mtgox", "api_key": "x" * 40}, "VALIDATION_ERROR"),
        ({"provider": "luno", "api_key": KEYS[ProviderId.LUNO].api_key}, "KEY_FIELD_MISSING"),
        ({"provider": "luno", "api_key": "no good", "api_secret": "x" * 43}, "KEY_FORMAT"),
        ({"provider": "openai", "api_key": "pk-wrong-prefix-0123456789"}, "KEY_FORMAT"),
        ({"provider": "openai", "api_key": ""}, "VALIDATION_ERROR"),
        ({"provider": "openai", "api_key": "sk-" + "x" * 600}, "VALIDATION_ERROR"),
        ({"provider": "openai", "api_key": 7}, "VALIDATION_ERROR"),
        (
            {"provider": "openai", "api_key": KEYS[ProviderId.OPENAI].api_key, "user_id": "x"},
            "VALIDATION_ERROR",
        ),
        ({"provider": "openai"}, "VALIDATION_ERROR"),
    ],
)
async def test_bad_keys_are_refused_and_not_repeated(
    connected: Connected, body: dict[str, Any], code: str
) -> None:
    answer = await connected.owner.post("/api/keys/save", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert len(str(body.get("api_key", ""))) < 9 or str(body["api_key"]) not in answer.text


async def test_only_what_is_saved_can_be_tested_without_a_key(connected: Connected) -> None:
    missing = await connected.owner.post("/api/keys/test", json={"provider": "luno"})
    assert (missing.status_code, missing.json()["code"]) == (404, "KEY_NOT_SAVED")
    half = await connected.owner.post("/api/keys/test", json={"provider": "luno", "api_secret": "x" * 43})
    assert (half.status_code, half.json()["code"]) == (422, "VALIDATION_ERROR")
    unknown = await connected.owner.delete("/api/keys/mtgox")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    fixed = await connected.owner.delete("/api/keys/list")
    assert (fixed.status_code, fixed.headers["allow"]) == (405, "GET")


async def test_changes_need_a_fresh_proof_a_browser_and_the_right_to_write(connected: Connected) -> None:
    world, owner = connected.world, connected.owner
    body = body_of(ProviderId.LUNO)
    token = (await owner.post("/api/tokens", json={"name": "t", "scopes": ["trade"]})).json()["token"]
    program = world.client(Authorization=f"Bearer {token}")
    viewer = await world.join(owner, "v@example.org", "viewer")
    for client in (program, viewer):
        for refused in (
            await client.post("/api/keys/save", json=body),
            await client.delete("/api/keys/luno"),
        ):
            assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert (await viewer.post("/api/keys/test", json=body)).status_code == 403
    assert (await program.get("/api/keys/list")).status_code == 200
    world.clock.advance(301)
    for refused in (await owner.post("/api/keys/save", json=body), await owner.delete("/api/keys/luno")):
        assert (refused.status_code, refused.json()["code"]) == (403, "STEP_UP_NEEDED")
    wrong = await owner.post("/api/auth/step-up", json={"password": "not this"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "PASSWORD_WRONG")
    assert (await owner.post("/api/auth/step-up", json=STEP_UP)).status_code == 200
    assert (await owner.post("/api/keys/save", json=body)).status_code == 200


async def test_another_user_sees_and_touches_nothing_of_it(connected: Connected) -> None:
    await connected.owner.post("/api/keys/save", json=body_of(ProviderId.LUNO))
    other = await connected.world.join(connected.owner, "bo@example.org")
    assert (await row(other, ProviderId.LUNO))["status"] == "not_configured"
    assert (await other.post("/api/keys/test", json={"provider": "luno"})).status_code == 404
    assert (await other.delete("/api/keys/luno")).json()["message"] == "There was no key."
    assert (await other.get("/api/events")).json()["items"] == []
    assert (await row(connected.owner, ProviderId.LUNO))["status"] == "saved_untested"


async def test_a_second_factor_from_enrolment_to_sign_in(connected: Connected) -> None:
    world, owner = connected.world, connected.owner
    begun = (await owner.post("/api/auth/factors/totp")).json()
    app = pyotp.TOTP(begun["secret"])

    def code() -> str:
        return app.at(world.clock.now_ns() // 1_000_000_000)

    wrong = await owner.post("/api/auth/factors/totp/confirm", json={"code": "abcdef"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "SECOND_FACTOR_WRONG")
    confirmed = await owner.post("/api/auth/factors/totp/confirm", json={"code": code()})
    assert len(confirmed.json()["recovery_codes"]) == 10
    status = (await owner.get("/api/auth/factors")).json()
    assert (status["totp_enabled"], status["step_up_with"]) == (True, "code")
    login = {"email": EMAIL, "password": PASSWORD}
    asked = await world.client().post("/api/auth/login", json=login)
    assert (asked.status_code, asked.json()["code"]) == (401, "SECOND_FACTOR_NEEDED")
    assert "set-cookie" not in asked.headers
    world.clock.advance(30)
    fresh = world.client()
    assert (await fresh.post("/api/auth/login", json=login | {"code": code()})).status_code == 200
    assert (await fresh.get("/api/auth/me")).status_code == 200
    recovery = confirmed.json()["recovery_codes"][0]
    assert (await world.client().post("/api/auth/login", json=login | {"code": recovery})).status_code == 200
    world.clock.advance(301)
    stale = await owner.delete("/api/auth/factors/totp")
    assert (stale.status_code, stale.json()["code"]) == (403, "STEP_UP_NEEDED")
    by_password = await owner.post("/api/auth/step-up", json=STEP_UP)
    assert (by_password.status_code, by_password.json()["code"]) == (403, "SECOND_FACTOR_NEEDED")
    assert (await owner.post("/api/auth/step-up", json={"code": code()})).status_code == 200
    assert len((await owner.post("/api/auth/factors/recovery-codes")).json()["recovery_codes"]) == 10
    assert (await owner.delete("/api/auth/factors/totp")).status_code == 204
    assert (await world.client().post("/api/auth/login", json=login)).status_code == 200
    again = await owner.delete("/api/auth/factors/totp")
    assert (again.status_code, again.json()["code"]) == (409, "FACTOR_OFF")
    assert (await world.accounts.audit.verify()).ok


async def test_no_answer_of_a_factor_is_kept(connected: Connected) -> None:
    key = {"Idempotency-Key": "same"}
    first = await connected.owner.post("/api/auth/factors/totp", headers=key)
    second = await connected.owner.post("/api/auth/factors/totp", headers=key)
    assert first.json()["secret"] != second.json()["secret"]
