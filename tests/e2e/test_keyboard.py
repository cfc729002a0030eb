"""The ways that need no pointer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open, Serve

pytestmark = pytest.mark.browser


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element of that name has the focus, and check that the focus can be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "[document.activeElement.getAttribute('aria-label') || document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if re.search(name, str(focused[0])):
            assert focused[1] == "solid", f"the focus on {name} cannot be seen"
            return
    pytest.fail(f"Tab never reached {name}")


def test_the_first_stop_skips_to_the_content(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_trade_is_read_down_to_its_ledger_entries(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/trades")
    expect(page.get_by_text("160 round trips")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Fills")).to_be_visible()
    tab_to(page, "Show the ledger entries")
    page.keyboard.press("Enter")
    expect(page.get_by_text("user:paper:fees:luno:ZAR").first).to_be_visible()


def test_a_bot_is_paused_from_the_list(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots?q=ZAR trend 1")
    expect(page.get_by_text("1 of 12")).to_be_visible()
    tab_to(page, "^Pause ZAR trend 1$")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Paused ZAR trend 1 at"))).to_be_visible()
    assert site.account.bots[0]["status"] == "paused"


def test_the_palette_opens_any_bot(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("scalp 10")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="XRP scalp 10")).to_be_visible()


def test_single_letters_do_nothing_once_switched_off(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/settings")
    switch = page.get_by_role("switch", name="Single-letter shortcuts")
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_chart_is_read_with_the_arrow_keys_and_as_a_table(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    chart = page.get_by_role("group", name=re.compile("equity from"))
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(re.compile(r"Equity R[\s\d,]+, Realised"))).to_be_visible()
    page.get_by_role("button", name="Show as table").first.press("Enter")
    expect(page.get_by_role("columnheader", name="Equity").first).to_be_visible()
