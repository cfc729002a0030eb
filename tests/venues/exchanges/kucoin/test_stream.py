"""KuCoin's account messages, and a book kept by its rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.ports.exchange import BalanceChanged, OrderChanged, StreamGap
from amarktai.ports.venue import VenueStatus
from amarktai.venues.exchanges.kucoin.stream import (
    BALANCES,
    ORDERS,
    AccountMessages,
    Level2Book,
    market_trade,
    stream_address,
)

#: The order change of KuCoin's own specification.
CHANGE = {
    "canceledSize": "0", "clientOid": "5c52e11203aa677f33e493fb", "filledSize": "0", "orderId": "6720ecd9",
    "orderTime": 1730211033305, "orderType": "limit", "originSize": "0.00001", "price": "50000",
    "remainSize": "0.00001", "side": "buy", "size": "0.00001", "status": "open", "symbol": "BTC-USDT",
    "ts": 1730211033335000000, "type": "open",
}  # fmt: skip


def message(topic: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": "message", "topic": topic, "data": data})


def ack(topic: str) -> bytes:
    return orjson.dumps({"type": "ack", "id": topic})


class TestAccount:
    def test_the_gap_is_told_once_both_topics_are_confirmed(self) -> None:
        stream = AccountMessages(str, str)
        assert stream.opened().replies == ()
        asked = [orjson.loads(reply) for reply in stream.read(b'{"type":"welcome","id":"1"}').replies]
        assert [frame["topic"] for frame in asked] == [ORDERS, BALANCES]
        assert all(frame["privateChannel"] for frame in asked)
        assert stream.read(ack(ORDERS)).events == ()
        (gap,) = stream.read(ack(BALANCES)).events
        assert isinstance(gap, StreamGap)
        assert stream.read(b'{"type":"pong","id":"1"}').events == ()

    def test_a_refused_subscription_starts_the_stream_anew(self) -> None:
        refused = b'{"type":"error","code":401,"data":"token is invalid"}'
        assert "token is invalid" in AccountMessages(str, str).read(refused).restart

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({}, VenueStatus.OPEN),
            ({"status": "match", "type": "match", "filledSize": "0.000005"}, VenueStatus.OPEN),
            ({"status": "done", "type": "filled", "filledSize": "0.00001"}, VenueStatus.FILLED),
            ({"status": "done", "type": "canceled"}, VenueStatus.CANCELED),
        ],
    )
    def test_an_order_is_told_with_its_record(self, change: dict[str, Any], status: VenueStatus) -> None:
        (event,) = AccountMessages(str, str).read(message(ORDERS, CHANGE | change)).events
        assert isinstance(event, OrderChanged)
        assert event.record is not None
        assert event.record.status is status
        assert event.client_order_id == "5c52e11203aa677f33e493fb"

    def test_only_what_happens_in_the_trading_account_is_a_balance(self) -> None:
        data = {
            "currency": "USDT",
            "total": "21.1",
            "available": "20.1",
            "hold": "1",
            "relationEvent": "trade.hold",
        }
        stream = AccountMessages(str, str)
        assert stream.read(message(BALANCES, data)).events == (
            BalanceChanged("USDT", Decimal("21.1"), Decimal(1)),
        )
        assert stream.read(message(BALANCES, data | {"relationEvent": "main.deposit"})).events == ()


def increment(first: int, last: int, **sides: list[list[str]]) -> dict[str, Any]:
    changes = {"bids": sides.get("bids", []), "asks": sides.get("asks", [])}
    return {"changes": changes, "sequenceStart": first, "sequenceEnd": last, "symbol": "BTC-USDT", "time": 1}


def snapshot(sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "bids": [["99", "1"], ["98", "2"], ["90", "5"]],
        "asks": [["100", "1"], ["101", "2"], ["110", "5"]],
    }


class TestBook:
    def make(self) -> Level2Book:
        return Level2Book(OrderBook(), DirtyRows())

    def test_increments_wait_for_the_snapshot_and_old_changes_are_dropped(self) -> None:
        book = self.make()
        assert not book.apply(increment(9, 12, bids=[["99", "7", "10"], ["99.5", "3", "12"]]), 1)
        assert book.is_wanted
        assert book.load(snapshot(11), 2)
        assert book.top() == (99.5, 100.0, 3.0, 1.0)
        assert book.book.bids[99.0] == 1.0
        assert not book.is_wanted

    def test_a_missing_increment_empties_the_book(self) -> None:
        book = self.make()
        book.load(snapshot(10), 1)
        assert book.apply(increment(11, 11, asks=[["100", "0", "11"]]), 2)
        assert book.top() == (99.0, 101.0, 1.0, 2.0)
        assert not book.apply(increment(13, 13, asks=[["102", "1", "13"]]), 3)
        assert book.top() is None
        assert book.is_wanted
        assert book.load(snapshot(12), 4)

    def test_a_repeated_increment_changes_nothing(self) -> None:
        book = self.make()
        book.load(snapshot(10), 1)
        assert book.apply(increment(9, 10, bids=[["99", "0", "10"]]), 2)
        assert book.top() == (99.0, 100.0, 1.0, 1.0)
        assert book.dirty.counts == {"old_depth_update": 1}

    def test_a_price_of_zero_only_moves_the_sequence_on(self) -> None:
        book = self.make()
        book.load(snapshot(10), 1)
        assert book.apply(increment(11, 11, bids=[["0", "5", "11"]]), 2)
        assert book.book.last_update_id == 11
        assert 0.0 not in book.book.bids

    def test_a_market_beyond_the_snapshot_needs_a_new_one(self) -> None:
        book = self.make()
        book.load(snapshot(10), 1)
        gone = [[price, "0", "11"] for price in ("99", "98", "90")]
        assert not book.apply(increment(11, 11, bids=[*gone, ["80", "1", "11"]]), 2)
        assert book.top() is None
        assert book.dirty.counts == {"book_exhausted": 1}


def test_a_match_tells_the_takers_side_and_nanoseconds() -> None:
    data = {
        "tradeId": "110",
        "time": "1729843222921000000",
        "price": "67523",
        "size": "0.003",
        "side": "sell",
    }
    trade = market_trade(data)
    assert (trade.trade_id, trade.ts, trade.taker) == ("110", 1_729_843_222_921_000_000, -1.0)


def test_the_address_carries_the_token() -> None:
    bullet = {"token": "a b", "instanceServers": [{"endpoint": "wss://ws-api-spot.kucoin.com/"}]}
    assert stream_address(bullet, "c1") == "wss://ws-api-spot.kucoin.com/?token=a+b&connectId=c1"
