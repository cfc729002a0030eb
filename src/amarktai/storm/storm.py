# long: a storm from its first gust to its judgement is one sequence
"""A storm: ten bots on five exchanges through hours of faults, then calm, then judgement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.bot import BotStatus
from amarktai.domain.errors import AmarktaiError, Conflict
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.order import DOUBTFUL, OrderEvent, OrderState, Side
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.exchange import Quote
from amarktai.ports.live_accounts import Cause
from amarktai.ports.store import Store
from amarktai.ports.venue import OrderRequest
from amarktai.services.differences import Differences
from amarktai.services.fx import FxRates, Mark
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.resolutions import PATIENCE, Resolutions
from amarktai.storm.account import ModelAccount
from amarktai.storm.exchange import LOT, ModelExchange
from amarktai.storm.life import BAR_S, Life, Lifeline
from amarktai.storm.loop import Killed, Turn
from amarktai.storm.oracles import Oracles
from amarktai.storm.weather import Fault, Weather

#: After the storm everything must be settled within so long.
CALM_S: Final = 600
#: Before so long what was on its way when the storm ended may still arrive.
_SETTLED_S: Final = 60
_MINUTE_S: Final = 60.0
_RESTART_S: Final = 2.0
_STOP_FILE_S: Final = (60.0, 1_500.0)
_OUTAGE_S: Final = (10.0, 900.0)
#: Of what may end an engine beside being killed: its database is away, or another one has taken over.
_MEANT_ENDS: Final = frozenset({"UNAVAILABLE", "LEASE_LOST"})
_SKEW_S: Final = 5
_SKEW_LASTS_S: Final = 3_600
#: What the next answer ends, or the next silence; and the longest for it, in which an engine that stands
#: still has been replaced.
_PATIENCE_S: Final = 200
_ON_ITS_WAY: Final = frozenset({OrderState.SENDING, OrderState.CANCELING})
#: A person looks at what waits for them this often.
_ROUNDS_S: Final = 300.0
_ASIDE: Final[Mapping[str, Decimal]] = {"ZAR": Decimal(1_000), "USDT": Decimal(50)}


@dataclass(slots=True)
class HandStop:
    """The stop file without a disk. Implements ports.stops.StopFile."""

    text: str | None = None
    since_ns: int = 0

    def reason(self) -> str | None:
        return self.text

    def write(self, reason: str) -> None:
        self.text = reason

    def remove(self) -> None:
        self.text = None


@dataclass(frozen=True, slots=True)
class StormParts:
    """What a storm rages over. ``new_life`` makes an engine from what the database has, and nothing else."""

    who: Identity
    clock: Clock
    weather: Weather
    exchanges: Mapping[Platform, ModelExchange]
    store: Store
    fx: FxRates
    new_life: Callable[[Lifeline, Callable[[], Sequence[Quote]]], Awaitable[Life]]
    oracles: Oracles
    differences: Differences
    resolutions: Resolutions
    audit: LedgerAudit
    stop: HandStop
    watched: Mapping[str, Platform]
    turn: Turn


@dataclass(slots=True)
class StormResult:
    """What happened, and what was broken: nothing may be."""

    hours: float
    lives: int = 0
    orders: int = 0
    fills: int = 0
    most_creates: int = 0
    by_hand: int = 0
    calm_s: float = 0.0
    digest: str = ""
    faults: Counter[Fault] = field(default_factory=Counter)
    moves: Counter[tuple[OrderState, OrderEvent]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.broken


class Storm:
    """One seed's storm. ``run`` once."""

    def __init__(self, parts: StormParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._weather = parts.weather
        self._lives: list[Life] = []
        self._keyless: dict[Platform, int] = {}
        #: Whose engine took the lease last; one that only waits for it has taken over nothing.
        self._holder: Lifeline | None = None
        self._on_its_way: Mapping[UUID, int] = {}

    async def run(self, hours: float) -> StormResult:
        result = StormResult(hours)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (self._keep_alive(result), self._move_markets(), self._be_a_person(result))
            ]
            await self._clock.sleep(hours * 3_600)
            await self._calm_down(result)
            for life in self._lives:
                await life.lifeline.kill()
            await self._clock.sleep(_SETTLED_S)
            for task in tasks:
                task.cancel()
        await self._judge(result)
        return result

    # -- the engine's lives ------------------------------------------------------------------------

    async def _keep_alive(self, result: StormResult) -> None:
        """Start an engine, and another one when it has ended or stands still, as the supervisor does."""
        async with asyncio.TaskGroup() as group:
            while True:
                lifeline = Lifeline(self._weather, self._parts.turn)
                ended = group.create_task(self._live(lifeline, result))
                while not ended.done() and not lifeline.is_frozen:
                    await self._clock.sleep(1.0)
                if lifeline.is_frozen and not ended.done():
                    group.create_task(self._thaw_later(lifeline))
                await self._clock.sleep(_RESTART_S)

    async def _live(self, lifeline: Lifeline, result: StormResult) -> None:
        result.lives += 1
        life: Life | None = None
        try:
            life = await self._parts.new_life(lifeline, self.quotes)
            self._holder = lifeline
            self._lives.append(life)
            await life.run()
        except (Killed, Exception, BaseExceptionGroup) as end:  # noqa: BLE001 - each end is judged
            for cause in _causes(end):
                self._note_end(cause, result)
        finally:
            lifeline.end()
            if life is not None:
                self._lives.remove(life)

    def _note_end(self, cause: BaseException, result: StormResult) -> None:
        """Killed engines, and those that lost their database or their lease, are what a storm is for."""
        name = cause.code if isinstance(cause, AmarktaiError) else type(cause).__name__
        result.ends[name] += 1
        is_meant = isinstance(cause, Killed | asyncio.CancelledError) or name in _MEANT_ENDS
        if is_meant:
            return
        self._parts.oracles.blame("an engine ended", f"{type(cause).__name__}: {cause}")

    async def _thaw_later(self, lifeline: Lifeline) -> None:
        """Let a frozen engine go on after the next one has taken over.

        Every other one wakes up as a bar closes, with what it wants to do about it.
        """
        wake_ns = self._clock.now_ns() + round(self._weather.between(90.0, 600.0) * NS_PER_S)
        if self._weather.between(0.0, 1.0) < 0.5:
            wake_ns += BAR_S * NS_PER_S - wake_ns % (BAR_S * NS_PER_S) - NS_PER_S
        await self._clock.sleep((wake_ns - self._clock.now_ns()) / NS_PER_S)
        lifeline.thaw()

    # -- the world ---------------------------------------------------------------------------------

    def quotes(self) -> Sequence[Quote]:
        """Return what each exchange that answers quotes now, and let the rates know."""
        at, quotes = to_datetime(self._clock.now_ns()), list[Quote]()
        for instrument_id, platform in self._parts.watched.items():
            exchange = self._parts.exchanges[platform]
            if exchange.is_away:
                continue
            bid, ask = exchange.quote(instrument_id)
            quotes.append(Quote(instrument_id, bid, ask, None, None, None, at))
            venue, _, symbol = instrument_id.partition(":")
            self._parts.fx.mark_named(venue, symbol, Mark((bid + ask) / 2, at, Origin.SYNTHETIC))
        return quotes

    async def _move_markets(self) -> None:
        minute = 0
        while True:
            await self._clock.sleep(_MINUTE_S)
            minute += 1
            for exchange in self._parts.exchanges.values():
                exchange.move()
                if minute % (BAR_S // _MINUTE_S) == 0:
                    self._trouble(exchange)
                # Just before bars close: an entry follows that the gap must stop.
                if (minute + 1) % (BAR_S // _MINUTE_S) == 0 and self._weather.strikes(Fault.STREAM_GAP):
                    for listener in exchange.listeners:
                        listener.break_stream()
            if minute % (BAR_S // _MINUTE_S) == 0 and self._weather.strikes(Fault.STOP_FILE):
                self._stop_everybody()

    def _trouble(self, exchange: ModelExchange) -> None:
        """Let what happens to whole exchanges and accounts happen."""
        weather, now = self._weather, self._clock.now_ns()
        if weather.strikes(Fault.OUTAGE):
            exchange.away_until_ns = now + round(weather.between(*_OUTAGE_S) * NS_PER_S)
            if weather.strikes(Fault.CANCEL_ALL):
                exchange.come_back_empty()
        if weather.strikes(Fault.CLOCK_DIFFERS):
            exchange.set_clock(_SKEW_S * NS_PER_S)
        elif now - exchange.offset_since_ns > _SKEW_LASTS_S * NS_PER_S:
            exchange.set_clock(0)
        if weather.strikes(Fault.KEY_GONE):
            self._keyless[exchange.platform] = now + round(weather.between(60.0, 600.0) * NS_PER_S)
        instrument = next(iter(exchange.instruments.values()))
        if weather.strikes(Fault.HAND_TRADE):
            quantity = weather.part(_ASIDE[instrument.quote] / exchange.prices[instrument.id], LOT)
            exchange.trade_by_hand(instrument.id, quantity.quantize(LOT))
        if weather.strikes(Fault.DEPOSIT):
            exchange.pay_in(instrument.quote, weather.part(_ASIDE[instrument.quote], Decimal("0.01")))

    def _stop_everybody(self) -> None:
        stop = self._parts.stop
        stop.text, stop.since_ns = "somebody pulled the plug", self._clock.now_ns()
        seconds = self._weather.between(*_STOP_FILE_S)
        asyncio.get_running_loop().call_later(seconds, stop.remove)

    def has_key(self, platform: Platform) -> bool:
        return self._clock.now_ns() >= self._keyless.get(platform, 0)

    # -- witnesses ---------------------------------------------------------------------------------

    async def departs(self, account: ModelAccount, request: OrderRequest, lifeline: Lifeline) -> None:
        """See a create off: the process may be killed right before, and every promise is checked."""
        await lifeline.point()
        if self._clock.now_ns() > request.deadline_ts:
            return  # it does not leave: the account refuses it
        oracles, order_id = self._parts.oracles, request.order_id
        oracles.departs(order_id)
        if lifeline is not self._holder:
            oracles.blame("fencing", f"{order_id} is sent by an engine that another has taken over from")
        if request.side is Side.BUY:
            self._check_entry(account, order_id)
            await self._check_differences(account.platform, order_id)

    def _check_entry(self, account: ModelAccount, order_id: UUID) -> None:
        """Check that an entry was claimed while entries were allowed; what came after comes too late."""
        oracles, stop = self._parts.oracles, self._parts.stop
        claimed_ns = made_at_ns(order_id)
        if stop.text and claimed_ns - stop.since_ns > NS_PER_S:
            oracles.blame("O20", f"{order_id} is claimed after the stop")
        if not account.was_seen_whole and claimed_ns > account.gap_ns + NS_PER_S:
            oracles.blame("O8", f"{order_id} is claimed before {account.platform} has been reconciled")
        exchange = self._parts.exchanges[account.platform]
        if exchange.offset_ns and claimed_ns > exchange.offset_since_ns + 2 * BAR_S * NS_PER_S:
            oracles.blame("O14", f"{order_id} is claimed while the clock of {account.platform} differs")

    async def _check_differences(self, platform: Platform, order_id: UUID) -> None:
        """Check that an entry was not claimed while the account differs from the books."""
        for item in await self._parts.differences.waiting(self._parts.who.user_id):
            if item.platform is platform and made_at_ns(order_id) > to_ns(item.noticed_at) + NS_PER_S:
                what = f"{order_id} is claimed while {platform} differs by {item.amount} {item.asset}"
                self._parts.oracles.blame("O18", what)

    # -- a person ----------------------------------------------------------------------------------

    async def _be_a_person(self, result: StormResult) -> None:
        """Explain differences and end orders that the machine can prove nothing about."""
        while True:
            await self._clock.sleep(_ROUNDS_S)
            await self._look_after(result)

    async def _look_after(self, result: StormResult) -> None:
        parts, who = self._parts, self._parts.who
        for item in await parts.differences.waiting(who.user_id):
            if not parts.exchanges[item.platform].is_explained_by_deposits(item.asset, item.amount):
                what = (
                    f"{item.platform} is said to differ by {item.amount} {item.asset}, which nobody paid in"
                )
                parts.oracles.blame("O18", what)
            cause = Cause.DEPOSIT if item.amount > 0 else Cause.OTHER
            await parts.differences.explain(who, item.id, cause, "seen at the exchange")
        now = to_datetime(self._clock.now_ns())
        async with parts.store.unit_of_work(who.user_id) as unit:
            working = await unit.orders.working()
        self._check_patience({stored.order.id: stored.order.state for stored in working})
        for stored in working:
            is_old = stored.deadline_at is not None and now > stored.deadline_at + 15 * PATIENCE
            if stored.order.state in DOUBTFUL and is_old:
                try:
                    await parts.resolutions.ask(who, stored.order.id, "the exchange's own list says so")
                except Conflict:
                    continue  # the machine has found out meanwhile
                result.by_hand += 1

    def _check_patience(self, states: Mapping[UUID, OrderState]) -> None:
        """Check that nothing is on its way for minutes: what is not answered must be in doubt."""
        now = self._clock.now_ns()
        seen = {
            order_id: self._on_its_way.get(order_id, now)
            for order_id, state in states.items()
            if state in _ON_ITS_WAY
        }
        for order_id, since in seen.items():
            if now - since > _PATIENCE_S * NS_PER_S:
                self._parts.oracles.blame("liveness", f"{order_id} is {states[order_id]} and nobody asks")
        self._on_its_way = seen

    # -- afterwards --------------------------------------------------------------------------------

    async def _calm_down(self, result: StormResult) -> None:
        """Let nothing fail any more, stop every bot, and wait until all is settled."""
        parts, started = self._parts, self._clock.now_ns()
        self._weather.is_over = True
        parts.stop.remove()
        self._keyless.clear()
        for exchange in parts.exchanges.values():
            exchange.away_until_ns = 0
            exchange.set_clock(0)
        await self._stop_bots()
        while (self._clock.now_ns() - started) / NS_PER_S < CALM_S:
            await self._clock.sleep(10.0)
            is_late = (self._clock.now_ns() - started) / NS_PER_S >= _SETTLED_S
            if is_late and await self._is_settled(started):
                break
            await self._look_after(result)
        else:
            await self._blame_unsettled()
        result.calm_s = (self._clock.now_ns() - started) / NS_PER_S

    async def _stop_bots(self) -> None:
        """Stop every bot. An engine that is well goes on: what it forgot, a new one would know again."""
        user_id = self._parts.who.user_id
        async with self._parts.store.unit_of_work(user_id) as unit:
            bots = await unit.bots.list()
            for bot in bots:
                stored = await unit.bots.get(bot.id, lock=True)
                await unit.bots.update(replace(stored, status=BotStatus.STOPPED))
        for life in list(self._lives):
            if life.lifeline.is_frozen or life.lifeline is not self._holder:
                await life.lifeline.kill()
                continue
            for bot in bots:
                await life.reload(user_id, bot.id)

    async def _is_settled(self, since_ns: int) -> bool:
        """Return whether no order works and every account agreed with the books after the storm's end."""
        life = self._lives[-1] if self._lives else None
        if life is None or len(life.accounts.accounts) < len(self._parts.exchanges):
            return False
        since = to_datetime(since_ns)
        for account in life.accounts.accounts:
            seen = account.status.reconciled_at
            if account.held_back or seen is None or seen < since:
                return False
        async with self._parts.store.unit_of_work(self._parts.who.user_id) as unit:
            return not await unit.orders.working()

    async def _blame_unsettled(self) -> None:
        for life in self._lives:
            for account in life.accounts.accounts:
                if account.held_back:
                    self._parts.oracles.blame("liveness", account.held_back)

    async def _judge(self, result: StormResult) -> None:
        parts, oracles = self._parts, self._parts.oracles
        await oracles.judge()
        report = await parts.audit.audit(parts.who.user_id)
        if not report.ok:
            oracles.blame("L1-L15", str(report.first_difference))
        evidence = oracles.evidence
        orders = await evidence.orders()
        result.orders, result.fills = len(orders), report.fills
        result.most_creates = max(oracles.departed.values(), default=0)
        result.faults, result.moves = self._weather.happened, await evidence.moves()
        result.digest, result.broken = await evidence.digest(), oracles.broken


def made_at_ns(order_id: UUID) -> int:
    """Return when an id was made: its first 48 bits are milliseconds."""
    return (order_id.int >> 80) * 1_000_000


def _causes(end: BaseException) -> list[BaseException]:
    if isinstance(end, BaseExceptionGroup):
        return [cause for part in end.exceptions for cause in _causes(part)]
    return [end]
