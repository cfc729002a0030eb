"""``amarktai venue check`` against the exchanges' twins: everything passes, and what is broken is said."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
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


async def nothing(item: CheckItem) -> None: ...


async def check(
    wanted: Wanted, clock: HandClock, told: Callable[[CheckItem], Awaitable[None]] = nothing
) -> dict[str, CheckItem]:
    """Return the items by name, with time going on. ``told`` hears of each while the check waits."""

    async def collect() -> list[CheckItem]:
        items = []
        async for item in check_venue(wanted, clock, SeededIds(clock)):
            items.append(item)
            await told(item)
        return items

    task = asyncio.create_task(collect())
    async with asyncio.timeout(60):
        while not task.done():
            clock.advance(0.05)
            await asyncio.sleep(0.001)
    return {item.name: item for item in task.result()}


@pytest.mark.parametrize("platform", [Platform(name) for name in TWINS])
async def test_every_item_passes_at_a_twin(platform: Platform, clock: HandClock) -> None:
    async with twin_of(platform, clock) as twin:
        wanted = Wanted(
            platform, usual_symbol(platform), KEY, twin.url, places_an_order=True, trades_at_market=True
        )
        items = await check(wanted, clock)
        failed = [f"{item.name}: {item.detail}" for item in items.values() if item.outcome is Outcome.FAILED]
        assert failed == []
        assert len(items) >= 19
        if platform is not Platform.OVEX:
            assert "one order is open" in items["placing it again"].detail
            has_stops = platform is not Platform.KUCOIN
            assert ("Then canceled" in items["a stop order"].detail) is has_stops
        assert {"an order past its deadline", "buying at the market", "selling it again"} <= items.keys()
        assert ("a quote left to expire" in items) is (platform is Platform.OVEX)
        assert not twin.twin.exchange.live_orders(KEY.api_key)
        moved = twin.control.balances(KEY.api_key)[TWINS[platform].default_markets[0].quote][0]
        assert 999_990 < moved < 1_000_000  # a spread and two fees


def test_real_orders_need_a_word_from_somebody() -> None:
    command = [sys.executable, "-m", "amarktai", "venue", "check", "luno", "--fill"]
    for more, words in (
        ([], "Add --yes"),
        (["--url", "https://luno.example.org"], "Add --yes"),
        (["--url", "http://luno.example.org"], "clear text"),
        (["--url", "http://127.0.0.1:9"], "The key is not complete"),
    ):
        done = subprocess.run(command + more, input="", capture_output=True, text=True, check=False)
        assert done.returncode == 1 and words in done.stderr + done.stdout, done.stderr


async def test_a_stop_buys_where_there_is_nothing_to_sell(clock: HandClock) -> None:
    owner = Account(KEY.api_key, KEY.api_secret, {"ZAR": Decimal(10_000)})
    async with running_twin("luno", accounts=[owner], clock=clock, turn_s=None) as twin:
        items = await check(Wanted(Platform.LUNO, "BTC/ZAR", KEY, twin.url, places_an_order=True), clock)
    assert items["a stop order"].detail.startswith("buy 0.00011 at 1")


async def test_a_trade_that_is_not_told_leaves_the_balances_unexplained(clock: HandClock) -> None:
    async with twin_of(Platform.LUNO, clock) as twin:

        async def by_hand(item: CheckItem) -> None:
            if item.name == "buying at the market":
                twin.control.deposit(KEY.api_key, "ZAR", Decimal(7))

        wanted = Wanted(Platform.LUNO, "BTC/ZAR", KEY, twin.url, trades_at_market=True)
        items = await check(wanted, clock, by_hand)
    assert items["the balances agree"].outcome is Outcome.FAILED
    assert "ZAR moved by" in items["the balances agree"].detail


async def test_a_buy_whose_answer_is_lost_is_looked_up_and_sold_again(clock: HandClock) -> None:
    async with twin_of(Platform.BINANCE, clock) as twin:
        # The first create of this check is the buy; what is past its deadline never leaves.
        twin.control.arm("drop_reply", "create", count=1)
        wanted = Wanted(Platform.BINANCE, "BTC/USDT", KEY, twin.url, trades_at_market=True)
        items = await check(wanted, clock)
    assert items["buying at the market"].outcome is Outcome.FAILED
    assert "did not answer" in items["buying at the market"].detail
    assert "filled: 0.00" in items["buying at the market"].detail
    assert items["selling it again"].outcome is Outcome.PASSED
    assert items["the balances agree"].outcome is Outcome.PASSED


async def test_a_buy_that_never_arrived_ends_there(clock: HandClock) -> None:
    async with twin_of(Platform.BINANCE, clock) as twin:
        twin.control.arm("drop_request", "create", count=1)
        wanted = Wanted(Platform.BINANCE, "BTC/USDT", KEY, twin.url, trades_at_market=True)
        items = await check(wanted, clock)
        assert twin.control.balances(KEY.api_key)["USDT"][0] == 1_000_000
    assert "it is absent" in items["buying at the market"].detail
    assert "selling it again" not in items


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
