"""First run, sign-in, sessions: who gets in, and who does not."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from amarktai.domain.errors import Conflict, InvalidInput
from amarktai.services.users import NewUser
from tests.api.conftest import BASE, EMAIL, PASSWORD, World


def _account(token: str, **changes: str) -> dict[str, str]:
    body = {"token": token, "name": "Ada", "email": EMAIL, "password": PASSWORD, "timezone": "UTC"}
    return {**body, **changes}


async def test_the_setup_token_makes_the_first_admin_once(world: World) -> None:
    token = await world.accounts.setup.prepare()
    assert token is not None
    client = world.client()
    assert (await client.get("/api/setup")).json() == {"needed": True}
    wrong = await client.post("/api/setup", json=_account(token + "x"))
    assert (wrong.status_code, wrong.json()["code"]) == (403, "SETUP_TOKEN_WRONG")
    done = await client.post("/api/setup", json=_account(token, email="Ada@Example.org"))
    assert done.status_code == 201 and done.json()["user"]["role"] == "admin"
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert (await client.get("/api/auth/me")).json()["user"]["email"] == EMAIL
    again = await world.client().post("/api/setup", json=_account(token))
    assert (again.status_code, again.json()["code"]) == (409, "SETUP_DONE")
    assert (await client.get("/api/setup")).json() == {"needed": False}
    assert await world.accounts.setup.prepare() is None


async def test_only_the_latest_setup_token_counts(world: World) -> None:
    old, new = await world.accounts.setup.prepare(), await world.accounts.setup.prepare()
    assert old and new and old != new
    assert (await world.client().post("/api/setup", json=_account(old))).status_code == 403
    assert (await world.client().post("/api/setup", json=_account(new))).status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "short"}, "VALIDATION_ERROR"),
        ({"password": "password1234"}, "WEAK_PASSWORD"),
        ({"password": "ada@example.org1"}, "WEAK_PASSWORD"),
        ({"password": "amarktai2026!"}, "WEAK_PASSWORD"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "WEAK_PASSWORD"),
        ({"email": "no address"}, "VALIDATION_ERROR"),
        ({"timezone": "Mars/Base"}, "VALIDATION_ERROR"),
        ({"name": "\u0000"}, "VALIDATION_ERROR"),
    ],
)
async def test_bad_accounts_are_refused_and_leave_nothing(
    world: World, changes: dict[str, str], code: str
) -> None:
    token = await world.accounts.setup.prepare()
    assert token is not None
    answer = await world.client().post("/api/setup", json=_account(token, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await world.accounts.setup.is_needed()


async def test_unattended_setup_refuses_a_weak_password_and_runs_once(world: World) -> None:
    with pytest.raises(InvalidInput):
        await world.accounts.setup.complete_unattended(NewUser("Ada", EMAIL, "changeme12345", "UTC"))
    wanted = NewUser("Ada", EMAIL, PASSWORD, "UTC")
    assert await world.accounts.setup.complete_unattended(wanted) is True
    assert await world.accounts.setup.complete_unattended(wanted) is False
    signed_in = await world.client().post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 200


async def test_two_setups_at_once_make_one_admin(world: World) -> None:
    wanted = [NewUser("Ada", f"ada{n}@example.org", PASSWORD, "UTC") for n in range(3)]
    made = await asyncio.gather(
        *(world.accounts.setup.complete_unattended(one) for one in wanted), return_exceptions=True
    )
    assert made.count(True) == 1
    assert all(one is True or one is False or isinstance(one, Conflict) for one in made)


async def test_wrong_passwords_and_unknown_addresses_look_the_same(world: World) -> None:
    await world.set_up()
    client = world.client()
    wrong = await client.post("/api/auth/login", json={"email": EMAIL, "password": "x" * 12})
    unknown = await client.post("/api/auth/login", json={"email": "eve@example.org", "password": "x" * 12})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json() and "set-cookie" not in wrong.headers


async def test_guessing_is_slowed_but_never_locked_for_ever(world: World) -> None:
    await world.set_up()
    client = world.client()
    tried = 0
    for _ in range(20):
        answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": "wrong password"})
        if answer.status_code == 429:
            break
        tried += 1
    assert 1 <= tried <= 6 and answer.json()["code"] == "TOO_MANY_ATTEMPTS"
    # The right password waits too, and a try while blocked does not lengthen the wait.
    right = {"email": EMAIL, "password": PASSWORD}
    blocked = await client.post("/api/auth/login", json=right)
    assert blocked.status_code == 429 and blocked.headers["retry-after"] == answer.headers["retry-after"]
    world.clock.advance(int(blocked.headers["retry-after"]) + 1)
    assert (await client.post("/api/auth/login", json=right)).status_code == 200
    assert (await client.post("/api/auth/login", json=right)).status_code == 200


async def test_an_hour_of_guessing_allows_few_tries(world: World) -> None:
    await world.set_up()
    client, tried = world.client(), 0
    for _ in range(60):
        answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": "wrong password"})
        tried += answer.status_code == 401
        world.clock.advance(60)
    assert tried <= 9


async def test_a_session_ends_by_sign_out_idleness_and_age(world: World) -> None:
    client = await world.set_up()
    assert (await client.post("/api/auth/logout")).status_code == 204
    assert (await client.get("/api/auth/me")).status_code == 401
    for steps, hours in ((1, 12), (80, 10)):
        await client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        statuses = []
        for _ in range(steps):
            world.clock.advance(hours * 3600)
            statuses.append((await client.get("/api/auth/me")).status_code)
        assert statuses[-1] == 401
        assert steps == 1 or statuses[0] == 200


async def test_a_revoked_session_is_out_at_once(world: World) -> None:
    first = await world.set_up()
    second = world.client()
    await second.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    sessions = (await first.get("/api/auth/sessions")).json()["items"]
    assert len(sessions) == 2 and [s["current"] for s in sessions].count(True) == 1
    other = next(s["id"] for s in sessions if not s["current"])
    assert (await first.delete(f"/api/auth/sessions/{other}")).status_code == 204
    assert (await second.get("/api/auth/me")).status_code == 401
    assert (await first.delete(f"/api/auth/sessions/{other}")).status_code == 404


async def test_a_new_password_ends_other_sessions_and_tokens(world: World) -> None:
    first = await world.set_up()
    second = world.client()
    await second.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    token = (await first.post("/api/tokens", json={"name": "t", "scopes": ["read"]})).json()["token"]
    change = {"current_password": "wrong", "new_password": "marble-thunder-quiet-9"}
    assert (await first.post("/api/auth/password", json=change)).json()["code"] == "PASSWORD_WRONG"
    change["current_password"] = PASSWORD
    assert (await first.post("/api/auth/password", json=change)).status_code == 204
    assert (await first.get("/api/auth/me")).status_code == 200
    assert (await second.get("/api/auth/me")).status_code == 401
    program = world.client(Authorization=f"Bearer {token}")
    assert (await program.get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": BASE}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 403),
    ],
)
async def test_cookie_writes_come_from_our_own_pages(
    world: World, headers: dict[str, str], status: int
) -> None:
    client = await world.set_up()
    del client.headers["Origin"]
    answer = await client.patch("/api/auth/me", json={"name": "Bea"}, headers=headers)
    assert answer.status_code == status
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200


async def test_cross_site_sign_in_is_refused_but_programs_may(world: World) -> None:
    await world.set_up()
    client = world.client()
    login = {"email": EMAIL, "password": PASSWORD}
    evil = await client.post("/api/auth/login", json=login, headers={"Origin": "https://evil.example"})
    assert (evil.status_code, evil.json()["code"]) == (403, "CROSS_SITE")
    del client.headers["Origin"]
    assert (await client.post("/api/auth/login", json=login)).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "0" * 32, "0" * 32 + ".abc", "zz" * 16 + ".abc", "ÿ" * 40])
async def test_forged_cookies_are_refused(world: World, cookie: str) -> None:
    await world.set_up()
    answer = await world.client().get(
        "/api/auth/me", headers={b"Cookie": f"amarktai_session={cookie}".encode("latin-1")}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_secrets_are_stored_only_as_hashes(world: World) -> None:
    client = await world.set_up()
    token = (await client.post("/api/tokens", json={"name": "t", "scopes": ["read"]})).json()["token"]
    cookie = client.cookies["amarktai_session"]
    me = (await client.get("/api/auth/me")).json()["user"]["id"]
    async with world.database.transaction(UUID(me)) as connection:
        stored = ""
        for table in ("users", "sessions", "access_tokens", "invites", "audit_log", "platform_settings"):
            rows = await connection.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t"))
            stored += "".join(row[0] for row in rows)
    assert me in stored
    for secret in (PASSWORD, cookie.split(".")[1], token.rsplit("_", 1)[1]):
        assert secret not in stored
