"""The same money in bitcoin: exact at known prices, later deposits included, and nothing without a price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bar import Bars
from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin
from amarktai.ports.reports import SnapshotRow
from amarktai.services.benchmark import BenchmarkService, hold
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import World, trading

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR_NS = 3_600_000_000_000


def bars(closes: Sequence[float], start: datetime = START - timedelta(hours=1)) -> Bars:
    """Hourly bars whose first closes at START."""
    opens = int(start.timestamp()) * 1_000_000_000 + np.arange(len(closes), dtype=np.int64) * HOUR_NS
    prices = np.array(closes, dtype=np.float64)
    return Bars("1h", opens, prices, prices, prices, prices, prices)


def point(hours: float, equity: int, deposits: int = 1_000) -> SnapshotRow:
    zero = Decimal(0)
    return SnapshotRow(START + timedelta(hours=hours), Decimal(equity), zero, zero, Decimal(deposits), zero)


def test_equity_at_the_start_buys_coins_that_follow_the_price() -> None:
    rows = [point(0, 1_200), point(1, 1_300), point(2, 900)]
    held = hold(rows, bars([100, 150, 50]))
    assert [value for _, value in held] == [1_200, 1_800, 600]


def test_a_later_deposit_buys_at_its_own_price() -> None:
    rows = [point(0, 1_000), point(1, 3_000, deposits=3_000), point(2, 3_000, deposits=3_000)]
    held = hold(rows, bars([100, 200, 100]))
    # 10 coins, then 2,000 more rand at 200: another 10.
    assert [value for _, value in held] == [1_000, 4_000, 2_000]


def test_without_a_price_at_the_start_there_is_no_benchmark() -> None:
    rows = [point(0, 1_000), point(1, 1_000)]
    assert hold(rows, bars([100], start=START)) == []
    assert hold(rows, bars([100], start=START - timedelta(hours=9))) == []


def test_a_point_without_a_price_is_left_out() -> None:
    held = hold([point(0, 1_000), point(30, 1_000)], bars([100]))
    assert [at for at, _ in held] == [START]


@given(st.lists(st.integers(1, 10**7), min_size=2, max_size=30), st.integers(1, 10**6))
def test_the_value_is_always_the_start_times_the_price_ratio(closes: list[int], equity: int) -> None:
    rows = [point(hour, equity) for hour in range(len(closes))]
    held = hold(rows, bars(closes))
    for (_, value), close in zip(held, closes, strict=True):
        assert abs(value - Decimal(equity) * close / closes[0]) < Decimal("0.0001")


async def put_snapshots(world: World, rows: Sequence[SnapshotRow]) -> None:
    who = world.add_user()
    await world.snapshot(who, [(row.at, row.equity, row.deposits) for row in rows])


async def test_the_service_says_which_market_or_why_not(database_urls: DatabaseUrls) -> None:
    async def known(name: str, timeframe: str, until: datetime, count: int) -> tuple[Bars, Origin]:
        if not name.startswith("valr"):
            raise NotFound("NOT_FOUND", name, "")
        return bars([100, 110, 120]), Origin.RECORDED

    async def unknown(name: str, timeframe: str, until: datetime, count: int) -> tuple[Bars, Origin]:
        raise NotFound("NOT_FOUND", name, "")

    async with trading(database_urls) as world:
        await put_snapshots(world, [point(0, 1_000), point(1, 1_000), point(2, 1_000)])
        user_id = world.add_user(2).user_id
        empty = await BenchmarkService(world.reporting, world.clock, known).equity(
            user_id, mode=None, span="all"
        )
        (own, *_) = [one for one in await world.reporting.user_ids() if one != user_id]
        found = await BenchmarkService(world.reporting, world.clock, known).equity(own, mode=None, span="all")
        missing = await BenchmarkService(world.reporting, world.clock, unknown).equity(
            own, mode=None, span="all"
        )
    assert (found["instrument_id"], found["origin"]) == ("valr:BTC/ZAR", "recorded")
    assert found["change_percent"] == 20.0 and found["reason"] is None
    assert empty["items"] == [] and "no equity curve" in empty["reason"]
    assert missing["items"] == [] and "no bitcoin price" in missing["reason"]
