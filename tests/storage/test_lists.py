"""Lists in conditions: of any length, the empty one too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import ColumnElement, func, select

from amarktai.domain.user import Identity
from amarktai.storage import tables as t
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.lists import none_of, one_of
from tests.trading import BTC_ZAR, World, trading

NAME = t.bots.c.name


async def count(world: World, who: Identity, condition: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(t.bots).where(condition)
    async with world.database.transaction(who.user_id) as transaction:
        return int((await transaction.execute(query)).scalar_one())


@pytest.mark.parametrize(
    ("values", "found"),
    [([], 0), (["none of them"], 0), ([f"n{n}" for n in range(70_000)], 0), (["it", "n1"], 1)],
    ids=["empty", "other", "more than a statement has places", "listed"],
)
async def test_a_row_is_found_by_one_condition_or_the_other(
    database_urls: DatabaseUrls, values: Sequence[str], found: int
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, BTC_ZAR.min_notional + 100_000)
        bot = await world.add_bot(who, BTC_ZAR, BTC_ZAR.min_notional + 10_000)
        named = [bot.name if value == "it" else value for value in values]
        assert await count(world, who, one_of(NAME, named)) == found
        assert await count(world, who, none_of(NAME, named)) == 1 - found
