"""All eight keys on the real platform in a browser: five twins, and a server for the assistant's three."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from amarktai.bootstrap.twins import TWINS, made_up_account, running_twin
from amarktai.domain.provider import Credentials, ProviderId
from amarktai.providers.registry import load_providers
from tests.e2e.conftest import SIGNED_OUT, Open, Watched
from tests.fakes import HandClock
from tests.processes import EMAIL, PASSWORD, started, until
from tests.providers.stand import KEYS, start_stand
from tools.build_ui import build_ui

pytestmark = pytest.mark.browser

PROVIDERS = {name: desk.provider for name, desk in load_providers(HandClock()).items()}
BINANCE = ProviderId.BINANCE


@dataclass(frozen=True)
class Cast:
    """Who stands in for the providers, by address, and the keys that they accept."""

    urls: dict[str, str]
    keys: dict[ProviderId, Credentials]


@contextmanager
def twins() -> Iterator[Cast]:
    """Run the five twins in a loop of their own, for this test's loop is the browser's."""
    ready, loop = Future[Cast](), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            cast = Cast({}, {})
            for name, kind in TWINS.items():
                owner = made_up_account(name, f"{kind.default_markets[0].quote}=100", "1", ["read", "trade"])
                cast.keys[ProviderId(name)] = Credentials(owner.key, owner.secret, owner.passphrase)
                cast.urls[name] = (await stack.enter_async_context(running_twin(name, accounts=[owner]))).url
            ready.set_result(cast)
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(30)


def test_all_eight_keys_are_saved_tested_and_deleted(
    open_page: Open, watched: Watched, tmp_path: Path
) -> None:
    build_ui()
    stand, stop = start_stand()
    with twins() as cast:
        cast.urls.update({name: url for name, url in stand.base_urls().items() if name not in cast.urls})
        keys = {**KEYS, **cast.keys}
        # Signing in is a proof that has to last here; that it ends is tested in test_keys.py.
        with started(
            tmp_path / "home",
            AMARKTAI_PROVIDER_URLS=json.dumps(cast.urls),
            AMARKTAI_STEP_UP_MINUTES="60",
        ) as platform:
            until(platform.is_ready, "the platform is ready")
            page = open_page(f"{platform.url}/login")
            page.get_by_label("E-mail").fill(EMAIL)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", level=1, name="Start a paper bot")).to_be_visible()
            page.goto(f"{platform.url}/keys")
            for provider, key in keys.items():
                _add(page, provider, key)
            _gain_the_right_to_withdraw(page, cast)
            for provider in keys:
                _delete(page, provider)
            expect(page.get_by_text("Not configured")).to_have_count(8)
            page.close()
    stop()
    watched.expect(SIGNED_OUT)


def _open(page: Page, provider: ProviderId) -> None:
    page.get_by_role("button", name=PROVIDERS[provider].display_name, exact=True).click()


def _add(page: Page, provider: ProviderId, key: Credentials) -> None:
    _open(page, provider)
    drawer = page.get_by_role("dialog", name=PROVIDERS[provider].display_name)
    expect(drawer.get_by_text("STAND-IN")).to_be_visible()
    for field in PROVIDERS[provider].fields:
        drawer.get_by_label(field.label, exact=True).fill(getattr(key, field.name))
    drawer.get_by_role("button", name="Save and test").click()
    expect(drawer.get_by_text("Works", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def _gain_the_right_to_withdraw(page: Page, cast: Cast) -> None:
    """A key that is saved gains a right at the exchange: the next test halts the account."""
    body = {"key": cast.keys[BINANCE].api_key, "permissions": ["read", "trade", "withdraw"]}
    httpx.post(f"{cast.urls[BINANCE]}/_twin/permissions", json=body).raise_for_status()
    page.get_by_role("button", name="Test the key of Binance").click()
    expect(page.get_by_text("Test failed: unsafe")).to_be_visible()
    expect(page.get_by_text("Halted: the key may move money.")).to_be_visible()
    messages = page.get_by_role("region", name="Messages")
    expect(messages).to_contain_text("Binance accepts the key, but it may withdraw money.")


def _delete(page: Page, provider: ProviderId) -> None:
    _open(page, provider)
    name = PROVIDERS[provider].display_name
    page.get_by_role("dialog", name=name).get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog", name=f"Delete the key of {name}").get_by_role(
        "button", name="Delete the key"
    ).click()
    expect(page.get_by_role("button", name="Save and test")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
