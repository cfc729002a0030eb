"""Luno's streams: what is told once, wallets, and a book kept order by order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarktai.domain.market import DirtyRows, OrderBook
from amarktai.domain.provider import Credentials
from amarktai.ports.exchange import BalanceChanged, OrderChanged, StreamGap
from amarktai.venues.exchanges.luno.stream import MarketBook, SequenceBreak, UserStream, Wallet


def user_stream() -> UserStream:
    wallets = {
        "1": Wallet("BTC", Decimal(2), Decimal(1)),
        "2": Wallet("BTC", Decimal(3), Decimal(3)),
    }
    return UserStream(Credentials("key", "secret"), wallets)


def message(kind: str, **update: Any) -> bytes:
    return orjson.dumps({"type": kind, "timestamp": 1, f"{kind.removesuffix('_update')}_update": update})


STATUS = message("order_status", order_id="B1", client_order_id="c", market_id="XBTZAR", status="PENDING")
FILL = message(
    "order_fill", order_id="B1", client_order_id="c", market_id="XBTZAR", base_fill="1.0", counter_fill="9"
)


class TestUserStream:
    def test_it_greets_with_the_key_and_says_that_it_starts(self) -> None:
        heard = user_stream().opened()
        assert orjson.loads(heard.replies[0]) == {"api_key_id": "key", "api_key_secret": "secret"}
        assert isinstance(heard.events[0], StreamGap)

    def test_orders_and_fills_are_hints_that_are_told_once(self) -> None:
        stream = user_stream()
        assert stream.read(STATUS).events == (OrderChanged("B1", "c", None),)
        assert stream.read(FILL).events == (OrderChanged("B1", "c", None),)
        stream.opened()  # a reconnect repeats the last five minutes
        assert stream.read(STATUS).events == stream.read(FILL).events == ()
        more = orjson.loads(FILL)
        more["order_fill_update"]["base_fill"] = "2.0"
        assert len(stream.read(orjson.dumps(more)).events) == 1

    def test_keep_alives_say_nothing(self) -> None:
        assert user_stream().read(b'""').events == user_stream().read(b"").events == ()

    def test_a_balance_is_that_of_all_wallets_of_the_asset(self) -> None:
        stream = user_stream()
        update = {"account_id": 1, "row_index": 5, "balance": "2.5", "available": "0.5"}
        (event,) = stream.read(message("balance_update", **update)).events
        assert event == BalanceChanged("BTC", Decimal("5.5"), Decimal(2))
        (gap,) = stream.read(message("balance_update", **update | {"account_id": 9})).events
        assert isinstance(gap, StreamGap)


def snapshot() -> dict[str, Any]:
    return {
        "sequence": "10",
        "asks": [{"id": "A1", "price": "101", "volume": "1"}, {"id": "A2", "price": "101", "volume": "2"}],
        "bids": [{"id": "B1", "price": "99", "volume": "1.5"}],
        "status": "ACTIVE",
        "timestamp": 1,
    }


def update(sequence: int, **parts: Any) -> dict[str, Any]:
    empty = {"trade_updates": None, "create_update": None, "delete_update": None, "status_update": None}
    return {"sequence": str(sequence), "timestamp": 1, **empty, **parts}


def loaded() -> MarketBook:
    book = MarketBook(OrderBook(), DirtyRows())
    book.apply(snapshot(), 1)
    return book


class TestMarketBook:
    def test_levels_add_up_their_orders(self) -> None:
        assert loaded().top() == (99.0, 101.0, 1.5, 3.0)

    def test_a_trade_takes_from_its_maker_and_tells_the_taker(self) -> None:
        book = loaded()
        trade = {
            "sequence": 7,
            "base": "0.4",
            "counter": "40.4",
            "maker_order_id": "A1",
            "taker_order_id": "X",
        }
        (told,) = book.apply(update(11, trade_updates=[trade]), 2)
        assert (told.trade_id, told.price, told.quantity, told.taker) == ("7", 101.0, 0.4, 1.0)
        assert book.top() == (99.0, 101.0, 1.5, 2.6)
        whole = {
            "sequence": 8,
            "base": "1.5",
            "counter": "148.5",
            "maker_order_id": "B1",
            "taker_order_id": "Y",
        }
        (told,) = book.apply(update(12, trade_updates=[whole]), 3)
        assert told.taker == -1.0
        assert book.top() is None

    def test_orders_come_and_go(self) -> None:
        book = loaded()
        created = {"order_id": "B2", "type": "BID", "price": "100", "volume": "0.5"}
        book.apply(update(11, create_update=created), 2)
        assert book.top() == (100.0, 101.0, 0.5, 3.0)
        book.apply(update(12, delete_update={"order_id": "B2"}), 3)
        book.apply(update(13, delete_update={"order_id": "A1"}), 4)
        assert book.top() == (99.0, 101.0, 1.5, 2.0)
        book.apply(update(14, delete_update={"order_id": "unknown"}), 5)
        assert book.dirty.counts == {"unknown_order_deleted": 1}

    def test_a_missing_update_ends_the_book(self) -> None:
        book = loaded()
        with pytest.raises(SequenceBreak):
            book.apply(update(12), 2)
        with pytest.raises(SequenceBreak):
            book.apply(update(13), 3)
        book.apply(snapshot() | {"sequence": "50"}, 4)
        assert book.apply(update(51), 5) == []

    @given(
        st.lists(st.tuples(st.booleans(), st.integers(90, 110), st.integers(1, 50)), max_size=60), st.data()
    )
    @settings(max_examples=50)
    def test_levels_are_always_the_sum_of_the_orders_that_are_left(
        self, orders: list[tuple[bool, int, int]], data: st.DataObject
    ) -> None:
        book = MarketBook(OrderBook(), DirtyRows())
        book.apply(snapshot() | {"asks": [], "bids": []}, 1)
        left: dict[str, tuple[bool, int, Decimal]] = {}
        for number, (is_bid, price, volume) in enumerate(orders):
            sequence = book.book.last_update_id + 1
            if bool(left) and data.draw(st.booleans()):
                gone = data.draw(st.sampled_from(sorted(left)))
                del left[gone]
                book.apply(update(sequence, delete_update={"order_id": gone}), 1)
            else:
                amount = Decimal(volume) / 10
                left[str(number)] = (is_bid, price, amount)
                created = {
                    "order_id": str(number), "type": "BID" if is_bid else "ASK",
                    "price": str(price), "volume": str(amount),
                }  # fmt: skip
                book.apply(update(sequence, create_update=created), 1)
        for is_bid, side in ((True, book.book.bids), (False, book.book.asks)):
            sums: dict[float, Decimal] = {}
            for bid, price, amount in left.values():
                if bid is is_bid:
                    sums[float(price)] = sums.get(float(price), Decimal(0)) + amount
            assert dict(side) == {price: float(amount) for price, amount in sums.items()}
