"""What the server says is on screen without a reload; what it cannot say is not made up."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import mock_market as market
from tests.e2e.conftest import Open, Serve, Watched, axe
from tests.e2e.serving import Site

pytestmark = pytest.mark.browser


def tell(site: Site, **command: Any) -> None:
    httpx.post(f"{site.url}/mock", json=command).raise_for_status()


def live(page: Page) -> None:
    expect(page.locator("[data-connection=live]")).to_be_visible()


def test_a_bot_paused_elsewhere_is_paused_here(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots")
    live(page)
    row = page.get_by_role("row").filter(has_text="ZAR trend 1 ").first
    expect(row).to_contain_text("Running")
    paused = site.account.bots[0] | {"status": "paused"} | market.abilities("paused")
    tell(site, event={"type": "bot_paused", "message": "ZAR trend 1 was paused", "bot": paused})
    expect(page.locator(f"[data-row='{paused['id']}']")).to_contain_text("Paused")


def test_activity_grows_by_itself_and_can_be_held(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/activity")
    live(page)
    tell(site, event={"type": "alert", "message": "Something happened", "severity": "info"})
    expect(page.get_by_role("listitem").filter(has_text="Something happened")).to_be_visible()
    page.get_by_role("button", name="Hold still").click()
    tell(site, event={"type": "alert", "message": "Something else", "severity": "info"})
    page.get_by_role("button", name="1 new: show").click()
    expect(page.get_by_role("listitem").filter(has_text="Something else")).to_be_visible()


def test_new_trades_wait_behind_a_bar(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/trades")
    live(page)
    trade = market.trade(999, site.account.bots[0])
    site.account.trades.insert(0, trade)
    tell(
        site,
        event={
            "type": "trade_executed",
            "message": "",
            "bot_id": trade["bot_id"],
            "fill": {},
            "trade": trade,
        },
    )
    page.get_by_role("button", name=re.compile("1 new trade")).click()
    expect(page.locator(f"[data-trade='{trade['id']}']")).to_be_visible()


def test_stop_all_stops_at_once_and_says_what_it_did(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(site.url)
    live(page)
    page.keyboard.press("Control+Shift+Period")
    said = r"Stopped at \d\d:\d\d:\d\d\. Bots are paused, open positions stay open\."
    expect(page.get_by_text(re.compile(said))).to_be_visible()
    assert all(bot["status"] != "active" for bot in site.account.bots)
    page.get_by_role("button", name="Stopped").click()
    dialog = page.get_by_role("dialog", name="Emergency stop")
    expect(dialog.get_by_text("Your bots, since")).to_be_visible()
    assert axe(page) == []
    dialog.get_by_role("button", name="Release").click()
    expect(page.get_by_role("button", name="Stop all")).to_be_visible()
    assert site.account.stops == [] and all(bot["status"] != "active" for bot in site.account.bots)


def test_a_lost_connection_is_said_and_comes_back(serve: Serve, open_page: Open, watched: Watched) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots")
    live(page)
    page.context.set_offline(True)
    tell(site, drop_sockets=True)
    expect(page.locator("[data-connection=offline]")).to_contain_text("Reconnecting, data")
    expect(page.get_by_text("Last known the bots")).to_be_visible()
    button = page.get_by_role("button", name="Pause ZAR trend 1")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.context.set_offline(False)
    live(page)
    expect(button).not_to_have_attribute("aria-disabled", "true")
    watched.expect("WebSocket", "ERR_INTERNET_DISCONNECTED", "failed: ")


def test_a_newer_build_on_the_server_offers_a_reload(serve: Serve, open_page: Open) -> None:
    site = serve()
    site.account.served_sha = "fffffffffff0"
    page = open_page(site.url)
    expect(page.get_by_role("button", name="Update available: reload")).to_be_visible()


def test_the_same_build_offers_none(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    live(page)
    expect(page.get_by_text("Dashboard")).to_be_visible()
    expect(page.get_by_role("button", name="Update available: reload")).to_have_count(0)
