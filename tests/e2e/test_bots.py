"""The list of bots as one wants to see it, and a bot's own page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open, Serve, Watched

pytestmark = pytest.mark.browser

BOT = "/bots/00000000-0000-4000-8000-000000000000"


def test_columns_are_chosen_and_stay_in_the_address(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/bots")
    expect(page.get_by_role("img", name=re.compile("realised in 30 days")).first).to_be_visible()
    page.get_by_text("Columns").click()
    page.get_by_label("Fees").check()
    page.get_by_label("Win rate").uncheck()
    expect(page).to_have_url(re.compile("columns=.*fees"))
    page.reload()
    expect(page.get_by_role("columnheader", name="Fees")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Win rate")).to_have_count(0)


def test_a_view_is_saved_under_a_name_and_comes_back(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots?platform=luno&sort=-today")
    expect(page.get_by_text("4 of 12")).to_be_visible()
    page.get_by_text("Views").click()
    page.get_by_label("Name of this view").fill("Luno today")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Luno today", exact=True)).to_be_visible()
    page.goto(f"{site.url}/bots")
    page.get_by_text("Views").click()
    page.get_by_role("button", name="Luno today", exact=True).click()
    expect(page.get_by_text("4 of 12")).to_be_visible()
    expect(page).to_have_url(re.compile("platform=luno.*sort=-today"))


def test_p_pauses_the_bot_that_the_keys_are_on(serve: Serve, open_page: Open) -> None:
    site = serve()
    page = open_page(f"{site.url}/bots?q=ZAR trend 1")
    expect(page.get_by_text("1 of 12")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.get_by_text(re.compile("Paused ZAR trend 1 at"))).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text(re.compile("Resumed ZAR trend 1 at"))).to_be_visible()


def test_parameters_are_checked_saved_and_kept_in_the_history(
    serve: Serve, open_page: Open, watched: Watched
) -> None:
    site = serve()
    page = open_page(f"{site.url}{BOT}?tab=parameters")
    fast = page.get_by_label("fast", exact=True)
    save = page.get_by_role("button", name="Save parameters")
    expect(save).to_have_attribute("aria-disabled", "true")
    fast.fill("1")
    expect(page.get_by_role("alert")).to_have_text("At least 2.")
    fast.fill("13")
    save.click()
    expect(page.get_by_role("alert")).to_contain_text("13 brings bad luck")
    watched.expect("status of 422")
    fast.fill("14")
    save.click()
    expect(page.get_by_text("Changed the parameters of ZAR trend 1")).to_be_visible()
    assert site.account.bots[0]["params"]["fast"] == 14
    page.get_by_role("tab", name="History").click()
    changes = page.get_by_role("group", name="What was changed")
    expect(changes.get_by_text("params fast").first).to_be_visible()
    expect(changes.get_by_text("Thandi").first).to_be_visible()


def test_charts_of_a_bot_point_at_the_same_moment(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}{BOT}")
    drawdown = page.get_by_role("group", name=re.compile("drawdown, at the deepest"))
    drawdown.press("ArrowLeft")
    expect(page.get_by_text(re.compile(r": Drawdown −"))).to_be_visible()
    expect(page.get_by_text(re.compile(r": Equity R"))).to_be_visible()
    expect(page.get_by_text(re.compile(r": Open [\d\s]"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text(re.compile(r": Equity R"))).to_have_count(0)
    page.keyboard.press("o")
    expect(page.get_by_role("tab", name="Orders")).to_have_attribute("aria-selected", "true")
