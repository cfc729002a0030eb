"""Replays of recorded data."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from amarktai import config
from amarktai.cli.frame import (
    HomeOption,
    JsonOption,
    app,
    err,
    out,
    settings_of,
    shown_amount,
    shown_counts,
)
from amarktai.domain.errors import InvalidInput

REPLAY_MARK = "replay.toml"


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
    settings = settings_of("replay", home=folder)
    login = _replay_login(settings)
    started = time.perf_counter()
    show = _replay_progress(spec, settings.data, quiet=as_json)
    with foundation.new_database(settings, "replay") as urls, show as progress:
        result = run_loop(replays.replay(spec, settings, urls.app, login, progress))
    result.wall_s = time.perf_counter() - started
    if as_json:
        out.print_json(json.dumps(result.as_json()))
    else:
        _print_replay(result)
    beside = err if as_json else out
    beside.print(f"\nBrowse it: amarktai up --home {folder}", highlight=False, soft_wrap=True)
    beside.print(f"Sign in as {login.email} with the password {login.password}", highlight=False)
    if result.tally.imbalance:
        raise typer.Exit(1)


def _prepare_replay_folder(folder: Path, spec_path: Path, *, replace: bool) -> None:
    from amarktai.bootstrap import foundation

    if replace and (folder / REPLAY_MARK).exists():
        foundation.stop_database(folder)  # one that a killed replay left, or it would write on into nothing
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
        ("Orders", f"{summary['orders']} {shown_counts(summary['orders_by_state'])}"),
        ("Fills", summary["fills"]),
        ("Round trips", summary["round_trips"]),
        ("Realised profit, net of fees", shown_amount(summary["realized_zar"])),
        ("Unrealised profit", shown_amount(summary["unrealized_zar"])),
        ("Fees", shown_amount(summary["fees_zar"])),
        ("Equity", shown_amount(summary["equity_zar"])),
        ("Ledger imbalance", summary["ledger_imbalance"] or 0),
        ("Virtual time", f"{summary['virtual_from'][:16]} to {summary['virtual_until'][:16]}"),
        (
            "Market events",
            f"{summary['events']:,} ({summary['bars']:,} bars, {summary['decisions']:,} decisions)",
        ),
        ("Rows refused or noted", shown_counts(summary["dirty_rows"]) or "none"),
        ("Wall time", f"{summary['wall_s']:.1f} s, {summary['events_per_s']:,} events/s"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    out.print(table)
