"""After a restart the order store tells an exchange without client ids which order a trade can be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from amarktai.domain.order import Side
from amarktai.ports.exchange import OrderTerms
from amarktai.services.order_recall import OrderRecall
from amarktai.storage.embedded import DatabaseUrls
from tests.services.order_desk import LOT, OrderDesk, order_desk
from tests.venues.faulty import Faults


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[OrderDesk]:
    async with order_desk(database_urls) as desk:
        yield desk


async def test_an_accepted_order_is_recalled_with_its_name_there(desk: OrderDesk) -> None:
    await desk.buy("entry", LOT)
    row = desk.witness.orders()["entry"]
    recall = OrderRecall(desk.world.store, desk.who.user_id)
    assert await recall(row["id"]) == OrderTerms(Side.BUY, LOT, row["venue_order_id"])
    assert row["venue_order_id"]


async def test_an_order_whose_answer_was_lost_is_recalled_without_one(desk: OrderDesk) -> None:
    desk.venue.faults = Faults(lost_replies=1)
    await desk.buy("entry", Decimal("0.002"))
    recall = OrderRecall(desk.world.store, desk.who.user_id)
    assert await recall(desk.witness.orders()["entry"]["id"]) == OrderTerms(Side.BUY, Decimal("0.002"))


async def test_nobody_recalls_what_was_never_written_or_is_anothers(desk: OrderDesk) -> None:
    await desk.buy("entry", LOT)
    order_id = desk.witness.orders()["entry"]["id"]
    assert await OrderRecall(desk.world.store, desk.who.user_id)(desk.world.ids.new()) is None
    assert await OrderRecall(desk.world.store, desk.world.ids.new())(order_id) is None
