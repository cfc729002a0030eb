"""VALR's public side on its own documented answers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.ports.clock import to_ns
from amarktai.venues.exchanges.valr import VENUE, parse_market
from amarktai.venues.exchanges.valr.calls import ValrCalls
from amarktai.venues.exchanges.valr.market import ValrMarket
from tests.venues.exchanges.answers import Answers
from tests.venues.exchanges.valr.bodies import bodies_of

HOUR = 3_600 * NS_PER_S


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def market(answers: Answers) -> ValrMarket:
    public, other = (ValrCalls(answers.transport(Platform.VALR)) for _ in range(2))
    return ValrMarket(public, other, answers.clock)


BTCZAR = VENUE.instrument("BTC/ZAR")


def pair(symbol: str, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol, "baseCurrency": symbol[:-3], "quoteCurrency": symbol[-3:], "active": True,
        "minBaseAmount": "0.0002", "minQuoteAmount": "10", "tickSize": "1", "baseDecimalPlaces": "8",
        "currencyPairType": "SPOT",
    }  # fmt: skip
    return row | changes


async def test_instruments_are_those_whose_book_is_open(answers: Answers, market: ValrMarket) -> None:
    answers.on(
        "GET /v1/public/pairs/SPOT",
        200,
        [
            pair("ETHZAR"),
            pair("BTCZAR"),
            pair("XRPZAR", active=False),
            pair("LTCBTC"),
            pair("SOLZAR", currencyPairType="FUTURE"),
        ],
    )
    answers.on(
        "GET /v1/public/ordertypes",
        200,
        [
            {"currencyPair": name, "orderTypes": ["LIMIT", "MARKET"]}
            for name in ("ETHZAR", "BTCZAR", "XRPZAR", "SOLZAR")
        ]
        + [{"currencyPair": "LTCBTC", "orderTypes": ["SIMPLE"]}],
    )
    found = await market.fetch_instruments()
    assert [item.id for item in found] == ["valr:BTC/ZAR", "valr:ETH/ZAR"]
    assert found[1].lot_size == Decimal("0.00000001")
    assert (found[1].min_quantity, found[1].min_notional) == (Decimal("0.0002"), Decimal(10))


@pytest.mark.data
def test_every_documented_pair_can_be_read() -> None:
    for route in ("/v1/public/pairs", "/v1/public/pairs/:type"):
        for _, rows in bodies_of(route):
            for row in rows:
                steps = parse_market(row)
                assert (steps is None) == (not row["active"] or row["currencyPairType"] != "SPOT")


async def test_quotes_of_all_markets_cost_one_call(answers: Answers, market: ValrMarket) -> None:
    row = {
        "currencyPair": "BTCZAR", "askPrice": "93129", "bidPrice": "81400.0", "lastTradedPrice": "93129",
        "created": "2025-07-17T07:37:05.061Z",
    }  # fmt: skip
    answers.on("GET /v1/public/marketsummary", 200, [row, row | {"currencyPair": "ETHZAR"}])
    quotes = await market.fetch_quotes([BTCZAR, VENUE.instrument("ETH/ZAR")])
    assert [quote.instrument_id for quote in quotes] == ["valr:BTC/ZAR", "valr:ETH/ZAR"]
    assert (str(quotes[0].bid), quotes[0].ask, quotes[0].bid_quantity) == ("81400.0", Decimal(93129), None)
    assert quotes[0].at == datetime(2025, 7, 17, 7, 37, 5, 61_000, UTC)
    assert len(answers.requests) == 1
    with pytest.raises(Unavailable):
        await market.fetch_quotes([VENUE.instrument("SOL/ZAR")])


@pytest.mark.data
async def test_the_documented_books_and_trades(answers: Answers, market: ValrMarket) -> None:
    (_, top), *_ = bodies_of("/v1/public/:currencyPair/orderbook")
    (_, full), *_ = bodies_of("/v1/public/:currencyPair/orderbook/full")
    (_, trades), *_ = bodies_of("/v1/public/:currencyPair/trades")
    answers.on("GET /v1/public/BTCZAR/orderbook", 200, top)
    answers.on("GET /v1/public/BTCZAR/orderbook/full", 200, full)
    answers.on("GET /v1/public/BTCZAR/trades", 200, trades)
    book = await market.fetch_book(BTCZAR, 40)
    assert book.asks[0] == (Decimal(93129), Decimal("0.01293134"))
    assert book.sequence == 282886
    whole = await market.fetch_book(BTCZAR, 1_000)
    assert whole.asks[1] == (Decimal(95800), Decimal("4.6522441"))
    assert list(whole.bids) == sorted(whole.bids, reverse=True)
    printed = await market.fetch_trades(BTCZAR, 10)
    assert [trade.at for trade in printed] == sorted(trade.at for trade in printed)
    assert {trade.taker_side for trade in printed} <= set(Side)


class Candles:
    """Candles of every period since the epoch, as VALR serves them: newest first, at most 300."""

    def __init__(self, *, counts_the_end: bool) -> None:
        self.counts_the_end = counts_the_end

    def __call__(self, request: httpx.Request) -> tuple[int, Any]:
        query = request.url.params
        step, first, end = (int(query[name]) for name in ("periodSeconds", "startTime", "endTime"))
        assert query["includeEmpty"] == "true"
        times = range(-(-first // step) * step, end + int(self.counts_the_end), step)
        rows = [
            {
                "startTime": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}", "open": "10",
                "high": str(11 + at // 3_600 % 24), "low": "9", "close": "10.5", "volume": "2",
            }
            for at in times
        ]  # fmt: skip
        return 200, rows[::-1][: int(query["limit"])]


@pytest.mark.parametrize("counts_the_end", [True, False])
@pytest.mark.parametrize("timeframe", ["1m", "1h"])
async def test_candles_over_many_pages_have_no_holes(
    answers: Answers, market: ValrMarket, counts_the_end: bool, timeframe: str
) -> None:
    answers.call("GET /v1/public/BTCZAR/buckets", Candles(counts_the_end=counts_the_end))
    step = {"1m": HOUR // 60, "1h": HOUR}[timeframe]
    now = answers.clock.now_ns()
    answers.clock.advance(30)
    fetched = await market.fetch_bars(BTCZAR, timeframe, now - 1_000 * step, 1_000)
    assert len(fetched.bars) == 1_000
    assert set(fetched.bars.ts_open[1:] - fetched.bars.ts_open[:-1]) == {step}
    assert not fetched.built_from_trades


async def test_four_hours_are_added_up_from_hours(answers: Answers, market: ValrMarket) -> None:
    answers.call("GET /v1/public/BTCZAR/buckets", Candles(counts_the_end=True))
    now = answers.clock.now_ns() // (4 * HOUR) * 4 * HOUR
    answers.clock.advance_to(now + HOUR)
    bars = (await market.fetch_bars(BTCZAR, "4h", now - 12 * HOUR, 10)).bars
    assert bars.timeframe == "4h"
    assert list(bars.ts_open) == [now - 12 * HOUR, now - 8 * HOUR, now - 4 * HOUR]
    assert set(bars.volume) == {8.0}
    hour = int(bars.ts_open[0] // HOUR) % 24
    assert bars.high[0] == 11 + hour + 3


async def test_the_clocks_difference(answers: Answers, market: ValrMarket) -> None:
    at = answers.clock.now_ns() + 2 * NS_PER_S
    text = f"{datetime.fromtimestamp(at / NS_PER_S, UTC):%Y-%m-%dT%H:%M:%S}.280178906Z"
    answers.on("GET /v1/public/time", 200, {"epochTime": at // NS_PER_S, "time": text})
    assert await market.fetch_clock_offset_ns() == 2 * NS_PER_S + 280_000_000
    assert to_ns(datetime(2026, 1, 1, tzinfo=UTC)) == answers.clock.now_ns()


@pytest.mark.parametrize("body", [{}, [{}], "no", [{"currencyPair": "BTCZAR", "bidPrice": "x"}]])
async def test_an_answer_of_another_form_is_none(answers: Answers, market: ValrMarket, body: Any) -> None:
    answers.on("GET /v1/public/marketsummary", 200, body)
    with pytest.raises(Unavailable):
        await market.fetch_quotes([BTCZAR])


async def test_public_calls_are_not_signed(answers: Answers, market: ValrMarket) -> None:
    answers.on("GET /v1/public/BTCZAR/trades", 200, [])
    assert await market.fetch_trades(BTCZAR, 500) == []
    (request,) = answers.requests
    assert request.url.params["limit"] == "100"
    assert not any(name.startswith("x-valr") for name in request.headers)


def test_the_symbol_is_valrs_own() -> None:
    assert isinstance(BTCZAR, Instrument)
    assert VENUE.venue_symbol("BTC", "ZAR") == "BTCZAR"
