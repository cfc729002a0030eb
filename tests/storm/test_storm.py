"""Whole storms on a real database: every promise holds, the same seed is the same storm."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.planted import BUGS, find, storm_command

#: Seeds that once broke something, kept for ever, and some that never did.
SEEDS = json.loads((Path(__file__).parent / "seeds.json").read_text())


def play(seed: int, hours: float, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Play one seed in a process of its own; return its exit code, its facts and what it said."""
    command = [*storm_command(seed, hours), "--json"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    facts = json.loads(done.stdout)["seeds"][str(seed)] if done.stdout.strip() else {}
    return done.returncode, facts, done.stderr


@pytest.mark.parametrize("kept", SEEDS, ids=lambda kept: f"{kept['seed']}, {kept['why']}")
def test_a_kept_seed_breaks_nothing(kept: dict[str, Any]) -> None:
    code, facts, said = play(kept["seed"], kept["hours"])
    assert code == 0, said
    assert facts["broken"] == []
    assert facts["most_creates"] <= 1
    assert facts["fills"] > 0


def test_the_same_seed_is_the_same_storm_in_every_process() -> None:
    digests = {play(11, 0.5, PYTHONHASHSEED=number)[1]["digest"] for number in ("1", "2")}
    assert len(digests) == 1
    assert play(12, 0.5)[1]["digest"] not in digests


def test_a_planted_bug_is_found() -> None:
    (bug,) = (each for each in BUGS if each.name == "silence is answered by sending again")
    finding = find(bug)
    assert finding.seeds is not None
    assert finding.by.startswith("O2")
