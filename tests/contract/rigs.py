"""Accounts of the real adapters, opened at twins: what the accounts' contracts are tested on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

from amarktai.bootstrap.twins import running_twin
from amarktai.domain.provider import Credentials
from amarktai.ports.exchange import ExchangeAccount, ExchangeMarket
from amarktai.twins.accounts import Account
from amarktai.twins.server import RunningTwin
from amarktai.venues.account import AccountParts
from amarktai.venues.budget import RequestBudget
from tests.contract.exchange_contract import Rig
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
