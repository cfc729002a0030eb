"""Every screen, in both themes and on both widths: accessible, inside its width, and with one heading."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SIGNED_OUT, Open, Serve, Watched, axe, overflow

pytestmark = pytest.mark.browser

BOT = "/bots/00000000-0000-4000-8000-000000000000"
SCREENS = {
    "/": "Overview",
    "/bots": "Bots",
    "/bots?new=true": "Bots",
    BOT: "ZAR trend 1",
    f"{BOT}?tab=trades": "ZAR trend 1",
    f"{BOT}?tab=orders": "ZAR trend 1",
    f"{BOT}?tab=parameters": "ZAR trend 1",
    f"{BOT}?tab=history": "ZAR trend 1",
    "/platforms": "Platforms",
    "/platforms/luno": "Luno",
    "/profits": "Profits",
    "/wallet": "Paper wallet",
    "/accounts": "Accounts",
    "/trades": "Trades",
    "/ledger": "Ledger",
    "/ledger?account=holding:wallet&asset=ZAR": "Ledger",
    "/markets": "Markets",
    "/activity": "Activity",
    "/audit": "Audit",
    "/keys": "API keys",
    "/risk": "Risk",
    "/keys?provider=kucoin": "API keys",
    "/settings": "Settings",
    "/nowhere": "There is nothing at this address",
}


def settled(page: Page, heading: str) -> None:
    """Wait until the screen shows its data and no skeleton."""
    expect(page.get_by_role("heading", level=1, name=heading, include_hidden=True)).to_be_attached()
    expect(page.locator(".skeleton")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_screen_is_accessible_and_keeps_its_width(
    serve: Serve, open_page: Open, theme: str, phone: bool
) -> None:
    site = serve(bots=12, origin="synthetic")
    page = open_page(site.url, theme, phone)
    found: list[str] = []
    for path, heading in SCREENS.items():
        page.goto(site.url + path)
        settled(page, heading)
        found += [f"{path} {problem}" for problem in axe(page)]
        if overflow(page) > 0:
            found.append(f"{path} scrolls sideways by {overflow(page)} px")
        if page.locator("h1").count() != 1:
            found.append(f"{path} has {page.locator('h1').count()} h1")
    assert found == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_screens_of_a_newcomer_are_accessible(serve: Serve, open_page: Open, theme: str) -> None:
    site = serve(bots=0, origin="synthetic")
    page = open_page(site.url, theme)
    expect(page.get_by_role("button", name="Start this paper bot")).to_be_visible()
    found = axe(page)
    for path in ("/bots", "/profits", "/profits?mode=live", "/trades", "/activity"):
        page.goto(site.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        found += [f"{path} {problem}" for problem in axe(page)]
    assert found == []


@pytest.mark.parametrize("path", ["/login", "/invite?token=x"])
def test_pages_before_the_login_are_accessible(
    serve: Serve, open_page: Open, watched: Watched, path: str
) -> None:
    site = serve()
    site.account.user = None
    page = open_page(site.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert axe(page) == []
    watched.expect(SIGNED_OUT)


def test_everything_synthetic_says_so(serve: Serve, open_page: Open) -> None:
    site = serve(bots=12, origin="synthetic")
    page = open_page(site.url)
    expect(page.locator("header").first).to_contain_text("SYNTHETIC")
    for figure in ("Realised today", "Unrealised now", "Realised, all time", "Equity"):
        card = page.locator(".panel").filter(has=page.get_by_role("link", name=figure))
        expect(card.first).to_contain_text("SYNTHETIC")


@pytest.mark.parametrize(("width", "text"), [(320, "100%"), (720, "100%"), (1440, "200%")])
def test_narrow_windows_and_large_text_lose_nothing(
    serve: Serve, open_page: Open, width: int, text: str
) -> None:
    site = serve(bots=12, origin="synthetic")
    page = open_page(site.url)
    page.set_viewport_size({"width": width, "height": 700})
    wide = []
    for path, heading in SCREENS.items():
        page.goto(site.url + path)
        settled(page, heading)
        page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
        if overflow(page) > 0:
            wide.append(f"{path} by {overflow(page)} px")
    assert wide == []
