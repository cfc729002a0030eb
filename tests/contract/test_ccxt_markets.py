"""The public sides of Luno, Binance and KuCoin and their live feeds, against the exchanges' twins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import EventKind
from amarktai.domain.order import Side
from amarktai.ports.exchange import ExchangeMarket
from amarktai.ports.feed import FeedState
from amarktai.storage.candles import ParquetCandleStore
from amarktai.twins.accounts import Account
from amarktai.twins.server import RunningTwin
from amarktai.venues.budget import RequestBudget
from amarktai.venues.exchanges.binance import feed as binance_feed
from amarktai.venues.exchanges.binance import market as binance
from amarktai.venues.exchanges.kucoin import feed as kucoin_feed
from amarktai.venues.exchanges.kucoin import market as kucoin
from amarktai.venues.exchanges.luno import feed as luno_feed
from amarktai.venues.exchanges.luno import market as luno
from amarktai.venues.live_feed import FeedParts, LiveFeed
from tests.contract.rigs import KEY, WEIGHT_A_MINUTE
from tests.fakes import HandClock, SeededRng

Row = tuple[EventKind, float, float]


@dataclass(frozen=True, slots=True)
class Side3:
    """How one exchange's public side is opened. ``market`` is the twin's own name of ``symbol``."""

    platform: Platform
    market: str
    symbol: str
    open_market: Callable[[RequestBudget, HandClock, str], ExchangeMarket]
    open_feed: Callable[[list[Instrument], ExchangeMarket, FeedParts, RunningTwin], LiveFeed]
    has_clock: bool = True


def _luno_feed(
    items: list[Instrument], market: ExchangeMarket, parts: FeedParts, twin: RunningTwin
) -> LiveFeed:
    assert isinstance(market, luno.LunoMarket)
    return luno_feed.LunoFeed(items, market, parts, KEY, stream_url=twin.ws_url + "/api/1")


def _binance_feed(
    items: list[Instrument], market: ExchangeMarket, parts: FeedParts, twin: RunningTwin
) -> LiveFeed:
    assert isinstance(market, binance.BinanceMarket)
    return binance_feed.BinanceFeed(items, market, parts, stream_url=twin.ws_url)


def _kucoin_feed(
    items: list[Instrument], market: ExchangeMarket, parts: FeedParts, twin: RunningTwin
) -> LiveFeed:
    assert isinstance(market, kucoin.KucoinMarket)
    return kucoin_feed.KucoinFeed(items, market, parts)


SIDES = (
    Side3(
        Platform.LUNO,
        "XBTZAR",
        "BTC/ZAR",
        lambda budget, clock, url: luno.open_market(budget, clock, KEY, base_url=url),
        _luno_feed,
        has_clock=False,
    ),
    Side3(
        Platform.BINANCE,
        "BTCUSDT",
        "BTC/USDT",
        lambda budget, clock, url: binance.open_market(budget, clock, base_url=url),
        _binance_feed,
    ),
    Side3(
        Platform.KUCOIN,
        "BTC-USDT",
        "BTC/USDT",
        lambda budget, clock, url: kucoin.open_market(budget, clock, base_url=url),
        _kucoin_feed,
    ),
)


@dataclass(slots=True)
class World:
    """A twin, the market that is opened on it, and what a feed has told."""

    side: Side3
    twin: RunningTwin
    market: ExchangeMarket
    clock: HandClock
    budget: RequestBudget
    instrument: Instrument
    rows: list[Row] = field(default_factory=list)

    def set_book(self, bid: int, ask: int) -> None:
        self.twin.control.set_book(
            self.side.market,
            {Decimal(bid): Decimal(3), Decimal(bid - 10): Decimal(1)},
            {Decimal(ask): Decimal(2), Decimal(ask + 10): Decimal(1)},
        )

    @property
    def quotes(self) -> list[tuple[float, float]]:
        return [(bid, ask) for kind, bid, ask in self.rows if kind is EventKind.QUOTE]

    async def listen(self, feed: LiveFeed) -> None:
        async for batch in feed.batches():
            self.rows += [
                (EventKind(kind), a, b)
                for kind, a, b in zip(batch.kind.tolist(), batch.a.tolist(), batch.b.tolist(), strict=True)
            ]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.clock.advance(0.05)
                await asyncio.sleep(0.005)


@pytest.fixture(params=SIDES, ids=lambda side: side.platform.value)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    side: Side3 = request.param
    clock = HandClock()
    owner = Account(KEY.api_key, KEY.api_secret, {}, passphrase=KEY.passphrase)
    async with running_twin(
        side.platform.value, accounts=[owner], clock=clock, turn_s=None, limits_rates=False
    ) as twin:
        budget = RequestBudget(side.platform.value, WEIGHT_A_MINUTE, clock)
        market = side.open_market(budget, clock, twin.url)
        instruments = await market.fetch_instruments()
        instrument = next(item for item in instruments if item.symbol == side.symbol)
        world = World(side, twin, market, clock, budget, instrument)
        world.set_book(50_000, 50_100)
        yield world
        await market.close()


async def test_instruments_carry_the_exchanges_own_steps(world: World) -> None:
    told = world.twin.twin.exchange.markets[world.side.market]
    found = world.instrument
    assert (found.tick_size, found.lot_size, found.min_quantity) == (told.tick, told.lot, told.min_quantity)
    assert found.min_notional == told.min_notional


async def test_quotes_and_books_are_what_the_exchange_has(world: World) -> None:
    (quote,) = await world.market.fetch_quotes([world.instrument])
    assert (quote.bid, quote.ask) == (Decimal(50_000), Decimal(50_100))
    book = await world.market.fetch_book(world.instrument, 10)
    assert book.bids[0] == (Decimal(50_000), Decimal(3))
    assert book.asks[0] == (Decimal(50_100), Decimal(2))
    assert [price for price, _ in book.bids] == sorted((price for price, _ in book.bids), reverse=True)


async def test_a_market_that_the_exchange_does_not_list_has_no_price(world: World) -> None:
    unknown = replace(world.instrument, base="NONE")
    with pytest.raises((Unavailable, InvalidInput)):
        await world.market.fetch_quotes([unknown])


async def test_trades_come_oldest_first_with_the_takers_side(world: World) -> None:
    world.twin.control.crowd_takes(world.side.market, Side.BUY, Decimal(1))
    world.clock.advance(1)
    world.twin.control.crowd_takes(world.side.market, Side.SELL, Decimal(1))
    trades = await world.market.fetch_trades(world.instrument, 2)
    assert [trade.taker_side for trade in trades] == [Side.BUY, Side.SELL]
    assert [trade.price for trade in trades] == [Decimal(50_100), Decimal(50_000)]
    assert trades[0].at < trades[1].at


async def test_bars_are_closed_and_in_order(world: World) -> None:
    hour = 3_600 * NS_PER_S
    now = world.clock.now_ns()
    since = (now // hour - 30) * hour
    fetched = await world.market.fetch_bars(world.instrument, "1h", since, 100)
    bars = fetched.bars
    assert not fetched.built_from_trades
    assert bars.ts_open.tolist() == [since + step * hour for step in range(len(bars))]
    assert len(bars) == now // hour - since // hour
    with pytest.raises(InvalidInput):
        await world.market.fetch_bars(world.instrument, "3h", since, 10)


async def test_bars_span_several_pages(world: World) -> None:
    minute = 60 * NS_PER_S
    since = (world.clock.now_ns() // minute - 2_000) * minute
    bars = (await world.market.fetch_bars(world.instrument, "1m", since, 1_900)).bars
    assert len(bars) == 1_900
    assert bars.ts_open[0] == since


async def test_the_clocks_offset_is_measured_where_there_is_one(world: World) -> None:
    offset = await world.market.fetch_clock_offset_ns()
    assert (offset is not None) == world.side.has_clock
    assert offset is None or abs(offset) < NS_PER_S


async def test_an_exchange_that_does_not_answer_says_so(world: World) -> None:
    world.twin.control.arm("server_error", "book")
    with pytest.raises(Unavailable):
        await world.market.fetch_book(world.instrument, 5)


class TestFeeds:
    @pytest.fixture
    async def feed(self, world: World, tmp_path: Path) -> AsyncIterator[LiveFeed]:
        parts = FeedParts(world.budget, world.clock, SeededRng(), ParquetCandleStore(tmp_path))
        feed = world.side.open_feed([world.instrument], world.market, parts, world.twin)
        task = asyncio.create_task(world.listen(feed))
        await world.until(lambda: bool(world.twin.twin.connections))
        yield feed
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await feed.close()

    async def quote(self, world: World, bid: int, ask: int) -> None:
        """Set the book and wait until the feed tells it; a stream may start after a change."""
        world.set_book(bid, ask)

        def is_told() -> bool:
            if world.quotes[-1:] == [(float(bid), float(ask))]:
                return True
            # Streams tell changes: one of a deeper level makes them tell the top again.
            world.twin.control.crowd_takes(world.side.market, Side.BUY, Decimal("0.001"))
            return False

        await world.until(is_told)

    async def test_books_and_trades_are_told_as_they_change(self, world: World, feed: LiveFeed) -> None:
        await self.quote(world, 50_000, 50_100)
        await self.quote(world, 50_020, 50_090)
        count = len(world.rows)
        world.twin.control.crowd_takes(world.side.market, Side.SELL, Decimal("0.5"))
        await world.until(
            lambda: any(kind is EventKind.TRADE and a == 50_020 for kind, a, _ in world.rows[count:])
        )
        assert feed.status().state is FeedState.LIVE

    async def test_a_lost_frame_is_noticed_and_the_book_is_right_again(
        self, world: World, feed: LiveFeed
    ) -> None:
        await self.quote(world, 50_000, 50_100)
        world.twin.control.arm("gap", "market_stream", count=3)
        await self.quote(world, 49_000, 49_100)
        await self.quote(world, 48_000, 48_100)

    async def test_a_lost_connection_comes_back(self, world: World, feed: LiveFeed) -> None:
        await self.quote(world, 50_000, 50_100)
        world.twin.control.disconnect()
        await self.quote(world, 49_000, 49_100)
        assert feed.status().state is FeedState.LIVE


async def test_luno_is_polled_without_a_key_and_a_market_that_it_drops_costs_no_other(
    world: World, tmp_path: Path
) -> None:
    if world.side.platform is not Platform.LUNO:
        return
    dropped = replace(world.instrument, base="NONE")
    parts = FeedParts(world.budget, world.clock, SeededRng(), ParquetCandleStore(tmp_path))
    market = luno.open_market(world.budget, world.clock, base_url=world.twin.url)
    feed = luno_feed.LunoFeed([dropped, world.instrument], market, parts)
    task = asyncio.create_task(world.listen(feed))
    await world.until(lambda: (50_000.0, 50_100.0) in world.quotes)
    world.set_book(49_000, 49_100)
    await world.until(lambda: (49_000.0, 49_100.0) in world.quotes)
    assert not world.twin.twin.connections
    assert "need a key" in feed.status().message
    assert len(await feed.fetch_bars(world.instrument, "1h", 5, world.clock.now_ns())) == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await feed.close()
