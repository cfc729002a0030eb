"""Binance's account events, and market frames of a live stream."""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import Any

import orjson

from amarktai.domain.fill import Liquidity
from amarktai.domain.market import DirtyRows, EventKind, OrderBook
from amarktai.domain.provider import Credentials
from amarktai.ports.exchange import BalanceChanged, FillReported, OrderChanged, StreamGap
from amarktai.ports.venue import VenueStatus
from amarktai.venues.batches import RowBuffer
from amarktai.venues.exchanges.binance.stream import DepthBook, MarketFrames, UserData, market_streams

#: The execution report of Binance's own document.
REPORT = {
    "e": "executionReport", "E": 1499405658658, "s": "ETHBTC", "c": "mUvoqJxFIILMdfAW5iGSOW", "S": "BUY",
    "o": "LIMIT", "f": "GTC", "q": "1.00000000", "p": "0.10264410", "P": "0.00000000", "C": "", "x": "NEW",
    "X": "NEW", "r": "NONE", "i": 4293153, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0",
    "N": None, "T": 1499405658657, "t": -1, "w": True, "m": False, "O": 1499405658657,
}  # fmt: skip


def stream() -> UserData:
    return UserData(Credentials("key", "secret"), lambda: 1_747_385_641_636, str)


def heard(event: dict[str, Any]) -> Any:
    return stream().read(orjson.dumps({"subscriptionId": 0, "event": event}))


def test_it_subscribes_with_a_signature_over_the_parameters_in_order() -> None:
    frame = orjson.loads(stream().opened().replies[0])
    assert frame["method"] == "userDataStream.subscribe.signature"
    text = "apiKey=key&recvWindow=5000&timestamp=1747385641636"
    assert frame["params"]["signature"] == hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()


def test_the_gap_is_told_when_the_subscription_stands() -> None:
    (gap,) = stream().read(b'{"id":"account","status":200,"result":{"subscriptionId":0}}').events
    assert isinstance(gap, StreamGap)
    refused = b'{"id":"account","status":400,"error":{"code":-2015,"msg":"Invalid API-key"}}'
    assert "Invalid API-key" in stream().read(refused).restart
    assert stream().read(b'{"id":"ping","status":200,"result":{}}').events == ()


def test_a_new_order_is_told_with_its_record() -> None:
    (event,) = heard(REPORT).events
    assert isinstance(event, OrderChanged)
    assert event.record is not None
    assert (event.record.status, event.record.price) == (VenueStatus.OPEN, Decimal("0.10264410"))


def test_a_trade_is_a_fill_with_its_fee() -> None:
    trade = {
        "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.5", "z": "0.5", "L": "0.1", "n": "0.0004", "N": "BNB",
        "t": 77, "m": True,
    }  # fmt: skip
    fill, changed = heard(REPORT | trade).events
    assert isinstance(fill, FillReported)
    assert fill.fill.venue_trade_id == "ETHBTC-77"
    assert (fill.fill.fee_amount, fill.fill.fee_asset) == (Decimal("0.0004"), "BNB")
    assert fill.fill.liquidity is Liquidity.MAKER
    assert isinstance(changed, OrderChanged)


def test_a_cancels_report_belongs_to_the_order_and_not_to_the_cancel() -> None:
    (event,) = heard(
        REPORT | {"x": "CANCELED", "X": "CANCELED", "c": "of-the-cancel", "C": "of-the-order"}
    ).events
    assert event.client_order_id == "of-the-order"
    assert event.record.status is VenueStatus.CANCELED


def test_balances_are_free_and_locked_together() -> None:
    position = {"e": "outboundAccountPosition", "B": [{"a": "ETH", "f": "10.5", "l": "0.5"}]}
    assert heard(position).events == (BalanceChanged("ETH", Decimal(11), Decimal("0.5")),)


def test_a_stream_that_ends_is_started_anew() -> None:
    assert heard({"e": "eventStreamTerminated"}).restart
    assert heard({"e": "serverShutdown"}).restart
    assert heard({"e": "balanceUpdate", "a": "BTC", "d": "1"}).events == ()


def test_live_rows_carry_the_exchanges_time_and_ours() -> None:
    rows = RowBuffer()
    market = MarketFrames(0, DepthBook(OrderBook(), DirtyRows()), rows, is_live=True)
    diff = {"e": "depthUpdate", "E": 5, "s": "BTCUSDT", "U": 11, "u": 12, "b": [["99.5", "2"]], "a": []}
    assert not market.take("btcusdt@depth@100ms", diff, 1)
    assert market.depth.is_wanted
    market.take_snapshot({"lastUpdateId": 10, "bids": [["99", "1"]], "asks": [["100", "1"]]}, 2_000)
    later = diff | {"U": 13, "u": 13, "E": 7, "b": [["99.7", "1"]]}
    market.take("btcusdt@depth@100ms", later, 8_000_000)
    trade = {"e": "trade", "T": 9, "t": 1, "p": "99.7", "q": "0.5", "m": True}
    market.take("btcusdt@trade", trade, 10_000_000)
    batch = rows.take()
    assert [EventKind(kind) for kind in batch.kind] == [EventKind.QUOTE, EventKind.QUOTE, EventKind.TRADE]
    assert batch.ts.tolist()[1:] == [7_000_000, 9_000_000]
    assert batch.received_ts.tolist()[1:] == [8_000_000, 10_000_000]
    assert market.take("btcusdt@depth@100ms", diff | {"U": 20, "u": 21}, 11_000_000)


def test_a_combined_stream_names_every_market() -> None:
    assert market_streams(["BTCUSDT", "ETHUSDT"]) == (
        "/stream?streams=btcusdt@depth@100ms/btcusdt@trade/ethusdt@depth@100ms/ethusdt@trade"
    )
