"""Every route at once: none shadows another, none is open, none shows another user's things."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from amarktai.api.app import openapi
from amarktai.api.paths import pattern_of
from amarktai.storage.embedded import DatabaseUrls
from tests.api.conftest import PASSWORD, World
from tests.api.populated import Populated, populated

PUBLIC = {
    ("GET", "/api/setup"),
    ("POST", "/api/setup"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/invites/accept"),
    ("GET", "/api/health/ping"),
    ("GET", "/api/health/ready"),
    ("GET", "/api/system/build"),
    ("GET", "/api/keys/providers"),
}
#: What admins share: an id there is nobody's own.
ADMINISTRATION = {"user_id", "invite_id"}
#: Bodies that are right in form, for the routes that need one.
BODIES: dict[str, dict[str, Any]] = {
    "/api/bots/{bot_id}": {"name": "Mine now"},
    "/api/users/{user_id}": {"role": "viewer"},
    "/api/accounts/differences/{difference_id}/explain": {"cause": "deposit"},
    "/api/orders/{order_id}/resolve": {"note": "It is not in the exchange's list."},
}


def _operations() -> Iterator[tuple[str, str]]:
    for path, methods in openapi()["paths"].items():
        for method in methods:
            yield method.upper(), path


@pytest.fixture
async def full(database_urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[Populated]:
    async with populated(database_urls, tmp_path) as made:
        yield made


def test_no_route_shadows_another() -> None:
    paths = [(method, path) for method, path in _operations()]
    assert len(paths) == len(set(paths)) and len(paths) > 50
    for method, path in paths:
        sample = (
            re.sub(r"{\w+_id}", "0" * 32, path).replace("{platform}", "luno").replace("{provider}", "luno")
        )
        matching = [other for verb, other in paths if verb == method and pattern_of(other).fullmatch(sample)]
        assert matching[0] == path, f"{method} {path} is answered by {matching[0]}"


def test_operations_have_names_summaries_and_the_error_shape() -> None:
    document = openapi()
    names = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            names.append(operation["operationId"])
            assert operation.get("description"), where
            for status, response in operation["responses"].items():
                if int(status) < 400 or (path.endswith("/ready") and status == "503"):
                    continue
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, f"{where} {status}"
            is_open = (method.upper(), path) in PUBLIC
            assert ("401" in operation["responses"]) != is_open or path == "/api/auth/login", where
            assert bool(operation.get("security")) != is_open, where
    assert len(names) == len(set(names))


async def test_nothing_is_open_to_strangers(world: World) -> None:
    await world.set_up()
    stranger = world.client()
    for method, path in _operations():
        if (method, path) in PUBLIC:
            continue
        filled = re.sub(r"{platform}|{provider}", "luno", re.sub(r"{\w+_id}", "0" * 32, path))
        for headers in ({}, {"Idempotency-Key": "k"}):
            answer = await stranger.request(method, filled, headers=headers)
            assert answer.status_code == 401, f"{method} {path}: {answer.text}"
            assert set(answer.json()) == {"code", "detail", "action"}


async def test_every_read_answers_its_owner_in_shape(full: Populated) -> None:
    queries = {"/api/candles": {"instrument_id": "luno:BTC/ZAR", "timeframe": "1h"}}
    seen = 0
    for method, path in _operations():
        if method != "GET" or path in ("/api/realtime/events", "/api/health/ready"):
            continue
        filled = path.format(platform="luno", **full.ids)
        answer = await full.owner.get(filled, params=queries.get(path))
        assert answer.status_code == 200, f"{path}: {answer.text}"
        seen += 1
    assert seen > 30


@pytest.mark.parametrize("query", ["period=daily", "period=weekly", "period=monthly", "period=all"])
async def test_profits_have_the_required_shape(full: Populated, query: str) -> None:
    answer = (await full.owner.get(f"/api/profits?{query}&mode=paper")).json()
    length = {"daily": 30, "weekly": 12, "monthly": 12, "all": 30}[answer["period"]]
    rows = answer.get("items") or answer["daily_series"]
    assert len(rows) == length and answer["mode"] == "paper"
    figure = answer.get("total") or answer["total_profit"]
    assert figure not in ("0", "0.00000000")


async def test_another_users_things_do_not_exist(full: Populated) -> None:
    tried = 0
    assert (await full.other.post("/api/auth/step-up", json={"password": PASSWORD})).status_code == 200
    for method, path in _operations():
        names = set(re.findall(r"{(\w+_id)}", path))
        if not names or names & ADMINISTRATION:
            continue
        answer = await full.other.request(method, path.format(**full.ids), json=BODIES.get(path))
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), f"{method} {path}"
        tried += 1
    assert tried >= 14
    for path in ("/api/trades", "/api/orders", "/api/ledger/entries"):
        for name in ("bot_id", "trade_id"):
            rows = await full.other.get(path, params={name: full.ids[name]})
            assert rows.status_code in (200, 404) and not rows.json().get("items"), path
    for path in (
        "/api/bots",
        "/api/trades",
        "/api/orders",
        "/api/ledger/entries",
        "/api/alerts",
        "/api/events",
    ):
        assert (await full.other.get(path)).json()["items"] == [], path
    assert (await full.other.get("/api/platforms/luno/bots")).json()["bots"] == []
    assert (await full.owner.get(f"/api/bots/{full.ids['bot_id']}")).json()["bot"]["name"] == "Luno cross"


async def test_lists_are_paged_without_loss(full: Populated) -> None:
    for path in (
        "/api/bots",
        "/api/trades",
        "/api/orders",
        "/api/ledger/entries",
        "/api/events",
        "/api/instruments",
    ):
        whole = (await full.owner.get(path, params={"limit": 500})).json()["items"]
        assert len(whole) > 1, path
        pieces: list[Any] = []
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            answer = (await full.owner.get(path, params=params)).json()
            pieces += answer["items"]
            cursor = answer["next_cursor"]
            if cursor is None:
                break
        assert [row.get("id", row.get("seq")) for row in pieces] == [
            row.get("id", row.get("seq")) for row in whole
        ], path


async def test_events_after_a_sequence_come_oldest_first(full: Populated) -> None:
    newest = (await full.owner.get("/api/events")).json()["items"]
    oldest = (await full.owner.get("/api/events", params={"after": 0, "limit": 500})).json()["items"]
    assert [row["seq"] for row in oldest] == list(range(1, len(oldest) + 1))
    assert newest[0]["seq"] == oldest[-1]["seq"]


async def test_a_bots_life_through_the_api(full: Populated) -> None:
    body = {
        "name": "Second",
        "platform": "luno",
        "pair": "BTC/ZAR",
        "strategy": "ema_cross",
        "risk_mode": "safe",
        "capital_zar": "5000",
    }
    made = await full.owner.post("/api/bots", json=body)
    assert made.status_code == 201, made.text
    bot = made.json()["bot"]
    assert bot["status"] == "stopped" and bot["capital_zar"].startswith("5000")
    again = await full.owner.post("/api/bots", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "BOT_NAME_DUPLICATE")
    place = f"/api/bots/{bot['id']}"
    for action, status in (
        ("start", "active"),
        ("pause", "paused"),
        ("resume", "active"),
        ("stop", "stopped"),
    ):
        answer = await full.owner.post(f"{place}/{action}", json={"reason": "because"})
        assert answer.status_code == 200 and answer.json()["bot"]["status"] == status, action
    refused = await full.owner.post(f"{place}/pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "BOT_STATE")
    renamed = await full.owner.patch(place, json={"name": "Renamed"})
    assert renamed.json()["bot"]["name"] == "Renamed"
    before = (await full.owner.get("/api/wallet/paper")).json()["available"]
    assert (await full.owner.delete(place)).json()["bot"]["status"] == "deleted"
    after = (await full.owner.get("/api/wallet/paper")).json()["available"]
    assert float(after) == float(before) + 5000
    assert (await full.owner.post("/api/bots/pause-all")).json()["changed"] == 2
    assert (await full.world.accounts.audit.verify()).ok


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"capital_zar": "900"}, 422, "BELOW_MINIMUM"),
        ({"capital_zar": "100001"}, 422, "INVALID_CAPITAL_AMOUNT"),
        ({"capital_zar": "99999"}, 409, "INSUFFICIENT_FUNDS"),
        ({"capital_zar": "NaN"}, 422, "VALIDATION_ERROR"),
        ({"capital_zar": "-5"}, 422, "VALIDATION_ERROR"),
        ({"platform": "mtgox"}, 422, "INVALID_EXCHANGE"),
        ({"platform": "valr"}, 409, "EXCHANGE_CONNECTION_ERROR"),
        ({"pair": "DOGE/ZAR"}, 422, "VALIDATION_ERROR"),
        ({"strategy": "magic"}, 404, "NOT_FOUND"),
        ({"params": {"fast": -1}}, 422, "VALIDATION_ERROR"),
        ({"params": {"fsat": 3}}, 422, "VALIDATION_ERROR"),
        ({"params": {"a\u0000": 3}}, 422, "VALIDATION_ERROR"),
        ({"timeframe": "1y"}, 422, "VALIDATION_ERROR"),
        ({"name": "   "}, 422, "VALIDATION_ERROR"),
        ({"risk_mode": "wild"}, 422, "VALIDATION_ERROR"),
        ({"colour": "red"}, 422, "VALIDATION_ERROR"),
    ],
)
async def test_bad_bots_are_refused_with_their_code(
    full: Populated, change: dict[str, Any], status: int, code: str
) -> None:
    body = {
        "name": "Second",
        "platform": "luno",
        "pair": "BTC/ZAR",
        "strategy": "ema_cross",
        "risk_mode": "safe",
        "capital_zar": "5000",
    }
    answer = await full.owner.post("/api/bots", json={**body, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert len((await full.owner.get("/api/bots")).json()["items"]) == 2


async def test_alerts_are_acknowledged_once_and_stay(full: Populated) -> None:
    place = f"/api/alerts/{full.ids['alert_id']}/acknowledge"
    assert (await full.owner.post(place)).status_code == 204
    first = (await full.owner.get("/api/alerts")).json()["items"][0]["acknowledged_at"]
    full.world.clock.advance(60)
    assert (await full.owner.post(place)).status_code == 204
    assert (await full.owner.get("/api/alerts")).json()["items"][0]["acknowledged_at"] == first


async def test_the_audit_log_shows_each_what_concerns_them(full: Populated) -> None:
    place = f"/api/bots/{full.ids['bot_id']}"
    changed = await full.owner.patch(place, json={"params": {"fast": 5, "slow": 20}})
    assert changed.status_code == 200, changed.text
    query = {"object_type": "bot", "object_id": full.ids["bot_id"]}
    (fact,) = (await full.owner.get("/api/audit", params=query)).json()["items"]
    assert fact["action"] == "bot.updated" and fact["actor_name"] == "Ada"
    assert (fact["before"]["params"], fact["after"]["params"]["fast"]) == ({}, 5)
    everything = (await full.owner.get("/api/audit", params={"limit": 500})).json()["items"]
    others = (await full.other.get("/api/audit")).json()["items"]
    assert {fact["object_type"] for fact in others} <= {"user", "session", "invite"} and others
    assert len(others) < len(everything)
    assert (await full.other.get("/api/audit", params=query)).json()["items"] == []
    assert (await full.owner.get("/api/audit/verify")).json()["ok"]
    assert (await full.other.get("/api/audit/verify")).status_code == 403


async def test_files_are_downloads_that_spreadsheets_read(full: Populated) -> None:
    for path, name in (
        ("/api/trades/export?sort=-closed_at", "trades"),
        ("/api/profits/export?span=tax_year", "profits-tax_year"),
    ):
        answer = await full.owner.get(path)
        assert answer.headers["content-type"].startswith("text/csv")
        assert f'filename="amarktai-{name}.csv"' in answer.headers["content-disposition"]
        assert answer.content.startswith(b"\xef\xbb\xbf") and len(answer.text.splitlines()) == 2
        assert len((await full.other.get(path)).text.splitlines()) == 1
    assert (await full.owner.get("/api/trades/export?sort=name")).status_code == 422
