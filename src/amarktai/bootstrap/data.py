"""Recorded data and backtests on the command line: fetch, import, check, backtest, audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from amarktai.backtest.driver import run_backtest
from amarktai.backtest.result import BacktestResult
from amarktai.bootstrap.foundation import real_time
from amarktai.config import Settings
from amarktai.domain.bot import STAKE_PERCENT, RiskMode
from amarktai.domain.instrument import Instrument, Platform, parse_platform
from amarktai.services.ledger_audit import AuditReport, LedgerAudit
from amarktai.services.market_data import (
    DatasetReport,
    FetchProgress,
    FetchResult,
    ImportResult,
    check_dataset,
    fetch_history,
    import_bars,
)
from amarktai.storage.bar_files import read_bars
from amarktai.storage.candles import ParquetCandleStore
from amarktai.storage.database import Database
from amarktai.storage.reports import PgReporting
from amarktai.strategies.contract import parse_params
from amarktai.strategies.registry import strategy as find_strategy
from amarktai.system.rng import SystemRng
from amarktai.venues.spec import load_specs


def candle_store(settings: Settings) -> ParquetCandleStore:
    """Return the data folder's bars."""
    return ParquetCandleStore(settings.home / "candles")


def known_instrument(platform: str, pair: str) -> Instrument:
    """Return an instrument that is known offline. Raises: InvalidInput naming what is known."""
    return load_specs()[parse_platform(platform)].instrument(pair.upper())


async def fetch(
    settings: Settings,
    market: tuple[Platform, str, str],
    span: tuple[int, int],
    progress: Callable[[FetchProgress], None],
) -> FetchResult:
    """Fetch history of (platform, pair, timeframe) over [since, until) ns into the data folder."""
    from amarktai.bootstrap.exchanges import Exchanges
    from amarktai.venues.market_history import MarketHistory

    platform, pair, timeframe = market
    opened = Exchanges(real_time()[0], SystemRng()).open_market(platform)
    try:
        history = MarketHistory(opened, await opened.fetch_instruments())
        return await fetch_history(
            history, candle_store(settings), f"{platform}:{pair}", timeframe,
            since_ts=span[0], until_ts=span[1], progress=progress,
        )  # fmt: skip
    finally:
        await opened.close()


def import_file(
    settings: Settings, path: Path, instrument: Instrument, timeframe: str, columns: Mapping[str, str]
) -> ImportResult:
    """Store a file's bars."""
    return import_bars(read_bars, candle_store(settings), path, instrument.id, timeframe, columns)


def check(settings: Settings, instrument: Instrument, timeframe: str) -> DatasetReport:
    """Report a dataset's span, gaps and bars without volume."""
    return check_dataset(candle_store(settings), instrument.id, timeframe)


def backtest(
    settings: Settings, instrument: Instrument, timeframe: str, strategy_id: str, wanted: Mapping[str, Any]
) -> BacktestResult:
    """Run one strategy over stored bars, or over ``wanted["file"]``.

    ``wanted`` also has params, capital (in quote), risk_mode, and columns of the file.
    """
    strategy = find_strategy(strategy_id)
    params = parse_params(strategy, wanted["params"])
    path = wanted.get("file")
    if path is not None:
        bars = read_bars(path, timeframe, wanted.get("columns"))
    else:
        bars = candle_store(settings).load(instrument.id, timeframe)
    capital = Decimal(wanted["capital"])
    stake = capital * STAKE_PERCENT[RiskMode(wanted["risk_mode"])] / 100
    return run_backtest(strategy, params, bars, instrument, capital=capital, stake=stake)


async def audit(app_url: str) -> AuditReport:
    """Recompute every user's books from their fills."""
    database = Database(app_url, pool_size=2)
    try:
        return await LedgerAudit(PgReporting(database)).audit()
    finally:
        await database.close()
