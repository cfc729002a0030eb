"""OVEX's twin, driven by ovex-py as far as it goes, and by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from ovex_python.client import Client
from ovex_python.error import APIError

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.server import RunningTwin
from tests.fakes import HandClock

D = Decimal
MONEY = {"zar": D(100_000), "btc": D(1)}


class ThirdParty:
    """ovex-py, whose blocking calls run in threads."""

    def __init__(self, twin: RunningTwin, key: str = "key") -> None:
        self._client = Client(api_key_id=key, base_url=f"{twin.url}/api/v2")

    async def __call__(self, method: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(getattr(self._client, method), *args, **more)

    async def refused(self, method: str, *args: Any, **more: Any) -> str:
        with pytest.raises(APIError) as error:
            await self(method, *args, **more)
        return str(error.value.code)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def ovex(clock: HandClock) -> AsyncIterator[RunningTwin]:
    both = [Account("key", "unused", MONEY), Account("other", "unused", MONEY)]
    async with running_twin("ovex", accounts=both, turn_s=None, clock=clock) as twin:
        twin.control.set_book("btczar", {D(999_000): D(1)}, {D(1_000_000): D(1)})
        yield twin


async def test_markets_and_currencies_are_public(ovex: RunningTwin) -> None:
    async with httpx.AsyncClient(base_url=f"{ovex.url}/api/v2") as http:
        market = next(row for row in (await http.get("/markets")).json() if row["id"] == "btczar")
        assert (market["base_currency"], market["rfq_enabled"], market["base_precision"]) == ("btc", True, 8)
        assert {row["id"] for row in (await http.get("/currencies", params={"type": "fiat"})).json()} == {
            "zar"
        }
        assert (await http.get("/currencies/BTC")).json()["symbol"] == "BTC"
        assert (await http.get("/currencies/xxx")).status_code == 404
        assert (await http.get("/depth", params={"market": "btczar"})).status_code == 404
        assert (await http.get("/accounts")).status_code == 401


async def test_a_quote_without_a_key_is_indicative_only(ovex: RunningTwin) -> None:
    async with httpx.AsyncClient(base_url=f"{ovex.url}/api/v2") as http:
        asked = {"market": "btczar", "side": "sell", "to_amount": "994005"}
        quote = (await http.get("/rfq/get_quote", params=asked)).json()
    assert "quote_token" not in quote
    assert (quote["from_currency"], quote["from_amount"], quote["rate"]) == ("btc", "1.00000000", "994005.00")
    assert quote["expires_at"] > quote["requested_at"]


async def test_quote_accept_and_reconcile(ovex: RunningTwin) -> None:
    client = ThirdParty(ovex)
    quote = await client("get_quote_rfq", from_amount="10050", market="btczar", side="buy")
    assert (quote["from_currency"], quote["to_amount"]) == ("zar", "0.01000000")
    done = await client("accept_quote", quote["quote_token"])
    assert (done["from_amount"], done["to_amount"], done["side"]) == ("10050", "0.01000000", "buy")
    assert await client("get_trades") == [done]
    accounts = {row["currency"]: D(row["balance"]) for row in await client("get_accounts")}
    assert accounts == {"zar": D(89_950), "btc": D("1.01")}
    assert await client.refused("accept_quote", quote["quote_token"]) == "quote.accepted"
    assert ovex.control.state()["imbalance"] == {}


async def test_a_quote_binds_one_account_for_seconds(ovex: RunningTwin, clock: HandClock) -> None:
    client = ThirdParty(ovex)
    quote = await client("get_quote_rfq", to_amount="0.01", market="btczar", side="buy")
    assert await ThirdParty(ovex, "other").refused("accept_quote", quote["quote_token"]) == "quote.not_found"
    clock.advance(16)
    assert await client.refused("accept_quote", quote["quote_token"]) == "quote.expired"
    large = await client("get_quote_rfq", from_amount="100001", market="btczar", side="buy")
    assert await client.refused("accept_quote", large["quote_token"]) == "account.insufficient"
    assert await client.refused("accept_quote", "nothing") == "quote.not_found"


async def test_trades_page_by_id(ovex: RunningTwin) -> None:
    client = ThirdParty(ovex)
    ids = []
    for _ in range(3):
        quote = await client("get_quote_rfq", from_amount="1000", market="btczar", side="buy")
        ids.append((await client("accept_quote", quote["quote_token"]))["id"])
    assert [row["id"] for row in await client("get_trades", limit=2)] == ids[:0:-1]
    assert [row["id"] for row in await client("get_trades", id_to=ids[1])] == ids[:1]
    assert [row["id"] for row in await client("get_trades", id_from=ids[0], order_by="asc")] == ids[1:]


async def test_keys_rights_limits_and_wrong_requests(ovex: RunningTwin) -> None:
    client = ThirdParty(ovex)
    assert await ThirdParty(ovex, "nobody").refused("get_accounts") == "unauthorized"
    assert (await client("get_fee_withdraw", "BTC"))["fee"] == "0.0"
    ovex.control.deposit("key", "zar", D(50))
    newest = (await client("get_deposits", "zar"))[0]
    assert (newest["amount"], newest["state"]) == ("50", "accepted")
    quote = await client("get_quote_rfq", from_amount="1000", market="btczar")
    ovex.control.set_rights("key", permissions=frozenset({Permission.READ}))
    assert await client.refused("accept_quote", quote["quote_token"]) == "forbidden"
    ovex.control.suspend("btczar")
    assert await client.refused("get_quote_rfq", from_amount="1000", market="btczar") == "market.unavailable"
    async with httpx.AsyncClient(base_url=f"{ovex.url}/api/v2") as http:
        for asked, code in (
            ({"market": "ethzar"}, "amount.invalid"),
            ({"market": "ethzar", "from_amount": "x"}, "amount.invalid"),
            ({"market": "ethzar", "from_amount": "1", "side": "hold"}, "side.invalid"),
            ({"market": "xxx", "from_amount": "1"}, "market.not_found"),
        ):
            assert (await http.get("/rfq/get_quote", params=asked)).json()["error_code"] == code
        codes = [(await http.get("/markets")).status_code for _ in range(101)]
        assert codes[-1] == 429 and codes[0] == 200
