"""Real accounts over HTTP: shown with what waits for a person, who then says what it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from amarktai.storage.embedded import DatabaseUrls
from tests.api.conftest import PASSWORD
from tests.api.populated import Populated, populated


@pytest.fixture
async def full(database_urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[Populated]:
    async with populated(database_urls, tmp_path) as made:
        yield made


async def test_a_difference_is_shown_until_its_owner_explains_it(full: Populated) -> None:
    shown = (await full.owner.get("/api/accounts")).json()
    (difference,) = shown["differences"]
    assert (difference["asset"], difference["amount"], difference["cause"]) == ("ZAR", "500.00000000", None)
    address = f"/api/accounts/differences/{difference['id']}/explain"
    wrong = await full.owner.post(address, json={"cause": "withdrawal"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "VALIDATION_ERROR")
    done = await full.owner.post(address, json={"cause": "deposit", "note": "paid in"})
    assert done.status_code == 200 and done.json()["cause"] == "deposit"
    again = await full.owner.post(address, json={"cause": "deposit"})
    assert (again.status_code, again.json()["code"]) == (409, "DIFFERENCE_EXPLAINED")
    facts = (await full.owner.get("/api/audit", params={"object_type": "difference"})).json()["items"]
    assert [fact["action"] for fact in facts] == ["difference.explained"]


async def test_tie_outs_are_told_by_day(full: Populated) -> None:
    rows = (await full.owner.get("/api/accounts/luno/tie-outs", params={"days": 7})).json()["items"]
    assert [(row["asset"], float(row["difference"])) for row in rows] == [("ZAR", 0.0)]
    assert (await full.other.get("/api/accounts/luno/tie-outs")).json()["items"] == []
    assert (await full.owner.get("/api/accounts/mtgox/tie-outs")).status_code == 422


async def test_an_order_that_is_not_in_doubt_cannot_be_resolved(full: Populated) -> None:
    address = f"/api/orders/{full.ids['order_id']}/resolve"
    asked = await full.owner.post(address, json={"note": "I say so."})
    assert (asked.status_code, asked.json()["code"]) == (403, "STEP_UP_NEEDED")
    assert (await full.owner.post("/api/auth/step-up", json={"password": PASSWORD})).status_code == 200
    answer = await full.owner.post(address, json={"note": "I say so."})
    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_NOT_IN_DOUBT")
