"""The rehearsal: live trading's every step against the exchanges' twins, with money made up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from amarktai.cli.frame import JsonOption, app, build_of, err, out, seeds_of, settings_of, shown_counts
from amarktai.domain.errors import InvalidInput
from amarktai.services.rehearsal import STEP_S, STEPS_A_DAY

FolderOption = Annotated[Path, typer.Option("--home", help="Folder for the rehearsals' databases, one each.")]


@app.command()
def rehearse(
    seed: Annotated[str, typer.Option(help="A seed, or several as first..last.")] = "1",
    home: FolderOption = Path("var-rehearsal"),
    hours: Annotated[float, typer.Option(help="Length of the day.", min=0.1, max=24.0)] = 24.0,
    brief: Annotated[bool, typer.Option("--brief", help="Leave the orders out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let live bots trade a whole day on the twins of all five exchanges, with faults, and tie out."""
    steps = max(1, round(hours * 3_600 / STEP_S))
    build, results = build_of("rehearse"), {}
    for number in seeds_of(seed):
        folder = home / f"seed-{number}"
        results[number] = _play(number, folder, steps, quiet=as_json)
        if not as_json:
            _print(number, results[number], with_orders=not brief)
            out.print(f"Browse it: amarktai up --home {folder}", highlight=False)
    if as_json:
        out.print_json(json.dumps({str(number): _facts(result) for number, result in results.items()}))
    if not all(result.ok for result in results.values()):
        raise typer.Exit(1)
    _tell_gate(build, steps * STEP_S / 3_600)


def _tell_gate(build: str, hours: float) -> None:
    """Let the live gate of the platform on this machine know that its build has passed."""
    from amarktai.bootstrap import foundation, readiness

    platform = settings_of("rehearse")
    app_url = foundation.running_database(platform)
    if app_url is None:
        err.print(
            f"No platform runs in {platform.home}; start it, and rehearse again for its live gate.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        return
    asyncio.run(readiness.note_rehearsal(platform, app_url, build, hours))
    err.print(f"The live gate knows that build {build} has passed.", highlight=False)


def _play(seed: int, folder: Path, steps: int, *, quiet: bool) -> Any:
    from amarktai.bootstrap import foundation, rehearsals
    from amarktai.bootstrap.event_loop import run_loop
    from amarktai.bootstrap.replays import ReplayLogin

    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(
            "REHEARSAL_HOME", f"The folder {folder} is not empty", "Choose another --home, or remove it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_of("rehearse", home=folder)
    login = ReplayLogin("rehearsal@amarktai.example", foundation.new_password())
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=err, disable=quiet,
    )  # fmt: skip
    with foundation.new_database(settings, "rehearsal") as urls, bar:
        task = bar.add_task(f"Seed {seed}", total=steps)
        work = rehearsals.rehearse(
            settings, urls.app, login, seed, steps, lambda done: bar.update(task, completed=done)
        )
        result = run_loop(work)
    if not quiet:
        err.print(f"Sign in as {login.email} with the password {login.password}", highlight=False)
    return result


def _facts(result: Any) -> dict[str, Any]:
    return {
        "ok": result.ok,
        "steps": result.steps,
        "orders": len(result.orders),
        "fills": sum(len(order["fills"]) for order in result.orders),
        "orders_by_state": _by_state(result),
        "unsettled": result.unsettled,
        "faults": result.faults,
        "script": [
            {"at": line.at.isoformat(), "platform": line.platform, "text": line.text}
            for line in result.story.happened
        ],
        "problems": result.problems,
        "entries_refused_while_halted": result.refused,
        "entries_sent_while_halted": result.trespassed,
        "exits_denied": result.stranded,
        "accounts": [
            {
                "platform": row.platform,
                "asset": row.asset,
                "venue": f"{row.venue:f}",
                "ledger": f"{row.ledger:f}",
                "rounded": f"{row.rounded:f}",
                "difference": f"{row.difference:f}",
            }
            for row in result.tie_outs
        ],
    }


def _by_state(result: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for order in result.orders:
        state = order["order"]["state"]
        counts[state] = counts.get(state, 0) + 1
    return dict(sorted(counts.items()))


def _print(seed: int, result: Any, *, with_orders: bool) -> None:
    if with_orders:
        for order in result.orders:
            out.print(_story(order), highlight=False, soft_wrap=True)
    for line in result.story.happened:
        out.print(f"{line.at:%Y-%m-%dT%H:%M:%S} {line.text}", highlight=False, soft_wrap=True)
    table = Table(title=f"Seed {seed}: every account beside the ledger")
    for head in ("Exchange", "Asset"):
        table.add_column(head)
    for head in ("Exchange holds", "Ledger says", "Rounded away", "Difference"):
        table.add_column(head, justify="right", overflow="fold")
    for row in result.tie_outs:
        table.add_row(
            row.platform,
            row.asset,
            _plain(row.venue),
            _plain(row.ledger),
            _plain(row.rounded),
            _plain(row.difference),
        )
    out.print(table)
    out.print(_halts(result), highlight=False)
    out.print(
        f"{len(result.orders)} orders ({shown_counts(_by_state(result))}),"
        f" {sum(len(order['fills']) for order in result.orders)} fills,"
        f" {sum(result.faults.values())} faults ({shown_counts(result.faults) or 'none'}),"
        f" {result.steps} of {STEPS_A_DAY} steps a day played:"
        f" {'; '.join(result.problems).upper() or 'exchange and ledger agree'}",
        highlight=False,
    )  # fmt: skip


def _plain(amount: Any) -> str:
    return f"{amount.normalize():f}"


def _halts(result: Any) -> str:
    return (
        f"While an account was halted, {result.refused} entries were refused and {result.trespassed} sent;"
        f" {result.stranded} exits were denied."
    )


def _story(told: Any) -> str:
    """Return one order's way: what it was, the states it went through and what it filled."""
    order = told["order"]
    way = [told["events"][0]["from_state"], *(event["to_state"] for event in told["events"])]
    path = " → ".join(state for index, state in enumerate(way) if not index or state != way[index - 1])
    price = order["price"] or order["stop_price"] or "at the market"
    fills = len(told["fills"])
    filled = f"{order['filled_quantity']} filled in {fills}" if fills else "nothing filled"
    why = f"; {order['reject_reason']}" if order["reject_reason"] else ""
    return (
        f"{order['created_at'][:19]} {order['bot_name']}: {order['side']}"
        f" {order['quantity']} {price} ({order['type']}, {order['tag']}): {path}; {filled}{why}"
    )
