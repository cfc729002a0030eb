"""Bars for tests: recorded ones where AMARKTAI_DATA has them, and seeded synthetic ones as code."""

from __future__ import annotations

import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from amarktai.domain.bar import Bars, timeframe_ns
from amarktai.domain.instrument import Fees, Instrument, Platform

DATA = Path(os.environ.get("AMARKTAI_DATA", Path(__file__).parents[2] / "shared" / "data"))

BINANCE = Instrument(
    venue=Platform.BINANCE,
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_quantity=Decimal("0.00001"),
    min_notional=Decimal(5),
    fees=Fees(Decimal("0.001"), Decimal("0.001"), "test"),
)
KUCOIN = Instrument(
    venue=Platform.KUCOIN,
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00000001"),
    min_quantity=Decimal("0.00001"),
    min_notional=Decimal("0.1"),
    fees=Fees(Decimal("0.0008"), Decimal("0.001"), "test"),
)


def _recorded(relative: str) -> Path:
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"recorded data is not there: {path} (set AMARKTAI_DATA)")
    return path


def _bars(frame: pl.DataFrame, timeframe: str) -> Bars:
    columns = {name: frame[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close")}
    ts_open = frame["ts"].dt.epoch("ns").to_numpy()
    return Bars(timeframe, ts_open, **columns, volume=frame["volume"].to_numpy().astype(np.float64))


@cache
def binance_1h() -> Bars:
    """Return the recorded Binance BTC/USDT hours, or skip the test."""
    frame = pl.read_ipc(_recorded("binance_btcusdt_1h/BTC_USDT-1h.feather"))
    return _bars(frame.rename({"date": "ts"}), "1h")


@cache
def kucoin_4h() -> Bars:
    """Return the recorded KuCoin BTC/USDT bars of four hours, or skip the test."""
    frame = pl.read_csv(_recorded("kucoin_btcusdt_4h/BTC-USDT_4h_to_2024-04-21.csv"))
    stamps = frame["datetime"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    return _bars(frame.with_columns(stamps.alias("ts")), "4h")


@cache
def synthetic(count: int, seed: int, timeframe: str = "1h") -> Bars:
    """Return a seeded random walk with changing trend, on a grid of 0.01.

    Integer arithmetic on a PCG64 stream: the same bars on every machine.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = rng.integers(-100, 101, size=(count, 4))
    drift = np.where((np.arange(count) // 250) % 2 == 0, 4, -4)
    open_, high, low, close = (np.empty(count) for _ in range(4))
    price = 2_000_000
    for i in range(count):
        scale = price // 5_000
        start, end = price, price + (int(steps[i, 0]) + int(drift[i])) * scale // 2
        top = max(start, end) + abs(int(steps[i, 1])) * scale // 4
        bottom = min(start, end) - abs(int(steps[i, 2])) * scale // 4
        open_[i], high[i], low[i], close[i] = start / 100, top / 100, bottom / 100, end / 100
        price = max(end + int(steps[i, 3]) * scale // 50, 100_000)
    first = 1_600_000_000_000_000_000 // timeframe_ns(timeframe) * timeframe_ns(timeframe)
    ts_open = first + np.arange(count, dtype=np.int64) * timeframe_ns(timeframe)
    return Bars(timeframe, ts_open, open_, high, low, close, np.ones(count))
