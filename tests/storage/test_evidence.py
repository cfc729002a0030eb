"""What the database says of live trading, beside the engine that wrote it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from uuid import UUID

from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderEvent, OrderState, Side
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.evidence import PgEvidence
from tests.services.live_desk import LOT, live_desk
from tests.trading import World, user_id_of


@asynccontextmanager
async def evidence_of(world: World, user_id: UUID) -> AsyncIterator[PgEvidence]:
    with closing(PgEvidence(world.database, user_id, world.urls.app)) as evidence:
        yield evidence


async def test_orders_fills_moves_and_holdings_are_those_of_the_exchange(database_urls: DatabaseUrls) -> None:
    async with live_desk(database_urls) as desk, evidence_of(desk.world, desk.who.user_id) as evidence:
        before = await evidence.digest()
        await desk.reconcile()
        await desk.submit(Side.BUY)
        await desk.hear()
        (order_id,) = desk.exchange.created
        assert evidence.state_of(order_id) is OrderState.FILLED
        (order,) = (await evidence.orders()).values()
        assert (order.platform, order.quantity, order.filled) == (Platform.LUNO, LOT, LOT)
        (fill,) = desk.exchange.fills
        booked = (await evidence.fills())["luno", fill.venue_trade_id]
        assert (booked.order_id, booked.quantity, booked.price) == (order_id, fill.quantity, fill.price)
        moves = await evidence.moves()
        assert moves[OrderState.PLANNED, OrderEvent.CLAIM] == 1
        held = {asset: amount for (_, asset), amount in (await evidence.holdings()).items()}
        assert held == desk.exchange.money
        assert await evidence.digest() not in ("", before)


async def test_nobody_elses_trading_is_told(database_urls: DatabaseUrls) -> None:
    async with live_desk(database_urls) as desk:
        await desk.reconcile()
        await desk.submit(Side.BUY)
        await desk.hear()
        (order_id,) = desk.exchange.created
        async with evidence_of(desk.world, user_id_of(99)) as stranger:
            assert stranger.state_of(order_id) is None
            assert (await stranger.orders(), await stranger.fills(), await stranger.holdings()) == (
                {},
                {},
                {},
            )
