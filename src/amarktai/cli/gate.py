"""The live gate from the machine itself: every check, also while the platform is down."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from amarktai.cli.frame import HomeOption, JsonOption, app, out, settings_of


@app.command()
def ready(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check what live trading needs; exit 0 when all of it is there, 1 when not."""
    from amarktai.bootstrap import readiness

    report = asyncio.run(readiness.check_readiness(settings_of("ready", home=home)))
    if as_json:
        out.print_json(json.dumps(report))
    else:
        _print(report)
    if not report["ready"]:
        raise typer.Exit(1)


def _print(report: dict[str, Any]) -> None:
    table = Table(title=f"Live gate, build {report['build']}", box=SIMPLE)
    for title in ("", "Check", "Value", "Needed"):
        table.add_column(title, overflow="fold")
    for check in report["checks"]:
        mark = "[green]ok[/green]" if check["status"] == "ok" else "[red]OPEN[/red]"
        table.add_row(mark, check["title"], check["value"], check["threshold"])
    out.print(table)
    for remedy in dict.fromkeys(check["remedy"] for check in report["checks"] if check["status"] != "ok"):
        out.print(f"To do: {remedy}", highlight=False, soft_wrap=True)
    count = len(report["errors"])
    out.print(
        "Ready: an admin can switch to live in the dashboard."
        if report["ready"]
        else f"Not ready: {count} of {len(report['checks'])} checks are open.",
        highlight=False,
    )
