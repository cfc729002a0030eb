"""The audit agrees with what was booked, and names the first thing that was changed behind its back."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from amarktai.domain.order import Side
from amarktai.domain.user import Identity
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, USDT_ZAR, World, trading


async def history(world: World, number: int = 1) -> Identity:
    """A user with a rand bot and a dollar bot: closed, partly closed and unvalued round trips."""
    who = world.add_user(number)
    await world.fund(who, Decimal(100_000))
    await world.mark(USDT_ZAR, Decimal("18.5"))
    rand = await world.add_bot(who, BTC_ZAR, Decimal(20_000))
    dollars = await world.add_bot(who, BTC_USDT, Decimal(20_000))
    for bot, price in ((rand, Decimal(1_000_000)), (dollars, Decimal(50_000))):
        await world.trade(bot, Side.BUY, Decimal("0.003"), price)
        await world.trade(bot, Side.BUY, Decimal("0.004"), price * 2, fee_in_base=True)
        held = Decimal("0.006996")
        await world.trade(bot, Side.SELL, Decimal("0.001"), price * 3)
        await world.trade(bot, Side.SELL, held - Decimal("0.001"), price)
        await world.trade(bot, Side.BUY, Decimal("0.002"), price)
    world.clock.advance(7_200)  # the mark grows too old for a rate
    await world.trade(dollars, Side.SELL, Decimal("0.001"), Decimal(55_000))
    return who


async def test_a_book_as_booked_passes_for_one_user_and_for_all(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        first = await history(world, 1)
        await history(world, 2)
        audit = LedgerAudit(world.reporting)
        one = await audit.audit(first.user_id)
        everyone = await audit.audit()
    assert one.ok, one.first_difference
    assert (one.users, one.entries, one.fills, one.round_trips) == (1, 15, 11, 4)
    assert everyone.ok, everyone.first_difference
    assert (everyone.users, everyone.fills) == (2, 22)


_DAMAGE = {
    "a rollup": (
        "UPDATE rollups SET profit_zar = profit_zar + 0.00000001 WHERE scope = 'pair' AND day > '0001-01-01'",
        "rollup of pair",
    ),
    "a rollup too many": (
        "INSERT INTO rollups SELECT user_id, mode, scope, 'nobody', day, 0, 0, 0, 0, 0, 0, 0, 0 FROM rollups"
        " WHERE scope = 'bot' LIMIT 1",
        "rollup of bot nobody",
    ),
    "a missing rollup": (
        "DELETE FROM rollups WHERE scope = 'user' AND day > '0001-01-01'",
        "rollup of user *",
    ),
    "a position": ("UPDATE positions SET cost = cost + 1 WHERE quantity > 0", "position of bot"),
    "a round trip": ("UPDATE round_trips SET profit_zar = 0 WHERE status = 'closed'", "round trip"),
    "an open round trip": ("UPDATE round_trips SET entry_quantity = 9 WHERE status = 'open'", "round trip"),
    "a balance": (
        "UPDATE ledger_balances SET amount = amount + 1 WHERE account = 'holding:wallet'",
        "balance of holding:wallet in ZAR",
    ),
    "a fill's profit": ("UPDATE fills SET realized_zar = 0 WHERE side = 'sell'", "fill"),
    "a fill's price": ("UPDATE fills SET price = price * 2 WHERE side = 'sell'", "entry"),
    "a fill moved to another round trip": (
        "UPDATE fills SET round_trip_id = (SELECT id FROM round_trips WHERE status = 'open' LIMIT 1)"
        " WHERE side = 'sell'",
        "fill",
    ),
    "a forgotten fill": ("DELETE FROM fills WHERE side = 'sell'", "entry"),
    "an order's filled quantity": (
        "UPDATE orders SET filled_quantity = 0 WHERE side = 'sell'",
        "order",
    ),
    "a reservation beyond what is held": (
        "UPDATE orders SET state = 'open', reserved_amount = 1e9 WHERE side = 'sell'",
        "bot",
    ),
}


@pytest.mark.parametrize("damage", sorted(_DAMAGE))
async def test_the_first_difference_is_named(
    database_urls: DatabaseUrls, superuser_url: str, damage: str
) -> None:
    statement, named = _DAMAGE[damage]
    async with trading(database_urls) as world:
        who = await history(world)
        with psycopg.connect(superuser_url) as connection:
            connection.execute("SET session_replication_role = replica")
            assert connection.execute(statement).rowcount > 0
        report = await LedgerAudit(world.reporting).audit()
    assert report.first_difference is not None
    place = report.first_difference.removeprefix(f"user {who.user_id}, ").removeprefix("paper book, ")
    assert place.startswith(named), report.first_difference
    assert ": expected " in place and ", found " in place
