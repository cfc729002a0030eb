"""Risk limits over HTTP: whose they are, what they use, who may set them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.circuit_breaker import tripped_by
from amarktai.domain.risk_limits import EVERYBODY, Breach, Limit, LimitKind
from amarktai.ports.clock import to_datetime
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.ids import TimeIds
from amarktai.system.rng import SeededRng
from tests.api.conftest import World

RISK, LIMITS = "/api/risk", "/api/risk/limits"
STATUS, HISTORY, RESET = (f"/api/circuit-breaker/{name}" for name in ("status", "history", "reset"))


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


async def test_a_breaker_is_shown_and_reset_with_a_reason_and_a_fresh_proof(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    assert (await trader.get(STATUS)).json() == {"mode": "paper", "tripped": False, "breakers": []}
    trip_id = await trip(world)
    for person, may in ((admin, True), (trader, False)):
        (shown,) = (await person.get(STATUS)).json()["breakers"]
        assert (shown["id"], shown["tripped"], shown["can_reset"]) == (str(trip_id), True, may)
        assert (shown["entity_type"], shown["entity_id"]) == ("everybody", None)
        assert shown["metrics_at_trip"] == {"figure": "25.00 %", "threshold": "20.00 %"}
    assert (await admin.get(STATUS, params={"mode": "live"})).json()["tripped"] is False
    order = {"breaker_id": str(trip_id), "reason": "Looked into it."}
    assert (await trader.post(RESET, json=order)).status_code == 403
    for bad in ({"reason": ""}, {"reason": None}, {"breaker_id": "x"}):
        assert (await admin.post(RESET, json={**order, **bad})).status_code == 422
    nobodys = {**order, "breaker_id": "00000000-0000-7000-8000-000000000001"}
    assert (await admin.post(RESET, json=nobodys)).status_code == 404
    assert (await admin.post(RESET, json=order)).status_code == 204
    again = await admin.post(RESET, json=order)
    assert (again.status_code, again.json()["code"]) == (409, "NOT_TRIPPED")
    (past,) = (await admin.get(HISTORY)).json()["items"]
    assert (past["tripped"], past["reset_reason"]) == (False, "Looked into it.")
    (fact,) = [
        fact
        for fact in (await admin.get("/api/audit")).json()["items"]
        if fact["object_type"] == "circuit_breaker"
    ]
    assert (fact["action"], fact["reason"]) == ("circuit_breaker.reset", "Looked into it.")
    world.clock.advance(301)
    unproven = await admin.post(RESET, json=order)
    assert (unproven.status_code, unproven.json()["code"]) == (403, "STEP_UP_NEEDED")


async def trip(world: World) -> UUID:
    """Trip everybody's breaker for the fall from the peak, as the engine does."""
    store = PgStore(world.database, TimeIds(world.clock, SeededRng("trip")), world.clock)
    (user_id, *_) = await store.user_ids()
    breach = Breach(Limit(LimitKind.DRAWDOWN, EVERYBODY, Decimal(20)), Decimal(25), "it fell by a quarter")
    at = to_datetime(world.clock.now_ns())
    found = tripped_by(UUID(int=99), breach, TradingMode.PAPER, at, "UTC")
    assert found is not None
    async with store.unit_of_work(user_id) as unit:
        assert await unit.breakers.trip(found)
        assert not await unit.breakers.trip(replace(found, id=UUID(int=98))), "tripped already"
    return found.id


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
