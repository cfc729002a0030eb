# long: the engine's loop is one sequence, from a market row to the decisions that follow from it
"""The trading engine: market events in, decisions and orders out. Time comes from its clock.

Live, paper, sandbox and replay differ in the feed and the clock that the engine is given, and in
nothing else. The fast path (``ScanState``) reads quotes until one matters; everything that matters is
handled here, in a fixed order: timers that are due (bars close), then the venue sees the row, then
what it reports is booked and told to the strategies, whose orders go out before the next row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from amarktai.domain.bar import NS_PER_S, TIMEFRAME_S, Bar, Bars, timeframe_ns
from amarktai.domain.bot import Bot, BotAction, BotStatus, TradingMode
from amarktai.domain.errors import BrokenInvariant, Conflict
from amarktai.domain.fill_model import exact, refusal
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.domain.market import NO_TS, EventKind, MarketBatch
from amarktai.domain.money import ZAR, ZERO, floor_to_step
from amarktai.domain.order import Order, OrderIntent, OrderState, OrderType, Side
from amarktai.ports.clock import SettableClock, to_datetime
from amarktai.ports.feed import Feed
from amarktai.ports.keys import AccountState
from amarktai.ports.store import BotRuntime, Store
from amarktai.ports.venue import OrderReport, SimulatedVenue
from amarktai.services.account_view import BotAccount
from amarktai.services.alerts import Notices
from amarktai.services.bar_windows import BarBuilder, BarWindow
from amarktai.services.bots import BotService
from amarktai.services.equity_snapshots import EquitySnapshots
from amarktai.services.fx import FxRates, Mark
from amarktai.services.market_scan import ScanState
from amarktai.services.orders import Notice, OrderService, Outcome
from amarktai.services.runners import HeldSales, Lane, Runner
from amarktai.services.views import instant
from amarktai.strategies.contract import (
    Account,
    BarClosed,
    Cancel,
    Decision,
    Gate,
    Place,
    SignalReading,
    StrategyEvent,
    parse_params,
)
from amarktai.strategies.registry import strategy as find_strategy
from amarktai.strategies.signal_trader import decider

log = structlog.get_logger(__name__)

#: Rounds of fills answering orders answering fills within one market row; more is a runaway bot.
MAX_ROUNDS: Final = 50
CLOSE_TAG: Final = "close"
#: How far above the best ask an offer still counts as visible depth.
_NEAR: Final = 0.01
#: Why a bot rests whose strategy raised an error.
STRATEGY_ERROR: Final = "STRATEGY_ERROR"


_T = TypeVar("_T")
#: By user and kind of book.
_PerBook = dict[tuple[UUID, TradingMode], list[_T]]


@dataclass(frozen=True, slots=True)
class _Delivery:
    runner: Runner
    key: str
    event: StrategyEvent


@dataclass(slots=True)
class EngineCounters:
    """What the engine did, for the replay's table and the status page."""

    events: int = 0
    slow_events: int = 0
    bars: int = 0
    decisions: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TradingDesk:
    """Where one kind of book trades. ``simulated`` are the venues that fill on the engine's own market
    data; exchanges tell of their fills through the order service's ``arrivals``."""

    orders: OrderService
    simulated: Mapping[Platform, SimulatedVenue]


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the engine calls: a desk for each kind of book that it trades in.

    ``running`` is shared with the order services, which read it.
    """

    desks: Mapping[TradingMode, TradingDesk]
    bots: BotService
    notices: Notices
    running: dict[UUID, Bot]
    fx: FxRates
    snapshot_every_s: float


class TradingEngine:
    """Runs the bots of all users on one feed."""

    def __init__(self, store: Store, clock: SettableClock, feed: Feed, parts: EngineParts) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._desks = parts.desks
        self._bots = parts.bots
        self._notices = parts.notices
        self._running = parts.running
        self._fx = parts.fx
        self._snapshot_ns = round(parts.snapshot_every_s * NS_PER_S)
        self._next_snapshot = 0
        self._equity = {mode: EquitySnapshots(store, parts.fx, mode) for mode in parts.desks}
        self.lanes = [Lane(instrument) for instrument in feed.instruments]
        self._index = {lane.instrument.id: index for index, lane in enumerate(self.lanes)}
        # Those whose price is, or leads to, a rate of the rand.
        self._rate_lanes = {
            index
            for index, lane in enumerate(self.lanes)
            if lane.instrument.quote == ZAR or lane.instrument.base == "BTC"
        }
        self._quotes_passed = False
        self.scan = ScanState(len(self.lanes))
        self.runners: dict[UUID, Runner] = {}
        self.counters = EngineCounters()
        self._base_ns = timeframe_ns("1h")
        self._timer_ts = 0
        self._held: dict[UUID, HeldSales] = {}
        for desk in parts.desks.values():
            desk.orders.risk.value_with(self._price_of, self._depth_of)

    # -- start and reload ------------------------------------------------------------------------

    async def start(self) -> None:
        """Load every user's bots, recover their orders, warm up their bars."""
        for user_id in await self._store.user_ids():
            await self._recover(user_id)
        self._set_timer(self._clock.now_ns())

    async def _recover(self, user_id: UUID) -> None:
        async with self._store.unit_of_work(user_id) as unit:
            bots = await unit.bots.list()
            profits = {mode: await unit.figures.bot_profits(mode) for mode in self._desks}
            wanted = [bot for bot in bots if self._may_run(bot)]
            runtimes = await unit.bots.runtimes([bot.id for bot in wanted])
        self._running.update({bot.id: bot for bot in bots})
        for mode, equity in self._equity.items():
            equity.know_profits(user_id, profits[mode])
        await self._load_equity(user_id)
        for mode, desk in self._desks.items():
            theirs = [bot for bot in wanted if bot.mode is mode]
            await self._recover_desk(user_id, desk, theirs, runtimes, profits[mode])

    async def _recover_desk(
        self,
        user_id: UUID,
        desk: TradingDesk,
        bots: Sequence[Bot],
        runtimes: Mapping[UUID, BotRuntime],
        profits: Mapping[UUID, Decimal],
    ) -> None:
        working = await desk.orders.recover(user_id)
        for platform, venue in desk.simulated.items():
            resting = [item.order for item in working if item.platform == platform.value]
            venue.restore([order for order in resting if order.venue_order_id])
        accounts = await desk.orders.accounts(user_id, [bot.id for bot in bots])
        for bot in bots:
            runner = await self._enlist(bot, runtimes.get(bot.id), accounts.get(bot.id))
            runner.profit_zar = profits.get(bot.id, ZERO)
        for item in working:
            if item.order.state is OrderState.UNKNOWN:
                await self._tell_unknown(item.order)
        await self.follow(await desk.orders.reconcile(user_id, everything=True))

    async def reload(self, user_id: UUID, bot_id: UUID) -> None:
        """Take over a bot that was created or changed, and carry out what its new status asks for."""
        async with self._store.unit_of_work(user_id) as unit:
            bot = await unit.bots.get(bot_id)
        self._running[bot.id] = bot
        await self._load_equity(user_id)
        if not self._may_run(bot):
            return
        runner = self.runners.get(bot.id)
        if runner is None:
            accounts = await self._desks[bot.mode].orders.accounts(user_id, [bot.id])
            runner = await self._enlist(bot, None, accounts.get(bot.id))
        else:
            runner.bot = bot
            runner.params = parse_params(runner.strategy, bot.params)
        await self._obey(runner)

    def _may_run(self, bot: Bot) -> bool:
        """A bot trades only on the kind of market that it was made on, and only at the desk of its own kind
        of book: real and synthetic, paper and live never mix (O19)."""
        mine = bot.mode in self._desks and bot.origin is self._feed.origin
        return mine and bot.instrument_id in self._index

    async def _enlist(self, bot: Bot, runtime: BotRuntime | None, account: BotAccount | None) -> Runner:
        chosen = find_strategy(bot.strategy)
        params = parse_params(chosen, bot.params)
        runner = Runner(
            bot, chosen, params, decider(chosen), self._index[bot.instrument_id], chosen.warmup(params)
        )
        if runtime is not None:
            runner.state, runner.last_bar_ts = runtime.strategy_state, runtime.last_bar_ts
            runner.last_decision = dict(runtime.last_decision) if runtime.last_decision else None
            runner.peak_zar, runner.drawdown = runtime.peak_equity_zar, runtime.max_drawdown_ratio
        if account is not None:
            runner.account = account
        self.runners[bot.id] = runner
        await self._warm_up(runner)
        return runner

    async def _warm_up(self, runner: Runner) -> None:
        lane, timeframe = self.lanes[runner.index], runner.bot.timeframe
        capacity = max(64, runner.warmup + 8)
        window = lane.windows.get(timeframe)
        if window is None:
            window = lane.windows[timeframe] = BarWindow(timeframe, capacity)
            bars = await self._feed.fetch_bars(lane.instrument, timeframe, capacity, self._clock.now_ns())
            window.extend(bars)
        elif window.grow(capacity):
            bars = await self._feed.fetch_bars(lane.instrument, timeframe, capacity, self._clock.now_ns())
            window.refill(bars)
        if lane.base is None or timeframe_ns(timeframe) < timeframe_ns(lane.base):
            lane.base = timeframe
        lane.builders = {name: BarBuilder(name) for name in lane.windows if name != lane.base}
        self._set_timer(self._clock.now_ns())

    def _set_timer(self, now: int) -> None:
        bases = [timeframe_ns(lane.base) for lane in self.lanes if lane.base is not None]
        self._base_ns = min(bases, default=NO_TS)
        self._timer_ts = NO_TS if not bases else now - now % self._base_ns + self._base_ns

    # -- market ----------------------------------------------------------------------------------

    async def process(self, batch: MarketBatch) -> None:
        """Take in a batch of market events, in order."""
        position, n = 0, len(batch)
        self.counters.events += n
        while position < n:
            start, position = position, self.scan.scan(batch, position, self._timer_ts)
            self._quotes_passed = self._quotes_passed or position > start
            if position == n:
                break
            ts = int(batch.received_ts[position])
            if ts >= self._timer_ts:
                await self.tick(ts)
                continue
            position = await self._attend(batch, position)
        self._clock.advance_to(int(batch.received_ts[-1]))

    async def tick(self, now: int) -> None:
        """Fire the timers that are due: quote-built bars close on the clock, data or no data."""
        while self._timer_ts <= now:
            boundary = self._timer_ts
            self._clock.advance_to(boundary)
            self._timer_ts = boundary + self._base_ns
            await self._close_built_bars(boundary)

    def is_timer_due(self, now: int) -> bool:
        """Return whether ``tick`` has something to do."""
        return now >= self._timer_ts

    def changed_prices(self) -> dict[str, tuple[float, int]]:
        """Return (price, time in ms) of the instruments whose price moved since the last call."""
        changed: dict[str, tuple[float, int]] = {}
        for index, lane in enumerate(self.lanes):
            price, ts = self._mark(index), int(self.scan.last_ts[index])
            if price is not None and (price, ts) != lane.told:
                lane.told = (price, ts)
                changed[lane.instrument.id] = (price, ts // 1_000_000)
        return changed

    async def _attend(self, batch: MarketBatch, position: int) -> int:
        """Handle the row at ``position``; rows of bars that close together are decided together."""
        self.counters.slow_events += 1
        ts, kind = int(batch.received_ts[position]), EventKind(int(batch.kind[position]))
        self._clock.advance_to(ts)
        last = position + 1
        if kind is EventKind.BAR_CLOSE:
            while last < len(batch) and batch.received_ts[last] == ts and batch.kind[last] == kind:
                last += 1
        rows = [row for row in range(position, last) if self._accepts(batch, row)]
        self.counters.refused += last - position - len(rows)
        await self._show(batch, rows)
        if kind is not EventKind.BAR_CLOSE:
            return last
        closed = [pair for row in rows for pair in self._push_bar(batch, row)]
        await self._decide(closed)
        self._snapshot_if_due()
        return last

    def refused_rows(self) -> dict[str, int]:
        """Return how many rows were not traded on, by reason: the feed's own, and what it let through."""
        rows = dict(self._feed.dirty.counts)
        return rows | {"not_tradable": self.counters.refused} if self.counters.refused else rows

    def _accepts(self, batch: MarketBatch, row: int) -> bool:
        """Return whether a row may be traded on; the last guard behind the feeds' own (O10).

        Refused are prices that are not above zero and finite, a crossed quote, a bar that contradicts
        itself, and a bar that is not newer than the last one of its timeframe.
        """
        a, b, c, d = (float(column[row]) for column in (batch.a, batch.b, batch.c, batch.d))
        kind = EventKind(int(batch.kind[row]))
        if kind is EventKind.QUOTE:
            return 0.0 < a <= b < float("inf")
        if kind is EventKind.TRADE:
            return 0.0 < a < float("inf") and 0.0 < b < float("inf")
        if kind is EventKind.BAR_OPEN:
            sound = 0.0 < a < float("inf")
        else:
            sound = 0.0 < c <= min(a, d) <= max(a, d) <= b < float("inf")
        # At one instant a bar closes before the next one opens.
        newest = self.lanes[int(batch.instrument[row])].newest_bar
        seconds, place = int(batch.timeframe_s[row]), 2 * int(batch.ts[row]) + (kind is EventKind.BAR_OPEN)
        if not sound or place <= newest.get(seconds, -1):
            return False
        newest[seconds] = place
        return True

    async def _show(self, batch: MarketBatch, rows: Sequence[int]) -> None:
        """Let the venues see the rows, book what they report, tell the strategies."""
        for row in rows:
            self._note_price(batch, row)
        self._sync_fx(int(batch.instrument[row]) for row in rows)
        for desk in self._desks.values():
            if desk.simulated:
                await self._fill_simulated(desk, batch, rows)

    async def _fill_simulated(self, desk: TradingDesk, batch: MarketBatch, rows: Sequence[int]) -> None:
        for _ in range(MAX_ROUNDS):
            reports = [report for row in rows for report in self._venue_reports(desk, batch, row)]
            if not reports:
                return
            await self._book(desk, reports)
        raise BrokenInvariant("a market row keeps causing fills without end")

    def _venue_reports(self, desk: TradingDesk, batch: MarketBatch, row: int) -> list[OrderReport]:
        index = int(batch.instrument[row])
        instrument = self.lanes[index].instrument
        reports = desk.simulated[instrument.venue].on_event(
            instrument.id, EventKind(int(batch.kind[row])), int(batch.received_ts[row]),
            float(batch.a[row]), float(batch.b[row]), float(batch.c[row]), float(batch.d[row]),
            float(batch.e[row]), self._feed.books.get(index),
        )  # fmt: skip
        self._refresh_wake(index)
        return reports

    async def _book(self, desk: TradingDesk, reports: Sequence[OrderReport]) -> None:
        by_user: dict[UUID, list[OrderReport]] = {}
        for report in reports:
            by_user.setdefault(desk.orders.owner_of(report.order_id), []).append(report)
        for user_id, theirs in by_user.items():
            await self.follow(await desk.orders.apply(user_id, theirs))

    async def book_live(self, user_id: UUID, reports: Sequence[OrderReport]) -> None:
        """Book what a look at a real account has found, and let the bots answer."""
        await self.follow(await self._desks[TradingMode.LIVE].orders.apply(user_id, reports))

    async def hear(self) -> None:
        """Book what has arrived from exchanges, and let the bots answer."""
        for desk in self._desks.values():
            for user_id, outcome in await desk.orders.take_arrivals():
                await self.follow(outcome)
                await self.follow(await desk.orders.cancel_unwanted(user_id))

    def _note_price(self, batch: MarketBatch, row: int) -> None:
        index, kind = int(batch.instrument[row]), int(batch.kind[row])
        lane, ts = self.lanes[index], int(batch.received_ts[row])
        if kind == EventKind.QUOTE:
            self.scan.take_quote(index, float(batch.a[row]), float(batch.b[row]), ts)
            return
        if kind == EventKind.TRADE:
            return
        lane.from_bars = True
        lane.mark = float(batch.a[row] if kind == EventKind.BAR_OPEN else batch.d[row])
        lane.mark_ts = ts
        self.scan.last_ts[index] = ts

    def _refresh_wake(self, index: int) -> None:
        instrument, scan = self.lanes[index].instrument, self.scan
        venues = [desk.simulated[instrument.venue] for desk in self._desks.values() if desk.simulated]
        if not venues:
            return
        wake = venues[0].wake_conditions(instrument.id)
        scan.wake_ask_below[index], scan.wake_bid_above[index] = wake.ask_below, wake.bid_above
        scan.wake_bid_below[index], scan.wake_ask_above[index] = wake.bid_below, wake.ask_above
        scan.wake_at_ts[index] = wake.at_ts

    # -- bars ------------------------------------------------------------------------------------

    async def _close_built_bars(self, boundary: int) -> None:
        closed: list[tuple[int, str, Bar]] = []
        for index, lane in enumerate(self.lanes):
            if lane.base is None or boundary % timeframe_ns(lane.base) or not self.scan.count[index]:
                continue
            scan = self.scan
            bar = Bar(
                boundary - timeframe_ns(lane.base), boundary, float(scan.bar_open[index]),
                float(scan.bar_high[index]), float(scan.bar_low[index]), float(scan.bar_close[index]), 0.0,
            )  # fmt: skip
            scan.count[index] = 0
            if not lane.from_bars:
                closed += self._spread(index, lane.base, bar)
        self._sync_fx(())
        await self._decide(closed)
        self._snapshot_if_due()

    def _push_bar(self, batch: MarketBatch, row: int) -> list[tuple[int, str, Bar]]:
        index, seconds = int(batch.instrument[row]), int(batch.timeframe_s[row])
        name = next(name for name, length in TIMEFRAME_S.items() if length == seconds)
        ts = int(batch.ts[row])
        bar = Bar(
            ts - seconds * 1_000_000_000, ts, float(batch.a[row]), float(batch.b[row]), float(batch.c[row]),
            float(batch.d[row]), float(batch.e[row]),
        )  # fmt: skip
        return self._spread(index, name, bar)

    def _spread(self, index: int, timeframe: str, bar: Bar) -> list[tuple[int, str, Bar]]:
        """Put a closed bar into its window and into the larger bars; return all that closed."""
        lane = self.lanes[index]
        closed = [(index, timeframe, bar)]
        for name in lane.windows:
            if timeframe_ns(name) > timeframe_ns(timeframe):
                builder = lane.builders.setdefault(name, BarBuilder(name))
                closed += [(index, name, larger) for larger in builder.add(bar)]
        for _, name, finished in closed:
            window = lane.windows.get(name)
            if window is not None and finished.ts_open > window.last_ts_open:
                window.push(finished)
                self.counters.bars += 1
        return closed

    # -- decisions -------------------------------------------------------------------------------

    async def _decide(self, closed: Sequence[tuple[int, str, Bar]]) -> None:
        """Let every bot on the bars that closed decide, and send what they want in one batch."""
        bars = {(index, timeframe): bar for index, timeframe, bar in closed}
        if not bars:
            return
        readings: dict[tuple[int, str, str, Any], SignalReading | None] = {}
        deliveries: list[_Delivery] = []
        faults: list[tuple[Runner, Exception]] = []
        for runner in self.runners.values():
            bar = bars.get((runner.index, runner.bot.timeframe))
            if bar is None or not self._listens(runner) or (runner.last_bar_ts or -1) >= bar.ts_open:
                continue
            window = self.lanes[runner.index].windows[runner.bot.timeframe]
            runner.last_bar_ts = bar.ts_open
            if len(window) < runner.warmup:
                self._note(runner, "warming_up", f"{len(window)} of {runner.warmup} bars are here", ())
                continue
            history = window.bars(runner.warmup)
            try:
                reading = _read_signals(runner, history, readings)
            except Exception as error:  # noqa: BLE001 - a strategy's error is its bot's alone
                faults.append((runner, error))
                continue
            event = BarClosed(bar, history, reading)
            deliveries.append(_Delivery(runner, f"bar:{runner.bot.timeframe}:{bar.ts_open}", event))
        for runner, fault in faults:
            await self._rest_faulty(runner, fault)
        await self._deliver(deliveries)

    @staticmethod
    def _listens(runner: Runner) -> bool:
        """Active bots decide at each bar; paused ones only while they hold or work something."""
        if runner.is_active:
            return True
        busy = runner.account.quantity > ZERO or bool(runner.account.working)
        return runner.bot.status is BotStatus.PAUSED and busy

    async def _deliver(self, deliveries: Sequence[_Delivery]) -> None:
        await self._answer(deliveries)
        await self._release_sales()

    async def _answer(self, deliveries: Sequence[_Delivery]) -> None:
        for _ in range(MAX_ROUNDS):
            if not deliveries:
                return
            outcomes = await self._carry_out(deliveries)
            deliveries = [item for outcome in outcomes for item in await self._absorb(outcome)]
        endless = BrokenInvariant("it keeps answering its own orders without end")
        for runner in {item.runner.bot.id: item.runner for item in deliveries}.values():
            await self._rest_faulty(runner, endless)

    async def _carry_out(self, deliveries: Sequence[_Delivery]) -> list[Outcome]:
        cancels: _PerBook[UUID] = {}
        intents: _PerBook[OrderIntent] = {}
        faults: dict[UUID, Exception] = {}
        for delivery in deliveries:
            runner = delivery.runner
            account = self._account(runner)
            try:
                decision = runner.decide(runner.state, delivery.event, account, runner.params)
            except Exception as error:  # noqa: BLE001 - a strategy's error is its bot's alone
                faults[runner.bot.id] = error
                continue
            runner.state, runner.is_dirty = decision.state, True
            if runner.is_active:
                runner.fault = None
            self.counters.decisions += 1
            if isinstance(delivery.event, BarClosed):
                self._note(runner, decision.verdict, decision.reason, decision.gates)
            self._sort_actions(delivery, decision, cancels, intents)
        outcomes = [
            await self._desks[mode].orders.cancel(user_id, ids) for (user_id, mode), ids in cancels.items()
        ]
        asked = {order_id for ids in cancels.values() for order_id in ids}
        for (user_id, mode), wanted in intents.items():
            free = self._hold_sales(wanted, asked, outcomes) if asked or self._held else wanted
            if free:
                outcomes.append(await self._desks[mode].orders.submit(user_id, free))
        for index in {delivery.runner.index for delivery in deliveries}:
            self._refresh_wake(index)
        for bot_id, fault in faults.items():
            await self._rest_faulty(self.runners[bot_id], fault)
        return outcomes

    def _hold_sales(
        self, wanted: Sequence[OrderIntent], asked: set[UUID], outcomes: Sequence[Outcome]
    ) -> list[OrderIntent]:
        """Return what may be submitted now. A sale waits for the end of the orders that make room for it:
        until the venue confirms that, they hold its coins. What it wanted to sell before is out of date."""
        for bot_id in {intent.bot_id for intent in wanted if intent.side is Side.SELL}:
            self._held.pop(bot_id, None)
        accounts = {bot_id: item for outcome in outcomes for bot_id, item in outcome.accounts.items()}
        free: list[OrderIntent] = []
        for intent in wanted:
            account = accounts.get(intent.bot_id, self.runners[intent.bot_id].account)
            awaits = account.sales.intersection(asked)
            if intent.side is Side.BUY or not awaits:
                free.append(intent)
            else:
                self._held.setdefault(intent.bot_id, HeldSales([], awaits)).intents.append(intent)
        return free

    async def _release_sales(self) -> None:
        """Submit the sales that waited for orders which have ended now, for what there still is to sell."""
        for bot_id, held in list(self._held.items()):
            runner = self.runners[bot_id]
            if self._held.get(bot_id) is not held or not held.awaits.isdisjoint(runner.account.sales):
                continue  # what another bot's order led to has released it already, or it still waits
            del self._held[bot_id]
            price, quantity = self._mark(runner.index), self._sellable(runner, runner.account.quantity)
            if price is None or not quantity:
                continue
            intents = [
                replace(
                    intent, quantity=min(intent.quantity, quantity), reference_price=exact(price),
                    data_ts=int(self.scan.last_ts[runner.index]),
                )
                for intent in held.intents
            ]  # fmt: skip
            await self.follow(await self._orders_of(runner).submit(runner.bot.user_id, intents))

    async def _rest_faulty(self, runner: Runner, error: Exception) -> None:
        """Pause the bot whose strategy failed, and tell its user once; no other bot notices."""
        bot, fault = runner.bot, f"{type(error).__name__}: {error}"
        log.error("a strategy failed", bot=str(bot.id), strategy=bot.strategy, exc_info=error)
        self._note(runner, "blocked", f"the strategy failed: {fault}", ())
        if runner.fault != fault:
            runner.fault = fault
            message = f"{bot.name} was paused because its strategy failed: {fault}"
            kind = "broken_invariant" if isinstance(error, BrokenInvariant) else "strategy_error"
            await self._notices.alert(bot.user_id, kind, "critical", message, bot_id=bot.id)
        if runner.is_active:
            try:
                await self._bots.act(bot.user_id, bot.id, BotAction.PAUSE, STRATEGY_ERROR)
            except Conflict as moved:  # its user was faster; what they chose is carried out instead
                log.info("the bot rests already", bot=str(bot.id), reason=moved.detail)
            await self.reload(bot.user_id, bot.id)

    def _sort_actions(
        self,
        delivery: _Delivery,
        decision: Decision,
        cancels: _PerBook[UUID],
        intents: _PerBook[OrderIntent],
    ) -> None:
        runner = delivery.runner
        book = runner.bot.user_id, runner.bot.mode
        for action in decision.actions:
            if isinstance(action, Cancel):
                order_id = runner.account.working.get(action.tag)
                if order_id is not None:
                    cancels.setdefault(book, []).append(order_id)
            elif runner.is_active or action.side is Side.SELL:
                price = self._mark(runner.index)
                if price is None:
                    self._note(runner, "blocked", "there is no price yet", ())
                    continue
                intent = self._intent(runner, delivery.key, action, price)
                intents.setdefault(book, []).append(intent)

    def _intent(self, runner: Runner, key: str, place: Place, price: float) -> OrderIntent:
        return OrderIntent(
            bot_id=runner.bot.id,
            instrument_id=runner.bot.instrument_id,
            decision_key=f"{key}:{place.tag}",
            tag=place.tag,
            side=place.side,
            type=place.type,
            quantity=place.quantity,
            reference_price=exact(price),
            data_ts=int(self.scan.last_ts[runner.index]),
            price=place.price,
            stop_price=place.stop_price,
            post_only=place.post_only,
            reduce_only=place.reduce_only,
            oco_group=f"{runner.bot.id.hex}:{place.oco_group}" if place.oco_group else None,
            reason=place.reason,
        )

    async def follow(self, outcome: Outcome) -> None:
        """Take over what a step of the order path led to, and carry out what the strategies answer."""
        await self._deliver(await self._absorb(outcome))

    async def _absorb(self, outcome: Outcome) -> list[_Delivery]:
        """Take over what the order path says bots have; return what their strategies must hear."""
        for bot_id, account in outcome.accounts.items():
            if bot_id in self.runners:
                self.runners[bot_id].account = account
        for bot_id, profit in outcome.profits.items():
            bot = self._running[bot_id]
            self._equity[bot.mode].know_profits(bot.user_id, {bot_id: profit})
            if bot_id in self.runners:
                self.runners[bot_id].profit_zar = profit
        for bot_id, reason in outcome.denied.items():
            if bot_id in self.runners:
                self._note_denied(self.runners[bot_id], reason)
        for order in outcome.lost:
            await self._tell_unknown(order)
        for order, reason in outcome.refused:
            await self._tell_refused(order, reason)
        return self._deliveries([notice for notice in outcome.notices if notice.bot_id in self.runners])

    def _deliveries(self, notices: Sequence[Notice]) -> list[_Delivery]:
        """Return what strategies must hear of. The platform's own closing sale is none of theirs; a bot
        that it sold out begins anew, as its strategy's memory is of coins that it held."""
        for notice in notices:
            runner = self.runners[notice.bot_id]
            if notice.event.tag == CLOSE_TAG and not runner.account.quantity:
                runner.state, runner.is_dirty = {}, True
        return [self._delivery(notice) for notice in notices if notice.event.tag != CLOSE_TAG]

    async def _tell_unknown(self, order: Order) -> None:
        bot = self._running[order.bot_id]
        message = (
            f"{bot.name}: whether its {order.side} order reached {DISPLAY_NAMES[bot.platform]} is not known."
            " It makes no entries until the exchange's records say so."
        )
        await self._notices.alert(order.user_id, "order_unknown", "warning", message, bot_id=bot.id)

    async def _tell_refused(self, order: Order, reason: str) -> None:
        bot = self._running[order.bot_id]
        log.error("a fill could not be booked", bot=str(bot.id), order=str(order.id), reason=reason)
        message = (
            f"{bot.name}: {DISPLAY_NAMES[bot.platform]} reports a fill of its {order.side} order that the"
            f" books refuse: {reason}. It makes no entries until both agree; what it holds can be sold."
        )
        await self._notices.alert(order.user_id, "fill_refused", "critical", message, bot_id=bot.id)

    def _delivery(self, notice: Notice) -> _Delivery:
        return _Delivery(self.runners[notice.bot_id], notice.key, notice.event)

    def _account(self, runner: Runner) -> Account:
        return Account(
            instrument=self.lanes[runner.index].instrument,
            capital=runner.bot.capital_quote,
            stake=runner.bot.stake,
            cash=runner.account.cash,
            quantity=runner.account.quantity,
            average_price=runner.account.average_price,
            working=frozenset(runner.account.working),
        )

    # -- status ----------------------------------------------------------------------------------

    async def _obey(self, runner: Runner) -> None:
        """Carry out a bot's new status: no entries while paused, flat when stopped or deleted."""
        if runner.is_active:
            return
        if runner.bot.status is BotStatus.PAUSED:
            await self._cancel(runner, lambda order: order.side is Side.BUY)
        else:
            self._held.pop(runner.bot.id, None)
            await self._cancel(runner, lambda order: order.tag != CLOSE_TAG)
            await self._flatten(runner)
            await self.release_if_done(runner)
        self._refresh_wake(runner.index)

    async def _cancel(self, runner: Runner, is_unwanted: Callable[[Order], bool]) -> None:
        user_id = runner.bot.user_id
        orders = self._orders_of(runner)
        working = await orders.working(user_id, runner.bot.id)
        unwanted = [order.id for order in working if is_unwanted(order)]
        await self.follow(await orders.cancel(user_id, unwanted))

    def _orders_of(self, runner: Runner) -> OrderService:
        return self._desks[runner.bot.mode].orders

    async def _heed_halts(self) -> None:
        """Cancel entries that rest where none may enter now, at halted accounts or with the system on
        paper: the gates stop new ones, and these would fill."""
        busy: dict[UUID, list[Runner]] = {}
        for runner in self.runners.values():
            if runner.account.working and runner.bot.mode is TradingMode.LIVE:
                busy.setdefault(runner.bot.user_id, []).append(runner)
        for user_id, runners in busy.items():
            async with self._store.unit_of_work(user_id) as unit:
                accounts = await unit.venue_accounts.list()
                mode = await unit.modes.current()
            is_on_paper = mode.base is TradingMode.PAPER
            halted = {name for name, account in accounts.items() if account.state is AccountState.HALTED}
            for runner in runners:
                if is_on_paper or runner.bot.platform in halted:
                    await self._cancel(runner, lambda order: order.side is Side.BUY)
                    self._refresh_wake(runner.index)

    async def _flatten(self, runner: Runner) -> None:
        """Sell what the bot holds at the market, once no other sale holds it: that one may work already,
        or be an order whose cancel is not confirmed yet; ``settle`` comes back."""
        quantity, price = self._sellable(runner, runner.account.quantity), self._mark(runner.index)
        if not quantity or price is None or runner.account.sales:
            return
        reason = f"bot {runner.bot.status}"
        place = Place(CLOSE_TAG, Side.SELL, OrderType.MARKET, quantity, reduce_only=True, reason=reason)
        intent = self._intent(runner, f"{runner.bot.status}:{self._clock.now_ns()}", place, price)
        await self.follow(await self._orders_of(runner).submit(runner.bot.user_id, [intent]))

    def _sellable(self, runner: Runner, held: Decimal) -> Decimal:
        """Return what the venue would take of ``held`` at the present price; zero for mere dust."""
        instrument = self.lanes[runner.index].instrument
        quantity, price = floor_to_step(held, instrument.lot_size), self._mark(runner.index)
        if price is None:
            return quantity
        return ZERO if refusal(quantity, exact(price), instrument) else quantity

    async def release_if_done(self, runner: Runner) -> bool:
        """Give a deleted bot's capital back once it is flat; True when it is gone."""
        bot = runner.bot
        if bot.status is not BotStatus.DELETED:
            return False
        async with self._store.unit_of_work(bot.user_id) as unit:
            book = await unit.ledger.lock_book(bot.mode)
            held = (await unit.trades.positions([bot.id])).get(bot.id)
            if held is not None and self._sellable(runner, held.position.quantity):
                return False
            done = await self._bots.release(unit, book, bot)
        if done:
            self.runners.pop(bot.id, None)
        return done

    async def settle(self) -> None:
        """Try again what a status asked for and the market or a venue did not allow yet."""
        for desk in self._desks.values():
            for user_id in desk.orders.doubtful_users:
                await self.follow(await desk.orders.reconcile(user_id))
                await self.follow(await desk.orders.resolve(user_id))
        for bot_id, waiting in list(self._held.items()):
            bot = self._running[bot_id]
            orders = self._desks[bot.mode].orders
            await self.follow(await orders.cancel(bot.user_id, sorted(waiting.awaits)))
        if TradingMode.LIVE in self._desks:
            await self._heed_halts()
        for runner in list(self.runners.values()):
            held = runner.account.quantity > ZERO or runner.account.working
            if runner.bot.status is BotStatus.DELETED or (runner.bot.status is BotStatus.STOPPED and held):
                await self._obey(runner)

    # -- what people see -------------------------------------------------------------------------

    def _note(self, runner: Runner, verdict: str, reason: str, gates: Iterable[Gate]) -> None:
        now = self._clock.now_ns()
        age = (now - int(self.scan.last_ts[runner.index])) / 1e9
        decision = {
            "at": instant(to_datetime(now)),
            "verdict": verdict,
            "reason": reason,
            "gates": [_gate_view(gate) for gate in gates],
            "data_age_s": round(age, 3),
        }
        runner.last_decision, runner.is_dirty = decision, True
        runner.unsaved.append((now, decision))

    def _note_denied(self, runner: Runner, reason: str) -> None:
        gate, _, detail = reason.partition(": ")
        if runner.last_decision is None:
            self._note(runner, "blocked", detail, ())
        assert runner.last_decision is not None
        blocked = {"name": gate, "value": None, "op": "", "threshold": None, "passed": False}
        runner.last_decision["verdict"] = "stale" if gate == "STALE_DATA" else "blocked"
        runner.last_decision["reason"] = detail
        runner.last_decision["gates"] = [*runner.last_decision["gates"], blocked]

    def _mark(self, index: int) -> float | None:
        lane = self.lanes[index]
        if self.scan.last_ts[index] and self.scan.bid[index] == self.scan.bid[index]:
            return float(self.scan.bid[index] + self.scan.ask[index]) / 2
        return lane.mark

    def mark(self, index: int) -> Mark | None:
        """Return the instrument's last price with its time."""
        price = self._mark(index)
        if price is None:
            return None
        at = to_datetime(int(self.scan.last_ts[index]))
        return Mark(exact(price), at, self._feed.origin)

    def _price_of(self, instrument_id: str) -> Decimal | None:
        index = self._index.get(instrument_id)
        mark = None if index is None else self.mark(index)
        return mark.price if mark is not None else None

    def _depth_of(self, instrument_id: str) -> Decimal | None:
        index = self._index.get(instrument_id)
        book = None if index is None else self._feed.books.get(index)
        depth = 0.0 if book is None else book.offered_within(_NEAR)
        return Decimal(repr(depth)) if depth else None

    def _sync_fx(self, moved: Iterable[int]) -> None:
        """Tell the rates what moved since the last call: these lanes, and all that quotes have passed."""
        if self._quotes_passed:
            self._quotes_passed, moved = False, self._rate_lanes
        for index in self._rate_lanes.intersection(moved):
            lane, now = self.lanes[index], (self._mark(index), int(self.scan.last_ts[index]))
            if now == lane.synced:
                continue
            lane.synced, mark = now, self.mark(index)
            if mark is not None:
                self._fx.mark(lane.instrument.venue, lane.instrument.symbol, mark)

    def equity_zar(self, runner: Runner) -> tuple[Decimal, Decimal] | None:
        """Return the bot's (equity, unrealised profit) in ZAR now; None without a price or a rate."""
        now = to_datetime(self._clock.now_ns())
        lane = self.lanes[runner.index]
        rate = self._fx.rate(lane.instrument.quote, now, lane.instrument.venue)
        mark = self.mark(runner.index)
        if rate is None or (mark is None and runner.account.quantity):
            return None
        account = runner.account
        price = mark.price if mark else ZERO
        cost = account.quantity * account.average_price if account.average_price is not None else ZERO
        unrealised = account.quantity * price - cost
        return rate.to_zar(account.held_cash + account.quantity * price), rate.to_zar(unrealised)

    def next_decision_ts(self, runner: Runner) -> int:
        """Return when the bot's next bar closes."""
        length = timeframe_ns(runner.bot.timeframe)
        now = self._clock.now_ns()
        return now - now % length + length

    def _snapshot_if_due(self) -> None:
        now = self._clock.now_ns()
        if now >= self._next_snapshot:
            self._next_snapshot = now - now % self._snapshot_ns + self._snapshot_ns
            self.take_snapshots()

    def take_snapshots(self) -> None:
        """Note every bot's and user's equity now; ``save`` writes it. Unknown values leave no row."""
        at = to_datetime(self._clock.now_ns())
        for mode, equity in self._equity.items():
            equity.take(
                at, [item for item in self.runners.values() if item.bot.mode is mode], self.equity_zar
            )

    async def _load_equity(self, user_id: UUID) -> None:
        """Read what of a user's equity the engine does not trade with: wallet and resting bots."""
        bots = [bot for bot in self._running.values() if bot.user_id == user_id and not self._may_run(bot)]
        for mode, equity in self._equity.items():
            await equity.load(user_id, [bot for bot in bots if bot.mode is mode])

    async def save(self) -> dict[UUID, list[UUID]]:
        """Write what changed in the bots' memory, and the snapshots, since the last call.

        Return the bots that have decided since then, per user.
        """
        decided: dict[UUID, list[UUID]] = {}
        noted = [user_id for equity in self._equity.values() for user_id in await equity.save()]
        for user_id in dict.fromkeys(noted):
            await self._load_equity(user_id)
        by_user: dict[UUID, list[Runner]] = {}
        for runner in self.runners.values():
            if runner.is_dirty:
                by_user.setdefault(runner.bot.user_id, []).append(runner)
        for user_id, runners in by_user.items():
            async with self._store.unit_of_work(user_id, durable=False) as unit:
                await unit.bots.save_runtimes({runner.bot.id: self._runtime(runner) for runner in runners})
                await unit.bots.add_decisions(
                    [
                        (runner.bot.id, to_datetime(ts), decision)
                        for runner in runners
                        for ts, decision in runner.unsaved
                    ]
                )
            decided[user_id] = [runner.bot.id for runner in runners if runner.unsaved]
            for runner in runners:
                runner.is_dirty = False
                runner.unsaved.clear()
        return decided

    def _runtime(self, runner: Runner) -> BotRuntime:
        due = to_datetime(self.next_decision_ts(runner)) if runner.is_active else None
        return BotRuntime(
            runner.state, runner.last_bar_ts, runner.last_decision, due, runner.peak_zar, runner.drawdown
        )


def _read_signals(
    runner: Runner, history: Bars, readings: dict[tuple[int, str, str, Any], SignalReading | None]
) -> SignalReading | None:
    """Return the strategy's reading of the last bar, computed once for all bots with equal keys."""
    if runner.signal_key not in readings:
        signals = runner.strategy.signals
        readings[runner.signal_key] = (
            signals(history, runner.params).reading(len(history) - 1) if signals else None
        )
    return readings[runner.signal_key]


def _gate_view(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "value": _finite(gate.value),
        "op": gate.op,
        "threshold": _finite(gate.threshold),
        "passed": gate.passed,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or value != value or value in (float("inf"), float("-inf")) else value
