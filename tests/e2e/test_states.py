"""Loading is never empty, unknown is never zero, an error is never emptiness."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open, Serve, Watched, axe

pytestmark = pytest.mark.browser

ZERO = re.compile(r"R\s0[,.]00|No trades|no bots", re.IGNORECASE)


@pytest.mark.parametrize("path", ["/", "/bots", "/trades", "/profits", "/platforms"])
def test_a_slow_server_shows_skeletons_and_no_figures(serve: Serve, open_page: Open, path: str) -> None:
    site = serve()
    site.account.delay_s = 2.5
    page = open_page(site.url + path)
    expect(page.get_by_role("status", name=re.compile("^Loading")).first).to_be_attached()
    expect(page.locator(".skeleton").first).to_be_visible()
    assert ZERO.search(page.locator("main").inner_text()) is None
    assert axe(page) == []
    site.account.delay_s = 0


def test_a_failed_panel_says_why_and_only_it_falls(serve: Serve, open_page: Open, watched: Watched) -> None:
    site = serve()
    site.account.fail = "/api/platforms/summary"
    page = open_page(site.url)
    alert = page.get_by_role("alert").filter(has_text="Could not load the platforms")
    expect(alert).to_be_visible(timeout=20_000)
    expect(alert).to_contain_text("The database does not answer. Try again in a minute.")
    expect(alert).to_contain_text("UNAVAILABLE")
    expect(page.get_by_role("link", name=re.compile("^Realised today"))).to_be_visible()
    assert axe(page) == []
    site.account.fail = ""
    alert.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("link", name="Luno", exact=True)).to_be_visible()
    watched.expect("503", "Failed to load resource")


def test_an_unknown_figure_is_a_dash_with_its_reason(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots?q=Grid 6")
    unknown = page.get_by_role("button", name="Unknown: no ZAR rate for USDT at 14:00")
    expect(unknown).to_have_text(re.compile("^—"))
    unknown.focus()
    expect(page.locator("[role=tooltip]").filter(has_text="no ZAR rate for USDT at 14:00")).to_be_visible()


def test_filters_that_leave_nothing_say_so(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/trades?platform=valr")
    expect(page.get_by_text("No trade passes the filter on platform.")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_text("160 round trips")).to_be_visible()


def test_amounts_hide_with_one_key(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(site.url)
    figures = page.get_by_role("main")
    expect(figures.get_by_text("+R 1 874,11")).to_be_visible()
    page.keyboard.press("h")
    expect(figures.get_by_text("+R 1 874,11")).to_have_count(0)
    page.reload()
    expect(figures.get_by_text("•••••").first).to_be_visible()
    assert "874" not in figures.inner_text()
