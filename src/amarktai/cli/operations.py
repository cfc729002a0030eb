"""Backups and the doctor, from the machine itself."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE
from rich.table import Table

from amarktai.cli.frame import HomeOption, JsonOption, app, out, settings_of, shown_counts

_DEFAULT: Final = "backups in the data folder"


@app.command()
def backup(
    home: HomeOption = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Folder for the file.", show_default="backups in the data folder"),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Remove all but so many of the newest there.")
    ] = None,
) -> None:
    """Back up the database in one file, while the platform runs or not. Keys' encryption key is not in it."""
    from amarktai.bootstrap import backups, foundation, people

    settings = settings_of("backup", home=home)
    with foundation.untouched_database(settings) as app_url:
        made = backups.make_backup(settings, app_url, to, keep)
    out.print(
        f"{made.path}: {made.manifest.size:,} bytes, read back and whole.", highlight=False, soft_wrap=True
    )
    out.print(f"It holds {shown_counts(dict(made.manifest.counts))}.", highlight=False)
    for path in made.removed:
        out.print(f"Removed {path}.", highlight=False, soft_wrap=True)
    out.print(
        f"The encryption key of saved API keys is in {people.key_ring(settings).place}: back it up apart.",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


@app.command()
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look at everything that the platform needs, change nothing; exit 1 when something is wrong."""
    from amarktai.bootstrap.doctor import Status, examine

    checks = examine(os.environ, home=home)
    is_well = all(check.status is not Status.FAIL for check in checks)
    if as_json:
        out.print_json(json.dumps({"ok": is_well, "checks": [asdict(check) for check in checks]}))
    else:
        _print(checks)
    if not is_well:
        raise typer.Exit(1)


def _print(checks: Sequence[Any]) -> None:
    table = Table(box=SIMPLE)
    for title in ("", "Check", "Found", "What to do"):
        table.add_column(title, overflow="fold")
    looks = {"ok": "[green]ok[/green]", "warn": "[yellow]look[/yellow]", "fail": "[red]WRONG[/red]"}
    for check in checks:
        table.add_row(looks[check.status], check.name, check.value, check.action)
    out.print(table)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that amarktai backup made.")],
    home: Annotated[Path, typer.Option("--home", help="An empty folder.")],
) -> None:
    """Bring a backup back into an empty folder. Everybody is stopped in it until a person releases them."""
    from amarktai.bootstrap import backups, people

    settings = settings_of("restore", home=home)
    manifest = backups.restore_backup(settings, file)
    out.print(f"Restored {shown_counts(dict(manifest.counts))}; every figure follows.", highlight=False)
    steps = [
        f"Put the encryption key back to {people.key_ring(settings).place}.",
        f"Start it: amarktai up --home {home}. Stop the platform that it replaces first, for good.",
        "Wait until each account agrees on the Accounts screen: it reads what happened since the backup.",
        "Release the emergency stop. Bots stay paused until you resume them, and the mode is paper.",
    ]
    for number, step in enumerate(steps, start=1):
        out.print(f"{number}. {step}", highlight=False, soft_wrap=True)
