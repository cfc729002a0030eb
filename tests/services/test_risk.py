"""Limits in the real order path: every entry is held against them, no exit ever is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from amarktai.domain.bot import Bot, BotStatus, TradingMode
from amarktai.domain.circuit_breaker import Trip
from amarktai.domain.order import Side
from amarktai.domain.risk_limits import EVERYBODY, Limit, LimitKind, Scope
from amarktai.services.orders import Outcome
from amarktai.services.risk import read_rows
from amarktai.storage import tables as t
from amarktai.storage.embedded import DatabaseUrls
from tests.services.order_desk import LOT, MARKET, PRICE, OrderDesk, open_desk, order_desk, sent_once
from tests.trading import trading
from tests.venues.faulty import NO_FAULTS, Faults

K, D = LimitKind, Decimal
DAY_S = 86_400.0


@pytest.fixture(params=[TradingMode.PAPER, TradingMode.LIVE])
async def desk(request: pytest.FixtureRequest, database_urls: DatabaseUrls) -> AsyncIterator[OrderDesk]:
    async with order_desk(database_urls, request.param) as opened:
        price_at(opened, PRICE)
        yield opened


def price_at(desk: OrderDesk, price: float | None) -> None:
    desk.service.risk.value_with(lambda _: None if price is None else D(str(price)), lambda _: None)


async def limit(desk: OrderDesk, kind: LimitKind, amount: str | int, scope: Scope = EVERYBODY) -> None:
    await put(desk, Limit(kind, scope, D(amount)))


async def put(desk: OrderDesk, one: Limit) -> None:
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        await unit.limits.put(one, desk.world.now, "ada")
    desk.world.clock.advance(1)  # it binds within a second


async def tripped(desk: OrderDesk) -> list[Trip]:
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        trips = (await unit.breakers.state(desk.bot.mode)).trips
    return [trip for trip in trips if trip.is_open(desk.world.now)]


async def reset(desk: OrderDesk) -> None:
    """Reset the one breaker that is tripped, as a person does."""
    (trip,) = await tripped(desk)
    async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
        assert await unit.breakers.reset(trip.id, desk.world.now, "user:ada", "seen") is not None
    desk.world.clock.advance(1)


async def note_profit(desk: OrderDesk, bot: Bot, days_ago: float, profit: int) -> None:
    """Write a snapshot of a bot's profit."""
    row = {
        "user_id": desk.who.user_id, "mode": bot.mode.value, "scope": "bot", "scope_id": bot.id.hex,
        "at": desk.world.now - timedelta(days=days_ago), "equity_zar": 100_000, "realized_zar": profit - 1,
        "unrealized_zar": 1, "deposits_zar": 90_000,
    }  # fmt: skip
    async with desk.world.database.transaction(desk.who.user_id) as connection:
        await connection.execute(insert(t.equity_snapshots).values(row))


def refused(desk: OrderDesk, outcome: Outcome) -> str | None:
    return outcome.denied.get(desk.bot.id)


async def round_trip(desk: OrderDesk, key: str, exit_price: float) -> None:
    """Buy at the usual price and sell at another."""
    await desk.quote(PRICE)
    assert refused(desk, await desk.buy(f"{key}-in")) is None
    await desk.quote(PRICE)
    await desk.quote(exit_price)
    assert refused(desk, await desk.sell(f"{key}-out")) is None
    await desk.quote(exit_price)


class TestExposure:
    async def test_an_entry_that_would_pass_it_is_denied_and_every_exit_leaves(self, desk: OrderDesk) -> None:
        await limit(desk, K.EXPOSURE, 1_500)
        assert refused(desk, await desk.buy("a")) is None
        await desk.quote(PRICE)
        said = refused(desk, await desk.buy("b")) or ""
        assert said.startswith("RISK_LIMIT: everybody's exposure is R 20") and "limit is R 1500.00" in said
        assert refused(desk, await desk.sell("out")) is None
        await desk.quote(PRICE)
        assert refused(desk, await desk.buy("c")) is None
        await desk.quote(PRICE)
        assert sent_once(desk)
        await desk.assert_books_are_right()

    async def test_what_one_claim_adds_counts_for_the_next_of_it(self, desk: OrderDesk) -> None:
        await limit(desk, K.EXPOSURE, 1_500)
        outcome = await desk.submit(desk.intent("a", Side.BUY), desk.intent("b", Side.BUY))
        assert "RISK_LIMIT" in (refused(desk, outcome) or "")
        states = {key: row["state"] for key, row in desk.witness.orders().items()}
        assert states["a"] != "denied" and states["b"] == "denied"

    async def test_an_entry_that_rests_counts(self, desk: OrderDesk) -> None:
        await limit(desk, K.EXPOSURE, 1_500)
        assert refused(desk, await desk.buy("rests", price=D(900_000))) is None
        assert "exposure is R 19" in (refused(desk, await desk.buy("b")) or "")
        await desk.cancel("rests")
        assert refused(desk, await desk.buy("c")) is None

    async def test_without_a_price_for_what_is_held_nothing_enters(self, desk: OrderDesk) -> None:
        await desk.buy("a")
        await desk.quote(PRICE)
        await limit(desk, K.EXPOSURE, 50_000)
        price_at(desk, None)
        assert "is not known now" in (refused(desk, await desk.buy("b")) or "")
        assert refused(desk, await desk.sell("out")) is None

    async def test_of_an_order_an_asset_and_an_exchange(self, desk: OrderDesk) -> None:
        for kind in (K.ORDER_VALUE, K.ASSET_EXPOSURE, K.EXCHANGE_EXPOSURE):
            await limit(desk, kind, 900)
            assert f"({kind})" in (refused(desk, await desk.buy(kind)) or "")
            await limit(desk, kind, 90_000)
        assert refused(desk, await desk.buy("a")) is None

    async def test_a_pair_that_is_not_allowed(self, desk: OrderDesk) -> None:
        await put(desk, Limit(K.ALLOWED_PAIRS, Scope(desk.who.user_id), names=("ETH/ZAR",)))
        assert "do not include BTC/ZAR" in (refused(desk, await desk.buy("a")) or "")


class TestLosses:
    async def test_what_was_lost_today_ends_entries_until_tomorrow(self, desk: OrderDesk) -> None:
        await limit(desk, K.DAILY_LOSS, 100)
        await round_trip(desk, "a", PRICE * 0.85)
        said = refused(desk, await desk.buy("b")) or ""
        assert said.startswith("RISK_LIMIT: everybody's loss of today is R 15")
        (trip,) = await tripped(desk)
        assert (trip.kind, trip.threshold) == (K.DAILY_LOSS, D(100)) and trip.figure > 100
        desk.world.clock.advance(DAY_S)
        await desk.quote(PRICE)
        assert refused(desk, await desk.buy("c")) is None
        assert await tripped(desk) == []

    async def test_what_is_lost_and_still_held_counts(self, desk: OrderDesk) -> None:
        await limit(desk, K.DAILY_LOSS, 100)
        await desk.buy("a")
        await desk.quote(PRICE)
        price_at(desk, PRICE * 0.85)
        assert "loss of today" in (refused(desk, await desk.buy("b")) or "")
        price_at(desk, PRICE)  # the breaker stays tripped though the loss is none any more
        assert (refused(desk, await desk.buy("c")) or "").startswith("CIRCUIT_BREAKER: tripped since 2026-")
        assert refused(desk, await desk.sell("out")) is None

    async def test_the_fall_from_the_peak_of_the_snapshots(self, desk: OrderDesk) -> None:
        await note_profit(desk, desk.bot, 3, 10_000)
        await limit(desk, K.DRAWDOWN, 11)
        assert refused(desk, await desk.buy("a")) is None
        await limit(desk, K.DRAWDOWN, 10)
        await desk.quote(PRICE)
        said = refused(desk, await desk.buy("b")) or ""
        assert "fall from the peak is 10.0" in said

    async def test_after_a_reset_the_fall_is_measured_from_then(self, desk: OrderDesk) -> None:
        await note_profit(desk, desk.bot, 3, 10_000)
        await note_profit(desk, desk.bot, 1, 50)
        await limit(desk, K.DRAWDOWN, 10)
        assert "fall from the peak is 10.00 %" in (refused(desk, await desk.buy("a")) or "")
        await reset(desk)
        assert refused(desk, await desk.buy("b")) is None, "of the R 50 of the last snapshot before"
        desk.world.clock.advance(DAY_S)
        await note_profit(desk, desk.bot, 0.5, 30_000)
        await desk.quote(PRICE)
        assert "fall from the peak is 25" in (refused(desk, await desk.buy("c")) or "")
        assert len(await tripped(desk)) == 1

    async def test_a_deleted_bot_neither_falls_nor_makes_the_fall_of_others_small(
        self, desk: OrderDesk
    ) -> None:
        await desk.world.fund(desk.who, D(1), desk.bot.mode)
        gone = await desk.world.add_bot(
            desk.who, MARKET, D(1), mode=desk.bot.mode, capital_zar=D(900_000), status=BotStatus.DELETED
        )
        await note_profit(desk, desk.bot, 3, 10_000)
        await note_profit(desk, gone, 3, 50_000)
        await limit(desk, K.DRAWDOWN, 10)
        assert "fall from the peak is 10.00 %" in (refused(desk, await desk.buy("a")) or "")

    async def test_losses_in_a_row_until_a_trade_wins(self, desk: OrderDesk) -> None:
        await round_trip(desk, "a", PRICE * 0.9)
        await round_trip(desk, "b", PRICE * 0.9)
        await limit(desk, K.CONSECUTIVE_LOSSES, 2)
        assert "losses in a row is 2" in (refused(desk, await desk.buy("c")) or "")
        assert "CIRCUIT_BREAKER" in (refused(desk, await desk.buy("d")) or "")
        await reset(desk)
        await round_trip(desk, "e", PRICE * 0.9)  # the first since
        await round_trip(desk, "f", PRICE * 1.2)
        await limit(desk, K.CONSECUTIVE_LOSSES, 1)
        assert refused(desk, await desk.buy("g")) is None

    async def test_errors_of_an_hour(self, desk: OrderDesk) -> None:
        await limit(desk, K.ERRORS_PER_HOUR, 1, Scope(desk.who.user_id, desk.bot.id))
        await desk.buy("a", price=D(PRICE + 5_000), post_only=True)  # refused as it asked for: no error
        async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
            assert [row.errors for row in await read_rows(unit, desk.bot.mode, desk.world.now)] == [()]
        desk.venue.faults = Faults(lost_replies=1)
        await desk.buy("b")
        desk.venue.faults = NO_FAULTS
        await desk.reconcile()
        await desk.quote(PRICE)
        assert "the bot's errors of the last hour is 1" in (refused(desk, await desk.buy("c")) or "")
        desk.world.clock.advance(3_601)
        await desk.quote(PRICE)
        assert "CIRCUIT_BREAKER" in (refused(desk, await desk.buy("d")) or "")
        await reset(desk)
        assert refused(desk, await desk.buy("e")) is None

    async def test_a_breaker_stays_tripped_without_its_limit_and_over_a_restart(
        self, desk: OrderDesk
    ) -> None:
        await round_trip(desk, "a", PRICE * 0.9)
        await limit(desk, K.CONSECUTIVE_LOSSES, 1)
        await desk.buy("b")
        async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
            assert await unit.limits.remove(K.CONSECUTIVE_LOSSES, EVERYBODY) is not None
        await desk.restart()
        price_at(desk, PRICE)
        await desk.quote(PRICE)
        assert "CIRCUIT_BREAKER" in (refused(desk, await desk.buy("c")) or "")
        assert len(await tripped(desk)) == 1


class TestDepth:
    async def test_an_order_is_held_against_what_the_book_offers(self, desk: OrderDesk) -> None:
        await limit(desk, K.DEPTH_SHARE, 50)
        assert "visible depth is not known" in (refused(desk, await desk.buy("a")) or "")
        price = D(str(PRICE))
        desk.service.risk.value_with(lambda _: price, lambda _: 2 * LOT)
        assert refused(desk, await desk.buy("b")) is None
        await desk.quote(PRICE)
        desk.service.risk.value_with(lambda _: price, lambda _: LOT)
        assert "visible depth is 100.00 %" in (refused(desk, await desk.buy("c")) or "")


class TestPace:
    async def test_orders_of_a_minute_and_of_a_day(self, desk: OrderDesk) -> None:
        await limit(desk, K.ORDERS_PER_MINUTE, 2)
        for key in ("a", "b"):
            assert refused(desk, await desk.buy(key)) is None
            await desk.quote(PRICE)
        assert "orders of the last minute is 2" in (refused(desk, await desk.buy("c")) or "")
        desk.world.clock.advance(61)
        await desk.quote(PRICE)
        await limit(desk, K.ORDERS_PER_DAY, 3)
        assert refused(desk, await desk.buy("d")) is None
        desk.world.clock.advance(61)
        await desk.quote(PRICE)
        assert "orders of today is 3" in (refused(desk, await desk.buy("e")) or "")
        assert refused(desk, await desk.sell("out")) is None


class TestWhomTheyBind:
    async def test_everybody_together_and_each_user_alone(self, database_urls: DatabaseUrls) -> None:
        async with trading(database_urls) as world:
            ada, bo = await open_desk(world), await open_desk(world, number=2)
            try:
                for desk in (ada, bo):
                    price_at(desk, PRICE)
                    await desk.quote(PRICE)
                await limit(ada, K.EXPOSURE, 1_500)
                assert refused(ada, await ada.buy("a")) is None
                await ada.quote(PRICE)
                await bo.quote(PRICE)
                assert "everybody's exposure is R 20" in (refused(bo, await bo.buy("b")) or "")
                await limit(ada, K.EXPOSURE, 90_000)
                await limit(ada, K.ORDER_VALUE, 5, Scope(ada.who.user_id))
                await bo.quote(PRICE)
                assert refused(bo, await bo.buy("c")) is None
                await ada.quote(PRICE)
                assert "the user's order's value" in (refused(ada, await ada.buy("d")) or "")
                async with world.store.unit_of_work(bo.who.user_id) as unit:
                    assert [one.kind for one in await unit.limits.list()] == [K.EXPOSURE]
                await limit(ada, K.EXPOSURE, 2_500)
                del world.bots[ada.bot.id]  # the engine runs none of hers any more
                await bo.quote(PRICE)
                assert refused(bo, await bo.buy("e")) is None
            finally:
                ada.witness.close()
                bo.witness.close()

    async def test_a_limit_that_is_removed_binds_no_more(self, desk: OrderDesk) -> None:
        scope = Scope(desk.who.user_id, desk.bot.id)
        await limit(desk, K.ORDER_VALUE, 5, scope)
        assert "the bot's" in (refused(desk, await desk.buy("a")) or "")
        async with desk.world.store.unit_of_work(desk.who.user_id) as unit:
            assert (await unit.limits.remove(K.ORDER_VALUE, scope)) is not None
            assert (await unit.limits.remove(K.ORDER_VALUE, scope)) is None
        desk.world.clock.advance(1)
        assert refused(desk, await desk.buy("b")) is None
