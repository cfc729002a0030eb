"""Candles: made up before the start, counted afterwards, exact."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from amarktai.domain.order import Side
from amarktai.twins.candles import MINUTE_NS, Candles
from amarktai.twins.orders import Trade
from tests.twins.exchanges import MARKET, NOW

D = Decimal
HOUR_NS = 60 * MINUTE_NS


def trade(number: int, price: str, quantity: str, minutes: int, side: Side = Side.BUY) -> Trade:
    return Trade(number, "BTCUSD", D(price), D(quantity), side, NOW + minutes * MINUTE_NS, "m", "t")


def test_history_is_whole_and_ends_at_the_start_price() -> None:
    candles = Candles(MARKET, b"seed", NOW)
    hours = candles.of(3600, 0, NOW, 10_000)
    assert {b.ts_open_ns - a.ts_open_ns for a, b in pairwise(hours)} == {HOUR_NS}
    assert hours[-1].close == MARKET.start_price
    assert all(c.low <= min(c.open, c.close) and c.high >= max(c.open, c.close) for c in hours)
    assert candles.of(3600, 0, NOW, 10_000) == Candles(MARKET, b"seed", NOW).of(3600, 0, NOW, 10_000)


def test_trades_make_candles_and_the_rest_is_made_of_them() -> None:
    candles = Candles(MARKET, b"seed", NOW)
    candles.add(trade(1, "100.5", "0.2", 0))
    candles.add(trade(2, "99.5", "0.1", 0, Side.SELL))
    candles.add(trade(3, "101", "0.3", 2))
    first, second = candles.of(60, NOW, NOW + HOUR_NS, 10)
    assert (first.open, first.high, first.low, first.close) == (D("100.5"), D("100.5"), D("99.5"), D("99.5"))
    assert (first.volume, first.turnover, first.bought, first.trade_count) == (
        D("0.3"),
        D("30.05"),
        D("0.2"),
        2,
    )
    assert second.ts_open_ns == NOW + 2 * MINUTE_NS
    five = candles.of(300, NOW, NOW + HOUR_NS, 10)[0]
    assert (five.open, five.close, five.volume, five.turnover) == (D("100.5"), D(101), D("0.6"), D("60.35"))
    assert candles.latest(60, 1, NOW + 2 * MINUTE_NS)[-1] == second


def test_the_last_day_slides() -> None:
    candles = Candles(MARKET, b"seed", NOW)
    day = candles.last_day(NOW)
    assert day is not None and day.open > 0
    assert candles.last_day(NOW + 2 * 24 * HOUR_NS) is None
    candles.add(trade(1, "100", "1", 2 * 24 * 60))
    later = candles.last_day(NOW + 2 * 24 * HOUR_NS)
    assert later is not None and later.volume == 1


def test_weeks_open_on_monday() -> None:
    weeks = Candles(MARKET, b"seed", NOW).of(604_800, 0, NOW, 10)
    days = {(week.ts_open_ns // (24 * HOUR_NS) + 3) % 7 for week in weeks}
    assert days == {0} and len(weeks) > 5
