# long: a day from its opening to its judgement is one sequence
"""A rehearsal: live bots through a whole day on the exchanges' twins, with faults, money made up.

The engine, order path, ledger and adapters are those of live trading; only the exchanges are local
servers. At the end every bot is stopped, and each account must hold to the last unit what the ledger says
and what its owner did there: deposits, and trades by hand.
"""

from __future__ import annotations

from asyncio import TaskGroup
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S, Bars
from amarktai.domain.bot import Bot, BotStatus, TradingMode
from amarktai.domain.errors import BrokenInvariant, Conflict, Unavailable
from amarktai.domain.instrument import Instrument, Origin, Platform
from amarktai.domain.market import DirtyRows, MarketBatch, OrderBook, empty_bars
from amarktai.domain.mode import SystemMode
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import Side
from amarktai.ledger import chart
from amarktai.ledger.booking import booked_fee
from amarktai.ports.catalog import Catalog
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import AccountFill, ExchangeAccount, ExchangeMarket, Quote
from amarktai.ports.feed import FeedState, FeedStatus
from amarktai.ports.ids import Ids
from amarktai.ports.rehearsal import DrivenClock, Stage
from amarktai.ports.reports import OrderFilter, Reporting
from amarktai.ports.rng import Rng
from amarktai.ports.store import Store
from amarktai.services.arrivals import Arrivals
from amarktai.services.differences import Differences
from amarktai.services.engine import TradingEngine
from amarktai.services.fleet import Part, enlist, quote_rows
from amarktai.services.fx import FxRates, Mark
from amarktai.services.live_accounts import LiveAccounts
from amarktai.services.modes import CONFIRMATION, Modes
from amarktai.services.order_history import OrderHistory
from amarktai.services.orders import OrderService
from amarktai.services.rehearsal_script import DayScript, Halt, KeyDesk, Scene, Story

STEP_S: Final = 300
STEPS_A_DAY: Final = 86_400 // STEP_S
#: Turns of the twins' markets a step.
TURNS_A_STEP: Final = 4
FAULT_CHANCE: Final = 0.06
#: Bars close on the last step's quotes.
MAX_AGE_S: Final = STEP_S + 30.0
_CLOSING_ROUNDS: Final = 60
_LOOKS: Final = 30
#: So many after each leap of the clock, which every stream takes for a silence, before the bots look.
_LOOKS_A_STEP: Final = 3
_PAGE: Final = 100
#: More than the longest rehearsal.
_LOOK_BACK_NS: Final = 2 * 86_400 * NS_PER_S

#: Faults of the day, (kind, operation): what networks and exchanges do to calls and streams.
FAULTS: Final = (
    ("drop_request", "create"), ("drop_reply", "create"), ("server_error", "create"),
    ("done_but_error", "create"), ("delay_reply", "create"), ("refuse", "create"),
    ("drop_request", "cancel"), ("drop_reply", "cancel"), ("done_but_error", "cancel"),
    ("not_found", "cancel"), ("drop_reply", "order"), ("server_error", "order"),
    ("drop_reply", "fills"), ("server_error", "fills"), ("drop_reply", "ticker"),
    ("gap", "account_stream"), ("repeat", "account_stream"), ("close", "account_stream"),
)  # fmt: skip


class RehearsalFeed:
    """The markets of the twins as the engine's feed; its rows come from ``Rehearsal`` itself."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.origin = Origin.SYNTHETIC
        self.instruments = tuple(instruments)
        self.books: dict[int, OrderBook] = {}
        self.dirty = DirtyRows()
        self.max_age_s = MAX_AGE_S

    async def batches(self) -> AsyncIterator[MarketBatch]:
        """Yield nothing: the rehearsal shows the engine its rows itself, step by step."""
        none: list[MarketBatch] = []
        for batch in none:
            yield batch

    def status(self) -> FeedStatus:
        return FeedStatus(FeedState.LIVE, "The exchanges' twins.")

    async def fetch_bars(self, instrument: Instrument, timeframe: str, count: int, before_ts: int) -> Bars:
        """Return none: the bots of a rehearsal warm up as it goes."""
        return empty_bars(timeframe)

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part on one exchange, and all that it lists. ``tells`` as in ``Scene``."""

    stage: Stage
    market: ExchangeMarket
    account: ExchangeAccount
    parts: Sequence[Part]
    instruments: Sequence[Instrument]
    listed: Sequence[Instrument]
    tells: bool

    def scene(self) -> Scene:
        """Return the exchange as the script sees it: its owner trades where no order of a bot rests."""
        first = self.parts[0].instrument
        money = sum((part.capital for part in self.parts), ZERO)
        return Scene(self.stage, first, money, self.tells)


@dataclass(frozen=True, slots=True)
class RehearsalParts:
    """What a rehearsal is made of. ``running`` is the engine's own map of bots."""

    clock: DrivenClock
    ids: Ids
    rng: Rng
    store: Store
    catalog: Catalog
    reporting: Reporting
    feed: RehearsalFeed
    engine: TradingEngine
    orders: OrderService
    fx: FxRates
    casts: Sequence[Cast]
    keys: KeyDesk
    arrivals: Arrivals
    accounts: LiveAccounts
    differences: Differences
    listeners: TaskGroup
    modes: Modes


@dataclass(frozen=True, slots=True)
class TieOut:
    """One asset of one account at the end: the exchange's word and the ledger's.

    The ledger has deposits and trades by hand too. ``rounded`` is what its eight places cut off the
    exchange's own amounts, trade by trade.
    """

    platform: Platform
    asset: str
    venue: Decimal
    ledger: Decimal
    rounded: Decimal

    @property
    def difference(self) -> Decimal:
        return self.venue - self.ledger - self.rounded


@dataclass(slots=True)
class RehearsalResult:
    """What happened. ``faults`` counts the armed ones; ``unsettled`` orders have no end yet.

    While an account is halted, entries are ``refused`` by the gates; ``trespassed`` are those that left
    all the same. ``stranded`` are exits that were denied: the coins were held by another order. ``by_hand``
    are the quantities that the exchanges say were bought without an order of ours, by instrument;
    ``conditions`` says of accounts that are not active at the end why. ``opened_early``: the live gate let
    real money through before any key was tested and any account reconciled.
    """

    steps: int
    faults: dict[str, int] = field(default_factory=dict)
    silent_quotes: int = 0
    tie_outs: list[TieOut] = field(default_factory=list)
    orders: list[Mapping[str, Any]] = field(default_factory=list)
    unsettled: int = 0
    story: Story = field(default_factory=Story)
    refused: int = 0
    trespassed: int = 0
    stranded: int = 0
    by_hand: dict[str, Decimal] = field(default_factory=dict)
    conditions: dict[Platform, str] = field(default_factory=dict)
    opened_early: bool = False

    @property
    def problems(self) -> list[str]:
        """Return what went wrong, or did not happen though every day has it, in words."""
        story, off = self.story, [row for row in self.tie_outs if row.difference != ZERO]
        found = {
            f"{', '.join(f'{row.platform} {row.asset}' for row in off)}: exchange and ledger differ": off,
            f"{self.unsettled} orders have no end": self.unsettled,
            f"{self.trespassed} entries left for a halted account": self.trespassed,
            f"{self.stranded} exits were denied": self.stranded,
            "what was traded by hand is not what the exchanges record so": self.by_hand != story.bought,
            "nobody was alerted of the key": not story.alerted,
            "the live gate opened before any account was reconciled": self.opened_early,
            "the platform does not trust every account at the end: "
            f"{'; '.join(self.conditions.values())}": self.conditions,
            "what the platform noticed without a reason is not what was paid in": (
                story.explained != story.deposits
            ),
            f"not done: {', '.join(story.undone)}": story.undone,
        }
        return [words for words, is_so in found.items() if is_so]

    @property
    def ok(self) -> bool:
        return not self.problems


class Rehearsal:
    """Plays one day. The same seed makes the same markets, faults and script.

    Sockets work in real time, so that what two orders at once come to may differ from run to run.
    """

    def __init__(self, user_id: UUID, parts: RehearsalParts) -> None:
        self._user_id = user_id
        self._parts = parts
        self._index = {item.id: number for number, item in enumerate(parts.feed.instruments)}
        self._bots: list[Bot] = []
        self._asks: dict[str, Decimal] = {}
        self._refusal = ""
        self._script = DayScript(
            parts.keys, [cast.scene() for cast in parts.casts], parts.clock, parts.rng, parts.differences
        )

    async def run(self, steps: int, told: Callable[[int], None] = lambda step: None) -> RehearsalResult:
        """Play ``steps`` of ``STEP_S`` seconds each, stop every bot, and compare the books."""
        result = RehearsalResult(steps)
        await self._prepare()
        clock = self._parts.clock
        await clock.drive(self._parts.engine.start())
        result.opened_early = await clock.drive(self._go_live())
        await clock.drive(self._script.begin(steps))
        await clock.drive(self._open_accounts())
        if not await clock.drive(self._go_live()):
            raise BrokenInvariant(f"the live gate does not open: {self._refusal}")
        for step in range(steps):
            await clock.drive(self._script.play(step, self._asks))
            self._arm_faults(result)
            await clock.drive(self._step(result))
            told(step + 1)
        for cast in self._parts.casts:
            cast.stage.clear()
        await clock.drive(self._close(result))
        await self._parts.modes.switch(SystemMode.PAPER, None, by=self._parts.keys.who)
        result.tie_outs = await self._compare(result)
        await self._script.end()
        result.story = self._script.story
        result.orders = await self._orders()
        self._judge(result)
        return result

    async def _go_live(self) -> bool:
        """Ask the live gate to open, as the owner does in the dashboard; return whether it did."""
        try:
            await self._parts.modes.switch(SystemMode.LIVE, CONFIRMATION, by=self._parts.keys.who)
        except Conflict as refusal:
            self._refusal = refusal.detail
            return False
        return True

    # -- before the day --------------------------------------------------------------------------

    async def _prepare(self) -> None:
        """Put the account's money into the live book and give each bot its share."""
        parts, now = self._parts, to_datetime(self._parts.clock.now_ns())
        await parts.catalog.put_instruments(list(parts.feed.instruments), Origin.SYNTHETIC, now)
        await parts.clock.drive(self._quote(RehearsalResult(0)))
        async with parts.store.unit_of_work(self._user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.LIVE)
            for cast in parts.casts:
                for part in cast.parts:
                    bot = self._bot(part)
                    await enlist(unit, book, bot)
                    self._bots.append(bot)

    def _bot(self, part: Part) -> Bot:
        now = to_datetime(self._parts.clock.now_ns())
        rate = self._parts.fx.rate(part.instrument.quote, now, part.instrument.venue)
        if rate is None:
            raise BrokenInvariant(f"there is no rand rate of {part.instrument.quote} to rehearse with")
        return part.as_bot(self._parts.ids.new(), self._user_id, rate.to_zar(part.capital), now)

    # -- the day ---------------------------------------------------------------------------------

    def _arm_faults(self, result: RehearsalResult) -> None:
        for cast in self._parts.casts:
            if self._parts.rng.uniform() < FAULT_CHANCE:
                kind, operation = FAULTS[int(self._parts.rng.uniform() * len(FAULTS))]
                cast.stage.strike(kind, operation)
                name = f"{kind} {operation}"
                result.faults[name] = result.faults.get(name, 0) + 1

    async def _step(self, result: RehearsalResult) -> None:
        """Let the markets move, show the bots what they quote, and settle what is in doubt."""
        clock, engine = self._parts.clock, self._parts.engine
        for cast in self._parts.casts:
            for _ in range(TURNS_A_STEP):
                cast.stage.move()
        clock.advance_to(clock.now_ns() + STEP_S * NS_PER_S)
        await self._parts.accounts.follow_keys(self._parts.listeners)
        await self._reconcile_all(_LOOKS_A_STEP)
        await engine.tick(clock.now_ns())
        await self._hear_all()
        quotes = await self._quote(result)
        if quotes:
            await engine.process(quote_rows(quotes, self._index, clock.now_ns()))
        await self._hear_all()
        await self._parts.accounts.reconcile_due(engine.book_live)
        await engine.settle()
        await self._hear_all()
        await engine.save()

    async def _hear_all(self) -> None:
        """Let the engine hear what the exchanges answer, until nobody is asked anything any more."""
        arrivals = self._parts.arrivals
        while not arrivals.is_idle:
            await arrivals.wait_for_calls()
            await self._parts.engine.hear()

    async def _open_accounts(self) -> None:
        """Open the accounts of the saved keys, and look at each until it can be traded on."""
        accounts = self._parts.accounts
        await accounts.follow_keys(self._parts.listeners)
        await self._reconcile_all()
        if any(account.held_back for account in accounts.accounts) or len(accounts.accounts) < len(
            self._parts.casts
        ):
            raise BrokenInvariant("the accounts of a rehearsal cannot be opened")

    async def _reconcile_all(self, looks: int = _LOOKS) -> None:
        """Look at every account until the platform trusts it, or it is clear that it will not."""
        accounts = self._parts.accounts.accounts
        for _ in range(looks):
            for account in accounts:
                if account.held_back is not None:
                    await account.reconcile(self._parts.engine.book_live)
            if all(account.held_back is None for account in accounts):
                return
            await self._parts.clock.sleep(1.0)

    async def _quote(self, result: RehearsalResult) -> list[Quote]:
        """Ask every exchange; one that does not answer is left out this time."""
        quotes: list[Quote] = []
        for cast in self._parts.casts:
            try:
                quotes += await cast.market.fetch_quotes(cast.instruments)
            except Unavailable:
                result.silent_quotes += 1
        at = to_datetime(self._parts.clock.now_ns())
        for quote in quotes:
            self._asks[quote.instrument_id] = quote.ask
            venue, _, symbol = quote.instrument_id.partition(":")
            mark = Mark((quote.bid + quote.ask) / 2, at, Origin.SYNTHETIC)
            self._parts.fx.mark_named(venue, symbol, mark)
        return quotes

    # -- after the day ---------------------------------------------------------------------------

    async def _close(self, result: RehearsalResult) -> None:
        """Stop every bot, wait until no order works, and book what came late."""
        parts = self._parts
        for bot in self._bots:
            async with parts.store.unit_of_work(self._user_id) as unit:
                stored = await unit.bots.get(bot.id, lock=True)
                await unit.bots.update(_stopped(stored))
            await parts.engine.reload(self._user_id, bot.id)
        for _ in range(_CLOSING_ROUNDS):
            await self._step(result)
            await parts.engine.follow(await parts.orders.reconcile(self._user_id, everything=True))
            await self._hear_all()
            await self._script.explain()
            if not await self._working() and all(
                account.held_back is None for account in parts.accounts.accounts
            ):
                break
        result.unsettled = await self._working()
        for account in parts.accounts.accounts:
            await account.reconcile(parts.engine.book_live)
        await self._reconcile_all()
        result.conditions = {
            account.key.platform: account.held_back
            for account in parts.accounts.accounts
            if account.held_back is not None
        }
        await parts.engine.save()

    async def _working(self) -> int:
        async with self._parts.store.unit_of_work(self._user_id) as unit:
            return len(await unit.orders.working())

    async def _compare(self, result: RehearsalResult) -> list[TieOut]:
        """Return each account's assets beside what the ledger says of its bots."""
        rows: list[TieOut] = []
        async with self._parts.store.unit_of_work(self._user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.LIVE)
            held = [chart.bot_holding(bot.id) for bot in self._bots]
            beside = [chart.venue(cast.stage.platform) for cast in self._parts.casts]
            holdings = await unit.ledger.balances(book, [*held, *beside])
        for cast in self._parts.casts:
            accounts = {
                chart.bot_holding(bot.id) for bot in self._bots if bot.platform is cast.stage.platform
            }
            accounts.add(chart.venue(cast.stage.platform))
            ledger: dict[str, Decimal] = {}
            for (account, asset), amount in holdings.items():
                if account in accounts:
                    ledger[asset] = ledger.get(asset, ZERO) + amount
            rows += await self._parts.clock.drive(self._tie_out(cast, ledger, result))
        return rows

    async def _tie_out(
        self, cast: Cast, ledger: Mapping[str, Decimal], result: RehearsalResult
    ) -> list[TieOut]:
        ours, by_hand = await self._fills(cast)
        for fill in by_hand:
            sign = 1 if fill.side is Side.BUY else -1
            result.by_hand[fill.instrument_id] = (
                result.by_hand.get(fill.instrument_id, ZERO) + sign * fill.quantity
            )
        rounded, venue = self._rounded(cast, ours, by_hand), cast.stage.totals()
        rows = [
            TieOut(
                cast.stage.platform, asset, venue.get(asset, ZERO), ledger.get(asset, ZERO),
                rounded.get(asset, ZERO),
            )
            for asset in sorted(ledger.keys() | venue.keys())
        ]  # fmt: skip
        return [row for row in rows if row.venue or row.ledger or row.difference]

    async def _fills(self, cast: Cast) -> tuple[list[AccountFill], list[AccountFill]]:
        """Return the account's fills of the day as the exchange records them: ours, and those by hand.

        A fill is by hand when its order carries no client id of ours.
        """
        since = self._parts.clock.now_ns() - _LOOK_BACK_NS
        records = await cast.account.fetch_records_since(since)
        manual = {record.venue_order_id for record in records if record.order_id is None}
        ours: list[AccountFill] = []
        by_hand: list[AccountFill] = []
        for fill in await cast.account.fetch_fills_since(since):
            (by_hand if cast.tells and fill.venue_order_id in manual else ours).append(fill)
        return ours, by_hand

    @staticmethod
    def _rounded(
        cast: Cast, ours: Sequence[AccountFill], by_hand: Sequence[AccountFill]
    ) -> dict[str, Decimal]:
        """Return what booking these fills in eight places left out, by asset: an account of its own, so
        that the platform's is not believed."""
        lost: dict[str, Decimal] = {}
        instruments = {item.id: item for item in cast.instruments}
        for fill, is_ours in [*((item, True) for item in ours), *((item, False) for item in by_hand)]:
            quote = fill.instrument_id.rpartition("/")[2]
            notional = fill.price * fill.quantity
            sign = -1 if fill.side is Side.BUY else 1
            lost[quote] = lost.get(quote, ZERO) + sign * (notional - to_ledger(notional))
            fee = fill.fee_amount
            booked = (
                booked_fee(fill.fee_asset, fee, instruments[fill.instrument_id])
                if is_ours
                else to_ledger(fee)
            )
            lost[fill.fee_asset] = lost.get(fill.fee_asset, ZERO) - (fee - booked)
        return lost

    def _judge(self, result: RehearsalResult) -> None:
        """Count the entries that a halted account was spared, and those that it was not."""
        for told in result.orders:
            order, is_denied = told["order"], told["order"]["state"] == "denied"
            at, is_entry = datetime.fromisoformat(order["created_at"]), order["side"] == Side.BUY
            if is_entry and any(_covers(halt, order["platform"], at) for halt in result.story.halts):
                result.refused += is_denied
                result.trespassed += not is_denied
            result.stranded += is_denied and not is_entry

    async def _orders(self) -> list[Mapping[str, Any]]:
        """Return every order with its events and fills, the oldest first."""
        history, found, cursor = OrderHistory(self._parts.reporting), list[Mapping[str, Any]](), None
        while True:
            page = await history.list_orders(self._user_id, OrderFilter(), cursor=cursor, limit=_PAGE)
            for row in page.items:
                found.append(await history.get(self._user_id, UUID(str(row["id"]))))
            cursor = page.next_cursor
            if cursor is None:
                return found[::-1]


def _stopped(bot: Bot) -> Bot:
    return replace(bot, status=BotStatus.STOPPED)


def _covers(halt: Halt, platform: str, at: datetime) -> bool:
    return halt.platform == platform and halt.since < at and (halt.until is None or at <= halt.until)
