"""VALR's frames: books by sequence and checksum, account events. Frames are those of the documents."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any
from zlib import crc32

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.order import Side
from amarktai.ports.exchange import BalanceChanged, FillReported, OrderChanged, StreamGap
from amarktai.ports.venue import VenueStatus
from amarktai.venues.exchanges.valr.stream import AccountStream, BookBroken, LevelBook, OrderByOrderBook

Levels = dict[str, str]


def checksum_of(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> int:
    """The checksum as the documents word it, written apart from the product's."""
    text = ""
    for bid, ask in zip_longest(bids[:25], asks[:25]):
        text += "".join(f"{entry}:{quantity}:" for entry, quantity in filter(None, (bid, ask)))
    return crc32(text.removesuffix(":").encode())


def sorted_levels(levels: Levels, *, is_bid: bool) -> list[tuple[str, str]]:
    return sorted(levels.items(), key=lambda item: float(item[0]), reverse=is_bid)


def snapshot(bids: Levels, asks: Levels, sequence: int) -> dict[str, Any]:
    checksum = checksum_of(sorted_levels(bids, is_bid=True), sorted_levels(asks, is_bid=False))
    return {
        "lc": 1644303209930, "b": list(map(list, bids.items())), "a": list(map(list, asks.items())),
        "sq": sequence, "cs": checksum,
    }  # fmt: skip


BIDS = {"45362": "0.5", "45360": "1"}
ASKS = {"45363": "0.00102078", "46126": "2"}


def test_levels_from_a_snapshot_and_changes() -> None:
    book = LevelBook()
    assert book.quote() is None
    book.load(snapshot(BIDS, ASKS, 10))
    assert book.quote() == (45362.0, 45363.0, 0.5, 0.00102078)
    asks = {"45364": "3", "46126": "2"}
    change = snapshot(BIDS, asks, 11) | {"b": [], "a": [["45363", "0"], ["45364", "3"]]}
    book.apply(change)
    assert book.quote() == (45362.0, 45364.0, 0.5, 3.0)


@pytest.mark.parametrize("sequence", [10, 12, 9])
def test_a_missing_or_repeated_change_breaks_the_book(sequence: int) -> None:
    book = LevelBook()
    book.load(snapshot(BIDS, ASKS, 10))
    with pytest.raises(BookBroken):
        book.apply(snapshot(BIDS, ASKS, sequence) | {"b": [], "a": []})
    assert book.quote() is None
    with pytest.raises(BookBroken):
        book.apply(snapshot(BIDS, ASKS, sequence + 1) | {"b": [], "a": []})
    book.load(snapshot(BIDS, ASKS, 20))
    assert book.quote() is not None


def test_a_wrong_checksum_breaks_the_book() -> None:
    book = LevelBook()
    book.load(snapshot(BIDS, ASKS, 10))
    with pytest.raises(BookBroken, match="checksum"):
        book.apply(snapshot(BIDS, ASKS, 11) | {"b": [["45361", "1"]], "a": []})
    assert book.quote() is None


prices = st.integers(1, 60).map(lambda step: f"{step / 2:.1f}")
changes = st.lists(
    st.tuples(st.booleans(), prices, st.sampled_from(["0", "0.5", "1.25", "7"])), min_size=1, max_size=8
)


@given(st.lists(changes, max_size=25))
def test_any_sequence_of_changes_gives_the_book_that_it_describes(messages: list[Any]) -> None:
    book, sides = LevelBook(), ({}, {})  # type: tuple[LevelBook, tuple[Levels, Levels]]
    book.load(snapshot(*sides, 1))
    for count, rows in enumerate(messages):
        data: dict[str, Any] = {"a": [], "b": []}
        for is_bid, price, quantity in rows:
            side = sides[0 if is_bid else 1]
            side.pop(price, None) if quantity == "0" else side.update({price: quantity})
            data["b" if is_bid else "a"].append([price, quantity])
        book.apply(snapshot(*sides, 2 + count) | data)
        best = [sorted_levels(side, is_bid=not number) for number, side in enumerate(sides)]
        expected = None
        if best[0] and best[1]:
            (bid, bid_size), (ask, ask_size) = best[0][0], best[1][0]
            expected = (float(bid), float(ask), float(bid_size), float(ask_size))
        assert book.quote() == expected


def orders(*levels: tuple[str, list[tuple[str, str]]]) -> list[dict[str, Any]]:
    return [
        {"Price": price, "Orders": [{"orderId": key, "quantity": quantity} for key, quantity in entries]}
        for price, entries in levels
    ]


def test_a_book_order_by_order() -> None:
    book = OrderByOrderBook()
    load: dict[str, Any] = {
        "LastChange": 1644303209930, "SequenceNumber": 100,
        "Bids": orders(("99", [("b1", "1"), ("b2", "2")])),
        "Asks": orders(("101", [("a1", "4")]), ("102", [("a2", "5")])),
        "Checksum": checksum_of([("b1", "1"), ("b2", "2")], [("a1", "4"), ("a2", "5")]),
    }  # fmt: skip
    book.load(load)
    assert book.quote() == (99.0, 101.0, 3.0, 4.0)
    # Two orders are named: one is taken away, one is changed in its place. The sequence rises by two.
    book.apply(
        {
            "LastChange": 1644303209931, "SequenceNumber": 102,
            "Bids": orders(("99", [("b1", "0.5")])), "Asks": orders(("101", [("a1", "0")])),
            "Checksum": checksum_of([("b1", "0.5"), ("b2", "2")], [("a2", "5")]),
        }
    )  # fmt: skip
    assert book.quote() == (99.0, 102.0, 2.5, 5.0)
    with pytest.raises(BookBroken, match="missing"):
        book.apply({"SequenceNumber": 104, "Bids": orders(("99", [("b3", "1")])), "Asks": []})


def test_an_order_that_was_never_there_can_be_removed() -> None:
    book = OrderByOrderBook()
    book.load(
        {"SequenceNumber": 1, "Bids": orders(("9", [("b", "1")])), "Asks": orders(("10", [("a", "1")]))}
    )
    book.apply({"SequenceNumber": 2, "Bids": orders(("8", [("x", "0")])), "Asks": []})
    assert book.quote() == (9.0, 10.0, 1.0, 1.0)


# -- the account -----------------------------------------------------------------------------------------

STATUS_UPDATE = {
    "type": "ORDER_STATUS_UPDATE",
    "data": {
        "orderId": "019a2a46-5730-7081-bfa2-7c6fc7e2d5db", "orderStatusType": "Partially Filled",
        "currencyPair": "BTCUSDT", "originalPrice": "114950", "remainingQuantity": "0.0002",
        "originalQuantity": "0.0003", "orderSide": "sell", "orderType": "post-only limit",
        "failedReason": "", "orderUpdatedAt": "2025-10-28T10:04:40.566Z",
        "orderCreatedAt": "2025-10-28T10:04:04.272Z", "customerOrderId": "testWS",
        "executedPrice": "114950", "executedQuantity": "0.0001", "executedFee": "0.009196",
        "timeInForce": "GTC",
    },
}  # fmt: skip
TRADE = {
    "type": "NEW_ACCOUNT_TRADE", "currencyPairSymbol": "BTCUSDT",
    "data": {
        "price": "114953", "quantity": "0.0001", "currencyPair": "BTCUSDT",
        "tradedAt": "2025-10-28T07:13:21.635Z", "side": "buy",
        "orderId": "019a29aa-0cd9-75d6-813c-994bab34c642", "id": "019a29aa-0ce3-75db-bfc2-dd543aa745db",
        "fee": "0.0000001", "feeCurrency": "BTC", "customerOrderId": "marketWS",
    },
}  # fmt: skip
BALANCE = {
    "type": "BALANCE_UPDATE",
    "data": {
        "currency": {"symbol": "BTC", "decimalPlaces": 8, "shortName": "BTC", "longName": "Bitcoin"},
        "available": "0.00002887", "reserved": "0", "total": "0.00003",
        "updatedAt": "2023-03-12T03:28:36.600Z",
    },
}  # fmt: skip
OPEN_ORDER = {
    "orderId": "7", "side": "buy", "quantity": "0.1", "price": "9", "currencyPair": "BTCZAR",
    "createdAt": "2025-10-28T10:04:04.272Z", "originalQuantity": "0.2", "filledPercentage": "50",
    "customerOrderId": "mine", "type": "limit", "status": "Partially Filled",
    "updatedAt": "2025-10-28T10:04:05.272Z", "timeInForce": "GTC",
}  # fmt: skip


@pytest.fixture
def stream() -> AccountStream:
    return AccountStream(lambda pair: f"valr:{pair}", {})


def read(stream: AccountStream, message: Any) -> tuple[Any, ...]:
    return stream.read(orjson.dumps(message)).events


def test_a_connection_begins_with_a_gap_and_a_subscription(stream: AccountStream) -> None:
    heard = stream.opened()
    assert [type(event) for event in heard.events] == [StreamGap]
    assert orjson.loads(heard.replies[0])["subscriptions"] == [{"event": "ORDER_STATUS_UPDATE"}]


def test_an_order_that_changed(stream: AccountStream) -> None:
    (event,) = read(stream, STATUS_UPDATE)
    assert isinstance(event, OrderChanged)
    assert event.client_order_id == "testWS"
    assert event.record is not None
    assert event.record.status is VenueStatus.OPEN
    assert str(event.record.filled_quantity) == "0.0001"


def test_an_execution(stream: AccountStream) -> None:
    (event,) = read(stream, TRADE)
    assert isinstance(event, FillReported)
    assert (event.fill.side, str(event.fill.price)) == (Side.BUY, "114953")
    assert event.fill.client_order_id == "marketWS"
    assert (str(event.fill.fee_amount), event.fill.fee_asset) == ("1E-7", "BTC")


def test_a_balance_whose_lent_part_is_not_available(stream: AccountStream) -> None:
    (event,) = read(stream, BALANCE)
    assert isinstance(event, BalanceChanged)
    assert (event.asset, str(event.total), str(event.reserved)) == ("BTC", "0.00003", "0.00000113")


def test_the_list_of_open_orders_tells_what_is_new_changed_and_gone(stream: AccountStream) -> None:
    def listed(*rows: dict[str, str]) -> tuple[Any, ...]:
        return read(stream, {"type": "OPEN_ORDERS_UPDATE", "data": list(rows)})

    (new,) = listed(OPEN_ORDER)
    assert (new.venue_order_id, new.client_order_id) == ("7", "mine")
    assert str(new.record.filled_quantity) == "0.1"
    assert listed(OPEN_ORDER) == ()
    (changed,) = listed(OPEN_ORDER | {"quantity": "0.05"})
    assert str(changed.record.filled_quantity) == "0.15"
    (gone,) = listed()
    assert (gone.venue_order_id, gone.record) == ("7", None)


@pytest.mark.parametrize("kind", ["PONG", "AUTHENTICATED", "UNSUPPORTED", "NEW_PENDING_RECEIVE", None])
def test_other_messages_say_nothing(stream: AccountStream, kind: str | None) -> None:
    assert read(stream, {"type": kind}) == ()


def test_a_new_connection_knows_no_open_orders(stream: AccountStream) -> None:
    read(stream, {"type": "OPEN_ORDERS_UPDATE", "data": [OPEN_ORDER]})
    stream.opened()
    assert len(read(stream, {"type": "OPEN_ORDERS_UPDATE", "data": [OPEN_ORDER]})) == 1
