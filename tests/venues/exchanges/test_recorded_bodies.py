"""Bodies that other people recorded from Luno, Binance and KuCoin, read by our decoders.

A body counts as ours when it is of a route or a stream that an adapter uses; the rest (margin, futures,
earn, old routes) is listed by what it is, so that nothing is left out unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.ports.exchange import BalanceChanged, OrderChanged
from amarktai.venues.batches import RowBuffer
from amarktai.venues.error_table import Dialect
from amarktai.venues.exchanges.binance import parse_market as parse_binance_market
from amarktai.venues.exchanges.binance import records as binance
from amarktai.venues.exchanges.binance.errors import DIALECT as BINANCE
from amarktai.venues.exchanges.binance.market import bars_rows as binance_candles
from amarktai.venues.exchanges.binance.market import public_trade as binance_trade
from amarktai.venues.exchanges.binance.stream import DepthBook, MarketFrames, UserData
from amarktai.venues.exchanges.kucoin import parse_market as parse_kucoin_market
from amarktai.venues.exchanges.kucoin import records as kucoin
from amarktai.venues.exchanges.kucoin.errors import DIALECT as KUCOIN
from amarktai.venues.exchanges.kucoin.market import bars_rows as kucoin_candles
from amarktai.venues.exchanges.kucoin.market import public_trade as kucoin_trade
from amarktai.venues.exchanges.kucoin.stream import AccountMessages, Level2Book, market_trade
from amarktai.venues.exchanges.luno import VENUE as LUNO
from amarktai.venues.exchanges.luno import records as luno
from amarktai.venues.exchanges.luno.errors import DIALECT as LUNO_DIALECT
from amarktai.venues.exchanges.luno.market import public_trade as luno_trade
from amarktai.venues.exchanges.luno.market import quote as luno_quote
from amarktai.venues.transport import Answer, exact
from tests.contract.rigs import KEY
from tests.recordings import recording

pytestmark = pytest.mark.data
INSTRUMENT = LUNO.instrument("BTC/ZAR")


def same(symbol: str) -> str:
    return symbol


def levels(book: Any) -> None:
    for side in ("bids", "asks"):
        assert book[side]
        for price, quantity in (row[:2] for row in book[side]):
            assert exact(price) > 0
            assert exact(quantity) > 0


def balances(rows: Any, *names: str) -> None:
    for row in rows:
        assert all(exact(row[name]) >= 0 for name in names)


def load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def payload(dialect: Dialect, body: Any) -> Any:
    """Return what is in an answer that is no refusal."""
    answer = Answer(200, body, {})
    assert dialect.read_refusal(answer) is None
    return dialect.unwrap(body)


def jkorf(folder: str) -> Iterator[tuple[str, str, str, Any]]:
    """Yield (file, method, path, body): files of method, path, whether it is signed, and the body."""
    root = recording(folder)
    for path in sorted(root.rglob("*.txt")):
        method, route, _, *rest = path.read_text(encoding="utf-8-sig").split("\n", 3)
        if rest:  # some answer without a body
            yield str(path.relative_to(root)), method.strip(), route.strip(), rest[0]


def frames(folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield (file, frame): what the exchange sends after "=" in files of a conversation."""
    root = recording(folder)
    for path in sorted(root.rglob("*.txt")):
        for part in re.split(r"^= ?\n?", path.read_text(encoding="utf-8-sig"), flags=re.M)[1:]:
            body = re.split(r"^[<>|]", part, maxsplit=1, flags=re.M)[0].strip()
            if body.startswith("{"):
                yield str(path.relative_to(root)), body.encode()


Readers = dict[tuple[str, str], Callable[[Any], Any]]

BINANCE_READERS: Readers = {
    ("GET", "/api/v3/account"): lambda body: balances(body["balances"], "free", "locked"),
    ("GET", "/api/v3/account/commission"): lambda body: exact(body["standardCommission"]["maker"]),
    ("GET", "/api/v3/order"): lambda body: binance.order_record(body, same),
    ("GET", "/api/v3/openOrders"): lambda body: [binance.order_record(row, same) for row in body],
    ("GET", "/api/v3/allOrders"): lambda body: [binance.order_record(row, same) for row in body],
    ("GET", "/api/v3/myTrades"): lambda body: [binance.account_fill(row, same, same) for row in body],
    ("GET", "/api/v3/exchangeInfo"): lambda body: [parse_binance_market(row) for row in body["symbols"]],
    ("GET", "/api/v3/depth"): levels,
    ("GET", "/api/v3/trades"): lambda body: [binance_trade(INSTRUMENT, row) for row in body],
    ("GET", "/api/v3/klines"): binance_candles,
    ("GET", "/api/v3/time"): lambda body: int(body["serverTime"]),
}
KUCOIN_READERS: Readers = {
    ("GET", "/api/v1/accounts"): lambda body: balances(body, "balance", "holds"),
    ("GET", "/api/v1/trade-fees"): lambda body: [exact(row["makerFeeRate"]) for row in body],
    ("GET", "/api/v1/hf/orders/done"): lambda body: [kucoin.order_record(row, same) for row in body["items"]],
    ("GET", "/api/v1/hf/orders/active"): lambda body: [kucoin.order_record(row, same) for row in body],
    ("GET", "/api/v1/hf/orders/123"): lambda body: kucoin.order_record(body, same),
    ("GET", "/api/v1/hf/orders/client-order/123"): lambda body: kucoin.order_record(body, same),
    ("GET", "/api/v1/hf/fills"): lambda body: [kucoin.account_fill(row, same, same) for row in body["items"]],
    ("GET", "/api/v2/symbols"): lambda body: [parse_kucoin_market(row) for row in body],
    ("GET", "/api/v1/market/orderbook/level2_20"): levels,
    ("GET", "/api/v1/market/histories"): lambda body: [kucoin_trade(INSTRUMENT, row) for row in body],
    ("GET", "/api/v1/market/candles"): kucoin_candles,
    ("GET", "/api/v1/market/allTickers"): lambda body: [exact(row["buy"]) for row in body["ticker"]],
}


def read_all(
    dialect: Dialect, readers: Readers, bodies: Iterator[tuple[str, str, str, Any]]
) -> dict[tuple[str, str], int]:
    """Read every body of a route of ours; return how many of each."""
    read: dict[tuple[str, str], int] = {}
    for _, method, path, text in bodies:
        reader = readers.get((method, path))
        if reader is not None:
            reader(payload(dialect, load(text) if isinstance(text, str) else load(json.dumps(text))))
            read[method, path] = read.get((method, path), 0) + 1
    return read


def test_binances_rest_bodies_of_one_client_are_read() -> None:
    read = read_all(BINANCE, BINANCE_READERS, jkorf("rest_ws_fixtures/jkorf_binance/Endpoints/Spot"))
    assert read.keys() >= {
        ("GET", path)
        for path in (
            "/api/v3/account", "/api/v3/account/commission", "/api/v3/order", "/api/v3/openOrders",
            "/api/v3/allOrders", "/api/v3/myTrades", "/api/v3/exchangeInfo", "/api/v3/klines",
            "/api/v3/time", "/api/v3/trades",
        )
    }  # fmt: skip


def test_binances_rest_recordings_of_another_client_are_read() -> None:
    root = recording("rest_ws_fixtures/gocryptotrader/exchanges/binance/testdata/http.json")
    routes = load(root.read_text())["routes"]

    def bodies() -> Iterator[tuple[str, str, str, Any]]:
        for path, methods in routes.items():
            for method, answers in methods.items():
                for answer in answers:
                    yield path, method, path, json.loads(json.dumps(answer["data"], default=str))

    read = read_all(BINANCE, BINANCE_READERS, bodies())
    assert read[("GET", "/api/v3/klines")] == 13
    assert read[("GET", "/api/v3/openOrders")] == 3
    assert sum(read.values()) >= 25


def test_kucoins_rest_bodies_are_read() -> None:
    read = read_all(KUCOIN, KUCOIN_READERS, jkorf("rest_ws_fixtures/jkorf_kucoin/Endpoints/Spot"))
    assert read.keys() == KUCOIN_READERS.keys()


def test_kucoins_bodies_of_another_client_are_read() -> None:
    folder = recording("rest_ws_fixtures/dereck_kucoin")
    readers: dict[str, Callable[[Any], Any]] = {
        "symbol": parse_kucoin_market,
        "klines": kucoin_candles,
        "orderbook": levels,
        "all_tickers": lambda body: [exact(row["buy"]) for row in body["ticker"]],
        "trade_history": lambda body: [kucoin_trade(INSTRUMENT, row) for row in body],
        "spot_accounts": lambda body: balances(body, "balance", "holds"),
        "open_orders": lambda body: [kucoin.order_record(row, same) for row in body],
    }
    for name, reader in readers.items():
        reader(payload(KUCOIN, load((folder / f"{name}.json").read_text())))


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("__files/depth.json", levels),
        ("__files/open-orders.json", lambda body: [binance.order_record(row, same) for row in body]),
        ("__files/withdraw-400.json", lambda body: body),
    ],
)
def test_binances_bodies_of_a_third_client_are_read(name: str, reader: Callable[[Any], Any]) -> None:
    body = load(recording(f"rest_ws_fixtures/xchange/xchange-binance/{name}").read_text())
    if isinstance(body, dict) and "code" in body:
        assert BINANCE.read_refusal(Answer(400, body, {})) == ("-1002", body["msg"])
    else:
        reader(payload(BINANCE, body))


def test_binances_stream_frames_are_read() -> None:
    account = UserData(KEY, lambda: 0, same)
    told: list[object] = []
    for _, frame in frames("rest_ws_fixtures/jkorf_binance/Subscriptions/Spot/Account"):
        told += account.read(frame).events
    assert any(isinstance(event, OrderChanged) for event in told)
    assert any(isinstance(event, BalanceChanged) for event in told)
    rows = RowBuffer()
    market = MarketFrames(0, DepthBook(OrderBook(), DirtyRows()), rows, is_live=True)
    path = recording("rest_ws_fixtures/gocryptotrader/exchanges/binance/testdata/wsHandleData.json")
    names = [
        path,
        *sorted(recording("rest_ws_fixtures/jkorf_binance/Subscriptions/Spot").rglob("Trades.txt")),
    ]
    for line in market_frames(names):
        if line.get("stream", "").endswith(("@trade", "@depth", "@bookTicker")):
            market.take(line["stream"], line["data"], 1)
    assert len(rows) == 1
    assert market.depth.dirty.counts["repeated_trade"] == 1  # both recordings number theirs alike
    assert market.depth.is_wanted


def market_frames(paths: list[Path]) -> Iterator[Any]:
    for path in paths:
        text = path.read_text(encoding="utf-8-sig")
        for line in (
            text.splitlines() if path.suffix == ".json" else re.split(r"^= ?\n", text, flags=re.M)[1:]
        ):
            if line.strip().startswith("{"):
                yield load(line)


def test_kucoins_stream_frames_are_read() -> None:
    account = AccountMessages(same, same)
    told: list[object] = []
    book = Level2Book(OrderBook(), DirtyRows())
    trades = 0
    for _, frame in frames("rest_ws_fixtures/jkorf_kucoin/Subscriptions/Spot"):
        message = load(frame.decode())
        topic = str(message.get("topic"))
        if topic.startswith(("/spotMarket/tradeOrdersV2", "/account/balance")):
            told += account.read(frame).events
        elif topic.startswith("/market/level2:"):
            book.apply(message["data"], 0)
        elif topic.startswith("/market/match:"):
            trades += market_trade(message["data"]).price > 0
    assert sum(isinstance(event, OrderChanged) for event in told) >= 3
    assert any(isinstance(event, BalanceChanged) for event in told)
    assert book.is_wanted
    assert trades == 1


def test_lunos_recorded_answers_are_read() -> None:
    methods = load(recording("rest_ws_fixtures/ccxt/luno_http_responses.json").read_text())["methods"]
    (ticker,) = methods["fetchTicker"]
    assert luno_quote(INSTRUMENT, payload(LUNO_DIALECT, ticker["httpResponse"])).bid == Decimal("72617.38")
    (trades,) = methods["fetchTrades"]
    (trade,) = [
        luno_trade(INSTRUMENT, row) for row in payload(LUNO_DIALECT, trades["httpResponse"])["trades"]
    ]
    assert trade.price == Decimal("73998.98")


class Noted(dict[str, Any]):
    """A row that remembers which of its fields were read."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


@pytest.mark.parametrize(
    ("row", "reader"),
    [
        (
            {
                "order_id": "B", "client_order_id": "", "pair": "XBTZAR", "side": "BUY", "type": "LIMIT",
                "status": "PENDING", "limit_price": "1", "limit_volume": "1", "base": "0", "counter": "0",
                "creation_timestamp": 1, "completed_timestamp": 0, "stop_price": "0",
            },
            "order",
        ),
        (
            {
                "pair": "XBTZAR", "sequence": 1, "order_id": "B", "type": "BID", "is_buy": True, "price": "1",
                "volume": "1", "base": "1", "counter": "1", "fee_base": "0", "fee_counter": "0",
                "timestamp": 1, "client_order_id": "",
            },
            "trade",
        ),
    ],
)  # fmt: skip
def test_what_is_read_of_luno_stands_in_its_own_document(row: dict[str, Any], reader: str) -> None:
    """Luno's document has no example bodies, but it names every field."""

    document = load(recording("rest_ws_fixtures/luno/luno_openapi.json").read_text())
    named = {frozenset(item.get("properties", {})) for item in document["components"]["schemas"].values()}
    noted = Noted(row)
    if reader == "order":
        luno.order_record(noted, same)
    else:
        luno.account_fill(noted, same, lambda pair: ("BTC", "ZAR"))
    assert any(noted.read <= fields for fields in named), noted.read
