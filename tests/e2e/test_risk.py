"""The Risk screen and the live switch as an admin uses them: nothing starts by accident."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from amarktai.domain.readiness import Name
from amarktai.domain.risk_limits import LimitKind
from tests.e2e.conftest import Open, Serve, Watched, axe, overflow
from tests.e2e.mock_modes import limit, trip
from tests.e2e.serving import Site

pytestmark = pytest.mark.browser
WORDS = "CONFIRM_LIVE_TRADING"


@pytest.fixture
def site(serve: Serve) -> Site:
    site = serve(bots=2)
    site.account.secrets.fresh = True
    return site


def open_risk(open_page: Open, site: Site, **how: object) -> Page:
    page = open_page(f"{site.url}/risk", **how)
    expect(page.get_by_role("heading", level=1, name="Risk", include_hidden=True)).to_be_attached()
    return page


def dialog(page: Page) -> Locator:
    page.get_by_role("button", name="Go live").click()
    return page.get_by_role("dialog", name="Trade with real money")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_check_says_what_it_found_and_how_it_turns_green(
    site: Site, open_page: Open, phone: bool
) -> None:
    site.account.modes.open = {Name.BACKUP, Name.KEYS}
    page = open_risk(open_page, site, phone=phone)
    gate = page.get_by_role("region", name="Live gate")
    expect(gate).to_contain_text(f"2 of {len(Name)} checks are open")
    expect(gate.locator("[data-check]")).to_have_count(len(Name))
    expect(gate.locator("[data-met=false]")).to_have_count(2)
    expect(gate.locator("[data-check=backup]")).to_contain_text("Do it.")
    assert axe(page) == [] and overflow(page) == 0


def test_with_an_open_check_nothing_is_sent_and_the_button_says_why(site: Site, open_page: Open) -> None:
    site.account.modes.open = {Name.BACKUP}
    asked = dialog(open_risk(open_page, site))
    asked.get_by_label(f"Type {WORDS}").fill(WORDS)
    start = asked.get_by_role("button", name="Start trading real money")
    expect(start).to_have_attribute("title", f"1 of {len(Name)} checks are open.")
    start.click(force=True)
    assert site.account.modes.mode.base == "paper"


def test_the_words_are_typed_and_enter_sends_nothing(site: Site, open_page: Open) -> None:
    page = open_risk(open_page, site)
    asked = dialog(page)
    expect(asked).to_contain_text("You have no live bot yet")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    start = asked.get_by_role("button", name="Start trading real money")
    expect(start).to_have_attribute("aria-disabled", "true")
    field = asked.get_by_label(f"Type {WORDS}")
    field.fill(WORDS)
    field.press("Enter")
    expect(start).not_to_have_attribute("aria-disabled", "true")
    assert site.account.modes.mode.base == "paper" and axe(page) == []


def test_live_shows_everywhere_at_once_and_paper_is_one_click_away(site: Site, open_page: Open) -> None:
    page = open_risk(open_page, site)
    other = open_page(f"{site.url}/bots")
    band = other.get_by_role("banner")
    expect(band).to_contain_text("PAPER")
    asked = dialog(page)
    asked.get_by_label(f"Type {WORDS}").fill(WORDS)
    asked.get_by_role("button", name="Start trading real money").click()
    expect(asked).to_be_hidden()
    for shown in (page, other):
        expect(shown.locator("header[data-mode=live]")).to_contain_text("LIVE: real money")
    expect(other).to_have_title("LIVE · Amarktai")
    page.get_by_role("button", name="Switch to paper").click()
    for shown in (page, other):
        expect(shown.locator("header[data-mode=paper]")).to_contain_text("PAPER")


def test_an_old_proof_is_asked_for_anew(site: Site, open_page: Open, watched: Watched) -> None:
    site.account.secrets.fresh = False
    page = open_risk(open_page, site)
    asked = dialog(page)
    asked.get_by_label(f"Type {WORDS}").fill(WORDS)
    asked.get_by_role("button", name="Start trading real money").click()
    expect(page.get_by_role("dialog", name="Is it you?")).to_be_visible()
    watched.expect("403")
    assert site.account.modes.mode.base == "paper"


def test_autopilot_says_that_it_trades_on_paper(site: Site, open_page: Open) -> None:
    page = open_risk(open_page, site)
    page.get_by_role("button", name="Switch to autopilot").click()
    band = page.get_by_role("banner")
    expect(band).to_contain_text("AUTOPILOT: simulated money")
    expect(band).to_contain_text("until the live gate is passed")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_limits_show_how_much_is_used_and_which_let_nothing_enter(
    site: Site, open_page: Open, phone: bool
) -> None:
    site.account.modes.limits = [
        limit(LimitKind.EXPOSURE, "50000.00000000", used="12500.00"),
        limit(LimitKind.DAILY_LOSS, "500", used="512.40", spent=True, scope="user"),
        limit(LimitKind.DRAWDOWN, "15", used=None, spent=True, scope="user"),
        limit(LimitKind.ALLOWED_PAIRS, None, names=["BTC/ZAR"], used=None, scope="user"),
    ]
    page = open_risk(open_page, site, phone=phone)
    rows = page.get_by_role("region", name="Limits").locator("tr[data-kind]")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("Exposure in all")
    expect(rows.nth(0)).to_contain_text("R\u00a012\u00a0500,00")
    expect(rows.nth(1)).to_contain_text("reached: nothing enters")
    expect(rows.nth(2)).to_contain_text("not known: nothing enters")
    expect(rows.nth(3)).to_contain_text("BTC/ZAR")
    assert axe(page) == [] and overflow(page) == 0


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_breaker_says_why_it_tripped_and_is_reset_with_a_reason(
    site: Site, open_page: Open, watched: Watched, phone: bool
) -> None:
    page = open_risk(open_page, site, phone=phone)
    part = page.get_by_role("region", name="Circuit breakers")
    expect(part).to_contain_text("Nothing is tripped on simulated money.")
    tomorrow = site.account.modes.mode.updated_at + timedelta(hours=5)
    site.account.modes.trips = [
        trip(LimitKind.CONSECUTIVE_LOSSES, "the user's losses in a row is 5, the limit is 5"),
        trip(
            LimitKind.DAILY_LOSS, "everybody's loss of today is R 512.40, the limit is R 500.00",
            id=UUID(int=9), entity_type="everybody", entity_id=None, resets_at=tomorrow,
        ),
    ]  # fmt: skip
    event = {"type": "circuit_breaker_tripped", "message": "Circuit breaker", "tripped": True}
    httpx.post(f"{site.url}/mock", json={"event": event}).raise_for_status()
    expect(part.locator("[data-breaker]")).to_have_count(2)
    streak = part.locator("[data-breaker=consecutive_losses]")
    expect(streak).to_contain_text("nothing enters until a person resets it")
    expect(streak).to_contain_text("losses in a row is 5, the limit is 5. Exits still leave.")
    assert axe(page) == [] and overflow(page) == 0
    streak.get_by_role("button", name="Reset").click()
    asked = page.get_by_role("dialog", name="Reset a circuit breaker")
    expect(asked.get_by_role("button", name="Reset")).to_have_attribute("aria-disabled", "true")
    asked.get_by_label("Why entries may go on").fill("Looked at every trade.")
    assert axe(page) == []
    asked.get_by_role("button", name="Reset").click()
    expect(asked).to_be_hidden()
    expect(part.locator("[data-breaker]")).to_have_count(1)
    part.get_by_text("Tripped before: 1").click()
    expect(part).to_contain_text("Reset by a person")
    part.locator("[data-breaker=daily_loss_zar]").get_by_role("button", name="Reset").click()
    asked.get_by_label("Why entries may go on").fill("Now.")
    asked.get_by_role("button", name="Reset").click()
    expect(asked).to_contain_text("The loss is still there.")
    watched.expect("409")


def test_a_limit_is_set_and_removed(site: Site, open_page: Open) -> None:
    page = open_risk(open_page, site)
    part = page.get_by_role("region", name="Limits")
    expect(part).to_contain_text("No limit is set.")
    part.get_by_label("Binds").select_option("everybody")
    part.get_by_label("At most, R").fill("1 500,50")
    part.get_by_role("button", name="Set limit").click()
    expect(part.locator("tr[data-kind=daily_loss_zar]")).to_contain_text("R\u00a01\u00a0500,50")
    part.get_by_role("button", name="Remove: Loss of a day").click()
    expect(part).to_contain_text("No limit is set.")
