"""Writes with an ``Idempotency-Key``: done once, and nothing kept that holds a secret."""

from __future__ import annotations

import asyncio

import httpx
import psycopg

from amarktai.api.routes import bots, factors, keys, users
from amarktai.api.routing import IdempotentRoute
from amarktai.storage.embedded import DatabaseUrls
from tests.api.conftest import EMAIL, PASSWORD, World

FUND = "/api/wallet/paper/fund"


async def _total(client: httpx.AsyncClient) -> float:
    return float((await client.get("/api/wallet/paper")).json()["available"])


async def test_a_repeated_write_with_a_key_is_done_once(world: World) -> None:
    admin = await world.set_up()
    key, body = {"Idempotency-Key": "once"}, {"amount": "5"}
    first = await admin.post(FUND, json=body, headers=key)
    second = await admin.post(FUND, json=body, headers=key)
    assert first.status_code == second.status_code == 200 and first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert await _total(admin) == 5
    other = await admin.post(FUND, json={"amount": "6"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    bad = await admin.post(FUND, json={}, headers={"Idempotency-Key": "bad"})
    good = await admin.post(FUND, json=body, headers={"Idempotency-Key": "bad"})
    assert (bad.status_code, good.status_code) == (422, 200)  # a malformed request claims no key


async def test_keys_belong_to_their_user_and_are_forgotten_after_a_day(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    key, body = {"Idempotency-Key": "shared"}, {"amount": "5"}
    for client in (admin, trader):
        assert (await client.post(FUND, json=body, headers=key)).status_code == 200
        assert await _total(client) == 5
    refused = await trader.delete("/api/keys/luno", headers=key)
    assert refused.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    world.clock.advance(25 * 3600)
    await admin.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    await admin.post(FUND, json=body, headers=key)
    assert await _total(admin) == 10


async def test_the_same_key_twice_at_once_runs_once(world: World) -> None:
    admin = await world.set_up()
    key, body = {"Idempotency-Key": "race"}, {"amount": "5"}
    answers = await asyncio.gather(*(admin.post(FUND, json=body, headers=key) for _ in range(4)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 409} and 200 in codes
    assert await _total(admin) == 5


async def test_nothing_is_kept_of_requests_and_answers_with_secrets(
    world: World, database_urls: DatabaseUrls
) -> None:
    admin = await world.set_up()
    key, token = {"Idempotency-Key": "k"}, {"name": "t", "scopes": ["read"]}
    new = {"current_password": PASSWORD, "new_password": f"{PASSWORD} and more"}
    assert (await admin.post("/api/tokens", json=token, headers=key)).status_code == 201
    assert (await admin.post("/api/invites", json={"role": "viewer"}, headers=key)).status_code == 201
    assert (await admin.post("/api/auth/password", json=new, headers=key)).status_code == 204
    with psycopg.connect(database_urls.owner) as connection:
        assert connection.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)


def test_the_routes_with_secrets_are_known_by_their_fields() -> None:
    routes = [route for module in (users, factors, keys, bots) for route in module.router.routes]
    secret = {
        route.path.removeprefix("/api")
        for route in routes
        if isinstance(route, IdempotentRoute) and route.holds_secrets
    }
    assert secret == {
        "/auth/password",
        "/auth/step-up",
        "/auth/factors/totp",
        "/auth/factors/totp/confirm",
        "/auth/factors/recovery-codes",
        "/tokens",
        "/invites",
        "/keys/save",
        "/keys/test",
    }
