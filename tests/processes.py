"""The whole platform as processes of its own, for tests that kill it or drive it from outside."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

EMAIL, PASSWORD = "ada@example.org", "violet-otter-candle-47"
ADMIN = {"AMARKTAI_ADMIN_EMAIL": EMAIL, "AMARKTAI_ADMIN_PASSWORD": PASSWORD}
#: No measure of speed: how long a loaded machine may take before the test gives up.
PATIENCE_S = 120.0


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, **more}


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it did not come about: {what}"
        time.sleep(0.1)


class Platform:
    """`amarktai up` on the sandbox market, in a folder of its own.

    Without ``with_admin`` the first page asks for the setup token, which ``setup_link`` holds. ``more``
    are settings.
    """

    def __init__(self, home: Path, *, with_admin: bool = True, **more: str) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / "up.log"
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "amarktai", "up", "--home", str(home), "--port", str(self.port)],
                env=environment(AMARKTAI_FEEDS="sandbox", **(ADMIN if with_admin else {}), **more),
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def role(self, name: str) -> psutil.Process | None:
        for child in self.process.children():
            try:
                if child.cmdline()[3:4] == [name]:
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def database(self) -> psutil.Process | None:
        try:
            return psutil.Process(int((self.home / "postgres" / "postmaster.pid").read_text().split()[0]))
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health/ready", timeout=10).status_code == 200
        except httpx.HTTPError:
            return False

    def setup_link(self) -> str | None:
        """Return the link that the terminal shows at the first start, None before it does."""
        found = re.search(r"http://\S+/setup\?token=\S+", self.log.read_text())
        return found.group() if found else None

    def leftovers(self) -> list[int]:
        """Return the processes that work in this home."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            arguments = process.info["cmdline"] or []
            if any(str(self.home) in argument for argument in arguments):
                found.append(process.info["pid"])
        return found


@contextmanager
def started(home: Path, *, with_admin: bool = True, **more: str) -> Iterator[Platform]:
    platform = Platform(home, with_admin=with_admin, **more)
    try:
        yield platform
    finally:
        for pid in platform.leftovers():
            psutil.Process(pid).kill()
