"""The control API over HTTP: what it does, and what it says to nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amarktai.bootstrap.twins import made_up_account, running_twin
from amarktai.domain.errors import InvalidInput, NotFound, Unavailable
from amarktai.twins.accounts import Account
from amarktai.twins.server import RunningTwin
from tests.twins.conftest import account

D = Decimal
PAIR = "XBTZAR"


@pytest.fixture
async def control(luno: RunningTwin) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=luno.control_url) as client:
        yield client


async def post(control: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await control.post(path, json=body)
    return answer.status_code, answer.json()


async def test_the_state_shows_markets_accounts_and_faults(
    luno: RunningTwin, control: httpx.AsyncClient
) -> None:
    await post(control, "/faults", kind="drop_reply", operation="create", count=2)
    state = (await control.get("")).json()["result"]
    assert state["markets"][PAIR] == {"bid": "60000", "ask": "60100", "last": "60000"}
    assert state["accounts"]["key"]["balances"]["ZAR"] == {"total": "1000000", "held": "0"}
    assert [(f["kind"], f["operation"], f["count"]) for f in state["faults"]] == [("drop_reply", "create", 2)]
    assert state["imbalance"] == {}
    assert "key-secret" not in (await control.get("")).text
    await control.delete("/faults")
    assert (await control.get("/faults")).json()["result"] == []


async def test_the_world_acts(luno: RunningTwin, control: httpx.AsyncClient) -> None:
    assert (await post(control, "/deposit", key="key", asset="ZAR", amount="5"))[0] == 200
    assert luno.control.balances("key")["ZAR"] == (D(1_000_005), D(0))
    traded = (await post(control, "/trade", key="key", market=PAIR, side="buy", quantity="0.5"))[1]["result"]
    assert (traded["state"], traded["filled"]) == ("filled", "0.5")
    assert (await post(control, "/permissions", key="key", permissions=["read"], is_revoked=True))[0] == 200
    assert luno.twin.accounts["key"].is_revoked
    await post(control, "/book", market=PAIR, bids=[["10", "1"]], asks=[["11", "1"]])
    await post(control, "/crowd", market=PAIR, side="buy", quantity="0.4")
    assert (await control.get("")).json()["result"]["markets"][PAIR] == {
        "bid": "10",
        "ask": "11",
        "last": "11",
    }
    await post(control, "/suspend", market=PAIR)
    assert PAIR in luno.twin.exchange.suspended
    assert (await control.post("/move")).status_code == 200
    assert (await control.post("/disconnect")).status_code == 200
    assert (await post(control, "/restart", seconds=0))[0] == 200
    assert luno.control.state()["imbalance"] == {}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/faults", {"kind": "nonsense"}, 422),
        ("/faults", {"kind": "gap", "operation": "create"}, 422),
        ("/faults", {"kind": "refuse", "chance": 2}, 422),
        ("/deposit", {"key": "nobody", "asset": "ZAR", "amount": "1"}, 404),
        ("/deposit", {"key": "key", "asset": "ZAR", "amount": "-9999999"}, 422),
        ("/deposit", {"key": "key", "asset": "ZAR", "amount": "1", "more": 1}, 422),
        ("/trade", {"key": "key", "market": "XXX", "side": "buy", "quantity": "1"}, 404),
        ("/trade", {"key": "key", "market": PAIR, "side": "buy", "quantity": "100"}, 422),
        ("/book", {"market": PAIR, "bids": [["1", "0"]], "asks": []}, 422),
        ("/nothing", {}, 404),
    ],
)
async def test_nonsense_gets_an_error_that_says_what_to_do(
    control: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    code, answer = await post(control, path, **body)
    assert code == status and answer["action"]


async def test_the_same_seed_gives_the_same_market_and_keys() -> None:
    async def top(seed: str) -> Any:
        async with running_twin("luno", accounts=[account()], turn_s=None, seed=seed) as twin:
            for _ in range(3):
                twin.control.move_markets()
            return twin.control.state()["markets"]

    assert await top("7") == await top("7") != await top("8")
    text, rights = "ZAR=1", ["read"]
    assert made_up_account("luno", text, "7", rights) == made_up_account("luno", text, "7", rights)
    assert made_up_account("luno", text, "7", rights).key != made_up_account("luno", text, "8", rights).key


async def test_a_twin_refuses_what_it_cannot_be() -> None:
    for name, more in (
        ("kraken", {}),
        ("luno", {"recordings": {"XXXZAR": None}}),
    ):
        with pytest.raises(InvalidInput, match="has no"):
            async with running_twin(name, accounts=[account()], **more):  # type: ignore[arg-type]
                pass
    with pytest.raises(InvalidInput, match="same key"):
        async with running_twin("luno", accounts=[account(), account()]):
            pass
    with pytest.raises(InvalidInput, match="secret"):
        async with running_twin("luno", accounts=[Account("k", "", {})]):
            pass
    with pytest.raises(InvalidInput, match="ASSET=AMOUNT"):
        made_up_account("luno", "ZAR", "1", ["read"])
    with pytest.raises(InvalidInput, match="no right"):
        made_up_account("luno", "ZAR=1", "1", ["steal"])
    async with running_twin("luno", accounts=[account()], turn_s=None) as twin:
        with pytest.raises(Unavailable):
            async with running_twin("luno", accounts=[account()], port=twin.port):
                pass
        with pytest.raises(NotFound):
            twin.control.clear(99)
