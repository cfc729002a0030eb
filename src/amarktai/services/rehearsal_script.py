"""The script of a rehearsal's day: what an account's owner, its exchange and its key do besides the bots.

Each day has all of it, at times and on exchanges that follow from the seed. What cannot be done at its
time (the exchange is silent, the market takes no such order) is tried again at each step until it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from amarktai.domain.errors import BrokenInvariant, InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument, Platform
from amarktai.domain.money import ZERO, floor_to_step
from amarktai.domain.order import Side
from amarktai.domain.provider import Credentials, ProviderId
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Accounts
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.keys import AccountState
from amarktai.ports.live_accounts import Cause
from amarktai.ports.rehearsal import Stage
from amarktai.ports.rng import Rng
from amarktai.services.differences import Differences
from amarktai.services.key_checks import KeyChecks
from amarktai.services.keys import Keys

#: How long an exchange that starts anew is silent; a step of the day is five minutes.
RESTART_S: Final = 400.0
#: What the owner trades by hand, of the account's money.
_BY_HAND: Final = Decimal("0.01")
#: What the owner deposits, of the account's money, at least and at most.
_DEPOSIT: Final = (0.01, 0.05)
_CENT: Final = Decimal("0.01")
ALERT: Final = "key_unsafe"


class Incident(StrEnum):
    """What happens once in every day."""

    DEPOSIT = "deposit"
    TRADE = "trade by hand"
    RESTART = "restart"
    RESTART_EMPTY = "restart that cancels every order"
    RIGHT_GAINED = "a key gains the right to withdraw"
    RIGHT_LOST = "the right is taken away and the key tested"


#: When in the day, as shares of it.
_WHEN: Final[Mapping[Incident, tuple[float, float]]] = {
    Incident.DEPOSIT: (0.05, 0.9),
    Incident.TRADE: (0.05, 0.9),
    Incident.RESTART: (0.1, 0.85),
    Incident.RESTART_EMPTY: (0.1, 0.85),
    Incident.RIGHT_GAINED: (0.3, 0.6),
    Incident.RIGHT_LOST: (0.7, 0.85),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One exchange of the script. ``market`` is where its owner trades by hand, ``money`` what it holds.

    ``tells`` says that it keeps client ids, by which a trade by hand is told from a bot's, and a key's
    rights.
    """

    stage: Stage
    market: Instrument
    money: Decimal
    tells: bool


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """The platform's own keys and their checks, as its jobs run them. ``new_checks`` are those of a start."""

    who: Identity
    keys: Keys
    accounts: Accounts
    new_checks: Callable[[], KeyChecks]
    credentials: Mapping[Platform, Credentials]


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the day's story."""

    at: datetime
    platform: Platform
    text: str


@dataclass(slots=True)
class Halt:
    """While an account took no entries. ``until`` is None as long as it does not."""

    platform: Platform
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Story:
    """What the script has done so far. ``undone`` has not happened yet.

    ``deposits`` by platform and asset, and what the owner ``explained`` as such when the platform asked;
    ``bought`` by hand, in base, by instrument.
    """

    happened: list[Happened] = field(default_factory=list)
    deposits: dict[tuple[Platform, str], Decimal] = field(default_factory=dict)
    explained: dict[tuple[Platform, str], Decimal] = field(default_factory=dict)
    bought: dict[str, Decimal] = field(default_factory=dict)
    halts: list[Halt] = field(default_factory=list)
    undone: list[Incident] = field(default_factory=list)
    alerted: bool = False


class DayScript:
    """Plays the script of one day. The same seed writes the same script."""

    def __init__(
        self, desk: KeyDesk, scenes: Sequence[Scene], clock: Clock, rng: Rng, differences: Differences
    ) -> None:
        self._desk = desk
        self._differences = differences
        self._scenes = scenes
        self._clock = clock
        self._rng = rng
        self._plan: dict[Incident, tuple[int, Scene]] = {}
        self._granted = False
        self.story = Story()

    async def begin(self, steps: int) -> None:
        """Write the script for a day of so many steps, save every account's key and test it."""
        tells = [scene for scene in self._scenes if scene.tells]
        keyed = self._one_of(tells)
        first = self._one_of(self._scenes)
        second = self._one_of([scene for scene in self._scenes if scene is not first])
        where = {
            Incident.DEPOSIT: self._one_of(self._scenes),
            Incident.TRADE: self._one_of(tells),
            Incident.RESTART: first,
            Incident.RESTART_EMPTY: second,
            Incident.RIGHT_GAINED: keyed,
            Incident.RIGHT_LOST: keyed,
        }
        for incident, (earliest, latest) in _WHEN.items():
            share = earliest + self._rng.uniform() * (latest - earliest)
            self._plan[incident] = (int(share * steps), where[incident])
        self.story.undone = list(self._plan)
        for platform, key in self._desk.credentials.items():
            given = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
            await self._desk.keys.save(self._desk.who, ProviderId(platform.value), given)
            await self._desk.keys.test_saved(self._desk.who, ProviderId(platform.value))

    async def play(self, step: int, asks: Mapping[str, Decimal]) -> None:
        """Let happen what is due. ``asks`` are the last prices to buy at, by instrument."""
        for incident, (due, scene) in self._plan.items():
            if due <= step and incident in self.story.undone:
                done = await self._do(incident, scene, asks)
                if done:
                    self.story.undone.remove(incident)
                    self._tell(scene, done)
        await self.explain()

    async def explain(self) -> None:
        """Let the owner say of a difference that it is what they paid in; any other stays open."""
        for item in await self._differences.waiting(self._desk.who.user_id):
            key = (item.platform, item.asset)
            if self.story.deposits.get(key) == item.amount and key not in self.story.explained:
                await self._differences.explain(self._desk.who, item.id, Cause.DEPOSIT, "paid in by hand")
                self.story.explained[key] = item.amount

    async def end(self) -> None:
        """Throw the keys away: whoever browses the day later must not send them anywhere."""
        async with self._desk.accounts.unit(self._desk.who.user_id) as unit:
            alerts = await unit.alerts.page(None, 500)
        self.story.alerted = any(row.type == ALERT and row.severity == "critical" for row in alerts)
        for platform in self._desk.credentials:
            await self._desk.keys.delete(self._desk.who, ProviderId(platform.value))

    async def _do(self, incident: Incident, scene: Scene, asks: Mapping[str, Decimal]) -> str | None:
        """Let it happen and return it in words; None when it could not yet."""
        match incident:
            case Incident.DEPOSIT:
                return self._deposit(scene)
            case Incident.TRADE:
                return self._trade(scene, asks.get(scene.market.id))
            case Incident.RESTART | Incident.RESTART_EMPTY:
                is_empty = incident is Incident.RESTART_EMPTY
                scene.stage.restart(RESTART_S, cancel_all=is_empty)
                return "it starts anew" + (
                    ", and cancels every order" if is_empty else ", and keeps every order"
                )
            case Incident.RIGHT_GAINED:
                return await self._gain(scene)
            case Incident.RIGHT_LOST:
                return await self._lose(scene)

    def _deposit(self, scene: Scene) -> str:
        least, most = _DEPOSIT
        share = Decimal(str(round(least + self._rng.uniform() * (most - least), 6)))
        amount, asset = floor_to_step(scene.money * share, _CENT), scene.market.quote
        scene.stage.deposit(asset, amount)
        key = (scene.stage.platform, asset)
        self.story.deposits[key] = self.story.deposits.get(key, ZERO) + amount
        return f"its owner deposits {amount:f} {asset}"

    def _trade(self, scene: Scene, ask: Decimal | None) -> str | None:
        if ask is None:
            return None
        market = scene.market
        quantity = floor_to_step(scene.money * _BY_HAND / ask, market.lot_size)
        try:
            filled = scene.stage.trade(market, Side.BUY, quantity)
        except InvalidInput:
            return None  # the market cannot take it now
        if not filled:
            return None
        self.story.bought[market.id] = filled
        return f"its owner buys {filled:f} {market.base} by hand"

    async def _gain(self, scene: Scene) -> str | None:
        """Let the key gain the right, and the platform look at every key again, as at each start."""
        if not self._granted:
            scene.stage.grant_withdrawals(is_granted=True)
            self._granted = True
        await self._desk.new_checks().run_round()
        if not await self._is_halted(scene):
            return None  # the exchange was silent: it is asked again
        self.story.halts.append(Halt(scene.stage.platform, to_datetime(self._clock.now_ns())))
        return "its key has gained the right to withdraw: the account is halted"

    async def _lose(self, scene: Scene) -> str | None:
        if not any(halt.since < to_datetime(self._clock.now_ns()) for halt in self.story.halts):
            return None  # a halt lasts for a step at least
        scene.stage.grant_withdrawals(is_granted=False)
        await self._desk.keys.test_saved(self._desk.who, ProviderId(scene.stage.platform.value))
        if await self._is_halted(scene):
            return None
        self.story.halts[-1].until = to_datetime(self._clock.now_ns())
        return "its owner takes the right away and tests the key: the account is open again"

    async def _is_halted(self, scene: Scene) -> bool:
        async with self._desk.accounts.unit(self._desk.who.user_id) as unit:
            account = (await unit.venue_accounts.list()).get(scene.stage.platform)
        return account is not None and account.state is AccountState.HALTED

    def _tell(self, scene: Scene, text: str) -> None:
        name = DISPLAY_NAMES[scene.stage.platform]
        at = to_datetime(self._clock.now_ns())
        self.story.happened.append(Happened(at, scene.stage.platform, f"{name}: {text}"))

    def _one_of(self, scenes: Sequence[Scene]) -> Scene:
        if not scenes:
            raise BrokenInvariant(
                "a rehearsal's script needs an exchange that tells of client ids and rights"
            )
        return scenes[int(self._rng.uniform() * len(scenes))]
