"""A user with a real account at a hand-moved exchange, a live bot, and the order path between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import Order, OrderIntent, OrderType, Side
from amarktai.domain.user import Identity
from amarktai.ledger import chart
from amarktai.ports.leases import Lease
from amarktai.ports.live_accounts import Difference, WorkingKey
from amarktai.ports.venue import OrderReport
from amarktai.services.alerts import Notices
from amarktai.services.arrivals import Arrivals
from amarktai.services.differences import Differences
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.live_accounts import LiveAccount, LiveAccounts, LiveParts
from amarktai.services.orders import LIVE_POLICY, Desk, OrderService, Outcome
from amarktai.storage import tables as t
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.leases import PgLeases
from amarktai.storage.orders import to_stored_order
from tests.hand_exchange import HandExchange, HandOpener
from tests.trading import BTC_ZAR, INSTRUMENTS, World, trading

LOT = Decimal("0.01")
#: What the account holds beside the bot's capital.
SPARE = Decimal(50_000)
CAPITAL = Decimal(100_000)
KEY_PRINT = "print-1"


@dataclass
class LiveDesk:
    """Time moves only by ``world.clock``; ``round`` is one turn of everything that runs beside the engine."""

    world: World
    who: Identity
    bot: Bot
    exchange: HandExchange
    opener: HandOpener
    accounts: LiveAccounts
    arrivals: Arrivals
    orders: OrderService
    group: asyncio.TaskGroup
    lease: Lease
    count: int = 0

    @property
    def account(self) -> LiveAccount:
        (account,) = self.accounts.accounts
        return account

    @property
    def condition(self) -> str:
        return self.account.status.condition

    async def book(self, user_id: UUID, reports: Sequence[OrderReport]) -> None:
        await self.orders.apply(user_id, reports)

    async def open(self) -> None:
        await self.accounts.follow_keys(self.group)

    async def reconcile(self) -> bool:
        return await self.account.reconcile(self.book)

    async def round(self, seconds: float = 0.0) -> None:
        """Let time pass, streams be heard, calls end, and what came be booked."""
        self.world.clock.advance(seconds)
        await self.hear()
        await self.accounts.follow_keys(self.group)
        await self.accounts.reconcile_due(self.book)
        await self.hear()

    async def hear(self) -> None:
        for exchange in self.opener.keys.values():
            await exchange.told.join()
        while not self.arrivals.is_idle:
            await self.arrivals.wait_for_calls()
            for user_id, _ in await self.orders.take_arrivals():
                await self.orders.cancel_unwanted(user_id)

    async def submit(self, side: Side, quantity: Decimal = LOT, price: Decimal | None = None) -> Outcome:
        self.count += 1
        intent = OrderIntent(
            self.bot.id, BTC_ZAR.id, f"d{self.count}", f"d{self.count}", side,
            OrderType.LIMIT if price else OrderType.MARKET, quantity, self.exchange.price,
            self.world.clock.now_ns(), price=price,
        )  # fmt: skip
        return await self.orders.submit(self.who.user_id, [intent])

    async def buy(self, quantity: Decimal = LOT, price: Decimal | None = None) -> Outcome:
        return await self.submit(Side.BUY, quantity, price)

    async def stored(self) -> list[Order]:
        """Return every order, oldest first."""
        async with self.world.database.transaction(self.who.user_id) as connection:
            rows = (await connection.execute(select(t.orders).order_by(t.orders.c.id))).mappings()
            return [to_stored_order(row).order for row in rows]

    async def differences(self) -> list[Difference]:
        async with self.world.store.unit_of_work(self.who.user_id) as unit:
            return await unit.live_accounts.differences(open_only=True)

    async def beside(self) -> dict[str, Decimal]:
        """Return what the account holds beside its bots, by the books."""
        async with self.world.store.unit_of_work(self.who.user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.LIVE)
            rows = await unit.ledger.balances(book, [chart.venue(Platform.LUNO)])
        return {asset: amount for (_, asset), amount in rows.items() if amount}

    async def alerts(self) -> list[str]:
        async with PgAccounts(self.world.database).unit(self.who.user_id) as unit:
            return [row.type for row in await unit.alerts.page(None, 50)]

    @property
    def explain(self) -> Differences:
        return Differences(self.world.store, self.world.clock)

    async def assert_books_are_right(self) -> None:
        audit = await LedgerAudit(self.world.reporting).audit(self.who.user_id)
        assert audit.ok, audit.first_difference


def new_orders(world: World, accounts: LiveAccounts, arrivals: Arrivals, lease: Lease) -> OrderService:
    desk = Desk(
        accounts, INSTRUMENTS, world.bots, world.fx, LIVE_POLICY, lease,
        TradingMode.LIVE, arrivals=arrivals,
    )  # fmt: skip
    return OrderService(world.store, world.clock, world.ids, desk)


@asynccontextmanager
async def live_desk(urls: DatabaseUrls) -> AsyncIterator[LiveDesk]:
    """Open a desk whose account holds the bot's capital and some money beside it."""
    async with trading(urls) as world, asyncio.TaskGroup() as group:
        who = world.add_user()
        await world.let_trade(TradingMode.LIVE)
        await world.fund(who, CAPITAL, TradingMode.LIVE)
        bot = await world.add_bot(who, BTC_ZAR, CAPITAL, mode=TradingMode.LIVE)
        exchange = HandExchange(world.clock, {"ZAR": CAPITAL + SPARE})
        opener, arrivals = HandOpener(), Arrivals()
        opener.keys[WorkingKey(who.user_id, Platform.LUNO, KEY_PRINT)] = exchange
        notices = Notices(PgAlerting(world.database), clock=world.clock, ids=world.ids)
        parts = LiveParts(
            world.store, world.clock, world.ids, opener, arrivals, notices, INSTRUMENTS, Origin.LIVE
        )
        accounts = LiveAccounts(parts)
        lease = await PgLeases(world.database).take("engine", "test", world.clock.now_ns(), ttl_s=1e6)
        orders = new_orders(world, accounts, arrivals, lease)
        desk = LiveDesk(world, who, bot, exchange, opener, accounts, arrivals, orders, group, lease)
        await desk.open()
        yield desk
        await accounts.close()
