"""The emergency stop from the machine itself, on a platform that runs and on one that does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.processes import EMAIL, PASSWORD, environment, started, until


def command(home: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "amarktai", "emergency-stop", "--home", str(home), *flags],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_it_stops_and_releases_a_platform_that_runs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    said = command(home)
    assert f"as long as {home / 'EMERGENCY_STOP'} is there" in said and "No database runs" in said
    with started(home) as platform:
        until(platform.is_ready, "the platform is ready")
        client = httpx.Client(base_url=platform.url, timeout=60)
        login = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert login.status_code == 200, login.text
        status = "/api/system/emergency-stop/status"
        until(lambda: client.get(status).json()["active"], "the engine has heeded the file")
        assert client.get(status).json()["stops"][0]["source"] == "file"
        assert "Released" in command(home, "--release")
        assert not client.get(status).json()["active"] and not (home / "EMERGENCY_STOP").exists()
        assert "Bots are paused." in command(home, "--reason", "smoke")
        assert client.get(status).json()["reason"] == "smoke"
        assert "Released" in command(home, "--release")
