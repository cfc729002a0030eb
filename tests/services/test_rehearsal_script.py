"""The script of a rehearsal's day: all of it happens, later where the exchange would not have it yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from amarktai.domain.errors import BrokenInvariant, InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.order import Side
from amarktai.domain.provider import KeyTestResult, ProviderId
from amarktai.domain.user import Identity
from amarktai.ports.clock import to_datetime
from amarktai.services.differences import Differences
from amarktai.services.key_checks import KeyChecks
from amarktai.services.rehearsal_script import DayScript, Incident, KeyDesk, Scene
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.key_ring import VariableKeyRing
from tests.fakes import SeededRng
from tests.key_rings import key_text
from tests.providers.stand import KEYS
from tests.services.secret_desk import GOOD, SILENT, UNSAFE, SecretDesk, secret_desk
from tests.trading import FEES

D = Decimal
STEPS = 100
PLATFORMS = (Platform.LUNO, Platform.VALR, Platform.OVEX)


@dataclass
class HandStage:
    """A stage that writes down what is done to it. Its key's rights are what the oracle says next."""

    platform: Platform
    desk: SecretDesk
    done: list[tuple[Any, ...]] = field(default_factory=list)
    takes_trades: bool = True
    dangerous: KeyTestResult = UNSAFE
    fills: bool = True

    def move(self) -> None: ...

    def strike(self, kind: str, operation: str) -> None: ...

    def clear(self) -> None: ...

    def deposit(self, asset: str, amount: Decimal) -> None:
        self.done.append(("deposit", asset, amount))

    def trade(self, instrument: Instrument, side: Side, quantity: Decimal) -> Decimal:
        if not self.takes_trades:
            raise InvalidInput("VALIDATION_ERROR", "self-trade", "Change the order.")
        self.done.append(("trade", side, quantity))
        return quantity if self.fills else D(0)

    def restart(self, seconds: float, *, cancel_all: bool) -> None:
        self.done.append(("restart", cancel_all))

    def grant_withdrawals(self, *, is_granted: bool) -> None:
        self.desk.oracle.answer = self.dangerous if is_granted else GOOD
        self.done.append(("grant", is_granted))

    def totals(self) -> dict[str, Decimal]:
        return {}


@dataclass
class Day:
    """A script that has begun, with what it acts on."""

    desk: SecretDesk
    who: Identity
    stages: list[HandStage]
    script: DayScript
    asks: dict[str, Decimal]

    async def play(self, first: int = 0, last: int = STEPS) -> None:
        for step in range(first, last):
            self.desk.clock.advance(300)
            await self.script.play(step, self.asks)

    def done(self) -> list[tuple[Any, ...]]:
        return [item for stage in self.stages for item in stage.done]


def market(platform: Platform) -> Instrument:
    return Instrument(platform, "BTC", "ZAR", D(1), D("0.0001"), D("0.0001"), D(10), FEES)


def differences(desk: SecretDesk) -> Differences:
    return Differences(PgStore(desk.database, desk.ids, desk.clock), desk.clock)


async def begin(desk: SecretDesk, who: Identity, seed: str) -> Day:
    """Begin a day. All keys are one and the same to the oracle, so only Luno's is the platform's."""
    stages = [HandStage(platform, desk) for platform in PLATFORMS]
    scenes = [
        Scene(stage, market(stage.platform), D(400_000), stage.platform is Platform.LUNO) for stage in stages
    ]

    def new_checks() -> KeyChecks:
        started = to_datetime(desk.clock.now_ns())
        alerting = PgAlerting(desk.database)
        return KeyChecks(desk.store, alerting, desk.keys, desk.registry, clock=desk.clock, started_at=started)

    keys = KeyDesk(who, desk.keys, desk.store, new_checks, {Platform.LUNO: KEYS[ProviderId.LUNO]})
    script = DayScript(keys, scenes, desk.clock, SeededRng(seed), differences(desk))
    await script.begin(STEPS)
    return Day(desk, who, stages, script, {scene.market.id: D(1_000_000) for scene in scenes})


@pytest.fixture
async def day(database_urls: DatabaseUrls) -> AsyncIterator[Day]:
    async with secret_desk(database_urls, VariableKeyRing(key_text("script"))) as desk:
        yield await begin(desk, await desk.join("ada@example.org"), "1")


async def test_a_day_has_everything_once(day: Day) -> None:
    await day.play()
    story = day.script.story
    assert story.undone == [] and len(story.happened) == len(Incident)
    restarts = {
        stage.platform: item[1] for stage in day.stages for item in stage.done if item[0] == "restart"
    }
    assert sorted(restarts.values()) == [False, True] and len(restarts) == 2
    assert [item for item in day.done() if item[0] == "trade"] == [("trade", Side.BUY, D("0.004"))]
    assert story.bought == {"luno:BTC/ZAR": D("0.004")}
    ((platform, asset), amount), *none = story.deposits.items()
    assert none == [] and asset == "ZAR" and 4_000 <= amount <= 20_000
    assert ("deposit", "ZAR", amount) in next(s for s in day.stages if s.platform is platform).done
    (halt,) = story.halts
    assert halt.platform is Platform.LUNO and halt.until is not None and halt.since < halt.until
    assert (await day.desk.row(day.who))["account_state"] == "active"
    assert not story.alerted
    await day.script.end()
    assert story.alerted
    assert (await day.desk.row(day.who))["status"] == "not_configured", "the keys are thrown away"


async def test_the_same_seed_writes_the_same_script(database_urls: DatabaseUrls) -> None:
    async with secret_desk(database_urls, VariableKeyRing(key_text("script"))) as desk:
        told = []
        for number, seed in enumerate(("7", "7", "8")):
            day = await begin(desk, await desk.join(f"p{number}@example.org"), seed)
            began = to_datetime(desk.clock.now_ns())
            await day.play()
            told.append([(line.at - began, line.text) for line in day.script.story.happened])
        assert told[0] == told[1] != told[2]


async def test_what_cannot_be_done_yet_is_done_later(day: Day) -> None:
    luno = day.stages[0]
    luno.takes_trades = False
    await day.play(last=STEPS - 10)
    assert day.script.story.undone == [Incident.TRADE]
    luno.takes_trades, luno.fills = True, False
    await day.play(STEPS - 10, STEPS - 10 + 1)
    assert day.script.story.undone == [Incident.TRADE], "nothing filled"
    luno.fills = True
    asks, day.asks = day.asks, {}
    await day.play(STEPS - 10, STEPS - 5)
    assert day.script.story.undone == [Incident.TRADE], "there is no price yet"
    day.asks = asks
    await day.play(STEPS - 5)
    assert day.script.story.undone == []


async def test_a_silent_exchange_is_asked_until_it_tells_of_the_right(day: Day) -> None:
    day.stages[0].dangerous = SILENT
    await day.play(last=STEPS - 10)
    assert {Incident.RIGHT_GAINED, Incident.RIGHT_LOST} <= set(day.script.story.undone)
    assert day.script.story.halts == []
    day.desk.oracle.answer = UNSAFE
    await day.play(STEPS - 10, STEPS - 9)
    assert [halt.until for halt in day.script.story.halts] == [None]
    await day.play(STEPS - 9)
    assert day.script.story.undone == []


async def test_a_script_needs_an_exchange_that_tells(day: Day) -> None:
    desk = KeyDesk(day.who, day.desk.keys, day.desk.store, lambda: day.desk.checks, {})
    silent = [Scene(stage, market(stage.platform), D(1), tells=False) for stage in day.stages]
    with pytest.raises(BrokenInvariant):
        await DayScript(desk, silent, day.desk.clock, SeededRng("1"), differences(day.desk)).begin(STEPS)
