"""What the accounts' contracts share: a clock that stands still, and the account of the test's class."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.exchange_contract import Rig
from tests.fakes import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def rig(request: pytest.FixtureRequest, clock: HandClock) -> AsyncIterator[Rig]:
    async with request.cls.open_rig(clock) as rig:
        yield rig
