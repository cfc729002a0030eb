"""``amarktai venue check`` against the exchanges' twins: everything passes, and what is broken is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.bootstrap.twins import TWINS, running_twin
from amarktai.bootstrap.venue_check import KEY_PARTS, Wanted, check_venue, usual_symbol
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Platform
from amarktai.domain.provider import Credentials
from amarktai.services.venue_check import CheckItem, Outcome
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.server import RunningTwin
from amarktai.venues.spec import load_specs
from tests.fakes import HandClock, SeededIds, SeededRng

KEY = Credentials("key-of-a-twin", "secret-of-a-twin", "passphrase")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@asynccontextmanager
async def twin_of(platform: Platform, clock: HandClock) -> AsyncIterator[RunningTwin]:
    market = TWINS[platform].default_markets[0]
    funds = {market.base: Decimal(10), market.quote: Decimal(1_000_000)}
    owner = Account(
        KEY.api_key, KEY.api_secret, funds, passphrase=KEY.passphrase if platform is Platform.KUCOIN else ""
    )
    async with running_twin(platform, accounts=[owner], clock=clock, turn_s=None) as twin:
        yield twin


async def check(wanted: Wanted, clock: HandClock) -> dict[str, CheckItem]:
    """Return the items by name, with time going on."""

    async def collect() -> list[CheckItem]:
        return [item async for item in check_venue(wanted, clock, SeededIds(clock))]

    task = asyncio.create_task(collect())
    async with asyncio.timeout(60):
        while not task.done():
            clock.advance(0.05)
            await asyncio.sleep(0.001)
    return {item.name: item for item in task.result()}


@pytest.mark.parametrize("platform", [Platform(name) for name in TWINS])
async def test_every_item_passes_at_a_twin(platform: Platform, clock: HandClock) -> None:
    async with twin_of(platform, clock) as twin:
        wanted = Wanted(platform, usual_symbol(platform), KEY, twin.url, places_an_order=True)
        items = await check(wanted, clock)
        failed = [f"{item.name}: {item.detail}" for item in items.values() if item.outcome is Outcome.FAILED]
        assert failed == []
        assert len(items) >= 13
        assert not twin.twin.exchange.live_orders(KEY.api_key)


async def test_what_fails_is_said_and_the_rest_goes_on(clock: HandClock) -> None:
    async with twin_of(Platform.LUNO, clock) as twin:
        twin.control.set_rights(KEY.api_key, permissions=frozenset({Permission.READ}))
        twin.control.arm("server_error", "fills", count=None)
        wanted = Wanted(Platform.LUNO, "BTC/ZAR", KEY, twin.url, places_an_order=True)
        items = await check(wanted, clock)
    assert items["fills"].outcome is Outcome.FAILED
    assert "HTTP 5" in items["fills"].detail
    assert items["order history"].outcome is Outcome.PASSED
    assert items["placing an order"].outcome is Outcome.FAILED
    assert "cancelling it" not in items


async def test_without_a_key_only_what_is_public_is_looked_at(clock: HandClock) -> None:
    async with twin_of(Platform.LUNO, clock) as twin:
        items = await check(Wanted(Platform.LUNO, "BTC/ZAR", None, twin.url), clock)
    assert set(items) == {"markets", "clock", "quotes", "order book", "public trades", "candles"}
    assert items["clock"].outcome is Outcome.ABSENT
    assert items["candles"].outcome is Outcome.ABSENT


async def test_a_market_that_is_not_listed_is_refused_with_the_ones_that_are(clock: HandClock) -> None:
    async with twin_of(Platform.LUNO, clock) as twin:
        with pytest.raises(InvalidInput) as refused:
            await check(Wanted(Platform.LUNO, "DOGE/ZAR", None, twin.url), clock)
    assert "BTC/ZAR" in refused.value.action


def test_every_exchange_is_asked_for_the_parts_of_its_key() -> None:
    assert set(KEY_PARTS) == set(Platform)


async def test_every_exchange_opens_under_one_budget(clock: HandClock) -> None:
    exchanges = Exchanges(clock, SeededRng())
    for platform, spec in load_specs().items():
        market = exchanges.open_market(platform)
        account = exchanges.open_account(platform, KEY, spec.instruments)
        assert market.platform is account.platform is platform
        assert exchanges.budget(platform) is exchanges.budget(platform)
        await account.close()
        await market.close()
    assert exchanges.public_budget(Platform.LUNO) is exchanges.budget(Platform.LUNO)
    assert exchanges.public_budget(Platform.VALR) is not exchanges.budget(Platform.VALR)
