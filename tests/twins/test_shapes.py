"""The twins' answers have the fields of the exchanges' own documents and of recorded answers.

The documents and recordings are in the data folder (AMARKTAI_DATA); without it these tests are skipped.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from amarktai.twins.server import RunningTwin
from tests.market_data import DATA
from tests.twins.test_binance import signed
from tests.twins.test_valr import call, headers

pytestmark = pytest.mark.data
FIXTURES = DATA / "rest_ws_fixtures"
D = Decimal


def fixture(relative: str) -> Path:
    path = FIXTURES / relative
    if not path.exists():
        pytest.skip(f"the recorded answers are not there: {path} (set AMARKTAI_DATA)")
    return path


# -- Luno: its OpenAPI document -------------------------------------------------------------------------

#: What only stop orders have; what a later edition of the document added.
LUNO_ABSENT = {
    "stop_direction", "stop_price", "maker_fee_buy", "maker_fee_sell", "taker_fee_buy", "taker_fee_sell",
}  # fmt: skip


def properties(document: Any, schema: Any) -> set[str]:
    """Return the property names of a schema, through references."""
    if "$ref" in schema:
        return properties(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    names = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        names |= properties(document, part)
    return names


def schema_of(document: Any, path: str, inner: str | None) -> set[str]:
    answer = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    if inner is None:
        return properties(document, answer)
    if "$ref" in answer:
        answer = document["components"]["schemas"][answer["$ref"].rsplit("/", 1)[1]]
    return properties(document, answer["properties"][inner]["items"])


async def test_lunos_answers_have_the_fields_of_its_document(luno: RunningTwin) -> None:
    document = json.loads(fixture("luno/luno_openapi.json").read_text(encoding="utf-8"))
    async with httpx.AsyncClient(base_url=luno.url, auth=("key", "key-secret")) as http:
        asked = {"pair": "XBTZAR", "type": "BUY", "counter_volume": "601"}
        order_id = (await http.post("/api/1/marketorder", data=asked)).json()["order_id"]
        for path, params, inner in (
            ("/api/exchange/1/markets", {}, "markets"),
            ("/api/1/ticker", {"pair": "XBTZAR"}, None),
            ("/api/1/tickers", {}, "tickers"),
            ("/api/1/orderbook_top", {"pair": "XBTZAR"}, None),
            ("/api/1/trades", {"pair": "XBTZAR"}, "trades"),
            ("/api/exchange/1/candles", {"pair": "XBTZAR", "since": "0", "duration": "60"}, "candles"),
            ("/api/1/balance", {}, "balance"),
            ("/api/1/fee_info", {"pair": "XBTZAR"}, None),
            ("/api/1/listorders", {}, "orders"),
            ("/api/exchange/2/listorders", {"closed": "true"}, "orders"),
            ("/api/1/listtrades", {"pair": "XBTZAR"}, "trades"),
            ("/api/1/orders/{id}", {"id": order_id}, None),
            ("/api/exchange/2/orders/{id}", {"id": order_id}, None),
            ("/api/exchange/3/order", {"id": order_id}, None),
        ):
            answer = (await http.get(path.replace("{id}", order_id), params=params)).json()
            row = answer if inner is None else answer[inner][0]
            assert set(row) | LUNO_ABSENT == schema_of(document, path, inner) | LUNO_ABSENT, path


# -- VALR: the saved answers of its collection -----------------------------------------------------------


def saved(examples: Any, method: str, path: str, status: int = 200) -> Any:
    """Return the first saved answer of a route that is JSON."""
    for example in examples:
        url = re.sub(r"^(\{\{apiBaseUrl\}\}|https://api\.valr\.com)", "", example["url"]).partition("?")[0]
        if (example["method"], url, example["status"]) == (method, path, status):
            try:
                return json.loads(example["body"])
            except json.JSONDecodeError:
                continue
    raise AssertionError(f"no saved answer of {method} {path}")


#: Fields of margin, perpetuals and references to other currencies, which a twin does not have.
VALR_ABSENT = {
    "totalInReference", "totalInReferenceWeighted", "referenceCurrency", "collateral", "collateralWeight",
    "collateralWeightedInReference", "collateralWeightInReference", "defaultNetworkType", "stopPrice",
    "customerOrderId", "allowedWithdrawAddressList", "allowedIpAddressCidr", "isSubAccount", "markPrice",
    "initialMarginFraction", "maintenanceMarginFraction", "autoCloseMarginFraction", "allowMargin",
    "creditCurrency", "creditValue", "debitCurrency", "debitValue", "feeCurrency", "feeValue",
}  # fmt: skip


async def test_valrs_answers_have_the_fields_of_its_collection(valr: RunningTwin) -> None:
    examples = json.loads(fixture("valr/valr_rest_examples.json").read_text(encoding="utf-8"))
    buy = {"side": "BUY", "quoteAmount": "6010", "pair": "BTCZAR"}
    order_id = (await call(valr, "POST", "/v2/orders/market", buy))[1]["id"]
    resting = {"side": "BUY", "quantity": "0.1", "price": "50000", "pair": "BTCZAR"}
    await call(valr, "POST", "/v2/orders/limit", resting)
    different: dict[str, set[str]] = {}
    for template, path in (
        ("/v1/public/time", None), ("/v1/public/pairs", None), ("/v1/public/currencies", None),
        ("/v1/public/:currencyPair/marketsummary", "/v1/public/BTCZAR/marketsummary"),
        ("/v1/public/:currencyPair/orderbook", "/v1/public/BTCZAR/orderbook"),
        ("/v1/public/:currencyPair/orderbook/full", "/v1/public/BTCZAR/orderbook/full"),
        ("/v1/public/:currencyPair/trades", "/v1/public/BTCZAR/trades"),
        ("/v1/public/:currencyPair/buckets", "/v1/public/BTCZAR/buckets"),
        ("/v1/account/balances", None), ("/v1/account/fees/trade", None),
        ("/v1/account/api-keys/current", None), ("/v1/account/tradehistory", None),
        ("/v1/account/transactionhistory", None), ("/v1/orders/open", None), ("/v1/orders/history", None),
        ("/v1/orders/:currencyPair/orderid/:orderId", f"/v1/orders/BTCZAR/orderid/{order_id}"),
        ("/v1/orders/history/summary/orderid/:orderId", f"/v1/orders/history/summary/orderid/{order_id}"),
        ("/v1/orders/history/detail/orderid/:orderId", f"/v1/orders/history/detail/orderid/{order_id}"),
    ):  # fmt: skip
        try:
            expected = fields(saved(examples, "GET", template))
        except AssertionError:
            expected = fields(saved(examples, "GET", template.replace(":currencyPair", ":currencypair")))
        got = fields((await call(valr, "GET", path or template))[1])
        if (got ^ expected) - VALR_ABSENT:
            different[template] = (got ^ expected) - VALR_ABSENT
    assert different == {}
    for template, asked, status in (
        ("/v2/orders/limit", resting, 201),
        ("/v2/orders/stop/limit", {**resting, "stopPrice": "61000", "type": "STOP_LOSS_LIMIT"}, 201),
    ):
        expected = fields(saved(examples, "POST", template, status))
        assert fields((await call(valr, "POST", template, asked))[1]) == expected
    body = json.dumps({"orderId": order_id, "pair": "BTCZAR"})
    sent = {**headers(valr, "DELETE", "/v2/orders/order", body), "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=valr.url) as http:
        gone = await http.request("DELETE", "/v2/orders/order", content=body, headers=sent)
    assert {"code", "message"} <= set(gone.json())


def fields(answer: Any) -> set[str]:
    """Return the field names of an answer's first row."""
    row = answer[0] if isinstance(answer, list) else answer
    return set(row) if isinstance(row, dict) else set()


# -- Binance: bodies of another client's tests -----------------------------------------------------------

#: Fields that only some orders have, or that the twin's symbols do not use.
BINANCE_ABSENT = {
    "stopPrice", "icebergQty", "preventedMatchId", "preventedQuantity", "strategyId", "strategyType",
    "trailingDelta", "trailingTime", "usedSor", "workingFloor", "pegPriceType", "peggedPrice",
    "workingTime", "specialCommission", "transactTime", "tradeGroupId", "counterSymbol",
    "enableFixApiTrade", "enableFixReadOnly", "origQuoteOrderQty", "exchangeFilters", "sors", "createTime",
}  # fmt: skip


async def test_binances_answers_have_the_fields_of_recorded_ones(binance: RunningTwin) -> None:
    folder = fixture("jkorf_binance/Endpoints/Spot")
    async with httpx.AsyncClient(base_url=binance.url, headers={"X-MBX-APIKEY": "key"}) as http:

        async def ask(method: str, path: str, **params: Any) -> Any:
            stamp = binance.twin.clock.now_ns() // 1_000_000
            query = signed({name: value for name, value in params.items() if value is not None}, stamp)
            answer = await http.request(method, f"{path}?{query}")
            assert answer.status_code == 200, answer.text
            return answer.json()

        buy = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": 1000}
        bought = await ask("POST", "/api/v3/order", **buy)
        rest = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        await ask("POST", "/api/v3/order", **rest, quantity=1, price=50000, newClientOrderId="a")
        rows = {
            "Trading/PlaceOrder": bought,
            "Trading/GetOrder": await ask(
                "GET", "/api/v3/order", symbol="BTCUSDT", orderId=bought["orderId"]
            ),
            "Trading/GetOpenOrders": await ask("GET", "/api/v3/openOrders"),
            "Trading/GetOrders": await ask("GET", "/api/v3/allOrders", symbol="BTCUSDT"),
            "Trading/GetUserTrades": await ask("GET", "/api/v3/myTrades", symbol="BTCUSDT"),
            "Trading/CancelOrder": await ask(
                "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="a"
            ),
            "Account/GetAccountInfo": await ask("GET", "/api/v3/account"),
            "Account/GetAPIKeyPermissions": await ask("GET", "/sapi/v1/account/apiRestrictions"),
            "Account/GetTradeFee": await ask("GET", "/sapi/v1/asset/tradeFee"),
            "Account/GetCommissionRates": await ask("GET", "/api/v3/account/commission", symbol="BTCUSDT"),
            "ExchangeData/GetTicker": (await http.get("/api/v3/ticker/24hr?symbol=BTCUSDT")).json(),
            "ExchangeData/GetRecentTrades": (await http.get("/api/v3/trades?symbol=BTCUSDT")).json(),
            "ExchangeData/GetAggregatedTradeHistory": (
                await http.get("/api/v3/aggTrades?symbol=BTCUSDT")
            ).json(),
        }
    different = {}
    for name, answer in rows.items():
        text = (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n", 3)[3]
        expected = fields(json.loads(re.sub(r"\s//[^\n]*", "", text)))
        if (fields(answer) ^ expected) - BINANCE_ABSENT:
            different[name] = (fields(answer) ^ expected) - BINANCE_ABSENT
    assert different == {}
