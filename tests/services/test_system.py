"""The platform's own state: a switch of the market is told to the engine and kept in the audit log."""

from __future__ import annotations

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.services.system import System
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.system import PgSystem
from tests.trading import trading


async def test_a_switched_market_leaves_one_fact_and_an_unknown_one_none(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        ada = world.add_user(1)
        system = System(PgSystem(world.database), clock=world.clock, market="live")
        with pytest.raises(InvalidInput):
            await system.switch_market("casino", by=ada)
        for source in ("live", "sandbox", "sandbox"):  # the first and the last change nothing
            assert await system.switch_market(source, by=ada) == source
        assert await system.market() == "sandbox"
        async with PgAccounts(world.database).unit(None) as unit:
            facts = [row.fact for row in await unit.audit.read(0, 100)]
        told = [(fact.before, fact.after) for fact in facts if fact.action == "market.switched"]
        assert told == [({"source": "live"}, {"source": "sandbox"})]
