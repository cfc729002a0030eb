"""`amarktai replay` as a process: what it prints where, and what is left when it is stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import psutil
import psycopg
import pytest

from amarktai.storage.embedded import DATABASE, EmbeddedPostgres
from amarktai.system.rng import SystemRng
from tests.processes import environment, until
from tests.services.test_replay import GOOD

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000
SPEC = GOOD.replace("since = 2024-01-01\n", "").replace("ema_cross", "grid") + 'timeframe = "1h"\n'


def write_spec(folder: Path, bars: int) -> Path:
    prices = [100 + (index * 7 % 23) / 4 for index in range(bars + 1)]
    rows = [
        f"{START_MS + index * HOUR_MS},{first},{max(first, last) + 0.5},{min(first, last) - 0.5},{last},10"
        for index, (first, last) in enumerate(pairwise(prices))
    ]
    (folder / "bars.csv").write_text("\n".join(["ts_open,open,high,low,close,volume", *rows]))
    path = folder / "one.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def replay(spec: Path, home: Path, *flags: str) -> psutil.Popen:
    command: Sequence[str] = (
        sys.executable, "-m", "amarktai", "replay", str(spec), "--home", str(home), *flags
    )  # fmt: skip
    return psutil.Popen(
        command,
        env=environment(AMARKTAI_DATA=str(spec.parent)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def database_of(home: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
        return None


def orders_in(home: Path) -> int:
    """Return how many orders the replay in that folder has written by now."""
    if database_of(home) is None:
        return 0
    try:
        with psycopg.connect(EmbeddedPostgres(home, SystemRng()).superuser_url(DATABASE)) as connection:
            row = connection.execute("SELECT count(*) FROM orders").fetchone()
    except psycopg.Error:  # not that far yet
        return 0
    return row[0] if row else 0


def test_json_is_all_that_is_printed_and_the_way_to_the_dashboard_stands_beside_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    out, err = replay(write_spec(tmp_path, 40), home, "--json").communicate()
    result = json.loads(out)
    assert (result["bots"], result["bars"], result["ledger_imbalance"]) == (1, 40, {})
    assert f"amarktai up --home {home}" in err
    assert "with the password" in err
    assert database_of(home) is None
    again, refused = replay(tmp_path / "one.toml", home).communicate()
    assert again == "" and "is not empty" in refused and "--replace" in refused


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_replay_that_is_stopped_takes_its_database_along(tmp_path: Path, number: signal.Signals) -> None:
    home = tmp_path / "home"
    process = replay(write_spec(tmp_path, 20_000), home)
    until(lambda: orders_in(home) > 0, "the replay trades")
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert database_of(home) is None


def test_a_killed_replay_is_replaced_and_its_database_stopped_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = replay(write_spec(tmp_path, 20_000), home)
    until(lambda: database_of(home) is not None or process.poll() is not None, "the database runs")
    process.kill()
    process.communicate()
    left = database_of(home)
    assert left is not None
    out, err = replay(write_spec(tmp_path, 40), home, "--replace", "--json").communicate()
    assert json.loads(out)["bars"] == 40, err
    assert not left.is_running()
