"""The Accounts screen as a person uses it: what is trusted, what differs, what is in doubt."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open, Serve, axe, overflow
from tests.e2e.mock_accounts import everything, live_account
from tests.e2e.serving import Site
from tests.e2e.test_live import live, tell

pytestmark = pytest.mark.browser


def open_accounts(open_page: Open, site: Site, **how: object) -> Page:
    page = open_page(f"{site.url}/accounts", **how)
    expect(page.get_by_role("heading", level=1, name="Accounts", include_hidden=True)).to_be_attached()
    return page


@pytest.fixture
def site(serve: Serve) -> Site:
    site = serve(bots=2)
    site.account.live = everything(site.account.bots[0])
    return site


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_everything_that_waits_for_a_person_is_told(
    site: Site, open_page: Open, theme: str, phone: bool
) -> None:
    page = open_accounts(open_page, site, theme=theme, phone=phone)
    luno, ovex = (page.get_by_role("region", name=name, exact=True) for name in ("Luno", "OVEX"))
    expect(luno).to_contain_text("Active: it takes orders")
    expect(luno).to_contain_text("7 orders and 12 executions in 412 ms")
    expect(luno.get_by_role("row", name=re.compile("^BTC"))).to_contain_text("0,0000000089")
    expect(ovex).to_contain_text("It differs: exits only")
    expect(ovex).to_contain_text("unprotected if we are down")
    expect(page.get_by_role("region", name="Differences")).to_contain_text("more than the books say")
    doubt = page.get_by_role("region", name="Orders in doubt", exact=True)
    expect(doubt).to_contain_text("Luno did not answer.")
    expect(page.get_by_role("region", name="Orders by hand", exact=True).first).to_contain_text(
        "luno:BTC/ZAR"
    )
    assert axe(page) == [] and overflow(page) == 0


def test_a_difference_is_explained(site: Site, open_page: Open) -> None:
    page = open_accounts(open_page, site)
    part = page.get_by_role("region", name="Differences")
    part.get_by_label("What was it, at OVEX?").select_option("deposit")
    part.get_by_label("Note").fill("salary")
    part.get_by_role("button", name="Book it so").click()
    expect(part).to_contain_text("all of them are explained")
    expect(part).to_contain_text("deposit: salary")


def test_an_order_in_doubt_is_ended_with_a_note(site: Site, open_page: Open) -> None:
    page = open_accounts(open_page, site)
    part = page.get_by_role("region", name="Orders in doubt", exact=True)
    part.get_by_label("What the exchange's own list says of it").fill("It is not in the list.")
    part.get_by_role("button", name="It is over").click()
    expect(part).to_contain_text("The engine ends it within seconds.")


def test_the_screen_moves_by_itself(site: Site, open_page: Open) -> None:
    page = open_accounts(open_page, site)
    live(page)
    site.account.live["accounts"][0] = live_account(
        "luno", "Luno", condition="degraded", detail="Luno cannot be trusted now: Luno did not answer."
    )
    event = {"type": "account_updated", "message": "Luno did not answer.", "platform": "luno"}
    tell(site, event={**event, "condition": "degraded", "detail": "Luno did not answer."})
    expect(page.get_by_role("region", name="Luno", exact=True)).to_contain_text("Not trusted now: exits only")


def test_without_a_key_it_says_how_an_account_comes_here(serve: Serve, open_page: Open) -> None:
    page = open_accounts(open_page, serve())
    expect(page.get_by_text("once its exchange's key is saved and tested")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Add a key").click()
    expect(page.get_by_role("heading", level=1, name="API keys")).to_be_visible()
