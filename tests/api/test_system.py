"""The emergency stop over HTTP: who may stop whom, and who may release it."""

from __future__ import annotations

from tests.api.conftest import PASSWORD, World

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


MODE, SWITCH, READINESS = "/api/system/mode", "/api/system/mode/switch", "/api/system/mode/readiness"


async def test_the_mode_is_everybodys_to_read_and_to_set_to_paper(world: World) -> None:
    admin = await world.set_up()
    viewer = await world.join(admin, "v@example.org", "viewer")
    mode = (await viewer.get(MODE)).json()
    assert (mode["mode"], mode["base"], mode["paperTrading"]) == ("paper", "paper", True)
    assert (await viewer.post(SWITCH, json={"mode": "paper"})).status_code == 403
    trader = await world.join(admin, "bo@example.org")
    assert (await trader.post(SWITCH, json={"mode": "paper"})).json()["success"]
    assert (await admin.post(SWITCH, json={"mode": "both"})).status_code == 422


async def test_the_way_into_live_trading_is_refused_at_each_of_its_doors(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    live = {"mode": "live", "confirmation_token": "CONFIRM_LIVE_TRADING"}
    assert (await trader.post(SWITCH, json=live)).status_code == 403
    assert (await trader.get(READINESS)).status_code == 403
    unsaid = await admin.post(SWITCH, json={"mode": "live"})
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "CONFIRMATION_NEEDED")
    world.clock.advance(301)
    unproven = await admin.post(SWITCH, json=live)
    assert (unproven.status_code, unproven.json()["code"]) == (403, "STEP_UP_NEEDED")
    await admin.post("/api/auth/step-up", json={"password": PASSWORD})
    unready = await admin.post(SWITCH, json=live)
    assert (unready.status_code, unready.json()["code"]) == (409, "LIVE_NOT_READY")
    readiness = (await admin.get(READINESS)).json()
    assert not readiness["ready"] and len(readiness["checks"]) == 17
    for reason in readiness["errors"]:
        assert reason.split(":")[0] in unready.json()["detail"]
    assert (await admin.get(MODE)).json()["mode"] == "paper"


async def test_autopilot_on_paper_needs_an_admin_and_no_gate(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    assert (await trader.post(SWITCH, json={"mode": "autopilot"})).status_code == 403
    view = (await admin.post(SWITCH, json={"mode": "autopilot"})).json()
    assert (view["mode"], view["base"]) == ("autopilot", "paper")
