"""An order service on a real database, trading at a paper venue behind a line that can be spoiled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import EventKind
from amarktai.domain.order import TERMINAL, OrderIntent, OrderState, OrderType, Side
from amarktai.domain.user import Identity
from amarktai.ports.keys import AccountState, VenueAccount
from amarktai.ports.leases import Lease
from amarktai.ports.store import Store
from amarktai.ports.venue import OrderReport, OrderRequest, SharedVenues, TradingVenue
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.orders import Desk, Notice, OrderPolicy, OrderService, Outcome
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.leases import PgLeases
from amarktai.venues.paper import PaperVenue
from tests.fakes import HandStopFile, SeededRng
from tests.trading import FEES, World, trading
from tests.venues.faulty import NO_FAULTS, FaultyVenue

MARKET = Instrument(
    Platform.LUNO, "BTC", "ZAR", Decimal(1), Decimal("0.000001"), Decimal("0.0001"), Decimal(10), FEES
)
LOT = Decimal("0.001")
PRICE = 1_000_000
TTL_S = 5


class Witness:
    """Looks into the database from outside the service's own transactions, as one tenant."""

    def __init__(self, urls: DatabaseUrls, user_id: UUID) -> None:
        self._connection = psycopg.connect(urls.app, autocommit=True, row_factory=dict_row)
        self._connection.execute("SELECT set_config('app.tenant', %s, false)", [str(user_id)])

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return self._connection.execute(query, list(values)).fetchall()

    def orders(self) -> dict[str, dict[str, Any]]:
        """Return every order by its decision key."""
        return {row["decision_key"]: row for row in self.rows("SELECT * FROM orders ORDER BY id")}

    def state(self, key: str) -> OrderState:
        return OrderState(self.orders()[key]["state"])

    def events(self, key: str) -> list[str]:
        """Return the order's transitions, oldest first."""
        order_id = self.orders()[key]["id"]
        query = "SELECT event FROM order_events WHERE order_id = %s ORDER BY id"
        return [row["event"] for row in self.rows(query, order_id)]

    def fills(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM fills ORDER BY id")

    def close(self) -> None:
        self._connection.close()


class WitnessedVenue(PaperVenue):
    """A paper venue that accepts no order which is not committed as being sent (O1)."""

    witness: Witness

    async def create_order(self, request: OrderRequest) -> OrderReport:
        rows = self.witness.rows("SELECT state FROM orders WHERE id = %s", request.order_id)
        assert [row["state"] for row in rows] == ["sending"], "a create left before it was committed"
        return await super().create_order(request)


@dataclass
class OrderDesk:
    """One user, one bot, one market. Time and prices move only by ``quote``."""

    world: World
    who: Identity
    bot: Bot
    witness: Witness
    venue: FaultyVenue
    lease: Lease
    policy: OrderPolicy = field(default_factory=lambda: OrderPolicy(ttl_ms=TTL_S * 1_000))
    notices: list[Notice] = field(default_factory=list)
    stop_file: HandStopFile = field(default_factory=HandStopFile)

    def __post_init__(self) -> None:
        self.service = self.new_service()

    def new_service(
        self, store: Store | None = None, venue: TradingVenue | None = None, lease: Lease | None = None
    ) -> OrderService:
        """Return a service without memory, as after a restart."""
        desk = Desk(
            SharedVenues({Platform.LUNO: venue or self.venue}),
            {MARKET.id: MARKET}, self.world.bots, self.world.fx,
            self.policy, lease or self.lease, self.bot.mode,
            stop_file=self.stop_file,
        )  # fmt: skip
        return OrderService(store or self.world.store, self.world.clock, self.world.ids, desk)

    def intent(self, key: str, side: Side, quantity: Decimal = LOT, **options: Any) -> OrderIntent:
        """Return an intent: a market order unless it has a price or a stop price."""
        kind = OrderType.MARKET
        if options.get("price") is not None:
            kind = OrderType.LIMIT
        elif options.get("stop_price") is not None:
            kind = OrderType.STOP_MARKET
        intent = OrderIntent(
            self.bot.id, MARKET.id, key, key, side, kind, quantity, Decimal(PRICE), self.world.clock.now_ns()
        )
        return replace(intent, **options)

    async def submit(self, *intents: OrderIntent) -> Outcome:
        return self._heard(await self.service.submit(self.who.user_id, intents))

    async def buy(self, key: str, quantity: Decimal = LOT, **options: Any) -> Outcome:
        return await self.submit(self.intent(key, Side.BUY, quantity, **options))

    async def sell(self, key: str, quantity: Decimal = LOT, **options: Any) -> Outcome:
        return await self.submit(self.intent(key, Side.SELL, quantity, **options))

    async def cancel(self, *keys: str) -> Outcome:
        orders = self.witness.orders()
        ids = [orders[key]["id"] for key in keys]
        return self._heard(await self.service.cancel(self.who.user_id, ids))

    async def apply(self, *reports: OrderReport) -> Outcome:
        return self._heard(await self.service.apply(self.who.user_id, reports))

    async def reconcile(self, *, everything: bool = False) -> Outcome:
        return self._heard(await self.service.reconcile(self.who.user_id, everything=everything))

    async def hold_back(self, state: AccountState, reason: str | None = None) -> None:
        """Halt or reopen the account at the exchange, as the jobs process does: past the service."""
        async with self.world.store.unit_of_work(self.who.user_id) as unit:
            await unit.venue_accounts.put(VenueAccount(Platform.LUNO, state, reason, self.world.now))

    async def restart(self) -> None:
        """Start a service anew, as the engine does after a kill; the venue has lived on."""
        self.service = self.new_service()
        await self.service.recover(self.who.user_id)
        await self.reconcile(everything=True)

    def _heard(self, outcome: Outcome) -> Outcome:
        self.notices += outcome.notices
        return outcome

    def show(self, bid: float) -> list[OrderReport]:
        """Show the venue a quote a second later and return what it reports."""
        self.world.clock.advance(1)
        return self.venue.on_event(
            MARKET.id, EventKind.QUOTE, self.world.clock.now_ns(), bid, bid + 1, 0.0, 0.0, 0.0
        )

    async def quote(self, bid: float) -> None:
        """Show the venue a quote and book what it reports."""
        await self.apply(*self.show(bid))

    def order_id(self, key: str) -> UUID:
        found: UUID = self.witness.orders()[key]["id"]
        return found

    async def record(self, key: str) -> OrderReport:
        """Return the order as the venue's own records have it."""
        report = await self.venue.fetch_order(self.order_id(key), MARKET.id)
        assert report is not None
        return report

    async def holdings(self) -> Mapping[str, Decimal]:
        """Return (cash free, cash held, coins) of the bot."""
        account = (await self.service.accounts(self.who.user_id, [self.bot.id]))[self.bot.id]
        return {"free": account.cash, "held": account.held_cash, "coins": account.quantity}

    async def assert_books_are_right(self) -> None:
        """Compare every fill with the venue's records, and every figure with the fills."""
        self.venue.faults = replace(NO_FAULTS, split_lot=self.venue.faults.split_lot)
        told: dict[str, tuple[UUID, Side, Decimal, Decimal, Decimal]] = {}
        for key, row in self.witness.orders().items():
            report = await self.venue.fetch_order(row["id"], MARKET.id)
            state = OrderState(row["state"])
            assert state in TERMINAL or state in {OrderState.OPEN, OrderState.PARTIAL}, (key, state)
            if report is None:
                assert state in {OrderState.DENIED, OrderState.REJECTED, OrderState.NOT_PLACED}, (key, state)
                continue
            assert (report.status.value == "open") is (state not in TERMINAL), (key, report.status, state)
            assert row["filled_quantity"] == report.filled_quantity
            for fill in report.fills:
                told[fill.venue_trade_id] = (
                    fill.order_id, fill.side, fill.quantity, fill.price, fill.fee_amount
                )  # fmt: skip
        booked = {
            row["venue_trade_id"]: (
                row["order_id"], Side(row["side"]), row["quantity"], row["price"], row["fee_amount"]
            )
            for row in self.witness.fills()
        }  # fmt: skip
        assert booked == told
        assert len(self.witness.fills()) == len(told)
        audit = await LedgerAudit(self.world.reporting).audit(self.who.user_id)
        assert audit.ok, audit.first_difference


def sent_once(desk: OrderDesk) -> bool:
    """Return whether no create reached the venue twice (O2)."""
    return all(count == 1 for count in desk.venue.received.values())


async def open_desk(
    world: World,
    *,
    number: int = 1,
    capital: Decimal = Decimal(90_000),
    seed: str = "line",
    mode: TradingMode = TradingMode.PAPER,
) -> OrderDesk:
    """Add a funded user with a bot to the world, and a desk for them."""
    who = world.add_user(number)
    await world.let_trade(mode)
    await world.fund(who, capital, mode)
    bot = await world.add_bot(who, MARKET, capital, mode=mode)
    witness = Witness(world.urls, who.user_id)
    paper = WitnessedVenue(
        platform=Platform.LUNO, account=f"paper-{number}", instruments=[MARKET], origin=Origin.RECORDED,
        clock=world.clock,
    )  # fmt: skip
    paper.witness = witness
    lease = await PgLeases(world.database).take(f"engine-{number}", "test", world.clock.now_ns(), ttl_s=1e6)
    return OrderDesk(world, who, bot, witness, FaultyVenue(paper, SeededRng(seed)), lease)


@asynccontextmanager
async def order_desk(urls: DatabaseUrls, mode: TradingMode = TradingMode.PAPER) -> AsyncIterator[OrderDesk]:
    async with trading(urls) as world:
        desk = await open_desk(world, mode=mode)
        try:
            await desk.quote(PRICE)
            yield desk
        finally:
            desk.witness.close()
