"""Every library strategy makes the same trades in a backtest and in the replayed engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from amarktai.backtest.driver import run_backtest
from amarktai.backtest.result import BacktestResult
from amarktai.domain.bar import Bars
from amarktai.domain.bot import Bot
from amarktai.domain.instrument import Instrument, Platform
from amarktai.ports.clock import to_ns
from amarktai.storage.embedded import DatabaseUrls
from amarktai.strategies.contract import parse_params
from amarktai.strategies.registry import strategies
from amarktai.venues.replay import candle_feed
from tests.market_data import BINANCE, KUCOIN, binance_1h, kucoin_4h, synthetic
from tests.services.engine_desk import EngineDesk, engine_desk, play

CAPITAL_ZAR = Decimal(100_000)
ALL_EXITS = {"stop": 0.03, "target": 0.04, "trailing": 0.025}
CHOICES: list[tuple[str, dict[str, float]]] = [
    *((item.id, {}) for item in strategies().values()),
    *((item.id, ALL_EXITS) for item in strategies().values() if item.signals),
]


def simulated(result: BacktestResult) -> list[tuple[Any, ...]]:
    return [
        (fill.ts, fill.tag, fill.side.value, fill.price, fill.quantity, fill.fee, fill.reason)
        for fill in result.fills
    ]


def traded(desk: EngineDesk, bot: Bot) -> list[tuple[Any, ...]]:
    return [
        (to_ns(row["executed_at"]), row["tag"], row["side"], row["price"], row["quantity"], row["fee_amount"],
         row["reason"])
        for row in desk.fills(bot)
    ]  # fmt: skip


def backtested_trips(result: BacktestResult) -> list[tuple[Any, ...]]:
    return [
        (trip.opened_ts, trip.closed_ts, trip.quantity, trip.profit, trip.fees, trip.exit_reason)
        for trip in result.round_trips
    ]


def engine_trips(desk: EngineDesk, bot: Bot) -> list[tuple[Any, ...]]:
    rows = desk.rows(
        "SELECT * FROM round_trips WHERE bot_id = %s AND status = 'closed' ORDER BY opened_at, id", bot.id
    )
    return [
        (to_ns(row["opened_at"]), to_ns(row["closed_at"]), row["entry_quantity"], row["profit_quote"],
         row["fees_quote"], row["exit_reason"])
        for row in rows
    ]  # fmt: skip


async def assert_parity(urls: DatabaseUrls, bars: Bars, market: Instrument, least: int) -> None:
    async with engine_desk(urls, int(bars.ts_open[0])) as desk:
        feed = candle_feed([(market, bars)], title="parity")
        desk.max_age_s = feed.max_age_s
        bots = [
            await desk.world.add_bot(
                desk.who, market, CAPITAL_ZAR, f"{name} {number}", strategy=name, params=params,
                timeframe=bars.timeframe,
            )
            for number, (name, params) in enumerate(CHOICES)
        ]  # fmt: skip
        engine = desk.new_engine(feed)
        await engine.start()
        await play(engine, feed)
        trips = 0
        for bot in bots:
            strategy = strategies()[bot.strategy]
            result = run_backtest(
                strategy, parse_params(strategy, bot.params), bars, market, capital=bot.capital_quote,
                stake=bot.stake,
            )  # fmt: skip
            assert traded(desk, bot) == simulated(result), bot.name
            assert engine_trips(desk, bot) == backtested_trips(result), bot.name
            trips += len(result.round_trips)
        assert trips >= least
        await desk.assert_books_are_right()


@pytest.mark.data
@pytest.mark.parametrize(
    ("load", "market", "count"),
    [(binance_1h, BINANCE, 700), (kucoin_4h, KUCOIN, 700)],
    ids=[Platform.BINANCE, Platform.KUCOIN],
)
async def test_parity_on_recorded_bars(
    database_urls: DatabaseUrls, load: Callable[[], Bars], market: Instrument, count: int
) -> None:
    bars = load()
    await assert_parity(database_urls, bars.slice(len(bars) - count, len(bars)), market, 30)


async def test_parity_on_synthetic_bars(database_urls: DatabaseUrls) -> None:
    await assert_parity(database_urls, synthetic(800, 5), BINANCE, 20)


def gapped(bars: Bars) -> Bars:
    """Return the bars with every fifth one opening 2 % above the close before it."""
    open_ = bars.open.copy()
    open_[5::5] = np.round(bars.close[4:-1:5][: len(open_[5::5])] * 1.02, 2)
    high, low = np.maximum(bars.high, open_), np.minimum(bars.low, open_)
    return replace(bars, open=open_, high=high, low=low)


async def test_parity_where_the_price_gaps_past_what_buys_reserved(database_urls: DatabaseUrls) -> None:
    await assert_parity(database_urls, gapped(synthetic(400, 9)), BINANCE, 5)
