"""Wallet, ledger, profits and trades: every figure opens to what it is made of, at any length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import mock_market as market
from tests.e2e.conftest import Open, Serve

pytestmark = pytest.mark.browser


def test_a_wallets_figure_opens_its_statement(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/wallet")
    conversions = page.get_by_role("group", name="Conversions")
    expect(conversions.get_by_text("luno USDT/ZAR mid")).to_be_visible()
    expect(conversions.get_by_text("18,2412")).to_be_visible()
    page.get_by_role("group", name="What the bots hold").get_by_role(
        "link", name=re.compile("548,21")
    ).first.click()
    expect(page).to_have_url(re.compile("/ledger.*account=holding"))
    statement = page.get_by_role("group", name=re.compile("^Statement of"))
    expect(statement.get_by_role("row")).to_have_count(6)
    page.get_by_role("button", name="Show older lines").click()
    expect(statement.get_by_role("row")).to_have_count(9)


def test_profit_of_a_tax_year_day_by_day(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/profits")
    page.get_by_label("Span").select_option("tax_year")
    expect(page).to_have_url(re.compile("span=tax_year"))
    expect(page.get_by_text("Expectancy a trade")).to_be_visible()
    expect(page.get_by_text("not over yet")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save days as CSV").click()
    assert download.value.suggested_filename == "amarktai-profits-tax_year.csv"
    page.get_by_role("link", name=re.compile(r"^22 Nov: .*trade")).click()
    expect(page).to_have_url(re.compile(r"/trades.*since=.*2026-11-21T22.*until=.*2026-11-22T22"))


def test_keys_of_the_profits_change_mode_and_period(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/profits")
    expect(page.get_by_role("heading", level=1, name="Profits")).to_be_visible()
    expect(page.get_by_role("radio", name="Days")).to_be_checked()
    page.keyboard.press("d")
    expect(page.get_by_role("radio", name="Weeks")).to_be_checked()
    page.keyboard.press("m")
    expect(page.get_by_text("No live trades.")).to_be_visible()


def test_equity_is_compared_with_the_same_money_in_bitcoin(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    page.get_by_role("button", name="Against bitcoin").click()
    expect(page).to_have_url(re.compile("benchmark=true"))
    expect(page.get_by_text("held as bitcoin (luno:BTC/ZAR)")).to_be_visible()
    expect(page.get_by_role("group", name=re.compile("Held as bitcoin it would be"))).to_be_visible()


def test_thousands_of_trades_keep_the_document_small(serve: Serve, open_page: Open) -> None:
    site = serve()
    site.account.trades = [market.trade(i, site.account.bots[i % 12]) for i in range(3_000)]
    page = open_page(f"{site.url}/trades")
    expect(page.get_by_text("3000 round trips")).to_be_visible()
    rows = page.locator("[data-trade]")
    expect(rows.first).to_be_visible()
    # Some screens further down each time, until the last page has been read.
    for _ in range(60):
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(80)
        assert rows.count() <= 80
    last = page.locator(f"[data-trade='{site.account.trades[-1]['id']}']")
    expect(last).to_be_visible()
    last.get_by_role("button").first.click()
    expect(page.get_by_role("group", name="Fills")).to_be_visible()
    page.evaluate("window.scrollTo(0, 0)")
    expect(page.locator(f"[data-trade='{site.account.trades[0]['id']}']")).to_be_visible()


def test_a_charts_figures_are_saved_as_csv(serve: Serve, open_page: Open) -> None:
    page = open_page(serve().url)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").first.click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Time (UTC),Equity,Realised,Unrealised" and len(lines) == 182
    assert "104 003,76" in lines[-1].replace("\xa0", " "), "the curve ends at the figure beside it"
