"""Lists of trades, orders and entries: exact pages, one user's rows only, and the ledger's proof."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput, NotFound
from amarktai.domain.instrument import Platform
from amarktai.domain.order import Side
from amarktai.domain.user import Identity
from amarktai.ports.reports import EntryFilter as Entries
from amarktai.ports.reports import OrderFilter as Orders
from amarktai.ports.reports import TradeFilter as Trades
from amarktai.services.ledger_reports import LedgerReports
from amarktai.services.order_history import OrderHistory
from amarktai.services.trades import TradeService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_ZAR, ETH_ZAR, World, trading


async def history(world: World, who: Identity) -> list[UUID]:
    """Two bots, three round trips each, and one left open on the first. Return the bots' ids."""
    await world.fund(who, Decimal(100_000))
    bots = [await world.add_bot(who, market, Decimal(20_000)) for market in (BTC_ZAR, ETH_ZAR)]
    for turn in range(3):
        for bot in bots:
            world.clock.advance(60)
            await world.trade(bot, Side.BUY, Decimal("0.01"), Decimal(100_000))
            world.clock.advance(60)
            await world.trade(bot, Side.SELL, Decimal("0.01"), Decimal(110_000 - 1_000 * (turn % 2)))
    await world.trade(bots[0], Side.BUY, Decimal("0.01"), Decimal(100_000))
    return [bot.id for bot in bots]


async def all_pages(service: TradeService, who: UUID, wanted: Trades) -> list[Any]:
    items: list[Any] = []
    cursor = None
    while True:
        page = await service.list_trades(who, wanted, cursor=cursor, limit=2)
        items.extend(page.items)
        if page.next_cursor is None:
            assert page.total == len(items)
            return items
        cursor = page.next_cursor


@pytest.mark.parametrize("column", ["opened_at", "closed_at", "profit_loss"])
@pytest.mark.parametrize("direction", ["", "-"])
async def test_pages_join_to_the_whole_list_in_order(
    database_urls: DatabaseUrls, column: str, direction: str
) -> None:
    sort = direction + column
    async with trading(database_urls) as world:
        who = world.add_user()
        bots = await history(world, who)
        service = TradeService(world.reporting)
        everything = await all_pages(service, who.user_id, Trades(sort=sort))
        of_bot = await all_pages(service, who.user_id, Trades(sort=sort, bot_id=bots[0]))
        of_pair = await all_pages(
            service, who.user_id, Trades(sort=sort, platform=Platform.LUNO, pair="eth/zar")
        )
    key = sort.removeprefix("-")
    times = [Decimal(trade[key]) if key == "profit_loss" else trade[key] for trade in everything]
    assert times == sorted(times, reverse=sort.startswith("-"))
    assert len({trade["id"] for trade in everything}) == len(everything) == (7 if key == "opened_at" else 6)
    assert [trade for trade in everything if trade["bot_id"] == str(bots[0])] == of_bot
    assert [trade for trade in everything if trade["pair"] == "ETH/ZAR"] == of_pair


async def test_trades_are_filtered_by_status_time_and_mode(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        start = world.now
        bots = await history(world, who)
        service = TradeService(world.reporting)
        opened = await all_pages(service, who.user_id, Trades(status="open"))
        closed = await all_pages(service, who.user_id, Trades(status="closed", sort="-closed_at"))
        early = await all_pages(
            service, who.user_id, Trades(until=start + timedelta(seconds=181), sort="opened_at")
        )
        live = await all_pages(service, who.user_id, Trades(mode=TradingMode.LIVE))
    assert [trade["bot_id"] for trade in opened] == [str(bots[0])]
    assert opened[0]["profit_loss"] is None and opened[0]["closed_at"] is None
    assert len(closed) == 6 and {trade["status"] for trade in closed} == {"closed"}
    assert len(early) == 2 and live == []


async def test_a_trade_opens_to_its_fills_and_a_fill_to_its_entry(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, other = world.add_user(1), world.add_user(2)
        await history(world, who)
        service, ledger = TradeService(world.reporting), LedgerReports(world.reporting, world.clock)
        page = await service.list_trades(who.user_id, Trades(status="closed"), cursor=None, limit=1)
        trade_id = UUID(page.items[0]["id"])
        found = await service.get(who.user_id, trade_id)
        entries = await ledger.entries(who.user_id, Entries(trade_id=trade_id), cursor=None, limit=10)
        with pytest.raises(NotFound):
            await service.get(other.user_id, trade_id)
        theirs = await service.list_trades(other.user_id, Trades(), cursor=None, limit=10)
    assert found["trade"] == page.items[0]
    assert [fill["side"] for fill in found["fills"]] == ["buy", "sell"]
    assert {fill["ledger_entry_id"] for fill in found["fills"]} == {item["id"] for item in entries.items}
    # 1,000 in, 1,100 out, fees of 1.00 and 1.10
    assert Decimal(found["trade"]["profit_loss"]) == Decimal("97.9")
    assert theirs.items == [] and theirs.total == 0


async def test_an_unknown_sort_status_or_cursor_is_refused(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        service = TradeService(world.reporting)
        for wanted, cursor in ((Trades(sort="price"), None), (Trades(status="won"), None), (Trades(), "x")):
            with pytest.raises(InvalidInput):
                await service.list_trades(who.user_id, wanted, cursor=cursor, limit=10)


async def test_orders_show_their_events_and_fills(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, other = world.add_user(1), world.add_user(2)
        bots = await history(world, who)
        async with world.store.unit_of_work(who.user_id) as unit:
            working = await world.add_order(unit, world.bots[bots[1]], Side.BUY, Decimal(1))
        service = OrderHistory(world.reporting)
        first = await service.list_orders(who.user_id, Orders(), cursor=None, limit=10)
        rest = await service.list_orders(who.user_id, Orders(), cursor=first.next_cursor, limit=10)
        opened = await service.list_orders(who.user_id, Orders(is_open=True), cursor=None, limit=10)
        filled = await service.list_orders(
            who.user_id, Orders(bot_id=bots[1], state="filled"), cursor=None, limit=50
        )
        detail = await service.get(who.user_id, UUID(rest.items[-1]["id"]))
        with pytest.raises(NotFound):
            await service.get(other.user_id, working.id)
        with pytest.raises(InvalidInput):
            await service.list_orders(who.user_id, Orders(state="lost"), cursor=None, limit=10)
    assert len(first.items) == 10 and len(rest.items) == 4 and rest.next_cursor is None
    assert [item["id"] for item in opened.items] == [str(working.id)]
    assert len(filled.items) == 6
    assert [event["to_state"] for event in detail["events"]] == ["sending", "filled"]
    assert [fill["side"] for fill in detail["fills"]] == ["buy"]
    assert Decimal(detail["order"]["average_price"]) == 100_000


async def test_entries_are_found_by_bot_and_asset(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        bots = await history(world, who)
        ledger = LedgerReports(world.reporting, world.clock)
        everything = await ledger.entries(who.user_id, Entries(), cursor=None, limit=500)
        of_bot = await ledger.entries(who.user_id, Entries(bot_id=bots[1]), cursor=None, limit=500)
        of_coin = await ledger.entries(who.user_id, Entries(asset="ETH"), cursor=None, limit=4)
        further = await ledger.entries(who.user_id, Entries(asset="ETH"), cursor=of_coin.next_cursor, limit=4)
    assert [item["seq"] for item in everything.items] == list(range(16, 0, -1))
    touching = [item for item in everything.items if item["reference"].get("bot_id") == str(bots[1])]
    assert of_bot.items == touching and len(touching) == 7
    eth = [item for item in everything.items if any(leg["asset"] == "ETH" for leg in item["postings"])]
    assert [*of_coin.items, *further.items] == eth and further.next_cursor is None


async def test_a_statement_runs_from_the_balance_back_to_nothing(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        bots = await history(world, who)
        ledger = LedgerReports(world.reporting, world.clock)
        held = await ledger.accounts(who.user_id, mode=None, prefix="holding:bot:", cursor=None, limit=50)
        for line in held.items:
            lines: list[Any] = []
            cursor: str | None = None
            while True:
                page = await ledger.statement(
                    who.user_id, mode=None, account=line["account"], asset=line["asset"],
                    cursor=cursor, limit=2,
                )  # fmt: skip
                lines += page.items
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert Decimal(lines[0]["balance"]) == Decimal(line["amount"])
            below = [Decimal(row["balance"]) for row in lines[1:]] + [Decimal(0)]
            for row, before in zip(lines, below, strict=True):
                moved = Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
                assert Decimal(row["balance"]) - moved == before
        names = {line["bot_name"] for line in held.items}
        kinds = await ledger.entries(who.user_id, Entries(kind="funding"), cursor=None, limit=10)
        of_bot = await ledger.entries(
            who.user_id, Entries(kind="allocation", bot_id=bots[0], asset="ZAR"), cursor=None, limit=10
        )
    assert len(names) == 2 and {str(bot) for bot in bots} == {line["bot_id"] for line in held.items}
    assert [item["kind"] for item in kinds.items] == ["funding"]
    assert [item["reference"]["bot_id"] for item in of_bot.items] == [str(bots[0])]


async def test_a_statements_cursor_fits_no_other_account(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await history(world, who)
        ledger = LedgerReports(world.reporting, world.clock)
        wanted: dict[str, Any] = {"mode": None, "asset": "ZAR", "limit": 1}
        page = await ledger.statement(who.user_id, account="holding:wallet", cursor=None, **wanted)
        with pytest.raises(InvalidInput, match="another account"):
            await ledger.statement(who.user_id, account="funding", cursor=page.next_cursor, **wanted)


_FLIPS = {
    "a changed description": ("UPDATE ledger_entries SET description = 'x' WHERE seq = 3", "entry 3, hash"),
    "a changed time": (
        "UPDATE ledger_entries SET effective_at = effective_at + interval '1 us' WHERE seq = 3",
        "entry 3, hash",
    ),
    "a moved time of record": (
        "UPDATE ledger_entries SET recorded_at = recorded_at - interval '1 day' WHERE seq = 4",
        "entry 4, time recorded",
    ),
    "a changed key": ("UPDATE ledger_entries SET idempotency_key = 'x' WHERE seq = 5", "entry 5, hash"),
    "a changed amount": (
        "UPDATE ledger_postings SET amount = amount * 2 WHERE entry_id ="
        " (SELECT id FROM ledger_entries WHERE seq = 6)",
        "entry 6, hash",
    ),
    "one side of an entry": (
        "UPDATE ledger_postings SET amount = amount + 1 WHERE line = 0 AND entry_id ="
        " (SELECT id FROM ledger_entries WHERE seq = 6)",
        "entry 6, sum of",
    ),
    "a swapped account": (
        "UPDATE ledger_postings SET account = 'funding' WHERE line = 0 AND entry_id ="
        " (SELECT id FROM ledger_entries WHERE seq = 7)",
        "entry 7, hash",
    ),
    "a changed hash": (
        "UPDATE ledger_entries SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 8",
        "entry 8, hash",
    ),
    "a cut tail": ("UPDATE ledger_books SET head_seq = head_seq + 1", "the book's last entry"),
    "a swap": (
        "UPDATE ledger_entries SET seq = CASE seq WHEN 9 THEN 99 ELSE seq END",
        "the entry after 8",
    ),
}


@pytest.mark.parametrize("damage", sorted(_FLIPS))
async def test_l14_tampering_as_a_superuser_is_named(
    database_urls: DatabaseUrls, damage: str, superuser_url: str
) -> None:
    statement, named = _FLIPS[damage]
    async with trading(database_urls) as world:
        who = world.add_user()
        await history(world, who)
        ledger = LedgerReports(world.reporting, world.clock)
        before = await ledger.verify(who.user_id)
        with psycopg.connect(superuser_url) as connection:
            connection.execute("SET session_replication_role = replica")  # switches the triggers off
            connection.execute(statement)
        after = await ledger.verify(who.user_id)
    assert before["ok"] and before["entries_checked"] == 16 and before["imbalance"] == {}
    assert not after["ok"] and after["first_difference"].startswith(named)
