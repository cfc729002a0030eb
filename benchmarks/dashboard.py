"""The dashboard in a real browser under load: stream, interactions, memory, lost connections, long lists.

The built dashboard runs in Chromium on the tests' stand-in for the API, whose socket sends what this file
asks for; the newcomer's path runs on the whole platform with the sandbox market. A busy machine makes long
tasks of short ones: run it when nothing else runs.

Usage: python -m benchmarks.dashboard [--seconds 60] [--events 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.limits import Limits
from tests.e2e import mock_market as market
from tests.e2e.mock_api import Account, create_app
from tests.e2e.serving import FLAGS, find_chromium, serving
from tests.processes import EMAIL, PASSWORD, started, until
from tools.build_ui import build_ui

UPDATES_PER_S: Final = 1_000
FRAMES_PER_S: Final = 50
#: Of fifty events one is kept and numbered; the others are prices, which follow each other.
PRICES_TO_AN_EVENT: Final = 49
WARM_UP_EVENTS: Final = 50_000
TRADES: Final = 5_000
#: As long as a restart with migrations takes.
AWAY_S: Final = 10.0
PATIENCE_MS: Final = 60_000
INSTRUMENTS: Final = [
    f"{name}:{base}/{quote}" for name, rows in market.MARKETS.items() for base, quote, _ in rows
]

LONG_TASKS: Final = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask" });
}"""
INTERACTIONS: Final = """() => {
  window.interactions = new Map();
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries())
      if (interactionId)
        interactions.set(interactionId, Math.max(duration, interactions.get(interactionId) ?? 0));
  }).observe({ type: "event", durationThreshold: 16 });
}"""
COUNT_CLICKS: Final = (
    "window.clicks = 0; addEventListener('click', (e) => { if (e.detail) clicks += 1 }, true)"
)


def price_frame(step: int, count: int) -> dict[str, Any]:
    """Return a frame with ``count`` new prices: the mock's markets, then others that no screen shows."""
    prices = {}
    for place in range(count):
        name = INSTRUMENTS[place % len(INSTRUMENTS)]
        prices[name if place < len(INSTRUMENTS) else f"{name}#{place}"] = [
            f"{1_900_000 + (step * 7 + place) % 9_000}.00",
            1_795_348_929_000 + step,
        ]
    return {"type": "prices", "prices": prices}


async def send(account: Account, frame: dict[str, Any]) -> None:
    for socket in list(account.sockets):
        await socket.send_json(frame)


async def push_event(account: Account, number: int) -> None:
    """Send one numbered event: a bot that changed, a trade that nobody has seen, a profit, or an alert."""
    bot = account.bots[number % len(account.bots)]
    if number % 4 == 0:
        await account.push("bot_updated", message=f"{bot['name']} decided", bot=bot)
    elif number % 4 == 1:
        trade = market.trade(TRADES + number, bot)
        await account.push("trade_executed", message="", bot_id=bot["id"], fill={}, trade=trade)
    elif number % 4 == 2:
        await account.push("profit_updated", message="", bot_id=bot["id"])
    else:
        await account.push("alert", message=f"Note {number}", severity="info")


def load_routes(account: Account) -> APIRouter:
    """Return what makes the mock's socket busy."""
    api = APIRouter(prefix="/load")

    @api.post("/stream")
    async def stream(seconds: float) -> int:
        sent, begun = 0, time.monotonic()
        while (spent := time.monotonic() - begun) < seconds:
            while sent < spent * UPDATES_PER_S:
                await send(account, price_frame(sent, UPDATES_PER_S // FRAMES_PER_S))
                sent += UPDATES_PER_S // FRAMES_PER_S
            await asyncio.sleep(1 / FRAMES_PER_S)
        return sent

    @api.post("/events")
    async def events(count: int) -> int:
        for number in range(count // (PRICES_TO_AN_EVENT + 1)):
            await send(account, price_frame(number, PRICES_TO_AN_EVENT))
            await push_event(account, number)
        return account.seq

    return api


def loaded_app() -> FastAPI:
    app = create_app(12)
    account: Account = app.state.account
    account.trades = [market.trade(i, account.bots[i % len(account.bots)]) for i in range(TRADES)]
    app.include_router(load_routes(account))
    return app


class Foreign:
    """Requests that a page made to anybody but its own server."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def watch(self, page: Page, host: str) -> None:
        def note(url: str) -> None:
            if urlsplit(url).netloc not in ("", host):
                self.urls.append(url)

        page.on("request", lambda request: note(request.url))
        page.on("websocket", lambda opened: note(opened.url))


@contextmanager
def page_on(browser: Browser, url: str, foreign: Foreign) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    foreign.watch(page, urlsplit(url).netloc)
    page.goto(url)
    yield page
    context.close()


def is_live(page: Page) -> None:
    expect(page.locator("[data-connection=live]")).to_be_visible(timeout=PATIENCE_MS)


def post(url: str, **query: float) -> int:
    return int(httpx.post(url, params=query, timeout=None).raise_for_status().text)


def measure_stream(page: Page, url: str, seconds: float, limits: Limits) -> None:
    page.goto(f"{url}/markets")
    is_live(page)
    expect(page.locator(".skeleton")).to_have_count(0)
    page.evaluate(LONG_TASKS)
    sent = post(f"{url}/load/stream", seconds=seconds)
    tasks = page.evaluate("longTasks")
    limits.at_least("updates streamed", sent / seconds, UPDATES_PER_S * 0.99, "/s")
    worst = f", the worst {max(tasks):.0f} ms" if tasks else ""
    limits.at_most(f"long tasks over 50 ms in {seconds:g} s of streaming{worst}", len(tasks), 0)


def measure_interactions(
    page: Page, url: str, seconds: float, pool: ThreadPoolExecutor, limits: Limits
) -> None:
    page.goto(f"{url}/trades")
    is_live(page)
    page.evaluate(INTERACTIONS)
    streaming: Future[int] = pool.submit(post, f"{url}/load/stream", seconds=seconds)
    while not streaming.done():
        page.get_by_role("button", name=re.compile("^Fills of the trade")).first.click()
        page.keyboard.press("h")
        page.wait_for_timeout(200)
    times = sorted(page.evaluate("[...interactions.values()]"))
    p98 = statistics.quantiles(times, n=50)[-1] if len(times) > 1 else 0.0
    limits.at_least("interactions over 16 ms seen by the browser", len(times), 2)
    limits.at_most("interaction to next paint while streaming, p98", p98, 100, " ms")


def heap_bytes(page: Page) -> int:
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    used = devtools.send("Runtime.getHeapUsage")["usedSize"]
    devtools.detach()
    return int(used)


def measure_heap(page: Page, url: str, events: int, limits: Limits) -> None:
    page.goto(url)
    is_live(page)
    post(f"{url}/load/events", count=WARM_UP_EVENTS)
    expect(page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE_MS)
    before = heap_bytes(page)
    last = post(f"{url}/load/events", count=events)
    page.wait_for_timeout(3_000)
    grown = (heap_bytes(page) - before) / 1e6
    print(f"heap after the warm-up: {before / 1e6:.1f} MB; last event number {last}")
    limits.at_most(f"heap grown by {events:,} events", grown, 20, " MB")


def measure_list(page: Page, url: str, limits: Limits) -> None:
    page.goto(f"{url}/trades")
    rows = page.locator("[data-trade]")
    expect(rows.first).to_be_visible()
    most = rows.count()
    for _ in range(60):
        page.mouse.wheel(0, 4_000)
        page.wait_for_timeout(50)
        most = max(most, rows.count())
    reached = page.evaluate(
        "Math.max(...[...document.querySelectorAll('tr[aria-rowindex]')].map((r) => r.ariaRowIndex))"
    )
    print(f"scrolled to row {reached} of {TRADES:,}")
    limits.at_most("rows of the trades list in the document", most, 80)


def measure_absence(browser: Browser, foreign: Foreign, limits: Limits) -> None:
    with serving(create_app(12)) as site:
        port = urlsplit(site.url).port or 0
        context = browser.new_context()
        page = context.new_page()
        foreign.watch(page, urlsplit(site.url).netloc)
        page.goto(f"{site.url}/bots")
        is_live(page)
    gone_at = time.monotonic()
    expect(page.locator("[data-connection=offline]")).to_be_visible(timeout=PATIENCE_MS)
    limits.at_most("server gone, said on screen", time.monotonic() - gone_at, 5, " s")
    page.wait_for_timeout(AWAY_S * 1000)
    with serving(create_app(12), port):
        back_at = time.monotonic()
        is_live(page)
        limits.at_most(f"live again after {AWAY_S:g} s without a server", time.monotonic() - back_at, 3, " s")
        context.close()


def measure_newcomer(browser: Browser, foreign: Foreign, limits: Limits) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder) / "home", with_admin=False) as platform,
    ):
        until(platform.is_ready, "the platform is ready")
        begun = time.monotonic()
        with page_on(browser, platform.setup_link() or platform.url, foreign) as page:
            page.evaluate(COUNT_CLICKS)
            page.get_by_label("Your name").fill("Ada")
            page.get_by_label("E-mail").fill(EMAIL)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Create the administrator").click()
            page.get_by_role("button", name="Start this paper bot").click()
            expect(page.get_by_text("Running").first).to_be_visible(timeout=PATIENCE_MS)
            limits.at_most("first page to a running bot", time.monotonic() - begun, 60, " s")
            limits.at_most("clicks to it", page.evaluate("clicks"), 5)


def main() -> int:
    """Measure everything, with the machine's load before and after, for judging the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--events", type=int, default=1_000_000)
    given = parser.parse_args()
    build_ui()
    limits, foreign = Limits(), Foreign()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with sync_playwright() as playwright, ThreadPoolExecutor(1) as pool:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(FLAGS))
        with serving(loaded_app()) as site, page_on(browser, site.url, foreign) as page:
            measure_stream(page, site.url, given.seconds, limits)
            measure_interactions(page, site.url, given.seconds / 2, pool, limits)
            measure_list(page, site.url, limits)
        with serving(loaded_app()) as site, page_on(browser, site.url, foreign) as page:
            measure_heap(page, site.url, given.events, limits)
        measure_absence(browser, foreign, limits)
        measure_newcomer(browser, foreign, limits)
        browser.close()
    limits.at_most("requests to anybody else", len(foreign.urls), 0)
    print(f"load after: {os.getloadavg()[0]:.1f}")
    return limits.exit_code


if __name__ == "__main__":
    sys.exit(main())
