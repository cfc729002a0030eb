"""The whole platform as processes: killed at any place it comes back, told to stop it leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx
import psutil
import pytest

from tests.processes import EMAIL, PASSWORD, PATIENCE_S, Platform, environment, started, until


class Writer(threading.Thread):
    """Puts one rand after another into the wallet and counts which were acknowledged."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.acknowledged = self.unanswered = 0
        self.done = threading.Event()
        self._client = client

    def run(self) -> None:
        while not self.done.is_set():
            try:
                answer = self._client.post("/api/wallet/paper/fund", json={"amount": "1"})
            except httpx.HTTPError:
                self.unanswered += 1
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                self.acknowledged += 1
            else:
                self.unanswered += 1
                time.sleep(0.1)


def _kill_and_wait(platform: Platform, find: Callable[[], psutil.Process | None], writer: Writer) -> None:
    victim = find()
    assert victim is not None
    victim.kill()

    def is_back() -> bool:
        new = find()
        return new is not None and new.pid != victim.pid and platform.is_ready()

    until(is_back, f"a new {victim} and a platform that is ready")
    written = writer.acknowledged
    until(lambda: writer.acknowledged > written, "a write after the kill")


@pytest.mark.timeout(600)
def test_killed_anywhere_it_comes_back_and_stops_without_a_trace(tmp_path: Path) -> None:
    with started(tmp_path / "home") as platform:
        until(platform.is_ready, f"ready: {platform.log.read_text()[-2000:]}")
        first_engine = platform.role("engine")
        said = _refusal("engine", "--home", str(platform.home))
        assert "holds the lease 'engine'" in said and "Run one engine per database" in said
        assert platform.role("engine") == first_engine
        client = httpx.Client(base_url=platform.url, headers={"Origin": platform.url}, timeout=30)
        signed_in = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        writer = Writer(client)
        writer.start()
        try:
            until(lambda: writer.acknowledged > 0, "a first write")
            for find in (
                lambda: platform.role("api"), lambda: platform.role("engine"), lambda: platform.role("jobs"),
                platform.database,
            ):  # fmt: skip
                _kill_and_wait(platform, find, writer)
        finally:
            writer.done.set()
            writer.join()
        total = Decimal(client.get("/api/wallet/paper").json()["available"])
        assert writer.acknowledged <= total <= writer.acknowledged + writer.unanswered
        check = client.get("/api/ledger/verify").json()
        assert check["ok"], check
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(PATIENCE_S) == 0, platform.log.read_text()[-2000:]
        assert "Stopped." in platform.log.read_text()
        assert platform.leftovers() == []


@pytest.mark.timeout(300)
def test_roles_end_when_the_supervisor_is_killed_and_the_next_start_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home) as first:
        until(first.is_ready, f"ready: {first.log.read_text()[-2000:]}")
        orphans = [process for name in ("api", "engine", "jobs") if (process := first.role(name)) is not None]
        assert len(orphans) == 3
        first.process.kill()
        until(lambda: not any(process.is_running() for process in orphans), "the roles' own end")
        database = first.database()
        second = Platform(home)
        until(second.is_ready, f"ready again: {second.log.read_text()[-2000:]}")
        assert second.database() == database
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(PATIENCE_S) == 0, second.log.read_text()[-2000:]
        assert second.leftovers() == []


def _refusal(*arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "amarktai", *arguments], env=environment(**variables),
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return re.sub(r"\s+", " ", done.stderr)


def test_a_port_in_use_names_its_process_and_the_setting(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        said = _refusal("up", "--home", str(tmp_path), "--port", str(port))
    assert f"127.0.0.1:{port} is in use by" in said and f"(process {os.getpid()})" in said
    assert "AMARKTAI_PORT" in said


def test_an_unusable_data_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    said = _refusal("up", "--port", "0", AMARKTAI_HOME=str(tmp_path / "file" / "home"))
    assert "The data folder" in said and "cannot be written" in said
    assert "AMARKTAI_HOME" in said
