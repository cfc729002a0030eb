"""The synthetic market: repeatable, continuous over restarts, clean, and labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import EventKind, MarketBatch, compute_quote_bars, find_dirty_bar
from amarktai.ports.feed import FeedState
from amarktai.system.clock import VirtualClock
from amarktai.venues.batches import concat
from amarktai.venues.sandbox import Pace, SandboxFeed, sandbox_instruments
from amarktai.venues.spec import load_specs
from tests.fakes import HandClock

SPECS = load_specs()
ALL = sandbox_instruments(SPECS.values())
FEW = [SPECS[Platform.LUNO].instrument("BTC/ZAR"), SPECS[Platform.BINANCE].instrument("BTC/USDT")]
START = 1_790_000_040 * NS_PER_S  # 40 s into a minute


async def run(seconds: int, *, seed: int = 1, start: int = START, pace: Pace = Pace()) -> MarketBatch:  # noqa: B008
    pace = replace(pace, is_paced=False, until_ts=start + seconds * NS_PER_S)
    feed = SandboxFeed(FEW, seed=seed, clock=VirtualClock(start), pace=pace)
    return concat([batch async for batch in feed.batches()])


def rows(batch: MarketBatch) -> list[tuple[float, ...]]:
    columns = (batch.ts, batch.instrument, batch.kind, batch.a, batch.b, batch.c, batch.d, batch.e)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_every_platform_has_a_market() -> None:
    assert {item.venue for item in ALL} == set(Platform)
    assert {item.quote for item in ALL} == {"ZAR", "USDT"}


async def test_a_seed_gives_one_market() -> None:
    assert rows(await run(120)) == rows(await run(120))
    assert rows(await run(120)) != rows(await run(120, seed=2))


async def test_a_restart_continues_the_same_market() -> None:
    whole = await run(300, pace=Pace(bar_timeframe=None))
    later = await run(100, start=START + 200 * NS_PER_S, pace=Pace(bar_timeframe=None))
    assert [row for row in rows(whole) if row[0] >= START + 200 * NS_PER_S] == rows(later)


async def test_quotes_are_clean_and_on_the_tick() -> None:
    batch = await run(600)
    quotes = batch.kind == EventKind.QUOTE
    assert (np.diff(batch.ts) >= 0).all()
    assert (batch.a[quotes] > 0).all()
    assert (batch.a[quotes] < batch.b[quotes]).all()
    for index, instrument in enumerate(FEW):
        ours = quotes & (batch.instrument == index)
        assert ours.sum() == 600
        for column in (batch.a, batch.b):
            steps = column[ours] / float(instrument.tick_size)
            assert np.abs(steps - np.round(steps)).max() < 1e-3
        assert len(set(batch.a[ours].tolist())) > 50


async def test_trades_happen_at_one_of_the_sides() -> None:
    batch = await run(600)
    trades = np.flatnonzero(batch.kind == EventKind.TRADE)
    assert 100 < len(trades) < 600
    for row in trades.tolist():
        quote = np.flatnonzero(
            (batch.kind == EventKind.QUOTE)
            & (batch.ts == batch.ts[row])
            & (batch.instrument == batch.instrument[row])
        )[0]
        side = batch.b[quote] if batch.c[row] > 0 else batch.a[quote]
        assert batch.a[row] == side
        assert batch.b[row] > 0


async def test_bars_of_the_stream_are_whole_and_agree_with_the_warm_up() -> None:
    batch = await run(600)
    closes = np.flatnonzero((batch.kind == EventKind.BAR_CLOSE) & (batch.instrument == 0))
    opens = np.flatnonzero((batch.kind == EventKind.BAR_OPEN) & (batch.instrument == 0))
    assert (len(closes), len(opens)) == (9, 10)
    feed = SandboxFeed(FEW, seed=1, clock=VirtualClock(START))
    warm = await feed.fetch_bars(FEW[0], "1m", 9, int(batch.ts[closes[-1]]))
    assert find_dirty_bar(warm) is None
    for row, at in enumerate(closes.tolist()):
        assert batch.ts[at] == warm.ts_open[row] + 60 * NS_PER_S
        assert (batch.a[at], batch.b[at], batch.c[at], batch.d[at]) == (
            warm.open[row], warm.high[row], warm.low[row], warm.close[row],
        )  # fmt: skip
    assert batch.a[opens[0]] == warm.open[0]


async def test_the_warm_up_is_what_its_quotes_say() -> None:
    start = 1_790_000_100 * NS_PER_S
    batch = await run(300, start=start)
    quotes = (batch.kind == EventKind.QUOTE) & (batch.instrument == 1)
    built = compute_quote_bars(batch.ts[quotes], batch.a[quotes], batch.b[quotes], "5m")
    feed = SandboxFeed(FEW, seed=1, clock=VirtualClock(START))
    (warm,) = [await feed.fetch_bars(FEW[1], "5m", 1, start + 300 * NS_PER_S)]
    assert built.ts_open.tolist() == warm.ts_open.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(built, name) == pytest.approx(getattr(warm, name), abs=0.02)


@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h", "4h", "1d"])
async def test_warm_up_bars_are_clean_and_end_before_now(timeframe: str) -> None:
    feed = SandboxFeed(FEW, seed=1, clock=VirtualClock(START))
    bars = await feed.fetch_bars(FEW[0], timeframe, 200, START)
    assert len(bars) == 200
    assert find_dirty_bar(bars) is None
    assert bars[199].ts_close <= START
    assert 0.2 < bars.close.min() / bars.close.max() < 1
    assert len(await feed.fetch_bars(FEW[0], timeframe, 0, START)) == 0


async def test_one_coin_costs_about_the_same_everywhere() -> None:
    feed = SandboxFeed(ALL, seed=3, clock=VirtualClock(START))
    now = np.array([START // NS_PER_S])
    price = {item.id: float(feed.mid_prices(item, now)[0]) for item in ALL}
    assert price["luno:BTC/ZAR"] == price["valr:BTC/ZAR"]
    through_dollars = price["binance:BTC/USDT"] * price["luno:USDT/ZAR"]
    assert price["luno:BTC/ZAR"] == pytest.approx(through_dollars)


async def test_it_keeps_its_clock_and_says_what_it_is() -> None:
    clock = HandClock(START)
    feed = SandboxFeed(FEW, seed=1, clock=clock, pace=Pace(bar_timeframe=None))
    stream = feed.batches()
    first = await anext(stream)
    assert set(first.ts.tolist()) == {START}
    clock.advance(5)
    behind = await anext(stream)
    assert sorted(set(behind.ts.tolist())) == [START + second * NS_PER_S for second in range(1, 6)]
    assert feed.origin is Origin.SYNTHETIC
    assert feed.status().state is FeedState.LIVE
    assert "nothing in it is real" in feed.status().message
    await feed.close()
    assert [batch async for batch in stream] == []
    assert feed.status().state is FeedState.ENDED


async def test_regimes_differ() -> None:
    feed = SandboxFeed(FEW, seed=1, clock=VirtualClock(START))
    bars = await feed.fetch_bars(FEW[0], "4h", 400, START)
    ranges = (bars.high - bars.low) / bars.close
    assert np.percentile(ranges, 90) > 2 * np.percentile(ranges, 10)


def test_an_asset_without_a_reference_is_refused() -> None:
    with pytest.raises(InvalidInput, match="EUR"):
        SandboxFeed([SPECS[Platform.LUNO].instrument("BTC/EUR")], seed=1, clock=VirtualClock(START))


@pytest.mark.parametrize("step_s", [8 * 3_600, -3_600])
async def test_a_clock_that_steps_leaves_the_past_out(step_s: int) -> None:
    clock = HandClock(START)
    feed = SandboxFeed(FEW, seed=1, clock=clock, pace=Pace(bar_timeframe=None))
    stream = feed.batches()
    await anext(stream)
    clock.advance(step_s)
    after = await anext(stream)
    assert set(after.ts.tolist()) == {START + step_s * NS_PER_S}
