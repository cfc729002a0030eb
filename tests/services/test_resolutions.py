"""A person ends an order that nothing is proven of; the engine carries it out, and late executions count."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from amarktai.domain.errors import Conflict, InvalidInput, NotFound
from amarktai.domain.order import OrderState
from amarktai.services.resolutions import Resolutions
from amarktai.storage.embedded import DatabaseUrls
from tests.services.live_desk import LOT, LiveDesk, live_desk
from tests.trading import user_id_of

NOTE = "Luno's list of orders does not have it."


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[LiveDesk]:
    """Open a desk with an order whose answer was lost, at an exchange that tells nothing of it any more."""
    async with live_desk(database_urls) as desk:
        await desk.reconcile()
        desk.exchange.is_deaf = True
        await desk.buy(price=desk.exchange.price - 1)
        await desk.hear()
        desk.exchange.silent.add("order")
        yield desk
        await desk.assert_books_are_right()


def resolutions(desk: LiveDesk) -> Resolutions:
    return Resolutions(desk.world.store, desk.world.clock)


async def test_the_engine_ends_it_once_the_machine_had_its_time(desk: LiveDesk) -> None:
    (order,) = await desk.stored()
    with pytest.raises(Conflict, match="still asking"):
        await resolutions(desk).ask(desk.who, order.id, NOTE)
    desk.world.clock.advance(130)
    await resolutions(desk).ask(desk.who, order.id, NOTE)
    assert (await desk.stored())[0].state is OrderState.UNKNOWN, "the engine alone moves orders"
    outcome = await desk.orders.resolve(desk.who.user_id)
    (order,) = await desk.stored()
    assert order.state is OrderState.MANUAL and order.reserved_amount == 0
    assert [notice.bot_id for notice in outcome.notices] == [desk.bot.id], "its strategy hears of the end"
    assert not (await desk.buy()).denied, "the bot goes on"


async def test_what_fills_all_the_same_is_booked(desk: LiveDesk) -> None:
    (order,) = await desk.stored()
    desk.world.clock.advance(130)
    await resolutions(desk).ask(desk.who, order.id, NOTE)
    await desk.orders.resolve(desk.who.user_id)
    desk.exchange.silent.clear()
    desk.exchange.fill(desk.exchange.order_of(order.id).venue_order_id, LOT)
    assert await desk.reconcile()
    (order,) = await desk.stored()
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, LOT)


async def test_only_orders_in_doubt_are_resolved_and_never_without_a_note(desk: LiveDesk) -> None:
    (order,) = await desk.stored()
    desk.world.clock.advance(130)
    with pytest.raises(InvalidInput, match="note"):
        await resolutions(desk).ask(desk.who, order.id, "  ")
    with pytest.raises(NotFound):
        await resolutions(desk).ask(desk.who, user_id_of(99), NOTE)
    desk.exchange.silent.clear()
    await desk.reconcile()
    with pytest.raises(Conflict, match="open by now"):
        await resolutions(desk).ask(desk.who, order.id, NOTE)
    await desk.orders.resolve(desk.who.user_id)
    assert (await desk.stored())[0].state is OrderState.OPEN
