"""Backup and restore as a person runs them: beside a running platform, onto an empty folder, and killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg

from amarktai.storage.embedded import DATABASE, EmbeddedPostgres
from amarktai.system.rng import SystemRng
from tests.processes import EMAIL, PASSWORD, Platform, environment, started, until


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "amarktai", *arguments],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def sign_in(platform: Platform) -> httpx.Client:
    client = httpx.Client(base_url=platform.url, timeout=60, headers={"Origin": platform.url})
    login = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert login.status_code == 200, login.text
    return client


def backup_of(platform: Platform, folder: Path) -> Path:
    until(platform.is_ready, "the platform is ready")
    sign_in(platform).post("/api/wallet/paper/fund", json={"amount": "5000"})
    made = run("backup", "--home", str(platform.home), "--to", str(folder), "--keep", "2")
    assert made.returncode == 0, made.stderr
    assert "read back and whole" in made.stdout and "back it up apart" in made.stdout
    (path,) = folder.iterdir()
    return path


def test_a_backup_of_a_running_platform_comes_back_on_paper_and_stopped(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        path = backup_of(platform, tmp_path / "backups")
        gate = run("ready", "--home", str(platform.home))
        assert (
            gate.returncode == 1
            and "Not ready" in gate.stdout
            and "Make one: amarktai backup" not in gate.stdout
        )
        into_a_used_folder = run("restore", str(path), "--home", str(platform.home))
        assert into_a_used_folder.returncode != 0 and "is not empty" in into_a_used_folder.stderr
    new = tmp_path / "new"
    back = run("restore", str(path), "--home", str(new))
    assert back.returncode == 0, back.stderr
    assert "every figure follows" in back.stdout and "Release the emergency stop" in back.stdout
    (tmp_path / "home.key").rename(tmp_path / "new.key")
    with started(new) as platform:
        until(platform.is_ready, "the restored platform is ready")
        client = sign_in(platform)
        stop = client.get("/api/system/emergency-stop/status").json()
        assert stop["active"] and stop["reason"].startswith("restored from a backup of 20")
        assert client.get("/api/system/mode").json()["base"] == "paper"
        assert float(client.get("/api/wallet/paper").json()["total"]) > 0


def test_a_restore_that_is_killed_starts_no_platform(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        path = backup_of(platform, tmp_path / "backups")
    new = tmp_path / "new"
    restoring = subprocess.Popen(
        [sys.executable, "-m", "amarktai", "restore", str(path), "--home", str(new)], env=environment()
    )
    until((new / "RESTORING").exists, "the restore has begun")
    restoring.send_signal(signal.SIGKILL)
    restoring.wait()
    EmbeddedPostgres(new, SystemRng()).stop()
    refused = run("up", "--home", str(new), "--port", "0")
    assert refused.returncode != 0 and "was interrupted" in refused.stderr
    again = run("restore", str(path), "--home", str(new))
    assert again.returncode != 0 and "remove it first" in again.stderr


def test_a_file_that_is_cut_short_makes_no_folder(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        path = backup_of(platform, tmp_path / "backups")
        url = EmbeddedPostgres(platform.home, SystemRng()).superuser_url(DATABASE)
        with psycopg.connect(url) as connection:
            note = connection.execute("SELECT value FROM platform_settings WHERE name = 'backup'").fetchone()
    assert note is not None and note[0]["file"] == str(path)
    path.write_bytes(path.read_bytes()[:5_000])
    refused = run("restore", str(path), "--home", str(tmp_path / "new"))
    assert refused.returncode != 0 and "not a whole one" in refused.stderr
    assert not (tmp_path / "new").exists()
