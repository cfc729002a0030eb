"""Users' real exchange accounts while the engine runs: opened for tested keys, listened to, reconciled.

An account takes orders that add risk only in the condition ACTIVE. It is RECONCILING after a start, a gap in
its stream, a new key or a set clock, until one complete look at it agrees with the books (O8); DEGRADED
while its exchange does not answer or its clock differs (O14); UNEXPLAINED while it holds something else than
the books say (O18). Orders that lower risk may leave in any of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import AmarktaiError, Forbidden, InvalidInput, NotFound, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Origin, Platform
from amarktai.domain.market import NO_TS
from amarktai.domain.order import Order, OrderState, order_id_of
from amarktai.ports.clock import Clock, to_datetime, to_ns
from amarktai.ports.events import AccountUpdated
from amarktai.ports.exchange import (
    BalanceChanged,
    ExchangeAccount,
    FillReported,
    OrderChanged,
    StreamGap,
)
from amarktai.ports.ids import Ids
from amarktai.ports.live_accounts import AccountOpener, AccountStatus, Condition, WorkingKey
from amarktai.ports.store import Store, StoredOrder, UnitOfWork
from amarktai.ports.venue import OrderReport, OutcomeUnknown, TradingVenue
from amarktai.services.alerts import Notices
from amarktai.services.arrivals import Arrivals
from amarktai.services.live_venue import SETTLE_S, LiveVenue
from amarktai.services.order_news import Hint, is_news
from amarktai.services.order_transitions import Verdict
from amarktai.services.reconcile import (
    Findings,
    Reconciler,
    Undecided,
    read_statement,
    since_of,
)

log = structlog.get_logger(__name__)

#: While trading live.
COMPARE_EVERY_S: Final = 60.0
#: How often the whole quarantine of orders that ended without a trade is looked through (late fills).
LOOK_BACK_EVERY_NS: Final = 3_600 * NS_PER_S
LOOK_BACK_NS: Final = 48 * 3_600 * NS_PER_S
RETRY_S: Final = 2.0
LONGEST_RETRY_S: Final = 30.0
#: How long an active account is trusted while comparisons come to nothing.
TRUST_S: Final = 300.0
_ROUND_S: Final = 0.2
#: How often saved keys are looked at.
KEYS_EVERY_S: Final = 5.0
#: No order leaves while the exchange's clock and ours are further apart (O14).
CLOCK_LIMIT_NS: Final = 2 * NS_PER_S

#: Executions that are booked in one transaction: others' orders do not wait for a whole outage's (O16).
_FILLS_AT_ONCE: Final = 250

#: Books what an exchange reports of a user's orders, as the engine does.
BookReports = Callable[[UUID, Sequence[OrderReport]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What live accounts work with. ``origin`` labels what they trade; a twin's is synthetic.

    ``compare_every_s``: how often an account is compared with the books while nothing else asks for it.
    """

    store: Store
    clock: Clock
    ids: Ids
    opener: AccountOpener
    arrivals: Arrivals
    notices: Notices
    instruments: Mapping[str, Instrument]
    origin: Origin
    compare_every_s: float = COMPARE_EVERY_S


class LiveAccount:
    """One user's account at one exchange."""

    def __init__(
        self, key: WorkingKey, account: ExchangeAccount, status: AccountStatus, parts: LiveParts
    ) -> None:
        self.key = key
        self.venue = LiveVenue(account, parts.origin, parts.clock, self.ask_for_reconcile)
        self.status = status
        self._account = account
        self._parts = parts
        self._clock = parts.clock
        self._name = DISPLAY_NAMES[key.platform]
        self._due_ts = 0
        self._retry_s = RETRY_S
        self._is_busy = False
        self._had_gap = False
        self._is_closed = False
        self._looked_back_ts = 0
        self._hints: dict[UUID, list[Hint]] = {}
        self._is_waiting = False
        self._looking: dict[UUID, bool] = {}
        self._reconciler = Reconciler(
            parts.store, parts.clock, parts.ids, account, parts.instruments, key.user_id, parts.origin
        )

    @property
    def held_back(self) -> str | None:
        """Why nothing that adds risk may go there now; None when it may."""
        return None if self.status.condition is Condition.ACTIVE else self.status.detail

    @property
    def is_due(self) -> bool:
        """Whether it is time to look at the account, and nobody does."""
        return not self._is_busy and self._clock.now_ns() >= self._due_ts

    def ask_for_reconcile(self) -> None:
        """Let the account be looked at soon; it goes on trading meanwhile."""
        self._due_ts = min(self._due_ts, self._clock.now_ns() + round(SETTLE_S * NS_PER_S))

    async def distrust(self, why: str) -> None:
        """Take no order that adds risk until the account has been reconciled."""
        self._had_gap, self._due_ts = True, 0
        if self.status.condition in (Condition.ACTIVE, Condition.DEGRADED):
            detail = f"The account at {self._name} is being reconciled: {why}"
            await self._become(Condition.RECONCILING, detail)

    # -- what it says ----------------------------------------------------------------------------

    async def listen(self) -> None:
        """Take in what the account's stream says, until cancelled."""
        async for event in self._account.events():
            match event:
                case StreamGap():
                    await self.distrust(event.reason)
                case OrderChanged():
                    await self._hear(Hint(event.venue_order_id, event.client_order_id, event.record))
                case FillReported():
                    fill = event.fill
                    await self._hear(Hint(fill.venue_order_id, fill.client_order_id, fill=fill))
                case BalanceChanged():
                    pass  # a hint only: the next comparison reads it

    async def _hear(self, hint: Hint) -> None:
        """Look up an order of ours that changed; of any other, what it moved is read with the account."""
        order_id = order_id_of(hint.client_order_id)
        if order_id is not None and self.venue.is_fresh(order_id):
            self._remember(order_id, hint)
            return
        async with self._parts.store.unit_of_work(self.key.user_id) as unit:
            stored = await self._ours(unit, hint)
            is_new = stored is not None and await is_news(unit, stored, hint)
        if stored is None:
            self.ask_for_reconcile()
        elif is_new and stored.order.state is OrderState.SENDING:
            self._remember(stored.order.id, hint)
        elif is_new:
            self._look_at(stored.order)

    async def _ours(self, unit: UnitOfWork, hint: Hint) -> StoredOrder | None:
        order_id = order_id_of(hint.client_order_id)
        if order_id is None:
            named = await unit.live_accounts.orders_named(self.key.platform, [hint.venue_order_id])
            order_id = named.get(hint.venue_order_id)
        found = await unit.orders.get_many([order_id]) if order_id is not None else {}
        return next(iter(found.values()), None)

    def _remember(self, order_id: UUID, hint: Hint) -> None:
        """Look at an order whose create is on its way only when the answer has not told as much."""
        if not self._is_waiting:
            self._is_waiting = True
            self._parts.arrivals.carry(self.key.user_id, self._look_later(), is_aside=True)
        self._hints.setdefault(order_id, []).append(hint)

    async def _look_later(self) -> Sequence[OrderReport | Verdict]:
        while self._hints:
            await self._clock.sleep(SETTLE_S)
            due = [order_id for order_id in self._hints if not self.venue.is_fresh(order_id)]
            hints = {order_id: self._hints.pop(order_id) for order_id in due}
            async with self._parts.store.unit_of_work(self.key.user_id) as unit:
                found = await unit.orders.get_many(due)
                for order_id, stored in found.items():
                    if any([await is_news(unit, stored, hint) for hint in hints[order_id]]):
                        self._look_at(stored.order)
        self._is_waiting = False
        return []

    def _look_at(self, order: Order) -> None:
        """Fetch an order; what is told of it meanwhile makes one more look, however much that is."""
        if order.id in self._looking:
            self._looking[order.id] = True
            return
        self._looking[order.id] = False
        self._parts.arrivals.carry(self.key.user_id, self._look_up(order.id, order.instrument_id))

    async def _look_up(self, order_id: UUID, instrument_id: str) -> Sequence[OrderReport | Verdict]:
        try:
            while True:
                self._looking[order_id] = False
                report = await self.venue.fetch_order(order_id, instrument_id)
                if not self._looking[order_id]:
                    return [] if report is None else [report]
        except OutcomeUnknown:
            self.ask_for_reconcile()
            return []
        finally:
            del self._looking[order_id]

    # -- reconciling -----------------------------------------------------------------------------

    async def reconcile(self, book: BookReports) -> bool:
        """Look at the whole account once; return whether that succeeded. The next look is set anew."""
        self._is_busy, self._had_gap, self._due_ts = True, False, NO_TS
        try:
            is_done = await self._look(book)
        finally:
            self._is_busy = False
        self._retry_s = RETRY_S if is_done else min(2 * self._retry_s, LONGEST_RETRY_S)
        pause_s = 0.0 if self._had_gap else self._parts.compare_every_s if is_done else self._retry_s
        self._due_ts = min(self._due_ts, self._clock.now_ns() + round(pause_s * NS_PER_S))
        return is_done

    async def _look(self, book: BookReports) -> bool:
        started = self._clock.now_ns()
        try:
            await self._check_clock()
            statement = await read_statement(self._account, self._since(started))
            for part in _parts(await self._reconciler.reports(statement)):
                await book(self.key.user_id, part)
            findings = await self._reconciler.compare(statement, self.status)
        except Undecided as why:
            log.info("an account could not be compared", platform=self.key.platform.value, reason=str(why))
            if not self._was_seen_lately:
                detail = f"The account at {self._name} is being reconciled: {why}."
                await self._become(Condition.RECONCILING, detail)
            return False
        except (OutcomeUnknown, Unavailable, Forbidden, InvalidInput) as error:
            await self._become(Condition.DEGRADED, f"{self._name} cannot be trusted now: {error.detail}")
            return False
        await self._conclude(findings, started)
        return True

    @property
    def _was_seen_lately(self) -> bool:
        """Whether a comparison that comes to nothing may be waited out: the last good one is young."""
        last = self.status.reconciled_at
        if last is None or self.status.condition is not Condition.ACTIVE:
            return False
        return self._clock.now_ns() - to_ns(last) <= TRUST_S * NS_PER_S

    def _since(self, now: int) -> int:
        """Return since when to read; now and then far back, for executions that come very late (O5)."""
        since = since_of(self.status, now)
        if self.status.opened_at is None or now - self._looked_back_ts < LOOK_BACK_EVERY_NS:
            return since
        return min(since, now - LOOK_BACK_NS)

    async def _check_clock(self) -> None:
        """Raises: Unavailable CLOCK_DIFFERS."""
        offset = await self._parts.opener.clock_offset_ns(self.key.platform)
        if offset is not None and abs(offset) > CLOCK_LIMIT_NS:
            raise Unavailable(
                "CLOCK_DIFFERS",
                f"its clock and this machine's are {offset / NS_PER_S:+.1f} s apart",
                "Let this machine set its clock by NTP.",
            )

    async def _conclude(self, findings: Findings, started: int) -> None:
        now = self._clock.now_ns()
        at = to_datetime(now)
        if now - self._looked_back_ts >= LOOK_BACK_EVERY_NS:
            self._looked_back_ts = now
        self.status = replace(
            self.status,
            opened_at=self.status.opened_at or at,
            watermark_at=to_datetime(started),
            reconciled_at=at,
            took_ms=(now - started) // 1_000_000,
            orders=findings.orders,
            fills=findings.fills,
        )
        problem = self._problem(findings)
        if findings.new_differences:
            await self._tell(findings)
        if problem is not None:
            await self._become(Condition.UNEXPLAINED, problem)
        elif self._had_gap:
            await self._save()  # a gap came meanwhile: what it hides is read next
        else:
            await self._become(Condition.ACTIVE, "It agrees with the books.")

    def _problem(self, findings: Findings) -> str | None:
        if findings.open_differences:
            return (
                f"The account at {self._name} differs from the books by"
                f" {_amounts(findings.open_differences)}: say on the Accounts screen what it was."
            )
        if findings.overdrawn:
            missing = {asset: -amount for asset, amount in findings.overdrawn.items()}
            return (
                f"The bots at {self._name} have {_amounts(missing)} more by the books than the account holds:"
                " pay it in, or stop a bot."
            )
        return None

    async def _tell(self, findings: Findings) -> None:
        amounts = {item.asset: item.amount for item in findings.new_differences}
        message = (
            f"{self._name}: the account differs from the books by {_amounts(amounts)}. No bot enters there"
            " until you say on the Accounts screen what it was."
        )
        log.warning("an account differs from the books", platform=self.key.platform.value)
        await self._parts.notices.alert(self.key.user_id, "account_differs", "critical", message)

    async def _become(self, condition: Condition, detail: str) -> None:
        is_new = (self.status.condition, self.status.detail) != (condition, detail)
        if is_new:
            now = to_datetime(self._clock.now_ns())
            log.info("account", platform=self.key.platform.value, condition=condition.value, reason=detail)
            self.status = replace(self.status, condition=condition, detail=detail, changed_at=now)
        await self._save(is_told=is_new)

    async def _save(self, *, is_told: bool = False) -> None:
        if self._is_closed:
            return  # a look that ends after its account was left says nothing any more
        async with self._parts.store.unit_of_work(self.key.user_id) as unit:
            await unit.live_accounts.save_status(self.status)
            if is_told:
                await unit.outbox.emit([("account_updated", _told(self.status))], self.status.changed_at)

    async def leave(self, why: str) -> None:
        """Say that the account is closed, whatever a look under way may still find, and close it."""
        await self._become(Condition.CLOSED, why)
        await self.close()

    async def close(self) -> None:
        self._is_closed = True
        await self._account.close()


class LiveAccounts:
    """Every user's live accounts. Implements ports.venue.Venues."""

    def __init__(self, parts: LiveParts) -> None:
        self._parts = parts
        self._accounts: dict[tuple[UUID, Platform], LiveAccount] = {}
        self._listeners: dict[tuple[UUID, Platform], asyncio.Task[None]] = {}
        self._refused: dict[tuple[UUID, Platform], str] = {}

    def of(self, user_id: UUID, platform: Platform) -> TradingVenue | None:
        account = self._accounts.get((user_id, platform))
        return None if account is None else account.venue

    def held_back(self, user_id: UUID, platform: Platform) -> str | None:
        account = self._accounts.get((user_id, platform))
        if account is None:
            return f"there is no tested key for {DISPLAY_NAMES[platform]}"
        return account.held_back

    @property
    def accounts(self) -> Sequence[LiveAccount]:
        return list(self._accounts.values())

    async def run(self, book: BookReports) -> None:
        """Open, reconcile and close accounts as keys come and go, until cancelled."""
        next_look = 0
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    if self._parts.clock.now_ns() >= next_look:
                        await self.follow_keys(group)
                        next_look = self._parts.clock.now_ns() + round(KEYS_EVERY_S * NS_PER_S)
                    for account in self.accounts:
                        if account.is_due:
                            group.create_task(account.reconcile(book))
                    await self._parts.clock.sleep(_ROUND_S)
        finally:
            await self.close()

    async def close(self) -> None:
        """Leave every account; what they hold and what rests there stays as it is."""
        for listener in self._listeners.values():
            listener.cancel()
        await self._parts.arrivals.close()
        for account in self.accounts:
            await account.close()

    async def follow_keys(self, group: asyncio.TaskGroup) -> None:
        """Open accounts of keys that work now and close those whose key does not, or was changed."""
        keys = {(key.user_id, key.platform): key for key in await self._parts.opener.working_keys()}
        for name, account in list(self._accounts.items()):
            if name not in keys or keys[name].fingerprint != account.key.fingerprint:
                await self._drop(name, account)
        for name, key in keys.items():
            if name not in self._accounts and key.is_tested and self._refused.get(name) != key.fingerprint:
                await self._add(key, group)
        await self._look_for_explanations()

    async def _look_for_explanations(self) -> None:
        """Compare anew where the last difference has been explained."""
        for account in self.accounts:
            if account.status.condition is Condition.UNEXPLAINED:
                async with self._parts.store.unit_of_work(account.key.user_id) as unit:
                    waiting = await unit.live_accounts.differences(open_only=True)
                if all(item.platform is not account.key.platform for item in waiting):
                    account.ask_for_reconcile()

    async def reconcile_due(self, book: BookReports) -> None:
        """Reconcile the accounts whose time has come, one after the other."""
        for account in self.accounts:
            if account.is_due:
                await account.reconcile(book)

    async def _add(self, key: WorkingKey, group: asyncio.TaskGroup) -> None:
        name = (key.user_id, key.platform)
        try:
            opened = await self._parts.opener.open(key)
        except (NotFound, Forbidden) as error:  # not again before the key is another one
            self._refused[name] = key.fingerprint
            log.warning("an account cannot be opened", platform=key.platform.value, reason=error.detail)
            return
        except AmarktaiError as error:
            log.warning("an account cannot be opened now", platform=key.platform.value, reason=error.detail)
            return
        account = LiveAccount(key, opened, await self._status(key), self._parts)
        self._accounts[name] = account
        self._listeners[name] = group.create_task(account.listen())

    async def _status(self, key: WorkingKey) -> AccountStatus:
        """Return the account's status at the start: what happened before it is unknown until it is read."""
        async with self._parts.store.unit_of_work(key.user_id) as unit:
            saved = (await unit.live_accounts.statuses()).get(key.platform)
        now = to_datetime(self._parts.clock.now_ns())
        detail = (
            f"The account at {DISPLAY_NAMES[key.platform]} is being reconciled: the engine has just started."
        )
        fresh = AccountStatus(key.platform, Condition.RECONCILING, detail, now)
        return (
            fresh
            if saved is None
            else replace(saved, condition=Condition.RECONCILING, detail=detail, changed_at=now)
        )

    async def _drop(self, name: tuple[UUID, Platform], account: LiveAccount) -> None:
        del self._accounts[name]
        self._listeners.pop(name).cancel()
        await account.leave("Its key is gone, or has changed.")


def _parts(reports: Sequence[OrderReport]) -> Iterator[list[OrderReport]]:
    """Yield the reports in order, so many at a time as one transaction books; each report whole."""
    part, fills = list[OrderReport](), 0
    for report in reports:
        part.append(report)
        fills += len(report.fills)
        if fills >= _FILLS_AT_ONCE:
            yield part
            part, fills = [], 0
    if part:
        yield part


def _told(status: AccountStatus) -> AccountUpdated:
    return AccountUpdated(
        message=status.detail, platform=status.platform, condition=status.condition, detail=status.detail
    )


def _amounts(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount.normalize():+f} {asset}" for asset, amount in sorted(amounts.items()))
