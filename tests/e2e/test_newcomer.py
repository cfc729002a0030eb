"""From the first page to a running paper bot: at most five clicks, by keyboard too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SIGNED_OUT, Open, Serve, Watched

pytestmark = pytest.mark.browser

COUNT_CLICKS = "window.clicks = 0; addEventListener('click', (e) => { if (e.detail) clicks += 1 }, true)"


def test_setup_to_a_running_bot_takes_two_clicks(serve: Serve, open_page: Open, watched: Watched) -> None:
    site = serve(bots=0, origin="synthetic")
    site.account.user, site.account.setup_needed = None, True
    page = open_page(f"{site.url}/setup?token=from-the-terminal")
    page.evaluate(COUNT_CLICKS)
    page.get_by_label("Your name").fill("Thandi")
    page.get_by_label("E-mail").fill("thandi@example.com")
    page.get_by_label("Password").fill("a long enough sentence")
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.get_by_text("labelled SYNTHETIC wherever they appear")).to_be_visible()
    page.get_by_role("button", name="Start this paper bot").click()
    expect(page.get_by_role("heading", level=1, name="EMA cross 1")).to_be_visible()
    expect(page.get_by_text("Running").first).to_be_visible()
    assert page.evaluate("clicks") == 2
    assert site.account.funded == 100_000
    watched.expect(SIGNED_OUT)


def test_setup_by_keyboard_alone(serve: Serve, open_page: Open, watched: Watched) -> None:
    site = serve(bots=0)
    site.account.user, site.account.setup_needed = None, True
    page = open_page(f"{site.url}/setup?token=t")
    page.get_by_label("Your name").focus()
    for text in ("Thandi", "thandi@example.com", "a long enough sentence"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("Password").press("Enter")
    start = page.get_by_role("button", name="Start this paper bot")
    expect(start).to_be_visible()
    for _ in range(40):
        if start.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="EMA cross 1")).to_be_visible()
    watched.expect(SIGNED_OUT)


def test_a_short_password_is_refused_in_words_before_anything_is_sent(
    serve: Serve, open_page: Open, watched: Watched
) -> None:
    site = serve(bots=0)
    site.account.user, site.account.setup_needed = None, True
    page = open_page(f"{site.url}/setup?token=t")
    page.get_by_label("Your name").fill("Thandi")
    page.get_by_label("E-mail").fill("thandi@example.com")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.get_by_role("alert")).to_have_text("Use at least 12 characters.")
    assert site.account.setup_needed
    watched.expect(SIGNED_OUT)


def test_the_address_asked_for_opens_after_signing_in(
    serve: Serve, open_page: Open, watched: Watched
) -> None:
    site = serve()
    site.account.user = None
    page = open_page(f"{site.url}/trades?status=open")
    page.get_by_label("E-mail").fill("thandi@example.com")
    page.get_by_label("Password").fill("a long enough sentence")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/trades\?status=open$"))
    watched.expect(SIGNED_OUT)


def test_a_new_bot_in_three_steps(serve: Serve, open_page: Open) -> None:
    site = serve(bots=3)
    page = open_page(f"{site.url}/bots")
    expect(page.get_by_text("3 of 3")).to_be_visible()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New paper bot")
    dialog.get_by_text("RSI reversion").click()
    dialog.get_by_role("button", name="Next: market").click()
    dialog.get_by_text("ETH/ZAR").click()
    dialog.get_by_role("button", name="Next: money").click()
    dialog.get_by_label("Name").fill("Mine")
    dialog.get_by_label("Paper money for it, in rand").fill("5 000,50")
    expect(dialog.get_by_text("One position uses at most 30 % of its money")).to_contain_text("R 1 500,15")
    dialog.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", level=1, name="Mine")).to_be_visible()
    assert site.account.bots[-1]["capital_zar"] == "5000.50"
