"""The emergency stop over HTTP: who may stop whom, and who may release it."""

from __future__ import annotations

from tests.api.conftest import World

STOP, RELEASE = "/api/system/emergency-stop", "/api/system/emergency-stop/disable"
STATUS = "/api/system/emergency-stop/status"


async def test_everybody_stops_their_own_and_only_admins_stop_all(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    viewer = await world.join(admin, "v@example.org", "viewer")
    assert (await viewer.post(STOP, json={})).status_code == 403
    refused = await trader.post(STOP, json={"everybody": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    own = (await trader.post(STOP, json={"reason": "odd"})).json()
    assert own["active"] and own["reason"] == "odd" and own["stops"][0]["scope"] == "user"
    assert not (await admin.get(STATUS)).json()["active"]
    await admin.post(STOP, json={"reason": "all", "everybody": True})
    assert (await viewer.get(STATUS)).json()["reason"] == "all"
    assert (await trader.post(RELEASE, json={"everybody": True})).status_code == 403
    still = (await trader.post(RELEASE, json={})).json()
    assert still["active"] and [stop["scope"] for stop in still["stops"]] == ["everybody"]
    free = (await admin.post(RELEASE, json={"everybody": True})).json()
    assert not free["active"] and len(free["history"]) == 1
    assert len((await trader.get(STATUS)).json()["history"]) == 2


async def test_a_program_stops_with_its_token_but_not_for_others(world: World) -> None:
    admin = await world.set_up()
    made = (await admin.post("/api/tokens", json={"name": "guard", "scopes": ["trade"]})).json()
    program = world.client(Authorization=f"Bearer {made['token']}")
    assert (await program.post(STOP, json={"everybody": True})).status_code == 403
    assert (await program.post(STOP, json={})).json()["active"]
    await program.post(RELEASE, json={})
    long = (await program.post(STOP, json={"reason": "x" * 201})).json()
    assert long["active"] and long["reason"] == "x" * 200
