"""The accounts at Luno, Binance and KuCoin keep the contract of exchange accounts, against their twins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Final

import pytest

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.provider import Credentials
from amarktai.ports.exchange import ExchangeAccount, ExchangeMarket
from amarktai.twins.accounts import Account
from amarktai.twins.server import RunningTwin
from amarktai.venues.account import AccountParts
from amarktai.venues.budget import RequestBudget
from amarktai.venues.exchanges.binance import account as binance
from amarktai.venues.exchanges.binance import market as binance_market
from amarktai.venues.exchanges.kucoin import account as kucoin
from amarktai.venues.exchanges.kucoin import market as kucoin_market
from amarktai.venues.exchanges.kucoin.stream import BALANCES, ORDERS
from amarktai.venues.exchanges.luno import account as luno
from amarktai.venues.exchanges.luno import market as luno_market
from tests.contract.exchange_contract import ExchangeContract, Rig
from tests.fakes import HandClock, SeededRng

#: Far more than any test needs: the hand clock stands still, so a wait for room would never end.
WEIGHT_A_MINUTE = 60_000_000


KEY: Final = Credentials("key-of-a-twin", "secret-of-a-twin", "passphrase-of-a-twin")


Opener = Callable[[RunningTwin, AccountParts], ExchangeAccount]


@asynccontextmanager
async def rig_at(
    name: str,
    clock: HandClock,
    names: tuple[str, str, str],
    symbol: str,
    open_market: Callable[[RequestBudget, str], ExchangeMarket],
    open_account: Opener,
) -> AsyncIterator[Rig]:
    """Open an account at a twin. ``names`` are the twin's market, base and quote; ``symbol`` is ours."""
    market, base, quote = names
    funds = {base: Decimal(1_000), quote: Decimal(10_000_000)}
    owner = Account(KEY.api_key, KEY.api_secret, funds, passphrase=KEY.passphrase)
    async with running_twin(name, accounts=[owner], clock=clock, turn_s=None, limits_rates=False) as twin:
        budget = RequestBudget(name, WEIGHT_A_MINUTE, clock)
        public = open_market(budget, twin.url)
        instruments = await public.fetch_instruments()
        await public.close()
        instrument = next(item for item in instruments if item.symbol == symbol)
        parts = AccountParts("test", instruments, [instrument.id], clock, SeededRng(), budget)
        account = open_account(twin, parts)
        try:
            yield Rig(twin, account, budget, clock, KEY.api_key, market, base, quote, instrument)
        finally:
            await account.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def rig(request: pytest.FixtureRequest, clock: HandClock) -> AsyncIterator[Rig]:
    async with request.cls.open_rig(clock) as rig:
        yield rig


class TestLunoAccount(ExchangeContract):
    asset_names = {"BTC": "XBT"}  # noqa: RUF012
    unknown_venue_order_id = "BXUNKNOWN"
    history_operation = "open_orders"  # one route lists both

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "luno",
            clock,
            ("XBTZAR", "XBT", "ZAR"),
            "BTC/ZAR",
            lambda budget, url: luno_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: luno.open_account(
                KEY, parts, base_url=twin.url, stream_url=twin.ws_url + "/api/1"
            ),
        )


class TestBinanceAccount(ExchangeContract):
    instrument_id = "binance:BTC/USDT"
    limit_price = Decimal(60_000)
    unknown_venue_order_id = "999999999"

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "binance",
            clock,
            ("BTCUSDT", "BTC", "USDT"),
            "BTC/USDT",
            lambda budget, url: binance_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: binance.open_account(
                KEY, parts, base_url=twin.url, stream_url=twin.ws_url + "/ws-api/v3"
            ),
        )


class TestKucoinAccount(ExchangeContract):
    """KuCoin listens for an account only once both topics are subscribed."""

    instrument_id = "kucoin:BTC/USDT"
    limit_price = Decimal(60_000)
    unknown_venue_order_id = "000000000000000000000000"

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "kucoin",
            clock,
            ("BTC-USDT", "BTC", "USDT"),
            "BTC/USDT",
            lambda budget, url: kucoin_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: kucoin.open_account(KEY, parts, base_url=twin.url),
        )

    def is_streaming(self) -> bool:
        return any({ORDERS, BALANCES} <= item.topics.keys() for item in self.rig.twin.twin.connections)
