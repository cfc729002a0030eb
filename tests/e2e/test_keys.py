"""The API keys screen and the second factor, as a person uses them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from amarktai.domain.provider import KeyTestResult, ProviderId, TestOutcome
from amarktai.ports.keys import AccountState, VenueAccount
from tests.e2e import mock_market as market
from tests.e2e.conftest import SIGNED_OUT, Open, Serve, Watched, axe, overflow
from tests.e2e.serving import Site
from tests.e2e.test_keyboard import tab_to
from tests.e2e.test_live import live, tell
from tests.providers.stand import KEYS

pytestmark = pytest.mark.browser

LUNO = KEYS[ProviderId.LUNO]


def open_keys(open_page: Open, site: Site, path: str = "/keys", **how: object) -> Page:
    page = open_page(site.url + path, **how)
    expect(page.get_by_role("heading", level=1, name="API keys", include_hidden=True)).to_be_attached()
    return page


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_status_is_told_by_a_word_and_a_shape(
    serve: Serve, open_page: Open, theme: str, phone: bool
) -> None:
    site = serve()
    secrets = site.account.secrets
    secrets.save(ProviderId.BINANCE)
    secrets.save(ProviderId.KUCOIN, TestOutcome.WORKS)
    secrets.save(ProviderId.OVEX, TestOutcome.REFUSED)
    secrets.save(ProviderId.VALR, TestOutcome.UNREACHABLE)
    secrets.save(ProviderId.OPENAI, TestOutcome.UNSAFE)
    page = open_keys(open_page, site, theme=theme, phone=phone)
    rows = page.get_by_role("listitem").filter(has=page.locator("img"))
    expect(rows).to_have_count(8)
    words = {
        "Luno": "Not configured",
        "Binance": "Saved, not tested",
        "KuCoin": "Works",
        "OVEX": "Test failed: refused",
        "VALR": "Test failed: not reached",
        "OpenAI": "Test failed: unsafe",
    }
    for name, word in words.items():
        expect(rows.filter(has=page.get_by_role("button", name=name, exact=True))).to_contain_text(word)
    expect(rows.filter(has_text="KuCoin")).to_contain_text("1 warning")
    shapes = {row.locator("svg").first.inner_html() for row in rows.all()}
    assert len(shapes) == 4
    assert axe(page) == [] and overflow(page) == 0
    for provider in ("luno", "kucoin", "valr"):
        page.goto(f"{site.url}/keys?provider={provider}")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert axe(page) == [] and overflow(page) == 0


def test_a_key_is_added_with_the_keyboard_alone_after_a_fresh_proof(
    serve: Serve, open_page: Open, watched: Watched
) -> None:
    site = serve()
    secrets = site.account.secrets
    secrets.fresh = False
    page = open_keys(open_page, site)
    expect(page.get_by_role("button", name="Luno", exact=True)).to_be_visible()
    tab_to(page, "^Luno$")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Luno")
    expect(drawer.get_by_label("Key ID")).to_be_focused()
    page.keyboard.type("short")
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("alert").first).to_contain_text("does not look like one")
    page.keyboard.press("Control+a")
    page.keyboard.type(LUNO.api_key)
    page.keyboard.press("Tab")
    page.keyboard.type(LUNO.api_secret)
    page.keyboard.press("Enter")
    proof = page.get_by_role("dialog", name="Is it you?")
    expect(proof.get_by_label("Your password")).to_be_focused()
    assert axe(page) == []
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(proof.get_by_role("alert")).to_contain_text("The password is wrong.")
    page.keyboard.press("Control+a")
    page.keyboard.type("violet-otter-candle-47")
    page.keyboard.press("Enter")
    expect(drawer.get_by_text("Works", exact=True)).to_be_visible()
    assert secrets.bodies == [{"provider": "luno", "api_key": LUNO.api_key, "api_secret": LUNO.api_secret}]
    assert LUNO.api_secret not in page.content() and LUNO.api_key not in page.content()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Luno", exact=True)).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("It accepts the key.")
    watched.expect("403")


def test_without_the_proof_nothing_changes(serve: Serve, open_page: Open, watched: Watched) -> None:
    site = serve()
    site.account.secrets.save(ProviderId.VALR, TestOutcome.WORKS)
    site.account.secrets.fresh = False
    page = open_keys(open_page, site, "/keys?provider=valr")
    page.get_by_role("button", name="Delete", exact=True).click()
    sure = page.get_by_role("dialog", name="Delete the key of VALR")
    expect(sure).to_contain_text("No bot stops")
    sure.get_by_role("button", name="Delete the key").click()
    page.get_by_role("dialog", name="Is it you?").get_by_role("button", name="Cancel").click()
    expect(sure.get_by_role("alert")).to_contain_text("nothing was changed")
    assert ProviderId.VALR in site.account.secrets.saved
    site.account.secrets.fresh = True
    sure.get_by_role("button", name="Delete the key").click()
    expect(sure).to_have_count(0)
    expect(page.get_by_role("button", name="Save and test")).to_be_visible()
    watched.expect("403")


def test_a_failed_test_is_a_result_with_what_to_do(serve: Serve, open_page: Open) -> None:
    site = serve()
    site.account.secrets.save(ProviderId.LUNO, TestOutcome.WORKS)
    site.account.secrets.result = KeyTestResult(
        TestOutcome.REFUSED, "Luno refused the key: revoked.", "Make a new key.", 31
    )
    page = open_keys(open_page, site, "/keys?provider=luno")
    drawer = page.get_by_role("dialog", name="Luno")
    drawer.get_by_role("button", name="Test now").click()
    expect(drawer.get_by_text("Test failed: refused")).to_be_visible()
    drawer.get_by_role("button", name="Replace").click()
    expect(drawer.get_by_label("Key ID")).to_be_focused()
    drawer.get_by_role("button", name="Keep the present key").click()
    expect(drawer.get_by_label("Key ID")).to_have_count(0)
    drawer.get_by_role("button", name="Replace").click()
    drawer.get_by_label("Key ID").fill(LUNO.api_key)
    drawer.get_by_label("Secret").fill(LUNO.api_secret)
    drawer.get_by_role("button", name="Test without saving").click()
    expect(drawer.get_by_role("status")).to_contain_text("Nothing was saved.")
    expect(drawer.get_by_role("status")).to_contain_text("Make a new key.")
    assert site.account.secrets.bodies == [] and axe(page) == []


def test_a_change_elsewhere_shows_at_once(serve: Serve, open_page: Open) -> None:
    site = serve()
    first, second = open_keys(open_page, site), open_keys(open_page, site)
    for page in (first, second):
        live(page)
    for page in (first, second):
        expect(page.get_by_text("Not configured")).to_have_count(8)
    site.account.secrets.save(ProviderId.LUNO, TestOutcome.WORKS)
    event = {"type": "key_tested", "message": "m", "provider": "luno", "display_name": "Luno"}
    tell(site, event=event)
    for page in (first, second):
        expect(page.get_by_text("Works", exact=True)).to_be_visible()


def test_dangerous_rights_and_a_halted_account_are_told(serve: Serve, open_page: Open) -> None:
    site = serve()
    secrets = site.account.secrets
    luno = ProviderId.LUNO
    assert luno.platform is not None
    secrets.save(luno, TestOutcome.UNSAFE)
    secrets.halted[luno] = VenueAccount(
        luno.platform, AccountState.HALTED, "The key may withdraw money.", market.NOW
    )
    page = open_keys(open_page, site)
    expect(page.get_by_text("Halted: the key may move money.")).to_be_visible()
    page.get_by_role("button", name="Luno", exact=True).click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text("no live order that adds risk goes to Luno. The key may withdraw money.")
    assert axe(page) == []


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_server_in_a_providers_place_is_never_taken_for_it(
    serve: Serve, open_page: Open, phone: bool
) -> None:
    site = serve()
    site.account.secrets.stand_ins[ProviderId.LUNO] = "http://127.0.0.1:8130"
    page = open_keys(open_page, site, phone=phone)
    expect(page.get_by_text("127.0.0.1:8130 answers instead of Luno")).to_be_visible()
    expect(page.get_by_text("STAND-IN")).to_have_count(1)
    assert axe(page) == [] and overflow(page) == 0
    page.get_by_role("button", name="Luno", exact=True).click()
    expect(page.get_by_role("dialog", name="Luno").get_by_text("STAND-IN")).to_be_visible()


def test_viewers_look_and_change_nothing(serve: Serve, open_page: Open) -> None:
    site = serve()
    assert site.account.user is not None
    site.account.user["role"] = "viewer"
    site.account.secrets.save(ProviderId.LUNO, TestOutcome.WORKS)
    page = open_keys(open_page, site, "/keys?provider=luno")
    drawer = page.get_by_role("dialog", name="Luno")
    expect(drawer.get_by_text("Viewers change no keys.")).to_be_visible()
    assert drawer.get_by_role("button").all_inner_texts()[1:] == ["Copy"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^(Test|Add) "))).to_have_count(0)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_second_factor_is_set_up_and_asked_for(
    serve: Serve, open_page: Open, watched: Watched, theme: str
) -> None:
    site = serve()
    page = open_page(f"{site.url}/settings", theme)
    panel = page.get_by_role("region", name="Second factor")
    panel.get_by_role("button", name="Set up an authenticator app").click()
    expect(panel.get_by_alt_text("QR code for your authenticator app")).to_be_visible()
    assert page.evaluate("document.querySelector('main img').naturalWidth") > 0
    assert axe(page) == []
    panel.get_by_label("Code of your authenticator app").fill("123456")
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.get_by_role("listitem")).to_have_count(10)
    assert axe(page) == []
    panel.get_by_role("button", name="I have kept them").click()
    expect(panel.get_by_role("listitem")).to_have_count(0)
    site.account.user = None
    page.goto(f"{site.url}/login")
    page.get_by_label("E-mail").fill("thandi@example.com")
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    code = page.get_by_label("Code of your authenticator app")
    expect(code).to_be_focused()
    assert axe(page) == []
    code.fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong.")
    code.fill("123456")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    watched.expect(SIGNED_OUT)


def test_a_platform_that_is_not_connected_leads_here(serve: Serve, open_page: Open) -> None:
    page = open_page(f"{serve().url}/platforms")
    page.get_by_role("link", name="API key", exact=True).first.click()
    expect(page.get_by_role("dialog", name="OVEX")).to_be_visible()
