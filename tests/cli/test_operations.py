"""Backup and restore as a person runs them: beside a running platform, onto an empty folder, and killed."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import tarfile
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


def doctor(home: Path, port: str = "0", **more: str) -> dict[str, dict[str, str]]:
    """Return the doctor's checks by name."""
    done = subprocess.run(
        [sys.executable, "-m", "amarktai", "doctor", "--home", str(home), "--json"],
        env=environment(AMARKTAI_PORT=port, **more), capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode == 0) == told["ok"], done.stderr
    return {check["name"]: check for check in told["checks"]}


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


def of_schema(path: Path, revision: str) -> Path:
    """Return a copy of a backup that says that it is of another schema."""
    other = path.with_name(f"other{path.suffix}")
    with tarfile.open(path) as old, tarfile.open(other, "w") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            content = file.read()
            if member.name == "manifest.json":
                content = json.dumps({**json.loads(content), "revision": revision}).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return other


def test_a_backup_of_a_running_platform_comes_back_on_paper_and_stopped(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        path = backup_of(platform, tmp_path / "backups")
        gate = run("ready", "--home", str(platform.home))
        assert (
            gate.returncode == 1
            and "Not ready" in gate.stdout
            and "Make one: amarktai backup" not in gate.stdout
        )
        found = doctor(platform.home, str(platform.port))
        assert {name for name, check in found.items() if check["status"] != "ok"} <= {"settings", "dashboard"}
        assert "engine" in found["processes"]["value"] and str(path) in found["last backup"]["value"]
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


def test_a_folder_without_a_database_gets_none_for_its_backup(tmp_path: Path) -> None:
    refused = run("backup", "--home", str(tmp_path / "none"))
    assert refused.returncode != 0 and "There is no database" in refused.stderr
    assert not (tmp_path / "none").exists()


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
    assert refused.returncode != 0 and "has not finished" in refused.stderr
    again = run("restore", str(path), "--home", str(new))
    assert again.returncode != 0 and "remove it first" in again.stderr


def test_a_file_that_is_cut_short_or_of_a_newer_version_makes_no_folder(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        path = backup_of(platform, tmp_path / "backups")
        url = EmbeddedPostgres(platform.home, SystemRng()).superuser_url(DATABASE)
        with psycopg.connect(url) as connection:
            note = connection.execute("SELECT value FROM platform_settings WHERE name = 'backup'").fetchone()
    assert note is not None and note[0]["file"] == str(path)
    newer = of_schema(path, "9999")
    too_new = run("restore", str(newer), "--home", str(tmp_path / "new"))
    assert too_new.returncode != 0 and "newer Amarktai" in too_new.stderr
    path.write_bytes(path.read_bytes()[:5_000])
    refused = run("restore", str(path), "--home", str(tmp_path / "new"))
    assert refused.returncode != 0 and "not a whole one" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_the_doctor_looks_at_what_is_down_and_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = doctor(home, AMARKTAI_FEED="live")
    assert found["settings"]["status"] == "fail" and "AMARKTAI_FEEDS" in found["settings"]["value"]
    assert found["database"]["value"] == "not made yet" and not home.exists()
    with started(home) as platform:
        until(platform.is_ready, "the platform is ready")
    key = tmp_path / "home.key"
    key.chmod(0o644)
    (home / "EMERGENCY_STOP").write_text("smoke")
    found = doctor(home)
    assert found["database"]["value"].startswith("does not run")
    assert found["encryption key"]["status"] == "fail"
    assert "smoke" in found["emergency stop"]["value"]
    assert platform.database() is None
    key.unlink()
    assert "is missing" in doctor(home)["encryption key"]["value"]
