"""Public data through ccxt: instruments, candles, errors, and a real ccxt client on a local server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import ccxt
import orjson
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import AmarktaiError, InvalidInput, Unavailable
from amarktai.domain.instrument import Platform
from amarktai.system.clock import SystemClock, VirtualClock
from amarktai.venues.budget import RequestBudget
from amarktai.venues.ccxt_venue import (
    ERROR_TABLE,
    CcxtHistory,
    explain,
    load_instruments,
    open_client,
)
from amarktai.venues.spec import load_specs
from tests.bars import HOUR

SPECS = load_specs()
BINANCE, LUNO, KUCOIN = (SPECS[name] for name in (Platform.BINANCE, Platform.LUNO, Platform.KUCOIN))
NOW = 100 * HOUR


class FakeExchange:
    """A ccxt exchange that answers from memory; ``failure`` is raised instead while it is set."""

    def __init__(self) -> None:
        self.last_response_headers: dict[str, str] = {}
        self.failure: Exception | None = None
        self.markets: dict[str, Any] = {}
        self.candles: list[list[float | None]] = []
        self.asked: list[tuple[str, str, int | None, int | None]] = []
        self.quotes: asyncio.Queue[Mapping[str, Any] | Exception] = asyncio.Queue()
        self.trades: asyncio.Queue[Sequence[Mapping[str, Any]] | Exception] = asyncio.Queue()
        self.watched: list[str] = []
        self.is_closed = False

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def load_markets(self, reload: bool = False) -> Mapping[str, Any]:
        self._fail()
        return self.markets

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Any]:
        self._fail()
        self.watched = list(symbols)
        return await self._next_quotes()

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int | None
    ) -> Sequence[Sequence[float | None]]:
        self._fail()
        self.asked.append((symbol, timeframe, since, limit))
        return self.candles

    async def watch_bids_asks(self, symbols: Sequence[str]) -> Mapping[str, Any]:
        return await self._next_quotes()

    async def watch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Any]:
        return await self._next_quotes()

    async def _next_quotes(self) -> Mapping[str, Any]:
        self._fail()
        item = await self.quotes.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def watch_trades_for_symbols(self, symbols: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        item = await self.trades.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def close(self) -> None:
        self.is_closed = True


def history(exchange: FakeExchange) -> tuple[CcxtHistory, RequestBudget]:
    clock = VirtualClock(NOW)
    budget = RequestBudget("binance", 600, clock)
    return CcxtHistory(BINANCE, exchange, budget, clock), budget


def candle(hour: int, close: float = 100.0, high: float = 101.0) -> list[float | None]:
    return [hour * 3_600_000, 100.0, high, 99.0, close, 1.0]


class TestHistory:
    async def test_only_closed_clean_bars_come_back_in_order(self) -> None:
        exchange = FakeExchange()
        exchange.candles = [
            candle(97), candle(96), [98 * 3_600_000, None, 1, 1, 1, 1], candle(99), candle(95, high=5),
            candle(97), candle(100),
        ]  # fmt: skip
        source, _ = history(exchange)
        bars = await source.fetch_history("binance:BTC/USDT", "1h", 90 * HOUR, 50)
        assert bars.ts_open.tolist() == [96 * HOUR, 97 * HOUR, 99 * HOUR]
        assert source.dirty.counts == {"dirty_bar": 3}
        assert exchange.asked == [("BTC/USDT", "1h", 90 * 3_600_000, 50)]

    async def test_what_lies_before_the_span_is_left_out(self) -> None:
        exchange = FakeExchange()
        exchange.candles = [candle(hour) for hour in range(80, 99)]
        source, _ = history(exchange)
        bars = await source.fetch_history("binance:BTC/USDT", "1h", 90 * HOUR, 3)
        assert bars.ts_open.tolist() == [90 * HOUR, 91 * HOUR, 92 * HOUR]
        exchange.candles = []
        assert len(await source.fetch_history("binance:BTC/USDT", "1h", 90 * HOUR, 3)) == 0

    async def test_what_the_venue_does_not_have_is_said(self) -> None:
        source, budget = history(FakeExchange())
        with pytest.raises(InvalidInput, match="3h"):
            await source.fetch_history("binance:BTC/USDT", "3h", 0, 3)
        luno = CcxtHistory(LUNO, FakeExchange(), budget, VirtualClock(NOW))
        with pytest.raises(InvalidInput, match="key"):
            await luno.fetch_history("luno:BTC/ZAR", "1h", 0, 3)

    async def test_a_ban_is_honoured_for_as_long_as_the_venue_says(self) -> None:
        exchange = FakeExchange()
        exchange.failure = ccxt.RateLimitExceeded("binance 429")
        exchange.last_response_headers = {"Retry-After": "37"}
        source, budget = history(exchange)
        with pytest.raises(Unavailable, match="slow down"):
            await source.fetch_history("binance:BTC/USDT", "1h", 0, 3)
        assert budget.banned_until_ts == NOW + 37 * NS_PER_S


def test_every_error_of_ccxt_is_translated() -> None:
    errors = [
        getattr(ccxt, name)
        for name in dir(ccxt)
        if isinstance(getattr(ccxt, name), type) and issubclass(getattr(ccxt, name), ccxt.BaseError)
    ]
    assert len(errors) > 30
    for kind in errors:
        told = explain(kind("secret details of the exchange"), BINANCE)
        assert isinstance(told, AmarktaiError)
        assert told.detail.startswith("Binance ")
        assert "secret" not in told.detail
        assert told.action
    assert isinstance(explain(ConnectionResetError(), LUNO), Unavailable)
    with pytest.raises(KeyError):
        explain(KeyError("a defect of ours"), BINANCE)


def test_the_error_table_goes_from_special_to_general() -> None:
    kinds = [kind for kind, _, _ in ERROR_TABLE]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:index])


def binance_market(base: str, quote: str, *, status: str = "TRADING", spot: bool = True) -> dict[str, Any]:
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.00001000", "minQty": "0.00001000"},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
    ]
    info = {"baseAsset": base, "quoteAsset": quote, "status": status, "filters": filters}
    return {"base": base, "quote": quote, "spot": spot, "info": info}


class TestInstruments:
    async def test_steps_come_from_the_venues_own_strings(self) -> None:
        exchange = FakeExchange()
        exchange.markets = {
            "a": binance_market("BTC", "USDT"),
            "b": binance_market("ETH", "USDT", status="BREAK"),
            "c": binance_market("BTC", "EUR"),
            "d": binance_market("XRP", "USDT", spot=False),
        }
        clock = VirtualClock(NOW)
        (found,) = await load_instruments(exchange, BINANCE, RequestBudget("binance", 600, clock))
        assert found.id == "binance:BTC/USDT"
        assert (found.tick_size, found.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
        assert found.min_notional == Decimal(5)

    async def test_an_unreachable_venue_is_said(self) -> None:
        exchange = FakeExchange()
        exchange.failure = ccxt.NetworkError("getaddrinfo failed")
        with pytest.raises(Unavailable, match=r"Binance cannot be reached\."):
            await load_instruments(exchange, BINANCE, RequestBudget("binance", 600, VirtualClock(NOW)))

    def test_luno_and_kucoin_records_are_read(self) -> None:
        record = {
            "trading_status": "ACTIVE", "base_currency": "XBT", "counter_currency": "ZAR",
            "price_scale": 0, "volume_scale": 6, "min_volume": "0.0005",
        }  # fmt: skip
        assert LUNO.parse_market is not None
        assert KUCOIN.parse_market is not None
        steps = LUNO.parse_market(record)
        assert steps is not None
        assert (steps.symbol, steps.tick, steps.min_quantity) == ("BTC/ZAR", "1", "0.0005")
        assert Decimal(steps.lot) == Decimal("0.000001")
        stable = LUNO.parse_market(record | {"base_currency": "USDT"})
        crypto = LUNO.parse_market(record | {"counter_currency": "USDT"})
        assert stable is not None and stable.fees is not None
        assert crypto is not None and crypto.fees is not None
        assert (stable.fees.taker, crypto.fees.taker) == (Decimal("0.002"), Decimal("0.001"))
        assert LUNO.parse_market(record | {"trading_status": "SUSPENDED"}) is None
        assert KUCOIN.parse_market({"enableTrading": False}) is None


class LocalExchange:
    """A local HTTP server that answers paths with JSON, for a real ccxt client."""

    def __init__(self, replies: Mapping[str, Any]) -> None:
        self.replies = replies
        self.paths: list[str] = []

    async def __aenter__(self) -> LocalExchange:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.paths.append(path)
        reply = self.replies.get(path.partition("?")[0])
        status = "404 Not Found" if reply is None else "200 OK"
        body = orjson.dumps(reply if reply is not None else {"error": "absent"})
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


def luno_urls(port: int) -> dict[str, Any]:
    root = f"http://127.0.0.1:{port}"
    return {"api": {"public": f"{root}/api", "exchange": f"{root}/api/exchange"}}


MARKETS = {
    "markets": [
        {
            "market_id": "XBTZAR", "trading_status": "ACTIVE", "base_currency": "XBT",
            "counter_currency": "ZAR", "min_volume": "0.0005", "max_volume": "100.00", "volume_scale": 6,
            "min_price": "1.00", "max_price": "100000000.00", "price_scale": 0, "fee_scale": 8,
        }
    ]
}  # fmt: skip


async def test_a_real_client_reads_luno_from_a_local_server() -> None:
    ticker = {
        "pair": "XBTZAR", "timestamp": 1_700_000_000_000, "bid": "700000.00", "ask": "700100.00",
        "last_trade": "700000.00", "rolling_24_hour_volume": "1.0", "status": "ACTIVE",
    }  # fmt: skip
    replies = {"/api/exchange/1/markets": MARKETS, "/api/1/tickers": {"tickers": [ticker]}}
    async with LocalExchange(replies) as server:
        client = open_client(LUNO, urls=luno_urls(server.port))
        try:
            budget = RequestBudget("luno", 6_000, SystemClock())
            (instrument,) = await load_instruments(client, LUNO, budget)
            assert instrument.id == "luno:BTC/ZAR"
            tickers = await client.fetch_tickers(["BTC/ZAR"])
            assert tickers["BTC/ZAR"]["bid"] == 700_000
            assert tickers["BTC/ZAR"]["timestamp"] == 1_700_000_000_000
        finally:
            await client.close()
    assert all("api_key" not in path for path in server.paths)


async def test_a_real_client_that_reaches_nobody_is_said_in_a_sentence() -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    client = open_client(LUNO, urls=luno_urls(port))
    try:
        with pytest.raises(Unavailable, match="Luno") as refused:
            await load_instruments(client, LUNO, RequestBudget("luno", 6_000, SystemClock()))
    finally:
        await client.close()
    assert refused.value.code == "VENUE_UNREACHABLE"
