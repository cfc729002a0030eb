"""The oracles: each broken promise is named, and books that agree are left alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

import pytest

from amarktai.domain.instrument import Platform
from amarktai.domain.order import NEXT, OrderEvent, OrderState
from amarktai.ports.evidence import StoredFill, StoredState
from amarktai.storm.exchange import ModelExchange
from amarktai.storm.oracles import UNREACHABLE, Oracles, unreached
from tests.storm.test_exchange import exchange_of, request

HALF = Decimal("0.005")


@dataclass
class HandEvidence:
    """Books written by hand. Implements ports.evidence.Evidence."""

    states: dict[UUID, StoredState] = field(default_factory=dict)
    booked: dict[tuple[str, str], StoredFill] = field(default_factory=dict)
    totals: dict[tuple[Platform, str], Decimal] = field(default_factory=dict)
    twice: str | None = None
    been: dict[UUID, set[OrderState]] = field(default_factory=dict)

    def state_of(self, order_id: UUID) -> OrderState | None:
        found = self.states.get(order_id)
        return None if found is None else found.state

    async def orders(self) -> dict[UUID, StoredState]:
        return self.states

    async def fills(self) -> dict[tuple[str, str], StoredFill]:
        if self.twice:
            raise ValueError(self.twice)
        return self.booked

    async def moves(self) -> Counter[tuple[OrderState, OrderEvent]]:
        return Counter()

    async def states_been(self) -> dict[UUID, set[OrderState]]:
        return self.been

    async def holdings(self) -> dict[tuple[Platform, str], Decimal]:
        return self.totals

    async def digest(self) -> str:
        return ""


@dataclass
class Scene:
    """One filled order at Luno, booked as it happened."""

    exchange: ModelExchange
    evidence: HandEvidence
    order_id: UUID

    @property
    def oracles(self) -> Oracles:
        return Oracles(self.evidence, {Platform.LUNO: self.exchange})

    def store(self, **changes: object) -> None:
        self.evidence.states[self.order_id] = replace(self.evidence.states[self.order_id], **changes)  # type: ignore[arg-type]

    def judge(self) -> list[str]:
        oracles = self.oracles
        asyncio.run(oracles.judge())
        return [line.partition(":")[0] for line in oracles.broken]


@pytest.fixture
def scene() -> Scene:
    exchange, evidence = exchange_of(Platform.LUNO), HandEvidence()
    record = exchange.place(request(exchange))
    assert record.order_id is not None
    evidence.states[record.order_id] = StoredState(
        OrderState.FILLED, Platform.LUNO, record.quantity, record.quantity
    )
    for fill in exchange.fills:
        evidence.booked["luno", fill.venue_trade_id] = StoredFill(
            record.order_id, fill.quantity, fill.price, fill.fee_amount
        )
    evidence.totals = {(Platform.LUNO, asset): amount for asset, amount in exchange.money.items()}
    return Scene(exchange, evidence, record.order_id)


def test_books_that_agree_break_nothing(scene: Scene) -> None:
    assert scene.judge() == []


def _lose_a_fill(scene: Scene) -> None:
    scene.evidence.booked.popitem()


def _invent_a_fill(scene: Scene) -> None:
    scene.evidence.booked["luno", "invented"] = StoredFill(scene.order_id, HALF, HALF, HALF)


def _book_another_price(scene: Scene) -> None:
    key, fill = next(iter(scene.evidence.booked.items()))
    scene.evidence.booked[key] = replace(fill, price=fill.price + 1)


def _book_twice(scene: Scene) -> None:
    scene.evidence.twice = "luno t1"


def _forget_the_order(scene: Scene) -> None:
    scene.evidence.states.clear()


def _take_it_for_absent(scene: Scene) -> None:
    scene.store(state=OrderState.NOT_PLACED)


def _leave_it_in_doubt(scene: Scene) -> None:
    scene.store(state=OrderState.UNKNOWN)


def _fill_half(scene: Scene) -> None:
    scene.store(filled=HALF)


def _hold_more(scene: Scene) -> None:
    scene.evidence.totals[Platform.LUNO, "ZAR"] += Decimal("0.00000001")


def _ask_twice(scene: Scene) -> None:
    scene.exchange.arrived[scene.order_id] = 2


def _end_it_in_between(scene: Scene) -> None:
    scene.evidence.been[scene.order_id] = {OrderState.SENDING, OrderState.CANCELED, OrderState.FILLED}


def _let_an_ended_one_rest(scene: Scene) -> None:
    order = scene.exchange.place(request(scene.exchange, price=Decimal(900_000)))
    assert order.order_id is not None
    scene.evidence.states[order.order_id] = StoredState(
        OrderState.CANCELED, Platform.LUNO, order.quantity, Decimal(0)
    )


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (_lose_a_fill, {"O5"}),
        (_invent_a_fill, {"O5"}),
        (_book_another_price, {"O5"}),
        (_book_twice, {"O5"}),
        (_forget_the_order, {"O1"}),
        (_take_it_for_absent, {"O4"}),
        (_leave_it_in_doubt, {"liveness"}),
        (_fill_half, {"O7"}),
        (_hold_more, {"O18"}),
        (_ask_twice, {"O2"}),
        (_let_an_ended_one_rest, {"O4"}),
        (_end_it_in_between, {"O7"}),
    ],
)
def test_each_broken_promise_is_named(scene: Scene, damage: Callable[[Scene], None], names: set[str]) -> None:
    damage(scene)
    assert set(scene.judge()) == names


@pytest.mark.parametrize(
    ("state", "name"), [(None, "O1"), (OrderState.DENIED, "O1"), (OrderState.SENDING, None)]
)
def test_what_leaves_must_be_written_before(scene: Scene, state: OrderState | None, name: str | None) -> None:
    if state is None:
        scene.evidence.states.clear()
    else:
        scene.store(state=state)
    oracles = scene.oracles
    oracles.departs(scene.order_id)
    assert [line[:2] for line in oracles.broken] == ([] if name is None else [name])


def test_nothing_leaves_twice(scene: Scene) -> None:
    scene.store(state=OrderState.SENDING)
    oracles = scene.oracles
    oracles.departs(scene.order_id)
    oracles.departs(scene.order_id)
    assert [line[:2] for line in oracles.broken] == ["O2"]


def test_moves_that_were_never_made_are_listed() -> None:
    every = Counter(dict.fromkeys(NEXT, 1))
    assert unreached(every) == []
    missed = (OrderState.OPEN, OrderEvent.FILL)
    del every[missed]
    assert unreached(every) == [missed]
    assert NEXT.keys() >= UNREACHABLE.keys()
