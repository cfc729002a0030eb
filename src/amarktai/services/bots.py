"""Bots: creating one from the paper wallet, and its life until its capital is released."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bar import timeframe_ns
from amarktai.domain.bot import (
    LEADS_TO,
    MAX_CAPITAL_ZAR,
    MIN_CAPITAL_ZAR,
    STAKE_PERCENT,
    Bot,
    BotAction,
    BotStatus,
    LifecycleStage,
    RiskMode,
    TradingMode,
    allows,
)
from amarktai.domain.errors import Conflict, InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Platform, parse_platform
from amarktai.domain.money import LEDGER_STEP, ZAR, ZERO, floor_to_step
from amarktai.domain.user import Identity
from amarktai.ledger import chart
from amarktai.ledger.booking import book_allocation, book_conversion, book_release
from amarktai.ports.catalog import Catalog, ListedInstrument
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import BalanceUpdated, BotDeleted, BotEvent, BotUpdated, EventPayload
from amarktai.ports.ids import Ids
from amarktai.ports.store import Book, Store, UnitOfWork
from amarktai.services.audit import SYSTEM, fact_of
from amarktai.services.fx import FxRates
from amarktai.services.views import money
from amarktai.services.wallet import WalletService, load_fx
from amarktai.strategies.contract import Strategy, parse_params
from amarktai.strategies.registry import strategy as find_strategy

_EVENT: Final = {
    BotAction.START: "bot_resumed",
    BotAction.RESUME: "bot_resumed",
    BotAction.PAUSE: "bot_paused",
    BotAction.STOP: "bot_stopped",
}
_PAST: Final = {
    BotAction.START: "started",
    BotAction.RESUME: "resumed",
    BotAction.PAUSE: "paused",
    BotAction.STOP: "stopped",
}
_STARTING: Final = frozenset({BotAction.START, BotAction.RESUME})
USER_PAUSED: Final = "USER_PAUSED"

#: Returns a bot as ``GET /api/bots/{bot_id}`` shows it, as of the transaction.
BotView = Callable[[UnitOfWork, UUID], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class NewBot:
    """What a person asks for; everything is checked against strategy, market and wallet."""

    name: str
    platform: str
    pair: str
    strategy: str
    params: Mapping[str, Any]
    timeframe: str | None
    risk_mode: RiskMode
    capital_zar: Decimal
    start: bool


class BotService:
    """The write side of bots. What a bot looks like to people is ``bot_views``' business."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        catalog: Catalog,
        fx: FxRates,
        caps: Mapping[Platform, int],
        view: BotView,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._catalog = catalog
        self._fx = fx
        self._caps = caps
        self._view = view
        self._wallet = WalletService(store, clock, ids, catalog, fx)

    async def create(self, user_id: UUID, wanted: NewBot, *, by: Identity | str = SYSTEM) -> Bot:
        """Create a bot and reserve its capital, converted at the dated rate where the market needs it.

        ``by`` is who acts, for the audit log: the fact is written with the change or not at all.

        Raises: InvalidInput and Conflict with the codes of the required API (previous system §4.8).
        """
        chosen = find_strategy(wanted.strategy)
        params = parse_params(chosen, wanted.params)
        listed = await self._instrument(wanted)
        _check_capital(wanted.capital_zar)
        await load_fx(self._catalog, self._fx)
        bot = self._draft(user_id, wanted, chosen, _plain(params), listed)
        async with self._store.unit_of_work(user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.PAPER)
            if wanted.start:
                await _check_no_stop(unit)
            await self._check_cap(unit, bot.platform)
            await unit.bots.insert(bot)
            bot = await self._allocate(unit, book, bot)
            _check_stake(bot, listed)
            await unit.bots.save_capital(bot)
            await self._announce(
                unit, bot, [("bot_created", await self._event(unit, bot, f"{bot.name} was created"))]
            )
            about = {"name": bot.name, "strategy": bot.strategy, "capital_zar": f"{bot.capital_zar:f}"}
            await self._record(unit, by, "bot.created", bot, after=about)
        return bot

    async def act(
        self,
        user_id: UUID,
        bot_id: UUID,
        action: BotAction,
        reason: str | None = None,
        *,
        by: Identity | str = SYSTEM,
    ) -> Bot:
        """Start, pause, resume, stop or delete. The engine carries out what follows for its orders.

        A paused bot makes no entries, its position stays guarded; a stopped or deleted one is closed at
        the market. Raises: NotFound; Conflict BOT_STATE when the status forbids the action.
        """
        await load_fx(self._catalog, self._fx)
        async with self._store.unit_of_work(user_id) as unit:
            # A bot's kind of book never changes: it may be read before the book is locked.
            book = await unit.ledger.lock_book((await unit.bots.get(bot_id)).mode)
            bot = await unit.bots.get(bot_id, lock=True)
            if bot.status is BotStatus.DELETED or not allows(bot.status, action):
                raise Conflict("BOT_STATE", refusal_of(bot, action), "Reload to see the bot's state.")
            if action in _STARTING:
                await _check_no_stop(unit)
            before, bot = bot.status, self._moved(bot, action, reason)
            await unit.bots.update(bot)
            if action is BotAction.DELETE:
                await self._delete(unit, book, bot)
            else:
                event = await self._event(unit, bot, f"{bot.name} was {_PAST[action]}")
                await self._announce(unit, bot, [(_EVENT[action], event)])
            await self._record(
                unit, by, f"bot.{action}", bot,
                before={"status": before}, after={"status": bot.status}, reason=reason,
            )  # fmt: skip
        return bot

    async def act_on_all(
        self, user_id: UUID, action: BotAction, *, by: Identity | str = SYSTEM
    ) -> dict[str, Any]:
        """Start or pause every bot that can be; say which were passed over and why."""
        async with self._store.unit_of_work(user_id) as unit:
            bots = await unit.bots.list(statuses=(BotStatus.ACTIVE, BotStatus.PAUSED, BotStatus.STOPPED))
        changed, skipped = 0, []
        for bot in bots:
            try:
                await self.act(user_id, bot.id, action, by=by)
                changed += 1
            except Conflict as error:
                skipped.append({"bot_id": str(bot.id), "name": bot.name, "reason": error.detail})
        return {"changed": changed, "skipped": skipped}

    async def pause_active(self, unit: UnitOfWork, reason: str, *, by: Identity | str) -> None:
        """Pause every active bot of the unit's user within its transaction."""
        for mode in TradingMode:
            await unit.ledger.lock_book(mode)
        for running in await unit.bots.list(statuses=(BotStatus.ACTIVE,)):
            bot = self._moved(await unit.bots.get(running.id, lock=True), BotAction.PAUSE, reason)
            await unit.bots.update(bot)
            event = await self._event(unit, bot, f"{bot.name} was paused")
            await self._announce(unit, bot, [(_EVENT[BotAction.PAUSE], event)])
            await self._record(
                unit, by, "bot.pause", bot,
                before={"status": BotStatus.ACTIVE}, after={"status": bot.status}, reason=reason,
            )  # fmt: skip

    async def update(
        self, user_id: UUID, bot_id: UUID, changes: Mapping[str, Any], *, by: Identity | str = SYSTEM
    ) -> Bot:
        """Change name, parameters or risk mode. Raises: InvalidInput, Conflict, NotFound."""
        async with self._store.unit_of_work(user_id) as unit:
            bot = await unit.bots.get(bot_id, lock=True)
            if bot.status is BotStatus.DELETED:
                raise Conflict("BOT_STATE", "A deleted bot cannot be changed", "Create a new one.")
            changed = bot
            if "name" in changes:
                changed = replace(changed, name=_checked_name(changes["name"]))
            if "params" in changes:
                params = parse_params(find_strategy(bot.strategy), changes["params"])
                changed = replace(changed, params=_plain(params))
            if "risk_mode" in changes:
                changed = replace(changed, risk_mode=RiskMode(changes["risk_mode"]))
            await unit.bots.update(changed)
            event = await self._event(unit, changed, f"{changed.name} was changed")
            payload = BotUpdated(message=event.message, bot_id=bot.id, changes=dict(changes), bot=event.bot)
            await self._announce(unit, changed, [("bot_updated", payload)])
            await self._record(
                unit, by, "bot.updated", changed,
                before={name: _auditable(bot, name) for name in changes},
                after={name: _auditable(changed, name) for name in changes},
            )  # fmt: skip
        return changed

    async def release(self, unit: UnitOfWork, book: Book, bot: Bot) -> bool:
        """Give a deleted bot's money back once nothing of it works any more; True when done."""
        if await unit.orders.working([bot.id]):
            return False
        account = chart.bot_holding(bot.id)
        balances = await unit.ledger.balances(book, [account])
        held = {asset: amount for (_, asset), amount in balances.items() if amount > ZERO}
        if not held:
            return True
        now = to_datetime(self._clock.now_ns())
        entries = []
        rate = self._fx.rate(bot.quote_asset, now, bot.platform)
        quote = held.get(bot.quote_asset, ZERO)
        is_paper = bot.mode is TradingMode.PAPER
        # Real money stays what it is, in its account at the exchange.
        if is_paper and bot.quote_asset != ZAR and quote > ZERO and rate is not None:
            rand = rate.to_zar(quote)
            key = f"convert-back:{bot.id.hex}"
            entries.append(
                book_conversion(
                    key, bot.id, sell=(bot.quote_asset, quote), buy=(ZAR, rand), rate=rate, at=now
                )
            )
            del held[bot.quote_asset]
            held[ZAR] = held.get(ZAR, ZERO) + rand
        target = chart.WALLET if is_paper else chart.venue(bot.platform)
        entries.append(book_release(bot.id, bot.name, held, now, target))
        await unit.ledger.append(book, entries, now)
        if not is_paper:
            return True
        wallet = await self._wallet.snapshot(unit)
        payload = BalanceUpdated(message=f"Capital of {bot.name} released", mode="paper", wallet=wallet)
        await unit.outbox.emit([("balance_updated", payload)], now)
        return True

    async def _record(
        self,
        unit: UnitOfWork,
        by: Identity | str,
        action: str,
        bot: Bot,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """Write the audit log's fact; the last statement, since these writers wait for each other."""
        fact = fact_of(by, action, ("bot", bot.id), before=before, after=after, reason=reason)
        await unit.audit.append(fact, to_datetime(self._clock.now_ns()))

    # -- parts -----------------------------------------------------------------------------------

    async def _instrument(self, wanted: NewBot) -> ListedInstrument:
        platform = parse_platform(wanted.platform)
        listed = await self._catalog.instruments(platform)
        if not listed:
            raise Conflict(
                "EXCHANGE_CONNECTION_ERROR",
                f"There is no market data from {DISPLAY_NAMES[platform]}",
                "Choose a platform whose feed is live, or start with the sandbox market.",
            )
        for item in listed:
            if item.instrument.symbol == wanted.pair.upper():
                return item
        known = ", ".join(sorted(item.instrument.symbol for item in listed)[:12])
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{DISPLAY_NAMES[platform]} has no market {wanted.pair!r}",
            f"Choose one of {known}.",
        )

    def _draft(
        self,
        user_id: UUID,
        wanted: NewBot,
        chosen: Strategy,
        params: Mapping[str, Any],
        listed: ListedInstrument,
    ) -> Bot:
        timeframe = wanted.timeframe or chosen.default_timeframe
        timeframe_ns(timeframe)
        now = to_datetime(self._clock.now_ns())
        return Bot(
            id=self._ids.new(),
            user_id=user_id,
            name=_checked_name(wanted.name),
            platform=listed.instrument.venue,
            instrument_id=listed.instrument.id,
            strategy=chosen.id,
            params=params,
            timeframe=timeframe,
            risk_mode=wanted.risk_mode,
            mode=TradingMode.PAPER,
            origin=listed.origin,
            status=BotStatus.ACTIVE if wanted.start else BotStatus.STOPPED,
            lifecycle_stage=LifecycleStage.PAPER_TRAINING,
            quote_asset=listed.instrument.quote,
            capital_zar=wanted.capital_zar,
            capital_quote=ZERO,
            created_at=now,
            started_at=now if wanted.start else None,
        )

    async def _check_cap(self, unit: UnitOfWork, platform: Platform) -> None:
        bots = await unit.bots.list(statuses=(BotStatus.ACTIVE, BotStatus.PAUSED, BotStatus.STOPPED))
        count, cap = sum(bot.platform is platform for bot in bots), self._caps[platform]
        if count >= cap:
            raise Conflict(
                "EXCHANGE_BOT_LIMIT_REACHED",
                f"You have {count} bots on {DISPLAY_NAMES[platform]}, the limit is {cap}",
                "Delete one there, or choose another platform.",
            )

    async def _allocate(self, unit: UnitOfWork, book: Book, bot: Bot) -> Bot:
        """Move the capital to the bot; in the market's currency where that is not the rand."""
        now = to_datetime(self._clock.now_ns())
        entries = [book_allocation(bot.id, bot.name, bot.capital_zar, now)]
        capital_quote = bot.capital_zar
        if bot.quote_asset != ZAR:
            rate = self._fx.rate(bot.quote_asset, now, bot.platform)
            if rate is None:
                raise Conflict(
                    "NO_FX_RATE",
                    f"There is no {bot.quote_asset}/ZAR rate now, so capital cannot be converted",
                    "Wait for a Luno or VALR price, or choose a ZAR market.",
                )
            capital_quote = floor_to_step(bot.capital_zar / rate.rate, LEDGER_STEP)
            entries.append(
                book_conversion(
                    f"convert:{bot.id.hex}",
                    bot.id,
                    sell=(ZAR, bot.capital_zar),
                    buy=(bot.quote_asset, capital_quote),
                    rate=rate,
                    at=now,
                )
            )
        await unit.ledger.append(book, entries, now)
        return replace(bot, capital_quote=capital_quote)

    async def _delete(self, unit: UnitOfWork, book: Book, bot: Bot) -> None:
        positions = await unit.trades.positions([bot.id])
        held = positions.get(bot.id)
        if held is None or held.position.is_flat:
            await self.release(unit, book, bot)
        payload = BotDeleted(message=f"{bot.name} was deleted", bot_id=bot.id)
        await self._announce(unit, bot, [("bot_deleted", payload)])

    def _moved(self, bot: Bot, action: BotAction, reason: str | None) -> Bot:
        now = to_datetime(self._clock.now_ns())
        moved = replace(bot, status=LEADS_TO[action])
        if action in {BotAction.START, BotAction.RESUME}:
            return replace(
                moved, started_at=bot.started_at or now, paused_at=None, stopped_at=None, pause_reason=None
            )
        if action is BotAction.PAUSE:
            return replace(moved, paused_at=now, pause_reason=reason or USER_PAUSED)
        if action is BotAction.STOP:
            return replace(moved, stopped_at=now, pause_reason=None)
        return replace(moved, stopped_at=bot.stopped_at or now, deleted_at=now)

    async def _event(self, unit: UnitOfWork, bot: Bot, message: str) -> BotEvent:
        return BotEvent(message=message, bot=dict(await self._view(unit, bot.id)))

    async def _announce(self, unit: UnitOfWork, bot: Bot, events: list[tuple[str, EventPayload]]) -> None:
        now = to_datetime(self._clock.now_ns())
        if events[0][0] == "bot_created":
            wallet = await self._wallet.snapshot(unit)
            message = f"R {money(bot.capital_zar)} reserved for {bot.name}"
            events = [
                *events,
                ("balance_updated", BalanceUpdated(message=message, mode="paper", wallet=wallet)),
            ]
        await unit.outbox.emit(events, now)
        await unit.bots.wake_engine(bot.id)


async def _check_no_stop(unit: UnitOfWork) -> None:
    stops = await unit.stops.active()
    if stops:
        raise Conflict(
            "EMERGENCY_STOP_ACTIVE",
            f"An emergency stop is on: {stops[0].reason}",
            "Release it first; bots stay paused until they are resumed.",
        )


def refusal_of(bot: Bot, action: BotAction) -> str:
    """Return the sentence that says why the action is not possible now."""
    return f"{bot.name} is {bot.status}, so it cannot be {_PAST.get(action, 'deleted')}"


def _auditable(bot: Bot, name: str) -> Any:
    value = getattr(bot, name)
    return dict(value) if isinstance(value, Mapping) else value


def _checked_name(name: str) -> str:
    text = " ".join(name.split())
    if not 1 <= len(text) <= 60:
        raise InvalidInput(
            "VALIDATION_ERROR", "A bot's name has 1 to 60 characters", "Choose a shorter or longer name."
        )
    return text


def _check_capital(amount: Decimal) -> None:
    if amount != amount.quantize(Decimal("0.01")):
        raise InvalidInput("INVALID_CAPITAL_AMOUNT", f"R {amount:f} has parts of a cent", "Give whole cents.")
    if amount < MIN_CAPITAL_ZAR:
        raise InvalidInput(
            "BELOW_MINIMUM", f"A bot needs at least R {MIN_CAPITAL_ZAR}", "Give it more capital."
        )
    if amount > MAX_CAPITAL_ZAR:
        raise InvalidInput(
            "INVALID_CAPITAL_AMOUNT", f"A bot takes at most R {MAX_CAPITAL_ZAR}", "Give it less capital."
        )


def _check_stake(bot: Bot, listed: ListedInstrument) -> None:
    if bot.stake < listed.instrument.min_notional:
        raise InvalidInput(
            "MINIMUM_ORDER_SIZE",
            f"{STAKE_PERCENT[bot.risk_mode]} % of the capital is {bot.stake:.2f} {bot.quote_asset}, under the"
            f" exchange's minimum order of {listed.instrument.min_notional:f} {bot.quote_asset}",
            "Give the bot more capital, or choose a bolder risk mode.",
        )


def _plain(params: Any) -> dict[str, Any]:
    return {name: getattr(params, name) for name in params.__dataclass_fields__}
