"""A storm put together: exchanges that are models, engines that live and die, one database of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.bootstrap.foundation import Foundation, build_bots, build_fx, build_notices, start_logs
from amarktai.bootstrap.rehearsals import MONEY, START_NS, TRADED
from amarktai.bootstrap.replays import ReplayLogin, create_first_user
from amarktai.config import Settings
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Fees, Instrument, Origin, Platform
from amarktai.domain.mode import SystemMode
from amarktai.domain.readiness import Check, Name, Report, Status
from amarktai.domain.user import Identity, Scope
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import Quote, Recall
from amarktai.ports.live_accounts import WorkingKey
from amarktai.ports.modes import ModeRow
from amarktai.services.arrivals import Arrivals
from amarktai.services.differences import Differences
from amarktai.services.engine import EngineParts, TradingDesk, TradingEngine
from amarktai.services.fleet import Part, enlist
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.live_accounts import LiveAccounts, LiveParts
from amarktai.services.order_recall import OrderRecall
from amarktai.services.orders import LIVE_POLICY, Desk, OrderService
from amarktai.services.rehearsal import RehearsalFeed
from amarktai.services.resolutions import Resolutions
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.catalog import PgCatalog
from amarktai.storage.clones import clone, make_template
from amarktai.storage.database import Database, Snapshot
from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.evidence import PgEvidence
from amarktai.storage.leases import PgLeases
from amarktai.storage.modes import PgModes
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.reports import PgReporting
from amarktai.storage.transaction import Transaction
from amarktai.storage.unit_of_work import PgStore
from amarktai.storm.account import ModelAccount
from amarktai.storm.exchange import LOT, MANNERS, TICK, ModelExchange
from amarktai.storm.life import BAR_S, Life, Lifeline, LifeParts, take_lease
from amarktai.storm.loop import LoopClock, Turn, run_virtual
from amarktai.storm.oracles import Oracles, unreached
from amarktai.storm.storm import HandStop, Storm, StormParts, StormResult
from amarktai.storm.weather import Fault, Weather
from amarktai.system.ids import TimeIds
from amarktai.system.rng import SeededRng, SystemRng

__all__ = ["Fault", "play_storm", "storm_server", "unreached"]

#: Bars close on the last step's quotes.
_MAX_AGE_S: Final = BAR_S + 30.0
_PRICES: Final = {
    ("BTC", "ZAR"): Decimal(1_000_000), ("ETH", "ZAR"): Decimal(50_000),
    ("BTC", "USDT"): Decimal(55_000), ("ETH", "USDT"): Decimal(2_800), ("USDT", "ZAR"): Decimal(18),
}  # fmt: skip
_SHARE: Final = Decimal("0.4")
_NO_DATABASE: Final = "The storm has taken the database away."


class StormDatabase(Database):
    """The database as one life of the engine has it: one task at a time, and by chance not at all."""

    def __init__(self, url: str, turn: Turn, lifeline: Lifeline | None, weather: Weather) -> None:
        super().__init__(url, pool_size=4)
        self._turn = turn
        self._lifeline = lifeline
        self._weather = weather

    @asynccontextmanager
    async def transaction(self, user_id: UUID | None, *, durable: bool = True) -> AsyncIterator[Transaction]:
        if self._lifeline is not None:
            await self._lifeline.point()
            self._fail(Fault.DATABASE_AWAY)
        async with self._turn.taken():
            if self._lifeline is not None:
                self._lifeline.check()
            async with super().transaction(user_id, durable=durable) as transaction:
                yield transaction
                if self._lifeline is not None:
                    self._lifeline.die_if_struck()
                    self._fail(Fault.ROLLED_BACK)
        if self._lifeline is not None:
            await self._lifeline.point()
            self._fail(Fault.COMMIT_UNHEARD)

    @asynccontextmanager
    async def snapshot(self, user_id: UUID | None) -> AsyncIterator[Snapshot]:
        async with self._turn.taken(), super().snapshot(user_id) as snapshot:
            yield snapshot

    def _fail(self, fault: Fault) -> None:
        if self._weather.strikes(fault):
            raise Unavailable("UNAVAILABLE", _NO_DATABASE)


class _ModelOpener:
    """Opens accounts at the models. Implements ports.live_accounts.AccountOpener for one life."""

    def __init__(self, storm: _Stage, recall: Recall, lifeline: Lifeline) -> None:
        self._storm = storm
        self._recall = recall
        self._lifeline = lifeline

    async def working_keys(self) -> Sequence[WorkingKey]:
        has_key = self._storm.storm.has_key
        return [
            WorkingKey(self._storm.who.user_id, platform, "key")
            for platform in self._storm.exchanges
            if has_key(platform)
        ]

    async def open(self, key: WorkingKey) -> ModelAccount:
        storm, lifeline = self._storm.storm, self._lifeline
        return ModelAccount(
            self._storm.exchanges[key.platform],
            self._recall,
            lambda account, request: storm.departs(account, request, lifeline),
            lifeline.point,
        )

    async def clock_offset_ns(self, platform: Platform) -> int | None:
        exchange = self._storm.exchanges[platform]
        if exchange.is_away:
            raise Unavailable("VENUE_UNREACHABLE", "The exchange does not answer.")
        return exchange.offset_ns


class _Stage:
    """One seed's world, and how an engine is made in it."""

    def __init__(self, settings: Settings, app_url: str, seed: int, force: float) -> None:
        self.settings = settings
        self._url = app_url
        self.clock = LoopClock(START_NS)
        self.ids = TimeIds(self.clock, SeededRng(f"storm ids:{seed}"))
        self.weather = Weather(SeededRng(f"storm:{seed}"))
        self.weather.blow(force)
        self.turn = Turn()
        self.base = self._found(None)
        self.stop = HandStop()
        self.instruments: dict[str, Instrument] = {}
        self.exchanges = {platform: self._exchange(platform) for platform in MANNERS}
        self.fx = build_fx(_MAX_AGE_S)
        self.who: Identity
        self.storm: Storm

    def _found(self, lifeline: Lifeline | None) -> Foundation:
        database = StormDatabase(self._url, self.turn, lifeline, self.weather)
        store = PgStore(database, self.ids, self.clock)
        return Foundation(self.settings, self.clock, self.ids, database, store, PgCatalog(database))

    def _exchange(self, platform: Platform) -> ModelExchange:
        asset, amount = MONEY[platform]
        manners = MANNERS[platform]
        bases = (*TRADED, "USDT") if platform is Platform.LUNO else TRADED
        markets = [
            Instrument(
                platform,
                base,
                asset,
                TICK,
                LOT,
                LOT,
                Decimal(10),
                Fees(manners.fee_ratio, manners.fee_ratio, "the storm's model"),
            )
            for base in bases
        ]
        self.instruments.update({market.id: market for market in markets})
        return ModelExchange(
            manners,
            {market.id: market for market in markets},
            {market.id: _PRICES[market.base, market.quote] for market in markets},
            {asset: amount},
            self.weather,
            self.clock,
        )

    async def found_platform(self) -> None:
        """Make the user, their bots and their money, and let real money trade."""
        base = self.base
        user_id = await create_first_user(base, ReplayLogin("storm@amarktai.example", "a storm has no doors"))
        async with PgAccounts(base.database).unit(None) as unit:
            found = await unit.users.get(user_id)
        assert found is not None  # it was made just now
        self.who = Identity(found[0], frozenset(Scope), session_id=self.ids.new())
        now = to_datetime(self.clock.now_ns())
        await base.catalog.put_instruments(list(self.instruments.values()), Origin.SYNTHETIC, now)
        async with base.store.unit_of_work(user_id) as unit_of_work:
            book = await unit_of_work.ledger.lock_book(TradingMode.LIVE)
            for part in self._fleet():
                rate = _PRICES["USDT", "ZAR"] if part.instrument.quote == "USDT" else Decimal(1)
                bot = part.as_bot(self.ids.new(), user_id, part.capital * rate, now)
                await enlist(unit_of_work, book, bot)
        await let_made_up_money_trade(base)

    def _fleet(self) -> list[Part]:
        """Return two bots an exchange: one follows the trend with stops, one rests a grid, where it can."""
        parts: list[Part] = []
        for platform, exchange in self.exchanges.items():
            asset, amount = MONEY[platform]
            rests, name = exchange.manners.has_resting_orders, DISPLAY_NAMES[platform]
            trend = {"fast": 2, "slow": 5, "stop": 0.01 if rests else 0.0, "target": 0.0, "trailing": 0.0}
            grid = {"levels": 3, "spacing": 0.004, "stop": 0.0}
            slower = {**trend, "fast": 3, "slow": 8}
            second = ("grid", grid) if rests else ("ema_cross", slower)
            bitcoin, ether = (self.instruments[f"{platform.value}:{base}/{asset}"] for base in TRADED)
            parts.append(Part(f"{name} trend", bitcoin, "ema_cross", trend, amount * _SHARE))
            parts.append(Part(f"{name} {second[0]}", ether, *second, amount * _SHARE))
        return parts

    async def new_life(self, lifeline: Lifeline, quotes: Callable[[], Sequence[Quote]]) -> Life:
        """Make an engine from what the database has; nothing of an earlier one's memory."""
        base = self._found(lifeline)
        try:
            return await self._put_together(base, lifeline, quotes)
        except BaseException:
            await base.database.close()
            raise

    async def _put_together(
        self, base: Foundation, lifeline: Lifeline, quotes: Callable[[], Sequence[Quote]]
    ) -> Life:
        leases = PgLeases(base.database)
        lease = await take_lease(leases, self.clock, "storm")
        feed = RehearsalFeed(list(self.instruments.values()))
        running: dict[UUID, Bot] = {}
        arrivals, notices = Arrivals(), build_notices(base)
        opener = _ModelOpener(self, OrderRecall(base.store, self.who.user_id), lifeline)
        accounts = LiveAccounts(
            LiveParts(
                base.store, self.clock, self.ids, opener, arrivals, notices, self.instruments,
                Origin.SYNTHETIC, compare_every_s=BAR_S,
            )
        )  # fmt: skip
        desk = Desk(
            accounts, self.instruments, running, self.fx, replace(LIVE_POLICY, max_data_age_s=_MAX_AGE_S),
            lease, TradingMode.LIVE, stop_file=self.stop, arrivals=arrivals,
        )  # fmt: skip
        orders = OrderService(base.store, self.clock, self.ids, desk)
        bots = build_bots(base, self.fx, self.settings.bot_caps)
        desks = {TradingMode.LIVE: TradingDesk(orders, {})}
        engine = TradingEngine(
            base.store, self.clock, feed, EngineParts(desks, bots, notices, running, self.fx, 3_600.0)
        )
        rows = {instrument_id: index for index, instrument_id in enumerate(self.instruments)}
        parts = LifeParts(self.clock, engine, orders, accounts, arrivals, lease, leases, lifeline, rows)
        return Life(parts, quotes, base.database.close)

    def parts(self, evidence: PgEvidence) -> StormParts:
        base = self.base
        return StormParts(
            self.who, self.clock, self.weather, self.exchanges, base.store, self.fx, self.new_life,
            Oracles(evidence, self.exchanges),
            Differences(base.store, self.clock), Resolutions(base.store, self.clock),
            LedgerAudit(PgReporting(base.database)), self.stop,
            {item.id: item.venue for item in self.instruments.values()}, self.turn,
        )  # fmt: skip


async def let_made_up_money_trade(base: Foundation) -> None:
    """Set the mode of a database that holds nothing but made-up money, of a storm or a benchmark."""
    now, report_id = to_datetime(base.clock.now_ns()), base.ids.new()
    checks = [Check(name, Status.OK, "", "", "") for name in Name]
    await PgReadiness(base.database).keep(report_id, Report(now, "storm", checks), "system:storm")
    row = ModeRow(SystemMode.LIVE, TradingMode.LIVE, now, "system:storm")
    async with base.database.transaction(None) as connection:
        await PgModes(connection).switch(row, report_id)


async def _weather_storm(
    settings: Settings, app_url: str, seed: int, hours: float, force: float = 1.0
) -> StormResult:
    """Let one seed's storm pass over its own, empty database, on a virtual loop."""
    stage = _Stage(settings, app_url, seed, force)
    try:
        await stage.found_platform()
        with closing(PgEvidence(stage.base.database, stage.who.user_id, app_url)) as evidence:
            stage.storm = Storm(stage.parts(evidence))
            return await stage.storm.run(hours)
    finally:
        await stage.base.close()


@contextmanager
def storm_server(settings: Settings) -> Iterator[None]:
    """Run the server of the storms' databases in the data folder."""
    server = _server(settings)
    server.start()
    try:
        make_template(server)
        yield
    finally:
        server.stop()


def play_storm(settings: Settings, seed: int, hours: float, force: float = 1.0) -> StormResult:
    """Play one seed to its end in a database that is thrown away afterwards."""
    start_logs(settings, "storm")  # each may be a process of its own
    with clone(_server(settings), f"storm_{seed}_{os.getpid()}") as urls:
        return run_virtual(_weather_storm(settings, urls.app, seed, hours, force))


def _server(settings: Settings) -> EmbeddedPostgres:
    """Return the server in the data folder; power loss is none of a storm's faults."""
    return EmbeddedPostgres(settings.home, SystemRng(), fast=True)
