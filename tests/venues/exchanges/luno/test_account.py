"""Luno's account: what leaves for each kind of order, and lists to their end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from amarktai.domain.errors import Unavailable
from amarktai.domain.fill import Liquidity
from amarktai.domain.order import OrderType, Side
from amarktai.domain.provider import Credentials
from amarktai.ports.clock import to_datetime
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.ccxt_calls import CcxtCalls, CcxtSigner
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.exchanges.luno.account import PAGE, LunoAccount, time_to_live
from amarktai.venues.exchanges.luno.errors import DIALECT
from amarktai.venues.exchanges.luno.records import account_fill, order_record
from tests.fakes import SeededIds
from tests.venues.exchanges.answers import Answers

BTC = VENUE.instrument("BTC/ZAR")
KEY = Credentials("key", "secret")
NOT_FOUND = {"error": "no", "error_code": "ErrOrderNotFound"}


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def account(answers: Answers) -> LunoAccount:
    signer = CcxtSigner(VENUE, KEY, answers.clock, time_to_live)
    calls = CcxtCalls(answers.transport(VENUE.platform, signer), DIALECT)
    parts = answers.parts(VENUE, BTC)
    return LunoAccount(calls, signer, parts, KEY, "ws://127.0.0.1:9")


def request(answers: Answers, **change: Any) -> OrderRequest:
    return answers.order(BTC, 900_000, 5, **change)


def order_row(number: int, **change: Any) -> dict[str, Any]:
    row = {
        "order_id": f"B{number}", "client_order_id": "", "pair": "XBTZAR", "side": "BUY", "type": "LIMIT",
        "status": "PENDING", "limit_price": "900000.00", "limit_volume": "0.001000", "base": "0.000000",
        "counter": "0.00", "fee_base": "0.00", "fee_counter": "0.00", "time_in_force": "GTC",
        "creation_timestamp": 1_767_225_600_000 + number, "completed_timestamp": 0, "expiration_timestamp": 0,
    }  # fmt: skip
    return row | change


def trade_row(sequence: int, order_id: str = "B1", **change: Any) -> dict[str, Any]:
    row = {
        "pair": "XBTZAR", "sequence": sequence, "order_id": order_id, "type": "BID", "is_buy": True,
        "price": "900000.00", "volume": "0.000500", "base": "0.000500", "counter": "450.00",
        "fee_base": "0.00000300", "fee_counter": "0.00", "timestamp": 1_767_225_600_000 + sequence,
    }  # fmt: skip
    return row | change


def sent_order(answers: Answers, route: str = "POST /api/1/postorder") -> dict[str, str]:
    (sent,) = answers.sent(route)
    return {name: values[0] for name, values in parse_qs(sent.url.query.decode()).items()}


class TestCreate:
    async def test_a_limit_order_carries_our_id_and_its_end(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        answers.on("POST /api/1/postorder", 200, {"order_id": "B1"})
        order = request(answers, post_only=True)
        report = await account.create_order(order)
        assert (report.status, report.venue_order_id) == (VenueStatus.OPEN, "B1")
        assert sent_order(answers) == {
            "pair": "XBTZAR", "type": "BID", "volume": "0.001", "price": "900000", "post_only": "true",
            "client_order_id": order.client_order_id, "ttl": "5000",
            "timestamp": str(answers.clock.now_ns() // 1_000_000),
        }  # fmt: skip

    async def test_a_stop_is_a_stop_limit_beyond_it(self, answers: Answers, account: LunoAccount) -> None:
        answers.on("POST /api/1/postorder", 200, {"order_id": "B1"})
        stop = request(
            answers, type=OrderType.STOP_MARKET, side=Side.SELL, price=None, stop_price=Decimal(800_001)
        )
        await account.create_order(stop)
        sent = sent_order(answers)
        assert (sent["type"], sent["stop_price"], sent["stop_direction"]) == ("ASK", "800001", "BELOW")
        assert sent["price"] == "760000"  # five per cent below, rounded away from the market

    async def test_a_market_sale_is_in_base(self, answers: Answers, account: LunoAccount) -> None:
        answers.on("POST /api/1/marketorder", 200, {"order_id": "B1"})
        answers.on("GET /api/exchange/3/order", 500, None)
        sale = request(answers, type=OrderType.MARKET, side=Side.SELL, price=None)
        report = await account.create_order(sale)
        sent = sent_order(answers, "POST /api/1/marketorder")
        assert (sent["type"], sent["base_volume"]) == ("SELL", "0.001")
        assert report.status is VenueStatus.OPEN  # it was taken; what came of it could not be read

    async def test_a_market_buy_is_an_ioc_limit_above_the_level_that_it_reaches(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        asks = [{"price": "1010000.00", "volume": "1"}, {"price": "1000000.00", "volume": "0.0004"}]
        answers.on("GET /api/1/orderbook_top", 200, {"asks": asks, "bids": [], "timestamp": 1})
        answers.on("POST /api/1/postorder", 200, {"order_id": "B1"})
        done = order_row(1, status="COMPLETE", base="0.001000", completed_timestamp=1_767_225_600_005)
        answers.on("GET /api/exchange/3/order", 200, done)
        answers.on("GET /api/1/listtrades", 200, {"trades": [trade_row(1), trade_row(2), trade_row(3, "B9")]})
        report = await account.create_order(request(answers, type=OrderType.MARKET, price=None))
        sent = sent_order(answers)
        assert (sent["price"], sent["time_in_force"], sent["volume"]) == ("1020100", "IOC", "0.001")
        assert report.status is VenueStatus.FILLED
        assert [fill.venue_trade_id for fill in report.fills] == ["XBTZAR-1", "XBTZAR-2"]

    @pytest.mark.parametrize(
        ("budget", "price"),
        [("1100", "1020100"), ("1018.58", "1012504"), ("1006", "1000000")],
        ids=["ample", "a little less than the band", "the best offer and the fee"],
    )
    async def test_a_market_buy_costs_no_more_than_is_reserved(
        self, answers: Answers, account: LunoAccount, budget: str, price: str
    ) -> None:
        asks = [{"price": "1010000.00", "volume": "1"}, {"price": "1000000.00", "volume": "0.0004"}]
        answers.on("GET /api/1/orderbook_top", 200, {"asks": asks})
        answers.on("POST /api/1/postorder", 200, {"order_id": "B1"})
        answers.on("GET /api/exchange/3/order", 500, None)
        buy = request(answers, type=OrderType.MARKET, price=None, budget=Decimal(budget))
        await account.create_order(buy)
        sent = sent_order(answers)
        assert sent["price"] == price
        assert Decimal(price) * buy.quantity * (1 + BTC.fees.taker) <= Decimal(budget)

    async def test_a_market_that_ran_away_from_what_is_reserved_is_not_bought(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        answers.on("GET /api/1/orderbook_top", 200, {"asks": [{"price": "1000000.00", "volume": "1"}]})
        with pytest.raises(VenueRejected) as refused:
            buy = request(answers, type=OrderType.MARKET, price=None, budget=Decimal(1_005))
            await account.create_order(buy)
        assert refused.value.code == "BUDGET_EXCEEDED" and "999005" in refused.value.detail
        assert answers.sent("POST /api/1/postorder") == []

    @pytest.mark.parametrize("asks", [None, []])
    async def test_a_market_buy_without_a_book_is_refused_and_nothing_leaves(
        self, answers: Answers, account: LunoAccount, asks: list[Any] | None
    ) -> None:
        answers.on("GET /api/1/orderbook_top", 500 if asks is None else 200, {"asks": asks})
        with pytest.raises(VenueRejected):
            await account.create_order(request(answers, type=OrderType.MARKET, price=None))
        assert answers.sent("POST /api/1/postorder") == []

    @pytest.mark.parametrize("body", [None, {}, {"order": "B1"}, []])
    async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(
        self, answers: Answers, account: LunoAccount, body: Any
    ) -> None:
        answers.on("POST /api/1/postorder", 200, body)
        with pytest.raises(OutcomeUnknown):
            await account.create_order(request(answers))


class TestLists:
    async def test_all_pages_of_orders_are_read_and_none_falls_between(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        rows = [order_row(number // 2) | {"order_id": f"B{number}"} for number in range(2 * PAGE + 10)]
        rows.sort(key=lambda row: -row["creation_timestamp"])

        def page(request: httpx.Request) -> tuple[int, Any]:
            before = int(request.url.params.get("created_before", 10**15))
            return 200, {"orders": [row for row in rows if row["creation_timestamp"] < before][:PAGE]}

        answers.call("GET /api/exchange/2/listorders", page)
        assert len(await account.fetch_open_records()) == len(rows)

    async def test_a_page_that_never_ends_is_an_error(self, answers: Answers, account: LunoAccount) -> None:
        same = [order_row(1) | {"order_id": f"B{number}"} for number in range(PAGE)]
        answers.on("GET /api/exchange/2/listorders", 200, {"orders": same})
        with pytest.raises(Unavailable, match="page"):
            await account.fetch_open_records()

    async def test_fills_go_on_by_sequence_in_every_pair_that_changed(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        trades = [trade_row(number) for number in range(1, PAGE + 5)]
        other = order_row(
            7, pair="ETHZAR", status="COMPLETE", base="1", completed_timestamp=1_767_225_600_009
        )

        def orders(request: httpx.Request) -> tuple[int, Any]:
            return 200, {"orders": [other] if request.url.params["closed"] == "true" else None}

        def list_trades(request: httpx.Request) -> tuple[int, Any]:
            if request.url.params["pair"] == "ETHZAR":
                return 200, {"trades": [trade_row(3, "B7", pair="ETHZAR", type="ASK")]}
            first = int(request.url.params.get("after_seq", 1))
            return 200, {"trades": [row for row in trades if row["sequence"] >= first][:PAGE]}

        answers.call("GET /api/exchange/2/listorders", orders)
        answers.call("GET /api/1/listtrades", list_trades)
        fills = await account.fetch_fills_since(1_767_225_600_000_000_000)
        assert len(fills) == len(trades) + 1
        assert {fill.instrument_id for fill in fills} == {"luno:BTC/ZAR", "luno:ETH/ZAR"}

    async def test_balances_of_several_wallets_are_summed(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        rows = [
            {"account_id": "1", "asset": "XBT", "balance": "1.5", "reserved": "0.5"},
            {"account_id": "2", "asset": "XBT", "balance": "1", "reserved": "0"},
            {"account_id": "3", "asset": "ZAR", "balance": "0.00", "reserved": "0.00"},
        ]
        answers.on("GET /api/1/balance", 200, {"balance": rows})
        balances = await account.fetch_balances()
        assert balances.keys() == {"BTC"}
        assert (balances["BTC"].total, balances["BTC"].available) == (Decimal("2.5"), Decimal(2))

    async def test_the_higher_of_two_fees_counts(self, answers: Answers, account: LunoAccount) -> None:
        body = {
            "maker_fee": "0.001",
            "maker_fee_sell": "0.002",
            "taker_fee": "0.006",
            "taker_fee_buy": "0.005",
        }
        answers.on("GET /api/1/fee_info", 200, body)
        fees = await account.fetch_fees(BTC)
        assert (fees.maker, fees.taker) == (Decimal("0.002"), Decimal("0.006"))

    async def test_an_order_older_than_the_archive_is_not_absent(
        self, answers: Answers, account: LunoAccount
    ) -> None:
        order_id = SeededIds(answers.clock).new()
        answers.on("GET /api/exchange/3/order", 404, NOT_FOUND)
        answers.on("GET /api/exchange/2/listorders", 200, {"orders": []})
        assert await account.fetch_order(order_id, BTC.id) is None
        answers.clock.advance(100 * 86_400)
        with pytest.raises(OutcomeUnknown) as unknown:
            await account.fetch_order(order_id, BTC.id)
        assert unknown.value.code == "RECORDS_TOO_OLD"


class TestRecords:
    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"status": "AWAITING"}, VenueStatus.OPEN),
            ({"status": "PENDING"}, VenueStatus.OPEN),
            ({"status": "COMPLETE", "base": "0.001000"}, VenueStatus.FILLED),
            ({"status": "COMPLETE", "base": "0.000400"}, VenueStatus.CANCELED),
            ({"status": "COMPLETE", "time_in_force": "IOC"}, VenueStatus.EXPIRED),
            (
                {"status": "COMPLETE", "expiration_timestamp": 5, "completed_timestamp": 5},
                VenueStatus.EXPIRED,
            ),
            (
                {"status": "COMPLETE", "type": "MARKET", "limit_volume": "0", "base": "0.5"},
                VenueStatus.FILLED,
            ),
            (
                {"status": "COMPLETE", "type": "MARKET", "limit_volume": "0", "base": "0"},
                VenueStatus.CANCELED,
            ),
        ],
    )
    def test_a_status_follows_from_what_was_filled(self, change: dict[str, Any], status: VenueStatus) -> None:
        assert order_record(order_row(1, **change), str).status is status

    def test_a_status_that_luno_does_not_document_is_not_guessed(self) -> None:
        with pytest.raises(ValueError, match="STRANGE"):
            order_record(order_row(1, status="STRANGE"), str)

    @pytest.mark.parametrize(
        ("change", "fee", "asset", "liquidity"),
        [
            ({}, "0.00000300", "BTC", Liquidity.TAKER),
            ({"is_buy": False}, "0.00000300", "BTC", Liquidity.MAKER),
            (
                {"type": "ASK", "fee_base": "0.00", "fee_counter": "2.70"}, "2.70", "ZAR", Liquidity.MAKER,
            ),
            ({"fee_base": "0", "fee_counter": "0"}, "0", "BTC", Liquidity.TAKER),
            ({"fee_base": "0", "fee_counter": "-0.10"}, "-0.10", "ZAR", Liquidity.TAKER),
        ],
    )  # fmt: skip
    def test_a_fee_is_in_the_asset_that_it_was_charged_in(
        self, change: dict[str, Any], fee: str, asset: str, liquidity: Liquidity
    ) -> None:
        fill = account_fill(trade_row(1, **change), str, lambda pair: ("BTC", "ZAR"))
        assert (fill.fee_amount, fill.fee_asset, fill.liquidity) == (Decimal(fee), asset, liquidity)
        assert fill.executed_at == to_datetime(1_767_225_600_001_000_000)

    def test_a_trade_charged_in_two_assets_is_not_guessed(self) -> None:
        row = trade_row(1, fee_counter="1.00")
        with pytest.raises(ValueError, match="two assets"):
            account_fill(row, str, lambda pair: ("BTC", "ZAR"))
