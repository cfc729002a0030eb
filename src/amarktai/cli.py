# long: every command of the program, one after the other.
"""The command line: ``amarktai --help`` explains every command."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from amarktai import config
from amarktai.domain.errors import AmarktaiError, InvalidInput
from amarktai.domain.instrument import parse_platform

app = typer.Typer(
    name="amarktai",
    help="Crypto trading bots with one true profit in rand. Start with: amarktai up",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Data folder (AMARKTAI_HOME).", show_default="var")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
REPLAY_MARK = "replay.toml"


def main() -> None:
    """Run the command line; failures that a person can act on end with one clear message."""
    try:
        app()
    except AmarktaiError as error:
        _refuse(error)
    except ExceptionGroup as several:
        ours, others = several.split(AmarktaiError)
        if ours is None or others is not None:
            raise
        _refuse(_first(ours))
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse(error: AmarktaiError) -> NoReturn:
    err.print(f"[bold]{error.detail}[/bold]", highlight=False)
    if error.action:
        err.print(error.action, highlight=False)
    sys.exit(1)


def _first(several: ExceptionGroup[AmarktaiError]) -> AmarktaiError:
    """Return the first error of a group, however deep: what else failed failed with it."""
    first = several.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


@app.callback()
def about() -> None:
    """Every command takes its settings from AMARKTAI_* variables or <home>/amarktai.toml."""


def _settings(**overrides: Any) -> config.Settings:
    return config.load(os.environ, **overrides)


PortOption = Annotated[int | None, typer.Option("--port", help="Port (AMARKTAI_PORT).", show_default="8000")]
HostOption = Annotated[
    str | None, typer.Option("--host", help="Address (AMARKTAI_HOST).", show_default="127.0.0.1")
]


@app.command()
def up(home: HomeOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Start everything on this machine: database, API with dashboard, engine and jobs. Ctrl-C stops it."""
    from amarktai.api.serve import bind
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.web import prepare_first_admin
    from amarktai.workers.supervisor import Role, Supervisor

    settings = _settings(home=home, host=host, port=port)
    foundation.configure_logs(settings.log_level, settings.log_format, "up")
    listener = bind(settings)
    out.print("Starting the database …", highlight=False)
    database, urls = foundation.start_database(settings)
    try:
        token = asyncio.run(prepare_first_admin(settings, urls.app))
        _greet(settings.host, listener.getsockname()[1], token)
        common = ["--home", str(settings.home)]
        roles = [
            Role("api", ["api", *common, "--descriptor", str(listener.fileno())], [listener.fileno()]),
            Role("engine", ["engine", *common]),
            Role("jobs", ["jobs", *common]),
        ]
        keep = foundation.database_keeper(database)
        asyncio.run(Supervisor(roles, foundation.real_time()[0], keep).run())
        out.print("Stopped.", highlight=False)
    finally:
        if database is not None:
            database.stop()


def _greet(host: str, port: int, token: str | None) -> None:
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    out.print(f"Amarktai starts at [bold]{address}[/bold]", highlight=False)
    if token is not None:
        out.print("First start: open this link to create the admin. It works once.", highlight=False)
        out.print(f"  {address}/setup?token={token}", highlight=False, soft_wrap=True)


#: A descriptor that the supervisor keeps open: its end tells a role that the supervisor is gone.
LifelineOption = Annotated[int | None, typer.Option(hidden=True)]


@app.command()
def api(
    home: HomeOption = None,
    host: HostOption = None,
    port: PortOption = None,
    descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
    lifeline: LifelineOption = None,
) -> None:
    """Run only the API with the dashboard, against a database that runs already."""
    from amarktai.api.serve import bind
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.web import run_api

    settings = _settings(home=home, host=host, port=port)
    foundation.configure_logs(settings.log_level, settings.log_format, "api")
    listener = bind(settings) if descriptor is None else socket.socket(fileno=descriptor)
    _run(run_api(settings, foundation.attach_database(settings), listener), lifeline)


@app.command()
def engine(home: HomeOption = None, lifeline: LifelineOption = None) -> None:
    """Run only the trading engine, against a database that runs already."""
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.trading import run_engine
    from amarktai.workers.engine import StartAnew
    from amarktai.workers.supervisor import START_ANEW

    settings = _settings(home=home)
    foundation.configure_logs(settings.log_level, settings.log_format, "engine")
    try:
        _run(run_engine(settings, foundation.attach_database(settings)), lifeline)
    except* StartAnew:
        sys.exit(START_ANEW)


@app.command()
def jobs(home: HomeOption = None, lifeline: LifelineOption = None) -> None:
    """Run only the housekeeping jobs, against a database that runs already."""
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.jobs import run_jobs

    settings = _settings(home=home)
    foundation.configure_logs(settings.log_level, settings.log_format, "jobs")
    _run(run_jobs(settings, foundation.attach_database(settings)), lifeline)


def _run(work: Coroutine[Any, Any, None], lifeline: int | None) -> None:
    """Run one role until SIGTERM, Ctrl-C or the supervisor's end, which all end it cleanly."""
    from amarktai.bootstrap.event_loop import run_loop

    async def until_told() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        if lifeline is not None:
            loop.add_reader(lifeline, _let_go, loop, lifeline, task)
        with suppress(asyncio.CancelledError):
            await task

    run_loop(until_told())


def _let_go(loop: asyncio.AbstractEventLoop, lifeline: int, task: asyncio.Future[None]) -> None:
    """Nothing is ever written to the lifeline, so that it is readable means that it has ended."""
    loop.remove_reader(lifeline)
    task.cancel()


@app.command()
def replay(
    spec_path: Annotated[Path, typer.Argument(metavar="SPEC.toml", help="See examples/.")],
    home: HomeOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the replay that is in that folder.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a fleet of bots on recorded data through the real engine, in a data folder of its own."""
    from amarktai.bootstrap import foundation, replays
    from amarktai.bootstrap.event_loop import run_loop
    from amarktai.services.replay import load_spec

    spec = load_spec(spec_path)
    folder = home or Path(f"var-{spec_path.stem}")
    _prepare_replay_folder(folder, spec_path, replace=replace)
    settings = _settings(home=folder)
    login = _replay_login(settings)
    started = time.perf_counter()
    server, urls = foundation.start_database(settings)
    try:
        with _replay_progress(spec, settings.data, quiet=as_json) as progress:
            result = run_loop(replays.replay(spec, settings, urls.app, login, progress))
    finally:
        if server is not None:
            server.stop()
    result.wall_s = time.perf_counter() - started
    if as_json:
        out.print_json(json.dumps(result.as_json()))
    else:
        _print_replay(result)
        out.print(f"\nBrowse it: amarktai up --home {folder}", highlight=False)
        out.print(f"Sign in as {login.email} with the password {login.password}", highlight=False)
    if result.tally.imbalance:
        raise typer.Exit(1)


def _prepare_replay_folder(folder: Path, spec_path: Path, *, replace: bool) -> None:
    if replace and (folder / REPLAY_MARK).exists():
        shutil.rmtree(folder)
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(
            "REPLAY_HOME",
            f"The folder {folder} is not empty",
            "Choose another --home for the replay, or add --replace if that folder holds a replay.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(spec_path, folder / REPLAY_MARK)


def _replay_login(settings: config.Settings) -> Any:
    from amarktai.bootstrap import foundation, replays

    if settings.admin_email is not None and settings.admin_password is not None:
        return replays.ReplayLogin(settings.admin_email, settings.admin_password.get_secret_value())
    return replays.ReplayLogin("replay@amarktai.example", foundation.new_password())


@contextmanager
def _replay_progress(spec: Any, data: Path, *, quiet: bool) -> Iterator[Any]:
    from amarktai.bootstrap import replays

    first, last = replays.replay_span(spec, data)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=err, disable=quiet,
    )  # fmt: skip
    with bar:
        task = bar.add_task(spec.title, total=max(1, last - first))
        yield lambda ts: bar.update(task, completed=ts - first)


def _print_replay(result: Any) -> None:
    summary = result.as_json()
    table = Table(title=summary["title"], show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = [
        ("Bots", summary["bots"]),
        ("Orders", f"{summary['orders']} {_states(summary['orders_by_state'])}"),
        ("Fills", summary["fills"]),
        ("Round trips", summary["round_trips"]),
        ("Realised profit, net of fees", _rand(summary["realized_zar"])),
        ("Unrealised profit", _rand(summary["unrealized_zar"])),
        ("Fees", _rand(summary["fees_zar"])),
        ("Equity", _rand(summary["equity_zar"])),
        ("Ledger imbalance", summary["ledger_imbalance"] or 0),
        ("Virtual time", f"{summary['virtual_from'][:16]} to {summary['virtual_until'][:16]}"),
        (
            "Market events",
            f"{summary['events']:,} ({summary['bars']:,} bars, {summary['decisions']:,} decisions)",
        ),
        ("Rows refused or noted", _states(summary["dirty_rows"]) or "none"),
        ("Wall time", f"{summary['wall_s']:.1f} s, {summary['events_per_s']:,} events/s"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    out.print(table)


def _states(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _rand(amount: str | None) -> str:
    return "unknown" if amount is None else f"R {float(amount):,.2f}"


@app.command()
def audit(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Recompute every figure from the fills; exit 1 and name the first difference when there is one."""
    from amarktai.bootstrap import data as tools
    from amarktai.bootstrap import foundation

    settings = _settings(home=home)
    with foundation.borrowed_database(settings) as urls:
        report = asyncio.run(tools.audit(urls.app))
    facts = {
        "ok": report.ok,
        "users": report.users,
        "entries": report.entries,
        "fills": report.fills,
        "round_trips": report.round_trips,
        "first_difference": report.first_difference,
    }
    if as_json:
        out.print_json(json.dumps(facts))
    elif report.ok:
        counts = f"{report.entries:,} entries, {report.fills:,} fills, {report.round_trips:,} round trips"
        out.print(f"All figures follow from the fills: {counts}.", highlight=False)
    else:
        err.print(f"First difference: {report.first_difference}", highlight=False)
    if not report.ok:
        raise typer.Exit(1)


keys_app = typer.Typer(help="The encryption of saved API keys.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")


@keys_app.command("rotate")
def keys_rotate(home: HomeOption = None) -> None:
    """Wrap every saved secret with a new encryption key while the platform runs. Stopped, call it again."""
    from amarktai.bootstrap import foundation, people

    settings = _settings(home=home)
    with foundation.borrowed_database(settings) as urls:
        report = asyncio.run(people.rotate_keys(settings, urls.app))
    out.print(
        f"{report.rewrapped:,} secrets wrapped anew; the encryption key is {report.kek_id} now. Back it up.",
        highlight=False,
    )


users_app = typer.Typer(help="People's accounts, from the machine itself.", no_args_is_help=True)
app.add_typer(users_app, name="users")


@users_app.command("reset-factor")
def users_reset_factor(
    email: Annotated[str, typer.Argument(help="The account's e-mail address.")], home: HomeOption = None
) -> None:
    """Remove somebody's lost second factor and end their sessions; the password stays."""
    from amarktai.bootstrap import foundation, people

    settings = _settings(home=home)
    with foundation.borrowed_database(settings) as urls:
        asyncio.run(people.reset_factor(settings, urls.app, email))
    out.print(f"{email} signs in with the password alone now, and can set up a new factor.", highlight=False)


data_app = typer.Typer(help="Recorded market data: fetch, import, check.", no_args_is_help=True)
app.add_typer(data_app, name="data")
PlatformArgument = Annotated[str, typer.Argument(help="luno, binance, kucoin, ovex or valr.")]
PairArgument = Annotated[str, typer.Argument(help="For example BTC/USDT.")]
TimeframeArgument = Annotated[str, typer.Argument(help="1m, 5m, 15m, 30m, 1h, 4h or 1d.")]
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

    settings, instrument = _settings(home=home), tools.known_instrument(platform, pair)
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

    settings, instrument = _settings(home=home), tools.known_instrument(platform, pair)
    result = tools.import_file(settings, path, instrument, timeframe, _pairs(column))
    out.print(f"{result.bars:,} bars read, {result.new:,} new, {result.gaps:,} missing.", highlight=False)


@data_app.command("check")
def data_check(
    platform: PlatformArgument, pair: PairArgument, timeframe: TimeframeArgument, home: HomeOption = None
) -> None:
    """Report a dataset's span, its gaps and its bars without volume."""
    from amarktai.bootstrap import data as tools
    from amarktai.ports.clock import to_datetime

    report = tools.check(_settings(home=home), tools.known_instrument(platform, pair), timeframe)
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
        "params": {name: float(value) for name, value in _pairs(param).items()},
        "file": file,
        "columns": _pairs(column),
        "capital": capital,
        "risk_mode": risk_mode,
    }
    result = tools.backtest(_settings(home=home), instrument, timeframe, strategy, wanted)
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


@app.command()
def twin(
    exchange: PlatformArgument,
    account: Annotated[
        list[str], typer.Option("--account", help="ASSET=AMOUNT,… in the exchange's words; repeatable.")
    ],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")],
    seed: Annotated[str, typer.Option(help="The same seed gives the same market and keys.")] = "1",
    right: Annotated[
        list[str] | None,
        typer.Option(
            "--right", help="read, trade, withdraw or transfer; repeatable.", show_default="read, trade"
        ),
    ] = None,
    recording: Annotated[
        list[str] | None,
        typer.Option("--recording", help="MARKET=tickers.csv, repeatable; other markets are synthetic."),
    ] = None,
) -> None:
    """Run a local server that speaks an exchange's protocol, with made-up money. Ctrl-C stops it."""
    from amarktai.bootstrap import twins

    rights = right or ["read", "trade"]
    accounts = [twins.made_up_account(exchange, text, seed, rights) for text in account]
    recordings = {market: Path(path) for market, path in _pairs(recording).items()}
    work = twins.run_twin(exchange, accounts, _print_twin, seed=seed, port=port, recordings=recordings)
    _run(work, None)


def _print_twin(running: Any) -> None:
    out.print(f"SYNTHETIC {running.twin.name} at {running.url}, streams at {running.ws_url}", highlight=False)
    out.print(f"Control: {running.control_url}", highlight=False)
    for account in running.twin.accounts.values():
        out.print(f"Key {account.key}", highlight=False, soft_wrap=True)
        out.print(f"  secret {account.secret}", highlight=False, soft_wrap=True)
        if running.twin.needs_passphrase:
            out.print(f"  passphrase {account.passphrase}", highlight=False)


venue_app = typer.Typer(help="Exchanges: try an adapter for real.", no_args_is_help=True)
app.add_typer(venue_app, name="venue")


@venue_app.command("check")
def venue_check(
    platform: PlatformArgument,
    pair: Annotated[str | None, typer.Option(help="The market to look at, e.g. BTC/ZAR.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Only what needs no key.")] = False,
    trade: Annotated[
        bool,
        typer.Option("--trade", help="Also place the smallest order, far from the market, and cancel it."),
    ] = False,
    url: Annotated[str | None, typer.Option(help="A twin's address instead of the exchange's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Go through an exchange's adapter item by item; exit 1 when one fails.

    The key is asked for and kept nowhere; without a terminal its parts are read from standard input,
    a line each.
    """
    from amarktai.bootstrap import venue_check as checks

    exchange = parse_platform(platform)
    key = None if public else _ask_key(checks.KEY_PARTS[exchange], checks.Key)
    if trade and url is None and sys.stdin.isatty():
        typer.confirm("This places a real order and cancels it. Go on?", abort=True)
    symbol = (pair or checks.usual_symbol(exchange)).upper()
    wanted = checks.Wanted(exchange, symbol, key, url, places_an_order=trade)
    items = asyncio.run(_print_items(checks.check_venue(wanted), quiet=as_json))
    if as_json:
        out.print_json(json.dumps(items))
    if any(item["outcome"] == "failed" for item in items):
        raise typer.Exit(1)


def _ask_key(parts: tuple[str, ...], make: Any) -> Any:
    if sys.stdin.isatty():
        return make(*(typer.prompt(part, hide_input=True) for part in parts))
    lines = [line.strip() for line in sys.stdin.readlines()]
    if len(lines) < len(parts) or not all(lines[: len(parts)]):
        raise InvalidInput(
            "VALIDATION_ERROR", "The key is not complete", f"Give one line each: {', '.join(parts)}."
        )
    return make(*lines[: len(parts)])


async def _print_items(items: Any, *, quiet: bool) -> list[dict[str, str]]:
    styles = {"passed": "green", "failed": "bold red"}
    seen = []
    async for item in items:
        seen.append({"name": item.name, "outcome": item.outcome.value, "detail": item.detail})
        if not quiet:
            mark = Text(f"{item.outcome.value:<10}", style=styles.get(item.outcome.value, "dim"))
            out.print(mark + Text(f"{item.name}: {item.detail}"), soft_wrap=True)
    return seen


def _pairs(given: list[str] | None) -> dict[str, str]:
    """Return {name: value} of arguments written as name=value. Raises: InvalidInput."""
    pairs: dict[str, str] = {}
    for item in given or []:
        name, separator, value = item.partition("=")
        if not separator:
            raise InvalidInput(
                "VALIDATION_ERROR", f"{item!r} is not name=value", "Write it with an equals sign."
            )
        pairs[name] = value
    return pairs


if __name__ == "__main__":
    main()
