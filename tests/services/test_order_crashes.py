"""The order path killed between every pair of awaits; what a fresh one finds on the same database."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from amarktai.domain.market import EventKind
from amarktai.domain.order import OrderState, Side
from amarktai.ports.store import Store
from amarktai.ports.venue import TradingVenue
from amarktai.storage.embedded import DatabaseUrls
from tests.services.order_desk import MARKET, PRICE, TTL_S, OrderDesk, open_desk, sent_once
from tests.trading import World, trading


class Killed(BaseException):
    """The process is gone: nothing may catch this, and nothing of its memory is used again."""


class Countdown:
    """Kills at the k-th await on the store or the venue: after one call, before the next."""

    def __init__(self, kill_at: int | None) -> None:
        self._kill_at = kill_at
        self.passed = 0

    def step(self) -> None:
        if self.passed == self._kill_at:
            raise Killed
        self.passed += 1


class Mortal:
    """Any port behind a countdown, with every port inside it."""

    def __init__(self, inner: Any, countdown: Countdown) -> None:
        self._inner = inner
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if inspect.iscoroutinefunction(found):
            return self._wrap(found)
        if hasattr(found, "__dict__") and not callable(found) and not isinstance(found, UUID):
            return Mortal(found, self._countdown)
        return found

    def _wrap(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **options: Any) -> Any:
            self._countdown.step()
            return await method(*args, **options)

        return call


class MortalStore(Mortal):
    """A store whose transactions can die before they begin, inside, and just before their commit."""

    @asynccontextmanager
    async def unit_of_work(self, user_id: UUID, *, durable: bool = True) -> AsyncIterator[Any]:
        self._countdown.step()
        async with self._inner.unit_of_work(user_id, durable=durable) as unit:
            yield Mortal(unit, self._countdown)
            self._countdown.step()


def _intents(desk: OrderDesk, step: int) -> list[Any]:
    if step == 0:
        return [
            desk.intent("market", Side.BUY),
            desk.intent("limit", Side.BUY, price=Decimal(PRICE - 1_000)),
            desk.intent("resting", Side.BUY, price=Decimal(PRICE - 90_000)),
        ]
    return [
        desk.intent("stop", Side.SELL, stop_price=Decimal(PRICE - 5_000), oco_group=f"g{desk.bot.id}"),
        desk.intent("target", Side.SELL, price=Decimal(PRICE + 5_000), oco_group=f"g{desk.bot.id}"),
    ]


async def _run(desk: OrderDesk) -> None:
    """Buy, fill, protect, cancel, sell: every kind of call of the order path."""
    await desk.submit(*_intents(desk, 0))
    await desk.quote(PRICE)
    await desk.submit(*_intents(desk, 1))
    await desk.quote(PRICE - 2_000)
    await desk.cancel("resting")
    await desk.quote(PRICE + 6_000)


async def _die(desk: OrderDesk, kill_at: int | None) -> int | None:
    """Run until killed; return the number of awaits when the run came to its end."""
    countdown = Countdown(kill_at)
    store = cast(Store, MortalStore(desk.world.store, countdown))
    desk.service = desk.new_service(store, cast(TradingVenue, Mortal(desk.venue, countdown)))
    try:
        await _run(desk)
    except Killed:
        return None
    return countdown.passed


async def _live_again(desk: OrderDesk) -> None:
    """Start anew and decide the same again; then let time and the market go on."""
    await desk.restart()
    assert OrderState.SENDING not in {OrderState(row["state"]) for row in desk.witness.orders().values()}
    await desk.submit(*_intents(desk, 0))
    await desk.quote(PRICE - 2_000)
    desk.world.clock.advance(TTL_S + 1)
    await desk.reconcile()
    assert desk.service.doubtful_users == ()
    await desk.submit(*_intents(desk, 1))
    if desk.witness.state("resting") is OrderState.OPEN:
        await desk.cancel("resting")
    await desk.quote(PRICE + 6_000)


async def _check(desk: OrderDesk) -> None:
    assert sent_once(desk)
    await desk.assert_books_are_right()
    states = {key: desk.witness.state(key) for key in desk.witness.orders()}
    assert states["market"] in {OrderState.FILLED, OrderState.NOT_PLACED}
    assert states["resting"] in {OrderState.CANCELED, OrderState.NOT_PLACED}
    if states["market"] is OrderState.FILLED and states["target"] is not OrderState.NOT_PLACED:
        assert states["target"] is OrderState.FILLED
        assert states["stop"] in {OrderState.CANCELED, OrderState.NOT_PLACED}


def test_killed_anywhere_nothing_is_sent_twice_lost_or_left_open(database_urls: DatabaseUrls) -> None:
    async def life(world: World, number: int, kill_at: int | None) -> int | None:
        desk = await open_desk(world, number=number)
        desk.venue.on_event(MARKET.id, EventKind.QUOTE, world.clock.now_ns(), PRICE, PRICE + 1, 0, 0, 0)
        try:
            passed = await _die(desk, kill_at)
            await _live_again(desk)
            await _check(desk)
        finally:
            desk.witness.close()
        return passed

    async def every_life() -> None:
        async with trading(database_urls) as world:
            total = await life(world, 1, None)
            assert total is not None and total > 60
            for kill_at in range(total):
                survived = await life(world, 2 + kill_at, kill_at)
                assert survived is None, f"the kill at await {kill_at} did not happen"

    asyncio.run(every_life())
