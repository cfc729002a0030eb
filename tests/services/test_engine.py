"""The engine on scripted market data: bars, decisions, what a status asks for, restarts, bad rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from amarktai.domain.bar import NS_PER_S, Bars, timeframe_ns
from amarktai.domain.bot import Bot, BotAction, BotStatus, TradingMode
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.market import MarketBatch, aggregate_bars, compute_quote_bars
from amarktai.domain.money import ZERO
from amarktai.ledger import chart
from amarktai.services.engine import TradingEngine
from amarktai.storage.embedded import DatabaseUrls
from amarktai.venues.batches import concat, take
from amarktai.venues.replay import RecordedFeed, candle_feed
from tests.market_data import BINANCE, synthetic
from tests.services.engine_desk import EngineDesk, engine_desk, play, quote_feed, quotes

START = 1_700_000_040 * NS_PER_S // timeframe_ns("1h") * timeframe_ns("1h")
MINUTE = timeframe_ns("1m")
MARKET = Instrument(
    Platform.LUNO, "ETH", "ZAR", Decimal(1), Decimal("0.0001"), Decimal("0.0005"), Decimal(10),
    Fees(Decimal(0), Decimal("0.001"), "test"),
)  # fmt: skip
CAPITAL = Decimal(50_000)
#: Buys at once, at every 1 % down, and sells 1 % above the average.
DCA: dict[str, Any] = {"strategy": "dca", "timeframe": "1m"}
CROSS: dict[str, Any] = {"strategy": "ema_cross", "timeframe": "1m", "params": {"fast": 2, "slow": 3}}
CROSS_WARMUP = 38

Row = tuple[int, float, float]


def walk(minutes: int, seed: int = 1, *, gaps: Sequence[int] = ()) -> list[Row]:
    """Return a quote every few seconds of a lively random walk; none in the minutes of ``gaps``."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rows, price, ts = list[Row](), 30_000, START
    while ts < START + minutes * MINUTE:
        price = max(20_000, price + int(rng.integers(-120, 121)))
        if (ts - START) // MINUTE not in gaps:
            rows.append((ts, float(price), float(price + 10)))
        ts += int(rng.integers(1, 15)) * NS_PER_S
    return rows


def flat(minutes: int, price: float = 30_000.0, start: int = START, step_s: int = 5) -> list[Row]:
    """Return a quote every few seconds at one price."""
    count = minutes * 60 // step_s
    return [(start + i * step_s * NS_PER_S, price, price + 10) for i in range(count)]


def feed_of(rows: Sequence[Row]) -> RecordedFeed:
    return quote_feed([MARKET], quotes(rows))


async def started(desk: EngineDesk, feed: RecordedFeed) -> TradingEngine:
    engine = desk.new_engine(feed)
    await engine.start()
    return engine


async def run(desk: EngineDesk, rows: Sequence[Row]) -> TradingEngine:
    feed = feed_of(rows)
    engine = await started(desk, feed)
    await play(engine, feed)
    return engine


def facts(desk: EngineDesk, bot: Bot) -> list[tuple[Any, ...]]:
    """Return what a bot did, without ids."""
    return [
        (row["executed_at"], row["tag"], row["side"], row["price"], row["quantity"], row["fee_amount"])
        for row in desk.fills(bot)
    ]


def head(desk: EngineDesk) -> bytes:
    digest: bytes = desk.rows("SELECT head_hash FROM ledger_books")[0]["head_hash"]
    return digest


def assert_bars(got: Bars, want: Bars) -> None:
    for item in fields(Bars):
        if item.name != "timeframe":
            np.testing.assert_allclose(getattr(got, item.name), getattr(want, item.name), rtol=1e-12)


class TestBars:
    async def test_bars_are_built_from_mid_prices_and_larger_ones_from_them(
        self, database_urls: DatabaseUrls
    ) -> None:
        rows = walk(40, gaps=[7, 8, 20])
        async with engine_desk(database_urls, START) as desk:
            for name in ("1m", "5m"):
                await desk.world.add_bot(desk.who, MARKET, CAPITAL, name, **{**CROSS, "timeframe": name})
            engine = await run(desk, [*rows, (START + 40 * MINUTE, 30_000.0, 30_010.0)])
            ts, bid, ask = (np.array(column) for column in zip(*rows, strict=True))
            minutes = compute_quote_bars(ts, bid, ask, "1m")
            windows = engine.lanes[0].windows
            assert len(minutes) == 37
            assert_bars(windows["1m"].bars(40), minutes)
            assert_bars(windows["5m"].bars(40), aggregate_bars(minutes, "5m"))

    async def test_a_bot_that_joins_later_gets_the_recorded_bars_before_it(
        self, database_urls: DatabaseUrls
    ) -> None:
        bars = synthetic(120, 3)
        async with engine_desk(database_urls, int(bars.ts_open[80])) as desk:
            await desk.world.add_bot(desk.who, BINANCE, CAPITAL, strategy="ema_cross", timeframe="1h")
            engine = await started(desk, candle_feed([(BINANCE, bars)], title="bars"))
            window = engine.lanes[0].windows["1h"]
            assert_bars(window.bars(200), bars.slice(0, 80))


class TestDecisions:
    async def test_the_trace_says_how_many_bars_are_missing_and_then_which_gates_held(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **CROSS)
            engine = await run(desk, flat(CROSS_WARMUP))
            decision = engine.runners[bot.id].last_decision
            assert decision is not None
            assert decision["verdict"] == "warming_up"
            assert decision["reason"] == f"{CROSS_WARMUP - 1} of {CROSS_WARMUP} bars are here"
            await engine.process(quotes(flat(1, start=START + CROSS_WARMUP * MINUTE)))
            decision = engine.runners[bot.id].last_decision
            assert decision is not None
            assert decision["verdict"] != "warming_up"
            assert [gate["name"] for gate in decision["gates"]] == ["fast EMA over slow EMA"]
            assert decision["gates"][0]["passed"] is False
            await engine.save()
            stored = desk.rows("SELECT * FROM decisions WHERE bot_id = %s", bot.id)
            assert len(stored) == CROSS_WARMUP

    async def test_nothing_is_bought_on_data_that_is_too_old(self, database_urls: DatabaseUrls) -> None:
        async with engine_desk(database_urls, START) as desk:
            desk.max_age_s = 30.0
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **DCA)
            engine = await run(desk, [(START + NS_PER_S, 30_000.0, 30_010.0)])
            await engine.tick(START + MINUTE)
            decision = engine.runners[bot.id].last_decision
            assert decision is not None
            assert decision["verdict"] == "stale"
            assert decision["data_age_s"] == 59.0
            assert decision["gates"][-1] == {
                "name": "STALE_DATA", "value": None, "op": "", "threshold": None, "passed": False,
            }  # fmt: skip
            assert [row["state"] for row in desk.orders(bot)] == ["denied"]
            await engine.process(quotes(flat(2, start=START + MINUTE)))
            assert len(desk.fills(bot)) == 1

    async def test_a_feed_that_stops_makes_no_bars_and_no_decisions(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **CROSS)
            engine = await run(desk, flat(3))
            await engine.tick(START + 600 * MINUTE)
            assert len(engine.lanes[0].windows["1m"]) == 3
            assert engine.runners[bot.id].last_bar_ts == START + 2 * MINUTE


class TestStatus:
    async def _holding(self, desk: EngineDesk) -> tuple[Bot, TradingEngine]:
        bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **DCA)
        engine = await run(desk, flat(2))
        assert [row["tag"] for row in desk.fills(bot)] == ["base"]
        return bot, engine

    async def _act(self, desk: EngineDesk, engine: TradingEngine, bot: Bot, action: BotAction) -> None:
        await desk.bots().act(desk.who.user_id, bot.id, action)
        await engine.reload(desk.who.user_id, bot.id)

    def _working(self, desk: EngineDesk, bot: Bot) -> set[str]:
        return {row["side"] for row in desk.orders(bot) if row["state"] in {"open", "partial"}}

    async def test_a_paused_bot_keeps_its_exits_and_makes_no_entries(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot, engine = await self._holding(desk)
            assert self._working(desk, bot) == {"buy", "sell"}
            await self._act(desk, engine, bot, BotAction.PAUSE)
            assert self._working(desk, bot) == {"sell"}
            await engine.process(quotes(flat(3, 33_000.0, START + 2 * MINUTE)))
            assert [row["side"] for row in desk.fills(bot)] == ["buy", "sell"]
            await engine.process(quotes(flat(3, 30_000.0, START + 5 * MINUTE)))
            assert len(desk.fills(bot)) == 2
            await self._act(desk, engine, bot, BotAction.RESUME)
            await engine.process(quotes(flat(3, 30_000.0, START + 8 * MINUTE)))
            assert len(desk.fills(bot)) == 3
            await desk.assert_books_are_right()

    async def test_a_stopped_bot_is_sold_out_at_the_market(self, database_urls: DatabaseUrls) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot, engine = await self._holding(desk)
            await self._act(desk, engine, bot, BotAction.STOP)
            await engine.settle()  # asks for nothing twice
            await engine.process(quotes(flat(2, 30_500.0, START + 2 * MINUTE)))
            assert [(row["tag"], row["side"]) for row in desk.fills(bot)] == [
                ("base", "buy"),
                ("close", "sell"),
            ]
            assert self._working(desk, bot) == set()
            assert engine.runners[bot.id].account.quantity == ZERO
            await engine.settle()
            await desk.assert_books_are_right()

    async def test_a_grid_that_was_sold_out_forgets_its_levels_and_is_no_failure(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            grid = {"strategy": "grid", "params": {"levels": 2, "spacing": 0.01, "stop": 0.0}}
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **{**DCA, **grid})
            engine = await run(desk, [*flat(2), *flat(2, 29_000.0, START + 2 * MINUTE)])
            assert {row["side"] for row in desk.fills(bot)} == {"buy"}
            assert engine.runners[bot.id].state
            await self._act(desk, engine, bot, BotAction.STOP)
            await engine.process(quotes(flat(2, 29_000.0, START + 4 * MINUTE)))
            assert desk.fills(bot)[-1]["tag"] == "close"
            assert engine.runners[bot.id].state == {}
            assert desk.rows("SELECT type FROM alerts") == []
            await desk.assert_books_are_right()

    async def test_a_deleted_bot_gives_its_capital_back_once_it_is_flat(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot, engine = await self._holding(desk)
            await self._act(desk, engine, bot, BotAction.DELETE)
            assert bot.id in engine.runners
            await engine.process(quotes(flat(1, 30_500.0, START + 2 * MINUTE)))
            await engine.settle()
            assert bot.id not in engine.runners
            assert desk.status(bot) is BotStatus.DELETED
            async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
                held = await unit.ledger.balances(await unit.ledger.lock_book(TradingMode.PAPER))
            assert not any(
                amount for (account, _), amount in held.items() if account == chart.bot_holding(bot.id)
            )
            profit = desk.rows("SELECT profit_quote FROM round_trips WHERE bot_id = %s", bot.id)
            assert held[chart.WALLET, "ZAR"] == 1_000_000 + profit[0]["profit_quote"]
            await desk.assert_books_are_right()

    async def test_dust_that_no_venue_would_take_does_not_hold_a_deleted_bot(
        self, database_urls: DatabaseUrls
    ) -> None:
        async with engine_desk(database_urls, START) as desk:
            bot, engine = await self._holding(desk)
            await self._act(desk, engine, bot, BotAction.DELETE)
            # The market falls so far that the position is worth less than the venue's minimum.
            row = quotes([(START + 2 * MINUTE, 5.0, 6.0)])
            engine.scan.take_quote(0, 5.0, 6.0, int(row.ts[0]))
            for order in desk.orders(bot):
                if order["tag"] == "close":
                    await desk_cancel(engine, desk, order["id"])
            before = len(desk.orders(bot))
            await engine.settle()
            await engine.settle()
            assert len(desk.orders(bot)) == before
            assert bot.id not in engine.runners
            await desk.assert_books_are_right()


async def desk_cancel(engine: TradingEngine, desk: EngineDesk, order_id: Any) -> None:
    """Cancel one order as the venue's operator would: the engine hears of it."""
    outcome = await engine._desks[TradingMode.PAPER].orders.cancel(desk.who.user_id, [order_id])
    for bot_id, account in outcome.accounts.items():
        engine.runners[bot_id].account = account


class TestRestarts:
    async def test_a_restart_changes_nothing_of_what_a_bot_does(
        self, database_urls: DatabaseUrls, other_database_urls: DatabaseUrls
    ) -> None:
        rows = walk(90, 7)
        cut = next(i for i, row in enumerate(rows) if row[0] >= START + 31 * MINUTE + 30 * NS_PER_S)
        async with engine_desk(database_urls, START) as desk:
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **DCA)
            await run(desk, rows)
            through = facts(desk, bot)
        async with engine_desk(other_database_urls, START) as desk:
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **DCA)
            first = await run(desk, rows[:cut])
            await first.save()
            second = await run(desk, rows[cut:])
            assert second.runners[bot.id].account.working
            assert facts(desk, bot) == through
            await desk.assert_books_are_right()
        assert len(through) > 10

    async def test_a_kill_without_a_last_save_loses_no_fill_and_trades_on(
        self, database_urls: DatabaseUrls
    ) -> None:
        rows = walk(60, 9)
        async with engine_desk(database_urls, START) as desk:
            bot = await desk.world.add_bot(desk.who, MARKET, CAPITAL, **DCA)
            for part in range(6):
                await run(desk, rows[part * len(rows) // 6 : (part + 1) * len(rows) // 6])
            assert len(desk.fills(bot)) > 5
            await desk.assert_books_are_right()

    async def test_a_bot_of_another_kind_of_market_is_left_alone(self, database_urls: DatabaseUrls) -> None:
        async with engine_desk(database_urls, START) as desk:
            await desk.world.add_bot(desk.who, MARKET, CAPITAL, origin=Origin.SYNTHETIC, **DCA)
            engine = await run(desk, flat(3))
            assert engine.runners == {}


class TestSameAgain:
    async def _head(self, urls: DatabaseUrls, batch: MarketBatch) -> tuple[bytes, int, int]:
        async with engine_desk(urls, START) as desk:
            bots = [
                await desk.world.add_bot(desk.who, MARKET, CAPITAL, f"bot {number}", **choices)
                for number, choices in enumerate((DCA, CROSS))
            ]
            feed = quote_feed([MARKET], batch)
            engine = await started(desk, feed)
            await play(engine, feed)
            await desk.assert_books_are_right()
            return head(desk), sum(len(desk.fills(bot)) for bot in bots), engine.counters.refused

    async def test_the_same_data_gives_the_same_ledger_to_the_last_hash(
        self, database_urls: DatabaseUrls, other_database_urls: DatabaseUrls
    ) -> None:
        batch = quotes(walk(80, 11))
        one, other = await self._head(database_urls, batch), await self._head(other_database_urls, batch)
        assert one == other
        assert one[1] > 10

    async def test_rows_that_are_no_prices_are_counted_and_change_nothing(
        self, database_urls: DatabaseUrls, other_database_urls: DatabaseUrls
    ) -> None:
        rows = walk(80, 11)
        nan, inf = float("nan"), float("inf")
        bad = [(nan, 1.0), (30_000.0, nan), (0.0, 30_000.0), (30_000.0, 0.0), (30_000.0, 29_000.0),
               (-5.0, -4.0), (30_000.0, inf), (nan, nan), (1.0, -1.0)]  # fmt: skip
        spoiled: list[Row] = []
        for number, row in enumerate(rows):
            spoiled += [(row[0], *bad[number % len(bad)]), row]
        clean = await self._head(database_urls, quotes(rows))
        dirty = await self._head(other_database_urls, quotes(spoiled))
        assert clean[:2] == dirty[:2]
        assert (clean[2], dirty[2]) == (0, len(rows))


class TestBadBars:
    @pytest.mark.parametrize("fault", ["repeated", "reordered", "nan", "contradictory"])
    async def test_bad_bars_are_not_traded_on(
        self, database_urls: DatabaseUrls, other_database_urls: DatabaseUrls, fault: str
    ) -> None:
        bars = synthetic(160, 13)
        feed = candle_feed([(BINANCE, bars)], title="bars")
        clean = await anext(feed.batches())
        found = []
        for urls, batch in ((database_urls, clean), (other_database_urls, _spoil(clean, fault))):
            async with engine_desk(urls, int(bars.ts_open[0])) as desk:
                desk.max_age_s = 7_200.0
                bot = await desk.world.add_bot(desk.who, BINANCE, CAPITAL, strategy="dca", timeframe="1h")
                engine = await started(desk, quote_feed([BINANCE], batch, 7_200.0))
                await engine.process(batch)
                found.append((facts(desk, bot), engine.counters.refused))
                await desk.assert_books_are_right()
        assert found[0][0] == found[1][0]
        assert found[0][1] == 0
        assert found[1][1] > 0
        assert len(found[0][0]) > 5


def _spoil(clean: MarketBatch, fault: str) -> MarketBatch:
    """Return the batch with a bad copy of earlier rows after every fifth row."""
    parts = []
    for start in range(0, len(clean), 5):
        part = take(clean, slice(start, min(start + 5, len(clean))))
        copied = take(part, slice(-1, None)) if fault != "reordered" else take(part, slice(0, 1))
        copied = MarketBatch(*(getattr(copied, item.name).copy() for item in fields(MarketBatch)))
        copied.received_ts[:] = part.received_ts[-1]
        if fault == "nan":
            copied.ts[:] = part.ts[-1]
            copied.a[:] = np.nan
        if fault == "contradictory":
            copied.a[:] = -copied.a
        parts += [part, copied]
    return concat(parts)
