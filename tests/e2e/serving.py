"""The browser and the mock's server, for tests, benchmarks and pictures alike."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Playwright

from tests.e2e.mock_api import Account

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic")
NO_BROWSER: Final = (
    "A browser is needed: install your system's Chromium, run `playwright install chromium`, "
    "or name one in AMARKTAI_CHROMIUM."
)
#: No measure of speed: how long a loaded machine may take before the server is given up.
PATIENCE_S: Final = 20.0


class NoBrowser(Exception):
    """No Chromium on this machine; the text says how to get one."""


def find_chromium(playwright: Playwright) -> str:
    """Return a Chromium on this machine: the named one, the system's, or Playwright's own.

    Raises: NoBrowser.
    """
    named = os.environ.get("AMARKTAI_CHROMIUM")
    candidates = [named, *map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))]
    candidates.append(playwright.chromium.executable_path)
    for path in candidates:
        if path and Path(path).exists():
            return path
    raise NoBrowser(NO_BROWSER)


@dataclass
class Site:
    """A running server of the dashboard: its address, and what its API knows."""

    url: str
    account: Account


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[Site]:
    """Serve the mock on a loopback port (0: a free one) until the block ends."""
    listener = socket.socket()
    # A server that comes back takes the port over from the connections that its forerunner left.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not server.started:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The mock API did not start within {PATIENCE_S:g} s.")
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.account)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
