"""A world in which every list holds something: bots, round trips, orders, alerts, candles, events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import Side
from amarktai.domain.user import Identity, Scope
from amarktai.ledger.live_books import book_difference
from amarktai.ports.catalog import FeedRow
from amarktai.ports.feed import FeedState
from amarktai.ports.live_accounts import AccountStatus, Condition, Difference, TieOut
from amarktai.storage import tables as t
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.users import PgUsers
from tests.api.conftest import World, open_world
from tests.trading import BTC_USDT, BTC_ZAR, INSTRUMENTS


@dataclass(frozen=True)
class Populated:
    """The world, its admin with data, another user without any, and the ids of the admin's things."""

    world: World
    owner: httpx.AsyncClient
    other: httpx.AsyncClient
    ids: dict[str, str]


@asynccontextmanager
async def populated(urls: DatabaseUrls, folder: Path) -> AsyncIterator[Populated]:
    async with open_world(urls, folder) as world:
        owner = await world.set_up()
        other = await world.join(owner, "bo@example.org")
        who = await _identity(world, owner)
        await _open_market(world)
        funded = await owner.post("/api/wallet/paper/fund", json={"amount": "100000"})
        assert funded.status_code == 200, funded.text
        ids = await _trade(world, owner, who)
        ids |= await _account_things(owner)
        ids["alert_id"] = await _alert(world, who, UUID(ids["bot_id"]))
        ids["difference_id"] = await _difference(world, who)
        yield Populated(world, owner, other, ids)


async def _identity(world: World, client: httpx.AsyncClient) -> Identity:
    me: dict[str, Any] = (await client.get("/api/auth/me")).json()["user"]
    async with world.database.transaction(None) as connection:
        found = await PgUsers(connection).get(UUID(me["id"]))
    assert found is not None
    return Identity(found[0], frozenset(Scope))


async def _open_market(world: World) -> None:
    now = world.desk.now
    # Room for an order of any size, so that bots can be made through the API.
    listed = [replace(item, min_notional=Decimal(1)) for item in INSTRUMENTS.values()]
    await world.desk.catalog.put_instruments(listed, Origin.RECORDED, now)
    feed = FeedRow(Platform.LUNO, Origin.RECORDED, FeedState.LIVE, "Prices arrive", now, None, 2)
    await world.desk.catalog.put_feed(feed, now)
    usdt_zar = replace(BTC_ZAR, base="USDT")
    await world.desk.mark(usdt_zar, Decimal("18.5"))
    await world.desk.mark(BTC_ZAR, Decimal(1_000_000))
    await world.desk.mark(BTC_USDT, Decimal(54_000))


async def _trade(world: World, client: httpx.AsyncClient, who: Identity) -> dict[str, str]:
    desk = world.desk
    bot = await desk.add_bot(who, BTC_ZAR, Decimal(10_000), "Luno cross")
    abroad = await desk.add_bot(who, BTC_USDT, Decimal(10_000), "Binance cross")
    amount = Decimal("0.001")
    for price, side in ((1_000_000, Side.BUY), (1_010_000, Side.SELL), (1_005_000, Side.BUY)):
        desk.clock.advance(600)
        await desk.mark(BTC_ZAR, Decimal(price))
        await desk.trade(bot, side, amount, Decimal(price))
    await desk.trade(abroad, Side.BUY, amount, Decimal(54_000))
    trades = (await client.get("/api/trades")).json()["items"]
    orders = (await client.get("/api/orders")).json()["items"]
    return {"bot_id": str(bot.id), "trade_id": trades[0]["id"], "order_id": orders[0]["id"]}


async def _account_things(client: httpx.AsyncClient) -> dict[str, str]:
    token = await client.post("/api/tokens", json={"name": "t", "scopes": ["read"]})
    invite = await client.post("/api/invites", json={"role": "viewer"})
    sessions = (await client.get("/api/auth/sessions")).json()["items"]
    me = (await client.get("/api/auth/me")).json()["user"]["id"]
    return {
        "token_id": token.json()["access_token"]["id"],
        "invite_id": invite.json()["invite"]["id"],
        "session_id": sessions[0]["id"],
        "user_id": me,
    }


async def _difference(world: World, who: Identity) -> str:
    """Let an account at Luno differ from the books, as the engine books it."""
    desk, found = world.desk, world.desk.ids.new()
    status = AccountStatus(Platform.LUNO, Condition.UNEXPLAINED, "It differs.", desk.now, desk.now)
    async with desk.store.unit_of_work(who.user_id) as unit:
        book = await unit.ledger.lock_book(TradingMode.LIVE)
        await unit.ledger.append(
            book, [book_difference(found, "luno", {"ZAR": Decimal(500)}, desk.now)], desk.now
        )
        await unit.live_accounts.save_difference(
            Difference(found, Platform.LUNO, "ZAR", Decimal(500), desk.now)
        )
        await unit.live_accounts.save_status(status)
        row = TieOut(
            Platform.LUNO, "ZAR", desk.now.date(), desk.now, Decimal(500), Decimal(500), Decimal(0), 1
        )
        await unit.live_accounts.save_tie_outs([row])
    return str(found)


async def _alert(world: World, who: Identity, bot_id: UUID) -> str:
    alert_id = world.desk.ids.new()
    async with world.database.transaction(who.user_id) as connection:
        await connection.execute(
            insert(t.alerts).values(
                id=alert_id,
                user_id=who.user_id,
                bot_id=bot_id,
                type="feed_stale",
                severity="warning",
                message="Luno is silent",
                created_at=world.desk.now,
            )
        )
    return str(alert_id)
