"""A newcomer's whole path on the real platform: API, engine, embedded PostgreSQL and the sandbox market."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SIGNED_OUT, Open, Watched, axe, overflow
from tests.processes import EMAIL, PASSWORD, started, until
from tools.build_ui import build_ui

pytestmark = pytest.mark.browser


def test_from_the_setup_token_to_a_paused_bot_and_its_books(
    open_page: Open, watched: Watched, tmp_path: Path
) -> None:
    build_ui()
    with started(tmp_path / "home", with_admin=False) as platform:
        until(platform.is_ready, "the platform is ready")
        link = platform.setup_link()
        assert link is not None, platform.log.read_text()
        page = open_page(link)
        try:
            _set_up(page)
            _start_the_first_bot(page)
            _pause_it(page)
            _read_the_books(page)
        finally:
            # Before the platform goes, whose absence the page would rightly complain about.
            page.close()
        watched.expect(SIGNED_OUT)


def _set_up(page: Page) -> None:
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the administrator").click()


def _start_the_first_bot(page: Page) -> None:
    start = page.get_by_role("button", name="Start this paper bot")
    expect(page.get_by_text("Prices come from the sandbox market")).to_be_visible()
    start.click()
    expect(page.get_by_role("heading", level=1, name="EMA cross 1")).to_be_visible()
    expect(page.get_by_text("Running").first).to_be_visible()
    expect(page.get_by_text("SYNTHETIC").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Next decision (in|now)"))).to_be_visible()
    candles = page.get_by_role("group", name=re.compile("luno:BTC.ZAR, .* bars of 1m"))
    candles.press("ArrowLeft")
    expect(page.get_by_text(re.compile("Open .*, High .*, Low .*, Close "))).to_be_visible()


def _pause_it(page: Page) -> None:
    page.get_by_role("tab", name="Parameters").click()
    page.get_by_label("fast", exact=True).fill("9999")
    expect(page.get_by_role("alert")).to_contain_text("At most")
    page.get_by_label("fast", exact=True).fill("7")
    page.get_by_role("button", name="Save parameters").click()
    expect(page.get_by_text("Changed the parameters of EMA cross 1")).to_be_visible()
    page.get_by_role("button", name="Pause bot").click()
    expect(page.get_by_role("button", name="Resume bot")).to_be_visible()
    page.get_by_role("tab", name="History").click()
    changes = page.get_by_role("group", name="What was changed")
    for said in ("bot pause", "params fast", "bot created"):
        expect(changes.get_by_text(said)).to_be_visible()


def _read_the_books(page: Page) -> None:
    screens = page.get_by_role("navigation", name="Screens")
    screens.get_by_role("link", name="Trades").click()
    expect(page.get_by_role("heading", level=1, name="Trades")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ round trips$"))).to_be_visible()
    page.get_by_role("link", name="Ledger", exact=True).click()
    expect(page.get_by_text(re.compile("Verified: [2-9][0-9]* entries recomputed"))).to_be_visible()
    expect(page.get_by_text("Capital reserved for EMA cross 1")).to_be_visible()
    screens.get_by_role("link", name="Wallet").click()
    expect(page.get_by_role("link", name=re.compile("R\\s90\\s000,00"))).to_be_visible()
    assert axe(page) == [] and overflow(page) <= 0
    screens.get_by_role("link", name="Profits").click()
    expect(page.get_by_text("Adds up.")).to_be_visible()
    expect(page.get_by_text(re.compile("Ledger reconciled, .* entries checked"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save days as CSV").click()
    heads = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()[0]
    assert heads == "date,realised_zar,running_zar,fees_zar,trades,won,lost"
