"""Recorded market data, and backtests on it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from amarktai.cli.frame import (
    HomeOption,
    JsonOption,
    PairArgument,
    PlatformArgument,
    TimeframeArgument,
    app,
    err,
    out,
    pairs,
    settings_of,
)

data_app = typer.Typer(help="Recorded market data: fetch, import, check.", no_args_is_help=True)
app.add_typer(data_app, name="data")

ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", help="ours=theirs for each column whose name differs, e.g. ts_open=date."),
]


@data_app.command("fetch")
def data_fetch(
    platform: PlatformArgument,
    pair: PairArgument,
    timeframe: TimeframeArgument,
    since: Annotated[datetime, typer.Option(help="First day, UTC.", formats=["%Y-%m-%d"])],
    until: Annotated[
        datetime | None,
        typer.Option(help="Day after the last, UTC; now when left out.", formats=["%Y-%m-%d"]),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Bring real history from an exchange. Call it again to go on after a break."""
    from amarktai.bootstrap import data as tools
    from amarktai.bootstrap import foundation
    from amarktai.ports.clock import to_ns

    settings, instrument = settings_of("data fetch", home=home), tools.known_instrument(platform, pair)
    stop = to_ns(until.replace(tzinfo=UTC)) if until else foundation.real_time()[0].now_ns()
    span = (to_ns(since.replace(tzinfo=UTC)), stop)
    with Progress(console=err) as bar:
        task = bar.add_task(f"{platform} {pair} {timeframe}", total=None)
        result = asyncio.run(
            tools.fetch(
                settings,
                (instrument.venue, instrument.symbol, timeframe),
                span,
                lambda step: bar.update(task, completed=step.done, total=step.total),
            )
        )
    out.print(
        f"{result.new:,} new bars in {result.requests} requests;"
        f" {result.missing:,} the exchange does not have.",
        highlight=False,
    )


@data_app.command("import")
def data_import(
    path: Annotated[Path, typer.Argument(help="A .csv, .feather or .parquet file.")],
    platform: PlatformArgument,
    pair: PairArgument,
    timeframe: TimeframeArgument,
    column: ColumnOption = None,
    home: HomeOption = None,
) -> None:
    """Store the bars of a file for replays and backtests."""
    from amarktai.bootstrap import data as tools

    settings, instrument = settings_of("data import", home=home), tools.known_instrument(platform, pair)
    result = tools.import_file(settings, path, instrument, timeframe, pairs(column))
    out.print(f"{result.bars:,} bars read, {result.new:,} new, {result.gaps:,} missing.", highlight=False)


@data_app.command("check")
def data_check(
    platform: PlatformArgument, pair: PairArgument, timeframe: TimeframeArgument, home: HomeOption = None
) -> None:
    """Report a dataset's span, its gaps and its bars without volume."""
    from amarktai.bootstrap import data as tools
    from amarktai.ports.clock import to_datetime

    report = tools.check(
        settings_of("data check", home=home), tools.known_instrument(platform, pair), timeframe
    )
    first, last = to_datetime(report.first_ts), to_datetime(report.last_ts)
    out.print(f"{report.bars:,} bars, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC", highlight=False)
    out.print(f"{report.missing:,} missing, {report.zero_volume:,} without volume", highlight=False)
    for gap in report.gaps[:10]:
        out.print(f"  {gap.count:,} from {to_datetime(gap.first_ts):%Y-%m-%d %H:%M}", highlight=False)


@app.command()
def backtest(
    strategy: Annotated[str, typer.Argument(help="A library strategy, for example ema_cross.")],
    platform: PlatformArgument,
    pair: PairArgument,
    timeframe: TimeframeArgument,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value, repeatable.")] = None,
    file: Annotated[Path | None, typer.Option(help="Bars from this file instead of stored ones.")] = None,
    column: ColumnOption = None,
    capital: Annotated[str, typer.Option(help="Capital in the quote asset.")] = "10000",
    risk_mode: Annotated[str, typer.Option(help="safe, balanced, risky or aggressive.")] = "balanced",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one strategy over stored bars with the profile honest, and print its figures."""
    from amarktai.bootstrap import data as tools

    instrument = tools.known_instrument(platform, pair)
    wanted = {
        "params": {name: float(value) for name, value in pairs(param).items()},
        "file": file,
        "columns": pairs(column),
        "capital": capital,
        "risk_mode": risk_mode,
    }
    result = tools.backtest(settings_of("backtest", home=home), instrument, timeframe, strategy, wanted)
    _print_backtest(result, as_json=as_json)


def _print_backtest(result: Any, *, as_json: bool) -> None:
    metrics = {name: getattr(result.metrics, name) for name in result.metrics.__dataclass_fields__}
    reasons = metrics.pop("reasons")
    if as_json:
        facts = {"strategy": result.strategy_id, "profile": result.profile, **metrics, "undefined": reasons}
        out.print_json(json.dumps(facts))
        return
    table = Table(title=f"{result.strategy_id} on {result.instrument_id}, profile {result.profile}")
    table.add_column("Figure")
    table.add_column("Value", justify="right")
    for name, value in metrics.items():
        text = f"n/a: {reasons.get(name, '')}" if value is None else f"{value:,.6g}"
        table.add_row(name.replace("_", " "), text)
    out.print(table)
