"""Photograph a running platform for the README: overview, one bot, and the overview on a phone.

``AMARKTAI_ADMIN_EMAIL`` and ``AMARKTAI_ADMIN_PASSWORD`` sign in; nothing is changed there. What the
pictures show is what that platform holds: nothing is staged, and sandbox prices say SYNTHETIC.

Usage: python -m tools.screenshots [--url http://127.0.0.1:8000] [--to docs/images]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.serving import FLAGS, NoBrowser, find_chromium
from tools.build_ui import ROOT

PATIENCE_MS: Final = 60_000
#: A page that newcomers load first must not be heavy.
LARGEST_BYTES: Final = 200_000
DESK: Final[Any] = {"width": 1280, "height": 800}
PHONE: Final[Any] = {"width": 390, "height": 844}


def sign_in(browser: Browser, url: str) -> Any:
    """Return the browser's state after signing in with the administrator of the environment."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(os.environ["AMARKTAI_ADMIN_EMAIL"])
    page.get_by_label("Password").fill(os.environ["AMARKTAI_ADMIN_PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Screens").first).to_be_visible(timeout=PATIENCE_MS)
    state = page.context.storage_state()
    page.context.close()
    return state


def busiest_bot(page: Page) -> str:
    """Return the id of the bot with the most trades. Raises: LookupError without any bot."""
    bots = page.evaluate("fetch('/api/bots').then((answer) => answer.json())")["items"]
    if not bots:
        raise LookupError("This platform has no bot to show. Start one first.")
    return str(max(bots, key=lambda bot: bot["total_trades"])["id"])


def photograph(
    browser: Browser,
    state: Any,
    url: str,
    file: Path,
    *,
    theme: Literal["dark", "light"],
    phone: bool = False,
) -> None:
    """Save one screen once its data is there. Raises: ValueError when the picture is too large."""
    viewport = PHONE if phone else DESK
    page = browser.new_page(
        viewport=viewport, color_scheme=theme, has_touch=phone, storage_state=state, reduced_motion="reduce"
    )
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    expect(page.locator("[data-connection=live]")).to_be_attached(timeout=PATIENCE_MS)
    expect(page.locator("canvas").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE_MS)
    page.screenshot(path=file, animations="disabled")
    page.context.close()
    size = file.stat().st_size
    print(f"{file.name}: {size / 1000:.0f} kB")
    if size > LARGEST_BYTES:
        raise ValueError(f"{file} has {size:,} bytes, over {LARGEST_BYTES:,}")


def take(url: str, folder: Path) -> None:
    """Take every picture of the README."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(FLAGS))
        state = sign_in(browser, url)
        page = browser.new_page(storage_state=state)
        page.goto(url)
        bot = f"{url}/bots/{busiest_bot(page)}"
        photograph(browser, state, url, folder / "overview.png", theme="dark")
        photograph(browser, state, bot, folder / "bot.png", theme="light")
        photograph(browser, state, url, folder / "phone.png", theme="dark", phone=True)
        browser.close()


def main() -> int:
    """Take the pictures; say what to do when it cannot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    missing = [name for name in ("AMARKTAI_ADMIN_EMAIL", "AMARKTAI_ADMIN_PASSWORD") if name not in os.environ]
    if missing:
        print(f"Set {' and '.join(missing)}: they sign in at {given.url}.", file=sys.stderr)
        return 1
    try:
        take(given.url.rstrip("/"), given.to)
    except (NoBrowser, LookupError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
