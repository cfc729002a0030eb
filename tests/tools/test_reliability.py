"""The reliability page: its figures are those of the runs, and its incidents name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from amarktai.storm.weather import Fault
from tools.reliability import incidents, render

TESTS = Path(__file__).parents[1]
FACTS: dict[str, Any] = {
    "ok": True, "engines": 3, "orders": 10, "fills": 7, "most_creates": 1, "ended_by_hand": 0,
    "calm_s": 70, "faults": {"KILLED": 2}, "moves": {"open fill": 4}, "ends": {}, "broken": [],
    "digest": "",
}  # fmt: skip
BUGS: list[dict[str, Any]] = [
    {"name": "one", "where": "there", "seeds": 2, "by": "O2: twice"},
    {"name": "other", "where": "there", "seeds": None, "by": ""},
]
PLANTED = {"build": "def5678", "bugs": BUGS}


@pytest.mark.parametrize("row", incidents(), ids=lambda row: row["thread"])
def test_every_incident_has_a_test_that_exists_or_says_what_is_missing(row: dict[str, Any]) -> None:
    assert ("tests" in row) is not ("missing" in row)
    for name in row.get("tests", ()):
        path, _, function = name.partition("::")
        assert re.search(rf"def {function}\(", (TESTS / path).read_text()), name


def storms_of(*seeds: dict[str, Any], hours: float = 12.0) -> dict[str, Any]:
    """Return one run as ``amarktai storm --json`` tells of it."""
    numbered = {str(number): facts for number, facts in enumerate(seeds, start=1)}
    return {"build": "abc1234", "hours": hours, "force": 3.0, "seeds": numbered}


def test_the_page_has_the_figures_of_its_runs() -> None:
    page = render([storms_of(FACTS, FACTS)], PLANTED)
    assert "| fleet-days (ten bots each) | 1.0 |" in page
    assert "| of them killed | 4 |" in page
    assert "| orders | 20 |" in page
    assert "--seeds 1..2 --hours 12 --force 3` at abc1234" in page
    assert f"Faults: 1 of {len(Fault)} reached" in page
    assert "Planted bugs: 1 of 2 caught" in page
    assert "tools.planted` at def5678" in page
    assert "| other | there | not found | – |" in page


def test_of_a_bug_that_was_planted_again_the_last_run_counts() -> None:
    again = {"build": "fed8765", "bugs": [{**BUGS[1], "seeds": 3, "by": "O5: lost"}]}
    page = render([storms_of(FACTS)], PLANTED, again)
    assert "Planted bugs: 2 of 2 caught" in page
    assert "tools.planted` at def5678 (1), fed8765 (1)" in page
    assert "| other | there | 3 | O5 |" in page


def test_a_broken_promise_is_counted() -> None:
    page = render([storms_of({**FACTS, "broken": ["O2: twice"]})], PLANTED)
    assert re.search(r"broken promises .* \| 1 \|", page)
