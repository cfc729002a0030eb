"""The storm: live trading's own code under every fault, in virtual time, on models of the exchanges."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from amarktai.cli.frame import JsonOption, app, build_of, err, out, seeds_of, settings_of


@app.command()
def storm(
    seeds: Annotated[str, typer.Option(help="A seed, or several as first..last.")] = "1",
    hours: Annotated[float, typer.Option(help="Hours of each storm.", min=0.1, max=240.0)] = 24.0,
    jobs: Annotated[int, typer.Option(help="Storms at a time, one process each.", min=1)] = 1,
    force: Annotated[
        float, typer.Option(help="How often everything fails, beside usual.", min=0.1, max=20.0)
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Let ten live bots through storms of faults, and hold books and exchanges against each other."""
    build, results = build_of("storm"), dict[int, Any]()
    with tempfile.TemporaryDirectory(prefix="amarktai-storm-") as home:
        for seed, result in _play(Path(home), seeds_of(seeds), hours, force, jobs):
            results[seed] = result
            _tell(seed, result, hours, force)
    facts = {seed: _facts(result) for seed, result in sorted(results.items())}
    if as_json:
        out.print_json(json.dumps({"build": build, "hours": hours, "force": force, "seeds": facts}))
    else:
        _print(list(results.values()))
    if not all(result.ok for result in results.values()):
        raise typer.Exit(1)


def _play(
    home: Path, seeds: Sequence[int], hours: float, force: float, jobs: int
) -> Iterator[tuple[int, Any]]:
    """Yield each seed with its result, as they come."""
    from amarktai.bootstrap import storms

    home.chmod(0o755)  # the server may run as another user
    settings = settings_of("storm", home=home / "data", log_level="error")
    with storms.storm_server(settings):
        if jobs == 1:
            for seed in seeds:
                yield seed, storms.play_storm(settings, seed, hours, force)
            return
        # Each starts afresh: a fork would take along the database's connections.
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            running = {pool.submit(storms.play_storm, settings, seed, hours, force): seed for seed in seeds}
            for done in as_completed(running):
                yield running[done], done.result()


def _tell(seed: int, result: Any, hours: float, force: float) -> None:
    verdict = "all held" if result.ok else f"{len(result.broken)} BROKEN"
    err.print(
        f"Seed {seed}: {verdict}. {result.lives} engines, {result.orders} orders, {result.fills} fills,"
        f" {sum(result.faults.values())} faults; calm after {result.calm_s:.0f} s.",
        highlight=False,
    )
    for line in result.broken:
        err.print(f"  {line}", highlight=False, soft_wrap=True)
    if not result.ok:
        err.print(
            f"  Repeat it: amarktai storm --seeds {seed} --hours {hours:g} --force {force:g}", highlight=False
        )


def _facts(result: Any) -> dict[str, Any]:
    return {
        "ok": result.ok,
        "engines": result.lives,
        "orders": result.orders,
        "fills": result.fills,
        "most_creates": result.most_creates,
        "ended_by_hand": result.by_hand,
        "calm_s": round(result.calm_s),
        "faults": {fault.name: count for fault, count in sorted(result.faults.items())},
        "moves": {f"{state} {event}": count for (state, event), count in sorted(result.moves.items())},
        "ends": dict(sorted(result.ends.items())),
        "broken": result.broken,
        "digest": result.digest,
    }


def _print(results: Sequence[Any]) -> None:
    """Print what happened in all of them together, and what no storm has reached."""
    from amarktai.bootstrap import storms

    faults, moves = Counter[Any](), Counter[Any]()
    for result in results:
        faults.update(result.faults)
        moves.update(result.moves)
    table = Table(title="What the storms did")
    table.add_column("Fault")
    table.add_column("Times", justify="right")
    for fault in storms.Fault:
        table.add_row(fault.value, f"{faults[fault]:,}")
    out.print(table)
    missing = storms.unreached(moves)
    names = ", ".join(f"{state} on {event}" for state, event in missing) or "none"
    out.print(f"Moves of the state machine that no order made: {names}", highlight=False, soft_wrap=True)
