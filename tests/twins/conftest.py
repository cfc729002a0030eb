"""One running twin of each kind for the tests, with a market that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Final

import pytest

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Account
from amarktai.twins.server import RunningTwin

D = Decimal
RICH: Final = {
    "ZAR": D(1_000_000), "USDT": D(100_000), "XBT": D(2), "BTC": D(2), "ETH": D(20), "BNB": D(10),
}  # fmt: skip
#: The crowd's book of the tests: a best bid and ask, and what is behind.
BIDS: Final = {D(60_000): D(1), D(59_000): D(2)}
ASKS: Final = {D(60_100): D(1), D(61_000): D(2)}


def account(key: str = "key", **more: object) -> Account:
    """Return an account with some of everything."""
    return Account(key, f"{key}-secret", dict(RICH), passphrase="pass-phrase", **more)  # type: ignore[arg-type]


@pytest.fixture
async def luno() -> AsyncIterator[RunningTwin]:
    async with running_twin("luno", accounts=[account(), account("other")], turn_s=None) as twin:
        twin.control.set_book("XBTZAR", BIDS, ASKS)
        twin.control.crowd_takes("XBTZAR", "sell", D("0.001"))
        yield twin


@pytest.fixture
async def binance() -> AsyncIterator[RunningTwin]:
    async with running_twin("binance", accounts=[account(), account("other")], turn_s=None) as twin:
        twin.control.set_book("BTCUSDT", BIDS, ASKS)
        twin.control.crowd_takes("BTCUSDT", "sell", D("0.001"))
        yield twin


@pytest.fixture
async def kucoin() -> AsyncIterator[RunningTwin]:
    async with running_twin("kucoin", accounts=[account(), account("other")], turn_s=None) as twin:
        twin.control.set_book("BTC-USDT", BIDS, ASKS)
        twin.control.crowd_takes("BTC-USDT", "sell", D("0.001"))
        yield twin


@pytest.fixture
async def valr() -> AsyncIterator[RunningTwin]:
    async with running_twin("valr", accounts=[account(), account("other")], turn_s=None) as twin:
        twin.control.set_book("BTCZAR", BIDS, ASKS)
        twin.control.crowd_takes("BTCZAR", "sell", D("0.001"))
        yield twin
