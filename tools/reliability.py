"""Write docs/reliability.md from the results of storms and of planted bugs.

Usage: python -m tools.reliability --storms FILE [FILE …] --planted FILE [FILE …]
where the files are what ``amarktai storm --json`` and ``python -m tools.planted --json`` wrote. Of a bug that
was planted in several runs the last one counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from amarktai.domain.order import NEXT, OrderEvent, OrderState
from amarktai.storm.oracles import UNREACHABLE, unreached
from amarktai.storm.weather import Fault
from tools.planted import BUGS

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "reliability.md"
INCIDENTS: Final = ROOT / "tests" / "incidents.toml"
_HOURS_A_DAY: Final = 24

_INTRO: Final = """# Reliability

Written by `python -m tools.reliability` from the output of the commands named here; no figure is typed.

A **storm** (`src/amarktai/storm`) is the engine, order path, reconciliation and ledger of live trading, on a
real PostgreSQL, in virtual time, with ten bots on models of the five exchanges. One seed decides everything:
what is lost, late, doubled or stale, when an exchange is away, where the engine is killed or frozen (wherever
it touches the database or an exchange), what the owner does by hand. Afterwards nothing fails any more,
the bots are stopped, and exchanges, books and a recomputation from the fills must agree to the last decimal.
"""
_LIMITS: Final = """## What this does not cover

- Power loss and disks that forget: the storm's database does not wait for the disk, and a kill in it is the
  loss of a process's memory and of its open transaction, not of the machine.
- The exchanges' adapters and their protocols: the models stand at the port. `amarktai rehearse` takes the
  adapters through a day with faults on servers that speak each exchange's protocol.
- Bans and rate limits, which are the adapters' budget's; unlike faults of the network they have tests of
  their own (`tests/venues/test_budget.py`).
- What an exchange does beyond its documents.
- Processes and PostgreSQL killed with `kill -9` over sockets, at random, by the hundred: not measured yet.
  Single kills are tested (`tests/storage/test_crash.py`, `tests/workers/test_supervisor.py`).
- The mutation score of order path, ledger and risk: not measured yet; the planted bugs stand in for it.
- Trading with two engines on one machine that is short of memory, and hosts that are taken over.
"""


def render(storms: Sequence[Mapping[str, Any]], *planted: Mapping[str, Any]) -> str:
    """Return the page."""
    seeds = [facts for run in storms for facts in run["seeds"].values()]
    parts = [_INTRO, *_figures(storms, seeds), *_faults(seeds), *_moves(seeds)]
    return "\n".join([*parts, *_planted(*planted), *_incidents(), _LIMITS])


def _figures(storms: Sequence[Mapping[str, Any]], seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    days = sum(run["hours"] * len(run["seeds"]) for run in storms) / _HOURS_A_DAY
    kills = sum(facts["faults"].get(Fault.KILLED.name, 0) for facts in seeds)
    broken = sum(len(facts["broken"]) for facts in seeds)
    rows = [
        ("fleet-days (ten bots each)", f"{days:.1f}"),
        ("storms", f"{len(seeds)}"),
        ("engines that were started", f"{_sum(seeds, 'engines'):,}"),
        ("of them killed", f"{kills:,}"),
        ("orders", f"{_sum(seeds, 'orders'):,}"),
        ("fills", f"{_sum(seeds, 'fills'):,}"),
        ("faults", f"{sum(sum(facts['faults'].values()) for facts in seeds):,}"),
        ("create requests per intent, at most", f"{max(facts['most_creates'] for facts in seeds)}"),
        ("broken promises (O1–O8, O14, O18, O20, L1–L15, liveness)", f"{broken}"),
        ("orders that a person had to end", f"{_sum(seeds, 'ended_by_hand'):,}"),
        ("calm after the last fault, at most", f"{max(facts['calm_s'] for facts in seeds)} s"),
    ]
    commands = [
        f"`amarktai storm --seeds {_range(run['seeds'])} --hours {run['hours']:g} --force {run['force']:g}`"
        f" at {run['build'][:12]}"
        for run in storms
    ]
    return [
        "## The storms\n",
        f"{', '.join(commands)}\n",
        "| | |", "|---|---:|",
        *(f"| {name} | {figure} |" for name, figure in rows),
        "",
    ]  # fmt: skip


def _faults(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    counts = Counter[str]()
    for facts in seeds:
        counts.update(facts["faults"])
    missing = [fault.value for fault in Fault if not counts[fault.name]]
    return [
        f"## Faults: {len(Fault) - len(missing)} of {len(Fault)} reached\n",
        "| fault | times |", "|---|---:|",
        *(f"| {fault.value} | {counts[fault.name]:,} |" for fault in Fault),
        "",
    ]  # fmt: skip


def _moves(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    counts = Counter[tuple[OrderState, OrderEvent]]()
    for facts in seeds:
        for name, times in facts["moves"].items():
            state, event = name.split()
            counts[OrderState(state), OrderEvent(event)] += times
    missing = unreached(counts)
    reachable = len(NEXT) - len(UNREACHABLE)
    reasons = sorted(set(UNREACHABLE.values()))
    lines = [
        f"## Moves of the order's state machine: {reachable - len(missing)} of {reachable} made\n",
        f"Left out are {len(UNREACHABLE)} that no storm can make: {'; '.join(reasons)}.\n",
    ]
    if missing:
        lines.append("Not made in these storms: " + ", ".join(f"{s} on {e}" for s, e in missing) + ".\n")
    return lines


def _planted(*runs: Mapping[str, Any]) -> list[str]:
    latest = {row["name"]: (row, run["build"][:12]) for run in runs for row in run["bugs"]}
    planted = [row for row, _ in latest.values()]
    builds = Counter(build for _, build in latest.values())
    told = ", ".join(f"{build} ({count})" if len(builds) > 1 else build for build, count in builds.items())
    caught = [row for row in planted if row["seeds"] is not None]
    median = statistics.median(row["seeds"] for row in caught) if caught else 0
    return [
        f"## Planted bugs: {len(caught)} of {len(planted)} caught\n",
        f"`python -m tools.planted` at {told}: each is our own code with one wrong behaviour"
        " in it. Of the"
        f" {len(BUGS)} in its list {len(planted)} were planted for this page."
        f" Median of the storms until one was found: {median:g}.\n",
        "| bug | as in | found in storm | by |", "|---|---|---:|---|",
        *(
            f"| {row['name']} | {row['where']} | {row['seeds'] or 'not found'} |"
            f" {row['by'].partition(':')[0] or '–'} |"
            for row in planted
        ),
        "",
    ]  # fmt: skip


def _incidents() -> list[str]:
    rows = incidents()
    held = sum("tests" in row for row in rows)
    return [
        f"## Public incidents: {held} of {len(rows)} held off by a named test\n",
        "| thread | what happened | test here |", "|---|---|---|",
        *(
            f"| {row['thread']} | {row['what']} |"
            f" {_tests_of(row)} |"
            for row in rows
        ),
        "",
    ]  # fmt: skip


def incidents() -> list[dict[str, Any]]:
    """Return the public incidents, each with its tests or with what is missing."""
    rows: list[dict[str, Any]] = tomllib.loads(INCIDENTS.read_text(encoding="utf-8"))["incident"]
    return rows


def _tests_of(row: Mapping[str, Any]) -> str:
    names = [f"`{name.partition('::')[2]}`" for name in row.get("tests", ())]
    return "<br>".join(names) or f"none: {row['missing']}"


def _sum(seeds: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(facts[name] for facts in seeds)


def _range(seeds: Mapping[str, Any]) -> str:
    numbers = sorted(int(seed) for seed in seeds)
    return f"{numbers[0]}..{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--storms", type=Path, nargs="+", required=True)
    parser.add_argument("--planted", type=Path, nargs="+", required=True)
    options = parser.parse_args(arguments)
    storms = [json.loads(path.read_text()) for path in options.storms]
    planted = [json.loads(path.read_text()) for path in options.planted]
    PAGE.write_text(render(storms, *planted))
    print(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
