"""A real browser on the built dashboard, and a server for it.

Every page of these tests fails the test when the browser logs an error, a request fails, or a
request goes to any other host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.mock_api import create_app
from tests.e2e.serving import FLAGS, Site, find_chromium, serving
from tools.build_ui import build_ui

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
#: No measure of speed: how long a loaded machine may take for one step before a test gives up.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
#: What the browser itself logs when the first question, "who is signed in", is answered with "nobody".
SIGNED_OUT = "status of 401"
AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(FLAGS))
        yield chromium
        chromium.close()


Serve = Callable[..., Site]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start the mock API with the built dashboard: ``serve(bots=12, origin="live")``."""
    build_ui()
    with ExitStack() as running:

        def start(bots: int = 12, origin: str = "live") -> Site:
            return running.enter_context(serving(create_app(bots, origin)))

        yield start


@dataclass
class Watched:
    """What a page complained about. Tests of failures take back what they provoked."""

    complaints: list[str] = field(default_factory=list)

    def expect(self, *parts: str) -> None:
        """Drop the complaints that contain one of the parts."""
        self.complaints[:] = [text for text in self.complaints if not any(part in text for part in parts)]


Open = Callable[..., Page]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def open_page(browser: Browser, watched: Watched) -> Iterator[Open]:
    """Open a page: ``open_page(url, theme="dark", phone=False)``."""
    contexts: list[BrowserContext] = []

    def open_one(url: str, theme: str = "dark", phone: bool = False) -> Page:
        viewport: Any = PHONE if phone else DESK
        context = browser.new_context(
            viewport=viewport, color_scheme="light" if theme == "light" else "dark", has_touch=phone
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch(page, watched, urlsplit(url).netloc)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert watched.complaints == []


def watch(page: Page, watched: Watched, host: str) -> None:
    """Note every console error, script error, failed request and foreign host of a page."""
    note = watched.complaints.append
    page.on("console", lambda m: note(f"console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: note(f"script: {error}"))
    page.on("requestfailed", lambda r: note(f"failed: {r.url}") if r.failure != "net::ERR_ABORTED" else None)

    def same_host(url: str) -> None:
        if urlsplit(url).netloc not in ("", host):
            note(f"foreign host: {url}")

    page.on("request", lambda request: same_host(request.url))
    page.on("websocket", lambda opened: same_host(opened.url))


def axe(page: Page) -> list[str]:
    """Return the accessibility violations of the page as it is now, of any impact."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run()")
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels the page scrolls sideways."""
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return int(width)
