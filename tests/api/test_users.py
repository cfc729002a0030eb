"""Roles, tokens, invitations, one's own account, and the audit log under all of it."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from amarktai.storage.embedded import DatabaseUrls
from tests.api.conftest import EMAIL, PASSWORD, World

NOBODY = "00000000-0000-7000-8000-00000000dead"


async def test_people_come_by_invitation_that_works_once(world: World) -> None:
    admin = await world.set_up()
    made = await admin.post("/api/invites", json={"email": "Bo@example.org", "role": "trader"})
    assert made.status_code == 201
    token = made.json()["invite_token"]
    body = {"token": token, "name": "Bo", "email": "eve@example.org", "password": PASSWORD, "timezone": "UTC"}
    other = await world.client().post("/api/invites/accept", json=body)
    assert (other.status_code, other.json()["code"]) == (409, "INVITE_EMAIL")
    body["email"] = "bo@example.org"
    done = await world.client().post("/api/invites/accept", json=body)
    assert done.status_code == 201 and done.json()["user"]["role"] == "trader"
    again = await world.client().post("/api/invites/accept", json=body)
    assert (again.status_code, again.json()["code"]) == (404, "INVITE_INVALID")
    listed = (await admin.get("/api/invites")).json()["items"]
    assert listed[0]["used_at"] is not None and token not in str(listed)


async def test_invitations_run_out_and_can_be_withdrawn(world: World) -> None:
    admin = await world.set_up()
    made = (await admin.post("/api/invites", json={"role": "viewer"})).json()
    assert (await admin.delete(f"/api/invites/{made['invite']['id']}")).status_code == 204
    assert (await admin.delete(f"/api/invites/{made['invite']['id']}")).status_code == 404
    late = (await admin.post("/api/invites", json={"role": "viewer"})).json()["invite_token"]
    world.clock.advance(8 * 86_400)
    for token in (made["invite_token"], late):
        body = {
            "token": token,
            "name": "V",
            "email": "v@example.org",
            "password": PASSWORD,
            "timezone": "UTC",
        }
        assert (await world.client().post("/api/invites/accept", json=body)).status_code == 404


async def test_one_address_has_one_account(world: World) -> None:
    admin = await world.set_up()
    token = (await admin.post("/api/invites", json={"role": "viewer"})).json()["invite_token"]
    body = {"token": token, "name": "A", "email": EMAIL.upper(), "password": PASSWORD, "timezone": "UTC"}
    taken = await world.client().post("/api/invites/accept", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "EMAIL_TAKEN")


async def test_only_admins_administer(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    me = (await admin.get("/api/auth/me")).json()["user"]["id"]
    for method, path, body in (
        ("GET", "/api/users", None),
        ("PATCH", f"/api/users/{me}", {"role": "viewer"}),
        ("GET", "/api/invites", None),
        ("POST", "/api/invites", {"role": "admin"}),
        ("DELETE", f"/api/invites/{NOBODY}", None),
    ):
        answer = await trader.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN"), path
    users = (await admin.get("/api/users")).json()["items"]
    assert [user["role"] for user in users] == ["admin", "trader"]
    assert [user["bots_count"] for user in users] == [0, 0]


async def test_users_are_paged(world: World) -> None:
    admin = await world.set_up()
    for name in ("b", "c", "d"):
        await world.join(admin, f"{name}@example.org")
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await admin.get("/api/users", params=params)).json()
        seen += [user["email"] for user in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [EMAIL, "b@example.org", "c@example.org", "d@example.org"]
    for bad in ("x", "W10", "WyJ4Il0", "WzFd"):
        answer = await admin.get("/api/users", params={"cursor": bad})
        assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_ERROR")


async def test_a_switched_off_account_is_out_at_once(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    token = (await trader.post("/api/tokens", json={"name": "t", "scopes": ["trade"]})).json()["token"]
    user_id = (await trader.get("/api/auth/me")).json()["user"]["id"]
    assert (await admin.patch(f"/api/users/{user_id}", json={"is_active": False})).status_code == 200
    assert (await trader.get("/api/auth/me")).status_code == 401
    assert (await world.client(Authorization=f"Bearer {token}").get("/api/auth/me")).status_code == 401
    login = {"email": "bo@example.org", "password": PASSWORD}
    assert (await world.client().post("/api/auth/login", json=login)).status_code == 401
    await admin.patch(f"/api/users/{user_id}", json={"is_active": True})
    assert (await trader.get("/api/auth/me")).status_code == 401  # old sessions stay ended
    assert (await world.client().post("/api/auth/login", json=login)).status_code == 200


async def test_the_last_admin_stays(world: World) -> None:
    admin = await world.set_up()
    me = (await admin.get("/api/auth/me")).json()["user"]["id"]
    for change in ({"role": "viewer"}, {"is_active": False}):
        answer = await admin.patch(f"/api/users/{me}", json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "LAST_ADMIN")
    other = await world.join(admin, "bo@example.org", "admin")
    other_id = (await other.get("/api/auth/me")).json()["user"]["id"]
    answers = await asyncio.gather(
        admin.patch(f"/api/users/{other_id}", json={"role": "viewer"}),
        other.patch(f"/api/users/{me}", json={"role": "viewer"}),
    )
    assert sorted(answer.status_code for answer in answers)[1] in (403, 409)
    assert (await admin.patch(f"/api/users/{NOBODY}", json={"role": "viewer"})).status_code in (403, 404)


async def test_tokens_do_what_their_scopes_say_and_never_administer(world: World) -> None:
    admin = await world.set_up()
    made = (
        await admin.post("/api/tokens", json={"name": "bot", "scopes": ["read"], "expires_in_days": 1})
    ).json()
    assert made["token"].startswith("amk_") and made["access_token"]["scopes"] == ["read"]
    program = world.client(Authorization=f"Bearer {made['token']}")
    assert (await program.get("/api/auth/me")).status_code == 200
    for path in ("/api/users", "/api/invites"):
        assert (await program.get(path)).status_code == 403
    for path, body in (
        ("/api/tokens", {"name": "x", "scopes": ["trade"]}),
        ("/api/wallet/paper/fund", {"amount": "5"}),
    ):
        refused = await program.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert "token" not in (await program.get("/api/tokens")).json()["items"][0]
    world.clock.advance(86_401)
    assert (await program.get("/api/auth/me")).status_code == 401


async def test_a_revoked_token_is_out_at_once(world: World) -> None:
    admin = await world.set_up()
    made = (await admin.post("/api/tokens", json={"name": "bot", "scopes": ["trade"]})).json()
    token_id = made["access_token"]["id"]
    assert (await admin.delete(f"/api/tokens/{token_id}")).status_code == 204
    program = world.client(Authorization=f"Bearer {made['token']}")
    assert (await program.get("/api/auth/me")).status_code == 401
    assert (await admin.delete(f"/api/tokens/{token_id}")).status_code == 404


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic YTpi", "Bearer amk_", "Bearer amk_0_x", ""])
async def test_bad_authorization_headers_are_refused(world: World, header: str) -> None:
    answer = await world.client(Authorization=header).get("/api/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_viewers_write_nothing(world: World) -> None:
    admin = await world.set_up()
    viewer = await world.join(admin, "v@example.org", "viewer")
    refused = await viewer.post("/api/wallet/paper/fund", json={"amount": "5"})
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert (await viewer.patch("/api/auth/me", json={"settings": {"theme": "dark"}})).status_code == 200


async def test_settings_are_merged(world: World) -> None:
    client = await world.set_up()
    await client.patch("/api/auth/me", json={"settings": {"theme": "dark"}})
    answer = await client.patch("/api/auth/me", json={"name": " Bea ", "settings": {"reduce_motion": True}})
    user = answer.json()["user"]
    assert user["name"] == "Bea" and user["settings"]["theme"] == "dark"
    assert user["settings"]["reduce_motion"] is True
    assert (await client.get("/api/auth/me")).json()["user"] == user
    assert (await client.patch("/api/auth/me", json={"settings": {"theme": "pink"}})).status_code == 422
    assert (await client.patch("/api/auth/me", json={"role": "admin"})).status_code == 422


async def test_one_users_sessions_and_tokens_are_no_business_of_another(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    token_id = (await admin.post("/api/tokens", json={"name": "t", "scopes": ["read"]})).json()[
        "access_token"
    ]["id"]
    session_id = (await admin.get("/api/auth/sessions")).json()["items"][0]["id"]
    assert (await trader.delete(f"/api/tokens/{token_id}")).status_code == 404
    assert (await trader.delete(f"/api/auth/sessions/{session_id}")).status_code == 404
    assert (await trader.get("/api/tokens")).json()["items"] == []
    assert (await admin.get("/api/auth/me")).status_code == 200


async def test_every_state_change_is_in_the_audit_log_and_an_edit_shows(
    world: World, database_urls: DatabaseUrls
) -> None:
    admin = await world.set_up()
    await world.join(admin, "bo@example.org")
    await admin.post("/api/tokens", json={"name": "t", "scopes": ["read"]})
    await admin.patch("/api/auth/me", json={"name": "Bea"})
    await admin.post("/api/auth/logout")
    with psycopg.connect(database_urls.owner) as connection:
        actions = [row[0] for row in connection.execute("SELECT action FROM audit_log ORDER BY seq")]
    expected = "setup.completed invite.created invite.accepted token.created user.updated session.revoked"
    assert actions == expected.split()
    check = await world.accounts.audit.verify()
    assert check.ok and check.facts_checked == len(actions)
    with psycopg.connect(database_urls.owner) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit_log SET actor = 'user:somebody' WHERE seq = 3")
    assert (await world.accounts.audit.verify()).first_break == 3
