"""Rows that wait, the one statement that writes them, and connections that serve again after an error."""

from __future__ import annotations

import gc
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import select, update

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import BrokenInvariant, Conflict, Unavailable
from amarktai.domain.order import Side
from amarktai.ledger.booking import book_funding
from amarktai.ports.store import Book, BookMoved
from amarktai.storage import tables as t
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.leases import PgLeases
from amarktai.storage.staging import TARGETS, statement
from tests.trading import BTC_ZAR, trading

PAPER = TradingMode.PAPER


async def test_rows_wait_for_the_next_statement_and_are_there_for_it(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        async with world.database.transaction(who.user_id) as transaction:
            event = {"user_id": who.user_id, "seq": 1, "type": "x", "payload": {}, "created_at": world.now}
            transaction.stage("outbox", [event])
            assert transaction.waiting("outbox") == 1
            rows = (await transaction.execute(select(t.outbox.c.seq))).scalars().all()
            assert (rows, transaction.waiting("outbox")) == ([1], 0)
            transaction.stage("outbox", [event, event | {"seq": 2}])
        async with world.database.transaction(who.user_id) as transaction:
            assert (await transaction.execute(select(t.outbox.c.seq))).scalars().all() == [1, 2, 3]


async def test_each_transaction_sees_its_own_tenant_on_the_same_connection(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        ada, bo = world.add_user(1), world.add_user(2)
        await world.fund(ada, Decimal(100))
        books = select(t.ledger_books.c.user_id)
        for tenant, seen in ((ada.user_id, [ada.user_id]), (bo.user_id, []), (None, [])):
            async with world.database.transaction(tenant) as transaction:
                assert (await transaction.execute(books)).scalars().all() == seen


async def test_after_an_error_nothing_is_written_and_the_next_transaction_works(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(10_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(5_000))
        for _ in range(3):
            with pytest.raises(Conflict, match="already"):
                async with world.store.unit_of_work(who.user_id) as unit:
                    order = await world.add_order(unit, bot, Side.BUY, Decimal("0.001"))
                    fill = world.fill(order.id, BTC_ZAR, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
                    await world.book(unit, bot, order, [fill])
                    await world.book(unit, bot, order, [fill])
            async with world.store.unit_of_work(who.user_id) as unit:
                book = await unit.ledger.lock_book(PAPER)
                assert await unit.orders.working() == []
                assert (await unit.ledger.balances(book))[f"holding:bot:{bot.id.hex}", "ZAR"] == 5_000


async def test_connections_that_the_server_ended_are_replaced_and_none_is_lost(
    database_urls: DatabaseUrls, caplog: pytest.LogCaptureFixture
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        for _ in range(world.pool_size + 2):  # one lost at a time would exhaust the pool
            async with world.database.transaction(who.user_id) as transaction:
                await transaction.execute(select(t.users.c.id))
            with psycopg.connect(database_urls.app) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = current_user AND pid <> pg_backend_pid()"
                    " AND datname = current_database()"
                )
            with pytest.raises(Unavailable, match="does not answer"):
                async with world.database.transaction(who.user_id) as transaction:
                    await transaction.execute(select(t.users.c.id))
        gc.collect()
        async with world.database.transaction(who.user_id) as transaction:
            assert (await transaction.execute(select(t.users.c.id))).scalars().all() == [who.user_id]
    assert [record.message for record in caplog.records if "sqlalchemy" in record.name] == []


async def test_what_a_constraint_refuses_is_a_broken_promise(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100))
        with pytest.raises(BrokenInvariant, match="violates"):
            async with world.store.unit_of_work(who.user_id) as unit:
                book = await unit.ledger.lock_book(PAPER)
                row = {
                    "book_id": book.id, "account": "holding:wallet", "asset": "ZAR", "user_id": who.user_id,
                    "amount": Decimal(-1),
                }  # fmt: skip
                unit.ledger._transaction.stage("ledger_balances", [row])


@pytest.mark.parametrize("change", ["none", "an entry", "the timezone", "the lease"])
async def test_a_transaction_goes_on_with_a_book_only_while_it_is_as_it_was(
    database_urls: DatabaseUrls, change: str
) -> None:
    async with trading(database_urls) as world:
        who, leases = world.add_user(), PgLeases(world.database)
        await world.fund(who, Decimal(100))
        lease = await leases.take("engine", "one", world.clock.now_ns(), ttl_s=60)
        async with world.store.unit_of_work(who.user_id) as unit:
            book = await unit.ledger.lock_book(PAPER, lease="engine")
            held = await unit.ledger.balances(book)
        if change == "an entry":
            await world.fund(who, Decimal(50))
        elif change == "the timezone":
            async with world.database.transaction(who.user_id) as transaction:
                await transaction.execute(
                    update(t.users).where(t.users.c.id == who.user_id).values(timezone="Asia/Tokyo")
                )
        elif change == "the lease":
            await leases.give_up(lease)
            await leases.take("engine", "other", world.clock.now_ns(), ttl_s=60)

        async def go_on() -> Book:
            async with world.store.unit_of_work(who.user_id) as unit:
                unit.ledger.expect_book(book, held, lease="engine")
                entry = book_funding("again", Decimal(7), world.now)
                await unit.ledger.append(book, [entry], world.now)
                return unit.ledger.head(book)

        if change == "none":
            left = await go_on()
        else:
            with pytest.raises(BookMoved):
                await go_on()
        async with world.store.unit_of_work(who.user_id) as unit:
            found = await unit.ledger.lock_book(PAPER, lease="engine")
            money = (await unit.ledger.balances(found))["holding:wallet", "ZAR"]
        assert money == {"none": 107, "an entry": 150}.get(change, 100)
        assert change != "none" or found == left


async def test_a_savepoint_must_not_swallow_the_opening(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        async with world.database.transaction(who.user_id) as transaction:
            with pytest.raises(AssertionError, match="flush"):
                transaction.begin_nested()
            await transaction.flush()
            async with transaction.begin_nested():
                await transaction.execute(select(t.ledger_books.c.id))


def test_every_mix_of_targets_has_a_name_of_its_own() -> None:
    names = tuple(TARGETS)
    mixes = [names[:end] for end in range(1, len(names) + 1)] + [
        names[start:] for start in range(1, len(names))
    ]
    assert len({statement(mix).name for mix in mixes}) == len(mixes)
    assert all(statement(mix).types == ("json",) * len(mix) for mix in mixes)
