"""Risk limits over HTTP: whose they are, what they use, who may set them."""

from __future__ import annotations

from tests.api.conftest import World

RISK, LIMITS = "/api/risk", "/api/risk/limits"


async def test_limits_are_set_seen_with_their_use_and_removed(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    assert (await trader.get(RISK)).json() == {
        "mode": "paper",
        "needed_for_live": ["daily_loss_zar", "drawdown_pct", "exposure_zar"],
        "limits": [],
    }
    everybody = {"kind": "exposure_zar", "scope": "everybody", "amount": "50000"}
    assert (await trader.put(LIMITS, json=everybody)).status_code == 403
    assert (await admin.put(LIMITS, json=everybody)).status_code == 204
    own = {"kind": "allowed_pairs", "scope": "user", "names": ["BTC/ZAR"]}
    assert (await trader.put(LIMITS, json=own)).status_code == 204
    mine = (await trader.get(RISK)).json()["limits"]
    assert [(one["kind"], one["scope"], one["used"]) for one in mine] == [
        ("exposure_zar", "everybody", None),  # about others' money too
        ("allowed_pairs", "user", None),
    ]
    (seen,) = (await admin.get(RISK)).json()["limits"]
    assert (seen["amount"], seen["used"], seen["spent"]) == ("50000.00000000", "0.00", False)
    assert (await admin.put(LIMITS, json={**everybody, "amount": "60000"})).status_code == 204
    (seen,) = (await admin.get(RISK, params={"mode": "live"})).json()["limits"]
    assert seen["amount"] == "60000.00000000"
    gone = await trader.delete(f"{LIMITS}/allowed_pairs", params={"scope": "user"})
    assert gone.status_code == 204
    again = await trader.delete(f"{LIMITS}/allowed_pairs", params={"scope": "user"})
    assert again.status_code == 404
    facts = (await admin.get("/api/audit")).json()["items"]
    assert [fact["action"] for fact in facts if fact["object_type"] == "risk_limit"] == [
        "risk_limit.removed", "risk_limit.set", "risk_limit.set", "risk_limit.set"
    ]  # fmt: skip


async def test_what_is_no_limit_is_refused(world: World) -> None:
    admin = await world.set_up()
    viewer = await world.join(admin, "v@example.org", "viewer")
    good = {"kind": "exposure_zar", "scope": "user", "amount": "5"}
    assert (await viewer.put(LIMITS, json=good)).status_code == 403
    for bad in (
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": None},
        {"names": ["BTC/ZAR"]},
        {"kind": "luck"},
        {"scope": "bot"},
        {"bot_id": "00000000-0000-7000-8000-000000000001"},
        {"kind": "drawdown_pct", "amount": "101"},
        {"kind": "orders_per_day", "amount": "1.5"},
    ):
        answer = await admin.put(LIMITS, json={**good, **bad})
        assert answer.status_code == 422, (bad, answer.text)
    anothers = {**good, "scope": "bot", "bot_id": "00000000-0000-7000-8000-000000000001"}
    assert (await admin.put(LIMITS, json=anothers)).status_code == 404
    world.clock.advance(301)
    unproven = await admin.put(LIMITS, json=good)
    assert (unproven.status_code, unproven.json()["code"]) == (403, "STEP_UP_NEEDED")
