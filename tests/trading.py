"""A small trading world on a real database: a user, a funded wallet, bots, and fills through the Booker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import insert

from amarktai.domain.bot import Bot, BotStatus, LifecycleStage, RiskMode, TradingMode
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Fees, Instrument, Origin, Platform
from amarktai.domain.mode import SystemMode
from amarktai.domain.money import LEDGER_STEP, ZAR, ZERO, floor_to_step
from amarktai.domain.order import Order, OrderEvent, OrderState, OrderType, Side
from amarktai.domain.readiness import Check, Name, Report, Status
from amarktai.domain.user import Identity, Role, Scope, User
from amarktai.ledger.booking import book_allocation, book_conversion, book_funding
from amarktai.ledger.profit import EVERYTHING
from amarktai.ports.catalog import MarkRow
from amarktai.ports.clock import to_datetime
from amarktai.ports.modes import ModeRow
from amarktai.ports.store import NewOrder, OrderChange, UnitOfWork
from amarktai.services.booking import Booker
from amarktai.services.fx import FxRates, Mark
from amarktai.storage import tables
from amarktai.storage.catalog import PgCatalog
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.modes import PgModes
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.unit_of_work import PgStore
from tests.fakes import HandClock, SeededIds

FEES = Fees(Decimal("0.001"), Decimal("0.001"), "test")


def instrument(platform: Platform, symbol: str) -> Instrument:
    base, _, quote = symbol.partition("/")
    step = Decimal("0.00000001")
    return Instrument(platform, base, quote, step, step, step, ZERO, FEES)


BTC_ZAR = instrument(Platform.LUNO, "BTC/ZAR")
ETH_ZAR = instrument(Platform.LUNO, "ETH/ZAR")
BTC_USDT = instrument(Platform.BINANCE, "BTC/USDT")
ETH_USDT = instrument(Platform.KUCOIN, "ETH/USDT")
USDT_ZAR = instrument(Platform.LUNO, "USDT/ZAR")
INSTRUMENTS = {item.id: item for item in (BTC_ZAR, ETH_ZAR, BTC_USDT, ETH_USDT)}


def user_id_of(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-{number:012d}")


@dataclass
class World:
    """One database with users who trade. Times move only by ``clock``."""

    urls: DatabaseUrls
    seed: str = "world"
    clock: HandClock = field(default_factory=HandClock)
    pool_size: int = 4

    def __post_init__(self) -> None:
        self.database = Database(self.urls.app, pool_size=self.pool_size)
        self.ids = SeededIds(self.clock, self.seed)
        self.store = PgStore(self.database, self.ids, self.clock)
        self.reporting = PgReporting(self.database)
        self.catalog = PgCatalog(self.database)
        self.fx = self.rates()
        self.bots: dict[UUID, Bot] = {}
        self.trade_count = 0

    def rates(self) -> FxRates:
        return FxRates((), max_age_s=3_600)

    @property
    def now(self) -> datetime:
        return to_datetime(self.clock.now_ns())

    def add_user(self, number: int = 1, timezone: str = "Africa/Johannesburg") -> Identity:
        user = User(
            user_id_of(number), f"user{number}@example.org", f"User {number}", Role.TRADER, timezone,
            datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        with psycopg.connect(self.urls.app) as connection:
            connection.execute(
                "INSERT INTO users (id, email, name, password_hash, role, timezone, created_at)"
                " VALUES (%s, %s, %s, 'x', 'trader', %s, %s)",
                [user.id, user.email, user.name, timezone, user.created_at],
            )
        return Identity(user, frozenset(Scope))

    async def let_trade(self, base: TradingMode) -> None:
        """Set the system's mode: which entries may leave. Live with a report in which all is green."""
        report_id = self.ids.new() if base is TradingMode.LIVE else None
        if report_id is not None:
            checks = [Check(name, Status.OK, "", "", "") for name in Name]
            await PgReadiness(self.database).keep(report_id, Report(self.now, "test", checks), "test")
        row = ModeRow(SystemMode(base.value), base, self.now, "test")
        async with self.database.transaction(None) as connection:
            await PgModes(connection).switch(row, report_id)

    async def fund(self, who: Identity, amount: Decimal, mode: TradingMode = TradingMode.PAPER) -> None:
        async with self.store.unit_of_work(who.user_id) as unit:
            book = await unit.ledger.lock_book(mode)
            entry = book_funding(f"fund:{self.ids.new().hex}", amount, self.now)
            await unit.ledger.append(book, [entry], self.now)

    async def snapshot(
        self, who: Identity, points: Sequence[tuple[datetime, Decimal, Decimal]], bot: Bot | None = None
    ) -> None:
        """Store (time, equity, deposits) of the user's paper book, or of one bot."""
        scope = {"scope": "bot", "scope_id": bot.id.hex} if bot else {"scope": "user", "scope_id": EVERYTHING}
        values = [
            {
                "user_id": who.user_id, "mode": "paper", **scope, "at": at, "equity_zar": equity,
                "realized_zar": 0, "unrealized_zar": 0, "deposits_zar": deposits,
            }
            for at, equity, deposits in points
        ]  # fmt: skip
        async with self.database.transaction(who.user_id) as connection:
            await connection.execute(insert(tables.equity_snapshots), values)

    async def add_bot(
        self, who: Identity, market: Instrument, capital: Decimal, name: str | None = None, **choices: Any
    ) -> Bot:
        """Create a bot with its capital, converted where the market needs it.

        ``choices`` are fields of the bot that differ from an EMA cross on hours.
        """
        bot = Bot(
            id=self.ids.new(),
            user_id=who.user_id,
            name=name or f"Bot {len(self.bots) + 1}",
            platform=market.venue,
            instrument_id=market.id,
            strategy="ema_cross",
            params={},
            timeframe="1h",
            risk_mode=RiskMode.BALANCED,
            mode=TradingMode.PAPER,
            origin=Origin.RECORDED,
            status=BotStatus.ACTIVE,
            lifecycle_stage=LifecycleStage.PAPER_TRAINING,
            quote_asset=market.quote,
            capital_zar=capital,
            capital_quote=capital,
            created_at=self.now,
            started_at=self.now,
        )
        bot = replace(bot, **choices)
        entries = [book_allocation(bot.id, bot.name, capital, self.now)]
        if market.quote != ZAR:
            rate = self.fx.rate(market.quote, self.now, market.venue)
            assert rate is not None
            bought = floor_to_step(capital / rate.rate, LEDGER_STEP)
            entries.append(
                book_conversion(
                    f"convert:{bot.id.hex}", bot.id, sell=(ZAR, capital), buy=(market.quote, bought),
                    rate=rate, at=self.now,
                )
            )  # fmt: skip
            bot = replace(bot, capital_quote=bought)
        async with self.store.unit_of_work(who.user_id) as unit:
            book = await unit.ledger.lock_book(bot.mode)
            await unit.bots.insert(bot)
            await unit.ledger.append(book, entries, self.now)
        self.bots[bot.id] = bot
        return bot

    def fill(
        self,
        order_id: UUID,
        market: Instrument,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        *,
        fee_ratio: Decimal = Decimal("0.001"),
        fee_in_base: bool = False,
    ) -> Fill:
        self.trade_count += 1
        notional = (quantity * price).quantize(LEDGER_STEP)
        fee = ((quantity if fee_in_base else notional) * fee_ratio).quantize(LEDGER_STEP)
        return Fill(
            order_id, f"t{self.trade_count}", side, quantity, price, fee,
            market.base if fee_in_base else market.quote, Liquidity.TAKER, self.now, Origin.RECORDED,
        )  # fmt: skip

    async def add_order(self, unit: UnitOfWork, bot: Bot, side: Side, quantity: Decimal) -> Order:
        book = await unit.ledger.lock_book(bot.mode)
        base, _, quote = bot.pair.partition("/")
        order = Order(
            id=self.ids.new(), user_id=bot.user_id, book_id=book.id, bot_id=bot.id,
            instrument_id=bot.instrument_id, tag="entry" if side is Side.BUY else "exit", side=side,
            type=OrderType.MARKET, quantity=quantity, price=None, stop_price=None, post_only=False,
            reduce_only=False, oco_group=None, reason="signal", state=OrderState.SENDING,
            filled_quantity=ZERO, reserved_asset=quote if side is Side.BUY else base,
            reserved_amount=ZERO,
        )  # fmt: skip
        new = NewOrder(order, bot.platform.value, "paper", bot.mode, order.id.hex, self.now, None)
        await unit.orders.insert([new])
        return order

    async def add_doubtful_order(self, bot: Bot) -> Order:
        """Write an order whose outcome is not known."""
        async with self.store.unit_of_work(bot.user_id) as unit:
            order = await self.add_order(unit, bot, Side.BUY, Decimal("0.001"))
            lost = replace(order, state=OrderState.UNKNOWN)
            step = (OrderEvent.LOSE, OrderState.SENDING, OrderState.UNKNOWN, "silence")
            await unit.orders.change([OrderChange(lost, ZERO, [step], self.now)])
        return lost

    async def trade(self, bot: Bot, side: Side, quantity: Decimal, price: Decimal, **options: Any) -> Fill:
        """Book one market order that fills at once."""
        market = INSTRUMENTS[bot.instrument_id]
        async with self.store.unit_of_work(bot.user_id) as unit:
            order = await self.add_order(unit, bot, side, quantity)
            fill = self.fill(order.id, market, side, quantity, price, **options)
            await self.book(unit, bot, order, [fill])
            filled = replace(order, state=OrderState.FILLED, filled_quantity=quantity)
            step = (OrderEvent.FILL_ALL, OrderState.SENDING, OrderState.FILLED, "")
            await unit.orders.change([OrderChange(filled, fill.notional, [step], self.now, self.now)])
        return fill

    async def book(self, unit: UnitOfWork, bot: Bot, order: Order, fills: list[Fill]) -> None:
        booker = Booker(
            unit, await unit.ledger.lock_book(TradingMode.PAPER), self.bots, INSTRUMENTS, self.fx,
            self.ids, self.clock, account="paper",
        )  # fmt: skip
        await booker.load([bot.id])
        for fill in fills:
            booker.add(order, fill)
        await unit.outbox.emit(await booker.write(), self.now)

    async def mark(self, market: Instrument, price: Decimal) -> None:
        """Set a market's price, for rates and for the reports."""
        self.fx.mark(market.venue, market.symbol, Mark(price, self.now, Origin.RECORDED))
        await self.catalog.put_marks([MarkRow(market.id, price, self.now, Origin.RECORDED)])


@asynccontextmanager
async def trading(urls: DatabaseUrls, seed: str = "world") -> AsyncIterator[World]:
    world = World(urls, seed)
    try:
        yield world
    finally:
        await world.database.close()
