"""The ledger's invariants on a real database (order path §2.2), each by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Float, Numeric

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import BrokenInvariant, Conflict
from amarktai.domain.order import Side
from amarktai.domain.user import Identity
from amarktai.ledger import chart
from amarktai.ledger.booking import book_allocation, book_funding
from amarktai.ledger.entry import Entry, Posting, transfer
from amarktai.ports.reports import EntryFilter
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.ledger_reports import LedgerReports
from amarktai.storage import tables as t
from amarktai.storage.embedded import DatabaseUrls
from amarktai.venues.spec import load_specs
from tests.trading import BTC_USDT, BTC_ZAR, USDT_ZAR, World, trading

PAPER = TradingMode.PAPER


async def append(world: World, who: Identity, entry: Entry) -> list[UUID]:
    async with world.store.unit_of_work(who.user_id) as unit:
        book = await unit.ledger.lock_book(PAPER)
        return await unit.ledger.append(book, [entry], world.now)


async def balances(world: World, who: Identity) -> dict[tuple[str, str], Decimal]:
    async with world.store.unit_of_work(who.user_id) as unit:
        return await unit.ledger.balances(await unit.ledger.lock_book(PAPER))


async def audited(world: World, who: Identity) -> None:
    report = await LedgerAudit(world.reporting).audit(who.user_id)
    assert report.ok, report.first_difference


def execute(url: str, who: Identity, statement: str, values: Sequence[Any] = ()) -> None:
    """Run a statement as that URL's role, on that user's rows."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [str(who.user_id)])
        connection.execute(statement.encode(), values)


@pytest.mark.parametrize("role", ["app", "owner"])
async def test_l1_no_role_can_post_what_does_not_balance(database_urls: DatabaseUrls, role: str) -> None:
    with pytest.raises(BrokenInvariant, match="ZAR is off by 1"):
        Entry("k", "x", "", World(database_urls).now, (Posting("a", "ZAR", Decimal(1)),))
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100))
        insert = (
            "INSERT INTO ledger_postings (entry_id, line, user_id, book_id, account, asset, amount)"
            " SELECT id, %s, user_id, book_id, 'holding:wallet', %s, 1 FROM ledger_entries"
        )
        url = getattr(database_urls, role)
        for asset in ("ZAR", "BTC"):
            with pytest.raises(psycopg.errors.CheckViolation, match=f"{asset} is off by 1"):
                execute(url, who, insert, [7, asset])
        balanced = insert.replace("'holding:wallet', %s, 1", "'x' || n, 'ZAR', n").replace("%s", "20 + n")
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot grow"):
            execute(url, who, balanced + ", (VALUES (-1), (1)) AS two (n)")
        await audited(world, who)


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_postings", "fills", "order_events"])
@pytest.mark.parametrize("role", ["app", "owner"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET user_id = user_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
async def test_l2_no_role_can_change_what_is_recorded(
    module_world: tuple[DatabaseUrls, Identity], table: str, role: str, statement: str
) -> None:
    urls, who = module_world
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(getattr(urls, role), who, statement.format(table))


@pytest.fixture(scope="module")
def module_world(module_database_urls: DatabaseUrls) -> tuple[DatabaseUrls, Identity]:
    async def fill() -> Identity:
        async with trading(module_database_urls) as world:
            who = world.add_user()
            await world.fund(who, Decimal(10_000))
            bot = await world.add_bot(who, BTC_ZAR, Decimal(5_000))
            await world.trade(bot, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
            return who

    return module_database_urls, asyncio.run(fill())


def test_l3_every_amount_is_a_decimal_of_fixed_scale() -> None:
    types = {f"{c.table.name}.{c.name}": c.type for table in t.metadata.tables.values() for c in table.c}
    assert not [name for name, kind in types.items() if isinstance(kind, Float)]
    scales = {name: kind.scale for name, kind in types.items() if isinstance(kind, Numeric)}
    assert set(scales.values()) == {8, 18}
    for name in ("ledger_postings.amount", "ledger_balances.amount", "fills.quantity", "fills.price"):
        assert scales[name] == 8


@given(
    cents=st.integers(1, 10**30),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_l3_amounts_come_back_digit_for_digit(module_database_urls: DatabaseUrls, cents: int) -> None:
    amount = Decimal(cents).scaleb(-8)
    with psycopg.connect(module_database_urls.app) as connection:
        row = connection.execute("SELECT %s::numeric(38, 8)", [amount]).fetchone()
    assert row == (amount,)


def test_l4_the_ledger_keeps_every_step_of_every_venue() -> None:
    instruments = [item for spec in load_specs().values() for item in spec.instruments]
    assert instruments
    for item in instruments:
        assert item.lot_size == item.lot_size.quantize(Decimal("1e-8")), item.id
        assert item.tick_size == item.tick_size.quantize(Decimal("1e-8")), item.id
    with pytest.raises(BrokenInvariant, match="more places"):
        Entry("k", "x", "", datetime(2026, 1, 1, tzinfo=UTC), transfer("a", "b", "BTC", Decimal("1e-9")))


async def test_l5_a_fill_delivered_again_is_booked_once(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(5_000))
        async with world.store.unit_of_work(who.user_id) as unit:
            order = await world.add_order(unit, bot, Side.BUY, Decimal("0.001"))
        fill = world.fill(order.id, BTC_ZAR, Side.BUY, Decimal("0.001"), Decimal(1_000_000))

        async def deliver() -> None:
            async with world.store.unit_of_work(who.user_id) as unit:
                await world.book(unit, bot, order, [fill])

        results = await asyncio.gather(*(deliver() for _ in range(5)), return_exceptions=True)
        held = await balances(world, who)
    refused = [result for result in results if result is not None]
    assert len(refused) == 4
    assert all(isinstance(result, Conflict) and result.code == "DUPLICATE_ENTRY" for result in refused)
    assert held[chart.bot_holding(bot.id), "BTC"] == Decimal("0.001")
    assert held[chart.bot_holding(bot.id), "ZAR"] == Decimal(5_000 - 1_000 - 1)


async def test_l6_a_late_fill_keeps_its_own_time_and_records_never_go_back(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        happened = world.now - timedelta(days=40)
        first = await append(world, who, book_funding("late", Decimal(5), happened))
        world.clock.advance(-3_600)  # the machine's clock is set back
        second = await append(world, who, book_funding("stepped", Decimal(7), world.now))
        ledger = LedgerReports(world.reporting, world.clock)
        page = await ledger.entries(who.user_id, EntryFilter(), cursor=None, limit=10)
        verified = await ledger.verify(who.user_id)
    by_id = {item["id"]: item for item in page.items}
    late, stepped = by_id[str(first[0])], by_id[str(second[0])]
    assert late["effective_at"] == happened.isoformat() < late["recorded_at"]
    assert stepped["recorded_at"] == late["recorded_at"] > stepped["effective_at"]
    assert verified["ok"]


async def test_l8_of_many_writers_at_the_limit_only_those_are_served_whom_the_money_covers(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(1_000))

        async def allocate(number: int) -> None:
            entry = book_allocation(UUID(int=number), f"Bot {number}", Decimal(300), world.now)
            await append(world, who, entry)

        results = await asyncio.gather(*(allocate(number) for number in range(8)), return_exceptions=True)
        held = await balances(world, who)
        verified = await LedgerReports(world.reporting, world.clock).verify(who.user_id)
        negative = "UPDATE ledger_balances SET amount = -1 WHERE account = 'holding:wallet'"
        with pytest.raises(psycopg.errors.CheckViolation, match="non_negative"):
            execute(database_urls.owner, who, negative)
    refused = [result for result in results if result is not None]
    assert len(refused) == 5
    assert all(isinstance(result, Conflict) and result.code == "INSUFFICIENT_FUNDS" for result in refused)
    assert held[chart.WALLET, "ZAR"] == 100
    assert verified["ok"] and verified["entries_checked"] == 4


async def test_l8_one_bot_cannot_spend_what_another_holds(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        poor = await world.add_bot(who, BTC_ZAR, Decimal(1_000))
        await world.add_bot(who, BTC_ZAR, Decimal(9_000))
        before = await balances(world, who)
        with pytest.raises(Conflict, match="not enough ZAR"):
            await world.trade(poor, Side.BUY, Decimal("0.002"), Decimal(1_000_000))
        with pytest.raises(BrokenInvariant, match="larger than the position"):
            await world.trade(poor, Side.SELL, Decimal("0.001"), Decimal(1_000_000))
        assert await balances(world, who) == before
        await audited(world, who)


@pytest.mark.parametrize("role", ["app", "owner"])
async def test_l9_an_order_that_has_ended_reserves_nothing(database_urls: DatabaseUrls, role: str) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(5_000))
        await world.trade(bot, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
        held_back = "UPDATE orders SET reserved_amount = 1 WHERE state = 'filled'"
        with pytest.raises(psycopg.errors.CheckViolation, match="reservation_released"):
            execute(getattr(database_urls, role), who, held_back)


async def test_l10_a_fee_in_coins_leaves_the_coins_and_is_posted_in_coins(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(5_000))
        await world.trade(bot, Side.BUY, Decimal("0.001"), Decimal(1_000_000), fee_in_base=True)
        held = await balances(world, who)
        await audited(world, who)
    assert held[chart.bot_holding(bot.id), "BTC"] == Decimal("0.000999")
    assert held[chart.bot_holding(bot.id), "ZAR"] == Decimal(4_000)
    assert held[chart.fees("luno"), "BTC"] == Decimal("0.000001")
    assert held[chart.market(BTC_ZAR.id), "BTC"] == Decimal("-0.001")


@pytest.mark.parametrize("later", [Decimal("0.01"), Decimal(18), Decimal(900), None])
async def test_l11_no_rate_changes_what_is_held(database_urls: DatabaseUrls, later: Decimal | None) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(50_000))
        await world.mark(USDT_ZAR, Decimal(20))
        bot = await world.add_bot(who, BTC_USDT, Decimal(20_000))
        await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(50_000))
        world.clock.advance(7_200)
        if later is not None:
            await world.mark(USDT_ZAR, later)
        await world.trade(bot, Side.SELL, Decimal("0.004"), Decimal(60_000))
        held = await balances(world, who)
        await audited(world, who)
    holding = chart.bot_holding(bot.id)
    assert held[holding, "USDT"] == Decimal("1000") - Decimal("500.5") + Decimal("240") - Decimal("0.24")
    assert held[holding, "BTC"] == Decimal("0.006")
